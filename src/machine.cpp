#include "r1fit/machine.hpp"

#include <algorithm>
#include <string>
#include <tuple>

#include "r1fit/error.hpp"

namespace r1fit {
namespace {

/// Unified memory: the limit is shared with the compositor and whatever else draws, about which nothing was
/// measured, so more is left free than on a card.
constexpr double kUnifiedMarginShare = 0.025;
constexpr Bytes kUnifiedMargin = gib(1.0);

/// Left to the system and other programs before host memory counts as usable: 5 %, at least 2 and at most
/// 8 GiB. An allowance of ours, not a measurement.
constexpr double kHostReserveShare = 0.05;
constexpr Bytes kHostReserveLeast = gib(2.0);
constexpr Bytes kHostReserveMost = gib(8.0);

/// What a raised Apple limit must leave for macOS itself: 8 GiB, a quarter of a small Mac. An allowance of
/// ours.
constexpr Bytes kMacSystem = gib(8.0);
constexpr double kMacSystemShare = 0.25;

Bytes kept_by_system(Bytes memory) {
  return std::min(memory, std::clamp(share(memory, kHostReserveShare), kHostReserveLeast, kHostReserveMost));
}

double working_set_share(const WorkingSetRegime& regime, Bytes memory) {
  double share = 0;
  for (const WorkingSetStep& step : regime.steps) {
    share = step.share;
    if (memory <= step.up_to) break;
  }
  return share;
}

const WorkingSetRegime* regime(const Catalog& catalog, std::string_view id) {
  const auto found = std::ranges::find(catalog.working_sets, id, &WorkingSetRegime::id);
  return found == catalog.working_sets.end() ? nullptr : &*found;
}

const RuntimeClass* runtime_class(const Catalog& catalog, std::string_view id) {
  const auto found = std::ranges::find(catalog.runtime_classes, id, &RuntimeClass::id);
  return found == catalog.runtime_classes.end() ? nullptr : &*found;
}

/// The runtime class of a card under a backend that is not its usual one.
const RuntimeClass* runtime_under(const Catalog& catalog, const Gpu& gpu, Backend backend) {
  if (backend == gpu.backend) return gpu.runtime;
  const RuntimeClass* other = runtime_class(catalog, word(backend));
  return other != nullptr ? other : gpu.runtime;
}

/// The class of a card under a backend: its usual one, or that of the same cards under another.
const SpeedClass* speed_under(const Catalog& catalog, const Gpu& gpu, Backend backend) {
  const auto covers = [backend](const SpeedClass& speed) {
    return std::ranges::find(speed.backends, backend) != speed.backends.end();
  };
  if (covers(*gpu.speed)) return gpu.speed;
  for (const SpeedClass& other : catalog.speed_classes) {
    if (other.of == gpu.speed->id && covers(other)) return &other;
  }
  return gpu.speed;
}

/// What is left free: where it is not known well what else takes memory, as much more.
Bytes margin_of(const Reserve& reserve, Bytes spread_of_runtime) {
  Bytes margin = std::max(reserve.stated ? kStatedMargin : kDeviceMargin, spread_of_runtime);
  if (!reserve.fixed && reserve.desktop != nullptr)
    margin = std::max(margin, reserve.desktop->high - reserve.desktop->typical);
  return margin;
}

Bytes reserved(const Reserve& reserve) {
  if (reserve.fixed) return *reserve.fixed;
  return reserve.desktop != nullptr ? reserve.desktop->typical : Bytes{};
}

void set_unified_limits(const Catalog& catalog, Device& device, const WiredLimit& wired) {
  device.margin = std::max(kUnifiedMargin, share(device.capacity, kUnifiedMarginShare));
  if (wired.size) {
    if (*wired.size > device.capacity) {
      throw Error("--wired-limit is more than the memory of " + device.name);
    }
    device.wired = *wired.size;
    device.budget = *wired.size;
    device.stretched = *wired.size;
    return;
  }
  const WorkingSetRegime* older = regime(catalog, "older");
  const WorkingSetRegime* newer = regime(catalog, "newer");
  // For planning without the machine the older, smaller limit is the safe one.
  device.working_set = older;
  device.budget = older != nullptr ? share(device.capacity, working_set_share(*older, device.capacity))
                                   : share(device.capacity, 2.0 / 3.0);
  const Bytes by_system =
      newer != nullptr ? share(device.capacity, working_set_share(*newer, device.capacity)) : device.budget;
  const Bytes raised = device.capacity - std::min(kMacSystem, share(device.capacity, kMacSystemShare));
  device.stretched = std::max({device.budget, by_system, raised});
  device.stretch = wired_limit_command(device.stretched);
}

bool discrete(const Gpu& gpu) { return !gpu.unified_memory; }

bool has_size(const Gpu& gpu, Bytes memory) {
  return std::ranges::find(gpu.memory, memory) != gpu.memory.end();
}

/// The cards a nameless one may be: what people put into a PC or a workstation; where there is none of that
/// size, every discrete one.
std::vector<const Gpu*> cards_of_size(const Catalog& catalog, Bytes memory) {
  std::vector<const Gpu*> cards;
  const auto collect = [&](auto&& accept) {
    for (const Gpu& gpu : catalog.gpus) {
      if (discrete(gpu) && has_size(gpu, memory) && accept(gpu)) cards.push_back(&gpu);
    }
  };
  collect([](const Gpu& gpu) {
    return gpu.device_class == DeviceClass::desktop || gpu.device_class == DeviceClass::workstation;
  });
  if (cards.empty()) collect([](const Gpu&) { return true; });
  std::ranges::stable_sort(cards, {}, [](const Gpu* gpu) { return gpu->bandwidth; });
  return cards;
}

}  // namespace

std::string wired_limit_command(Bytes limit) {
  return "sudo sysctl iogpu.wired_limit_mb=" + std::to_string(static_cast<std::int64_t>(in_mib(limit)));
}

Device make_device(const Catalog& catalog, const Gpu& gpu, Bytes memory, std::optional<Backend> backend,
                   const Reserve& reserve, const WiredLimit& wired) {
  Device device;
  device.name = gpu.id;
  device.gpu = &gpu;
  // What a driver reports says nothing of a size that was never sold, which a claim may name.
  const bool reported = gpu.real_total && *gpu.real_total <= memory && has_size(gpu, memory);
  device.capacity = reported ? *gpu.real_total : memory;
  device.backend = backend.value_or(gpu.backend);
  device.unified = gpu.unified_memory;
  device.bandwidth = gpu.bandwidth;
  device.splits = catalog.splits;
  device.speed = speed_under(catalog, gpu, device.backend);
  for (const MeasuredDevice& measured : catalog.measured_devices) {
    if (measured.gpu == &gpu && measured.speed == device.speed) device.measured = &measured;
  }
  const RuntimeClass* runtime = runtime_under(catalog, gpu, device.backend);
  device.runtime = runtime->typical;
  if (gpu.vendor == Vendor::apple) {
    set_unified_limits(catalog, device, wired);
  } else if (device.unified) {
    // A system on a chip without a known limit: what the operating system needs comes out of it.
    device.budget = device.capacity - kept_by_system(device.capacity);
    device.stretched = device.budget;
    device.margin = std::max(kUnifiedMargin, share(device.capacity, kUnifiedMarginShare));
  } else {
    device.budget = device.capacity;
    device.stretched = device.budget;
    device.margin = margin_of(reserve, runtime->high - runtime->typical);
  }
  const Bytes kept = reserved(reserve);
  device.reserved = kept;
  device.budget -= std::min(kept, device.budget);
  device.stretched -= std::min(kept, device.stretched);
  return device;
}

Device make_nameless_device(const Catalog& catalog, Bytes memory, std::optional<BytesPerSecond> bandwidth,
                            std::optional<Backend> backend, const Reserve& reserve) {
  Device device;
  device.capacity = memory;
  device.backend = backend.value_or(Backend::cuda);
  device.splits = catalog.splits;
  device.stand_ins = cards_of_size(catalog, memory);
  device.bandwidth = bandwidth;
  device.margin = margin_of(reserve, Bytes{});
  // The most any card of that size takes, so that "fits" holds whichever it is.
  for (const Gpu* gpu : device.stand_ins) device.runtime = std::max(device.runtime, gpu->runtime->typical);
  if (device.stand_ins.empty()) {
    for (const RuntimeClass& runtime : catalog.runtime_classes) {
      if (runtime.id == "cuda-ada") device.runtime = runtime.typical;
    }
  }
  device.reserved = reserved(reserve);
  device.budget = memory - std::min(device.reserved, memory);
  device.stretched = device.budget;
  return device;
}

void apply_reported(const Reported& reported, Device& device) {
  const Bytes raised = device.stretched - device.budget;
  const bool is_mac = device.gpu != nullptr && device.gpu->vendor == Vendor::apple;
  if (!is_mac) {
    device.capacity = reported.total;
    device.budget = device.unified ? reported.total - kept_by_system(reported.total) : reported.total;
    device.budget -= std::min(device.reserved, device.budget);
  }
  if (reported.limit) device.budget = std::min(device.budget, *reported.limit);
  device.stretched = device.budget + raised;
  if (device.gpu == nullptr) device.name = reported.name;
}

const CardSplit* split_cost(const Machine& machine, SplitMode split) {
  if (machine.devices.empty()) return nullptr;
  const List<CardSplit> splits = machine.devices.front().splits;
  const auto found = std::ranges::find(splits, word(split), &CardSplit::id);
  return found == splits.end() ? nullptr : &*found;
}

void order_devices(Machine& machine) {
  std::ranges::stable_sort(machine.devices, [](const Device& a, const Device& b) {
    const auto key = [](const Device& device) {
      return std::tuple(device.capacity, device.bandwidth.value_or(BytesPerSecond{}));
    };
    if (key(a) != key(b)) return key(a) > key(b);
    return a.name < b.name;
  });
}

Bytes gpu_memory(const Machine& machine) {
  Bytes total;
  for (const Device& device : machine.devices) total += device.unified ? device.budget : device.capacity;
  return total;
}

HostMemory make_host(const Catalog& catalog, std::optional<Bytes> ram, const Host* platform,
                     std::optional<BytesPerSecond> bandwidth) {
  HostMemory host;
  host.ram = ram;
  host.platform = platform;
  if (ram) host.budget = *ram - kept_by_system(*ram);
  if (platform != nullptr) {
    host.bandwidth = platform->bandwidth;
    host.speed = platform->speed;
    for (const MeasuredDevice& measured : catalog.measured_devices) {
      if (measured.host == platform) host.measured = &measured;
    }
  }
  if (bandwidth) host.bandwidth = bandwidth;
  if (platform == nullptr && ram) {
    // Some PC while a PC can hold that much; beyond it, whatever single-socket platform can.
    const auto collect = [&](bool desktop) {
      for (const Host& candidate : catalog.hosts) {
        if (candidate.desktop != desktop || candidate.sockets != 1) continue;
        if (candidate.max_memory && *candidate.max_memory >= *ram) host.stand_ins.push_back(&candidate);
      }
    };
    collect(true);
    if (host.stand_ins.empty()) collect(false);
    std::ranges::stable_sort(host.stand_ins, {}, [](const Host* h) { return h->bandwidth; });
  }
  return host;
}

}  // namespace r1fit
