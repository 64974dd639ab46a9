// What has to hold of an estimate for it to be good enough.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "r1fit/estimate.hpp"

namespace r1fit {

struct Requirements {
  Verdict verdict = Verdict::tight;                       ///< this one or a better one
  std::optional<TokensPerSecond> min_tps = std::nullopt;  ///< of the decode speed
  std::optional<Tokens> min_context = std::nullopt;       ///< of the longest context; see unmet()
  std::optional<Seconds> max_answer = std::nullopt;  ///< of the time to an answer to an everyday question
  bool pessimistic = false;  ///< the slow end of the ranges has to hold, not the typical value
};

/// Names of the conditions that do not hold, as JSON has them: "fit", "min_tps", "min_ctx", "max_answer_s".
/// What is not known does not hold. `max_context` is only looked at where a context is required.
std::vector<std::string> unmet(const Requirements& required, const Estimate& estimate,
                               std::optional<Tokens> max_context);

}  // namespace r1fit
