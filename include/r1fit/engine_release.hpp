// Which release of an engine is asked about, and what it does with memory unless told otherwise.
#pragma once

#include <string>
#include <vector>

#include "r1fit/catalog.hpp"
#include "r1fit/workload.hpp"

namespace r1fit {

/// An engine, and the record that holds for the release asked about.
struct EngineChoice {
  const Engine* engine = nullptr;          ///< null: none was named
  const EngineRelease* release = nullptr;  ///< null: no release of it is known, or no engine was named
  const EngineSpeed* speed = nullptr;      ///< null: llama.cpp's, or not known
  std::string asked;                       ///< what stood behind the @; empty: the current release

  /// Whether one was named.
  explicit operator bool() const { return engine != nullptr; }
  const Engine* operator->() const { return engine; }
  /// Another release than the current one was asked for.
  [[nodiscard]] bool is_past() const { return release != nullptr && release != &engine->releases.back(); }
};

/// How `engine` decodes what lies in host memory; null: as llama.cpp does, or it is not known.
const EngineSpeed* engine_speed(const Catalog& catalog, const Engine& engine);

/// NAME or NAME@RELEASE, the release a version ("v0.13.4"; "0.13" is 0.13.0) or a month ("2024-05", which
/// stands for its end). Throws Error for what is unknown, older than the first record, or not a release.
EngineChoice engine_choice(const Catalog& catalog, Text text);

/// What the user said of the settings that a release, or a file of a short context, has a default for.
struct Said {
  bool parallel = false;
  bool kv_unified = false;
  bool logits_rows = false;
  bool context = false;
};

/// `workload` with the defaults of `choice` in all that was not said, for `model`.
Workload as_released(const EngineChoice& choice, const Said& said, const Workload& workload,
                     const Model& model);

/// Whether `model` runs with flash attention unless told otherwise; so it does where no engine was named.
bool flash_by_default(const EngineChoice& choice, const Model& model);

/// The context that a release takes by itself, all slots together, beside `gpu_memory` of all cards.
Tokens default_context(const EngineRelease& release, Bytes gpu_memory, const Model& model);

/// How a past release differs from the current one for `model`, in words; empty where it does not. The order
/// of layers counts only where it is `partial`ly offloaded.
std::vector<std::string> differences(const EngineChoice& choice, const Model& model, bool partial);

/// "Ollama 0.13", "llama.cpp of 2024-05", "Ollama"; "llama.cpp" where no engine was named.
std::string engine_title(const EngineChoice& choice);

}  // namespace r1fit
