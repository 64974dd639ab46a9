// How far measured speeds lie from typical ones.
#pragma once

#include "r1fit/catalog.hpp"

namespace r1fit {

/// How far measurements lie from the typical speed, as multiples of it, at 80 %.
struct Spread {
  double low;
  double high;
};

/// The standard deviation of the logarithms of a normal distribution that has 80 % in `spread`, and back.
double scale_of(Spread spread);
Spread spread_of(double scale);

/// The spread of a model with such tensor shapes where that of a usual one is `spread`: a mixture of experts
/// has a further one, and so has 1.5B on a GPU.
Spread spread_on(Spread spread, const Shape& shape, const SpeedFamily& family, bool gpu);

}  // namespace r1fit
