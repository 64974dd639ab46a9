// The phrases of a plan, as table and Markdown have them.
// Private to the report_*.cpp files.
#pragma once

#include <string>
#include <vector>

#include "r1fit/plan.hpp"

namespace r1fit::parts {

/// "2 x GeForce RTX 3090", "512 GiB Apple M3 Ultra", "384 GiB RAM, epyc-genoa".
std::string planned_name(const PlannedMachine& machine);
/// "384 GiB RAM, epyc-genoa" beside a card; empty where there is no such part.
std::string planned_memory(const PlannedMachine& machine);

/// What is asked for, a sentence each.
std::vector<std::string> plan_subject(const Plan& plan);
/// How many machines do it, or what comes nearest.
std::string plan_answer(const Plan& plan);
/// What the columns mean and what is left out: a sentence each, those alone that bear on the rows.
std::vector<std::string> plan_remarks(const Plan& plan);

/// One column of figures.
struct PlanColumn {
  std::string head;
  std::string (*cell)(const PlannedMachine&);
};
/// Those that say something of these rows; the name of the machine is not among them.
std::vector<PlanColumn> plan_columns(const Plan& plan);

}  // namespace r1fit::parts
