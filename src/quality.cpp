#include "r1fit/quality.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace r1fit {
namespace {

constexpr std::array<std::string_view, 3> kUseWords{"general", "math", "code"};
/// LiveCodeBench adds tasks over time; the models of January 2025 share one edition.
struct Benchmark {
  std::string_view id;
  std::string_view split;
};
constexpr std::array<Benchmark, 3> kBenchmarks{{{"gpqa_diamond_pass1", "GPQA Diamond"},
                                                {"aime2024_pass1", "AIME 2024"},
                                                {"livecodebench_pass1", "LiveCodeBench 2024-08..2025-01"}}};

/// Perplexity of R1-0528 mixes over 3.213 at 8 bits, as ln(ratio), which is the mean divergence for small
/// losses. ik_llama.cpp discussion 477 and the Thireus mixes named there, wiki.test.raw, n_ctx 512.
struct BitsPoint {
  double bits;
  double nats;
};
constexpr std::array<BitsPoint, 5> kDynamicLoss{
    {{1.9364, 0.3037}, {2.784, 0.0666}, {3.1027, 0.0379}, {3.2564, 0.0263}, {3.5652, 0.0186}}};

/// Log-linear between the points and beyond both ends.
double dynamic_nats(double bits) {
  std::size_t i = 1;
  while (i + 1 < kDynamicLoss.size() && bits > kDynamicLoss.at(i).bits) ++i;
  const BitsPoint& a = kDynamicLoss.at(i - 1);
  const BitsPoint& b = kDynamicLoss.at(i);
  const double slope = std::log(b.nats / a.nats) / (b.bits - a.bits);
  return a.nats * std::exp(slope * (bits - a.bits));
}

const QuantLoss* find_loss(const Quant& quant, Text metric) {
  const auto found = std::ranges::find(quant.losses, metric, &QuantLoss::metric);
  return found == quant.losses.end() ? nullptr : &*found;
}

}  // namespace

std::string_view word(Use use) { return kUseWords[static_cast<std::size_t>(use)]; }

const Score* find_score(const Model& model, std::string_view benchmark) {
  const auto found = std::ranges::find(model.scores, benchmark, &Score::benchmark);
  return found == model.scores.end() ? nullptr : &*found;
}

const Score* comparable_score(const Model& model, Use use) {
  const Benchmark& benchmark = kBenchmarks.at(static_cast<std::size_t>(use));
  const auto found = std::ranges::find_if(model.scores, [&benchmark](const Score& score) {
    return score.benchmark == benchmark.id && score.split == benchmark.split;
  });
  return found == model.scores.end() ? nullptr : &*found;
}

const Score* other_split(const Model& model, Use use) {
  const Benchmark& benchmark = kBenchmarks.at(static_cast<std::size_t>(use));
  const auto found = std::ranges::find_if(model.scores, [&benchmark](const Score& score) {
    return score.benchmark == benchmark.id && score.split != benchmark.split;
  });
  return found == model.scores.end() ? nullptr : &*found;
}

PointLoss point_loss(const Model& model, const Quant& quant, double bits_per_weight) {
  if (const QuantLoss* loss = find_loss(quant, "mean_kl_divergence")) {
    return {loss->value * kPointsPerNat, true, loss};
  }
  // Dynamic mixtures keep what matters at more bits; how much that saves was measured on 671B only.
  if (!model.shape->moe) return {};
  if (const QuantLoss* loss = find_loss(quant, "weighted_average_points")) {
    return {std::max(0.0, loss->value), true, loss};
  }
  if (quant.base == nullptr) return {dynamic_nats(bits_per_weight) * kPointsPerNat, true, nullptr};
  return {};
}

const QuantLoss* measured_loss(const Model& model, const Quant& quant) {
  const bool moe = model.shape->moe.has_value();
  for (const QuantLoss& loss : quant.losses) {
    if (loss.metric != "weighted_average_points") continue;
    const bool on_671b = loss.measured_on.find("671B") != Text::npos;
    if (on_671b == moe) return &loss;
  }
  return nullptr;
}

}  // namespace r1fit
