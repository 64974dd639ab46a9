// Several machines side by side for the same needs.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "r1fit/lookup.hpp"
#include "r1fit/outlay.hpp"
#include "r1fit/recommend.hpp"

namespace r1fit {

/// A machine, and how it was asked for.
struct NamedMachine {
  std::string asked;
  Machine machine;
};

/// A better model than a machine runs at a bearable speed, which others of those compared do.
struct Missed {
  Estimate estimate;                 ///< on the machine that lacks it, in the quantisation that another runs
  std::string why;                   ///< "18.4 GiB short"
  std::vector<std::size_t> runs_on;  ///< machines that run it at a bearable speed, as indices
};

struct ComparedMachine {
  NamedMachine named;
  Outlay outlay;
  std::optional<Recommendation> pick;  ///< unset: nothing meets the needs
  std::optional<Estimate> same;        ///< the model that is compared on all; unset: there is none
  std::string same_lacks;              ///< what that lacks of the needs; empty: nothing
  std::optional<Missed> missed;        ///< unset: no other runs a better model
};

struct Comparison {
  std::vector<ComparedMachine> machines;  ///< in the order asked for
  const Model* model = nullptr;           ///< compared on all; null: none runs on every machine
  const Quant* quant = nullptr;
};

/// How many machines are compared.
inline constexpr std::size_t kLeastCompared = 2;
inline constexpr std::size_t kMostCompared = 6;

/// `request` answered on each machine, and one model on all: `chosen`, or what of it is left open is the
/// candidate of every machine whose lowest score is highest, bearable on each before all else. A chosen model
/// that runs everywhere in no quantisation is compared in Q4_K_M, or the first that was asked for. Throws
/// Error where a chosen model contradicts the request.
Comparison compare(const Catalog& catalog, const RecommendRequest& request, const ModelAndQuant& chosen,
                   std::vector<NamedMachine> machines);

/// Typical tokens a second for each 100 W of the cards; unset where either is not known, or where not all of
/// the work is done on the cards.
std::optional<double> tok_per_s_per_100_watts(const Estimate& estimate, const Outlay& outlay);

}  // namespace r1fit
