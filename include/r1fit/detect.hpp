// This machine, as far as it can be read without root, without starting a program and without touching a
// device. Pure: all that is asked goes through a Probe.
#pragma once

#include "r1fit/detected.hpp"
#include "r1fit/probe.hpp"

namespace r1fit {

/// Never throws because of what it reads.
Detected detect(const Catalog& catalog, const Probe& probe);

}  // namespace r1fit
