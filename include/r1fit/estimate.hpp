// One configuration worked out whole: memory, placement, speed, quality, commands, warnings.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "r1fit/catalog.hpp"
#include "r1fit/commands.hpp"
#include "r1fit/engine_release.hpp"
#include "r1fit/evidence.hpp"
#include "r1fit/notes.hpp"
#include "r1fit/placement.hpp"
#include "r1fit/quality.hpp"
#include "r1fit/waits.hpp"

namespace r1fit {

/// A file at hand, whose own weights are estimated instead of those of the catalogue.
struct LocalFile {
  std::string path;
  Bytes size;
  Weights weights;
};

struct Estimate {
  const Model* model = nullptr;
  const Quant* quant = nullptr;
  const LocalFile* file = nullptr;  ///< null: the file that is published or would be
  EngineChoice engine;
  Backend backend = Backend::cpu;
  Workload workload;
  Weights weights;
  Download download;
  Placement placement;
  std::optional<Tokens> max_context;
  Speed speed;
  Waits waits;
  std::optional<std::vector<NearRun>> measured;  ///< see cite(); unset: not looked up
  PointLoss loss;
  std::vector<std::string> comfortable_with;  ///< where it is tight: flags of which each alone gives room
  std::vector<Command> commands;
  std::vector<Note> notes;
};

/// What was estimated, as the core takes it; refers to `estimate`.
inline Candidate candidate_of(const Estimate& estimate) {
  return {estimate.model, estimate.quant, &estimate.weights, estimate.file != nullptr};
}

/// The question an estimate answers.
struct Question {
  const Model* model = nullptr;
  const Quant* quant = nullptr;
  EngineChoice engine;
  Workload workload;
  PlacementRequest placement;
  const LocalFile* file = nullptr;  ///< null: as the catalogue has it
};

/// Works out one configuration. Throws Error where the question contradicts itself (context above the
/// model's, --ngl above its layers, a quantised V cache without flash attention ...).
Estimate estimate(const Catalog& catalog, const Question& question, const Machine& machine);

/// The numbers alone, without commands and notes: what ranking needs of each candidate.
Estimate evaluate(const Catalog& catalog, const Question& question, const Machine& machine);

/// Adds commands and notes.
void annotate(const Catalog& catalog, const Question& question, const Machine& machine, Estimate& estimate);

/// Adds the published runs nearest to the estimate, and a sentence for each to the basis of its speed. Apart
/// from annotate(), because a batch of thousands has no use for them.
void cite(const Catalog& catalog, const Machine& machine, Estimate& estimate);

/// How a question contradicts itself, as a sentence; empty where it does not.
std::string objection(const Question& question);

/// Why the cards of `machine` cannot share the model as asked (--split), as a sentence; empty where they can.
std::string split_objection(const Catalog& catalog, const Question& question, const Machine& machine);

}  // namespace r1fit
