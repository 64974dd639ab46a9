// What hardware would hold a configuration that this machine cannot.
#pragma once

#include <string>
#include <vector>

#include "r1fit/placement.hpp"

namespace r1fit {

/// "2 x GeForce RTX 3090", "a 64 GiB Mac", "64 GiB of RAM beside the card (2.1-4.0 tok/s)": the least of each
/// kind, each tried out as a machine of its own. More of the first card of `machine`, a Mac that needs no
/// raised limit, and host memory for what the cards cannot hold. Empty where the machine has no GPU.
std::vector<std::string> hardware_for(const Catalog& catalog, const Candidate& candidate,
                                      const Workload& workload, const Machine& machine);

}  // namespace r1fit
