#include "r1fit/calibrate.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "r1fit/candidate_machines.hpp"
#include "r1fit/error.hpp"
#include "r1fit/lookup.hpp"
#include "r1fit/units_text.hpp"

namespace r1fit {
namespace {

/// How far the size of a file may be from that of the quantisation it is named after: makers of one
/// quantisation differ by little, mixtures of their own that carry its name by more.
constexpr double kSizeTolerance = 0.01;

/// The first year of the software that speeds are known of.
constexpr std::string_view kFirstYear = "2025";

[[noreturn]] void refuse(const BenchRun& run, const std::string& what) {
  throw Error(run.where + ": " + what);
}

// ---- model and quantisation ----------------------------------------------------------------------------

/// "qwen2 32B Q4_K - Medium" taken apart.
struct ModelType {
  std::string architecture;  ///< "qwen2"
  std::string file_type;     ///< "Q4_K - Medium"
};

ModelType model_type(const std::string& text) {
  const std::size_t first = text.find(' ');
  if (first == std::string::npos) return {text, ""};
  // A size of two words, "671B" and "8x7B" are one; "(guessed)" says that the file does not name its type.
  const std::size_t second = text.find(' ', first + 1);
  std::string rest = second == std::string::npos ? "" : text.substr(second + 1);
  for (const std::string_view noise : {"(guessed) ", "mostly ", "all ", "(guessed)"}) {
    if (const std::size_t at = rest.find(noise); at != std::string::npos) rest.erase(at, noise.size());
  }
  return {text.substr(0, first), rest};
}

/// The name of a quantisation in what llama.cpp calls a file type: "Q4_K - Medium" is Q4_K_M.
std::string quant_name(const std::string& file_type) {
  const std::size_t dash = file_type.find(" - ");
  std::string name = file_type.substr(0, dash);
  const std::string_view behind =
      dash == std::string::npos ? "" : std::string_view(file_type).substr(dash + 3);
  if (name == "IQ3_S mix") return "IQ3_M";
  if (behind == "Small") name += "_S";
  if (behind == "Medium" && name != "Q2_K") name += "_M";
  if (behind == "Large") name += "_L";
  return name;
}

/// The first model with the tensor shapes that ran; one that is no R1 counts as the R1 of its shapes.
const Model& model_that_ran(const Catalog& catalog, const BenchRun& run) {
  const ModelType type = model_type(run.model);
  // The file may carry some hundred numbers that are no weights (rope_freqs).
  constexpr std::int64_t extras = 1024;
  for (const Model& model : catalog.models) {
    const Shape& shape = *model.shape;
    if (shape.gguf_architecture != type.architecture || !run.parameters) continue;
    if (std::abs(*run.parameters - shape.parameters) <= extras + run.parameters_half) return model;
  }
  refuse(run, in_quotes(run.model) +
                  (run.parameters ? " of " + count_text(*run.parameters) + " parameters" : std::string()) +
                  " has the tensor shapes of no R1; if it has, name that with --model");
}

const Quant& quant_that_ran(const Catalog& catalog, const BenchRun& run, const Model& model) {
  const std::string name = quant_name(model_type(run.model).file_type);
  const Lookup<Quant> answer = find_quant(catalog, name);
  const auto* const found = std::get_if<const Quant*>(&answer);
  if (found == nullptr || !has_weights(catalog, model, **found))
    refuse(run, in_quotes(run.model) + " names no quantisation that is known; say it with --quant");
  const Quant& quant = **found;
  if (run.size) {
    const Bytes ours = weights_of(catalog, model, quant, Workload{}).total();
    const double apart = std::abs(in_gb(*run.size) - in_gb(ours)) - in_gb(run.size_half);
    if (apart > kSizeTolerance * in_gb(ours)) {
      refuse(run, "its weights have " + gb_text(*run.size, 2) + ", and " + std::string(quant.id) + " has " +
                      gb_text(ours, 2) + ": a mixture under its name, which --quant tells");
    }
  }
  return quant;
}

struct Ran {
  const Model* model;
  const Quant* quant;
};

Ran what_ran(const Catalog& catalog, const BenchRun& run, const CalibrateQuery& query) {
  if (!query.needs.models.empty()) {
    NeedsQuery needs = query.needs;
    needs.engine = run.engine == "ollama" ? "ollama" : "";
    const ModelAndQuant named = model_and_quant_named(catalog, needs.models.front());
    const bool file_says = needs.quants.empty() && named.quant == nullptr && !run.model.empty();
    const Question question = build_question(catalog, needs);
    // Shapes of one family are closer to one another; a model of another size is a slip.
    constexpr double another_size = 0.02;
    const std::int64_t parameters = question.model->shape->parameters;
    if (run.parameters && std::abs(static_cast<double>(*run.parameters - parameters)) >
                              another_size * static_cast<double>(parameters)) {
      refuse(run, "what ran has " + count_text(*run.parameters) + " parameters, and " +
                      std::string(question.model->id) + " of --model has " + count_text(parameters));
    }
    const Quant* quant = file_says ? &quant_that_ran(catalog, run, *question.model) : question.quant;
    if (!has_weights(catalog, *question.model, *quant))
      refuse(run, "no weights of " + std::string(question.model->id) + " as " + std::string(quant->id) +
                      " are known");
    return {question.model, quant};
  }
  if (run.model.empty())
    refuse(run, "it does not say which model ran; name it with --model, as in --model 32b:Q4_K_M");
  const Model& model = model_that_ran(catalog, run);
  if (query.needs.quants.empty()) return {&model, &quant_that_ran(catalog, run, model)};
  const Quant& quant = quant_named(catalog, query.needs.quants.front());
  if (!has_weights(catalog, model, quant))
    refuse(run, "no weights of " + std::string(model.id) + " as " + std::string(quant.id) + " are known");
  return {&model, &quant};
}

// ---- hardware --------------------------------------------------------------------------------------------

std::optional<Backend> backend_called(std::string_view name) {
  struct Called {
    std::string_view name;
    Backend backend;
  };
  static constexpr std::array<Called, 7> names{{{"CUDA", Backend::cuda},
                                                {"ROCm", Backend::rocm},
                                                {"Metal", Backend::metal},
                                                {"MTL", Backend::metal},
                                                {"Vulkan", Backend::vulkan},
                                                {"SYCL", Backend::sycl},
                                                {"CPU", Backend::cpu}}};
  const auto* const found = std::ranges::find(names, name, &Called::name);
  if (found == names.end()) return std::nullopt;
  return found->backend;
}

/// What the output says of the backend; nothing where it is silent. BLAS multiplies prompts only.
std::optional<Backend> backend_that_ran(const BenchRun& run) {
  std::optional<Backend> backend;
  for (const std::string& name : run.backends) {
    if (name == "BLAS") continue;
    const std::optional<Backend> one = backend_called(name);
    if (!one)
      refuse(run, "backend " + in_quotes(name) + " is not known; say what it stands for with --backend");
    if (backend && backend != one) refuse(run, "it names several backends; say which ran with --backend");
    backend = one;
  }
  if (!backend && !run.backends.empty()) return Backend::cpu;
  return backend;
}

/// Whether all of it ran on the CPU.
bool on_cpu(const BenchRun& run, const CalibrateQuery& query) {
  const HardwareQuery& said = query.hardware;
  if (said.backend) return *said.backend == Backend::cpu;
  if (!said.gpus.empty()) return false;
  if (run.n_gpu_layers == 0) return true;
  if (run.engine == "ollama") return !said.cpu.empty();
  return backend_that_ran(run) == Backend::cpu;
}

/// "AMD Radeon RX 7900 XTX (RADV NAVI31)" without what a driver adds.
std::string without_driver(const std::string& name) {
  const std::size_t bracket = name.find(" (");
  return bracket == std::string::npos || !name.ends_with(')') ? name : name.substr(0, bracket);
}

const Gpu& gpu_that_ran(const Catalog& catalog, const BenchRun& run, const std::string& name) {
  GpuLookup answer = find_gpu(catalog, name);
  if (std::holds_alternative<Unknown>(answer)) answer = find_gpu(catalog, without_driver(name));
  if (const auto* found = std::get_if<FoundGpu>(&answer)) return *found->gpu;
  const std::string why = std::holds_alternative<Unknown>(answer) ? "the catalogue has no " + in_quotes(name)
                                                                  : problem(answer, name);
  refuse(run, why + "; say which with --gpu");
}

std::vector<FoundGpu> cards_that_ran(const Catalog& catalog, const BenchRun& run,
                                     const CalibrateQuery& query) {
  std::vector<FoundGpu> cards;
  for (const GpuQuery& said : query.hardware.gpus) {
    const CountedName counted = parse_counted_name(said.name);
    const FoundGpu found = gpu_named(catalog, counted.name, said.memory);
    cards.insert(cards.end(), static_cast<std::size_t>(counted.count), found);
  }
  if (!cards.empty()) return cards;
  if (run.gpus.empty()) {
    refuse(run, "it does not say which card ran; name it with --gpu" +
                    std::string(run.engine == "ollama" ? ", or the CPU with --cpu" : ""));
  }
  for (const std::string& name : run.gpus) cards.push_back({&gpu_that_ran(catalog, run, name), {}});
  const auto used = static_cast<std::size_t>(run.devices);
  if (used == 0 || used >= cards.size()) return cards;
  const bool alike =
      std::ranges::all_of(cards, [&](const FoundGpu& one) { return one.gpu == cards.front().gpu; });
  if (!alike) refuse(run, "not all of its cards were used; say which with --gpu");
  cards.resize(used);
  return cards;
}

const Host& host_that_ran(const Catalog& catalog, const BenchRun& run, const CalibrateQuery& query) {
  if (!query.hardware.cpu.empty()) return host_named(catalog, query.hardware.cpu);
  const Lookup<Host> answer = find_host(catalog, run.cpu);
  if (const auto* found = std::get_if<const Host*>(&answer)) return **found;
  refuse(run, "on the CPU the memory decides, and " +
                  (run.cpu.empty() ? std::string("the output") : in_quotes(run.cpu)) +
                  " does not say which it has; name the platform with --cpu (ddr5-5600-dual ...)");
}

/// Ollama puts what does not fit into host memory and says nothing of it here.
void see_that_it_fits(const Catalog& catalog, const BenchRun& run, const Ran& ran,
                      const std::vector<FoundGpu>& cards, Backend backend) {
  Workload workload;
  workload.context = tokens(4096);  // the least that it takes
  Machine machine;
  for (const FoundGpu& card : cards) {
    machine.devices.push_back(
        make_device(catalog, *card.gpu, resolve_memory(*card.gpu, card.memory), backend, {}, {}));
  }
  order_devices(machine);
  const Weights weights = weights_of(catalog, *ran.model, *ran.quant, workload);
  const Placement placement = place({ran.model, ran.quant, &weights}, workload, machine);
  if (placement.verdict == Verdict::fits || placement.verdict == Verdict::tight) return;
  refuse(run, std::string(ran.model->id) + " " + std::string(ran.quant->id) + " does not fit the memory of " +
                  std::string(cards.front().gpu->id) +
                  ", so part of it ran on the CPU, and the speed says nothing of either alone");
}

/// The name of the file without its folders: what was measured matters, not where it lay.
std::string base_name(const std::string& source) { return source.substr(source.rfind('/') + 1); }

}  // namespace

std::string set_aside(const Catalog& catalog, const BenchRun& run, const CalibrateQuery& query) {
  if (!run.unlike.empty()) return run.unlike;
  if (!run.n_gpu_layers || *run.n_gpu_layers < 0 || on_cpu(run, query)) return {};
  const int all = what_ran(catalog, run, query).model->shape->layers + 1;
  if (*run.n_gpu_layers >= all) return {};
  return "only " + std::to_string(*run.n_gpu_layers) + " of " + std::to_string(all) +
         " layers on the GPU (-ngl)";
}

KeptRun identified(const Catalog& catalog, const BenchRun& run, const CalibrateQuery& query,
                   const std::string& source, const std::string& today) {
  if (!run.date.empty() && run.date < kFirstYear)
    refuse(run, "measured on " + run.date + ": software of before 2025 says little of that of today");
  const Ran ran = what_ran(catalog, run, query);
  KeptRun kept;
  if (on_cpu(run, query)) {
    kept.host = host_that_ran(catalog, run, query).id;
    kept.backend = word(Backend::cpu);
  } else {
    const std::vector<FoundGpu> cards = cards_that_ran(catalog, run, query);
    const Backend backend =
        query.hardware.backend.value_or(backend_that_ran(run).value_or(cards.front().gpu->backend));
    for (const FoundGpu& card : cards) {
      if (!runs_on(backend, card.gpu->vendor)) {
        refuse(run, std::string(title(backend)) + " does not run on " + std::string(card.gpu->name) +
                        "; say what ran with --gpu or --backend");
      }
    }
    if (run.engine == "ollama") see_that_it_fits(catalog, run, ran, cards, backend);
    for (const FoundGpu& card : cards) kept.gpus.emplace_back(card.gpu->id);
    std::ranges::sort(kept.gpus);
    kept.backend = word(backend);
  }
  kept.model = ran.model->id;
  kept.quant = ran.quant->id;
  kept.kv_k = word(run.kv_k.value_or(query.kv.value_or(KvType::f16)));
  kept.kv_v = word(run.kv_v.value_or(query.kv.value_or(KvType::f16)));
  kept.flash_attention = word(run.flash_attention);
  kept.depth = run.depth.count();
  kept.decode_tps = run.decode.count();
  kept.engine = run.engine;
  kept.build = run.build;
  kept.date = run.date.empty() ? today : run.date;
  kept.source = base_name(source);
  const std::optional<OwnMeasurement> measurement = found_in(catalog, kept);
  if (!measurement) refuse(run, "no weights of " + kept.model + " as " + kept.quant + " are known");
  const std::string doubt = disbelief(*measurement, expected_of(catalog, *measurement));
  if (!doubt.empty()) refuse(run, doubt);
  return kept;
}

}  // namespace r1fit
