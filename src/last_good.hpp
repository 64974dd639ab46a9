// Searching whole numbers for the place where a condition stops to hold.
#pragma once

#include <algorithm>
#include <optional>

namespace r1fit {

/// The largest n in [low, high] for which `good(n)` holds; `good` turns from true to false once.
template <class Predicate>
std::optional<int> last_good(int low, int high, Predicate good) {
  if (low > high || !good(low)) return std::nullopt;
  while (low < high) {
    const int middle = low + (high - low + 1) / 2;
    if (good(middle)) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

/// The same where `low` is known to be good and a value near the answer can be guessed: fewer trials.
template <class Predicate>
int last_good_near(int low, int high, int guess, Predicate good) {
  int bad = high + 1;
  for (int at = std::clamp(guess, low, high), reach = 1; low < at && at < bad; reach *= 4) {
    if (good(at)) {
      low = at;
      at = std::min(low + reach, bad - 1);
    } else {
      bad = at;
      at = std::max(bad - reach, low);
    }
  }
  while (low + 1 < bad) {
    const int middle = low + (bad - low) / 2;
    (good(middle) ? low : bad) = middle;
  }
  return low;
}

}  // namespace r1fit
