// What would make a configuration fit, or fit with room to spare: flags, each tried out.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "r1fit/placement.hpp"

namespace r1fit {

/// Changes of which each alone reaches `wanted` or better: a shorter context, a quantised cache, flash
/// attention, a smaller micro-batch, the next smaller quantisation that is published. As flags, most
/// harmless first; empty where none does.
std::vector<std::string> ways_to(Verdict wanted, const Catalog& catalog, const Candidate& candidate,
                                 const Workload& workload, const Machine& machine,
                                 const PlacementRequest& request = {});

/// Whether what is tried is good enough.
using GoodEnough = std::function<bool(const Candidate&, const Workload&, const Machine&)>;

/// The same of whatever is wanted. Contexts shorter than `least` would change what is asked: they are not
/// tried, and where the one asked for is such, `least` itself is.
std::vector<std::string> ways_to(const GoodEnough& good, Tokens least, const Catalog& catalog,
                                 const Candidate& candidate, const Workload& workload, const Machine& machine,
                                 const PlacementRequest& request = {});

}  // namespace r1fit
