// Published runs nearest to a question: what somebody measured on such hardware, and how it differs.
#pragma once

#include <string>
#include <vector>

#include "r1fit/machine.hpp"

namespace r1fit {

/// What a speed is asked of, beside the machine.
struct Sought {
  const Shape* shape = nullptr;
  const Quant* quant = nullptr;
  PlacementMode mode = PlacementMode::gpu;
  Tokens depth;
};

/// A run near the question.
struct NearRun {
  const Measurement* run = nullptr;
  Text engine;          ///< the name of what ran it
  std::string differs;  ///< "same card and quant, another model"
  std::string on;       ///< its hardware, where that is not the machine's
};

/// Up to three runs, the nearest first: on the same hardware before its class, of the same tensor shapes and
/// quantisation before others, laid out alike; then by count of cards, bandwidth (within a class),
/// year, depth and grade. Runs that fits
/// leave out come last. Nothing where no hardware of the kind was measured, or the machine's is not named.
std::vector<NearRun> nearest_runs(const Catalog& catalog, const Sought& sought, const Machine& machine);

/// The decode speed of a run in tokens a second as it is printed, "2.57", "44.5", "131".
std::string measured_text(const Measurement& run);
/// The quantisation that did run.
Text measured_quant(const Measurement& run);

/// "same card and quant, another model: 44.5 tok/s with R1-Distill-Qwen-32B Q4_K_M, Ollama, 2026".
std::string said(const NearRun& near);
/// The same with its source in brackets.
std::string sentence(const NearRun& near);

}  // namespace r1fit
