// How long one waits: prefill speed, time to the first token, time to an answer.
#pragma once

#include "r1fit/throughput.hpp"

namespace r1fit {

/// Fills prefill, ttft and answer of `speed`, which speed_of() made for the same question; what is not known
/// stays unset.
void add_waits(const Candidate& candidate, const Workload& workload, const Machine& machine,
               const Placement& placement, Speed& speed);

}  // namespace r1fit
