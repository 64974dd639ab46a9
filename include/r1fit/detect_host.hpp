// What surrounds the GPUs: system, processor, memory with the limits of a container, disk.
#pragma once

#include "r1fit/detected.hpp"
#include "r1fit/probe.hpp"

namespace r1fit {

DetectedSystem detect_system(const Probe& probe);
DetectedCpu detect_cpu(const Probe& probe);
/// Modules are looked for on real computers only: what a virtual machine is shown are not its own.
DetectedRam detect_ram(const Probe& probe, const DetectedSystem& system);
/// Where the engines keep what they download by default: below the user's folder.
DetectedDisk detect_disk(const Probe& probe);

/// The largest caches of all processors together.
std::optional<Bytes> last_level_cache(const Probe& probe);

/// Sets the platform of `cpu`: that of the board, of the processor's name, or of a PC with such modules,
/// where the catalogue has exactly one. A virtual machine has none, since its share of the bandwidth is not
/// known.
void find_platform(const Catalog& catalog, const DetectedSystem& system, const DetectedRam& ram,
                   DetectedCpu& cpu);

}  // namespace r1fit
