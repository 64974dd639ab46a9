#include "r1fit/throughput.hpp"

#include "catch.hpp"
#include "r1fit/estimate.hpp"
#include "shipped.hpp"

using namespace r1fit;
using namespace r1fit::test;

namespace {

/// Tokens a second of 32B Q4_K_M on a card, everything resident.
Speed speed_on(const char* gpu, const char* model = "32b", const char* quant = "Q4_K_M") {
  return shipped_estimate(model, quant, machine_with(gpu)).speed;
}

}  // namespace

TEST_CASE("a dense model reads everything but its embeddings once a token") {
  const Estimate estimate = shipped_estimate("32b", "Q4_K_M", machine_with("rtx 3090"));
  REQUIRE(estimate.speed.steps.size() == 1);
  const ReadStep& step = estimate.speed.steps.front();
  // By hand: the file's tensors less token_embd, and 512 tokens of 64 layers x 8 heads x 128 x 2 x 2 B.
  const Bytes weights = estimate.weights.total() - estimate.weights.token_embd;
  const double by_hand = static_cast<double>(weights.count()) + 512.0 * 64 * 8 * 128 * 2 * 2;
  CHECK(step.read.count() == by_hand);
  CHECK(step.bandwidth == gb_per_s(936));
  const double seconds = by_hand / (936e9 * step.efficiency) + estimate.speed.fixed.count();
  CHECK_THAT(estimate.speed.decode->typical.count(), within_rel(1.0 / seconds, 1e-9));
  CHECK_THAT(estimate.speed.limit->count(), within_rel(936e9 / by_hand, 1e-9));
}

TEST_CASE("a mixture of experts reads the shared part and eight of its experts") {
  const Estimate estimate = shipped_estimate("r1-671b", "Q4_K_M", machine_with("m3-ultra", gib(512)));
  const ReadStep& step = estimate.speed.steps.front();
  // 37 of 671 billion parameters take part; low bits in the experts make it a little less than 37 / 671.
  const double share = step.read.count() / static_cast<double>(estimate.weights.total().count());
  CHECK(share > 0.05);
  CHECK(share < 0.07);
}

TEST_CASE("memories of a layer split are read one after the other") {
  const double one = speed_on("rtx 3090").decode->typical.count();
  const double two = speed_on("2x rtx 3090").decode->typical.count();
  CHECK(two < one);
  CHECK(two > 0.9 * one);
}

TEST_CASE("no speed exceeds what the bandwidth allows and ranges are in order") {
  const Catalog& catalog = builtin_catalog();
  for (const Gpu& gpu : catalog.gpus) {
    Machine machine;
    machine.devices.push_back(make_device(catalog, gpu, gpu.memory.back(), {}, {}, {}));
    for (const char* model : {"1.5b", "r1-0528-qwen3-8b", "32b"}) {
      const Estimate estimate = shipped_estimate(model, "Q4_K_M", machine);
      if (!estimate.speed.decode) continue;
      INFO(gpu.id << " " << model);
      CHECK(estimate.speed.decode->low <= estimate.speed.decode->typical);
      CHECK(estimate.speed.decode->typical <= estimate.speed.decode->high);
      CHECK(estimate.speed.decode->high <= *estimate.speed.limit);
    }
  }
}

TEST_CASE("more bandwidth is never slower and depth never faster") {
  TokensPerSecond before;
  for (const double rate : {200.0, 400.0, 800.0, 1600.0}) {
    Machine machine = machine_with("rtx 3090");
    machine.devices.front().bandwidth = gb_per_s(rate);
    const TokensPerSecond now = shipped_estimate("32b", "Q4_K_M", machine).speed.decode->typical;
    CHECK(now > before);
    before = now;
  }
  Workload deep;
  before = tok_per_s(1e9);
  for (const std::int64_t depth : {0, 512, 4096, 8192}) {
    deep.depth = tokens(depth);
    const TokensPerSecond now =
        shipped_estimate("32b", "Q4_K_M", machine_with("rtx 3090"), deep).speed.decode->typical;
    CHECK(now < before);
    before = now;
  }
}

TEST_CASE("a nameless card spans the cards of its size and names both ends") {
  const Speed speed = shipped_estimate("14b", "Q4_K_M", nameless({24})).speed;
  REQUIRE(speed.decode);
  CHECK_FALSE(speed.slowest.empty());
  CHECK_FALSE(speed.fastest.empty());
  const Gpu& slow = *gpu_named(builtin_catalog(), speed.slowest).gpu;
  const Gpu& fast = *gpu_named(builtin_catalog(), speed.fastest).gpu;
  CHECK(slow.memory.front() == gib(24));
  CHECK(fast.memory.front() == gib(24));
  CHECK(slow.bandwidth < fast.bandwidth);
  CHECK(speed.decode->low <= speed_on(speed.slowest.c_str(), "14b").decode->typical);
  CHECK(speed.decode->high >= speed_on(speed.fastest.c_str(), "14b").decode->typical);
}

TEST_CASE("unknown bandwidth is said and not guessed") {
  const Speed odd = shipped_estimate("1.5b", "Q4_K_M", nameless({13})).speed;
  CHECK_FALSE(odd.decode);
  CHECK_THAT(odd.unknown, contains("--gpu"));

  Machine machine = nameless({13});
  machine.devices.front().bandwidth = gb_per_s(500);
  CHECK_FALSE(shipped_estimate("1.5b", "Q4_K_M", machine).speed.decode);  // its class is as unknown
}

TEST_CASE("weights on disk need a disk rate") {
  Machine machine = cpu_only(gib(16), "ddr5-5600-dual");
  Speed speed = shipped_estimate("32b", "Q4_K_M", machine).speed;
  CHECK_FALSE(speed.decode);
  CHECK_THAT(speed.unknown, contains("--disk-bandwidth"));
  machine.disk = gb_per_s(7);
  speed = shipped_estimate("32b", "Q4_K_M", machine).speed;
  REQUIRE(speed.decode);
  CHECK(speed.decode->high < tok_per_s(5));
}

TEST_CASE("hardware of which nothing was measured is an extrapolation") {
  CHECK(speed_on("mi300x").extrapolated);
  CHECK_FALSE(speed_on("rtx 4090").extrapolated);
  Machine vulkan = machine_with("rtx 4090");
  vulkan.devices.front().backend = Backend::vulkan;
  CHECK(shipped_estimate("32b", "Q4_K_M", vulkan).speed.extrapolated);
}

TEST_CASE("words for a speed") {
  CHECK(speed_word(tok_per_s(30)) == "comfortable");
  CHECK(speed_word(tok_per_s(29.9)) == "usable");
  CHECK(speed_word(tok_per_s(9.9)) == "slow");
  CHECK(speed_word(tok_per_s(4.9)) == "barely");
}
