#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>

#include "csv.hpp"
#include "eval.hpp"
#include "eval_question.hpp"
#include "r1fit/error.hpp"
#include "r1fit/estimate.hpp"
#include "r1fit/flag_values.hpp"
#include "r1fit/lookup.hpp"
#include "r1fit/query.hpp"
#include "r1fit/units_text.hpp"

namespace r1fit {
namespace {

/// Where a split was measured, something held the rest of the model.
constexpr Bytes kEnoughRam = gib(4096);
/// How far our share of layers on the GPU may be from the measured one.
constexpr double kShareTolerance = 0.10;

constexpr std::array<std::string_view, 6> kOutcomes{"fits_gpu", "experts_on_host", "partial",
                                                    "oom",      "refused",         "cpu_only"};

struct Observation {
  std::string id;
  std::string gpus;   ///< as the row has them
  std::string asked;  ///< in words, for the tables
  std::string outcome;
  std::string known_miss;       ///< why our answer is wrong, where that is known and stands
  std::optional<double> share;  ///< of the layers on the GPU
  NeedsQuery needs;
  HardwareQuery hardware;
  std::optional<Bytes> total;  ///< of each card, as the driver there reported it
  [[nodiscard]] bool fitted() const { return outcome == "fits_gpu"; }
};

/// "2x rtx 3090", "16 GiB card", "rtx 5090 + rtx 3090".
std::vector<GpuQuery> read_gpus(std::string_view text) {
  constexpr std::string_view plus = " + ";
  constexpr std::string_view card = " card";
  std::vector<GpuQuery> gpus;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(plus), text.size());
    const CountedName counted = parse_counted_name(text.substr(0, end));
    text.remove_prefix(std::min(end + plus.size(), text.size()));
    GpuQuery gpu;
    gpu.count = counted.count;
    if (counted.name.ends_with(card)) {
      gpu.memory = parse_memory_flag("gpus", counted.name.substr(0, counted.name.size() - card.size()));
    } else {
      gpu.name = counted.name;
    }
    gpus.push_back(gpu);
  }
  return gpus;
}

std::optional<Bytes> size(const CsvTable& table, std::size_t row, std::string_view column) {
  if (table.cell(row, column).empty()) return std::nullopt;
  return gib(table.number(row, {column}));
}

Observation read_observation(const CsvTable& table, std::size_t row) {
  Observation seen;
  seen.id = table.cell(row, "id");
  seen.outcome = kOutcomes.at(choice(table, row, {"outcome"}, kOutcomes));
  seen.known_miss = table.cell(row, "known_miss");
  if (!table.cell(row, "gpu_share").empty()) seen.share = table.number(row, {"gpu_share"});

  NeedsQuery& needs = seen.needs;
  needs.models = {std::string(table.cell(row, "model"))};
  needs.quants = {std::string(table.cell(row, "quant"))};
  needs.engine = table.cell(row, "engine");
  needs.workload = read_workload(table, row);
  // What is left open is as the release of the engine has it.
  needs.said = read_said(table, row);
  needs.placement.cpu_moe = seen.outcome == "experts_on_host";

  HardwareQuery& hardware = seen.hardware;
  seen.gpus = table.cell(row, "gpus");
  hardware.gpus = read_gpus(seen.gpus);
  hardware.ram = size(table, row, "ram_gib");
  if (seen.share || needs.placement.cpu_moe) hardware.ram = hardware.ram.value_or(kEnoughRam);
  hardware.reserve = size(table, row, "reserve_gib");
  if (!table.cell(row, "backend").empty())
    hardware.backend = kBackends.at(choice(table, row, {"backend"}, backend_words()));
  seen.total = size(table, row, "vram_gib");

  return seen;
}

/// The question in words, for the tables.
std::string in_words(const Observation& seen, const Workload& workload) {
  std::string text = seen.needs.models.front() + " " + seen.needs.quants.front() + " ctx " +
                     std::to_string(workload.context.count());
  if (!workload.flash()) text += " fa off";
  return text + ", " + seen.gpus + ", " + seen.needs.engine;
}

/// The machine as it was seen: on Apple the limit of the row, elsewhere the total its driver reported.
Machine machine_of(Observation seen) {
  const GpuQuery& first = seen.hardware.gpus.front();
  if (seen.total && !first.name.empty()) {
    const FoundGpu found = gpu_named(builtin_catalog(), parse_counted_name(first.name).name, first.memory);
    if (found.gpu->vendor == Vendor::apple) seen.hardware.wired_limit = seen.total;
  }
  Machine machine = build_machine(builtin_catalog(), seen.hardware,
                                  engine_choice(builtin_catalog(), seen.needs.engine).engine);
  for (Device& device : machine.devices) {
    if (!seen.total || device.unified || *seen.total >= device.capacity) continue;
    device.budget -= device.capacity - *seen.total;
    device.stretched = device.budget;
    device.capacity = *seen.total;
  }
  return machine;
}

/// The fullest card when everything lies on the cards.
struct Fullest {
  Bytes need;
  Bytes budget;
  Bytes margin;
};

struct Answer {
  Observation seen;
  Verdict verdict;
  double share;  ///< of the layers on the GPU
  Fullest fullest;
};

Answer answer(const Observation& seen) {
  const Catalog& catalog = builtin_catalog();
  Question question = build_question(catalog, seen.needs);
  const Machine machine = machine_of(seen);
  const Placement chosen = evaluate(catalog, question, machine).placement;
  const int layers = question.model->shape->layers + 1;
  Answer result{seen,
                chosen.verdict,
                static_cast<double>(std::max(chosen.n_gpu_layers, chosen.engine_layers)) / layers,
                {}};
  result.seen.asked = in_words(seen, question.workload);
  Placement whole = chosen;
  if (chosen.mode != PlacementMode::gpu && !seen.needs.placement.cpu_moe) {
    question.placement.n_gpu_layers = layers;
    whole = evaluate(catalog, question, machine).placement;
  }
  Bytes least = bytes(std::numeric_limits<std::int64_t>::max());
  for (std::size_t i = 0; i < whole.devices.size(); ++i) {
    const Device& device = machine.devices[i];
    const Bytes left = device.budget - whole.devices[i].total();
    if (left >= least) continue;
    least = left;
    result.fullest = {whole.devices[i].total(), device.budget, device.margin};
  }
  return result;
}

/// How an answer compares with what happened.
enum class Kind : std::uint8_t { right, false_fit, tight_failed, tight_fitted, missed };

Kind kind_of(const Answer& answer) {
  const bool promised = answer.verdict == Verdict::fits;
  const bool tight = answer.verdict == Verdict::tight;
  if (answer.seen.fitted()) {
    if (promised) return Kind::right;
    return tight ? Kind::tight_fitted : Kind::missed;
  }
  if (answer.seen.outcome == "experts_on_host") {
    const bool runs = promised || tight || answer.verdict == Verdict::offload;
    return runs ? Kind::right : Kind::missed;
  }
  if (promised) return Kind::false_fit;
  return tight ? Kind::tight_failed : Kind::right;
}

std::string counts(const std::vector<Answer>& answers) {
  MarkdownTable table(
      {"measured", ">rows", ">`fits`", ">`tight`", ">`offload`", ">`streams`", ">`does_not_fit`"});
  for (const std::string_view outcome : kOutcomes) {
    std::array<int, 5> verdicts{};
    int rows = 0;
    for (const Answer& answer : answers) {
      if (answer.seen.outcome != outcome) continue;
      ++rows;
      ++verdicts.at(static_cast<std::size_t>(answer.verdict));
    }
    if (rows == 0) continue;
    std::vector<std::string> cells{std::string(outcome), count_text(rows)};
    for (const int verdict : verdicts) cells.push_back(count_text(verdict));
    table.add(cells);
  }
  return table.text();
}

/// The rows of one kind, each with what it was short by.
std::string listed(const std::vector<Answer>& answers, Kind kind, const char* title) {
  std::vector<std::string> head{"id",        "asked",       "measured",  "answer",
                                ">need GiB", ">budget GiB", ">left GiB", ">margin GiB"};
  if (kind == Kind::false_fit) head.emplace_back("why");
  MarkdownTable table(head);
  int rows = 0;
  for (const Answer& answer : answers) {
    if (kind_of(answer) != kind) continue;
    ++rows;
    const auto in_table = [](Bytes size) { return fixed_text(in_gib(size), 2); };
    const Fullest& card = answer.fullest;
    table.add({answer.seen.id, answer.seen.asked, answer.seen.outcome, std::string(word(answer.verdict)),
               in_table(card.need), in_table(card.budget), in_table(card.budget - card.need),
               in_table(card.margin), answer.seen.known_miss});
  }
  return std::string(title) + ": " + (rows == 0 ? "none.\n\n" : count_text(rows) + ".\n\n" + table.text());
}

std::string shares(const std::vector<Answer>& answers) {
  MarkdownTable table({"id", "asked", ">measured", ">ours", ">within 0.10"});
  for (const Answer& answer : answers) {
    if (!answer.seen.share) continue;
    const bool near = std::abs(answer.share - *answer.seen.share) <= kShareTolerance;
    table.add({answer.seen.id, answer.seen.asked, fixed_text(*answer.seen.share, 2),
               fixed_text(answer.share, 2), near ? "yes" : "no"});
  }
  return table.empty() ? "" : "Share of the layers on the GPU where it was measured:\n\n" + table.text();
}

}  // namespace

Evaluation evaluate_fits(const std::string& file) {
  const CsvTable table = CsvTable::read(file);
  std::vector<Answer> answers;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    try {
      answers.push_back(answer(read_observation(table, row)));
    } catch (const Error& error) {
      throw Error(table.where(row) + ": " + error.what());
    }
  }
  Evaluation result;
  const auto of_kind = [&](Kind kind) {
    return std::ranges::count_if(answers, [&](const Answer& answer) { return kind_of(answer) == kind; });
  };
  const auto fitted =
      std::ranges::count_if(answers, [](const Answer& answer) { return answer.seen.fitted(); });
  const auto false_fits = of_kind(Kind::false_fit);
  for (const Answer& answer : answers) {
    if (kind_of(answer) == Kind::false_fit && answer.seen.known_miss.empty())
      result.faults.push_back(answer.seen.id + " is called `fits` and did not: " + answer.seen.asked);
  }
  result.text = count_text(std::ssize(answers)) + " observations: " + count_text(of_kind(Kind::right)) +
                " right, " + count_text(false_fits) + " false `fits`, " + count_text(of_kind(Kind::missed)) +
                " missed fits; " + count_text(of_kind(Kind::tight_fitted)) + " of " + count_text(fitted) +
                " that fitted and " + count_text(of_kind(Kind::tight_failed)) +
                " that did not are called `tight`.\n\n";
  result.text += counts(answers);
  result.text += listed(answers, Kind::false_fit, "False `fits`");
  result.text += listed(answers, Kind::tight_failed, "`tight`, and it did not fit");
  result.text += listed(answers, Kind::missed, "Missed fits");
  result.text += listed(answers, Kind::tight_fitted, "`tight`, and it fitted");
  result.text += shares(answers);
  while (result.text.ends_with("\n\n")) result.text.pop_back();
  return result;
}

}  // namespace r1fit
