#include "r1fit/detect.hpp"

#include <algorithm>
#include <string>

#include "r1fit/detect_gpus.hpp"
#include "r1fit/detect_host.hpp"
#include "r1fit/units_text.hpp"

namespace r1fit {
namespace {

/// What the reader should know beside the facts, because it changes what the answers mean.
void add_remarks(Detected& machine) {
  const auto any = [&](auto&& is) { return std::ranges::any_of(machine.gpus, is); };
  if (!machine.nvml_problem.empty()) {
    machine.remarks.push_back("NVIDIA's library (NVML) does not answer: " + machine.nvml_problem +
                              ". What uses the memory of its cards is not known.");
  }
  if (machine.system.hosting == Hosting::wsl) {
    machine.remarks.emplace_back(
        "WSL2 gives Linux part of the computer's memory (`memory=` in .wslconfig) and shows no cards but "
        "NVIDIA's.");
  }
  // What is in use may be what the reader will close before he loads a model.
  constexpr int parts = 2;
  const std::optional<Bytes> ram = machine.ram.usable();
  if (ram && machine.ram.available && machine.ram.available->value < *ram / parts) {
    machine.remarks.push_back("Of the RAM " + gib_text(machine.ram.available->value) +
                              " are available now; answers count on all but what the system itself keeps.");
  }
  for (const DetectedGpu& gpu : machine.gpus) {
    if (!gpu.used || !gpu.limit || !gpu.memory || gpu.limit->value * parts > gpu.memory->value + gib(4.0))
      continue;
    machine.remarks.push_back("The driver lets the GPU take " + gib_text(gpu.limit->value) + " of " +
                              gib_text(gpu.memory->value) +
                              "; the kernel parameter ttm.pages_limit (pages of 4 KiB) raises that.");
  }
  if (any([](const DetectedGpu& gpu) { return gpu.used && gpu.driver == "nouveau"; })) {
    machine.remarks.emplace_back("CUDA needs NVIDIA's own driver; the card runs on nouveau.");
  }
  if (any([](const DetectedGpu& gpu) { return gpu.used && gpu.gpu == nullptr && !gpu.bandwidth; })) {
    machine.remarks.emplace_back(
        "A card that the catalogue does not have counts by its memory; its speed is that of cards of this "
        "size until you give --vram and --bandwidth.");
  }
}

}  // namespace

Detected detect(const Catalog& catalog, const Probe& probe) {
  Detected machine;
  machine.system = detect_system(probe);
  machine.cpu = detect_cpu(probe);
  machine.ram = detect_ram(probe, machine.system);
  machine.disk = detect_disk(probe);
  find_platform(catalog, machine.system, machine.ram, machine.cpu);
  detect_gpus(catalog, probe, machine);
  add_remarks(machine);
  return machine;
}

}  // namespace r1fit
