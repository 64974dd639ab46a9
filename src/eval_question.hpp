// What the tables of the evaluation share: the columns that say what was asked of an engine.
#pragma once

#include <initializer_list>
#include <span>
#include <string_view>

#include "csv.hpp"
#include "r1fit/engine_release.hpp"
#include "r1fit/machine.hpp"
#include "r1fit/workload.hpp"

namespace r1fit {

/// The place of a cell's word in `words`; `missing` stands for an empty cell. Throws Error.
std::size_t choice(const CsvTable& table, std::size_t row, std::initializer_list<std::string_view> columns,
                   std::span<const std::string_view> words, std::string_view missing = {});

/// Context, micro-batch, cache types, flash attention, slots, logits and old 671B files of a row, by the
/// names that the tables use for them; what a row leaves open is as r1fit has it. Throws Error.
Workload read_workload(const CsvTable& table, std::size_t row);
/// Which of the settings that a release has a default for the row states.
Said read_said(const CsvTable& table, std::size_t row);

/// Equal nameless devices, none for the CPU, and a host: so large that nothing asked for is refused.
Machine roomy_machine(Backend backend, int devices);

/// Figures of a log are rounded to 0.01 MiB a buffer; a sum of a few of them may be off by this much, MiB.
inline constexpr double kExactMib = 0.06;

}  // namespace r1fit
