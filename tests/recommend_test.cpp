#include "r1fit/recommend.hpp"

#include <algorithm>
#include <set>

#include "catch.hpp"
#include "shipped.hpp"

using namespace r1fit;
using namespace r1fit::test;

namespace {

Recommendations for_machine(const Machine& machine, const RecommendRequest& request = {}) {
  return recommend(builtin_catalog(), request, machine);
}

std::vector<std::string> order_of(const Recommendations& result) {
  std::vector<std::string> order;
  for (const Recommendation& one : result.ranked) {
    order.push_back(std::string(one.estimate.model->id) + " " + std::string(one.estimate.quant->id));
  }
  return order;
}

}  // namespace

TEST_CASE("every offered model is ranked or rejected once with a reason") {
  for (const double size : {4.0, 8.0, 24.0, 80.0}) {
    const Recommendations result = for_machine(nameless({size}));
    std::set<Text> seen;
    for (const auto* list : {&result.ranked, &result.rejected}) {
      for (const Recommendation& one : *list) {
        CHECK(seen.insert(one.estimate.model->id).second);
        CHECK_FALSE(one.why.empty());
      }
    }
    for (const Model& model : builtin_catalog().models) CHECK(seen.contains(model.id) == model.offered);
  }
}

TEST_CASE("rows are in a total order and count from one") {
  const Recommendations result = for_machine(machine_with("rtx 4090"));
  REQUIRE(result.ranked.size() > 3);
  for (std::size_t i = 0; i < result.ranked.size(); ++i) {
    CHECK(result.ranked[i].rank == static_cast<int>(i) + 1);
    if (i > 0) CHECK(result.ranked[i - 1].score >= result.ranked[i].score);
  }
}

TEST_CASE("the order of the candidates does not matter") {
  const Catalog& catalog = builtin_catalog();
  RecommendRequest forward;
  for (const Model& model : catalog.models) {
    if (model.offered) forward.models.push_back(&model);
  }
  RecommendRequest backward = forward;
  std::ranges::reverse(backward.models);
  const Machine machine = machine_with("rtx 4090");
  CHECK(order_of(for_machine(machine, forward)) == order_of(for_machine(machine, backward)));
}

TEST_CASE("what is ranked runs and keeps to the needs") {
  RecommendRequest request;
  request.min_tps = tok_per_s(40);
  request.min_context = tokens(16384);
  const Recommendations result = for_machine(machine_with("rtx 3090"), request);
  REQUIRE_FALSE(result.ranked.empty());
  for (const Recommendation& one : result.ranked) {
    CHECK(one.estimate.placement.verdict <= Verdict::offload);
    CHECK(one.estimate.speed.decode->typical >= *request.min_tps);
    CHECK(*one.estimate.max_context >= *request.min_context);
  }
  CHECK(order_of(for_machine(machine_with("rtx 3090"))) != order_of(result));
}

TEST_CASE("dynamic mixtures of dense models and files nobody published are not offered unasked") {
  for (const Recommendation& one : for_machine(nameless({8})).ranked) {
    CHECK(one.estimate.quant->base != nullptr);
  }
  RecommendRequest request;
  request.quants = {&quant_named(builtin_catalog(), "UD-Q3_K_XL")};
  request.models = {&model_named(builtin_catalog(), "r1-0528-qwen3-8b")};
  CHECK(for_machine(nameless({8}), request).ranked.size() == 1);
}

TEST_CASE("a model that cannot hold the context is dropped with the reason") {
  RecommendRequest request;
  request.workload.context = tokens(140000);
  const Recommendations result = for_machine(machine_with("m3-ultra", gib(512)), request);
  const auto dropped = std::ranges::find_if(result.rejected, [](const Recommendation& one) {
    return one.estimate.model->id == "r1-distill-qwen-32b";
  });
  REQUIRE(dropped != result.rejected.end());
  CHECK_THAT(dropped->why, contains("131,072"));
}

TEST_CASE("needs that no candidate can have are wrong usage and others drop it") {
  RecommendRequest request;
  request.workload.context = tokens(1048576);
  CHECK_THAT(error_of([&] { for_machine(machine_with("rtx 4090"), request); }), contains("163,840"));
  request = {};
  request.placement.n_gpu_layers = 65;  // the 32B has 64 layers and the output, the 14B 48
  const Recommendations result = for_machine(machine_with("rtx 4090"), request);
  CHECK_FALSE(result.ranked.empty());
  const auto dropped = std::ranges::find_if(result.rejected, [](const Recommendation& one) {
    return one.estimate.model->id == "r1-distill-qwen-14b";
  });
  REQUIRE(dropped != result.rejected.end());
  CHECK_THAT(dropped->why, contains("--ngl 65"));
}

TEST_CASE("every way to the next better model was tried out") {
  const Recommendations result = for_machine(machine_with("rtx 3090"));
  REQUIRE_FALSE(result.step_ups.empty());
  const StepUp& step = result.step_ups.front();
  CHECK(step.estimate.model->id == "r1-distill-llama-70b");
  CHECK(step.missing > Bytes{});
  REQUIRE_FALSE(step.ways.empty());
  CHECK_THAT(step.ways.front(), contains("2 x GeForce RTX 3090"));
  CHECK(shipped_estimate("70b", "Q4_K_M", machine_with("2x rtx 3090")).placement.verdict <= Verdict::tight);
}

TEST_CASE("where nothing fits nothing is ranked") {
  const Recommendations result = for_machine(nameless({1}));
  CHECK(result.ranked.empty());
  CHECK(result.rejected.size() == 9);
}

TEST_CASE("a slow answer costs points and a tight fit costs a point") {
  Estimate estimate = shipped_estimate("32b", "Q4_K_M", machine_with("rtx 4090"));
  const auto at = [&](double speed) {
    estimate.speed.decode = Range<TokensPerSecond>{tok_per_s(speed), tok_per_s(speed), tok_per_s(speed)};
    return ranking_score(estimate, Use::general);
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

TEST_CASE("the use decides the benchmark") {
  RecommendRequest math;
  math.use = Use::math;
  // AIME 2024: the 0528 Qwen3 8B has 86.0, the 32B distill 72.6.
  CHECK(for_machine(machine_with("rtx 4090"), math).ranked.front().estimate.model->id == "r1-0528-qwen3-8b");
}
