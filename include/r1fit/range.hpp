// A value that is not known exactly: 80 % of measurements are meant to lie between low and high.
#pragma once

namespace r1fit {

template <class T>
struct Range {
  T low;
  T typical;
  T high;
};

}  // namespace r1fit
