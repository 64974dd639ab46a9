#include "r1fit/this_machine.hpp"

#include <algorithm>
#include <cmath>

#include "r1fit/detect_gpus.hpp"
#include "r1fit/units_text.hpp"

namespace r1fit {
namespace {

/// Bandwidths this close are one: 5,600 MT/s are 89.6 GB/s, firmware prints 5,586.
constexpr double kSameBandwidth = 0.02;

/// How far above what a driver reports the size on the box may be.
constexpr double kMostMissing = 1.09;

/// The size a card of that much memory was sold with, so that cards of its size can stand for it.
Bytes nominal_size(const Catalog& catalog, Bytes reported) {
  std::optional<Bytes> nearest;
  for (const Gpu& gpu : catalog.gpus) {
    if (gpu.unified_memory) continue;
    for (const Bytes size : gpu.memory) {
      const double share = ratio(size, reported);
      if (share >= 1 && share <= kMostMissing && (!nearest || size < *nearest)) nearest = size;
    }
  }
  return nearest.value_or(reported);
}

/// The nearest of the sizes it was sold with: what was reported stands for it anyway.
Bytes nearest_sold(const Gpu& gpu, Bytes reported) {
  if (const auto sold = sold_size_of(gpu, reported)) return *sold;
  return *std::ranges::min_element(
      gpu.memory, {}, [&](Bytes size) { return std::abs(static_cast<double>((size - reported).count())); });
}

GpuQuery query_of(const Catalog& catalog, const DetectedGpu& gpu, const DetectedRam& ram) {
  GpuQuery query;
  const Bytes total = gpu.memory->value;
  query.reported = Reported{total, std::nullopt, gpu.name};
  if (gpu.gpu != nullptr) {
    query.name = gpu.gpu->id;
    query.memory = nearest_sold(*gpu.gpu, total);
  } else {
    query.memory = gpu.bandwidth ? total : nominal_size(catalog, total);
    query.bandwidth = gpu.bandwidth;
  }
  if (gpu.integrated) {
    if (gpu.limit) query.reported->limit = gpu.limit->value;
    if (ram.limit && (!gpu.limit || ram.limit->value < gpu.limit->value))
      query.reported->limit = ram.limit->value;
  } else if (gpu.in_use) {
    query.in_use = gpu.in_use->value;
  }
  return query;
}

/// "62.5": as many decimals as tell sizes of memory apart.
std::string gib_flag(Bytes size) {
  constexpr double tenths = 10;
  const double rounded = std::floor(in_gib(size) * tenths) / tenths;
  return fixed_text(rounded, rounded == std::floor(rounded) ? 0 : 1);
}

std::string without_commas(std::string text) {
  std::erase(text, ',');
  return text;
}

}  // namespace

HardwareQuery query_of(const Catalog& catalog, const Detected& machine) {
  HardwareQuery query;
  query.detected = true;
  bool unified = false;
  for (const DetectedGpu& gpu : machine.gpus) {
    if (!gpu.used) continue;
    query.gpus.push_back(query_of(catalog, gpu, machine.ram));
    unified = unified || gpu.integrated;
  }
  if (machine.wired_limit) query.wired_limit = machine.wired_limit->value;
  if (unified) return query;  // the memory is the GPU's
  query.ram = machine.ram.usable();
  if (!query.ram) return query;
  if (machine.cpu.cores) query.cores = machine.cpu.cores->value;
  if (const auto& limit = machine.cpu.limit)
    query.cores = std::min(query.cores.value_or(limit->value), limit->value);
  const Host* platform = machine.cpu.platform;
  if (platform != nullptr) query.cpu = platform->id;
  const auto read = machine.ram.modules ? machine.ram.modules->value.bandwidth : std::nullopt;
  const bool differs = read && (platform == nullptr ||
                                std::abs(read->count() / platform->bandwidth.count() - 1) > kSameBandwidth);
  if (differs) query.ram_bandwidth = read;
  return query;
}

HardwareQuery overridden(HardwareQuery detected, const HardwareQuery& said) {
  HardwareQuery query = std::move(detected);
  query.here = said.here;
  if (!said.gpus.empty()) {
    query.gpus = said.gpus;
    query.wired_limit.reset();
  }
  query.ram_detected = !said.ram;
  if (said.ram) query.ram = said.ram;
  if (!said.cpu.empty()) {
    query.cpu = said.cpu;
    query.ram_bandwidth.reset();
    query.cores.reset();
  }
  if (said.cores) query.cores = said.cores;
  if (said.ram_bandwidth) query.ram_bandwidth = said.ram_bandwidth;
  if (said.wired_limit || said.wired_limit_share) {
    query.wired_limit = said.wired_limit;
    query.wired_limit_share = said.wired_limit_share;
  }
  query.disk_bandwidth = said.disk_bandwidth;
  query.downlink = said.downlink;
  query.reserve = said.reserve;
  query.desktop = said.desktop;
  query.backend = said.backend;
  return query;
}

std::vector<std::string> flags_of(const HardwareQuery& query) {
  std::vector<std::string> flags;
  std::string sizes;  // of nameless cards
  std::optional<BytesPerSecond> bandwidth;
  const auto counted = [&](std::size_t& i) {
    std::size_t last = i;
    const GpuQuery& gpu = query.gpus[i];
    while (last + 1 < query.gpus.size() && query.gpus[last + 1].name == gpu.name &&
           query.gpus[last + 1].memory == gpu.memory)
      ++last;
    const std::size_t count = last - i + 1;
    i = last;
    return count > 1 ? std::to_string(count) + "x" : std::string();
  };
  for (std::size_t i = 0; i < query.gpus.size(); ++i) {
    const GpuQuery& gpu = query.gpus[i];
    const std::string count = counted(i);
    if (gpu.name.empty()) {
      sizes += (sizes.empty() ? "" : ",") + count + gib_flag(*gpu.memory);
      bandwidth = gpu.bandwidth;
    } else {
      flags.insert(flags.end(), {"--gpu", count.empty() ? gpu.name : count + " " + gpu.name});
      if (gpu.reported && query.gpus.size() == 1 && !query.ram)
        flags.insert(flags.end(), {"--memory", gib_flag(*gpu.memory)});
    }
  }
  // Both kinds together cannot be said in flags.
  if (!sizes.empty() && !flags.empty()) return {};
  if (!sizes.empty()) flags.insert(flags.end(), {"--vram", sizes});
  if (bandwidth)
    flags.insert(flags.end(), {"--bandwidth", without_commas(fixed_text(in_gb_per_s(*bandwidth), 0))});
  if (!query.gpus.empty() && query.gpus.front().in_use) {
    const std::string size = gib_flag(*query.gpus.front().in_use + gib(0.05));
    if (size != "0") flags.insert(flags.end(), {"--reserve", size});
  }
  if (query.ram) flags.insert(flags.end(), {"--ram", without_commas(gib_flag(*query.ram))});
  if (!query.cpu.empty()) flags.insert(flags.end(), {"--cpu", query.cpu});
  if (query.cores) flags.insert(flags.end(), {"--cores", std::to_string(*query.cores)});
  if (query.ram_bandwidth)
    flags.insert(flags.end(),
                 {"--ram-bandwidth", without_commas(fixed_text(in_gb_per_s(*query.ram_bandwidth), 1))});
  if (query.wired_limit) flags.insert(flags.end(), {"--wired-limit", gib_flag(*query.wired_limit)});
  return flags;
}

}  // namespace r1fit
