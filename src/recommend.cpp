#include "r1fit/recommend.hpp"

#include <algorithm>
#include <cmath>

#include "r1fit/error.hpp"
#include "r1fit/step_up.hpp"
#include "r1fit/units_text.hpp"

namespace r1fit {
namespace {

// The score is the model's benchmark in points, less the loss of the quantisation, less what a slow answer
// costs. Constants of judgement, argued in docs/model.md:
/// Below usable (10 tok/s) each halving costs what stepping down a model class does: 3 to 4 points.
constexpr double kSlowPerHalving = 4.0;
constexpr TokensPerSecond kUsable = tok_per_s(10);
/// Above usable a doubling is worth a third of a point, enough to choose between quantisations of one model,
/// up to where reading speed is far behind.
constexpr double kFastPerDoubling = 0.3;
constexpr TokensPerSecond kFastEnough = tok_per_s(60);
/// A placement inside the margin may fail on a machine that does other things; one that needs a system
/// setting or hand-made flags is that much less what was asked for.
constexpr double kInsideMarginCost = 1.0;
constexpr double kRaisedLimitCost = 2.0;
constexpr double kByHandCost = 3.0;

constexpr int kStepUps = 2;

/// A thing runs if it fits or is offloaded; reading weights from disk for every token is not recommended.
bool runs(const Estimate& estimate) { return estimate.placement.verdict <= Verdict::offload; }

std::vector<const Model*> offered_models(const Catalog& catalog) {
  std::vector<const Model*> models;
  for (const Model& model : catalog.models) {
    if (model.offered) models.push_back(&model);
  }
  return models;
}

std::vector<const Quant*> offered_quants(const Catalog& catalog) {
  std::vector<const Quant*> quants;
  for (const Quant& quant : catalog.quants) {
    if (quant.offered) quants.push_back(&quant);
  }
  return quants;
}

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

std::string missing_text(const Estimate& estimate) {
  const Placement& placement = estimate.placement;
  std::string text = gib_text(placement.shortfall) + " short";
  if (placement.host_unknown && placement.shortfall == placement.host.total()) {
    text = "needs " + gib_text(placement.shortfall) + " of system RAM, which is not given";
  }
  return text;
}

std::string why_rejected(const Estimate& estimate, const RecommendRequest& request) {
  const Placement& placement = estimate.placement;
  if (placement.verdict == Verdict::does_not_fit) return missing_text(estimate);
  if (placement.verdict == Verdict::streams) {
    return gib_text(placement.disk_streamed) + " of weights would be read from disk";
  }
  if (request.min_tps && !estimate.speed.decode) return estimate.speed.unknown;
  if (request.min_tps && estimate.speed.decode->typical < *request.min_tps) {
    return "typically " + tok_per_s_text(estimate.speed.decode->typical) + " tok/s, below --min-tps";
  }
  if (request.min_context) return "the context that fits is below --min-ctx";
  return "ranked lower";
}

std::string why_ranked(const Estimate& estimate, Use use) {
  const Score* score = find_score(*estimate.model, benchmark_of(use));
  std::string why;
  if (score != nullptr) {
    why = std::string(score->split) + " " + fixed_text(score->value, 1) + " at 16 bits, about " +
          fixed_text(estimate.loss.points, 1) + " points lost as " + std::string(estimate.quant->id);
  }
  if (!estimate.speed.decode) return why + "; speed unknown: " + estimate.speed.unknown;
  const TokensPerSecond typical = estimate.speed.decode->typical;
  return why + "; " + std::string(speed_word(typical)) + " at " + tok_per_s_text(typical) + " tok/s";
}

class Ranking {
 public:
  Ranking(const Catalog& catalog, const RecommendRequest& request, const Machine& machine)
      : catalog_(catalog), request_(request), machine_(machine) {}

  Recommendations run() {
    const std::vector<const Model*> models =
        request_.models.empty() ? offered_models(catalog_) : request_.models;
    quants_ = request_.quants.empty() ? offered_quants(catalog_) : request_.quants;
    for (const Model* model : models) consider(*model);
    // What no candidate can mean is wrong usage, not "nothing fits".
    if (!answerable_ && !out_.rejected.empty()) throw Error(out_.rejected.front().why);
    const auto better = [](const Recommendation& a, const Recommendation& b) {
      if (a.score != b.score) return a.score > b.score;
      return a.estimate.model->id < b.estimate.model->id;
    };
    std::ranges::sort(out_.ranked, better);
    std::ranges::sort(out_.rejected, better);
    int rank = 0;
    for (Recommendation& one : out_.ranked) {
      one.rank = ++rank;
      one.why = why_ranked(one.estimate, request_.use);
      annotate(catalog_, question_of(one.estimate), machine_, one.estimate);
    }
    for (Recommendation& one : out_.rejected) {
      if (one.why.empty()) one.why = why_rejected(one.estimate, request_);
    }
    step_up();
    return std::move(out_);
  }

 private:
  [[nodiscard]] Question question(const Model& model, const Quant& quant) const {
    Question question{&model, &quant, request_.engine,
                      as_released(request_.engine, request_.said, request_.workload, model),
                      request_.placement};
    if (request_.context == ContextChoice::longest) question.workload.context = model.max_context;
    if (request_.context == ContextChoice::by_engine)
      question.workload.context = default_context(*request_.engine.release, gpu_memory(machine_), model);
    question.workload.depth = std::min(question.workload.depth, question.workload.context);
    return question;
  }

  [[nodiscard]] Question question_of(const Estimate& estimate) const {
    return {estimate.model, estimate.quant, estimate.engine, estimate.workload, request_.placement};
  }

  [[nodiscard]] bool meets_needs(const Estimate& estimate) const {
    const std::optional<Range<TokensPerSecond>>& speed = estimate.speed.decode;
    if (request_.min_tps && !(speed && speed->typical >= *request_.min_tps)) return false;
    if (!request_.min_context) return true;
    const std::optional<Tokens> most =
        max_context(candidate_of(estimate), estimate.workload, machine_, estimate.placement);
    return most && *most >= *request_.min_context;
  }

  /// Adds the best quantisation of a model to the ranked, or its nearest miss to the rejected.
  void consider(const Model& model) {
    if (const std::string problem = objection(question(model, *quants_.front())); !problem.empty()) {
      Recommendation dropped;
      dropped.estimate.model = &model;
      dropped.estimate.quant = quants_.front();
      dropped.estimate.workload = request_.workload;
      dropped.why = problem;
      out_.rejected.push_back(std::move(dropped));
      return;
    }
    answerable_ = true;
    std::optional<Recommendation> best;
    std::optional<Recommendation> miss;
    for (const Quant* quant : quants_) {
      if (!has_weights(catalog_, model, *quant) || !readable(*quant)) continue;
      if (request_.quants.empty() && !offered(model, *quant)) continue;
      Recommendation one;
      one.estimate = evaluate(catalog_, question(model, *quant), machine_);
      one.score = ranking_score(one.estimate, request_.use);
      if (runs(one.estimate) && meets_needs(one.estimate)) {
        if (!best || one.score > best->score) best = std::move(one);
      } else if (!miss || nearer(one.estimate, miss->estimate)) {
        miss = std::move(one);
      }
    }
    if (best) {
      out_.ranked.push_back(std::move(*best));
    } else if (miss) {
      out_.rejected.push_back(std::move(*miss));
    }
  }

  /// Unasked, only what was published, and dynamic mixtures only where their loss is known: on 671B models.
  [[nodiscard]] bool offered(const Model& model, const Quant& quant) const {
    return published(catalog_, model, quant) && (quant.base != nullptr || model.shape->moe);
  }

  [[nodiscard]] bool readable(const Quant& quant) const {
    if (quant.engine.empty()) return true;
    return request_.engine && quant.engine == request_.engine->id;
  }

  /// Of two misses the one a person would aim for: Q4_K_M, the usual download, else the smaller shortfall.
  static bool nearer(const Estimate& a, const Estimate& b) {
    const bool usual_a = a.quant->id == "Q4_K_M";
    const bool usual_b = b.quant->id == "Q4_K_M";
    if (usual_a != usual_b) return usual_a;
    return a.placement.shortfall < b.placement.shortfall;
  }

  // ---- what it would take ---------------------------------------------------------------------------

  void step_up() {
    if (request_.placement.any() || machine_.devices.empty()) return;
    const double best = out_.ranked.empty() ? 0.0 : out_.ranked.front().score;
    std::vector<const Recommendation*> misses;
    for (const Recommendation& one : out_.rejected) {
      const Score* score = find_score(*one.estimate.model, benchmark_of(request_.use));
      const bool better = score != nullptr && score->value > best;
      if (better && one.estimate.placement.verdict == Verdict::does_not_fit &&
          !one.estimate.placement.devices.empty()) {
        misses.push_back(&one);
      }
    }
    std::ranges::stable_sort(misses, {},
                             [](const Recommendation* one) { return one->estimate.weights.total(); });
    for (const Recommendation* miss : misses) {
      if (std::ssize(out_.step_ups) == kStepUps) break;
      // One row for models of one size: the better of them.
      const bool seen = std::ranges::any_of(out_.step_ups, [miss](const StepUp& step) {
        return step.estimate.model->shape == miss->estimate.model->shape;
      });
      if (seen) continue;
      const Estimate& found = miss->estimate;
      out_.step_ups.push_back({found, found.placement.shortfall,
                               hardware_for(catalog_, candidate_of(found), found.workload, machine_)});
    }
  }

  const Catalog& catalog_;
  const RecommendRequest& request_;
  const Machine& machine_;
  std::vector<const Quant*> quants_;
  bool answerable_ = false;
  Recommendations out_;
};

}  // namespace

double ranking_score(const Estimate& estimate, Use use) {
  const Score* score = find_score(*estimate.model, benchmark_of(use));
  double points = (score != nullptr ? score->value : 0.0) - estimate.loss.points;
  points -= strain_cost(estimate.placement.strain);
  if (!estimate.speed.decode) return points;
  // With a few layers in host memory the typical speed is as likely as the low end (see throughput.cpp).
  TokensPerSecond likely = estimate.speed.decode->typical;
  if (estimate.placement.mode == PlacementMode::partial) {
    likely = tok_per_s(std::sqrt(likely.count() * estimate.speed.decode->low.count()));
  }
  const TokensPerSecond speed = std::min(likely, kFastEnough);
  const double doublings = std::log2(speed.count() / kUsable.count());
  return points + doublings * (doublings < 0 ? kSlowPerHalving : kFastPerDoubling);
}

Recommendations recommend(const Catalog& catalog, const RecommendRequest& request, const Machine& machine) {
  return Ranking(catalog, request, machine).run();
}

}  // namespace r1fit
