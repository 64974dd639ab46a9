#include "r1fit/check.hpp"

#include "r1fit/step_up.hpp"
#include "r1fit/ways.hpp"

namespace r1fit {

Check check(const Catalog& catalog, const Question& question, const Machine& machine,
            const Requirements& required) {
  Check result;
  result.required = required;
  result.estimate = estimate(catalog, question, machine);
  const Estimate& found = result.estimate;
  if (found.placement.verdict > required.verdict) {
    result.failed.emplace_back("fit");
    const Candidate candidate = candidate_of(found);
    result.ways =
        ways_to(required.verdict, catalog, candidate, question.workload, machine, question.placement);
    // Where layers were put by hand it is the hand that decides, not the hardware.
    if (found.placement.verdict > Verdict::offload && !question.placement.any()) {
      result.step_up = hardware_for(catalog, candidate, question.workload, machine);
    }
  }
  if (required.min_tps && !(found.speed.decode && found.speed.decode->typical >= *required.min_tps)) {
    result.failed.emplace_back("min_tps");
  }
  if (required.min_context && !(found.max_context && *found.max_context >= *required.min_context)) {
    result.failed.emplace_back("min_ctx");
  }
  return result;
}

}  // namespace r1fit
