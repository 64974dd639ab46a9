// How fast the processor reads main memory, measured. Takes a few hundred milliseconds.
#pragma once

#include <functional>
#include <optional>

#include "r1fit/units.hpp"

namespace r1fit {

/// What a measurement may take.
struct MemoryRateRequest {
  std::optional<Bytes> available;  ///< memory that is free without swapping
  std::optional<Bytes> cache;      ///< last-level caches of all sockets together
  int threads = 1;
};

struct MemoryRate {
  BytesPerSecond low, typical, high;  ///< slowest, median and fastest pass
  Bytes buffer;
  int threads = 0;
  int passes = 0;
};

/// So large that little of it is found in the caches, and at most a quarter of what is available; nothing
/// where both cannot be had.
std::optional<Bytes> memory_rate_buffer(const MemoryRateRequest& request);

/// Reads a buffer of that size several times with all threads. Calls `progress` with the share done, 0 to 1.
/// Nothing where there is no room for it.
std::optional<MemoryRate> measure_memory_rate(const MemoryRateRequest& request,
                                              const std::function<void(double)>& progress);

}  // namespace r1fit
