// The part of --explain about waiting: the prompt, the answer, the load, the speed as the context fills.
// Private to explain.cpp.
#pragma once

#include <string>

#include "r1fit/report.hpp"
#include "report_parts.hpp"

namespace r1fit {

std::string explain_waits(const Estimate& estimate, const Machine& machine, const Style& style,
                          parts::SourceList& sources);

}  // namespace r1fit
