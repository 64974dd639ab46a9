#include <algorithm>
#include <array>
#include <cmath>
#include <map>
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

/// Per cent that a device may be off, at most, whose graph is walked operation by operation.
constexpr double kMostWalked = 0.1;
/// The same where its buffer is a formula: Metal, and host memory.
constexpr double kMostClosed = 1.0;

enum class Mode : std::uint8_t { whole, several, experts, partial, nothing, cpu };
constexpr std::array<std::string_view, 6> kModeNames{"whole device", "several devices",   "experts on host",
                                                     "partial",      "nothing offloaded", "CPU only"};

/// MiB of one memory.
struct Part {
  double weights = 0;
  double kv = 0;
  double compute = 0;
  double output = 0;
  [[nodiscard]] double total() const { return weights + kv + compute + output; }
};

/// A row as asked and as measured.
struct Truth {
  std::string label;
  std::string backend;  ///< as the tables name it
  std::size_t device = 0;
  NeedsQuery needs;
  Machine machine;
  Part on_device;
  Part on_host;
  double repacked = 0;
};

/// Relative errors of one group, per cent.
class Errors {
 public:
  void add(double predicted, double measured, const std::string& label) {
    const double error = 100 * std::abs(predicted - measured) / std::max(measured, 1.0);
    if (all_.empty() || error > *std::ranges::max_element(all_)) worst_ = label;
    all_.push_back(error);
  }
  [[nodiscard]] std::size_t count() const { return all_.size(); }
  [[nodiscard]] double mean() const {
    double sum = 0;
    for (const double error : all_) sum += error;
    return all_.empty() ? 0 : sum / static_cast<double>(all_.size());
  }
  /// The smallest error that `part` of all do not exceed.
  [[nodiscard]] double quantile(double part) const {
    if (all_.empty()) return 0;
    std::vector<double> sorted = all_;
    std::ranges::sort(sorted);
    const auto rank = static_cast<std::size_t>(std::ceil(part * static_cast<double>(sorted.size())));
    return sorted[std::max<std::size_t>(rank, 1) - 1];
  }
  [[nodiscard]] double max() const { return quantile(1); }
  [[nodiscard]] const std::string& worst() const { return worst_; }

 private:
  std::vector<double> all_;
  std::string worst_;
};

std::string name(Mode mode) { return std::string(kModeNames.at(static_cast<std::size_t>(mode))); }

struct Exact {
  int device_weights = 0;
  int device_kv = 0;
  int host_weights = 0;
  int host_kv = 0;
  int repacked = 0;
  int device_rows = 0;
  int repacked_rows = 0;
  int rows = 0;
};

std::string percent(double value, int decimals = 2) { return fixed_text(value, decimals); }

bool exact(double predicted, double measured) { return std::abs(predicted - measured) <= kExactMib; }

/// Why a row is left out; empty where it is not.
std::string left_out(const CsvTable& table, std::size_t row) {
  const auto is = [&](std::string_view column, std::string_view value) {
    return table.cell(row, column) == value;
  };
  if (is("offload_kqv", "0")) return "KV cache kept in host memory (--no-kv-offload)";
  if (is("op_offload", "0")) return "large batches computed on the CPU (--no-op-offload)";
  if (is("kq_over_4gib", "1")) return "attention moved to the host by Vulkan's 4 GiB limit";
  if (is("vk_chunk_1gib", "1") && !is("backend", "cpu")) return "weights in 1 GiB pieces (Vulkan's default)";
  return {};
}

/// The backend of a row: what was imitated, without the number of devices behind it.
std::string_view backend_of(const CsvTable& table, std::size_t row) {
  std::string_view name = table.cell(row, "emulates");
  if (name.empty()) name = table.cell(row, "backend");
  return name.substr(0, name.find_first_of("0123456789"));
}

/// Experts of how many of the first layers lie on the host.
std::optional<int> n_cpu_moe(const CsvTable& table, std::size_t row, const Shape& shape) {
  if (const int layers = table.whole(row, {"n_cpu_moe"}); layers > 0) return layers;
  if (!shape.moe) return std::nullopt;
  const bool all = table.cell(row, "cpu_moe") == "1";
  // The reference tables count layers with experts, the flag all of them.
  const int layers = table.whole(row, {"moe_layers_on_host"});
  if (layers > 0) return layers + shape.moe->first_dense_layers;
  return all ? std::optional(shape.layers) : std::nullopt;
}

Truth read_truth(const CsvTable& table, std::size_t row) {
  Truth truth;
  const std::string model(table.cell(row, "model"));
  const Shape& shape = *model_named(builtin_catalog(), model).shape;
  truth.backend = backend_of(table, row);
  const Backend backend = kBackends.at(parse_word("backend", truth.backend, backend_words()));

  NeedsQuery& needs = truth.needs;
  needs.models = {model};
  needs.quants = {std::string(table.cell(row, "quant"))};
  needs.workload = read_workload(table, row);
  Workload& workload = needs.workload;
  workload.imatrix = false;
  if (table.cell(row, "n_outputs_max") == "0") workload.logits_rows = LogitsRows::ubatch;

  truth.machine = roomy_machine(backend, std::max(1, table.whole(row, {"devices", "n_devices"}, 1)));
  if (backend != Backend::cpu) {
    needs.placement.n_gpu_layers = table.whole(row, {"ngl"});
    needs.placement.n_cpu_moe = n_cpu_moe(table, row, shape);
    truth.device = static_cast<std::size_t>(table.whole(row, {"device_index"}));
  }

  truth.on_device = {table.number(row, {"device_weights", "weights_device_mib"}),
                     table.number(row, {"device_kv", "kv_device_mib"}),
                     table.number(row, {"device_compute", "compute_device_mib"})};
  truth.on_host = {table.number(row, {"host_weights", "weights_host_mib"}),
                   table.number(row, {"host_kv", "kv_host_mib"}),
                   table.number(row, {"host_compute", "compute_host_mib"}),
                   table.number(row, {"host_output", "output_host_mib"})};
  truth.repacked = table.number(row, {"host_repacked", "cpu_repack_mib"});

  truth.label = model + " " + needs.quants.front() + (workload.legacy_gguf ? " pre-MLA" : "") + " ctx " +
                std::to_string(workload.context.count());
  if (workload.ubatch != tokens(512)) truth.label += " ub " + std::to_string(workload.ubatch.count());
  if (workload.kv_k != KvType::f16) truth.label += " " + std::string(word(workload.kv_k));
  if (!workload.flash()) truth.label += " fa off";
  if (workload.parallel > 1) truth.label += " np " + std::to_string(workload.parallel);
  if (backend != Backend::cpu) truth.label += " ngl " + std::to_string(*needs.placement.n_gpu_layers);
  if (truth.device > 0) truth.label += " device " + std::to_string(truth.device);
  return truth;
}

Mode mode_of(const Truth& truth, const Shape& shape) {
  if (truth.machine.devices.empty()) return Mode::cpu;
  const PlacementRequest& asked = truth.needs.placement;
  if (asked.n_gpu_layers == 0) return Mode::nothing;
  if (asked.n_gpu_layers <= shape.layers) return Mode::partial;
  if (asked.n_cpu_moe) return Mode::experts;
  return truth.machine.devices.size() > 1 ? Mode::several : Mode::whole;
}

class MemoryEvaluation {
 public:
  void read(const std::string& file) {
    const CsvTable table = CsvTable::read(file);
    for (std::size_t row = 0; row < table.rows(); ++row) {
      if (const std::string reason = left_out(table, row); !reason.empty()) {
        ++left_out_[reason];
        continue;
      }
      try {
        compare(read_truth(table, row));
      } catch (const Error& error) {
        throw Error(table.where(row) + ": " + error.what());
      }
    }
  }

  [[nodiscard]] Evaluation result() const {
    Evaluation result;
    result.text = rows_text() + exact_text();
    result.text += "Device total (weights, KV cache, compute buffer), error in per cent:\n\n";
    result.text += by_mode(device_);
    result.text += "Host total (weights, KV cache, compute buffer, output), error in per cent:\n\n";
    result.text += by_mode(host_);
    result.text += "By model, all backends and modes but \"nothing offloaded\", error in per cent:\n\n";
    result.text += by_model();
    while (result.text.ends_with("\n\n")) result.text.pop_back();
    judge(result.faults);
    return result;
  }

 private:
  using Group = std::pair<std::string, Mode>;  ///< backend, mode

  void compare(const Truth& truth) {
    const Question question = build_question(builtin_catalog(), truth.needs);
    const Placement placement = evaluate(builtin_catalog(), question, truth.machine).placement;
    const Mode mode = mode_of(truth, *question.model->shape);
    const Group group{truth.backend, mode};
    ++exact_.rows;
    if (mode != Mode::cpu) {
      const DeviceUse use = placement.devices.empty() ? DeviceUse{} : placement.devices.at(truth.device);
      const Part predicted{in_mib(use.weights), in_mib(use.kv_cache), in_mib(use.compute)};
      ++exact_.device_rows;
      exact_.device_weights += exact(predicted.weights, truth.on_device.weights) ? 1 : 0;
      exact_.device_kv += exact(predicted.kv, truth.on_device.kv) ? 1 : 0;
      add(device_, 0, group, question, predicted.total(), truth.on_device.total(), truth.label);
    }
    const HostUse& use = placement.host;
    const Part predicted{in_mib(use.weights), in_mib(use.kv_cache), in_mib(use.compute), in_mib(use.output)};
    Part measured = truth.on_host;
    if (truth.repacked != 0) {
      ++exact_.repacked_rows;
      exact_.repacked += exact(in_mib(use.repacked), truth.repacked) ? 1 : 0;
      // What was repacked is told apart from the rest, unless the whole file was mapped.
      if (!exact(predicted.weights, measured.weights)) measured.weights += truth.repacked;
    }
    exact_.host_weights += exact(predicted.weights, measured.weights) ? 1 : 0;
    exact_.host_kv += exact(predicted.kv, measured.kv) ? 1 : 0;
    add(host_, 1, group, question, predicted.total(), measured.total(), truth.label);
  }

  using Groups = std::map<Group, Errors>;

  void add(Groups& groups, std::size_t side, const Group& group, const Question& question, double predicted,
           double measured, const std::string& label) {
    groups[group].add(predicted, measured, label);
    if (group.second == Mode::nothing) return;
    models_[std::string(question.model->id) + (question.workload.legacy_gguf ? " pre-MLA" : "")].at(side).add(
        predicted, measured, label);
  }

  [[nodiscard]] std::string rows_text() const {
    std::string text = count_text(exact_.rows) + " rows compared";
    std::string separator = "; left out, because not modelled: ";
    for (const auto& [reason, count] : left_out_) {
      text += separator + count_text(count) + " with " + reason;
      separator = ", ";
    }
    return text + ".\n\n";
  }

  [[nodiscard]] std::string exact_text() const {
    MarkdownTable table({"within 0.06 MiB", ">rows", ">exact"});
    const auto add = [&](const char* name, int rows, int exact) {
      if (rows > 0) table.add({name, count_text(rows), count_text(exact)});
    };
    add("weights, device", exact_.device_rows, exact_.device_weights);
    add("KV cache, device", exact_.device_rows, exact_.device_kv);
    add("weights, host", exact_.rows, exact_.host_weights);
    add("KV cache, host", exact_.rows, exact_.host_kv);
    add("repacked, CPU only", exact_.repacked_rows, exact_.repacked);
    return table.text();
  }

  static std::string by_mode(const Groups& groups) {
    MarkdownTable table({"backend", "mode", ">rows", ">mean", ">p50", ">p95", ">max", "worst row"});
    for (const auto& [group, errors] : groups) {
      table.add({group.first, name(group.second), count_text(static_cast<std::int64_t>(errors.count())),
                 percent(errors.mean(), 3), percent(errors.quantile(0.5), 3), percent(errors.quantile(0.95)),
                 percent(errors.max()), errors.worst()});
    }
    return table.text();
  }

  [[nodiscard]] std::string by_model() const {
    MarkdownTable table(
        {"model", ">device rows", ">mean", ">p95", ">max", ">host rows", ">mean", ">p95", ">max"});
    for (const auto& [model, sides] : models_) {
      std::vector<std::string> cells{model};
      for (const Errors& errors : sides) {
        cells.insert(cells.end(),
                     {count_text(static_cast<std::int64_t>(errors.count())), percent(errors.mean(), 3),
                      percent(errors.quantile(0.95)), percent(errors.max())});
      }
      table.add(cells);
    }
    return table.text();
  }

  void judge(std::vector<std::string>& faults) const {
    const auto all = [&](const char* name, int rows, int exact) {
      if (exact != rows)
        faults.push_back(std::string(name) + " not exact on " + std::to_string(rows - exact) + " rows");
    };
    all("device weights", exact_.device_rows, exact_.device_weights);
    all("device KV cache", exact_.device_rows, exact_.device_kv);
    all("host weights", exact_.rows, exact_.host_weights);
    all("host KV cache", exact_.rows, exact_.host_kv);
    all("repacked tensors", exact_.repacked_rows, exact_.repacked);
    for (const auto& [group, errors] : device_) {
      const bool walked = group.first != word(Backend::metal);
      bound(group, "device", errors.max(), walked ? kMostWalked : kMostClosed, errors.worst(), faults);
    }
    for (const auto& [group, errors] : host_) {
      bound(group, "host", errors.max(), kMostClosed, errors.worst(), faults);
    }
  }

  static void bound(const Group& group, const char* side, double error, double most, const std::string& where,
                    std::vector<std::string>& faults) {
    if (error <= most) return;
    faults.push_back(group.first + ", " + name(group.second) + ": " + side + " total off by " +
                     percent(error) + " %, more than " + percent(most, 1) + " % (" + where + ")");
  }

  std::map<std::string, int> left_out_;
  Exact exact_;
  Groups device_;
  Groups host_;
  std::map<std::string, std::array<Errors, 2>> models_;
};

}  // namespace

Evaluation evaluate_memory(std::span<const std::string> files) {
  MemoryEvaluation evaluation;
  for (const std::string& file : files) evaluation.read(file);
  return evaluation.result();
}

}  // namespace r1fit
