// The commands to paste for a placement, by engine.
#pragma once

#include <string>
#include <vector>

#include "r1fit/engine_release.hpp"
#include "r1fit/placement.hpp"

namespace r1fit {

struct Command {
  std::string engine;   ///< engine id
  std::string command;  ///< to paste; several lines where an engine needs them
};

/// Commands that run `model` as `quant` as placed: Ollama's where it has the file, llama.cpp's always.
/// With an `engine` named, only that engine's. `download` is the file's size. Empty where nothing runs or no
/// published file is known.
std::vector<Command> commands_for(const Catalog& catalog, const Model& model, const Quant& quant,
                                  const EngineChoice& engine, const Workload& workload,
                                  const Machine& machine, const Placement& placement, Bytes download);

/// Commands that run the file at `path`, a model like `model`, as placed: of the engines that take a path.
std::vector<Command> commands_for_file(const Catalog& catalog, const Model& model, const std::string& path,
                                       const EngineChoice& engine, const Workload& workload,
                                       const Machine& machine, const Placement& placement);

/// The Ollama tag that serves this model and quantisation; null: none. Its file may be Ollama's own mixture.
const PublishedFile* ollama_file(const Catalog& catalog, const Model& model, const Quant& quant);

/// What runs where `quant` is asked of `engine`: Ollama serves its own mixture of some models under the usual
/// name.
const Quant& as_served(const Catalog& catalog, const Model& model, const Quant& quant,
                       const EngineChoice& engine);

}  // namespace r1fit
