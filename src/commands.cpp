#include "r1fit/commands.hpp"

#include <algorithm>
#include <utility>

namespace r1fit {
namespace {

/// The hub holds larger files in parts, which Ollama cannot pull (ollama issue 5245, open in August 2026).
constexpr Bytes kSplitAbove = gb(50);

std::string number(std::int64_t n) { return std::to_string(n); }

/// `text` with every {key} filled in.
std::string fill(Text text, std::initializer_list<std::pair<Text, std::string>> values) {
  std::string out(text);
  for (const auto& [key, value] : values) {
    const std::string brace = "{" + std::string(key) + "}";
    for (std::size_t at = out.find(brace); at != std::string::npos; at = out.find(brace, at + value.size())) {
      out.replace(at, brace.size(), value);
    }
  }
  return out;
}

const CommandTemplate* find_template(const Engine& engine, Text use) {
  const auto found = std::ranges::find(engine.commands, use, &CommandTemplate::use);
  return found == engine.commands.end() ? nullptr : &*found;
}

/// The Hugging Face repository that holds this file; the one of the model's usual Q4_K_M where it is not
/// known file by file.
Text repository(const Catalog& catalog, const Model& model, const Quant& quant) {
  Text fallback;
  Text own;
  bool own_is_usual = false;
  for (const PublishedFile& file : catalog.files) {
    if (file.model != &model || file.ollama || file.repo.empty()) continue;
    if (file.quant == &quant && (own.empty() || (file.usual && !own_is_usual))) {
      own = file.repo;
      own_is_usual = file.usual;
    }
    if (fallback.empty() || (file.usual && file.quant->id == "Q4_K_M")) fallback = file.repo;
  }
  // A dynamic mixture lies only where it was published.
  return own.empty() && quant.base != nullptr ? fallback : own;
}

std::string llama_flags(const Model& model, const Workload& workload, const Machine& machine,
                        const Placement& placement, bool flash_by_default) {
  std::string flags;
  if (placement.mode != PlacementMode::cpu) {
    flags += " -ngl " + number(placement.mode == PlacementMode::partial ? placement.n_gpu_layers : 99);
  } else if (!machine.devices.empty()) {
    flags += placement.devices.empty() ? " --device none" : " -ngl 0";
  }
  if (placement.n_cpu_moe >= model.shape->layers) {
    flags += " --cpu-moe";
  } else if (placement.n_cpu_moe > 0) {
    flags += " --n-cpu-moe " + number(placement.n_cpu_moe);
  }
  if (placement.split != SplitMode::layer) flags += " -sm " + std::string(word(placement.split));
  if (!placement.tensor_split.empty()) {
    flags += " -ts ";
    for (std::size_t i = 0; i < placement.tensor_split.size(); ++i) {
      flags += (i == 0 ? "" : ",") + number(placement.tensor_split[i]);
    }
  }
  if (workload.kv_k != KvType::f16) flags += " -ctk " + std::string(word(workload.kv_k));
  if (workload.kv_v != KvType::f16) flags += " -ctv " + std::string(word(workload.kv_v));
  // Where it is off by default -fa is a switch, where it is on it takes a word.
  if (workload.flash() != flash_by_default) flags += workload.flash() ? " -fa" : " -fa off";
  if (workload.parallel != 1) flags += " -np " + number(workload.parallel);
  if (workload.ubatch != tokens(512)) flags += " -ub " + number(workload.ubatch.count());
  return flags;
}

std::string ollama_environment(const Workload& workload, bool flash_by_default) {
  std::string environment;
  if (workload.kv_k != KvType::f16)
    environment += "OLLAMA_KV_CACHE_TYPE=" + std::string(word(workload.kv_k)) + " ";
  if (workload.flash() && !flash_by_default) environment += "OLLAMA_FLASH_ATTENTION=1 ";
  if (workload.parallel != 1) environment += "OLLAMA_NUM_PARALLEL=" + number(workload.parallel) + " ";
  return environment;
}

/// `path` as a shell takes it for one word.
std::string quoted(const std::string& path) {
  constexpr std::string_view plain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./-+=:@%,";
  if (!path.empty() && path.find_first_not_of(plain) == std::string::npos && path.front() != '-') return path;
  std::string text = path.front() == '-' ? "'./" : "'";
  for (const char c : path) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

/// Whether Ollama can be asked for this placement at all: it places experts and splits cards itself.
bool ollama_can(const Workload& workload, const Placement& placement, bool flash_by_default) {
  return placement.split == SplitMode::layer && placement.n_cpu_moe == 0 && placement.tensor_split.empty() &&
         workload.kv_k == workload.kv_v && (workload.flash() || !flash_by_default);
}

}  // namespace

const PublishedFile* ollama_file(const Catalog& catalog, const Model& model, const Quant& quant) {
  const PublishedFile* best = nullptr;
  for (const PublishedFile& file : catalog.files) {
    if (file.model != &model || !file.ollama || file.repo.empty()) continue;
    // Ollama's own mixture stands in for the quantisation it is named after.
    const bool same = file.quant == &quant || file.quant->id == std::string(quant.id) + "-ollama";
    if (same && (best == nullptr || (file.usual && !best->usual))) best = &file;
  }
  return best;
}

const Quant& as_served(const Catalog& catalog, const Model& model, const Quant& quant,
                       const EngineChoice& engine) {
  if (!engine || engine->id != "ollama") return quant;
  const PublishedFile* file = ollama_file(catalog, model, quant);
  return file != nullptr ? *file->quant : quant;
}

std::vector<Command> commands_for(const Catalog& catalog, const Model& model, const Quant& quant,
                                  const EngineChoice& engine, const Workload& workload,
                                  const Machine& machine, const Placement& placement, Bytes download) {
  std::vector<Command> commands;
  if (placement.verdict == Verdict::does_not_fit || placement.strain == Strain::tensors_by_hand)
    return commands;
  const std::string repo(repository(catalog, model, quant));
  const std::string context = number(workload.context.count());
  // Ollama is told what one slot gets.
  const std::string slot = number(workload.context.count() / std::max(1, workload.parallel));
  const auto wanted = [&engine](const Engine& one) { return !engine || engine.engine == &one; };
  const bool flash_by_default = r1fit::flash_by_default(engine, model);
  for (const Engine& one : catalog.engines) {
    if (!one.reads_gguf || !wanted(one) || (!quant.engine.empty() && quant.engine != one.id)) continue;
    if (one.id == "ollama") {
      if (!ollama_can(workload, placement, flash_by_default)) continue;
      const PublishedFile* file = ollama_file(catalog, model, quant);
      const CommandTemplate* serve = find_template(one, "serve");
      const CommandTemplate* run = find_template(one, file != nullptr ? "tag" : "hub");
      if (serve == nullptr || run == nullptr) continue;
      if (file == nullptr && (repo.empty() || download >= kSplitAbove)) continue;
      const std::string tag(file != nullptr ? file->repo : Text{});
      commands.push_back(
          {std::string(one.id),
           ollama_environment(workload, flash_by_default) + fill(serve->command, {{"ctx", slot}}) + "\n" +
               fill(run->command, {{"tag", tag}, {"repo", repo}, {"quant", std::string(quant.id)}})});
    } else if (one.id == "llama.cpp" || engine) {
      const CommandTemplate* hub = find_template(one, "hub");
      if (hub == nullptr || repo.empty()) continue;
      commands.push_back(
          {std::string(one.id), fill(hub->command, {{"repo", repo},
                                                    {"quant", std::string(quant.id)},
                                                    {"ctx", context},
                                                    {"flags", llama_flags(model, workload, machine, placement,
                                                                          flash_by_default)}})});
    }
  }
  return commands;
}

std::vector<Command> commands_for_file(const Catalog& catalog, const Model& model, const std::string& path,
                                       const EngineChoice& engine, const Workload& workload,
                                       const Machine& machine, const Placement& placement) {
  std::vector<Command> commands;
  if (placement.verdict == Verdict::does_not_fit || placement.strain == Strain::tensors_by_hand)
    return commands;
  constexpr Text stand_in = "MODEL.gguf";
  for (const Engine& one : catalog.engines) {
    const CommandTemplate* run = find_template(one, "file");
    if (run == nullptr || !one.reads_gguf || (engine && engine.engine != &one)) continue;
    std::string command =
        fill(run->command,
             {{"ctx", number(workload.context.count())},
              {"flags", llama_flags(model, workload, machine, placement, flash_by_default(engine, model))}});
    if (const std::size_t at = command.find(stand_in); at != std::string::npos)
      command.replace(at, stand_in.size(), quoted(path));
    commands.push_back({std::string(one.id), std::move(command)});
  }
  return commands;
}

}  // namespace r1fit
