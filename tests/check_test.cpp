#include "r1fit/check.hpp"

#include <algorithm>

#include "catch.hpp"
#include "shipped.hpp"

using namespace r1fit;
using namespace r1fit::test;

namespace {

Check checked(const Machine& machine, std::int64_t context, const Requirements& required = {},
              const char* model = "32b") {
  Workload workload;
  workload.context = tokens(context);
  return check(builtin_catalog(), shipped_question(model, "Q4_K_M", workload), machine, required);
}

bool has(const std::vector<std::string>& list, std::string_view text) {
  return std::ranges::any_of(list,
                             [text](const std::string& one) { return one.find(text) != std::string::npos; });
}

}  // namespace

TEST_CASE("a yes needs nothing else") {
  const Check result = checked(machine_with("rtx 4090"), 8192);
  CHECK(result.ok());
  CHECK(result.ways.empty());
}

TEST_CASE("a no names ways that were tried out") {
  const Check result = checked(machine_with("rtx 4090"), 32768);
  CHECK(result.failed == std::vector<std::string>{"fit"});
  REQUIRE(has(result.ways, "--ctx "));
  const auto way =
      std::ranges::find_if(result.ways, [](const std::string& one) { return one.starts_with("--ctx "); });
  const std::int64_t context = std::stoll(way->substr(6));
  CHECK(checked(machine_with("rtx 4090"), context).ok());
  CHECK_FALSE(checked(machine_with("rtx 4090"), context + 256).ok());
  CHECK(has(result.ways, "--kv q8_0"));
  CHECK(has(result.ways, "--quant "));
}

TEST_CASE("a no names the hardware that would do, where this cannot run it at all") {
  const Check none = checked(machine_with("rtx 4090"), 8192, {}, "70b");
  CHECK(has(none.step_up, "2 x GeForce RTX 4090"));
  CHECK(has(none.step_up, " of RAM beside the card"));
  CHECK(checked(machine_with("rtx 4090"), 8192).step_up.empty());
  Machine little = machine_with("rtx 4090");
  little.host = make_host(builtin_catalog(), gib(64), nullptr, {});
  const Check streams = checked(little, 8192, {}, "r1-671b");
  CHECK(streams.estimate.placement.verdict == Verdict::streams);
  CHECK(has(streams.step_up, "a 512 GiB Mac"));
  // It runs, only not well enough: that is no question of what to buy.
  Machine machine = machine_with("rtx 4090");
  machine.host = make_host(builtin_catalog(), gib(64), nullptr, {});
  CHECK_FALSE(checked(machine, 8192, {}, "70b").ok());
  CHECK(checked(machine, 8192, {}, "70b").step_up.empty());
}

TEST_CASE("RAM beside the card makes it a yes with the flag it is named with") {
  const Check none = checked(machine_with("rtx 4090"), 8192, {}, "70b");
  CHECK(has(none.step_up, "32 GiB of RAM beside the card with --require offload"));
  Machine more = machine_with("rtx 4090");
  more.host = make_host(builtin_catalog(), gib(32), nullptr, {});
  CHECK_FALSE(checked(more, 8192, {}, "70b").ok());
  CHECK(checked(more, 8192, {.verdict = Verdict::offload}, "70b").ok());
  const Check fast = checked(machine_with("rtx 4090"), 8192, {.min_tps = tok_per_s(18)}, "70b");
  CHECK_FALSE(has(fast.step_up, "RAM"));
}

TEST_CASE("the verdict that counts is the user's to name") {
  Machine machine = machine_with("rtx 4090");
  machine.host = make_host(builtin_catalog(), gib(64), nullptr, {});
  CHECK_FALSE(checked(machine, 32768).ok());
  CHECK(checked(machine, 32768, {Verdict::offload, {}, {}}).ok());
  constexpr std::int64_t edge = 21504;  // the longest context a 24 GiB card holds inside its margin
  CHECK(checked(machine_with("rtx 4090"), edge).estimate.placement.verdict == Verdict::tight);
  CHECK_FALSE(checked(machine_with("rtx 4090"), edge, {Verdict::fits, {}, {}}).ok());
}

TEST_CASE("speed counts by its typical value and context by the largest that fits") {
  const Machine machine = machine_with("rtx 4090");
  const double typical = checked(machine, 8192).estimate.speed.decode->typical.count();
  CHECK(checked(machine, 8192, {Verdict::tight, tok_per_s(typical * 0.99), {}}).ok());
  CHECK(checked(machine, 8192, {Verdict::tight, tok_per_s(typical * 1.01), {}}).failed ==
        std::vector<std::string>{"min_tps"});
  CHECK(checked(machine, 8192, {Verdict::tight, {}, tokens(16384)}).ok());
  CHECK(checked(machine, 8192, {Verdict::tight, {}, tokens(65536)}).failed ==
        std::vector<std::string>{"min_ctx"});
}

TEST_CASE("a context that is required may be as tight as one that is asked for") {
  const Machine card = machine_with("rtx 4090");
  CHECK(checked(card, 20480).ok());
  CHECK(checked(card, 8192, {.min_context = tokens(20480)}).ok());
  const Requirements fits{.verdict = Verdict::fits, .min_context = tokens(20480)};
  CHECK(checked(card, 8192, fits).failed == std::vector<std::string>{"min_ctx"});
  const Check longer = checked(card, 8192, {.min_context = tokens(24576)});
  REQUIRE(longer.longest);
  CHECK(checked(card, longer.longest->count()).ok());
  CHECK_FALSE(checked(card, longer.longest->count() + 256).ok());
  CHECK(longer.failed == std::vector<std::string>{"min_ctx"});
}

TEST_CASE("a no of whatever kind names ways that meet all that is required") {
  const Machine card = machine_with("rtx 4090");
  const Check longer = checked(card, 8192, {.min_context = tokens(24576)});
  CHECK(has(longer.ways, "--kv q8_0"));
  CHECK_FALSE(has(longer.ways, "--ctx"));
  const Check faster = checked(card, 8192, {.min_tps = tok_per_s(45)});
  CHECK(faster.failed == std::vector<std::string>{"min_tps"});
  CHECK(has(faster.ways, "--quant "));
  CHECK_FALSE(has(faster.ways, "--ctx"));
  // A smaller cache would fit and be no faster.
  const Check both = checked(card, 32768, {.min_tps = tok_per_s(45)});
  CHECK_FALSE(has(both.ways, "--kv"));
  CHECK(has(both.ways, "--quant "));
  const Check cut_off = checked(card, 1024, {.max_answer = seconds(120)});
  CHECK(cut_off.failed == std::vector<std::string>{"max_answer_s"});
  CHECK(has(cut_off.ways, "--ctx "));
  // Not by stating the speed at a lesser depth.
  Workload deep;
  deep.context = deep.depth = tokens(16384);
  const Check at_depth = check(builtin_catalog(), shipped_question("32b", "Q4_K_M", deep), card,
                               {.min_tps = checked(card, 8192).estimate.speed.decode->typical});
  CHECK_FALSE(at_depth.ok());
  CHECK_FALSE(has(at_depth.ways, "--ctx"));
}

TEST_CASE("an unknown speed is not fast enough") {
  const Check result = checked(nameless({13}), 4096, {Verdict::tight, tok_per_s(1), {}}, "1.5b");
  CHECK(result.failed == std::vector<std::string>{"min_tps"});
}
