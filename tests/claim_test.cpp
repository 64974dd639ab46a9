#include "r1fit/claim.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "catch.hpp"
#include "claims.hpp"
#include "r1fit/flag_values.hpp"
#include "r1fit/query.hpp"
#include "r1fit/units_text.hpp"
#include "shipped.hpp"

using namespace r1fit;
using namespace r1fit::test;

namespace {

/// What a row of claims.csv expects, as a verdict.
std::string_view expected_verdict(const ClaimRow& row) {
  static const std::map<std::string, ClaimVerdict> verdicts{
      {"ok", ClaimVerdict::plausible},
      {"yes", ClaimVerdict::plausible},
      {"tight", ClaimVerdict::plausible},
      {"plausible", ClaimVerdict::plausible},
      {"optimistic", ClaimVerdict::optimistic},
      {"impossible", ClaimVerdict::impossible},
      {"impossible_layer_split", ClaimVerdict::impossible},
      {"does_not_fit", ClaimVerdict::does_not_fit},
      {"no", ClaimVerdict::does_not_fit},
      {"understated", ClaimVerdict::understated},
      // The file claimed is larger than that of the model, so it is not understated.
      {"wrong_model", ClaimVerdict::impossible},
      {"no_such_memory", ClaimVerdict::no_such_hardware},
      {"no_such_hardware", ClaimVerdict::no_such_hardware}};
  const auto found = verdicts.find(row.expected);
  REQUIRE(found != verdicts.end());
  return word(found->second);
}

Claimed speed(const std::string& text) {
  Claimed claimed;
  claimed.kind = ClaimKind::decode_tps;
  claimed.text = text;
  claimed.speed = parse_claimed_speed("--tps", text);
  return claimed;
}

Claimed size(ClaimKind kind, const std::string& text) {
  Claimed claimed;
  claimed.kind = kind;
  claimed.text = text;
  claimed.size = parse_claimed_size("--needs", text);
  return claimed;
}

Claimed claimed_by(const ClaimRow& row) {
  if (row.kind == "decode_tps") return speed(row.claimed);
  if (row.kind == "memory") return size(ClaimKind::needs, row.claimed + row.unit);
  if (row.kind == "file_size") return size(ClaimKind::file_size, row.claimed + row.unit);
  REQUIRE(row.kind == "fits");
  return {};
}

Claim judged(const ClaimRow& row) {
  NeedsQuery needs;
  needs.models = {row.model};
  needs.quants = {row.quant};
  if (!row.context.empty()) needs.workload.context = parse_tokens("--ctx", row.context);
  HardwareQuery hardware;
  if (!row.hardware.empty()) {
    GpuQuery gpu;
    if (row.nameless()) {
      gpu.memory = parse_memory_flag("--vram", row.hardware);
    } else {
      gpu.name = row.hardware;
    }
    hardware.gpus.push_back(gpu);
  }
  if (!row.ram_gib.empty()) hardware.ram = parse_memory_flag("--ram", row.ram_gib);
  hardware.cpu = row.cpu;
  const Catalog& catalog = builtin_catalog();
  return judge(catalog, build_question(catalog, needs), build_claimed_hardware(catalog, hardware),
               claimed_by(row));
}

Claim judged(const char* model, const char* quant, const ClaimedHardware& hardware, const Claimed& claimed,
             const Workload& workload = {}) {
  return judge(builtin_catalog(), shipped_question(model, quant, workload), hardware, claimed);
}

ClaimedHardware on(Machine machine) { return {std::move(machine), {}}; }

bool has(const Claim& claim, std::string_view code) {
  return std::ranges::any_of(claim.notes, [&](const Note& note) { return note.code == code; });
}

std::string text_of(const Claim& claim, std::string_view code) {
  for (const Note& note : claim.notes) {
    if (note.code == code) return note.text;
  }
  return "";
}

}  // namespace

TEST_CASE("widely read claims are judged as arithmetic has them", "[claim]") {
  for (const ClaimRow& row : claim_rows()) {
    CAPTURE(row.id, row.model, row.quant, row.hardware, row.claimed, row.why);
    const Claim claim = judged(row);
    CAPTURE(claim.limit ? claim.limit->count() : 0, claim.realistic ? claim.realistic->count() : 0);
    if (row.because.empty()) CHECK(word(claim.verdict) == expected_verdict(row));
    if (row.expected == "tight") CHECK(has(claim, "tight"));
    if (row.expected == "impossible_layer_split") CHECK(has(claim, "split_mode"));
    if (row.expected == "wrong_model")
      CHECK_THAT(text_of(claim, "other_model"), contains("R1-0528-Qwen3-8B"));
    if (row.why.find("slow side") != std::string::npos) CHECK(has(claim, "slow_side"));
    if (row.hardware.find("192gb") != std::string::npos && row.hardware != "m2 ultra 192gb")
      CHECK(has(claim, "no_such_hardware"));
    if (row.expected == "understated" && row.kind == "file_size") CHECK(has(claim, "gib_as_gb"));
  }
}

TEST_CASE("the limit is the sum of the reads shown", "[claim]") {
  for (const char* gpu : {"rtx 4090", "2x rtx 3090"}) {
    for (const char* model : {"32b", "70b"}) {
      CAPTURE(gpu, model);
      const Claim claim = judged(model, "Q4_K_M", on(machine_with(gpu)), speed("1000"));
      CHECK(claim.verdict == ClaimVerdict::impossible);
      SecondsPerToken sum;
      for (const LimitStep& step : claim.limit_steps) sum += step.read / step.bandwidth;
      REQUIRE(claim.limit);
      CHECK_THAT(rate(sum).count(), within_rel(claim.limit->count(), 1e-6));
      CHECK(*claim.realistic < *claim.limit);
    }
  }
  // Two equal cards are one step: what one reads at a time.
  CHECK(judged("70b", "Q4_K_M", on(machine_with("2x rtx 3090")), speed("5")).limit_steps.size() == 1);
}

TEST_CASE("verdicts on a speed follow one another", "[claim]") {
  const ClaimedHardware card = on(machine_with("rtx 4090"));
  const Claim any = judged("32b", "Q4_K_M", card, speed("10"));
  const double limit = any.limit->count();
  const double realistic = any.realistic->count();
  const auto verdict = [&](double low, double high) {
    return judged("32b", "Q4_K_M", card, speed(fixed_text(low, 3) + "-" + fixed_text(high, 3))).verdict;
  };
  CHECK(verdict(0, 1) == ClaimVerdict::plausible);
  CHECK(verdict(1, realistic - 0.1) == ClaimVerdict::plausible);
  CHECK(verdict(1, realistic + 0.1) == ClaimVerdict::optimistic);
  CHECK(verdict(limit - 0.1, limit + 50) == ClaimVerdict::optimistic);
  CHECK(verdict(limit + 0.1, limit + 50) == ClaimVerdict::impossible);
  // A figure is what rounds to it.
  const Claim rounded = judged("32b", "Q4_K_M", card, speed(fixed_text(std::floor(limit + 0.49), 0)));
  CHECK(rounded.verdict == ClaimVerdict::optimistic);
  CHECK(has(judged("32b", "Q4_K_M", card, speed("5")), "slow_side"));
  // Only what lies below all of the range is slow, and a figure is what rounds to it there, too.
  const double low = any.speed.decode->low.count();
  CHECK(has(judged("32b", "Q4_K_M", card, speed("1-" + fixed_text(low - 0.1, 3))), "slow_side"));
  CHECK_FALSE(has(judged("32b", "Q4_K_M", card, speed("1-" + fixed_text(low + 0.1, 3))), "slow_side"));
  CHECK_FALSE(has(judged("32b", "Q4_K_M", card, speed(fixed_text(low, 0))), "slow_side"));
  CHECK(has(judged("32b", "Q4_K_M", card, speed("1000")), "speculative_decoding"));
  CHECK_FALSE(has(judged("32b", "Q4_K_M", card, speed("1000")), "split_mode"));
}

TEST_CASE("a speed that no split by layer reaches is told what a split of every layer may", "[claim]") {
  const ClaimedHardware two = on(machine_with("2x rtx 3090"));
  const Claim claim = judged("70b", "Q4_K_M", two, speed("30"));
  CHECK(claim.verdict == ClaimVerdict::impossible);
  CHECK_THAT(text_of(claim, "split_mode"), contains("with --split tensor the best case is"));
  // What llama.cpp cannot share so has no figure.
  const Claim large = judged("r1-671b", "Q4_K_M", on(machine_with("8x h100-80gb-sxm")), speed("500"));
  CHECK_THAT(text_of(large, "split_mode"), contains("may exceed it."));

  // Asked about a split by tensor it is held against that.
  Question question = shipped_question("70b", "Q4_K_M");
  question.workload.split = SplitMode::tensor;
  const Claim asked = judge(builtin_catalog(), question, two, speed("30"));
  CHECK(asked.plausible());
  CHECK_FALSE(has(asked, "split_mode"));
  REQUIRE(asked.limit_steps.size() == 1);
  const LimitStep& step = asked.limit_steps.front();
  CHECK_THAT((step.bandwidth / step.read).count(), within_rel(asked.limit->count(), 1e-9));
  const Claim above = judge(builtin_catalog(), question, two, speed("60"));
  CHECK(above.verdict == ClaimVerdict::impossible);
}

TEST_CASE("RAM that is not stated is what the claim needs, and that is said", "[claim]") {
  const ClaimedHardware card = on(machine_with("rtx 4090"));
  const Claim slow = judged("70b", "Q4_K_M", card, speed("1.5"));
  CHECK(slow.plausible());
  CHECK(slow.assumed_ram == gib(32));
  CHECK(slow.shortfall > gib(15));
  CHECK_THAT(text_of(slow, "ram_assumed"), contains("32 GiB of it"));
  CHECK(judged("70b", "Q4_K_M", card, speed("11.4")).verdict == ClaimVerdict::impossible);

  // Layers put there by hand need it as well, though there is room for them on the card.
  Question by_hand = shipped_question("32b", "Q4_K_M");
  by_hand.placement.n_gpu_layers = 40;
  const Claim divided = judge(builtin_catalog(), by_hand, card, speed("2"));
  CHECK(divided.plausible());
  CHECK(divided.assumed_ram == gib(16));
  CHECK_FALSE(divided.shortfall);

  // More than any desktop holds.
  const Claim large = judged("r1-671b", "Q4_K_M", card, speed("5"));
  CHECK(large.verdict == ClaimVerdict::does_not_fit);
  CHECK(has(large, "ram_unknown"));

  // RAM that is stated is not made larger.
  Machine little = machine_with("rtx 4090");
  little.host = make_host(builtin_catalog(), gib(16), nullptr, {});
  const Claim streams = judged("70b", "Q4_K_M", on(little), speed("1.5"));
  CHECK(streams.verdict == ClaimVerdict::does_not_fit);
  CHECK_FALSE(streams.assumed_ram);
  little.disk = gb_per_s(5);
  CHECK(judged("70b", "Q4_K_M", on(little), speed("0.2")).plausible());

  // Unified memory has nothing beside it.
  const Claim mac = judged("70b", "Q4_K_M", on(machine_with("m4 max", gib(36))), speed("5"));
  CHECK(mac.verdict == ClaimVerdict::does_not_fit);
  CHECK(judged("70b", "Q4_K_M", on(machine_with("m4 max", gib(36))), speed("50")).verdict ==
        ClaimVerdict::impossible);
}

TEST_CASE("a nameless card may be the fastest of its size", "[claim]") {
  const ClaimedHardware nameless_card = on(nameless({24}));
  const Claim named = judged("32b", "Q4_K_M", on(machine_with("rtx 4090")), speed("43"));
  const Claim unnamed = judged("32b", "Q4_K_M", nameless_card, speed("43"));
  CHECK(unnamed.verdict == named.verdict);
  CHECK_FALSE(unnamed.speed.slowest.empty());
  CHECK(judged("32b", "Q4_K_M", nameless_card, speed("60")).verdict == ClaimVerdict::impossible);
  CHECK(has(judged("32b", "Q4_K_M", on(nameless({25})), speed("30")), "any_card"));
}

TEST_CASE("what fits with part of it in RAM is not what was claimed", "[claim]") {
  Machine machine = machine_with("rtx 4090");
  machine.host = make_host(builtin_catalog(), gib(64), nullptr, {});
  const Claim offloaded = judged("70b", "Q4_K_M", on(machine), {});
  CHECK(offloaded.verdict == ClaimVerdict::does_not_fit);
  CHECK(has(offloaded, "offload"));
  CHECK(judged("70b", "Q4_K_M", on(cpu_only(gib(64), "ddr5-5600-dual")), {}).plausible());
  CHECK(judged("70b", "Q4_K_M", on(cpu_only(gib(32), "ddr5-5600-dual")), {}).verdict ==
        ClaimVerdict::does_not_fit);
}

TEST_CASE("hardware that was never sold decides only where all else holds", "[claim]") {
  const Catalog& catalog = builtin_catalog();
  const auto hardware = [&](const char* name) {
    HardwareQuery query;
    query.gpus.emplace_back();
    query.gpus.back().name = name;
    return build_claimed_hardware(catalog, query);
  };
  const ClaimedHardware card = hardware("rtx 4080 24gb");
  CHECK(judged("32b", "Q4_K_M", card, speed("20")).verdict == ClaimVerdict::no_such_hardware);
  CHECK(judged("32b", "Q4_K_M", card, speed("900")).verdict == ClaimVerdict::impossible);
  CHECK(judged("70b", "Q4_K_M", card, {}).verdict == ClaimVerdict::does_not_fit);
  CHECK(has(judged("70b", "Q4_K_M", card, {}), "no_such_hardware"));
  const Claim never = judged("r1-671b", "Q2_K", hardware("m4 ultra"), speed("900"));
  CHECK(never.verdict == ClaimVerdict::no_such_hardware);
  CHECK_FALSE(never.limit);
  CHECK_FALSE(never.machine);
  const Claim sized = judged("32b", "Q4_K_M", hardware("m4 ultra"), size(ClaimKind::needs, "24GB"));
  CHECK(sized.verdict == ClaimVerdict::no_such_hardware);
  CHECK(sized.truth);
}

TEST_CASE("hardware that would do it is the least of its kind, and each does", "[claim]") {
  const Claim claim = judged("70b", "Q4_K_M", on(machine_with("rtx 4090")), speed("11.4"));
  REQUIRE(claim.sought);
  REQUIRE(claim.instead.size() == 3);
  std::vector<std::string_view> kinds;
  for (const Alternative& one : claim.instead) {
    kinds.push_back(one.kind);
    Machine machine;
    machine.devices.assign(static_cast<std::size_t>(one.count),
                           make_device(builtin_catalog(), *one.gpu, one.memory, {}, {}, {}));
    const Estimate estimate = shipped_estimate("70b", "Q4_K_M", machine);
    CHECK(estimate.placement.verdict <= Verdict::tight);
    CHECK(estimate.speed.decode->typical >= tok_per_s(11.4));
  }
  CHECK(kinds == std::vector<std::string_view>{"card", "cards", "apple"});

  const Claim beyond = judged("70b", "Q4_K_M", on(machine_with("rtx 4090")), speed("5000"));
  CHECK(beyond.sought);
  CHECK(beyond.instead.empty());
  CHECK_FALSE(judged("32b", "Q4_K_M", on(machine_with("rtx 4090")), speed("20")).sought);
}

TEST_CASE("a need is weights, cache and buffers together", "[claim]") {
  const auto needs = [](const char* text, const Workload& workload = {}) {
    return judged("32b", "Q4_K_M", {}, size(ClaimKind::needs, text), workload);
  };
  const Claim enough = needs("24GB");
  CHECK(enough.plausible());
  CHECK(*enough.truth > gib(20));
  CHECK(*enough.truth < gb(24));
  const Claim weights_only = needs("20GB");
  CHECK(weights_only.verdict == ClaimVerdict::understated);
  CHECK_FALSE(has(weights_only, "below_weights"));
  CHECK(has(needs("14.9GB"), "below_weights"));
  CHECK(has(needs("18.5GB"), "gib_as_gb"));
  CHECK(needs("21GiB").plausible());
  CHECK(needs("21GB").verdict == ClaimVerdict::understated);
  CHECK(has(needs("80GB"), "more_than_needed"));
  CHECK(has(needs("24"), "unit"));
  CHECK_FALSE(has(enough, "unit"));
  Workload longer;
  longer.context = tokens(32768);
  CHECK(needs("24GB", longer).verdict == ClaimVerdict::understated);
}

TEST_CASE("a file is as large as published, within what makers differ by", "[claim]") {
  const auto file = [](const char* text) {
    return judged("32b", "Q4_K_M", {}, size(ClaimKind::file_size, text));
  };
  for (const char* text : {"20GB", "19.9GB", "19.85", "18.5GiB"}) {
    CAPTURE(text);
    CHECK(file(text).plausible());
  }
  CHECK(file("18.5GB").verdict == ClaimVerdict::understated);
  CHECK(has(file("18.5GB"), "gib_as_gb"));
  CHECK(file("32GB").verdict == ClaimVerdict::impossible);
  CHECK_FALSE(file("32GB").sought);
}

TEST_CASE("a speed or a fit needs hardware", "[claim]") {
  CHECK_THAT(error_of([] { judged("32b", "Q4_K_M", {}, speed("5")); }), contains("name it with --gpu"));
  CHECK_THAT(error_of([] { judged("32b", "Q4_K_M", {}, {}); }), contains("name it with --gpu"));
}
