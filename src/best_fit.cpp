#include "r1fit/best_fit.hpp"

#include <algorithm>

#include "r1fit/error.hpp"

namespace r1fit {
namespace {

constexpr std::int64_t kAlignment = 128;  ///< bytes, of CUDA's buffers

constexpr std::int64_t aligned(std::int64_t size) {
  return (size + kAlignment - 1) / kAlignment * kAlignment;
}

}  // namespace

Held BestFit::take(std::int64_t size) {
  size = aligned(size);
  std::size_t best = count_;
  for (std::size_t i = 0; i < count_; ++i) {
    if (gaps_[i].size >= size && (best == count_ || gaps_[i].size <= gaps_[best].size)) best = i;
  }
  if (best == count_) {
    const Held held{end_, size};
    end_ += size;
    peak_ = std::max(peak_, end_);
    return held;
  }
  Gap& gap = gaps_[best];
  const Held held{gap.offset, size};
  gap.offset += size;
  gap.size -= size;
  if (gap.size == 0) remove(best);
  return held;
}

void BestFit::give_back(Held& held) {
  if (held.size == 0) return;
  const Gap gap{held.offset, held.size};
  held = {};
  std::size_t after = 0;
  while (after < count_ && gaps_[after].offset < gap.offset) ++after;
  const bool joins_before = after > 0 && gaps_[after - 1].offset + gaps_[after - 1].size == gap.offset;
  const bool joins_after = after < count_ && gap.offset + gap.size == gaps_[after].offset;
  const bool joins_end = gap.offset + gap.size == end_;
  if (joins_end) {
    end_ = joins_before ? gaps_[after - 1].offset : gap.offset;
    if (joins_before) remove(after - 1);
  } else if (joins_before) {
    gaps_[after - 1].size += gap.size;
    if (!joins_after) return;
    gaps_[after - 1].size += gaps_[after].size;
    remove(after);
  } else if (joins_after) {
    gaps_[after] = {gap.offset, gap.size + gaps_[after].size};
  } else {
    insert(after, gap);
  }
}

void BestFit::remove(std::size_t gap) {
  for (std::size_t i = gap + 1; i < count_; ++i) gaps_[i - 1] = gaps_[i];
  --count_;
}

void BestFit::insert(std::size_t before, Gap gap) {
  if (count_ == kMostGaps) throw Error("more gaps in a buffer than any model makes", ExitStatus::broken);
  for (std::size_t i = count_; i > before; --i) gaps_[i] = gaps_[i - 1];
  gaps_[before] = gap;
  ++count_;
}

std::uint64_t BestFit::fingerprint() const {
  // FNV-1a over whole numbers.
  std::uint64_t hash = 0xcbf29ce484222325U;
  const auto add = [&hash](std::int64_t number) {
    hash = (hash ^ static_cast<std::uint64_t>(number)) * 0x100000001b3U;
    hash ^= hash >> 29U;
  };
  for (std::size_t i = 0; i < count_; ++i) {
    add(gaps_[i].offset);
    add(gaps_[i].size);
  }
  add(end_);
  add(peak_);
  return hash;
}

}  // namespace r1fit
