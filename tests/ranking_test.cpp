#include "r1fit/ranking.hpp"

#include <set>

#include "catch.hpp"
#include "shipped.hpp"

using namespace r1fit;
using namespace r1fit::test;

TEST_CASE("a slow answer costs points and a tight fit costs a point") {
  Estimate estimate = shipped_estimate("32b", "Q4_K_M", machine_with("rtx 4090"));
  const auto at = [&](double speed) {
    estimate.speed.decode = Range<TokensPerSecond>{tok_per_s(speed), tok_per_s(speed), tok_per_s(speed)};
    return *ranking_score(estimate, Use::general);
  };
  CHECK_THAT(at(10) - at(5), within_rel(4.0, 1e-9));
  CHECK_THAT(at(20) - at(10), within_rel(0.3, 1e-9));
  CHECK(at(200) == at(60));
  const double comfortable = at(20);
  estimate.placement.strain = Strain::inside_margin;
  CHECK_THAT(comfortable - at(20), within_rel(1.0, 1e-9));
  estimate.placement.strain = Strain::raised_limit;
  CHECK_THAT(comfortable - at(20), within_rel(2.0, 1e-9));
}

TEST_CASE("layers that spill into host memory cost points") {
  Estimate estimate = shipped_estimate("32b", "Q4_K_M", machine_with("rtx 4090"));
  const double whole = *ranking_score(estimate, Use::general);
  estimate.speed.decode->low = estimate.speed.decode->typical;
  estimate.placement.mode = PlacementMode::partial;
  CHECK_THAT(whole - *ranking_score(estimate, Use::general), within_rel(2.0, 1e-9));
}

TEST_CASE("a model without a score on the split that ranks has no points") {
  const Estimate estimate = shipped_estimate("deepseek-r1:8b", "Q4_K_M", machine_with("rtx 4090"));
  CHECK(answer_points(estimate, Use::general));
  CHECK_FALSE(answer_points(estimate, Use::code));
  CHECK_FALSE(ranking_score(estimate, Use::code));
}

TEST_CASE("still good is within one model class and without a lossy quantisation") {
  const Machine machine = machine_with("rtx 4090");
  const Estimate best = shipped_estimate("32b", "Q4_K_M", machine);
  CHECK(still_good(best, best, Use::general));
  CHECK(still_good(shipped_estimate("14b", "Q4_K_M", machine), best, Use::general));
  CHECK_FALSE(still_good(shipped_estimate("14b", "IQ3_XS", machine), best, Use::general));
  CHECK_FALSE(still_good(shipped_estimate("7b", "Q8_0", machine), best, Use::general));
}

TEST_CASE("usable is ten tokens a second or as fast as the best") {
  Estimate best = shipped_estimate("32b", "Q4_K_M", machine_with("rtx 4090"));
  Estimate other = best;
  const auto at = [](double speed) {
    return Range<TokensPerSecond>{tok_per_s(speed), tok_per_s(speed), tok_per_s(speed)};
  };
  other.speed.decode = at(9);
  CHECK_FALSE(usable(other, best));
  other.speed.decode = at(10);
  CHECK(usable(other, best));
  best.speed.decode = at(3);
  other.speed.decode = at(3);
  CHECK(usable(other, best));
  CHECK_FALSE(bearable(other));
  other.speed.decode.reset();
  CHECK_FALSE(usable(other, best));
  CHECK(bearable(other));
}

TEST_CASE("what is better in nothing is dominated, and nothing dominates itself") {
  const Machine machine = machine_with("rtx 4090");
  const Estimate small = shipped_estimate("deepseek-r1:8b", "Q4_K_M", machine);
  const Estimate poor = shipped_estimate("8b-llama-distill", "Q8_0", machine);
  CHECK(dominates(small, poor, Use::general));
  CHECK_FALSE(dominates(poor, small, Use::general));
  CHECK_FALSE(dominates(small, small, Use::general));
  // Without a score that compares nothing is known of the answers.
  CHECK_FALSE(dominates(small, poor, Use::code));
}

TEST_CASE("roles have words for scripts and titles for people") {
  std::set<std::string_view> words;
  for (const Role role : kRoles) {
    CHECK(words.insert(word(role)).second);
    CHECK_FALSE(title(role).empty());
  }
}
