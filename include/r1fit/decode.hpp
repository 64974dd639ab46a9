// What one token asks of a processor and its memory -> seconds. The formula of docs/model.md and nothing
// else: which parts lie where is in placement.hpp, what is not known in throughput.hpp.
#pragma once

#include <array>

#include "r1fit/catalog.hpp"

namespace r1fit {

/// Matrices with shorter rows leave part of a GPU idle: of the shapes here those of 1.5B alone.
inline constexpr int kNarrow = 2048;

/// What one token asks of one processor and the memory it reads.
struct Work {
  BytesPerToken weights;                    ///< read once, routed experts apart
  BytesPerToken experts;                    ///< those of the routed experts that are chosen
  BytesPerToken kv;                         ///< cache of all tokens before
  std::array<double, kKernels> unpacked{};  ///< weights taking part, by kernel
  FlopsPerToken attention;                  ///< scores and values over the cache
  double layers = 0;
  double expert_layers = 0;  ///< with routed experts here
  bool flash_attention = true;
  bool narrow = false;  ///< rows of fewer than kNarrow weights

  [[nodiscard]] BytesPerToken read() const { return weights + experts + kv; }
  [[nodiscard]] bool empty() const { return read() == BytesPerToken{}; }
};

/// A processor and its memory.
struct Processor {
  BytesPerSecond bandwidth;  ///< datasheet
  FlopsPerSecond fp32;       ///< peak
  int cores;                 ///< of a CPU; 0 for a GPU
  const SpeedFit* fit;
};

/// Where the time of one token goes. Reading and unpacking go on side by side, so `streaming` is less than
/// their sum and no less than either.
struct TokenTime {
  SecondsPerToken reading;    ///< bytes / (share of bandwidth)
  SecondsPerToken unpacking;  ///< operations / peak FP32
  SecondsPerToken streaming;  ///< both, joined
  SecondsPerToken layers;     ///< launches, synchronisation, small operations
  SecondsPerToken attention;  ///< beyond reading the cache
  [[nodiscard]] SecondsPerToken total() const { return streaming + layers + attention; }
};

TokenTime token_time(const Work& work, const Processor& processor);

}  // namespace r1fit
