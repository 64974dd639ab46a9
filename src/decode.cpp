#include "r1fit/decode.hpp"

#include <algorithm>
#include <cmath>

namespace r1fit {
namespace {

/// Operations of one weight as a multiple of those of a K-quant weight.
double cost(const SpeedFamily& family, std::size_t kernel) {
  switch (static_cast<Kernel>(kernel)) {
    case Kernel::plain:
      return family.plain;
    case Kernel::simple:
      return family.simple;
    case Kernel::k_quant:
      return 1.0;
    case Kernel::k_low:
      return family.k_low;
    case Kernel::i_quant:
      return family.i_quant;
  }
  return 1.0;
}

/// The p-norm of two times, scaled so that nothing overflows.
SecondsPerToken joined(SecondsPerToken a, SecondsPerToken b, double sharpness) {
  const SecondsPerToken longer = std::max(a, b);
  if (longer == SecondsPerToken{}) return longer;
  const double part = std::min(a, b).count() / longer.count();
  return longer * std::pow(1.0 + std::pow(part, sharpness), 1.0 / sharpness);
}

}  // namespace

TokenTime token_time(const Work& work, const Processor& processor) {
  const SpeedFit& fit = *processor.fit;
  const SpeedFamily& family = *fit.family;
  TokenTime time;
  // Without flash attention the cache is read and written more than once: as builds of 2024 did.
  const BytesPerToken kv = work.flash_attention ? work.kv : work.kv * std::max(1.0, family.older_kv);
  const BytesPerSecond reached = processor.bandwidth * fit.efficiency;
  time.reading = (work.weights + kv) / reached + work.experts / (reached * family.experts);
  double operations = 0;
  for (std::size_t kernel = 0; kernel < kKernels; ++kernel) {
    operations += work.unpacked.at(kernel) * cost(family, kernel);
  }
  time.unpacking = FlopsPerToken::of(operations * fit.operations) / processor.fp32;
  time.streaming =
      joined(time.reading, time.unpacking, family.sharpness) / (work.narrow ? family.narrow : 1.0);
  const SecondsPerToken barriers = family.per_core * processor.cores;
  time.layers =
      (fit.per_layer + barriers) * work.layers + (fit.per_expert_layer + barriers) * work.expert_layers;
  time.attention = work.attention / (processor.fp32 * family.attention);
  return time;
}

}  // namespace r1fit
