#include "r1fit/memory_rate.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <new>
#include <thread>
#include <vector>

namespace r1fit {
namespace {

constexpr Bytes kLeastBuffer = mib(256);
constexpr Bytes kMostBuffer = gib(4.0);
/// Of what lies in the caches after a pass over a buffer four times their size little is met again.
constexpr int kTimesCache = 4;
constexpr int kAvailableParts = 4;
constexpr int kPasses = 7;
constexpr int kMostThreads = 512;

using Word = std::uint64_t;

/// Eight sums, so that no addition waits for the one before it.
Word sum(const Word* begin, const Word* end) {
  constexpr int lanes = 8;
  Word sums[lanes] = {};
  for (const Word* at = begin; at + lanes <= end; at += lanes) {
    for (int i = 0; i < lanes; ++i) sums[i] += at[i];
  }
  Word all = 0;
  for (const Word one : sums) all += one;
  return all;
}

/// Runs `work(i)` on each of `threads` threads and waits for all of them.
template <class Work>
void on_all(int threads, const Work& work) {
  std::vector<std::jthread> others;
  others.reserve(static_cast<std::size_t>(threads));
  for (int i = 1; i < threads; ++i) others.emplace_back(work, i);
  work(0);
}

}  // namespace

std::optional<Bytes> memory_rate_buffer(const MemoryRateRequest& request) {
  if (!request.available) return std::nullopt;
  const Bytes wanted = std::max(kLeastBuffer, request.cache.value_or(Bytes{}) * kTimesCache);
  const Bytes allowed = std::min(kMostBuffer, *request.available / kAvailableParts);
  return wanted <= allowed ? std::optional(wanted) : std::nullopt;
}

std::optional<MemoryRate> measure_memory_rate(const MemoryRateRequest& request,
                                              const std::function<void(double)>& progress) {
  const std::optional<Bytes> buffer = memory_rate_buffer(request);
  if (!buffer) return std::nullopt;
  const int threads = std::clamp(request.threads, 1, kMostThreads);
  const std::size_t words = static_cast<std::size_t>(buffer->count()) / sizeof(Word);
  const std::unique_ptr<Word[]> memory(new (std::nothrow) Word[words]);
  if (memory == nullptr) return std::nullopt;
  Word* const begin = memory.get();
  const auto part = [&](int i) {
    return begin + words * static_cast<std::size_t>(i) / static_cast<std::size_t>(threads);
  };
  // Each thread touches its own part first, so that it lies at its own socket.
  on_all(threads, [&](int i) { std::fill(part(i), part(i + 1), Word{1}); });
  std::atomic<Word> sums{0};  // looked at below, so that no read can be left out
  std::vector<BytesPerSecond> rates;
  for (int pass = 0; pass < kPasses; ++pass) {
    progress(static_cast<double>(pass) / kPasses);
    const auto start = std::chrono::steady_clock::now();
    on_all(threads, [&](int i) { sums += sum(part(i), part(i + 1)); });
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    rates.push_back(BytesPerSecond::of(static_cast<double>(buffer->count()) / took.count()));
  }
  progress(1);
  if (sums == 0) return std::nullopt;
  std::ranges::sort(rates);
  return MemoryRate{rates.front(), rates[rates.size() / 2], rates.back(), *buffer, threads, kPasses};
}

}  // namespace r1fit
