#include "r1fit/check.hpp"

#include <algorithm>

#include "last_good.hpp"
#include "r1fit/step_up.hpp"
#include "r1fit/ways.hpp"

namespace r1fit {
namespace {

/// One check: what is asked, and what has to hold of it.
class Checker {
 public:
  Checker(const Catalog& catalog, const Question& question, const Requirements& required)
      : catalog_(catalog), question_(question), required_(required) {}

  /// The longest context whose verdict will do, whatever is left free with it.
  [[nodiscard]] std::optional<Tokens> longest(const Candidate& candidate, const Machine& machine) const {
    constexpr std::int64_t step = 256;
    const auto most = static_cast<int>(candidate.model->max_context.count() / step);
    const std::optional<int> steps = last_good(1, most, [&](int tried) {
      return holds(candidate, question_.workload, machine, tokens(tried * step));
    });
    std::optional<Tokens> found;
    if (steps) found = tokens(*steps * step);
    // Between two steps there may be room for just what is asked.
    if ((!found || *found < *required_.min_context) &&
        holds(candidate, question_.workload, machine, *required_.min_context))
      found = required_.min_context;
    return found;
  }

  /// Flags of which each alone makes it a yes.
  [[nodiscard]] std::vector<std::string> ways(const Estimate& found, const Machine& machine) const {
    const auto good = [this](const Candidate& candidate, const Workload& workload, const Machine& on) {
      return meets(candidate, workload, on);
    };
    return ways_to(good, least_context(found), catalog_, candidate_of(found), question_.workload, machine,
                   question_.placement);
  }

 private:
  [[nodiscard]] bool holds(const Candidate& candidate, Workload workload, const Machine& machine,
                           Tokens context) const {
    if (context > candidate.model->max_context) return false;
    workload.context = context;
    return place(candidate, workload, machine, question_.placement).verdict <= required_.verdict;
  }

  [[nodiscard]] bool meets(const Candidate& candidate, const Workload& workload,
                           const Machine& machine) const {
    if (!holds(candidate, workload, machine, workload.context)) return false;
    if (required_.min_context && !holds(candidate, workload, machine, *required_.min_context)) return false;
    if (!required_.min_tps && !required_.max_answer) return true;
    Question question = question_;
    question.quant = candidate.quant;
    question.workload = workload;
    if (!objection(question).empty() || !split_objection(catalog_, question, machine).empty()) return false;
    return unmet(required_, evaluate(catalog_, question, machine), required_.min_context).empty();
  }

  /// In a context shorter than the depth the speed would be another one, and an answer that it does not hold
  /// takes no time that could be stated.
  [[nodiscard]] Tokens least_context(const Estimate& found) const {
    const Workload& workload = question_.workload;
    Tokens least;
    if (required_.min_tps) least = std::min(workload.depth, workload.context);
    if (required_.max_answer && found.waits.length.thinking) {
      const Tokens all = workload.prompt + found.waits.length.thinking->typical + found.waits.length.answer;
      least = std::max(least, all * (workload.kv_unified ? 1 : workload.parallel));
    }
    return least;
  }

  const Catalog& catalog_;
  const Question& question_;
  const Requirements& required_;
};

}  // namespace

Check check(const Catalog& catalog, const Question& question, const Machine& machine,
            const Requirements& required) {
  Check result;
  result.required = required;
  result.estimate = estimate(catalog, question, machine);
  const Estimate& found = result.estimate;
  const Checker checker(catalog, question, required);
  if (required.min_context) result.longest = checker.longest(candidate_of(found), machine);
  result.failed = unmet(required, found, result.longest);
  if (!result.ok()) result.ways = checker.ways(found, machine);
  // Where layers were put by hand it is the hand that decides, not the hardware.
  if (found.placement.verdict > std::max(required.verdict, Verdict::offload) && !question.placement.any())
    result.step_up = hardware_for(catalog, found, machine, required);
  return result;
}

}  // namespace r1fit
