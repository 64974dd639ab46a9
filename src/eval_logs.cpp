#include <array>
#include <cmath>

#include "csv.hpp"
#include "eval.hpp"
#include "eval_question.hpp"
#include "r1fit/error.hpp"
#include "r1fit/estimate.hpp"
#include "r1fit/flag_values.hpp"
#include "r1fit/query.hpp"
#include "r1fit/units_text.hpp"

namespace r1fit {
namespace {

/// How far weights and KV cache may be off where the log prints whole MiB.
constexpr double kWholeMib = 1.0;
/// Per cent that a compute buffer may be off: of a build from this year on, and of an older one.
constexpr std::string_view kNewFrom = "2026";
constexpr double kMostNew = 0.2;
constexpr double kMostOld = 3.0;

/// One line of a log against what was reckoned; MiB.
struct Line {
  const char* name;
  double measured;
  double reckoned;
  bool exact;  ///< weights and KV cache must be; compute buffers have a bound
};

struct Log {
  std::string id;
  std::string asked;
  std::string known_miss;
  bool recent = false;
  bool whole_mib = false;
  std::vector<Line> lines;

  [[nodiscard]] bool kept(const Line& line) const {
    const double off = std::abs(line.reckoned - line.measured);
    if (off <= (whole_mib ? kWholeMib : kExactMib)) return true;
    return !line.exact && off <= (recent ? kMostNew : kMostOld) / 100 * line.measured;
  }
};

NeedsQuery read_needs(const CsvTable& table, std::size_t row) {
  NeedsQuery needs;
  needs.models = {std::string(table.cell(row, "model"))};
  needs.quants = {std::string(table.cell(row, "quant"))};
  needs.engine = table.cell(row, "engine");
  needs.workload = read_workload(table, row);
  if (table.cell(row, "imatrix") == "0") needs.workload.imatrix = false;
  needs.said = read_said(table, row);
  return needs;
}

Log read_log(const CsvTable& table, std::size_t row) {
  const Catalog& catalog = builtin_catalog();
  NeedsQuery needs = read_needs(table, row);
  const Backend backend = kBackends.at(choice(table, row, {"backend"}, backend_words()));
  const Machine machine = roomy_machine(backend, table.whole(row, {"devices"}));
  Question question = build_question(catalog, needs);
  if (!machine.devices.empty()) {
    const bool all = table.cell(row, "ngl") == "all";
    question.placement.n_gpu_layers = all ? question.model->shape->layers + 1 : table.whole(row, {"ngl"});
  }
  const Placement placement = evaluate(catalog, question, machine).placement;

  Log log;
  log.id = table.cell(row, "id");
  log.known_miss = table.cell(row, "known_miss");
  log.recent = table.cell(row, "built") >= kNewFrom;
  log.whole_mib = table.cell(row, "whole_mib") == "1";
  const auto device = static_cast<std::size_t>(table.whole(row, {"device"}));
  log.asked =
      needs.models.front() + " " + needs.quants.front() + ", " + std::string(table.cell(row, "backend"));
  if (machine.devices.size() > 1)
    log.asked += " " + std::to_string(device) + " of " + std::to_string(machine.devices.size());
  log.asked += ", " + needs.engine + ", " + std::to_string(question.workload.context.count());
  if (!question.workload.flash()) log.asked += " fa off";

  const auto compare = [&](const char* name, Bytes reckoned, bool exact) {
    if (!table.cell(row, name).empty())
      log.lines.push_back({name, table.number(row, {name}), in_mib(reckoned), exact});
  };
  const DeviceUse use =
      machine.devices.empty() || placement.devices.empty() ? DeviceUse{} : placement.devices.at(device);
  compare("device_weights", use.weights, true);
  compare("device_kv", use.kv_cache, true);
  compare("device_compute", use.compute, false);
  compare("host_weights", placement.host.weights, true);
  compare("host_kv", placement.host.kv_cache, true);
  compare("host_compute", placement.host.compute, false);
  compare("host_output", placement.host.output, false);
  return log;
}

/// "device_kv" -> "device kv".
std::string spaced(std::string text) {
  for (char& letter : text) letter = letter == '_' ? ' ' : letter;
  return text;
}

std::string summary(const std::vector<Log>& logs) {
  MarkdownTable table({"line of the log", ">rows", ">kept", "bound"});
  constexpr std::array<const char*, 7> names{"device_weights", "device_kv", "device_compute",
                                             "host_weights",   "host_kv",   "host_compute",
                                             "host_output"};
  for (const std::string_view name : names) {
    int rows = 0;
    int kept = 0;
    bool exact = true;
    for (const Log& log : logs) {
      for (const Line& line : log.lines) {
        if (line.name != name) continue;
        ++rows;
        kept += log.kept(line) ? 1 : 0;
        exact = line.exact;
      }
    }
    table.add({spaced(std::string(name)), count_text(rows), count_text(kept),
               exact ? "as printed" : "0.2 % from 2026 on, 3 % before"});
  }
  return table.text();
}

std::string compute_lines(const std::vector<Log>& logs) {
  MarkdownTable table({"id", "asked", "buffer", ">logged MiB", ">ours MiB", ">error %", "why"});
  for (const Log& log : logs) {
    for (const Line& line : log.lines) {
      if (line.exact && log.kept(line)) continue;
      const double error = 100 * (line.reckoned - line.measured) / line.measured;
      table.add({log.id, log.asked, spaced(line.name), fixed_text(line.measured, 2),
                 fixed_text(line.reckoned, 2), fixed_text(error, 2), log.kept(line) ? "" : log.known_miss});
    }
  }
  return table.text();
}

}  // namespace

Evaluation evaluate_logs(const std::string& file) {
  const CsvTable table = CsvTable::read(file);
  std::vector<Log> logs;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    try {
      logs.push_back(read_log(table, row));
    } catch (const Error& error) {
      throw Error(table.where(row) + ": " + error.what());
    }
  }
  Evaluation result;
  for (const Log& log : logs) {
    for (const Line& line : log.lines) {
      if (log.kept(line) || (!line.exact && !log.known_miss.empty())) continue;
      result.faults.push_back(log.id + ": " + spaced(line.name) + " of " + log.asked + " was " +
                              fixed_text(line.measured, 2) + " MiB, reckoned " +
                              fixed_text(line.reckoned, 2) + " MiB");
    }
  }
  int runs = 0;
  for (std::size_t i = 0; i < logs.size(); ++i) runs += i == 0 || logs[i].id != logs[i - 1].id ? 1 : 0;
  result.text = count_text(std::ssize(logs)) + " devices of " + count_text(runs) + " runs.\n\n" +
                summary(logs) + "Compute and output buffers, and what is off:\n\n" + compute_lines(logs);
  while (result.text.ends_with("\n\n")) result.text.pop_back();
  return result;
}

}  // namespace r1fit
