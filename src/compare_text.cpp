#include "compare_text.hpp"

#include <algorithm>
#include <cmath>

#include "r1fit/units_text.hpp"
#include "report_parts.hpp"

namespace r1fit::parts {
namespace {

constexpr const char* kUnknown = "?";

std::string number_of(std::size_t machine) { return count_text(static_cast<std::int64_t>(machine + 1)); }

std::string title_of(const Estimate& estimate) {
  return std::string(estimate.model->name) + " " + std::string(estimate.quant->id);
}

/// "does not fit" would take the room of two figures.
std::string short_verdict(Verdict verdict) {
  return verdict == Verdict::does_not_fit ? "no fit" : std::string(word(verdict));
}

std::string context_text(const Estimate& estimate) {
  return estimate.max_context ? count_text(*estimate.max_context) : "";
}

std::string power_figure(const Outlay& outlay) {
  return outlay.board_power ? count_text(std::llround(outlay.board_power->count())) : kUnknown;
}

/// "1,599 (2022)".
std::string price_text(const Outlay& outlay) {
  if (!outlay.price_usd) return kUnknown;
  std::string years = std::to_string(outlay.first_year);
  if (outlay.last_year != outlay.first_year) years += "-" + std::to_string(outlay.last_year);
  return count_text(std::llround(*outlay.price_usd)) + " (" + years + ")";
}

std::string per_100_watts(const Estimate& estimate, const Outlay& outlay) {
  const std::optional<double> rate = tok_per_s_per_100_watts(estimate, outlay);
  return rate ? tok_per_s_text(tok_per_s(*rate)) : "";
}

/// "2", "2 and 3", "1, 2 and 4".
std::string numbers_text(const std::vector<std::size_t>& machines) {
  std::string text;
  for (std::size_t i = 0; i < machines.size(); ++i) {
    text += (i == 0 ? "" : i + 1 == machines.size() ? " and " : ", ") + number_of(machines[i]);
  }
  return text;
}

const Estimate* estimate_of(const ComparedMachine& one) {
  if (one.pick) return &one.pick->estimate;
  return one.same ? &*one.same : nullptr;
}

}  // namespace

std::string compared_workload(const Comparison& comparison, const RecommendRequest& request) {
  for (const ComparedMachine& one : comparison.machines) {
    if (const Estimate* found = estimate_of(one))
      return workload_text(found->workload, found->engine, std::nullopt, request.context);
  }
  return workload_text(request.workload, request.engine, std::nullopt, request.context);
}

std::vector<std::string> compared_hardware(const Comparison& comparison) {
  std::vector<std::string> texts;
  for (const ComparedMachine& one : comparison.machines) {
    std::string text = hardware_text(one.named.machine);
    if (const Estimate* found = estimate_of(one)) {
      const std::string span = stand_ins_span(one.named.machine, found->speed);
      if (!span.empty()) text += " " + span + ".";
    }
    texts.push_back(std::move(text));
  }
  return texts;
}

ComparedTable picks_table(const Comparison& comparison, Use use) {
  std::string score_head = "score";
  for (const ComparedMachine& one : comparison.machines) {
    if (one.pick && comparable_score(*one.pick->estimate.model, use) != nullptr)
      score_head = ranking_score_head({&*one.pick, 1}, use);
  }
  ComparedTable table{"Best pick on each",
                      {{"", Align::left},
                       {"pick", Align::left, 0, true},
                       {"verdict", Align::left, 3},
                       {"tok/s", Align::right},
                       {"answer", Align::right, 4},
                       {"max ctx", Align::right, 2},
                       {score_head, Align::right, 1}},
                      {}};
  for (std::size_t i = 0; i < comparison.machines.size(); ++i) {
    const ComparedMachine& one = comparison.machines[i];
    if (!one.pick) {
      table.rows.push_back({number_of(i), "nothing runs as asked", "", "", "", "", ""});
      continue;
    }
    const Estimate& found = one.pick->estimate;
    table.rows.push_back({number_of(i), title_of(found), short_verdict(found.placement.verdict),
                          decode_text(found.speed), answer_text(found.speed), context_text(found),
                          ranking_score_text(*found.model, use)});
  }
  return table;
}

Bytes usable(const Estimate& estimate, const Machine& machine) {
  const Placement& placement = estimate.placement;
  Bytes sum;
  if (placement.mode != PlacementMode::cpu) {
    const std::size_t devices = std::min(placement.devices.size(), machine.devices.size());
    for (std::size_t i = 0; i < devices; ++i) sum += budget_of(placement, machine.devices[i]);
  }
  if (needs_host(placement)) sum += machine.host.budget;
  return sum;
}

namespace {

/// A column of what the cards draw or cost is there where it is known of any machine.
struct KnownOutlay {
  bool power = false;
  bool price = false;
  bool per_100_watts = false;
};

KnownOutlay known_outlay(const Comparison& comparison) {
  KnownOutlay known;
  for (const ComparedMachine& one : comparison.machines) {
    known.power = known.power || one.outlay.board_power;
    known.price = known.price || one.outlay.price_usd;
    known.per_100_watts = known.per_100_watts || (one.same && !per_100_watts(*one.same, one.outlay).empty());
  }
  return known;
}

}  // namespace

ComparedTable same_table(const Comparison& comparison) {
  if (comparison.model == nullptr)
    return {"No model runs as asked on every one of them; --model compares one all the same.", {}, {}};
  const KnownOutlay known = known_outlay(comparison);
  ComparedTable table{
      std::string(comparison.model->name) + " " + std::string(comparison.quant->id) + " on each",
      {{"", Align::left},
       {"verdict", Align::left, 2},
       {"tok/s", Align::right},
       {"answer", Align::right, 6},
       {"max ctx", Align::right, 3},
       {"needs GiB", Align::right, 1}},
      {}};
  if (known.power) table.columns.push_back({"W", Align::right, 4});
  if (known.price) table.columns.push_back({"USD (year)", Align::right, 5});
  if (known.per_100_watts) table.columns.push_back({std::string(kPer100Watts), Align::right, 7});
  for (std::size_t i = 0; i < comparison.machines.size(); ++i) {
    const ComparedMachine& one = comparison.machines[i];
    const Estimate& found = *one.same;
    const bool runs = found.placement.verdict != Verdict::does_not_fit;
    std::vector<std::string> cells{number_of(i),
                                   short_verdict(found.placement.verdict),
                                   runs ? decode_text(found.speed) : "",
                                   runs ? answer_text(found.speed) : "",
                                   context_text(found),
                                   tenths_text(tenths(needs(found.placement))) + "/" +
                                       tenths_text(tenths(usable(found, one.named.machine)))};
    if (known.power) cells.push_back(power_figure(one.outlay));
    if (known.price) cells.push_back(price_text(one.outlay));
    if (known.per_100_watts) cells.push_back(runs ? per_100_watts(found, one.outlay) : "");
    table.rows.push_back(std::move(cells));
  }
  return table;
}

std::string same_remark(const Comparison& comparison, bool with_per_100_watts) {
  if (comparison.model == nullptr) return "";
  const KnownOutlay known = known_outlay(comparison);
  std::string text = "needs GiB: of what can be used.";
  if (known.power && known.price) {
    text +=
        " W and USD: board power and launch price of the cards together; the machine around them and its RAM "
        "are "
        "in neither.";
  } else if (known.power) {
    text += " W: board power of the cards together, without the machine around them.";
  } else if (known.price) {
    text += " USD: launch price of the cards together, without the machine around them and its RAM.";
  } else {
    text += " Neither power nor price of any of them is known.";
  }
  if (with_per_100_watts) text += " /100 W: typical tok/s for it.";
  if (known.power || known.price) text += " ?: not known.";
  return text;
}

std::vector<std::string> same_lacks(const Comparison& comparison) {
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < comparison.machines.size(); ++i) {
    const ComparedMachine& one = comparison.machines[i];
    if (!one.same_lacks.empty()) lines.push_back(number_of(i) + ": " + one.same_lacks + ".");
  }
  return lines;
}

bool any_picks(const Comparison& comparison) {
  return std::ranges::any_of(comparison.machines,
                             [](const ComparedMachine& one) { return one.pick.has_value(); });
}

std::string missed_title() {
  return "What each cannot do that another can at " + fixed_text(kBearable.count(), 0) + " tok/s";
}

std::vector<std::string> missed_texts(const Comparison& comparison) {
  const auto& machines = comparison.machines;
  if (std::ranges::none_of(machines, [](const ComparedMachine& one) { return one.missed.has_value(); }))
    return {};
  std::vector<std::string> texts;
  for (const ComparedMachine& one : machines) {
    if (!one.missed) {
      texts.emplace_back("nothing better that another of them runs");
      continue;
    }
    const Missed& missed = *one.missed;
    texts.push_back(title_of(missed.estimate) + ", which " + numbers_text(missed.runs_on) +
                    (missed.runs_on.size() == 1 ? " runs: " : " run: ") + missed.why);
  }
  return texts;
}

}  // namespace r1fit::parts
