// The sentences of a judged claim, as table and Markdown have them.
// Private to the report_*.cpp files.
#pragma once

#include <string>
#include <vector>

#include "r1fit/claim.hpp"

namespace r1fit::parts {

/// "does not fit", "impossible".
std::string claim_verdict_text(ClaimVerdict verdict);

/// What decides, behind the verdict and a colon.
std::string claim_headline(const Claim& claim);

/// What is to be said beside: one sentence or two each.
std::vector<std::string> claim_lines(const Claim& claim);

/// What was judged: model, hardware, context.
std::vector<std::string> claim_subject(const Claim& claim);

/// "2 x GeForce RTX 5090", "Apple M3 Ultra with 96 GiB".
std::string alternative_name(const Alternative& one);

}  // namespace r1fit::parts
