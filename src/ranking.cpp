#include "r1fit/ranking.hpp"

#include <algorithm>
#include <cmath>

namespace r1fit {
namespace {

// Constants of judgement, argued in docs/ranking.md.

/// Below usable each halving costs what stepping down a model class does: 3 to 4 points.
constexpr double kSlowPerHalving = 4.0;
constexpr TokensPerSecond kUsable = kUsableSpeed;
/// Above usable a doubling is worth a third of a point, enough to choose between quantisations of one model,
/// up to where reading speed is far behind.
constexpr double kFastPerDoubling = 0.3;
constexpr TokensPerSecond kFastEnough = tok_per_s(60);
/// A placement inside the margin may fail on a machine that does other things; one that needs a system
/// setting or hand-made flags is that much less what was asked for.
constexpr double kInsideMarginCost = 1.0;
constexpr double kRaisedLimitCost = 2.0;
constexpr double kByHandCost = 3.0;
/// Layers of a dense model in host memory: the speed swings with every setting, and the RAM is not the user's
/// any more. Experts in host memory are what engines are made for.
constexpr double kSpillCost = 2.0;

/// One model class, and what Q4_K_M, the usual download, is well within.
constexpr double kGoodWithin = 4.0;
constexpr double kGoodLoss = 1.0;

constexpr std::array<std::string_view, kRoles.size()> kRoleWords{"best_answers", "fastest", "longest_context",
                                                                 "real_r1"};
constexpr std::array<std::string_view, kRoles.size()> kRoleTitles{
    "Best answers", "Fastest that is still good", "Longest context that is still good", "The real R1"};

double strain_cost(Strain strain) {
  switch (strain) {
    case Strain::none:
      return 0;
    case Strain::inside_margin:
      return kInsideMarginCost;
    case Strain::raised_limit:
      return kRaisedLimitCost;
    case Strain::tensors_by_hand:
      return kByHandCost;
  }
  return 0;
}

/// With a few layers in host memory the typical speed is as likely as the low end (see throughput.cpp).
TokensPerSecond likely_speed(const Estimate& estimate) {
  const Range<TokensPerSecond>& decode = *estimate.speed.decode;
  if (estimate.placement.mode != PlacementMode::partial) return decode.typical;
  return tok_per_s(std::sqrt(decode.typical.count() * decode.low.count()));
}

}  // namespace

std::string_view word(Role role) { return kRoleWords.at(static_cast<std::size_t>(role)); }
std::string_view title(Role role) { return kRoleTitles.at(static_cast<std::size_t>(role)); }

std::optional<double> answer_points(const Estimate& estimate, Use use) {
  const Score* score = comparable_score(*estimate.model, use);
  if (score == nullptr) return std::nullopt;
  return score->value - estimate.loss.points;
}

double deductions(const Estimate& estimate) {
  const double spill = estimate.placement.mode == PlacementMode::partial ? kSpillCost : 0;
  const double points = estimate.loss.points + strain_cost(estimate.placement.strain) + spill;
  if (!estimate.speed.decode) return points;
  const TokensPerSecond speed = std::min(likely_speed(estimate), kFastEnough);
  const double doublings = std::log2(speed.count() / kUsable.count());
  return points - doublings * (doublings < 0 ? kSlowPerHalving : kFastPerDoubling);
}

std::optional<double> ranking_score(const Estimate& estimate, Use use) {
  const Score* score = comparable_score(*estimate.model, use);
  if (score == nullptr) return std::nullopt;
  return score->value - deductions(estimate);
}

bool bearable(const Estimate& estimate) {
  return !estimate.speed.decode || likely_speed(estimate) >= kBearable;
}

bool still_good(const Estimate& one, const Estimate& best, Use use) {
  const std::optional<double> points = answer_points(one, use);
  const std::optional<double> most = answer_points(best, use);
  return points && most && *points >= *most - kGoodWithin &&
         one.loss.points <= std::max(kGoodLoss, best.loss.points);
}

bool usable(const Estimate& one, const Estimate& best) {
  if (!one.speed.decode || !best.speed.decode) return false;
  return one.speed.decode->typical >= std::min(kUsable, best.speed.decode->typical);
}

bool dominates(const Estimate& one, const Estimate& other, Use use) {
  const std::optional<double> mine = answer_points(one, use);
  const std::optional<double> theirs = answer_points(other, use);
  if (!mine || !theirs || !one.speed.decode || !other.speed.decode) return false;
  const bool faster = other.speed.decode->typical >= one.speed.decode->typical * kClearlyMore;
  const bool smaller = ratio(one.download.size, other.download.size) >= kClearlyMore;
  return *mine > *theirs && !faster && !smaller;
}

}  // namespace r1fit
