#include "r1fit/requirements.hpp"

#include "catch.hpp"
#include "shipped.hpp"

using namespace r1fit;
using namespace r1fit::test;

namespace {

using Names = std::vector<std::string>;

Estimate example() {
  Estimate estimate = shipped_estimate("32b", "Q4_K_M", machine_with("rtx 4090"));
  estimate.speed.decode = Range<TokensPerSecond>{tok_per_s(30), tok_per_s(40), tok_per_s(50)};
  estimate.speed.answer = Range<Seconds>{seconds(20), seconds(40), seconds(60)};
  return estimate;
}

}  // namespace

TEST_CASE("a condition holds for the typical value, or for the slow end where that is asked") {
  const Estimate estimate = example();
  CHECK(unmet({.min_tps = tok_per_s(40)}, estimate, {}).empty());
  CHECK(unmet({.min_tps = tok_per_s(41)}, estimate, {}) == Names{"min_tps"});
  CHECK(unmet({.min_tps = tok_per_s(40), .pessimistic = true}, estimate, {}) == Names{"min_tps"});
  CHECK(unmet({.min_tps = tok_per_s(30), .pessimistic = true}, estimate, {}).empty());
  CHECK(unmet({.max_answer = seconds(40)}, estimate, {}).empty());
  CHECK(unmet({.max_answer = seconds(39)}, estimate, {}) == Names{"max_answer_s"});
  CHECK(unmet({.max_answer = seconds(40), .pessimistic = true}, estimate, {}) == Names{"max_answer_s"});
  CHECK(unmet({.max_answer = seconds(60), .pessimistic = true}, estimate, {}).empty());
}

TEST_CASE("every condition that does not hold is named, and what is unknown does not hold") {
  Estimate estimate = example();
  estimate.placement.verdict = Verdict::offload;
  estimate.speed.decode.reset();
  estimate.speed.answer.reset();
  const Requirements all{.min_tps = tok_per_s(1), .min_context = tokens(1), .max_answer = seconds(1e6)};
  CHECK(unmet(all, estimate, {}) == Names{"fit", "min_tps", "min_ctx", "max_answer_s"});
  CHECK(unmet({.min_context = tokens(8192)}, example(), tokens(8191)) == Names{"min_ctx"});
  CHECK(unmet({.min_context = tokens(8192)}, example(), tokens(8192)).empty());
}
