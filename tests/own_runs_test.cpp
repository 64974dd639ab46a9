#include "r1fit/own_runs.hpp"

#include <cmath>
#include <vector>

#include "catch.hpp"
#include "shipped.hpp"

using namespace r1fit;
using namespace r1fit::test;

namespace {

const Catalog& catalog() { return builtin_catalog(); }
const Shape& shape(std::string_view model) { return *model_named(catalog(), model).shape; }
const Quant& quant(std::string_view name) { return quant_named(catalog(), name); }

OwnRun run_of(std::string_view model, std::string_view quantisation, double deviation,
              const std::string& date = "2026-11-22") {
  return {&shape(model), &quant(quantisation), deviation, date};
}

/// Of 32B as Q4_K_M on a kind of card that spreads as most do.
OwnFactor on_card(const std::vector<OwnRun>& runs, Spread kind = {0.85, 1.18}) {
  return own_factor(runs, shape("32b"), &quant("Q4_K_M"), kind, *catalog().speed_fits.front().family, true);
}

}  // namespace

TEST_CASE("a run moves other models towards itself, and not all the way") {
  const OwnFactor own = on_card({run_of("r1-distill-llama-8b", "Q4_K_M", -0.2)});
  CHECK(own.factor < 1.0);
  CHECK(own.factor > std::exp(-0.2));
  CHECK_THAT(on_card({run_of("r1-distill-llama-8b", "Q4_K_M", 0.0)}).factor, within_rel(1.0, 1e-9));
}

TEST_CASE("runs of several models tell more than one, and of the very model more than of another") {
  const double one = on_card({run_of("r1-distill-llama-8b", "Q4_K_M", -0.2)}).factor;
  const double two =
      on_card({run_of("r1-distill-llama-8b", "Q4_K_M", -0.2), run_of("14b", "Q4_K_M", -0.2)}).factor;
  const double very = on_card({run_of("32b", "Q4_K_M", -0.2)}).factor;
  CHECK(two < one);
  CHECK(very < one);
}

TEST_CASE("the same model run again is no further evidence") {
  const OwnFactor once = on_card({run_of("r1-distill-llama-8b", "Q4_K_M", -0.2)});
  const OwnFactor again =
      on_card({run_of("r1-distill-llama-8b", "Q4_K_M", -0.2), run_of("r1-distill-llama-8b", "Q4_K_M", -0.2)});
  CHECK_THAT(again.factor, within_rel(once.factor, 1e-9));
  CHECK_THAT(again.spread.low, within_rel(once.spread.low, 1e-9));
  CHECK(again.runs == 2);
}

TEST_CASE("runs that disagree tell little of other models and the model itself is believed") {
  const std::vector<OwnRun> apart{run_of("32b", "Q4_K_M", -0.1), run_of("r1-distill-qwen-7b", "Q4_K_M", -1.0),
                                  run_of("14b", "Q4_K_M", -0.8)};
  const OwnFactor itself = on_card(apart);
  const double measured = std::exp(-0.1);
  CHECK(itself.factor * itself.spread.low < measured);
  CHECK(itself.factor * itself.spread.high > measured);
  // Of another model two that agree move it further than three of which one is far away.
  const auto other = [](const std::vector<OwnRun>& runs) {
    return own_factor(runs, shape("70b"), &quant("Q4_K_M"), {0.85, 1.18},
                      *catalog().speed_fits.front().family, true);
  };
  const OwnFactor unsure = other(apart);
  CHECK(unsure.factor > other({apart[1], apart[2]}).factor);
  CHECK_THAT(unsure.spread.low, within_rel(0.85, 0.02));  // no narrower than without
}

TEST_CASE("what is known is never wider for runs, whatever they say") {
  const SpeedFamily& family = *catalog().speed_fits.front().family;
  for (const Spread kind : {Spread{0.95, 1.05}, Spread{0.85, 1.18}, Spread{0.6, 1.7}}) {
    for (const std::string_view model : {"1.5b", "32b", "r1-671b"}) {
      for (const std::string_view ran : {"1.5b", "32b", "r1-671b"}) {
        for (const double deviation : {-1.0, -0.1, 0.0, 0.4}) {
          const std::vector<OwnRun> runs{run_of(ran, "Q4_K_M", deviation)};
          const OwnFactor own = own_factor(runs, shape(model), &quant("Q4_K_M"), kind, family, true);
          const Spread before = spread_on(kind, shape(model), family, true);
          CAPTURE(model, ran, deviation, kind.low);
          CHECK(scale_of(own.spread) <= scale_of(before) * (1 + 1e-9));
        }
      }
    }
  }
}

TEST_CASE("the sentence counts runs and names their days") {
  CHECK(own_text(on_card({run_of("32b", "Q4_K_M", 0, "2026-11-22")})) == "1 run of yours of 2026-11-22");
  CHECK(
      own_text(on_card({run_of("32b", "Q4_K_M", 0, "2026-11-22"), run_of("14b", "Q8_0", 0, "2026-11-20")})) ==
      "2 runs of yours of 2026-11-20 to 2026-11-22");
}
