// Does exactly this run, and well enough?
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "r1fit/requirements.hpp"

namespace r1fit {

struct Check {
  Estimate estimate;
  Requirements required;
  std::optional<Tokens> longest;     ///< where a context is required: the longest one whose verdict will do
  std::vector<std::string> failed;   ///< see unmet(); empty: yes
  std::vector<std::string> ways;     ///< what would make it a yes, "--ctx 18944"; each tried out
  std::vector<std::string> step_up;  ///< hardware that would hold it where this cannot, each tried out
  [[nodiscard]] bool ok() const { return failed.empty(); }
};

/// Works the question out and holds it against the requirements. Throws Error as estimate() does.
Check check(const Catalog& catalog, const Question& question, const Machine& machine,
            const Requirements& required);

}  // namespace r1fit
