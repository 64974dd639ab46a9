#include "r1fit/own_measurement.hpp"

#include <cmath>
#include <vector>

#include "catch.hpp"
#include "shipped.hpp"

using namespace r1fit;
using namespace r1fit::test;

namespace {

const Catalog& catalog() { return builtin_catalog(); }

/// A run at `times` the speed that is expected of it.
OwnMeasurement measured(const std::vector<std::string_view>& gpus, double times,
                        std::string_view model = "32b", std::optional<Backend> backend = {}) {
  OwnMeasurement one;
  for (const std::string_view gpu : gpus) one.gpus.push_back(gpu_named(catalog(), gpu).gpu);
  if (gpus.empty()) one.host = &host_named(catalog(), "ddr5-5600-dual");
  one.backend = backend.value_or(gpus.empty() ? Backend::cpu : one.gpus.front()->backend);
  one.model = &model_named(catalog(), model);
  one.quant = &quant_named(catalog(), "Q4_K_M");
  one.depth = tokens(64);
  one.date = "2026-11-22";
  one.decode = expected_of(catalog(), one).decode * times;
  return one;
}

Machine with_own(Machine machine, const std::vector<OwnMeasurement>& measurements) {
  add_own(catalog(), measurements, machine);
  return machine;
}

double width(const Speed& speed) { return speed.decode->high.count() / speed.decode->low.count(); }

}  // namespace

TEST_CASE("what is expected of a run is what an estimate says") {
  Workload workload;
  workload.depth = tokens(64);
  const Estimate estimate = shipped_estimate("32b", "Q4_K_M", machine_with("rtx 4090"), workload);
  const Expected expected = expected_of(catalog(), measured({"rtx 4090"}, 1));
  CHECK_THAT(expected.decode.count(), within_rel(estimate.speed.decode->typical.count(), 1e-9));
  CHECK_THAT(expected.limit.count(), within_rel(estimate.speed.limit->count(), 1e-9));
}

TEST_CASE("a run faster than the memory, or slower by an order of magnitude, is not believed") {
  const OwnMeasurement sound = measured({"rtx 4090"}, 0.9);
  const Expected expected = expected_of(catalog(), sound);
  CHECK(disbelief(sound, expected).empty());
  OwnMeasurement fast = sound;
  fast.decode = expected.limit * 1.01;
  CHECK_THAT(disbelief(fast, expected), contains(" GB = 1,018 GB/s, above the card's 1,008 GB/s"));
  OwnMeasurement slow = sound;
  slow.decode = expected.decode * 0.09;
  CHECK_THAT(disbelief(slow, expected), contains("is less than a tenth of the "));
  // Two memories of two speeds have no one bandwidth to be above of.
  OwnMeasurement mixed = measured({"rtx 4090", "rtx 3090"}, 1);
  const Expected of_mix = expected_of(catalog(), mixed);
  mixed.decode = of_mix.limit * 1.01;
  CHECK_THAT(disbelief(mixed, of_mix), contains("that the memories allow at most"));
}

TEST_CASE("a run counts for its own hardware alone") {
  const std::vector<OwnMeasurement> one{measured({"rtx 4090"}, 0.9)};
  CHECK(with_own(machine_with("rtx 4090"), one).devices.front().own.size() == 1);
  CHECK(with_own(machine_with("2x rtx 4090"), one).devices.back().own.size() == 1);
  CHECK(with_own(machine_with("rtx 3090"), one).devices.front().own.empty());
  CHECK(with_own(nameless({24}), one).devices.front().own.empty());
  Machine vulkan;
  vulkan.devices.push_back(
      make_device(catalog(), *gpu_named(catalog(), "rtx 4090").gpu, gib(24), Backend::vulkan, {}, {}));
  CHECK(with_own(vulkan, one).devices.front().own.empty());

  // A mix of cards says nothing of either alone.
  const std::vector<OwnMeasurement> mix{measured({"rtx 4090", "rtx 3090"}, 0.9)};
  CHECK(with_own(machine_with("rtx 4090"), mix).devices.front().own.empty());
  Machine both = machine_with("rtx 4090");
  both.devices.push_back(machine_with("rtx 3090").devices.front());
  CHECK(with_own(both, mix).devices.back().own.size() == 1);
  CHECK(with_own(both, one).devices.front().own.size() == 1);
  CHECK(with_own(both, one).devices.back().own.empty());

  const std::vector<OwnMeasurement> host{measured({}, 0.9, "14b")};
  CHECK(with_own(cpu_only(gib(64), "ddr5-5600-dual"), host).host.own.size() == 1);
  CHECK(with_own(cpu_only(gib(64), "epyc-genoa"), host).host.own.empty());
}

TEST_CASE("a run on a CPU is held against the CPU that is asked about") {
  Machine few = cpu_only(gib(64), "ddr5-5600-dual");
  few.host.cores = 2;
  OwnMeasurement run = measured({}, 1, "14b");
  run.decode = expected_of(catalog(), run, &few.host).decode;
  CHECK(std::abs(with_own(few, {run}).host.own.front().deviation) < 1e-9);
  CHECK(with_own(cpu_only(gib(64), "ddr5-5600-dual"), {run}).host.own.front().deviation < -0.01);
}

TEST_CASE("the latest runs of a device count, and not more than a few") {
  std::vector<OwnMeasurement> many(50, measured({"rtx 4090"}, 0.9));
  many.back().date = "2026-11-23";
  const Machine machine = with_own(machine_with("rtx 4090"), many);
  CHECK(machine.devices.front().own.size() < 20);
  CHECK(machine.devices.front().own.front().date == "2026-11-23");
}

TEST_CASE("an estimate is centred on runs, narrower, and says so") {
  for (const double times : {0.85, 1.1}) {
    const Speed before = shipped_estimate("32b", "Q4_K_M", machine_with("rtx 3090")).speed;
    const Speed after =
        shipped_estimate("32b", "Q4_K_M", with_own(machine_with("rtx 3090"), {measured({"rtx 3090"}, times)}))
            .speed;
    CAPTURE(times);
    CHECK((after.decode->typical > before.decode->typical) == (times > 1));
    CHECK(width(after) < width(before));
    CHECK(after.basis.size() == before.basis.size() + 1);
    CHECK_THAT(after.basis.back(), contains("centred on 1 run of yours of 2026-11-22"));
    // A speed in the middle of the range of the very run that was measured.
    const double there = before.decode->typical.count() * times;
    CHECK(there > after.decode->low.count());
    CHECK(there < after.decode->high.count());
  }
}

TEST_CASE("no range grows wider for a run, and none reaches the limit") {
  Machine split = machine_with("rtx 4090");
  split.host = make_host(catalog(), gib(128), &host_named(catalog(), "ddr5-5600-dual"), {});
  Machine unknown_host = machine_with("rtx 4090");
  unknown_host.host = make_host(catalog(), gib(96), nullptr, {});
  const std::vector<Machine> machines{machine_with("rtx 4090"), machine_with("2x rtx 4090"), split,
                                      unknown_host};
  for (const Machine& machine : machines) {
    for (const double times : {0.3, 0.8, 1.0, 1.15}) {
      const Machine own =
          with_own(machine, {measured({"rtx 4090"}, times, "14b"), measured({}, times, "14b")});
      REQUIRE(!own.devices.front().own.empty());
      for (const char* model : {"1.5b", "14b", "32b", "70b"}) {
        const Speed before = shipped_estimate(model, "Q4_K_M", machine).speed;
        const Speed after = shipped_estimate(model, "Q4_K_M", own).speed;
        if (!before.decode) continue;
        CAPTURE(model, times, machine.devices.size(), before.decode->low, before.decode->high,
                after.decode->low, after.decode->high);
        CHECK(width(after) <= width(before) * (1 + 1e-9));
        CHECK(after.decode->high.count() <= 0.95 * after.limit->count() * (1 + 1e-9));
        CHECK(after.decode->low <= after.decode->typical);
        CHECK(after.decode->typical <= after.decode->high);
      }
    }
  }
}
