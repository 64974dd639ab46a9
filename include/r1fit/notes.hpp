// Remarks on an estimate: the traps that people fall into, said where they apply.
#pragma once

#include <string>
#include <vector>

#include "r1fit/placement.hpp"

namespace r1fit {

struct Estimate;

/// A remark with a stable code for scripts.
struct Note {
  std::string code;
  std::string text;  ///< one or two sentences
};

/// The remarks that apply, those that change a decision first.
std::vector<Note> notes_on(const Catalog& catalog, const Candidate& candidate, const Machine& machine,
                           const Estimate& estimate);

}  // namespace r1fit
