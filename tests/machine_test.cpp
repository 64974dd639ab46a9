// What of a machine an engine may use: limits, reserves, and the records that stand in for unnamed parts.
#include "r1fit/machine.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "catch.hpp"
#include "r1fit/lookup.hpp"

using namespace r1fit;

namespace {

const Catalog& catalog() { return builtin_catalog(); }

Device device(Text name, double memory_gib, const Reserve& reserve = {}, const WiredLimit& wired = {}) {
  return make_device(catalog(), *gpu_named(catalog(), name).gpu, gib(memory_gib), {}, reserve, wired);
}

const DesktopReserve& desktop(Text id) {
  return *std::ranges::find(catalog().desktops, id, &DesktopReserve::id);
}

std::vector<Text> ids(const std::vector<const Host*>& hosts) {
  std::vector<Text> found;
  for (const Host* host : hosts) found.push_back(host->id);
  return found;
}

bool has(const std::vector<const Gpu*>& cards, Text id) {
  return std::ranges::any_of(cards, [id](const Gpu* gpu) { return gpu->id == id; });
}

}  // namespace

// Drivers report less than the round figure: 24,564 MiB of a 4090, 32,607 of a 5090.
TEST_CASE("a card holds what its driver reports") {
  CHECK(device("rtx 4090", 24).capacity == mib(24564));
  CHECK(device("rtx 5090", 32).capacity == mib(32607));
  CHECK(device("rtx 3090", 24).capacity == gib(24));
  const Device card = device("rtx 4090", 24);
  CHECK(card.budget == card.capacity);
  CHECK(card.stretched == card.budget);
  CHECK(card.stretch.empty());
  CHECK(card.margin == kDeviceMargin);
  CHECK(card.runtime == mib(460));
  CHECK(card.backend == Backend::cuda);
  CHECK_FALSE(card.unified);
  CHECK(card.bandwidth == gb_per_s(1008));
  // No driver reports more than the card has.
  for (const Gpu& gpu : catalog().gpus) {
    if (!gpu.real_total) continue;
    CAPTURE(gpu.id);
    REQUIRE(gpu.memory.size() == 1);
    CHECK(*gpu.real_total < gpu.memory.front());
    CHECK(share(gpu.memory.front(), 0.9) < *gpu.real_total);
  }
}

TEST_CASE("another backend brings its own runtime") {
  const Gpu& gpu = *gpu_named(catalog(), "rtx 4090").gpu;
  const Device vulkan = make_device(catalog(), gpu, gib(24), Backend::vulkan, {}, {});
  CHECK(vulkan.backend == Backend::vulkan);
  CHECK(vulkan.runtime != device("rtx 4090", 24).runtime);
}

TEST_CASE("a runtime that is not known well widens the margin") {
  const Device instinct = device("mi210", 64);
  CHECK(instinct.gpu->runtime->id == "rocm-instinct");
  CHECK(instinct.margin == instinct.gpu->runtime->high - instinct.gpu->runtime->typical);
  CHECK(instinct.margin > gib(4));
}

TEST_CASE("a desktop and a fixed reserve come off the budget, not off the card") {
  const Device bare = device("rtx 3090", 24);
  const Device windows = device("rtx 3090", 24, {true, {}, &desktop("windows")});
  CHECK(windows.capacity == bare.capacity);
  // What else uses a card is known or not: the margin is for what is not.
  CHECK(bare.margin == kDeviceMargin);
  CHECK(device("rtx 3090", 24, {true, gib(2), {}}).margin == kStatedMargin);
  CHECK(device("rtx 3090", 24, {true, {}, &desktop("linux")}).margin == kStatedMargin);
  // Windows takes 1.3 to 2.9 GiB, typically 1.8.
  CHECK(windows.margin == gib(2.9) - gib(1.8));
  CHECK(bare.budget - windows.budget == gib(1.8));
  CHECK(device("rtx 3090", 24, {true, {}, &desktop("linux")}).budget == gib(24) - gib(0.3));
  CHECK(device("rtx 3090", 24, {true, {}, &desktop("none")}).budget == gib(24));
  CHECK(device("rtx 3090", 24, {true, gib(2), {}}).budget == gib(22));
  // What was said in bytes is said of the desktop too.
  CHECK(device("rtx 3090", 24, {true, gib(2), &desktop("windows")}).budget == gib(22));
  CHECK(device("rtx 3090", 24, {true, gib(99), {}}).budget == Bytes{});
}

// Up to 32 GB macOS gave two thirds, above it three quarters; newer releases give more. The smaller limit is
// what is planned with, the larger one what may be reached.
TEST_CASE("Apple's limit on the GPU") {
  CHECK(device("m1", 16).budget == share(gib(16), 0.6667));
  CHECK(device("m2 max", 32).budget == share(gib(32), 0.6667));
  CHECK(device("m2 max", 64).budget == gib(48));
  CHECK(device("m2 max", 96).budget == gib(72));
  CHECK(device("m2 ultra", 192).budget == gib(144));
  CHECK(device("m3 ultra", 512).budget == gib(384));
  for (const Gpu& gpu : catalog().gpus) {
    if (gpu.vendor != Vendor::apple) continue;
    for (const Bytes memory : gpu.memory) {
      const Device mac = make_device(catalog(), gpu, memory, {}, {}, {});
      CAPTURE(gpu.id, memory);
      CHECK(mac.unified);
      CHECK(mac.capacity == memory);
      CHECK(mac.budget >= share(memory, 0.66));
      CHECK(mac.budget <= share(memory, 0.75));
      CHECK(mac.stretched > mac.budget);
      CHECK(mac.stretched < memory);
      CHECK(mac.margin >= gib(1));
      CHECK(mac.runtime == Bytes{});
      const auto raised = static_cast<std::int64_t>(in_mib(mac.stretched));
      CHECK(mac.stretch == "sudo sysctl iogpu.wired_limit_mb=" + std::to_string(raised));
    }
  }
}

TEST_CASE("raised, the limit leaves macOS its own or is what newer releases give anyway") {
  CHECK(device("m2 max", 96).stretched == gib(88));
  CHECK(device("m2 ultra", 192).stretched == gib(184));
  CHECK(device("m3 ultra", 512).stretched == gib(504));
  CHECK(device("m1", 16).stretched == gib(12));
  CHECK(device("m2 max", 64).stretched == gib(56));
}

TEST_CASE("a wired limit that is known stands") {
  const Device mac = device("m2 max", 96, {}, {gib(90)});
  CHECK(mac.budget == gib(90));
  CHECK(mac.stretched == gib(90));
  CHECK(mac.stretch.empty());
  CHECK(device("m2 max", 96, {}, {gib(96)}).budget == gib(96));
  CHECK(test::error_of([] { device("m2 max", 96, {}, {gib(96) + bytes(1)}); }) ==
        "--wired-limit is more than the memory of m2-max");
}

TEST_CASE("other unified memory is shared with the system") {
  const Device strix = device("strix halo", 128);
  CHECK(strix.unified);
  CHECK(strix.budget == gib(128) - share(gib(128), 0.05));
  CHECK(strix.stretched == strix.budget);
  CHECK(strix.stretch.empty());
  CHECK(device("strix halo", 32).budget == gib(30));
}

TEST_CASE("a nameless card may be any of its size") {
  const Device card = make_nameless_device(catalog(), gib(24), {}, {}, {});
  CHECK(card.gpu == nullptr);
  CHECK(card.capacity == gib(24));
  CHECK(card.budget == gib(24));
  CHECK(card.backend == Backend::cuda);
  CHECK_FALSE(card.bandwidth.has_value());
  CHECK(card.speed == nullptr);
  CHECK(has(card.stand_ins, "rtx-3090"));
  CHECK(has(card.stand_ins, "rtx-4090"));
  CHECK(has(card.stand_ins, "rx-7900-xtx"));
  CHECK_FALSE(has(card.stand_ins, "rtx-5090-laptop"));
  CHECK_FALSE(has(card.stand_ins, "tesla-p40"));
  CHECK_FALSE(has(card.stand_ins, "m4-pro"));
  CHECK(std::ranges::is_sorted(card.stand_ins, {}, [](const Gpu* gpu) { return gpu->bandwidth; }));
  for (const Gpu* gpu : card.stand_ins) {
    CAPTURE(gpu->id);
    CHECK(card.runtime >= gpu->runtime->typical);
  }
  // No desktop card has 80 GiB: then it is one of a data centre.
  CHECK(has(make_nameless_device(catalog(), gib(80), {}, {}, {}).stand_ins, "a100-80gb-sxm"));
}

TEST_CASE("a size that was never sold stands for itself") {
  const Device card =
      make_nameless_device(catalog(), gib(23), gb_per_s(500), Backend::vulkan, {true, gib(1), {}});
  CHECK(card.stand_ins.empty());
  CHECK(card.runtime > Bytes{});
  CHECK(card.bandwidth == gb_per_s(500));
  CHECK(card.backend == Backend::vulkan);
  CHECK(card.budget == gib(22));
  CHECK(make_nameless_device(catalog(), gib(1), {}, {}, {true, gib(2), {}}).budget == Bytes{});
}

// 5 % of host memory, at least 2 and at most 8 GiB, are left to everything else.
TEST_CASE("host memory keeps a reserve") {
  const auto budget = [](double ram) { return make_host(catalog(), gib(ram), nullptr, {}).budget; };
  CHECK(budget(16) == gib(14));
  CHECK(budget(32) == gib(30));
  CHECK(budget(64) == gib(64) - share(gib(64), 0.05));
  CHECK(budget(512) == gib(504));
  CHECK(budget(4096) == gib(4088));
  CHECK(budget(1) == Bytes{});
}

TEST_CASE("what is not said of the host is not made up") {
  const HostMemory unknown = make_host(catalog(), {}, nullptr, {});
  CHECK_FALSE(unknown.ram.has_value());
  CHECK(unknown.budget == Bytes{});
  CHECK_FALSE(unknown.bandwidth.has_value());
  CHECK(unknown.stand_ins.empty());
  const HostMemory sized = make_host(catalog(), gib(64), nullptr, {});
  CHECK_FALSE(sized.bandwidth.has_value());
  CHECK(sized.speed == nullptr);
  CHECK_FALSE(sized.stand_ins.empty());
}

TEST_CASE("a platform brings its bandwidth unless that is said") {
  const Host& genoa = host_named(catalog(), "epyc-genoa");
  const HostMemory host = make_host(catalog(), gib(768), &genoa, {});
  CHECK(host.bandwidth == genoa.bandwidth);
  CHECK(host.speed == genoa.speed);
  CHECK(host.stand_ins.empty());
  CHECK(make_host(catalog(), gib(768), &genoa, gb_per_s(300)).bandwidth == gb_per_s(300));
}

TEST_CASE("an unnamed platform may be any PC that holds as much, and a server beyond") {
  const HostMemory small = make_host(catalog(), gib(32), nullptr, {});
  for (const Host* host : small.stand_ins) {
    CAPTURE(host->id);
    CHECK(host->desktop);
    CHECK(host->sockets == 1);
    CHECK(*host->max_memory >= gib(32));
  }
  const auto slowest = ids(small.stand_ins);
  CHECK(std::ranges::find(slowest, Text("ddr4-2133-dual")) != slowest.end());
  const auto large = ids(make_host(catalog(), gib(192), nullptr, {}).stand_ins);
  CHECK(std::ranges::find(large, Text("ddr4-3200-dual")) == large.end());
  CHECK(std::ranges::find(large, Text("ddr5-5600-dual")) != large.end());
  const HostMemory server = make_host(catalog(), gib(1024), nullptr, {});
  REQUIRE_FALSE(server.stand_ins.empty());
  for (const Host* host : server.stand_ins) {
    CAPTURE(host->id);
    CHECK_FALSE(host->desktop);
    CHECK(host->sockets == 1);
    CHECK(*host->max_memory >= gib(1024));
  }
  for (const double ram : {8.0, 64.0, 256.0, 512.0, 2048.0}) {
    const HostMemory host = make_host(catalog(), gib(ram), nullptr, {});
    CHECK(std::ranges::is_sorted(host.stand_ins, {}, [](const Host* each) { return each->bandwidth; }));
  }
}
