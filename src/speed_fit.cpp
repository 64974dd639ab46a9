#include "speed_fit.hpp"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "r1fit/error.hpp"
#include "r1fit/machine.hpp"
#include "r1fit/placement.hpp"
#include "r1fit/throughput.hpp"

namespace r1fit {
namespace {

constexpr std::string_view kTwoSockets = "cpu-two-sockets";

/// The first year of what counts as recent software.
constexpr int kRecent = 2025;

// ---- rows ---------------------------------------------------------------------------------------------

bool reads_gguf(const Measurement& run) {
  static const std::set<Text> others{"mlx", "vllm", "ExLlamaV2", "MLC LLM", "SGLang"};
  return !others.contains(run.engine);
}

/// llamafile carries the llama.cpp of the middle of 2024; and 671B without the MLA cache is what builds did
/// until April 2025.
bool older(const Measurement& run) {
  return run.engine == "llamafile" || run.year.value_or(kRecent) < kRecent || run.older_kv_cache;
}

/// Why a run is of no use to a fit; empty: it is.
std::string objection(const Catalog& catalog, const Measurement& run) {
  if (!run.outlier.empty()) return "outlier: " + std::string(run.outlier);
  if (!reads_gguf(run)) return "the engine reads no GGUF file";
  if (!has_weights(catalog, *run.model, *run.quant)) return "no file of this quantisation is known";
  const bool needs_host = run.placement != PlacementMode::gpu;
  if (needs_host && run.host == nullptr) return "the host is not named";
  if (run.placement != PlacementMode::cpu && run.gpus.empty()) return "the GPU is not in the catalogue";
  if (run.placement == PlacementMode::partial) return "partly offloaded: the split decides";
  if (run.network) return "over a network";
  return "";
}

std::size_t place_of(const Catalog& catalog, const SpeedFit* fit) {
  return static_cast<std::size_t>(fit - catalog.speed_fits.data());
}

const SpeedFit* one_socket(const Catalog& catalog) {
  const auto found = std::ranges::find(catalog.speed_fits, Text("cpu-server"), &SpeedFit::id);
  if (found == catalog.speed_fits.end()) throw Error("speed.json: no fit has the id cpu-server");
  return &*found;
}

Machine machine_of(const Catalog& catalog, const Measurement& run) {
  Machine machine;
  for (const MeasuredGpu& gpu : run.gpus) {
    for (int i = 0; i < gpu.count; ++i) {
      machine.devices.push_back(make_device(catalog, *gpu.gpu, gpu.gpu->memory.back(), run.backend, {}, {}));
      // What ran did fit, however little our own margins would leave.
      if (run.placement != PlacementMode::gpu) continue;
      machine.devices.back().budget = machine.devices.back().budget * 64;
      machine.devices.back().stretched = machine.devices.back().budget;
    }
  }
  order_devices(machine);
  machine.host = make_host(catalog, gib(4096), run.host, {});
  return machine;
}

Weights weights_that_ran(const Catalog& catalog, const Measurement& run, const Workload& workload) {
  if (!run.ran_size) return weights_of(catalog, *run.model, *run.quant, workload);
  const SharedTensors& shared = run.ran_shared ? *run.ran_shared : run.quant->shared.value();
  return weights_of_size(*run.model, *run.quant, *run.ran_size, shared);
}

SpeedRow row_of(const Catalog& catalog, const Measurement& run) {
  constexpr std::int64_t step = 256;
  Workload workload;
  workload.depth = run.depth;
  workload.context = std::max(tokens(8192), tokens((run.depth.count() / step + 1) * step));
  const Weights weights = weights_that_ran(catalog, run, workload);
  const Candidate candidate{run.model, run.quant, &weights};
  const Machine machine = machine_of(catalog, run);
  const Placement placement = place(candidate, workload, machine);
  if (placement.mode != run.placement) throw Error("it would be placed otherwise");
  const Works works = works_of(candidate, workload, machine, placement, run.depth);

  SpeedRow row;
  row.measurement = &run;
  row.older = older(run);
  const auto engine = std::ranges::find(catalog.engine_speeds, run.engine, &EngineSpeed::engine);
  if (engine != catalog.engine_speeds.end())
    row.engine = static_cast<std::size_t>(engine - catalog.engine_speeds.begin());
  for (std::size_t i = 0; i < machine.devices.size(); ++i) {
    const Device& device = machine.devices[i];
    if (works.devices[i].empty()) continue;
    row.parts.push_back({works.devices[i], *device.bandwidth, run.gpu_fp32.value_or(device.gpu->fp32), 0,
                         place_of(catalog, device.speed->fit)});
    if (std::ranges::find(row.hardware, device.gpu->id) == row.hardware.end())
      row.hardware.emplace_back(device.gpu->id);
  }
  if (!works.host.empty()) {
    const Cores usual = cores_of(run.host, *run.host->speed);
    // KTransformers keeps a copy of the experts beside each socket, so it has the bandwidth of both: it is
    // one large socket to the model.
    const SpeedFit* fit = run.host->speed->fit;
    if (run.engine == "ktransformers") fit = one_socket(catalog);
    row.parts.push_back({works.host, run.host->bandwidth, run.host_fp32.value_or(usual.fp32),
                         run.host_cores.value_or(usual.number), place_of(catalog, fit)});
    row.hardware.emplace_back(run.host->id);
  }
  row.key = works.host.empty() ? row.hardware.front() : std::string(run.host->id);
  for (SpeedRow::Part& part : row.parts) {
    part.work.flash_attention = !row.older;
    // What attention cost without flash attention is in the factor for older builds.
    if (row.older) part.work.attention = FlopsPerToken{};
  }
  return row;
}

// ---- the parameters -----------------------------------------------------------------------------------

/// A logarithm with what is thought of it beforehand.
struct Prior {
  double mean;
  double deviation;
};

Prior log_prior(double typical, double deviation) { return {std::log(typical), deviation}; }

/// Which rows a parameter can move.
struct Reach {
  int family = -1;
  int fit = -1;
  int engine = -1;
};

/// All parameters, in the order of the vector; reads them back into constants.
class Parameters {
 public:
  explicit Parameters(const Catalog& catalog) : catalog_(catalog) {
    for (const SpeedFit& fit : catalog.speed_fits)
      family_of_.push_back(static_cast<std::size_t>(fit.family - catalog.speed_families.data()));
    constants_at({});
  }

  [[nodiscard]] const std::vector<Prior>& priors() const { return priors_; }
  [[nodiscard]] const std::vector<Reach>& reaches() const { return reaches_; }

  /// The constants that a vector stands for; of an empty one, the priors' means, which also lists the
  /// parameters.
  Constants constants_at(const std::vector<double>& values) {
    values_ = &values;
    listing_ = priors_.empty() && values.empty();
    next_ = 0;
    Constants constants;
    constants.families.assign(catalog_.speed_families.begin(), catalog_.speed_families.end());
    constants.fits.assign(catalog_.speed_fits.begin(), catalog_.speed_fits.end());
    constants.engines.assign(catalog_.engine_speeds.begin(), catalog_.engine_speeds.end());
    constants.family_of = family_of_;

    // Common to all. Reading reaches 0.82 to 0.92 of datasheet bandwidth in stream benchmarks; a multiply-add
    // and a handful of shifts, masks and conversions unpack a weight; a launch takes a few microseconds.
    const double sharpness = take(log_prior(4.0, 0.3));
    const double plain = take(log_prior(0.25, 0.5));
    const double simple = take(log_prior(0.8, 0.2));
    const double k_low = take(log_prior(1.5, 0.4));
    const double i_quant = take(log_prior(2.0, 0.4));
    const double narrow = take(log_prior(0.8, 0.3));
    const double experts = take(log_prior(0.7, 0.3));
    const double attention = take(log_prior(0.1, 1.0));
    const double hand_over = take(log_prior(200e-6, 0.7));
    const double older_operations = take(log_prior(1.2, 0.3));
    const double older_per_layer = take(log_prior(2.0, 0.4));
    const double older_kv = take(log_prior(3.0, 0.7));
    const double efficiency = take(log_prior(0.88, 0.04));
    const double operations = take(log_prior(18.0, 0.4));
    const double per_layer = take(log_prior(45e-6, 0.5));
    const double per_expert_layer = take(log_prior(150e-6, 0.7));
    // Of CPUs: a share of theoretical bandwidth, and a barrier of all threads after each operation.
    const double cpu_efficiency = take(log_prior(0.75, 0.1));
    const double cpu_per_layer = take(log_prior(60e-6, 0.8));
    const double per_core = take(log_prior(5e-6, 0.7));
    // Of all sockets' bandwidth: what the second one holds is read across the link between them.
    const double two_sockets = take(log_prior(0.5, 0.4));

    // Engines that read the same memory differ by their kernels and by what a layer costs to start.
    for (std::size_t e = 0; e < constants.engines.size(); ++e)
      constants.engines[e].host_time = std::exp(take({0, 0.2}, {-1, -1, static_cast<int>(e)}));

    std::vector<double> family_operations;
    std::vector<double> family_per_layer;
    std::vector<double> family_experts;
    for (std::size_t f = 0; f < constants.families.size(); ++f) {
      SpeedFamily& family = constants.families[f];
      const Reach reach{static_cast<int>(f), -1};
      family.sharpness = std::exp(sharpness);
      family.plain = std::exp(plain);
      family.simple = std::exp(simple + take({0, 0.15}, reach));
      family.k_low = std::exp(k_low + take({0, 0.3}, reach));
      family.i_quant = std::exp(i_quant + take({0, 0.4}, reach));
      family.narrow = is_cpu(family) ? 1.0 : std::min(1.0, std::exp(narrow));
      family.experts = std::min(1.0, std::exp(experts + take({0, 0.2}, reach)));
      family.attention = std::exp(attention + take({0, 1.0}, reach));
      family.hand_over = SecondsPerToken::of(std::exp(hand_over));
      family.per_core = is_cpu(family) ? SecondsPerToken::of(std::exp(per_core)) : SecondsPerToken{};
      family.older_operations = std::exp(older_operations);
      family.older_per_layer = std::exp(older_per_layer);
      family.older_kv = std::exp(older_kv);
      family_operations.push_back(operations + take({0, 0.3}, reach));
      family_per_layer.push_back((is_cpu(family) ? cpu_per_layer : per_layer) + take({0, 0.4}, reach));
      family_experts.push_back(per_expert_layer + take({0, 0.5}, reach));
    }
    for (std::size_t c = 0; c < constants.fits.size(); ++c) {
      SpeedFit& fit = constants.fits[c];
      const std::size_t f = family_of_[c];
      const bool cpu = is_cpu(constants.families[f]);
      const Reach reach{-1, static_cast<int>(c)};
      constexpr double most = 0.95;  // nothing measured exceeds 0.92, counted with the whole file
      double share = (cpu ? cpu_efficiency : efficiency) + take({0, cpu ? 0.08 : 0.03}, reach);
      if (fit.id == kTwoSockets) share += two_sockets;
      fit.efficiency = std::min(most, std::exp(share));
      fit.operations = std::exp(family_operations[f] + take({0, 0.25}, reach));
      fit.per_layer = SecondsPerToken::of(std::exp(family_per_layer[f] + take({0, 0.4}, reach)));
      fit.per_expert_layer = SecondsPerToken::of(std::exp(family_experts[f] + take({0, 0.5}, reach)));
    }
    return constants;
  }

 private:
  static bool is_cpu(const SpeedFamily& family) { return family.id == "cpu"; }

  double take(Prior prior, Reach reach = {}) {
    if (listing_) {
      priors_.push_back(prior);
      reaches_.push_back(reach);
    }
    const std::size_t at = next_++;
    return values_->empty() ? prior.mean : (*values_)[at];
  }

  const Catalog& catalog_;
  std::vector<std::size_t> family_of_;
  std::vector<Prior> priors_;
  std::vector<Reach> reaches_;
  const std::vector<double>* values_ = nullptr;
  std::size_t next_ = 0;
  bool listing_ = false;
};

/// Without a few runs the search starts near its end; what is left of the way moves no error by 0.1 %.
constexpr double kEnoughForOne = 1e-3;

/// How far single runs are expected to lie from a good model: their hosts, clocks and cooling differ; a
/// memory platform says less than a card does.
double expected_spread(const SpeedRow& row) {
  return row.measurement->placement == PlacementMode::gpu ? 0.06 : 0.15;
}

/// Runs on one device share what is particular to it; a claim moves nothing, it is only compared.
std::vector<double> weights_of_rows(const std::vector<const SpeedRow*>& rows) {
  std::map<std::string, int> runs;
  for (const SpeedRow* row : rows) ++runs[row->key];
  std::vector<double> weights;
  weights.reserve(rows.size());
  for (const SpeedRow* row : rows) {
    double weight = 1.0 / std::sqrt(static_cast<double>(runs[row->key]));
    if (row->older) weight *= 0.6;
    if (row->measurement->grade == Grade::C) weight = 0;
    weights.push_back(weight);
  }
  return weights;
}

bool reached(const SpeedRow& row, const Constants& constants, const Reach& reach) {
  if (reach.engine >= 0) return row.engine == static_cast<std::size_t>(reach.engine);
  if (reach.family < 0 && reach.fit < 0) return true;
  return std::ranges::any_of(row.parts, [&](const SpeedRow::Part& part) {
    if (reach.fit >= 0) return part.fit == static_cast<std::size_t>(reach.fit);
    return constants.family_of[part.fit] == static_cast<std::size_t>(reach.family);
  });
}

}  // namespace

double rounded(double value) {
  if (value == 0) return 0;
  const double scale = std::pow(10.0, 2 - std::floor(std::log10(std::abs(value))));
  return std::round(value * scale) / scale;
}
SecondsPerToken rounded(SecondsPerToken value) { return milliseconds_per_token(rounded(in_ms(value))); }

SpeedRows speed_rows(const Catalog& catalog) {
  SpeedRows found;
  for (const Measurement& run : catalog.measurements) {
    std::string why = objection(catalog, run);
    if (why.empty()) {
      try {
        found.rows.push_back(row_of(catalog, run));
      } catch (const Error& error) {
        why = error.what();
      }
    }
    if (!why.empty())
      found.left_out.push_back(std::string(run.hardware) + ", " + std::string(run.ran) + " " +
                               std::string(run.quant->id) + ": " + why);
  }
  return found;
}

SecondsPerToken part_time(const SpeedRow& row, std::size_t at, const Constants& constants) {
  const SpeedRow::Part& part = row.parts[at];
  SpeedFit fit = constants.fits[part.fit];
  const SpeedFamily& family = constants.families[constants.family_of[part.fit]];
  fit.family = &family;
  if (row.older) {
    fit.operations *= family.older_operations;
    fit.per_layer = fit.per_layer * family.older_per_layer;
  }
  const SecondsPerToken time = token_time(part.work, {part.bandwidth, part.fp32, part.cores, &fit}).total();
  const bool host = part.cores > 0;
  return host && row.engine ? time * constants.engines[*row.engine].host_time : time;
}

SecondsPerToken predicted(const SpeedRow& row, const Constants& constants) {
  SecondsPerToken time;
  for (std::size_t i = 0; i < row.parts.size(); ++i) {
    time += part_time(row, i, constants);
    if (i > 0) time += constants.families[constants.family_of[row.parts[i - 1].fit]].hand_over;
  }
  return time;
}

double residual(const SpeedRow& row, const Constants& constants) {
  return std::log(row.measurement->decode.count() * predicted(row, constants).count());
}

Constants fit_speed(const Catalog& catalog, const std::vector<const SpeedRow*>& rows,
                    const std::vector<double>& start, double enough) {
  Parameters parameters(catalog);
  const std::vector<Prior>& priors = parameters.priors();
  const std::size_t count = priors.size();
  std::vector<double> at = start;
  if (at.empty()) {
    for (const Prior& prior : priors) at.push_back(prior.mean);
  }
  const std::vector<double> weights = weights_of_rows(rows);

  // Levenberg-Marquardt on a loss that grows in step with large residuals, so that a run on a throttled
  // laptop does not pull its class along.
  const auto loss_of = [&](const std::vector<double>& values) {
    const Constants constants = parameters.constants_at(values);
    double loss = 0;
    for (std::size_t r = 0; r < rows.size(); ++r) {
      const double z = residual(*rows[r], constants) / expected_spread(*rows[r]);
      loss += weights[r] * (std::sqrt(1.0 + z * z) - 1.0);
    }
    for (std::size_t p = 0; p < count; ++p) {
      const double z = (values[p] - priors[p].mean) / priors[p].deviation;
      loss += z * z / 2;
    }
    return loss;
  };
  constexpr int most_steps = 60;
  constexpr double step = 1e-5;
  double damping = 1e-3;
  double loss = loss_of(at);
  for (int round = 0; round < most_steps; ++round) {
    const Constants constants = parameters.constants_at(at);
    std::vector<double> residuals;
    residuals.reserve(rows.size());
    for (const SpeedRow* row : rows) residuals.push_back(residual(*row, constants));
    Eigen::MatrixXd jacobian =
        Eigen::MatrixXd::Zero(static_cast<Eigen::Index>(rows.size()), static_cast<Eigen::Index>(count));
    for (std::size_t p = 0; p < count; ++p) {
      std::vector<double> moved = at;
      moved[p] += step;
      const Constants near = parameters.constants_at(moved);
      for (std::size_t r = 0; r < rows.size(); ++r) {
        if (!reached(*rows[r], constants, parameters.reaches()[p])) continue;
        jacobian(static_cast<Eigen::Index>(r), static_cast<Eigen::Index>(p)) =
            (residual(*rows[r], near) - residuals[r]) / step;
      }
    }
    Eigen::VectorXd slope = Eigen::VectorXd::Zero(static_cast<Eigen::Index>(count));
    Eigen::MatrixXd normal =
        Eigen::MatrixXd::Zero(static_cast<Eigen::Index>(count), static_cast<Eigen::Index>(count));
    Eigen::MatrixXd weighted = jacobian;
    for (std::size_t r = 0; r < rows.size(); ++r) {
      const double spread = expected_spread(*rows[r]);
      const double z = residuals[r] / spread;
      weighted.row(static_cast<Eigen::Index>(r)) *= weights[r] / (spread * spread * std::sqrt(1.0 + z * z));
    }
    normal = jacobian.transpose() * weighted;
    for (std::size_t r = 0; r < rows.size(); ++r)
      slope += weighted.row(static_cast<Eigen::Index>(r)).transpose() * residuals[r];
    for (std::size_t p = 0; p < count; ++p) {
      const auto i = static_cast<Eigen::Index>(p);
      const double precision = 1.0 / (priors[p].deviation * priors[p].deviation);
      normal(i, i) += precision;
      slope(i) += precision * (at[p] - priors[p].mean);
    }
    bool better = false;
    while (!better && damping < 1e6) {
      Eigen::MatrixXd damped = normal;
      damped.diagonal() *= 1.0 + damping;
      const Eigen::VectorXd change = damped.ldlt().solve(-slope);
      std::vector<double> tried = at;
      for (std::size_t p = 0; p < count; ++p) tried[p] += change(static_cast<Eigen::Index>(p));
      const double now = loss_of(tried);
      better = now < loss;
      if (better) {
        const double gain = loss - now;
        at = tried;
        loss = now;
        damping = std::max(damping / 10, 1e-9);
        if (gain < enough) round = most_steps;
      } else {
        damping *= 10;
      }
    }
    if (!better) break;
  }
  Constants constants = parameters.constants_at(at);
  constants.parameters = at;
  return constants;
}

std::vector<double> leave_hardware_out(const Catalog& catalog, const std::vector<SpeedRow>& rows,
                                       const Constants& all) {
  std::vector<double> residuals(rows.size());
  std::set<std::string> keys;
  for (const SpeedRow& row : rows) keys.insert(row.key);
  for (const std::string& key : keys) {
    std::vector<const SpeedRow*> others;
    for (const SpeedRow& row : rows) {
      if (std::ranges::find(row.hardware, key) == row.hardware.end()) others.push_back(&row);
    }
    const Constants constants = fit_speed(catalog, others, all.parameters, kEnoughForOne);
    for (std::size_t r = 0; r < rows.size(); ++r) {
      if (rows[r].key == key) residuals[r] = residual(rows[r], constants);
    }
  }
  return residuals;
}

SecondsPerToken bandwidth_time(const SpeedRow& row) {
  SecondsPerToken time;
  for (const SpeedRow::Part& part : row.parts) time += part.work.read() / part.bandwidth;
  return time;
}

bool has_experts(const SpeedRow& row) { return row.measurement->model->shape->moe.has_value(); }

bool uses_cpu(const SpeedRow& row) { return row.measurement->placement != PlacementMode::gpu; }

bool counts(const SpeedRow& row) { return !row.older && row.measurement->grade != Grade::C; }

void count_runs(const std::vector<SpeedRow>& rows, Constants& constants) {
  for (std::size_t c = 0; c < constants.fits.size(); ++c) {
    SpeedFit& fit = constants.fits[c];
    fit.measurements = 0;
    fit.expert_measurements = 0;
    std::set<std::string> devices;
    for (const SpeedRow& row : rows) {
      bool here = false;
      for (const SpeedRow::Part& part : row.parts) here = here || part.fit == c;
      if (!here || row.measurement->grade == Grade::C) continue;
      (has_experts(row) ? fit.expert_measurements : fit.measurements) += 1;
      devices.insert(row.key);
    }
    fit.devices = static_cast<int>(devices.size());
  }
  for (std::size_t e = 0; e < constants.engines.size(); ++e) {
    EngineSpeed& engine = constants.engines[e];
    engine.measurements = 0;
    std::set<std::string> devices;
    for (const SpeedRow& row : rows) {
      if (row.engine != e || !uses_cpu(row) || row.measurement->grade == Grade::C) continue;
      engine.measurements += 1;
      devices.insert(row.key);
    }
    engine.devices = static_cast<int>(devices.size());
  }
  for (std::size_t f = 0; f < constants.families.size(); ++f) {
    constants.families[f].measurements = 0;
    for (std::size_t c = 0; c < constants.fits.size(); ++c) {
      if (constants.family_of[c] == f)
        constants.families[f].measurements +=
            constants.fits[c].measurements + constants.fits[c].expert_measurements;
    }
  }
}

Constants rounded_constants(Constants constants) {
  for (SpeedFamily& family : constants.families) {
    for (double* value : {&family.sharpness, &family.plain, &family.simple, &family.k_low, &family.i_quant,
                          &family.narrow, &family.experts, &family.attention, &family.older_operations,
                          &family.older_per_layer, &family.older_kv})
      *value = rounded(*value);
    family.hand_over = rounded(family.hand_over);
    family.per_core = rounded(family.per_core);
  }
  for (EngineSpeed& engine : constants.engines) engine.host_time = rounded(engine.host_time);
  for (SpeedFit& fit : constants.fits) {
    fit.efficiency = rounded(fit.efficiency);
    fit.operations = rounded(fit.operations);
    fit.per_layer = rounded(fit.per_layer);
    fit.per_expert_layer = rounded(fit.per_expert_layer);
  }
  return constants;
}

}  // namespace r1fit
