#include "r1fit/check.hpp"

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
    result.ways = ways_to(required.verdict, catalog, {found.model, found.quant, &found.weights},
                          question.workload, machine, question.placement);
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
