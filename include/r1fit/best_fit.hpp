// The allocator that llama.cpp plans its compute buffers with: addresses only, nothing is allocated.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace r1fit {

/// Where a tensor lies in the buffer that is planned; sizes in bytes.
struct Held {
  std::int64_t offset = 0;
  std::int64_t size = 0;  ///< 0: nothing is held
};

/// A buffer that grows as needed. A tensor takes the smallest gap that holds it, the higher one of equals,
/// and the open end only where no gap does.
class BestFit {
 public:
  Held take(std::int64_t size);
  /// Gives `held` back, which merges with the gaps beside it, and empties it.
  void give_back(Held& held);
  /// The size the buffer has needed so far.
  [[nodiscard]] std::int64_t peak() const { return peak_; }
  /// A number that differs where room is taken or free otherwise, or the peak is another.
  [[nodiscard]] std::uint64_t fingerprint() const;

 private:
  struct Gap {
    std::int64_t offset;
    std::int64_t size;
  };
  /// There is at most one gap more than tensors that are held at once, some twenty in a transformer block.
  static constexpr std::size_t kMostGaps = 32;

  void remove(std::size_t gap);
  void insert(std::size_t before, Gap gap);

  std::array<Gap, kMostGaps> gaps_;  ///< ascending, apart from each other; behind the last tensor is the end
  std::size_t count_ = 0;
  std::int64_t end_ = 0;  ///< where the open end begins
  std::int64_t peak_ = 0;
};

}  // namespace r1fit
