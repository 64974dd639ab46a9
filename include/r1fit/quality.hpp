// How good the answers are: comparable scores of the model, less the measured loss of the quantisation.
#pragma once

#include <optional>
#include <string_view>

#include "r1fit/catalog.hpp"

namespace r1fit {

/// What the answers are wanted for; decides the benchmark that ranks.
enum class Use : std::uint8_t { general, math, code };
std::string_view word(Use use);

/// The score of a model that ranks it for a use: of one benchmark on one split only, since others do not
/// compare. Null where the model has none of it.
const Score* comparable_score(const Model& model, Use use);

/// The same benchmark on whatever split was published of the model; null: none.
const Score* other_split(const Model& model, Use use);

/// A score by benchmark id; null where none is published.
const Score* find_score(const Model& model, std::string_view benchmark);

/// Loss in points of a benchmark average, positive is worse.
struct PointLoss {
  double points = 0;
  bool known = false;                ///< false: nothing was measured that says anything about it
  const QuantLoss* basis = nullptr;  ///< the measurement behind `points`; null: interpolated over bits
};

/// One scale for all, so that quantisations can be ranked: mean KL divergence of the mixture on Llama-3-8B
/// times kPointsPerNat; for dynamic mixtures of 671B models a measured loss of the same file, else what
/// R1-0528 mixes of the same bits per weight lost in perplexity.
PointLoss point_loss(const Model& model, const Quant& quant, double bits_per_weight);

/// A loss measured on an R1 model of the same family in this very quantisation; null: none.
const QuantLoss* measured_loss(const Model& model, const Quant& quant);

/// Points of reasoning average lost for each nat of mean KL divergence. Quantisations measured both ways give
/// 6 (R1-Distill-Qwen-32B Q3_K_M), 12 (R1 UD-Q2_K_XL), 18 and 20 (R1 Q3_K_M, Q4_K_M): the cautious side of
/// them.
inline constexpr double kPointsPerNat = 18.0;

}  // namespace r1fit
