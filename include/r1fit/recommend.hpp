// Every candidate for a machine, ranked in a total order; the rejected keep their reason.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "r1fit/estimate.hpp"

namespace r1fit {

struct RecommendRequest {
  std::vector<const Model*> models;  ///< empty: every offered model
  std::vector<const Quant*> quants;  ///< empty: every offered quantisation
  EngineChoice engine;
  Workload workload;
  PlacementRequest placement;
  Use use = Use::general;
  std::optional<TokensPerSecond> min_tps;  ///< on the typical speed
  std::optional<Tokens> min_context;
  ContextChoice context = ContextChoice::stated;  ///< --ctx max: each model at its own maximum
  Said said;
};

struct Recommendation {
  Estimate estimate;
  int rank = 0;      ///< from 1; 0 for the rejected
  double score = 0;  ///< points of the ranking benchmark after losses; see docs/model.md
  std::string why;   ///< one sentence
};

/// A way to get what does not fit.
struct StepUp {
  Estimate estimate;              ///< the model that does not fit, as placed
  Bytes missing;                  ///< on the fullest device or in host memory
  std::vector<std::string> ways;  ///< "2 x 24 GiB cards", "a 64 GiB Mac", each verified by placing it
};

struct Recommendations {
  std::vector<Recommendation> ranked;    ///< one row a model, best first
  std::vector<Recommendation> rejected;  ///< the best try of each model that has no row
  std::vector<StepUp> step_ups;          ///< the next better models and what they lack
};

/// Points of the ranking score, and why; see docs/model.md.
double ranking_score(const Estimate& estimate, Use use);

Recommendations recommend(const Catalog& catalog, const RecommendRequest& request, const Machine& machine);

}  // namespace r1fit
