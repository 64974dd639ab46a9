// NVIDIA's management library, loaded when it is asked for. Private to real_probe.cpp.
#pragma once

#include "r1fit/probe.hpp"

namespace r1fit {

/// What the library says, within ten seconds: a card that has failed may let it wait for ever.
NvmlAnswer ask_nvml();

}  // namespace r1fit
