#include "r1fit/recommend.hpp"

#include <algorithm>
#include <cmath>

#include "r1fit/error.hpp"
#include "r1fit/step_up.hpp"
#include "r1fit/units_text.hpp"
#include "r1fit/ways.hpp"

namespace r1fit {
namespace {

constexpr int kStepUps = 2;

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

std::string missing_text(const Estimate& estimate) {
  const Placement& placement = estimate.placement;
  std::string text = gib_text(placement.shortfall) + " short";
  if (placement.host_unknown && placement.shortfall == placement.host.total()) {
    text = "needs " + gib_text(placement.shortfall) + " of system RAM, which is not given";
  }
  return text;
}

std::string why_ranked(const Estimate& estimate, Use use) {
  std::string why;
  if (const Score* score = comparable_score(*estimate.model, use)) {
    why = std::string(score->split) + " " + fixed_text(score->value, 1) + " at 16 bits, about " +
          fixed_text(estimate.loss.points, 1) + " points lost as " + std::string(estimate.quant->id);
  } else if (const Score* other = other_split(*estimate.model, use)) {
    why = "not ranked by its answers: its " + std::string(other->split) + " " + fixed_text(other->value, 1) +
          " is of another split";
  } else {
    why = "not ranked by its answers: no comparable score published";
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
    std::ranges::sort(candidates_, better);
    if (!candidates_.empty()) {
      pick();
      show();
    }
    std::ranges::sort(out_.rejected, better);
    for (Recommendation& one : out_.rejected) {
      if (one.why.empty()) one.why = why_rejected(one.estimate, request_.required);
    }
    step_up();
    remark();
    out_.candidates = std::move(candidates_);
    return std::move(out_);
  }

 private:
  [[nodiscard]] Question question(const Model& model, const Quant& quant) const {
    return question_of(request_, model, as_served(catalog_, model, quant, request_.engine), machine_);
  }

  [[nodiscard]] Question asked_of(const Estimate& estimate) const {
    return {estimate.model, estimate.quant, estimate.engine, estimate.workload, request_.placement};
  }

  [[nodiscard]] bool good_enough(const Estimate& estimate) const {
    const std::optional<Tokens> most = request_.required.min_context ? longest(estimate) : std::nullopt;
    return unmet(request_.required, estimate, most).empty();
  }

  /// A total order: what is too slow after all else, then better scores first, what has none that compares
  /// last.
  static bool better(const Recommendation& a, const Recommendation& b) {
    const bool bearable_a = bearable(a.estimate);
    if (bearable_a != bearable(b.estimate)) return bearable_a;
    if (a.score != b.score) return a.score > b.score;
    if (a.estimate.model != b.estimate.model) return a.estimate.model->id < b.estimate.model->id;
    const double cost_a = deductions(a.estimate);
    const double cost_b = deductions(b.estimate);
    if (cost_a != cost_b) return cost_a < cost_b;
    return a.estimate.quant->id < b.estimate.quant->id;
  }

  [[nodiscard]] std::optional<Tokens> longest(const Estimate& estimate) const {
    return max_context(candidate_of(estimate), estimate.workload, machine_, estimate.placement);
  }

  /// Adds every quantisation of a model that runs to the candidates, or its nearest miss to the rejected.
  void consider(const Model& model) {
    const Question first = question(model, *quants_.front());
    std::string problem = objection(first);
    if (problem.empty()) problem = split_objection(catalog_, first, machine_);
    if (!problem.empty()) {
      Recommendation dropped;
      dropped.estimate.model = &model;
      dropped.estimate.quant = quants_.front();
      dropped.estimate.workload = request_.workload;
      dropped.why = problem;
      out_.rejected.push_back(std::move(dropped));
      return;
    }
    answerable_ = true;
    bool found = false;
    std::optional<Recommendation> miss;
    for (const Quant* quant : quants_) {
      if (!has_weights(catalog_, model, *quant) || !readable(*quant)) continue;
      if (request_.quants.empty() && !offered(model, *quant)) continue;
      Recommendation one;
      one.estimate = evaluate(catalog_, question(model, *quant), machine_);
      one.score = ranking_score(one.estimate, request_.use);
      if (good_enough(one.estimate)) {
        found = true;
        candidates_.push_back(std::move(one));
      } else if (!miss || nearer(one.estimate, miss->estimate)) {
        miss = std::move(one);
      }
    }
    if (!found && miss) out_.rejected.push_back(std::move(*miss));
  }

  // ---- what each is good for ------------------------------------------------------------------------

  /// Gives the roles. Candidates are sorted; each step down in answers must be worth it.
  void pick() {
    Recommendation& best = candidates_.front();
    const auto roomy = [this](const Recommendation& one) {
      const std::optional<Tokens> most = longest(one.estimate);
      return most ? static_cast<double>(most->count()) : 0.0;
    };
    Recommendation* fastest = &best;
    Recommendation* roomiest = &best;
    const double at_best = roomy(best);
    double at_fastest = at_best;
    double most = at_best;
    for (Recommendation& one : candidates_) {
      const Estimate& found = one.estimate;
      if (!still_good(found, best.estimate, request_.use) || !usable(found, best.estimate)) continue;
      const double room = &one == &best ? at_best : roomy(one);
      if (found.speed.decode->typical >= fastest->estimate.speed.decode->typical * kClearlyMore) {
        fastest = &one;
        at_fastest = room;
      }
      if (room >= most * kClearlyMore) {
        most = room;
        roomiest = &one;
      }
    }
    if (at_fastest * kClearlyMore >= most) roomiest = at_best * kClearlyMore >= most ? &best : fastest;
    best.roles.push_back(Role::best_answers);
    fastest->roles.push_back(Role::fastest);
    roomiest->roles.push_back(Role::longest_context);
    const auto real = std::ranges::find_if(
        candidates_, [](const Recommendation& one) { return one.estimate.model->shape->moe.has_value(); });
    if (real != candidates_.end()) real->roles.push_back(Role::real_r1);
  }

  /// Shows what was picked and the best quantisation of every other model, unless a row makes it pointless.
  void show() {
    std::vector<Recommendation*> rows;
    const auto is_row_of = [](const Model* model) {
      return [model](const Recommendation* row) { return row->estimate.model == model; };
    };
    for (Recommendation& one : candidates_) {
      if (!one.roles.empty()) rows.push_back(&one);
    }
    std::vector<const Model*> folded;
    for (Recommendation& one : candidates_) {
      const Model* model = one.estimate.model;
      if (std::ranges::any_of(rows, is_row_of(model)) || std::ranges::find(folded, model) != folded.end())
        continue;
      const auto better_row = std::ranges::find_if(rows, [&](const Recommendation* row) {
        return dominates(row->estimate, one.estimate, request_.use);
      });
      if (request_.all || better_row == rows.end()) {
        rows.push_back(&one);
        continue;
      }
      const Estimate& other = (*better_row)->estimate;
      one.why = std::string(other.model->name) + " " + std::string(other.quant->id) +
                " has better answers, and this is not clearly faster or smaller";
      folded.push_back(model);
      out_.rejected.push_back(one);
    }
    out_.folded = static_cast<int>(folded.size());
    for (Recommendation* row : rows) {
      out_.ranked.push_back(*row);
      Recommendation& one = out_.ranked.back();
      annotate(catalog_, asked_of(one.estimate), machine_, one.estimate);
      one.why = why_ranked(one.estimate, request_.use);
    }
    put_in_order();
  }

  /// As preferred: of what is still good the fastest or the roomiest first, the rest by its score.
  void put_in_order() {
    std::ranges::sort(out_.ranked, better);
    if (request_.prefer != Prefer::quality) {
      const auto best = std::ranges::find_if(out_.ranked, [](const Recommendation& one) {
        return std::ranges::find(one.roles, Role::best_answers) != one.roles.end();
      });
      const Estimate pick = best->estimate;
      const auto key = [&](const Recommendation& one) {
        const Estimate& found = one.estimate;
        if (!still_good(found, pick, request_.use) || !usable(found, pick)) return 0.0;
        if (request_.prefer == Prefer::speed) return found.speed.decode->typical.count();
        return found.max_context ? static_cast<double>(found.max_context->count()) : 0.0;
      };
      std::ranges::stable_sort(out_.ranked, std::ranges::greater{}, key);
    }
    int rank = 0;
    for (Recommendation& one : out_.ranked) one.rank = ++rank;
  }

  /// A model that has both splits tells how they compare.
  [[nodiscard]] std::string why_unranked(const Model& model) const {
    std::string text = std::string(model.name) + " comes after all that are ranked: ";
    const Score* score = other_split(model, request_.use);
    if (score == nullptr) return text + "no comparable score of it is published.";
    text += "its " + std::string(score->split) + " " + fixed_text(score->value, 1) +
            " is of another split than theirs";
    for (const Model& one : catalog_.models) {
      const Score* ours = comparable_score(one, request_.use);
      const Score* theirs = other_split(one, request_.use);
      if (ours == nullptr || theirs == nullptr || theirs->split != score->split) continue;
      text += ", on which " + std::string(one.name) + " has " + fixed_text(theirs->value, 1) +
              " instead of " + fixed_text(ours->value, 1);
      break;
    }
    return text + ".";
  }

  void remark() {
    const auto fits = [](const Recommendation& one) {
      return one.estimate.model != nullptr && !one.estimate.weights.layers.empty() &&
             one.estimate.placement.verdict <= Verdict::offload;
    };
    if (out_.ranked.empty() && std::ranges::none_of(out_.rejected, fits)) {
      out_.notes.push_back({"nothing_usable",
                            "Nothing here runs as asked: without other hardware a hosted API or a rented GPU "
                            "is the honest answer."});
    }
    for (const Recommendation& one : out_.ranked) {
      if (!one.score) out_.notes.push_back({"not_comparable", why_unranked(*one.estimate.model)});
    }
    if (out_.ranked.empty()) return;
    if (std::ranges::any_of(out_.ranked, [](const Recommendation& one) { return bearable(one.estimate); }))
      return;
    out_.notes.push_back({"only_slow", "Nothing here reaches " + tok_per_s_text(kBearable) +
                                           " tok/s: for daily use a hosted API or a rented GPU is the honest "
                                           "answer."});
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
    if (request_.placement.any()) return;
    const Verdict runs = std::max(Verdict::offload, request_.required.verdict);
    double best = 0;
    for (const Recommendation& one : out_.ranked) {
      if (bearable(one.estimate)) best = std::max(best, one.score.value_or(0));
    }
    std::vector<const Recommendation*> misses;
    for (const Recommendation& one : out_.rejected) {
      const Score* score = comparable_score(*one.estimate.model, request_.use);
      const bool higher = score != nullptr && score->value > best;
      // What was ruled out before it was worked out has no weights.
      const bool worked_out = !one.estimate.weights.layers.empty();
      if (higher && worked_out && one.estimate.placement.verdict > runs) misses.push_back(&one);
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
      std::vector<std::string> flags = flags_for(found);
      std::vector<std::string> ways = hardware_for(catalog_, found, machine_, request_.required);
      // What nothing meets is out of any reach.
      if (flags.empty() && ways.empty()) continue;
      out_.step_ups.push_back({found, found.placement.shortfall, std::move(flags), std::move(ways)});
    }
  }

  /// What may be asked differently so that it fits here. Flags change cache and buffers, never the weights.
  [[nodiscard]] std::vector<std::string> flags_for(const Estimate& estimate) const {
    Bytes yielding = estimate.placement.host.kv_cache + estimate.placement.host.compute;
    for (const DeviceUse& use : estimate.placement.devices) yielding += use.kv_cache + use.compute;
    const bool raised =
        std::ranges::any_of(machine_.devices, [](const Device& device) { return !device.stretch.empty(); });
    if (!raised && estimate.placement.shortfall > yielding) return {};
    std::vector<std::string> flags =
        ways_to(request_.required.verdict, catalog_, candidate_of(estimate), estimate.workload, machine_);
    // Every quantisation was a candidate, and none fits.
    std::erase_if(flags, [](const std::string& flag) { return flag.starts_with("--quant"); });
    return flags;
  }

  const Catalog& catalog_;
  const RecommendRequest& request_;
  const Machine& machine_;
  std::vector<const Quant*> quants_;
  std::vector<Recommendation> candidates_;  ///< all that runs and meets the needs
  bool answerable_ = false;
  Recommendations out_;
};

}  // namespace

Question question_of(const RecommendRequest& request, const Model& model, const Quant& quant,
                     const Machine& machine) {
  Question question{&model, &quant, request.engine,
                    as_released(request.engine, request.said, request.workload, model), request.placement};
  if (request.context == ContextChoice::longest) question.workload.context = model.max_context;
  if (request.context == ContextChoice::by_engine)
    question.workload.context = default_context(*request.engine.release, gpu_memory(machine), model);
  return question;
}

std::string why_rejected(const Estimate& estimate, const Requirements& required) {
  const Placement& placement = estimate.placement;
  if (placement.verdict == Verdict::does_not_fit) return missing_text(estimate);
  if (placement.verdict == Verdict::streams) {
    return gib_text(placement.disk_streamed) + " of weights would be read from disk";
  }
  const std::string_view which = required.pessimistic ? "at the slow end " : "typically ";
  if (required.min_tps) {
    if (!estimate.speed.decode) return estimate.speed.unknown;
    const Range<TokensPerSecond>& speed = *estimate.speed.decode;
    const TokensPerSecond counts = required.pessimistic ? speed.low : speed.typical;
    if (counts < *required.min_tps)
      return std::string(which) + tok_per_s_text(counts) + " tok/s, below --min-tps";
  }
  if (required.max_answer) {
    if (!estimate.speed.answer) return "the time to an answer is not known";
    const Range<Seconds>& answer = *estimate.speed.answer;
    const Seconds counts = required.pessimistic ? answer.high : answer.typical;
    if (counts > *required.max_answer)
      return std::string(which) + duration_text(counts, counts) + " to an answer, above --max-answer-s";
  }
  if (required.min_context) return "the context that fits is below --min-ctx";
  return "ranked lower";
}

Recommendations recommend(const Catalog& catalog, const RecommendRequest& request, const Machine& machine) {
  return Ranking(catalog, request, machine).run();
}

}  // namespace r1fit
