// Every candidate for a machine, ranked in a total order; the rejected keep their reason.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "r1fit/ranking.hpp"
#include "r1fit/requirements.hpp"

namespace r1fit {

struct RecommendRequest {
  std::vector<const Model*> models;  ///< empty: every offered model
  std::vector<const Quant*> quants;  ///< empty: every offered quantisation
  EngineChoice engine;
  Workload workload;
  PlacementRequest placement;
  Use use = Use::general;
  Requirements required{.verdict = Verdict::offload};
  ContextChoice context = ContextChoice::stated;  ///< --ctx max: each model at its own maximum
  Prefer prefer = Prefer::quality;
  bool all = false;  ///< also what another row makes pointless
  Said said;
};

struct Recommendation {
  Estimate estimate;
  int rank = 0;                 ///< from 1; 0 for the rejected
  std::optional<double> score;  ///< see ranking_score(); unset: no score that compares
  std::vector<Role> roles;
  std::string why;  ///< one sentence
};

/// A way to get what does not fit.
struct StepUp {
  Estimate estimate;               ///< the model that does not fit, as placed
  Bytes missing;                   ///< on the fullest device or in host memory
  std::vector<std::string> flags;  ///< "--kv q8_0": each alone makes it fit on this machine, tried out
  std::vector<std::string> ways;   ///< "2 x 24 GiB cards", "a 64 GiB Mac", each verified by placing it
};

struct Recommendations {
  std::vector<Recommendation> ranked;      ///< what is left to choose from, in the order that was preferred
  std::vector<Recommendation> rejected;    ///< the best try of each model that has no row, with the reason
  int folded = 0;                          ///< of the rejected, those that a row makes pointless
  std::vector<Recommendation> candidates;  ///< all that runs and meets the needs, highest score first
  std::vector<StepUp> step_ups;            ///< the next better models and what they lack
  std::vector<Note> notes;                 ///< on the list as a whole
};

Recommendations recommend(const Catalog& catalog, const RecommendRequest& request, const Machine& machine);

/// What a request asks of one model in one quantisation.
Question question_of(const RecommendRequest& request, const Model& model, const Quant& quant,
                     const Machine& machine);

/// What `estimate` lacks of the needs, as a phrase: "18.4 GiB short"; of what lacks nothing, "ranked lower".
std::string why_rejected(const Estimate& estimate, const Requirements& required);

}  // namespace r1fit
