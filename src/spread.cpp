#include "r1fit/spread.hpp"

#include <cmath>

#include "r1fit/decode.hpp"

namespace r1fit {
namespace {

/// 80 % of a normal distribution lie within so many standard deviations.
constexpr double kNormal = 1.2816;

/// 1.5B on GPUs was measured at 0.45 to 1 of what larger models would let one expect of the same cards.
constexpr Spread kNarrowSpread{0.75, 1.15};

/// Independent spreads multiply: their logarithms add as squares do.
double together(double a, double b) { return std::exp(std::hypot(std::log(a), std::log(b))); }

Spread together(Spread a, Spread b) { return {1.0 / together(a.low, b.low), together(a.high, b.high)}; }

}  // namespace

double scale_of(Spread spread) { return std::log(spread.high / spread.low) / (2.0 * kNormal); }

Spread spread_of(double scale) { return {std::exp(-kNormal * scale), std::exp(kNormal * scale)}; }

Spread spread_on(Spread spread, const Shape& shape, const SpeedFamily& family, bool gpu) {
  if (gpu && shape.hidden < kNarrow) spread = together(spread, kNarrowSpread);
  return shape.moe ? together(spread, {family.experts_low, family.experts_high}) : spread;
}

}  // namespace r1fit
