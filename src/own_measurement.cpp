#include "r1fit/own_measurement.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "r1fit/error.hpp"
#include "r1fit/throughput.hpp"
#include "r1fit/units_text.hpp"

namespace r1fit {
namespace {

/// Further off than this a run says that something went wrong, not how fast the hardware is.
constexpr double kMostTimesOff = 10;

/// So many of the latest runs of a device count: what older ones add is little, and each takes some
/// microseconds to be compared with what is expected of it.
constexpr std::size_t kMostCounted = 8;

/// The machine that ran it. What ran did fit, however little our own margins would leave.
Machine machine_of(const Catalog& catalog, const OwnMeasurement& measurement, const HostMemory* known) {
  constexpr std::int64_t plenty = 64;
  Machine machine;
  for (const Gpu* gpu : measurement.gpus) {
    Device device = make_device(catalog, *gpu, gpu->memory.back(), measurement.backend, {}, {});
    device.budget = device.budget * plenty;
    device.stretched = device.budget;
    machine.devices.push_back(std::move(device));
  }
  order_devices(machine);
  machine.host = make_host(catalog, gib(4096), measurement.host, {});
  if (known != nullptr) {
    machine.host.bandwidth = known->bandwidth;
    machine.host.cores = known->cores;
  }
  return machine;
}

using Kinds = std::set<const Gpu*>;

Kinds kinds_of(const OwnMeasurement& measurement) {
  return {measurement.gpus.begin(), measurement.gpus.end()};
}

Kinds kinds_of(const Machine& machine) {
  Kinds kinds;
  for (const Device& device : machine.devices) kinds.insert(device.gpu);
  return kinds;
}

}  // namespace

Expected expected_of(const Catalog& catalog, const OwnMeasurement& measurement, const HostMemory* known) {
  constexpr std::int64_t step = 256;
  Workload workload;
  workload.depth = measurement.depth;
  workload.context = std::max(tokens(8192), tokens((measurement.depth.count() / step + 1) * step));
  workload.kv_k = measurement.kv_k;
  workload.kv_v = measurement.kv_v;
  workload.flash_attention = measurement.flash_attention;
  const Weights weights = weights_of(catalog, *measurement.model, *measurement.quant, workload);
  const Candidate candidate{measurement.model, measurement.quant, &weights};
  const Machine machine = machine_of(catalog, measurement, known);
  const Placement placement = place(candidate, workload, machine);
  const Speed speed = speed_of(candidate, workload, machine, placement);
  const PlacementMode mode = measurement.gpus.empty() ? PlacementMode::cpu : PlacementMode::gpu;
  if (placement.mode != mode || speed.steps.empty() || !speed.limit) {
    throw Error(std::string(measurement.model->id) + " " + std::string(measurement.quant->id) +
                " cannot be laid out as it is said to have run");
  }
  // The limit holds back what is said of a speed, not what is known of the processor.
  SecondsPerToken time = speed.hand_over;
  Expected expected{{}, *speed.limit, {}, speed.steps.front().processor.bandwidth};
  for (const DecodeStep& one : speed.steps) {
    time += one.total();
    expected.read += one.work.read();
    if (one.processor.bandwidth != speed.steps.front().processor.bandwidth) expected.bandwidth.reset();
  }
  expected.decode = rate(time);
  return expected;
}

std::string disbelief(const OwnMeasurement& measurement, const Expected& expected) {
  const auto speed_text = [](TokensPerSecond speed) {
    return fixed_text(speed.count(), speed.count() < 100 ? 1 : 0) + " tok/s";
  };
  const std::string measured = speed_text(measurement.decode);
  if (measurement.decode > expected.limit) {
    if (!expected.bandwidth)
      return measured + " is above the " + speed_text(expected.limit) + " that the memories allow at most";
    const BytesPerSecond needed = BytesPerSecond::of(measurement.decode.count() * expected.read.count());
    return measured + " x " + gb_text(expected.read) + " = " + rate_text(needed) + ", above the " +
           (measurement.gpus.empty() ? "memory's " : "card's ") + rate_text(*expected.bandwidth);
  }
  if (measurement.decode * kMostTimesOff < expected.decode) {
    return measured + " is less than a tenth of the " + speed_text(expected.decode) +
           " to be expected: part of the model was elsewhere, or something else kept the hardware busy";
  }
  return {};
}

void add_own(const Catalog& catalog, const std::vector<OwnMeasurement>& measurements, Machine& machine) {
  const Kinds asked = kinds_of(machine);
  for (std::size_t i = measurements.size(); i-- > 0;) {
    const OwnMeasurement& measurement = measurements[i];
    const Kinds ran = kinds_of(measurement);
    const auto same_card = [&](const Device& device) {
      return device.gpu != nullptr && device.backend == measurement.backend &&
             device.own.size() < kMostCounted &&
             (ran == Kinds{device.gpu} || (ran == asked && ran.contains(device.gpu)));
    };
    const bool on_host =
        ran.empty() && measurement.host == machine.host.platform && machine.host.own.size() < kMostCounted;
    if (!on_host && std::ranges::none_of(machine.devices, same_card)) continue;
    const Expected expected = expected_of(catalog, measurement, on_host ? &machine.host : nullptr);
    // The catalogue in use may not be the one that believed it.
    if (!disbelief(measurement, expected).empty()) continue;
    const OwnRun run{measurement.model->shape, measurement.quant,
                     std::log(measurement.decode.count() / expected.decode.count()), measurement.date};
    if (on_host) machine.host.own.push_back(run);
    for (Device& device : machine.devices) {
      if (same_card(device)) device.own.push_back(run);
    }
  }
}

}  // namespace r1fit
