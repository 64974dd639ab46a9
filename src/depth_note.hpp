// The remark on a depth that is beyond the context. Private to notes.cpp and claim.cpp.
#pragma once

#include <optional>

#include "r1fit/estimate.hpp"

namespace r1fit {

/// At which depth the speed is, and what it takes for the one asked about; nothing where it is that one.
std::optional<Note> depth_note(const Estimate& estimate);

}  // namespace r1fit
