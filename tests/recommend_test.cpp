#include "r1fit/recommend.hpp"

#include <algorithm>
#include <random>
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

TEST_CASE("every offered model is ranked or rejected, no candidate twice, each with a reason") {
  for (const double size : {4.0, 8.0, 24.0, 80.0}) {
    for (const bool all : {false, true}) {
      RecommendRequest request;
      request.all = all;
      const Recommendations result = for_machine(nameless({size}), request);
      std::set<std::pair<Text, Text>> seen;
      std::set<Text> models;
      for (const auto* list : {&result.ranked, &result.rejected}) {
        for (const Recommendation& one : *list) {
          CHECK(seen.insert({one.estimate.model->id, one.estimate.quant->id}).second);
          models.insert(one.estimate.model->id);
          CHECK_FALSE(one.why.empty());
        }
      }
      for (const Model& model : builtin_catalog().models) CHECK(models.contains(model.id) == model.offered);
      if (all) CHECK(result.folded == 0);
    }
  }
}

TEST_CASE("what Ollama serves under a usual name is what is ranked for it") {
  RecommendRequest request;
  request.engine = engine_choice(builtin_catalog(), "ollama");
  request.models = {&model_named(builtin_catalog(), "r1-0528-qwen3-8b")};
  request.quants = {&quant_named(builtin_catalog(), "Q4_K_M")};
  const Machine machine = machine_with("rtx 4090");
  const Recommendations result = for_machine(machine, request);
  REQUIRE(result.ranked.size() == 1);
  const Estimate& served = result.ranked.front().estimate;
  CHECK(served.quant->id == "Q4_K_M-ollama");
  const Estimate same = shipped_estimate("r1-0528-qwen3-8b", "Q4_K_M-ollama", machine);
  CHECK(served.speed.decode->typical == same.speed.decode->typical);
}

TEST_CASE("rows are in a total order and count from one") {
  RecommendRequest request;
  request.all = true;
  const Recommendations result = for_machine(machine_with("rtx 4090"), request);
  REQUIRE(result.ranked.size() > 3);
  for (std::size_t i = 0; i < result.ranked.size(); ++i) {
    CHECK(result.ranked[i].rank == static_cast<int>(i) + 1);
    if (i > 0 && bearable(result.ranked[i].estimate)) {
      CHECK(result.ranked[i - 1].score >= result.ranked[i].score);
    }
  }
}

TEST_CASE("the order of the candidates does not matter") {
  const Catalog& catalog = builtin_catalog();
  RecommendRequest request;
  for (const Model& model : catalog.models) {
    if (model.offered) request.models.push_back(&model);
  }
  for (const Quant& quant : catalog.quants) {
    if (quant.offered) request.quants.push_back(&quant);
  }
  Machine server = machine_with("rtx 4090");
  server.host = make_host(catalog, gib(512), &host_named(catalog, "epyc-genoa"), {});
  std::mt19937 random(7);
  for (const Machine& machine : {machine_with("rtx 4060"), nameless({24}), server}) {
    for (const Prefer prefer : {Prefer::quality, Prefer::speed, Prefer::context}) {
      for (const Use use : {Use::general, Use::code}) {
        request.prefer = prefer;
        request.use = use;
        const Recommendations before = for_machine(machine, request);
        std::ranges::shuffle(request.models, random);
        std::ranges::shuffle(request.quants, random);
        const Recommendations after = for_machine(machine, request);
        CHECK(order_of(before) == order_of(after));
        REQUIRE(before.rejected.size() == after.rejected.size());
        for (std::size_t i = 0; i < before.rejected.size(); ++i) {
          CHECK(before.rejected[i].estimate.model == after.rejected[i].estimate.model);
          CHECK(before.rejected[i].why == after.rejected[i].why);
        }
      }
    }
  }
}

TEST_CASE("what is ranked runs and keeps to the needs") {
  RecommendRequest request;
  request.required.min_tps = tok_per_s(40);
  request.required.min_context = tokens(16384);
  const Recommendations result = for_machine(machine_with("rtx 3090"), request);
  REQUIRE_FALSE(result.ranked.empty());
  for (const Recommendation& one : result.ranked) {
    CHECK(one.estimate.placement.verdict <= Verdict::offload);
    CHECK(one.estimate.speed.decode->typical >= *request.required.min_tps);
    CHECK(*one.estimate.max_context >= *request.required.min_context);
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

TEST_CASE("what only streams from disk is just out of reach as well") {
  Machine card = machine_with("rtx 4090");
  card.host = make_host(builtin_catalog(), gib(64), nullptr, {});
  Machine none;
  none.host = card.host;
  for (const Machine& machine : {card, none}) {
    const Recommendations result = for_machine(machine);
    REQUIRE(result.step_ups.size() == 1);
    const StepUp& step = result.step_ups.front();
    CHECK(step.estimate.placement.verdict == Verdict::streams);
    CHECK(step.missing == step.estimate.placement.disk_streamed);
    REQUIRE(step.ways.size() == 2);
    CHECK(step.ways[0] == "a 512 GiB Mac");
    const double least = machine.devices.empty() ? 512 : 384;  // the card holds a part
    CHECK(step.ways[1].starts_with(std::to_string(static_cast<int>(least)) + " GiB of RAM"));
    Machine more = machine;
    more.host = make_host(builtin_catalog(), gib(least), nullptr, {});
    CHECK(evaluate(builtin_catalog(), {step.estimate.model, step.estimate.quant, {}, {}, {}}, more)
              .placement.verdict <= Verdict::offload);
  }
}

TEST_CASE("what is too slow for the needs is no step up") {
  RecommendRequest request;
  request.workload.context = tokens(16384);
  request.required.min_tps = tok_per_s(100);
  for (const StepUp& step : for_machine(machine_with("rtx 3060 12gb"), request).step_ups) {
    CHECK_FALSE((step.ways.empty() && step.flags.empty()));
    for (const std::string& way : step.ways) CHECK_THAT(way, !contains("RAM"));
  }
}

TEST_CASE("where nothing fits nothing is ranked") {
  const Recommendations result = for_machine(nameless({1}));
  CHECK(result.ranked.empty());
  CHECK(result.rejected.size() == 9);
}

TEST_CASE("the use decides the benchmark") {
  RecommendRequest math;
  math.use = Use::math;
  // AIME 2024: the 0528 Qwen3 8B has 86.0, the 32B distill 72.6.
  CHECK(for_machine(machine_with("rtx 4090"), math).ranked.front().estimate.model->id == "r1-0528-qwen3-8b");
}

namespace {

const Recommendation* with_role(const Recommendations& result, Role role) {
  const auto found = std::ranges::find_if(result.ranked, [role](const Recommendation& one) {
    return std::ranges::find(one.roles, role) != one.roles.end();
  });
  return found == result.ranked.end() ? nullptr : &*found;
}

}  // namespace

TEST_CASE("each role has one row, and the row is what the role says") {
  for (const char* card : {"rtx 4060", "rtx 3090", "m4-max", "a100-80gb-pcie"}) {
    const Recommendations result =
        for_machine(machine_with(card, card[0] == 'm' ? std::optional(gib(64)) : std::nullopt));
    INFO(card);
    for (const Role role : {Role::best_answers, Role::fastest, Role::longest_context}) {
      CHECK(std::ranges::count_if(result.ranked, [role](const Recommendation& one) {
              return std::ranges::find(one.roles, role) != one.roles.end();
            }) == 1);
    }
    const Estimate& best = with_role(result, Role::best_answers)->estimate;
    const Estimate& fastest = with_role(result, Role::fastest)->estimate;
    const Estimate& longest = with_role(result, Role::longest_context)->estimate;
    CHECK(still_good(fastest, best, Use::general));
    CHECK(still_good(longest, best, Use::general));
    for (const Recommendation& one : result.ranked) {
      if (!still_good(one.estimate, best, Use::general) || !usable(one.estimate, best)) continue;
      // Only what is a quarter more is picked instead of the best.
      CHECK(fastest.speed.decode->typical.count() * 1.25 > one.estimate.speed.decode->typical.count());
      CHECK(static_cast<double>(longest.max_context->count()) * 1.25 >
            static_cast<double>(one.estimate.max_context->count()));
    }
  }
}

TEST_CASE("the real R1 is among the rows where it runs, and leads where it is usable") {
  Machine machine = machine_with("rtx 4090");
  CHECK(with_role(for_machine(machine), Role::real_r1) == nullptr);
  machine.host = make_host(builtin_catalog(), gib(512), &host_named(builtin_catalog(), "epyc-genoa"), {});
  const Recommendations server = for_machine(machine);
  REQUIRE(with_role(server, Role::real_r1) != nullptr);
  CHECK(with_role(server, Role::real_r1)->estimate.model->shape->moe);
  // On a PC it is too slow to lead.
  machine.host = make_host(builtin_catalog(), gib(192), &host_named(builtin_catalog(), "ddr5-5600-dual"), {});
  const Recommendations desktop = for_machine(machine);
  REQUIRE(with_role(desktop, Role::real_r1) != nullptr);
  CHECK_FALSE(bearable(with_role(desktop, Role::real_r1)->estimate));
  CHECK(desktop.ranked.front().estimate.model->id == "r1-distill-qwen-32b");
}

TEST_CASE("what a row makes pointless is folded away with the reason, unless all is asked for") {
  const Recommendations few = for_machine(machine_with("rtx 3090"));
  RecommendRequest request;
  request.all = true;
  const Recommendations all = for_machine(machine_with("rtx 3090"), request);
  CHECK(few.folded > 0);
  CHECK(all.ranked.size() == few.ranked.size() + static_cast<std::size_t>(few.folded));
  for (const Recommendation& one : few.rejected) {
    if (one.estimate.placement.verdict > Verdict::tight) continue;
    CHECK_THAT(one.why, contains("better answers"));
    CHECK(std::ranges::any_of(few.ranked, [&one](const Recommendation& row) {
      return dominates(row.estimate, one.estimate, Use::general);
    }));
  }
  for (const Recommendation& row : few.ranked) {
    for (const Recommendation& other : few.ranked) {
      if (!row.roles.empty()) continue;
      CHECK_FALSE(dominates(other.estimate, row.estimate, Use::general));
    }
  }
}

TEST_CASE("what is preferred leads, and only among what is as good") {
  RecommendRequest request;
  const Machine machine = machine_with("rtx 4090");
  const Recommendations quality = for_machine(machine, request);
  request.prefer = Prefer::speed;
  const Recommendations speed = for_machine(machine, request);
  request.prefer = Prefer::context;
  const Recommendations context = for_machine(machine, request);
  CHECK(&speed.ranked.front() == with_role(speed, Role::fastest));
  CHECK(&context.ranked.front() == with_role(context, Role::longest_context));
  CHECK(speed.ranked.front().estimate.model->id != "r1-distill-qwen-1.5b");
  // The same rows, in another order.
  auto rows = [](const Recommendations& result) {
    std::vector<std::string> order = order_of(result);
    std::ranges::sort(order);
    return order;
  };
  CHECK(rows(quality) == rows(speed));
  CHECK(rows(quality) == rows(context));
}

TEST_CASE("for code only one split of the benchmark ranks") {
  RecommendRequest request;
  request.use = Use::code;
  const Recommendations result = for_machine(machine_with("rtx 4060"), request);
  REQUIRE(result.ranked.size() > 1);
  CHECK(result.ranked.front().score);
  const auto other = std::ranges::find_if(
      result.ranked, [](const Recommendation& one) { return one.estimate.model->id == "r1-0528-qwen3-8b"; });
  REQUIRE(other != result.ranked.end());
  CHECK_FALSE(other->score);
  CHECK_THAT(other->why, contains("another split"));
  for (auto row = result.ranked.begin(); row != other; ++row) CHECK(row->score);
}

TEST_CASE("a way out is named where a flag makes the next better model fit") {
  // On 24 GiB the 32B at 6 bits needs little more than there is with a long context.
  RecommendRequest request;
  request.models = {&model_named(builtin_catalog(), "r1-distill-qwen-32b")};
  request.quants = {&quant_named(builtin_catalog(), "Q4_K_M")};
  request.workload.context = tokens(32768);
  const Recommendations result = for_machine(machine_with("rtx 3090"), request);
  REQUIRE(result.step_ups.size() == 1);
  REQUIRE_FALSE(result.step_ups.front().flags.empty());
  CHECK(std::ranges::find(result.step_ups.front().flags, "--kv q8_0") != result.step_ups.front().flags.end());
}

TEST_CASE("where nothing runs, or nothing at a bearable speed, it is said") {
  const Recommendations none = for_machine(nameless({1}));
  REQUIRE(none.notes.size() == 1);
  CHECK(none.notes.front().code == "nothing_usable");
  CHECK(for_machine(machine_with("rtx 4090")).notes.empty());
  RecommendRequest request;
  request.models = {&model_named(builtin_catalog(), "r1-distill-llama-70b")};
  Machine machine;
  machine.host = make_host(builtin_catalog(), gib(64), &host_named(builtin_catalog(), "ddr4-3200-dual"), {});
  const Recommendations slow = for_machine(machine, request);
  REQUIRE(slow.notes.size() == 1);
  CHECK(slow.notes.front().code == "only_slow");
}
