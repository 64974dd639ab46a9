// What hardware would hold a configuration that this machine cannot.
#pragma once

#include <string>
#include <vector>

#include "r1fit/requirements.hpp"

namespace r1fit {

/// "2 x GeForce RTX 3090", "a 64 GiB Mac", "64 GiB of RAM beside the card (2.1-4.0 tok/s)": the least of each
/// kind that meets `required`, each tried out as a machine of its own. More of the first card of `machine`, a
/// Mac that needs no raised limit, and host memory for what the cards cannot hold, which is named with the
/// words "with --require offload" where `required` wants all of it on the cards. Without a GPU a Mac or more
/// host memory; nothing where nothing is known of the machine. `found` is what this machine cannot hold.
std::vector<std::string> hardware_for(const Catalog& catalog, const Estimate& found, const Machine& machine,
                                      const Requirements& required);

}  // namespace r1fit
