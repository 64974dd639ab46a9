#include "r1fit/candidate_machines.hpp"

#include <algorithm>

#include "catch.hpp"
#include "shipped.hpp"

using namespace r1fit;

TEST_CASE("every size that a device was sold with is a device of its own") {
  const Catalog& catalog = builtin_catalog();
  const std::vector<SoldDevice> devices = sold_devices(catalog);
  std::size_t sizes = 0;
  for (const Gpu& gpu : catalog.gpus) sizes += gpu.memory.size();
  CHECK(devices.size() == sizes);
  for (const SoldDevice& device : devices) CHECK(sold_with(*device.gpu, device.memory));
}

TEST_CASE("laptops and systems on a chip come alone") {
  const Catalog& catalog = builtin_catalog();
  CHECK(comes_alone(*gpu_named(catalog, "rtx 4090 laptop").gpu));
  CHECK(comes_alone(*gpu_named(catalog, "m3-ultra").gpu));
  CHECK(comes_alone(*gpu_named(catalog, "strix halo").gpu));
  CHECK_FALSE(comes_alone(*gpu_named(catalog, "rtx 4090").gpu));
  CHECK_FALSE(comes_alone(*gpu_named(catalog, "h100-sxm").gpu));
}

TEST_CASE("a maker's own interface runs on its cards alone") {
  CHECK(runs_on(Backend::cuda, Vendor::nvidia));
  CHECK_FALSE(runs_on(Backend::cuda, Vendor::amd));
  CHECK_FALSE(runs_on(Backend::rocm, Vendor::nvidia));
  CHECK_FALSE(runs_on(Backend::metal, Vendor::amd));
  CHECK(runs_on(Backend::vulkan, Vendor::intel));
}

TEST_CASE("equal devices, with what the engine keeps free on each") {
  const Catalog& catalog = builtin_catalog();
  const FoundGpu card = gpu_named(catalog, "rtx 3090");
  const Machine machine = machine_of(catalog, {card.gpu, gib(24)}, 3);
  REQUIRE(machine.devices.size() == 3);
  for (const Device& device : machine.devices) CHECK(device.margin == kDeviceMargin);
  Engine engine{};
  engine.device_reserve = gib(2);
  for (const Device& device : machine_of(catalog, {card.gpu, gib(24)}, 2, {}, &engine).devices)
    CHECK(device.margin == kDeviceMargin + gib(2));
}

TEST_CASE("RAM sizes ascend") { CHECK(std::ranges::is_sorted(kRamSizes)); }
