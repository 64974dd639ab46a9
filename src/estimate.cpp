#include "r1fit/estimate.hpp"

#include <algorithm>

#include "r1fit/error.hpp"
#include "r1fit/units_text.hpp"
#include "r1fit/ways.hpp"

namespace r1fit {

std::string objection(const Question& question) {
  const Shape& shape = *question.model->shape;
  const Workload& workload = question.workload;
  const std::string model(question.model->id);
  if (workload.context > question.model->max_context) {
    return "--ctx " + std::to_string(workload.context.count()) + " is more than " + model +
           " supports: " + count_text(question.model->max_context) + " tokens";
  }
  if (workload.context.count() / (workload.kv_unified ? 1 : workload.parallel) < 1) {
    return "--parallel " + std::to_string(workload.parallel) + " leaves no context for a slot";
  }
  if (workload.kv_v != KvType::f16 && !workload.flash()) {
    return "--kv-v " + std::string(word(workload.kv_v)) +
           " needs flash attention, which --flash-attn turns off";
  }
  if (shape.mla && !workload.legacy_gguf && workload.kv_k != workload.kv_v) {
    return "--kv-k and --kv-v must be the same for " + model + ": its MLA cache is one tensor";
  }
  if (workload.legacy_gguf && !shape.mla) return "--legacy-gguf is about 671B files, not " + model;
  if (question.placement.n_gpu_layers && *question.placement.n_gpu_layers > shape.layers + 1) {
    return "--ngl " + std::to_string(*question.placement.n_gpu_layers) + " is more than " + model +
           " has: " + std::to_string(shape.layers) + " layers and the output";
  }
  if ((question.placement.cpu_moe || question.placement.n_cpu_moe.value_or(0) > 0) && !shape.moe) {
    return (question.placement.cpu_moe ? "--cpu-moe" : "--n-cpu-moe") +
           std::string(" is about experts, and ") + model + " has none";
  }
  if (question.placement.n_cpu_moe && *question.placement.n_cpu_moe > shape.layers) {
    return "--n-cpu-moe " + std::to_string(*question.placement.n_cpu_moe) + " is more than the " +
           std::to_string(shape.layers) + " layers of " + model;
  }
  if (question.engine && !question.engine->reads_gguf) {
    return "--engine " + std::string(question.engine->id) +
           " reads no GGUF file, and the memory of other formats is not modelled; use llama.cpp, ollama or "
           "lm-studio";
  }
  if (question.engine && !question.quant->engine.empty() && question.quant->engine != question.engine->id) {
    return "--quant " + std::string(question.quant->id) + " is read by " +
           std::string(question.quant->engine) + " only, not by " + std::string(question.engine->id);
  }
  return {};
}

namespace {

/// GGML_CUDA_MAX_DEVICES
constexpr std::size_t kMostSharing = 16;

/// The release asked about; where no engine was named, llama.cpp's current one.
const EngineRelease* release_asked(const Catalog& catalog, const EngineChoice& choice) {
  if (choice) return choice.release;
  const auto found = std::ranges::find(catalog.engines, Text("llama.cpp"), &Engine::id);
  return found == catalog.engines.end() || found->releases.empty() ? nullptr : &found->releases.back();
}

bool has(const EngineRelease* release, SplitMode split) {
  return release != nullptr && std::ranges::find(release->splits, split) != release->splits.end();
}

}  // namespace

std::string split_objection(const Catalog& catalog, const Question& question, const Machine& machine) {
  const Workload& workload = question.workload;
  const SplitMode split = workload.split;
  if (split == SplitMode::layer) return {};
  const std::string flag = "--split " + std::string(word(split));
  const bool by_row = split == SplitMode::row;
  if (!has(release_asked(catalog, question.engine), split)) {
    if (question.engine && question.engine->id != "llama.cpp")
      return flag + " is known of llama.cpp only, not of " + std::string(question.engine->name);
    if (by_row && !question.engine.is_past())
      return flag +
             ": llama.cpp has no split by row any more, build b9890 of July 2026 took it out; ask for "
             "--split tensor, or for a build that has it with --engine llama.cpp@2026-06";
    return flag + " is not modelled for " + engine_title(question.engine) +
           (by_row ? ": --engine llama.cpp@2025-04 to llama.cpp@2026-06 are"
                   : ": from llama.cpp@2026-06 on it is");
  }
  if (machine.devices.size() < 2)
    return flag + " is about several GPUs; name them, such as --gpu \"2x rtx 3090\"";
  if (machine.devices.size() > kMostSharing)
    return flag + " takes at most " + std::to_string(kMostSharing) + " GPUs";
  for (const Device& device : machine.devices) {
    const bool supported = device.backend == Backend::cuda || device.backend == Backend::rocm;
    if (!supported)
      return flag + " is modelled for CUDA and ROCm, not for " + std::string(title(device.backend)) +
             ": llama.cpp promises it for no other";
    if (device.backend != machine.devices.front().backend)
      return flag + " takes GPUs of one backend, not " + std::string(title(machine.devices.front().backend)) +
             " and " + std::string(title(device.backend));
  }
  if (question.model->shape->moe) {
    return flag + " does not go with " + std::string(question.model->id) +
           (by_row ? ": llama.cpp cuts no experts by row" : ": llama.cpp cannot share an MLA cache");
  }
  if (question.placement.any())
    return flag + " is modelled with all layers on the GPUs, without --ngl, --n-cpu-moe and --cpu-moe";
  if (!by_row && !workload.flash()) return flag + " needs flash attention, which --flash-attn turns off";
  return {};
}

Estimate evaluate(const Catalog& catalog, const Question& question, const Machine& machine) {
  if (const std::string problem = objection(question); !problem.empty()) throw Error(problem);
  if (const std::string problem = split_objection(catalog, question, machine); !problem.empty())
    throw Error(problem);
  Estimate estimate;
  estimate.model = question.model;
  estimate.quant = question.quant;
  estimate.engine = question.engine;
  estimate.workload = question.workload;
  estimate.backend = machine.devices.empty() ? Backend::cpu : machine.devices.front().backend;
  estimate.file = question.file;
  if (question.file != nullptr) {
    estimate.weights = question.file->weights;
    estimate.download = {question.file->size, Bytes{}, nullptr};
  } else {
    estimate.weights = weights_of(catalog, *question.model, *question.quant, question.workload);
    estimate.download = download_of(catalog, *question.model, *question.quant, estimate.weights);
  }
  const Candidate candidate = candidate_of(estimate);
  estimate.placement = place(candidate, question.workload, machine, question.placement);
  estimate.speed = speed_of(candidate, question.workload, machine, estimate.placement);
  estimate.waits = add_waits(candidate, question.workload, machine, estimate.placement,
                             estimate.download.size, estimate.speed);
  if (question.file != nullptr) {
    estimate.waits.download.reset();
    // Fits know nothing of models smaller than the smallest R1.
    const auto smallest = std::ranges::min_element(catalog.shapes, {}, &Shape::parameters);
    if (smallest != catalog.shapes.end() && question.model->shape->parameters < smallest->parameters)
      estimate.speed.extrapolated = true;
  }
  const double bits = 8.0 * static_cast<double>(estimate.weights.total().count()) /
                      static_cast<double>(question.model->shape->parameters);
  estimate.loss = point_loss(*question.model, *question.quant, bits);
  return estimate;
}

void annotate(const Catalog& catalog, const Question& question, const Machine& machine, Estimate& estimate) {
  const Candidate candidate = candidate_of(estimate);
  estimate.max_context = max_context(candidate, question.workload, machine, estimate.placement);
  if (estimate.placement.verdict == Verdict::tight) {
    estimate.comfortable_with =
        ways_to(Verdict::fits, catalog, candidate, question.workload, machine, question.placement);
  }
  estimate.commands =
      question.file != nullptr
          ? commands_for_file(catalog, *question.model, question.file->path, question.engine,
                              question.workload, machine, estimate.placement)
          : commands_for(catalog, *question.model, *question.quant, question.engine, question.workload,
                         machine, estimate.placement, estimate.download.size);
  estimate.notes = notes_on(catalog, candidate, machine, estimate);
}

void cite(const Catalog& catalog, const Machine& machine, Estimate& estimate) {
  estimate.measured.emplace();
  // What does not fit has no layout that a run could share, and no run published is of another split.
  if (estimate.placement.verdict == Verdict::does_not_fit || estimate.placement.split != SplitMode::layer)
    return;
  const Sought sought{estimate.model->shape, estimate.quant, estimate.placement.mode,
                      std::min(estimate.workload.depth, estimate.workload.context)};
  *estimate.measured = nearest_runs(catalog, sought, machine);
  for (const NearRun& near : *estimate.measured) estimate.speed.basis.push_back(sentence(near));
}

Estimate estimate(const Catalog& catalog, const Question& question, const Machine& machine) {
  Estimate result = evaluate(catalog, question, machine);
  annotate(catalog, question, machine, result);
  return result;
}

}  // namespace r1fit
