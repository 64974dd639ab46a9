// The GPUs of a machine: NVIDIA through its library, everything else by the PCI bus and what drivers show of
// themselves in /sys; what the catalogue calls each, and which of them an engine would use together.
#pragma once

#include "r1fit/detected.hpp"
#include "r1fit/probe.hpp"

namespace r1fit {

/// Adds the GPUs to what is already known of the system, the processor and the memory.
void detect_gpus(const Catalog& catalog, const Probe& probe, Detected& machine);

/// Which of the sizes that `gpu` was sold with a driver means by this figure, which is a little less as some
/// is kept by firmware; nothing where it is none of them.
std::optional<Bytes> sold_size_of(const Gpu& gpu, Bytes reported);

}  // namespace r1fit
