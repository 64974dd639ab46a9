#include "r1fit/compare.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "r1fit/error.hpp"
#include "r1fit/units_text.hpp"

namespace r1fit {
namespace {

const Recommendation* candidate_in(const Recommendations& answers, const Model* model, const Quant* quant) {
  const auto found = std::ranges::find_if(answers.candidates, [&](const Recommendation& one) {
    return one.estimate.model == model && one.estimate.quant == quant;
  });
  return found == answers.candidates.end() ? nullptr : &*found;
}

double score_of(const Model& model, Use use) {
  const Score* score = comparable_score(model, use);
  return score == nullptr ? 0 : score->value;
}

class Comparing {
 public:
  Comparing(const Catalog& catalog, const RecommendRequest& request) : catalog_(catalog), request_(request) {}

  Comparison run(const ModelAndQuant& chosen, std::vector<NamedMachine> machines) {
    for (NamedMachine& named : machines) {
      answers_.push_back(recommend(catalog_, request_, named.machine));
      ComparedMachine& one = out_.machines.emplace_back();
      one.named = std::move(named);
      one.outlay = outlay_of(one.named.machine);
      if (!answers_.back().ranked.empty()) one.pick = answers_.back().ranked.front();
    }
    choose(chosen);
    for (std::size_t i = 0; i < out_.machines.size(); ++i) {
      if (out_.model != nullptr) same_on(i);
      miss_on(i);
    }
    return std::move(out_);
  }

 private:
  [[nodiscard]] const Machine& machine(std::size_t i) const { return out_.machines[i].named.machine; }

  // ---- the same model on all --------------------------------------------------------------------------

  /// How good a candidate is where it is worst: bearable before not, higher scores before lower, those that
  /// compare before others, among which what costs least leads. Unset where a machine does not run it.
  using Worst = std::tuple<bool, bool, double, double>;
  [[nodiscard]] std::optional<Worst> worst_of(const Model* model, const Quant* quant) const {
    Worst worst;
    bool first = true;
    for (const Recommendations& answers : answers_) {
      const Recommendation* one = candidate_in(answers, model, quant);
      if (one == nullptr) return std::nullopt;
      const Worst here{bearable(one->estimate), one->score.has_value(), one->score.value_or(0),
                       -deductions(one->estimate)};
      worst = first ? here : std::min(worst, here);
      first = false;
    }
    return worst;
  }

  void choose(const ModelAndQuant& chosen) {
    out_.model = chosen.model;
    out_.quant = chosen.quant;
    if (chosen.quant != nullptr) return;
    std::optional<Worst> best;
    for (const Recommendation& one : answers_.front().candidates) {
      const Estimate& found = one.estimate;
      if (chosen.model != nullptr && found.model != chosen.model) continue;
      const std::optional<Worst> worst = worst_of(found.model, found.quant);
      if (!worst) continue;
      // Equal scores are told apart by name, so that the order of the machines does not matter.
      const bool first = worst == best && std::tuple(found.model->id, found.quant->id) <
                                              std::tuple(out_.model->id, out_.quant->id);
      if (!best || *worst > *best || first) {
        best = worst;
        out_.model = found.model;
        out_.quant = found.quant;
      }
    }
    if (out_.model == nullptr || out_.quant != nullptr) return;
    out_.quant = request_.quants.empty() ? &quant_named(catalog_, "Q4_K_M") : request_.quants.front();
  }

  void same_on(std::size_t i) {
    ComparedMachine& one = out_.machines[i];
    one.same = estimate(catalog_, question_of(request_, *out_.model, *out_.quant, machine(i)), machine(i));
    one.same_lacks = lacks(*one.same);
  }

  [[nodiscard]] std::string lacks(const Estimate& estimate) const {
    return unmet(request_.required, estimate, estimate.max_context).empty()
               ? ""
               : why_rejected(estimate, request_.required);
  }

  // ---- what one runs and another does not ---------------------------------------------------------------

  /// The best of what machine `i` runs of a model at a bearable speed; null: nothing.
  [[nodiscard]] const Recommendation* bearable_on(std::size_t i, const Model* model) const {
    const Recommendation* best = nullptr;
    for (const Recommendation& one : answers_[i].candidates) {
      if (one.estimate.model != model || !bearable(one.estimate)) continue;
      if (best == nullptr || one.score > best->score) best = &one;
    }
    return best;
  }

  [[nodiscard]] double best_score_on(std::size_t i) const {
    double best = 0;
    for (const Recommendation& one : answers_[i].candidates) {
      if (bearable(one.estimate)) best = std::max(best, score_of(*one.estimate.model, request_.use));
    }
    return best;
  }

  void miss_on(std::size_t i) {
    const Model* model = nullptr;
    double best = best_score_on(i);
    for (const Recommendations& others : answers_) {
      for (const Recommendation& one : others.candidates) {
        const Model* other = one.estimate.model;
        const double score = score_of(*other, request_.use);
        const bool first = model != nullptr && score == best && other->id < model->id;
        if (!bearable(one.estimate) || (score <= best && !first)) continue;
        model = other;
        best = score;
      }
    }
    if (model == nullptr) return;
    Missed missed;
    const Recommendation* there = nullptr;
    for (std::size_t j = 0; j < answers_.size(); ++j) {
      const Recommendation* runs = bearable_on(j, model);
      if (runs == nullptr) continue;
      missed.runs_on.push_back(j);
      if (there == nullptr || runs->score > there->score) there = runs;
    }
    missed.estimate =
        estimate(catalog_, question_of(request_, *model, *there->estimate.quant, machine(i)), machine(i));
    missed.why = lacks(missed.estimate);
    if (missed.why.empty() && missed.estimate.speed.decode) {
      const Range<TokensPerSecond>& slow = *missed.estimate.speed.decode;
      missed.why = tok_per_s_text(slow.low, slow.high) + " tok/s";
    }
    out_.machines[i].missed = std::move(missed);
  }

  const Catalog& catalog_;
  const RecommendRequest& request_;
  std::vector<Recommendations> answers_;  ///< one a machine
  Comparison out_;
};

}  // namespace

Comparison compare(const Catalog& catalog, const RecommendRequest& request, const ModelAndQuant& chosen,
                   std::vector<NamedMachine> machines) {
  return Comparing(catalog, request).run(chosen, std::move(machines));
}

std::optional<double> tok_per_s_per_100_watts(const Estimate& estimate, const Outlay& outlay) {
  if (!outlay.board_power || !estimate.speed.decode || estimate.placement.mode != PlacementMode::gpu)
    return std::nullopt;
  return estimate.speed.decode->typical.count() / outlay.board_power->count() * 100.0;
}

}  // namespace r1fit
