#include "r1fit/spread.hpp"

#include "catch.hpp"
#include "shipped.hpp"

using namespace r1fit;
using namespace r1fit::test;

TEST_CASE("a spread and its scale are the same thing") {
  const Spread spread = spread_of(0.1);
  CHECK_THAT(scale_of(spread), within_rel(0.1, 1e-9));
  CHECK_THAT(spread.low * spread.high, within_rel(1.0, 1e-9));
  CHECK(spread.low < 0.9);
}

TEST_CASE("experts, and 1.5B on a GPU, are known less well than a usual model") {
  const Catalog& catalog = builtin_catalog();
  const SpeedFamily& family = *catalog.speed_fits.front().family;
  const Spread usual{0.9, 1.1};
  const auto width_on = [&](std::string_view model, bool gpu) {
    return scale_of(spread_on(usual, *model_named(catalog, model).shape, family, gpu));
  };
  CHECK_THAT(width_on("32b", true), within_rel(scale_of(usual), 1e-9));
  CHECK(width_on("1.5b", true) > width_on("32b", true));
  CHECK_THAT(width_on("1.5b", false), within_rel(scale_of(usual), 1e-9));
  CHECK(width_on("r1-671b", true) > width_on("32b", true));
}
