// This machine in the words of the hardware flags.
#pragma once

#include "r1fit/detected.hpp"
#include "r1fit/query.hpp"

namespace r1fit {

/// What was detected as a query: the cards that are used, the memory, and the platform where it is known.
HardwareQuery query_of(const Catalog& catalog, const Detected& machine);

/// What flags say in place of what was detected: cards replace all cards, everything else the fact it is of.
/// A downlink, a backend and a desktop are only ever said.
HardwareQuery overridden(HardwareQuery detected, const HardwareQuery& said);

/// The flags that describe the same machine elsewhere: {"--gpu", "2x rtx-3090", "--ram", "64"}. Empty where
/// nothing is known.
std::vector<std::string> flags_of(const HardwareQuery& query);

}  // namespace r1fit
