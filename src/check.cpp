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
  result.failed = unmet(required, found, found.max_context);
  if (found.placement.verdict > required.verdict) {
    const Candidate candidate = candidate_of(found);
    result.ways =
        ways_to(required.verdict, catalog, candidate, question.workload, machine, question.placement);
    // Where layers were put by hand it is the hand that decides, not the hardware.
    if (found.placement.verdict > Verdict::offload && !question.placement.any()) {
      result.step_up = hardware_for(catalog, found, machine, required);
    }
  }
  return result;
}

}  // namespace r1fit
