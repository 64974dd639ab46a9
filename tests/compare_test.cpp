#include "r1fit/compare.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "catch.hpp"
#include "r1fit/error.hpp"
#include "shipped.hpp"

using namespace r1fit;

namespace {

std::vector<NamedMachine> named(std::vector<Machine> machines) {
  std::vector<NamedMachine> all;
  for (Machine& machine : machines) all.push_back({"", std::move(machine)});
  return all;
}

Comparison compared(std::vector<Machine> machines, const RecommendRequest& request = {},
                    const ModelAndQuant& chosen = {}) {
  return compare(builtin_catalog(), request, chosen, named(std::move(machines)));
}

ModelAndQuant model(std::string_view text) { return model_and_quant_named(builtin_catalog(), text); }

}  // namespace

TEST_CASE("the pick of each machine is the first that recommend lists", "[compare]") {
  for (const Prefer prefer : {Prefer::quality, Prefer::speed, Prefer::context}) {
    RecommendRequest request;
    request.prefer = prefer;
    const std::vector<Machine> machines{machine_with("rtx 4090"), machine_with("2x rtx 3090"),
                                        cpu_only(gib(64), "ddr5-5600-dual")};
    const Comparison result = compared(machines, request);
    REQUIRE(result.machines.size() == machines.size());
    for (std::size_t i = 0; i < machines.size(); ++i) {
      const Recommendations alone = recommend(builtin_catalog(), request, machines[i]);
      REQUIRE(result.machines[i].pick);
      CHECK(result.machines[i].pick->estimate.model == alone.ranked.front().estimate.model);
      CHECK(result.machines[i].pick->estimate.quant == alone.ranked.front().estimate.quant);
    }
  }
}

TEST_CASE("the model on all of them runs on each, and does not depend on their order", "[compare]") {
  const std::vector<Machine> machines{machine_with("2x rtx 3090"), machine_with("rtx 3060 12gb"),
                                      machine_with("rtx 4090")};
  const Comparison result = compared(machines);
  REQUIRE(result.model != nullptr);
  REQUIRE(result.quant != nullptr);
  for (const ComparedMachine& one : result.machines) {
    REQUIRE(one.same);
    CHECK(one.same->model == result.model);
    CHECK(one.same->quant == result.quant);
    CHECK(one.same->placement.verdict <= Verdict::offload);
    CHECK(one.same_lacks.empty());
  }
  const Comparison turned = compared({machines[1], machines[2], machines[0]});
  CHECK(turned.model == result.model);
  CHECK(turned.quant == result.quant);
}

TEST_CASE("the model on all of them is bearable on all where one is", "[compare]") {
  // The 671B would have the better answers on both, but crawls on the desktop.
  Machine desktop = machine_with("rtx 4090");
  desktop.host = make_host(builtin_catalog(), gib(256), &host_named(builtin_catalog(), "ddr4-2133-dual"), {});
  const Comparison result = compared({desktop, machine_with("m3-ultra", gib(512))});
  REQUIRE(result.model != nullptr);
  for (const ComparedMachine& one : result.machines) CHECK(bearable(*one.same));
}

TEST_CASE("of equal machines the pick is the model on both", "[compare]") {
  const Comparison result = compared({machine_with("rtx 4090"), machine_with("rtx 4090")});
  CHECK(result.model == result.machines.front().pick->estimate.model);
  CHECK(result.quant == result.machines.front().pick->estimate.quant);
  for (const ComparedMachine& one : result.machines) CHECK(!one.missed);
}

TEST_CASE("where nothing runs on every machine there is no model on all", "[compare]") {
  const Comparison result = compared({machine_with("rtx 4090"), nameless({1})});
  CHECK(result.model == nullptr);
  CHECK(result.quant == nullptr);
  CHECK(result.machines[0].pick);
  CHECK(!result.machines[1].pick);
  for (const ComparedMachine& one : result.machines) CHECK(!one.same);
  REQUIRE(result.machines[1].missed);
  CHECK(result.machines[1].missed->runs_on == std::vector<std::size_t>{0});
}

TEST_CASE("a chosen model is compared whether it runs or not, and changes no pick", "[compare]") {
  const std::vector<Machine> machines{machine_with("rtx 4090"), machine_with("2x rtx 3090")};
  const Comparison free = compared(machines);
  const Comparison result = compared(machines, {}, model("70b:Q8_0"));
  CHECK(result.quant->id == "Q8_0");
  for (std::size_t i = 0; i < machines.size(); ++i) {
    CHECK(result.machines[i].pick->estimate.model == free.machines[i].pick->estimate.model);
    REQUIRE(result.machines[i].same);
    CHECK(result.machines[i].same->model->id == "r1-distill-llama-70b");
    CHECK(result.machines[i].same->placement.verdict == Verdict::does_not_fit);
    CHECK_THAT(result.machines[i].same_lacks, test::contains("short"));
  }
}

TEST_CASE("a chosen model without a quantisation takes the best that runs on all, else the usual",
          "[compare]") {
  const Comparison small =
      compared({machine_with("rtx 4090"), machine_with("rtx 3060 12gb")}, {}, model("14b"));
  for (const ComparedMachine& one : small.machines) CHECK(one.same_lacks.empty());
  const Comparison large =
      compared({machine_with("rtx 4090"), machine_with("rtx 3060 12gb")}, {}, model("70b"));
  CHECK(large.quant->id == "Q4_K_M");
  RecommendRequest request;
  request.quants = {&quant_named(builtin_catalog(), "Q8_0")};
  CHECK(compared({machine_with("rtx 4090"), nameless({1})}, request, model("32b")).quant->id == "Q8_0");
}

TEST_CASE("a model without a score that compares has its best quantisation on all, too", "[compare]") {
  RecommendRequest request;
  request.use = Use::code;
  request.models = {model("r1-0528-qwen3-8b").model};
  REQUIRE(comparable_score(*request.models.front(), Use::code) == nullptr);
  const Machine machine = machine_with("rtx 4090");
  const Recommendation alone = recommend(builtin_catalog(), request, machine).ranked.front();
  CHECK(compared({machine, machine}, request).quant == alone.estimate.quant);
}

TEST_CASE("a chosen model that contradicts the request is refused", "[compare]") {
  RecommendRequest request;
  request.workload.context = tokens(150000);
  const auto ask = [&] { compared({machine_with("rtx 4090"), nameless({24})}, request, model("32b")); };
  CHECK_THAT(test::error_of(ask), test::contains("--ctx 150000 is more than r1-distill-qwen-32b supports"));
}

TEST_CASE("what a machine cannot do is better than all it does, and named with those that can", "[compare]") {
  const Comparison result =
      compared({machine_with("2x rtx 3090"), machine_with("rtx 4090"), machine_with("m4-max-40", gib(64))});
  CHECK(!result.machines[0].missed);
  REQUIRE(result.machines[1].missed);
  const Missed& missed = *result.machines[1].missed;
  CHECK(missed.estimate.model->id == "r1-distill-llama-70b");
  CHECK(missed.runs_on == std::vector<std::size_t>{0, 2});
  CHECK_THAT(missed.why, test::contains("GiB short"));
}

TEST_CASE("what a machine runs, but crawling, it cannot do, for its speed", "[compare]") {
  Machine offloading = machine_with("rtx 4090");
  offloading.host =
      make_host(builtin_catalog(), gib(64), &host_named(builtin_catalog(), "ddr5-5600-dual"), {});
  const Comparison result = compared({offloading, machine_with("2x rtx 3090")});
  REQUIRE(result.machines[0].missed);
  CHECK(result.machines[0].missed->estimate.placement.verdict == Verdict::offload);
  CHECK_THAT(result.machines[0].missed->why, test::contains("tok/s"));
}

TEST_CASE("needs hold for every machine", "[compare]") {
  RecommendRequest request;
  request.required.min_tps = tok_per_s(1e5);
  const Comparison none =
      compared({machine_with("rtx 4090"), machine_with("rtx 3090")}, request, model("32b"));
  for (const ComparedMachine& one : none.machines) {
    CHECK(!one.pick);
    CHECK(!one.missed);
    CHECK_THAT(one.same_lacks, test::contains("below --min-tps"));
  }
  CHECK(compared({machine_with("rtx 4090"), machine_with("rtx 3090")}, request).model == nullptr);
}

TEST_CASE("speed for power is of what the cards do alone", "[compare]") {
  const Comparison result =
      compared({machine_with("rtx 4090"), nameless({24}), cpu_only(gib(64), "ddr5-5600-dual")});
  const auto rate = [&](std::size_t i) {
    return tok_per_s_per_100_watts(*result.machines[i].same, result.machines[i].outlay);
  };
  const ComparedMachine& first = result.machines.front();
  REQUIRE(rate(0));
  CHECK_THAT(*rate(0) * first.outlay.board_power->count(),
             test::within_rel(first.same->speed.decode->typical.count() * 100, 1e-9));
  CHECK(!rate(1));
  CHECK(!rate(2));
  Machine offloading = machine_with("rtx 4090");
  offloading.host =
      make_host(builtin_catalog(), gib(64), &host_named(builtin_catalog(), "ddr5-5600-dual"), {});
  const Comparison partly = compared({offloading, machine_with("2x rtx 3090")}, {}, model("70b:Q4_K_M"));
  CHECK(!tok_per_s_per_100_watts(*partly.machines[0].same, partly.machines[0].outlay));
}
