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
  const DecodeStep& step = estimate.speed.steps.front();
  // By hand: the file's tensors less token_embd, and 512 tokens of 64 layers x 8 heads x 128 x 2 x 2 B.
  const Bytes weights = estimate.weights.total() - estimate.weights.token_embd;
  const double by_hand = static_cast<double>(weights.count()) + 512.0 * 64 * 8 * 128 * 2 * 2;
  CHECK(step.work.read().count() == by_hand);
  CHECK(step.work.layers == 64);
  CHECK(step.work.expert_layers == 0);
  // Every weight of a matrix is unpacked: 32.0 billion without the embeddings.
  double unpacked = 0;
  for (const double kernel : step.work.unpacked) unpacked += kernel;
  const double matrices = static_cast<double>(active_parameters(*estimate.model->shape));
  CHECK_THAT(unpacked, within_rel(matrices, 1e-3));
  CHECK(step.processor.bandwidth == gb_per_s(936));
  CHECK_THAT(estimate.speed.decode->typical.count(), within_rel(1.0 / step.total().count(), 1e-9));
  CHECK_THAT(estimate.speed.limit->count(), within_rel(936e9 / by_hand, 1e-9));
}

TEST_CASE("a mixture of experts reads the shared part and eight of its experts") {
  const Estimate estimate = shipped_estimate("r1-671b", "Q4_K_M", machine_with("m3-ultra", gib(512)));
  const DecodeStep& step = estimate.speed.steps.front();
  // 37 of 671 billion parameters take part; low bits in the experts make it a little less than 37 / 671.
  const double share = step.work.read().count() / static_cast<double>(estimate.weights.total().count());
  CHECK(share > 0.05);
  CHECK(share < 0.07);
  CHECK(step.work.layers == 61);
  CHECK(step.work.expert_layers == 58);
}

TEST_CASE("experts in host memory are the host's work and all else the card's") {
  Machine machine = machine_with("rtx 4090");
  machine.host = make_host(builtin_catalog(), gib(768), &host_named(builtin_catalog(), "epyc-genoa"), {});
  const Estimate estimate = shipped_estimate("r1-671b", "Q4_K_M", machine);
  REQUIRE(estimate.speed.steps.size() == 2);
  const DecodeStep& card = estimate.speed.steps.front();
  const DecodeStep& host = estimate.speed.steps.back();
  CHECK(card.work.layers == 61);
  CHECK(host.work.layers == 0);
  CHECK(card.work.expert_layers + host.work.expert_layers == 58);
  CHECK(host.work.weights == BytesPerToken{});
  CHECK(host.work.kv == BytesPerToken{});
  CHECK(estimate.speed.hand_over > SecondsPerToken{});
}

TEST_CASE("an engine with CPU code of its own changes the host's time and no other") {
  Machine machine = machine_with("rtx 4090");
  machine.host = make_host(builtin_catalog(), gib(768), &host_named(builtin_catalog(), "epyc-genoa"), {});
  Workload workload;
  const Estimate plain = shipped_estimate("r1-671b", "Q4_K_M", machine, workload);
  const EngineChoice ik = engine_choice(builtin_catalog(), "ik-llama.cpp");
  REQUIRE(ik.speed != nullptr);
  workload.engine_speed = ik.speed;
  const Estimate own = shipped_estimate("r1-671b", "Q4_K_M", machine, workload);
  CHECK(own.speed.steps.front().total() == plain.speed.steps.front().total());
  CHECK_THAT(in_ms(own.speed.steps.back().total()),
             within_rel(in_ms(plain.speed.steps.back().total()) * ik.speed->host_time, 1e-9));
  CHECK(std::ranges::find(own.speed.basis, engine_source(*ik.speed)) != own.speed.basis.end());
  CHECK(own.speed.limit == plain.speed.limit);
  // Nothing lies in host memory.
  const Estimate resident = shipped_estimate("32b", "Q4_K_M", machine, workload);
  CHECK(resident.speed.decode->typical == speed_on("rtx 4090").decode->typical);
}

TEST_CASE("memories of a layer split are read one after the other") {
  const double one = speed_on("rtx 3090").decode->typical.count();
  const double two = speed_on("2x rtx 3090").decode->typical.count();
  CHECK(two < one);
  CHECK(two > 0.9 * one);
}

namespace {

/// Every GPU and every named host of the catalogue with room for anything asked here.
std::vector<Machine> all_machines() {
  const Catalog& catalog = builtin_catalog();
  std::vector<Machine> machines;
  for (const Gpu& gpu : catalog.gpus) {
    Machine machine;
    machine.devices.push_back(make_device(catalog, gpu, gpu.memory.back(), {}, {}, {}));
    machine.devices.back().budget = gib(4096);
    machine.devices.back().stretched = gib(4096);
    machines.push_back(machine);
  }
  for (const Host& host : catalog.hosts) {
    Machine machine;
    machine.host = make_host(catalog, gib(4096), &host, {});
    machines.push_back(machine);
  }
  return machines;
}

std::string name_of(const Machine& machine) {
  return machine.devices.empty() ? std::string(machine.host.platform->id) : machine.devices.front().name;
}

}  // namespace

TEST_CASE("no speed exceeds what the bandwidth allows and ranges are in order") {
  for (const Machine& machine : all_machines()) {
    for (const char* model : {"1.5b", "r1-0528-qwen3-8b", "32b", "r1-671b"}) {
      for (const char* quant : {"Q8_0", "Q4_K_M", "IQ2_XXS"}) {
        const Speed speed = shipped_estimate(model, quant, machine).speed;
        INFO(name_of(machine) << " " << model << " " << quant);
        REQUIRE(speed.decode);
        CHECK(speed.decode->low < speed.decode->typical);
        CHECK(speed.decode->typical <= speed.decode->high);
        CHECK(speed.decode->high <= *speed.limit);
      }
    }
  }
}

TEST_CASE("more bandwidth is never slower") {
  for (Machine machine : all_machines()) {
    TokensPerSecond before;
    for (const double factor : {0.5, 1.0, 2.0, 4.0}) {
      Machine faster = machine;
      if (faster.devices.empty()) {
        faster.host.bandwidth = *machine.host.bandwidth * factor;
      } else {
        faster.devices.front().bandwidth = *machine.devices.front().bandwidth * factor;
      }
      const TokensPerSecond now = shipped_estimate("14b", "Q4_K_M", faster).speed.decode->typical;
      INFO(name_of(machine) << " x " << factor);
      CHECK(now > before);
      before = now;
    }
  }
}

TEST_CASE("fewer bits are never slower within a kernel family") {
  // Files of the first and the last family hold a few K-quants of other costs, more in the smaller file.
  struct Family {
    std::vector<const char*> quants;
    double at_least;
  };
  const std::vector<Family> families{{{"Q8_0", "Q4_0"}, 0.98},
                                     {{"Q6_K", "Q5_K_M", "Q5_K_S", "Q4_K_M", "Q4_K_S"}, 1.0},
                                     {{"IQ3_XXS", "IQ2_XXS", "IQ1_S"}, 0.98}};
  for (const Machine& machine : all_machines()) {
    for (const Family& family : families) {
      TokensPerSecond before;
      for (const char* quant : family.quants) {
        const TokensPerSecond now = shipped_estimate("14b", quant, machine).speed.decode->typical;
        INFO(name_of(machine) << " " << quant);
        CHECK(now >= before * family.at_least);
        before = now;
      }
    }
  }
}

TEST_CASE("a longer depth is never faster") {
  for (const Machine& machine : all_machines()) {
    Workload deep;
    deep.context = tokens(32768);
    TokensPerSecond before = tok_per_s(1e9);
    for (const std::int64_t depth : {0, 512, 4096, 16384, 32768}) {
      deep.depth = tokens(depth);
      const TokensPerSecond now = shipped_estimate("14b", "Q4_K_M", machine, deep).speed.decode->typical;
      INFO(name_of(machine) << " at " << depth);
      CHECK(now < before);
      before = now;
    }
  }
}

namespace {

/// Cards beside the memory of each named host that is sold for its channels, as they really are.
std::vector<Machine> hybrids() {
  const Catalog& catalog = builtin_catalog();
  std::vector<Machine> machines;
  for (const char* card : {"rtx 3060 12gb", "rtx 4090", "rx 7900 xtx", "arc b580"}) {
    for (const Host& host : catalog.hosts) {
      Machine machine = machine_with(card);
      machine.host = make_host(catalog, gib(1024), &host, {});
      machines.push_back(machine);
    }
  }
  return machines;
}

}  // namespace

TEST_CASE("what is true of one memory is true of a card and a host together") {
  struct Split {
    const char* model;
    const char* quant;
  };
  for (const Machine& machine : hybrids()) {
    for (const Split& split : {Split{"70b", "Q4_K_M"}, Split{"r1-671b", "Q4_K_M"}}) {
      CAPTURE(machine.devices.front().name, machine.host.platform->id, split.model);
      const Estimate estimate = shipped_estimate(split.model, split.quant, machine);
      REQUIRE(estimate.placement.verdict == Verdict::offload);
      const Speed& speed = estimate.speed;
      CHECK(speed.decode->low < speed.decode->typical);
      CHECK(speed.decode->typical <= speed.decode->high);
      CHECK(speed.decode->high < *speed.limit);

      Machine faster = machine;
      faster.host.bandwidth = *machine.host.bandwidth * 2;
      CHECK(shipped_estimate(split.model, split.quant, faster).speed.decode->typical > speed.decode->typical);
      faster = machine;
      faster.devices.front().bandwidth = *machine.devices.front().bandwidth * 2;
      CHECK(shipped_estimate(split.model, split.quant, faster).speed.decode->typical > speed.decode->typical);

      Workload deep;
      deep.depth = tokens(8192);
      CHECK(shipped_estimate(split.model, split.quant, machine, deep).speed.decode->typical <
            speed.decode->typical);
    }
  }
}

TEST_CASE("a second card in layer split never doubles the speed") {
  const Catalog& catalog = builtin_catalog();
  for (const Machine& one : all_machines()) {
    if (one.devices.empty() || one.devices.front().unified) continue;
    Machine two = one;
    two.devices.push_back(one.devices.front());
    const TokensPerSecond alone = shipped_estimate("14b", "Q4_K_M", one).speed.decode->typical;
    const TokensPerSecond both = shipped_estimate("14b", "Q4_K_M", two).speed.decode->typical;
    INFO(name_of(one));
    CHECK(both < alone);
    CHECK(both > 0.8 * alone);
  }
  CHECK(catalog.gpus.size() > 100);
}

namespace {

Estimate shared(const char* model, const Machine& machine, SplitMode split, const char* engine = "") {
  Question question = shipped_question(model, "Q4_K_M");
  question.engine = engine_choice(builtin_catalog(), engine);
  question.workload.split = split;
  return estimate(builtin_catalog(), question, machine);
}

}  // namespace

TEST_CASE("cards that share every layer are at most twice as fast as one, and below their limit") {
  int tried = 0;
  for (const Machine& one : all_machines()) {
    if (one.devices.empty() || one.devices.front().unified) continue;
    const Backend backend = one.devices.front().backend;
    if (backend != Backend::cuda && backend != Backend::rocm) continue;
    Machine two = one;
    two.devices.push_back(one.devices.front());
    for (const char* model : {"1.5b", "7b"}) {
      INFO(name_of(one) << ", " << model);
      const Speed alone = shipped_estimate(model, "Q4_K_M", one).speed;
      const Speed layers = shipped_estimate(model, "Q4_K_M", two).speed;
      if (!alone.decode || !layers.decode) continue;
      const Speed tensor = shared(model, two, SplitMode::tensor).speed;
      const Speed row = shared(model, two, SplitMode::row, "llama.cpp@2026-06").speed;
      ++tried;
      for (const Speed* speed : {&tensor, &row}) {
        REQUIRE(speed->decode);
        CHECK(speed->extrapolated);
        CHECK(speed->decode->low <= speed->decode->typical);
        CHECK(speed->decode->typical <= speed->decode->high);
        CHECK(speed->decode->high < *speed->limit);
        CHECK(speed->decode->typical <= alone.decode->typical * 2);
        CHECK(speed->decode->high <= alone.decode->high * 2);
        CHECK(speed->decode->low <= layers.decode->low * 1.02);
        CHECK(*speed->limit <= *alone.limit * 2.02);
      }
    }
  }
  CHECK(tried > 100);
}

TEST_CASE("large models gain from cards that work at once, and say that it is the best case") {
  const Machine cards = machine_with("2x rtx 3090");
  const Speed layers = shipped_estimate("70b", "Q4_K_M", cards).speed;
  const Speed tensor = shared("70b", cards, SplitMode::tensor).speed;
  CHECK(tensor.decode->typical > layers.decode->typical * 1.2);
  CHECK(tensor.hand_over == SecondsPerToken{});
  CHECK(tensor.exchanges > SecondsPerToken{});
  REQUIRE_FALSE(tensor.basis.empty());
  CHECK_THAT(tensor.basis.back(), contains("best case"));
  // The slowest card's share over its bandwidth.
  const DecodeStep& step = tensor.steps.front();
  CHECK_THAT(tensor.limit->count(), within_rel((step.processor.bandwidth / step.work.read()).count(), 1e-9));
  CHECK(step.work.layers == 80);
}

TEST_CASE("the slower of two cards holds the other up") {
  Machine mixed = machine_with("rtx 3090");
  mixed.devices.push_back(machine_with("rtx 3060 12gb").devices.front());
  const Speed both = shared("14b", mixed, SplitMode::tensor).speed;
  const Speed slow = shared("14b", machine_with("2x rtx 3060 12gb"), SplitMode::tensor).speed;
  CHECK_THAT(both.decode->typical.count(), within_rel(slow.decode->typical.count(), 1e-9));
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
  // Dense models on such cards were measured, 671B on them was not.
  CHECK_FALSE(speed_on("pro w7900").extrapolated);
  CHECK(speed_on("10x pro w7900", "r1-671b").extrapolated);
  CHECK_FALSE(speed_on("rtx 4090").extrapolated);
  Machine odd = machine_with("rtx 4090");
  odd.devices.front().backend = Backend::sycl;
  CHECK(shipped_estimate("32b", "Q4_K_M", odd).speed.extrapolated);
}

TEST_CASE("a card under Vulkan is as fast as such cards under Vulkan were") {
  const Catalog& catalog = builtin_catalog();
  const Gpu& gpu = *gpu_named(catalog, "arc pro b70").gpu;
  Machine vulkan;
  vulkan.devices.push_back(make_device(catalog, gpu, gib(32), Backend::vulkan, {}, {}));
  const Speed slow = shipped_estimate("14b", "Q4_K_M", vulkan).speed;
  CHECK_FALSE(slow.extrapolated);
  CHECK(slow.decode->typical < 0.7 * speed_on("arc pro b70", "14b").decode->typical);
}

TEST_CASE("a measured device has a narrower range than its class") {
  const Catalog& catalog = builtin_catalog();
  const auto width = [](const Speed& speed) {
    return speed.decode->high.count() / speed.decode->low.count();
  };
  Machine machine = machine_with("rtx 5090");
  REQUIRE(machine.devices.front().measured != nullptr);
  const Speed own = shipped_estimate("14b", "Q4_K_M", machine).speed;
  machine.devices.front().measured = nullptr;
  CHECK(width(own) < width(shipped_estimate("14b", "Q4_K_M", machine).speed));
  for (const MeasuredDevice& device : catalog.measured_devices) {
    INFO((device.gpu != nullptr ? device.gpu->id : device.host->id));
    CHECK(device.low >= device.speed->fit->low);
    CHECK(device.high <= device.speed->fit->high);
  }
}

TEST_CASE("words for a speed") {
  CHECK(speed_word(tok_per_s(30)) == "comfortable");
  CHECK(speed_word(tok_per_s(29.9)) == "usable");
  CHECK(speed_word(tok_per_s(9.9)) == "slow");
  CHECK(speed_word(tok_per_s(4.9)) == "barely");
}

TEST_CASE("counted cores stand in place of a usual number, each as fast as a usual one") {
  Machine machine = cpu_only(gib(64), "ddr5-5600-dual");
  const auto speed = [&machine](std::optional<int> cores) {
    machine.host.cores = cores;
    return shipped_estimate("14b", "Q4_K_M", machine).speed.decode->typical;
  };
  const TokensPerSecond usual = speed(std::nullopt);
  CHECK(speed(2) < usual);
  CHECK(speed(machine.host.speed->cores) == usual);
  const SpeedClass& of = *machine.host.speed;
  CHECK(cores_of(machine.host.platform, of, 2).number == 2);
  CHECK_THAT(cores_of(machine.host.platform, of, 2).fp32.count() * *of.cores / 2,
             within_rel(of.fp32->count(), 1e-12));
}
