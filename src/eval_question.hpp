// What the tables of the evaluation share: the columns that say what was asked of an engine.
#pragma once

#include <initializer_list>
#include <span>
#include <string_view>

#include "csv.hpp"
#include "r1fit/workload.hpp"

namespace r1fit {

/// The place of a cell's word in `words`; `missing` stands for an empty cell. Throws Error.
std::size_t choice(const CsvTable& table, std::size_t row, std::initializer_list<std::string_view> columns,
                   std::span<const std::string_view> words, std::string_view missing = {});

/// Context, micro-batch, cache types, flash attention, slots, logits and old 671B files of a row, by the
/// names that the tables use for them; what a row leaves open is as r1fit has it. Throws Error.
Workload read_workload(const CsvTable& table, std::size_t row);

}  // namespace r1fit
