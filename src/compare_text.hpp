// The phrases and tables of a comparison, as table and Markdown have them.
// Private to the report_*.cpp files.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "r1fit/compare.hpp"
#include "r1fit/text_table.hpp"

namespace r1fit::parts {

/// Some figures of every machine, which the first cell of its row numbers.
struct ComparedTable {
  std::string title;
  std::vector<Column> columns;
  std::vector<std::vector<std::string>> rows;
};

/// What runs on all: context, cache, engine.
std::string compared_workload(const Comparison& comparison, const RecommendRequest& request);
/// What each machine is, in order.
std::vector<std::string> compared_hardware(const Comparison& comparison);

ComparedTable picks_table(const Comparison& comparison, Use use);
/// Without a model that is compared on all it has no rows, and the title says why.
ComparedTable same_table(const Comparison& comparison);
/// The head of its last column, which leaves a narrow table first.
inline constexpr std::string_view kPer100Watts = "/100 W";
/// What the columns mean and what is left out: one sentence or several; empty where that table has no rows.
std::string same_remark(const Comparison& comparison, bool with_per_100_watts);
/// "2: 18.4 GiB short", for each machine where the model does not do what is needed.
std::vector<std::string> same_lacks(const Comparison& comparison);

/// Whether anything runs as asked on any of them; else there is nothing to set side by side.
bool any_picks(const Comparison& comparison);

/// "What each cannot do ...", with the speed that counts.
std::string missed_title();
/// What each machine lacks that others have, in order; empty where none lacks anything.
std::vector<std::string> missed_texts(const Comparison& comparison);
/// What is said instead where none lacks anything.
inline constexpr std::string_view kNothingMissed =
    "Nothing: each runs the best model that any of them runs at that speed.";

/// What an engine may use of the memory in which the model lies.
Bytes usable(const Estimate& estimate, const Machine& machine);

}  // namespace r1fit::parts
