#include "r1fit/requirements.hpp"

namespace r1fit {

std::vector<std::string> unmet(const Requirements& required, const Estimate& estimate,
                               std::optional<Tokens> max_context) {
  std::vector<std::string> failed;
  const auto condition = [&failed](std::string name, bool holds) {
    if (!holds) failed.push_back(std::move(name));
  };
  condition("fit", estimate.placement.verdict <= required.verdict);
  if (required.min_tps) {
    const std::optional<Range<TokensPerSecond>>& speed = estimate.speed.decode;
    condition("min_tps", speed && (required.pessimistic ? speed->low : speed->typical) >= *required.min_tps);
  }
  if (required.min_context) condition("min_ctx", max_context && *max_context >= *required.min_context);
  if (required.max_answer) {
    const std::optional<Range<Seconds>>& answer = estimate.speed.answer;
    condition("max_answer_s",
              answer && (required.pessimistic ? answer->high : answer->typical) <= *required.max_answer);
  }
  return failed;
}

}  // namespace r1fit
