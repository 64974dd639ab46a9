#include "plan_text.hpp"

#include <algorithm>
#include <cmath>

#include "r1fit/units_text.hpp"

namespace r1fit::parts {
namespace {

constexpr const char* kUnknown = "?";

std::string dollars(double usd) { return count_text(std::llround(usd)); }

std::string memory_on(const PlannedMachine& machine) {
  return capacity_text(*machine.ram) + " RAM, " + std::string(machine.host->id);
}

template <class Predicate>
bool any_row(const Plan& plan, Predicate predicate) {
  return std::ranges::any_of(plan.rows, predicate);
}

std::string speed_text(const PlannedMachine& machine) {
  if (!machine.decode) return kUnknown;
  const Range<TokensPerSecond>& decode = *machine.decode;
  return tok_per_s_text(decode.typical) + " (" + tok_per_s_text(decode.low, decode.high) + ")";
}

std::string listed(const std::vector<std::string>& texts, std::string_view separator) {
  std::string text;
  for (const std::string& one : texts) text += (text.empty() ? "" : std::string(separator)) + one;
  return text;
}

std::string times(int count, std::string_view one, std::string_view several) {
  return count_text(count) + " " + std::string(count == 1 ? one : several);
}

/// What is missing, behind the name and a colon.
std::string lack_text(Lack lack, const PlannedMachine& machine, const PlanNeeds& needs) {
  switch (lack) {
    case Lack::memory:
      if (machine.placement.shortfall > Bytes{})
        return gib_text(machine.placement.shortfall) + " of memory are missing";
      return std::string(word(machine.placement.verdict)) + ", where " + std::string(word(needs.verdict)) +
             " is needed";
    case Lack::speed: {
      if (!machine.decode) return "its speed is not known";
      const TokensPerSecond speed = needs.pessimistic ? machine.decode->low : machine.decode->typical;
      return tok_per_s_text(speed) + " tok/s " + (needs.pessimistic ? "at the low end" : "typically") +
             ", where " + tok_per_s_text(*needs.min_tps) + " are needed";
    }
    case Lack::price:
      return dollars(*machine.price.usd) + " USD, where " + dollars(*needs.budget_usd) + " may be spent";
    case Lack::price_unknown:
      return "its price is not known";
    case Lack::power:
      return power_text(*machine.power) + ", where " + power_text(*needs.max_watts) + " may be drawn";
    case Lack::power_unknown:
      return "its power is not known";
    case Lack::withdrawn:
      return "it is no longer sold";
    case Lack::sale_unknown:
      return "it was launched in " + std::to_string(machine.device.gpu->launch_year) +
             " and is not known to be sold still";
  }
  return {};
}

std::string price_remark(const Plan& plan) {
  std::string text;
  if (any_row(plan, [](const PlannedMachine& row) { return row.price.year > 0; }))
    text = "USD is the price at launch, in the year beside it, not today's: --prices FILE takes yours.";
  if (any_row(plan, [](const PlannedMachine& row) { return row.price.own; }))
    text += std::string(text.empty() ? "" : " ") + "\"yours\" marks prices of your own.";
  const bool cards = any_row(plan, [](const PlannedMachine& row) {
    return row.price.usd && (row.kind == MachineKind::cards || row.host != nullptr);
  });
  if (cards) {
    text += any_row(plan, [](const PlannedMachine& row) { return row.price.platform; })
                ? " It covers cards, and platforms where you stated theirs, without RAM."
                : " It covers cards alone: the machine around them is not priced.";
  }
  return text;
}

std::string left_out_remark(const Plan& plan) {
  const LeftOut& out = plan.left_out;
  std::vector<std::string> parts;
  if (out.price_unknown > 0) parts.push_back(count_text(out.price_unknown) + " whose price is not known");
  if (out.power_unknown > 0) parts.push_back(count_text(out.power_unknown) + " whose power is not known");
  if (out.withdrawn > 0) parts.push_back(count_text(out.withdrawn) + " no longer sold");
  if (out.sale_unknown > 0) {
    parts.push_back(count_text(out.sale_unknown) + " launched before " + std::to_string(plan.new_since) +
                    " and not known to be sold still");
  }
  return parts.empty() ? "" : "Left out, though else they would do: " + listed(parts, "; ") + ".";
}

}  // namespace

std::string planned_name(const PlannedMachine& machine) {
  if (machine.device.gpu == nullptr) return memory_on(machine);
  const Gpu& gpu = *machine.device.gpu;
  std::string text = machine.count > 1 ? std::to_string(machine.count) + " x " : "";
  // In front, where a narrow column does not cut it off.
  if (gpu.memory.size() > 1) text += capacity_text(machine.device.memory) + " ";
  text += gpu.name;
  return machine.wired_limit ? text + " *" : text;
}

std::string planned_memory(const PlannedMachine& machine) {
  return machine.kind == MachineKind::card_and_memory ? memory_on(machine) : "";
}

std::vector<std::string> plan_subject(const Plan& plan) {
  const Question& question = plan.question;
  const PlanNeeds& needs = plan.needs;
  const Workload& workload = question.workload;
  std::string kv(word(workload.kv_k));
  if (workload.kv_v != workload.kv_k) kv += "/" + std::string(word(workload.kv_v));
  std::vector<std::string> wanted;
  switch (needs.verdict) {
    case Verdict::fits:
      wanted.emplace_back("fits with a margin");
      break;
    case Verdict::tight:
      wanted.emplace_back("fits, tightly or not");
      break;
    default:
      wanted.emplace_back("runs, in part from system memory or not");
      break;
  }
  if (question.model->shape->moe && needs.verdict < Verdict::offload)
    wanted.back() += ", or has its experts in system memory";
  if (needs.min_tps) {
    wanted.push_back("at least " + tok_per_s_text(*needs.min_tps) + " tok/s " +
                     (needs.pessimistic ? "at the low end" : "typically"));
  }
  if (needs.budget_usd) wanted.push_back("at most " + dollars(*needs.budget_usd) + " USD");
  if (needs.max_watts) wanted.push_back("at most " + power_text(*needs.max_watts));
  if (needs.new_only) wanted.emplace_back("sold new");
  return {std::string(question.model->name) + ", " + std::string(question.quant->id) + ": " +
              gib_text(plan.weights.total()) + " of weights. Context " + count_text(workload.context) +
              " tokens, KV cache " + kv + ", " + engine_title(question.engine) + ".",
          "Needed: " + listed(wanted, "; ") + "."};
}

std::string plan_answer(const Plan& plan) {
  if (plan.found == 0) {
    if (!plan.nearest) {
      return "Nothing in the catalogue does that: the largest machine has " +
             capacity_text(plan.most_memory) + ".";
    }
    std::vector<std::string> lacks;
    for (const Lack lack : plan.nearest->lacks) lacks.push_back(lack_text(lack, *plan.nearest, plan.needs));
    const std::string memory = planned_memory(*plan.nearest);
    return "Nothing in the catalogue does that. Nearest is " + planned_name(*plan.nearest) +
           (memory.empty() ? "" : " with " + memory) + ": " + listed(lacks, "; ") + ".";
  }
  const int found = static_cast<int>(plan.found);
  const int front = static_cast<int>(plan.front);
  const int shown = static_cast<int>(plan.rows.size());
  std::string text = times(found, "machine of the catalogue does that", "machines of the catalogue do that");
  if (found == 1) return text + ".";
  text += "; " + times(front, "is", "are") +
          " neither beaten nor equalled by another of the kind in price, power and speed";
  if (shown == found) {
    return text + (front == found ? "." : ", and " + std::string(front == 1 ? "comes" : "come") + " first.");
  }
  if (shown > front) return text + ". The first " + count_text(shown) + ":";
  if (shown < front) return text + ". The first " + count_text(shown) + " of these:";
  return text + " (--all shows the others):";
}

std::vector<std::string> plan_remarks(const Plan& plan) {
  std::vector<std::string> remarks;
  for (const PlannedMachine& near : plan.nearly) {
    const std::string memory = planned_memory(near);
    remarks.push_back("Nearly: " + planned_name(near) + (memory.empty() ? "" : " with " + memory) + ", " +
                      lack_text(Lack::speed, near, plan.needs) + " (" +
                      tok_per_s_text(near.decode->low, near.decode->high) + ").");
  }
  if (any_row(plan, [](const PlannedMachine& row) { return row.wired_limit.has_value(); })) {
    remarks.emplace_back(
        "*: once the limit on what the GPU may use is raised; `r1fit estimate` with --wired-limit says how.");
  }
  if (any_row(plan, [](const PlannedMachine& row) { return row.kind == MachineKind::card_and_memory; }))
    remarks.emplace_back("+: what the card does not hold lies in RAM on that platform (offload).");
  remarks.push_back(price_remark(plan));
  if (any_row(plan, [](const PlannedMachine& row) { return row.power.has_value(); })) {
    remarks.emplace_back("W is the board power of all devices together; what is around them is not counted.");
  }
  if (plan.needs.kwh_usd) {
    remarks.push_back(
        "USD/M is the electricity of W for a million tokens of output at the typical speed, at " +
        fixed_text(*plan.needs.kwh_usd, 2) + " USD a kWh.");
  }
  const bool unknown = any_row(plan, [](const PlannedMachine& row) { return !row.price.usd || !row.power; });
  if (unknown) {
    const bool hosts = any_row(plan, [](const PlannedMachine& row) { return row.host != nullptr; });
    remarks.push_back(
        std::string("?: not known") +
        (hosts ? "; of platforms and their RAM the catalogue has neither price nor power." : "."));
  }
  remarks.push_back(left_out_remark(plan));
  if (plan.needs.new_only && any_row(plan, [](const PlannedMachine& row) { return row.host != nullptr; })) {
    remarks.emplace_back("Of platforms it is not known whether they are sold still; --new-only keeps them.");
  }
  std::erase(remarks, std::string());
  return remarks;
}

std::vector<PlanColumn> plan_columns(const Plan& plan) {
  std::vector<PlanColumn> columns{
      {"USD",
       [](const PlannedMachine& row) {
         return row.price.usd ? dollars(*row.price.usd) : std::string(kUnknown);
       }},
      {"year",
       [](const PlannedMachine& row) {
         if (!row.price.usd) return std::string();
         return row.price.own ? std::string("yours") : std::to_string(row.price.year);
       }},
      {"W",
       [](const PlannedMachine& row) {
         return row.power ? count_text(std::llround(row.power->count())) : std::string(kUnknown);
       }},
      {"tok/s", speed_text},
      {"max ctx", [](const PlannedMachine& row) {
         return row.max_context ? count_text(*row.max_context) : std::string(kUnknown);
       }}};
  if (plan.needs.kwh_usd) {
    columns.push_back({"USD/M", [](const PlannedMachine& row) {
                         return row.usd_per_million ? fixed_text(*row.usd_per_million, 2)
                                                    : std::string(kUnknown);
                       }});
  }
  const bool mixed =
      any_row(plan, [](const PlannedMachine& row) { return row.placement.verdict == Verdict::tight; });
  if (mixed) {
    columns.push_back(
        {"verdict", [](const PlannedMachine& row) { return std::string(word(row.placement.verdict)); }});
  }
  return columns;
}

}  // namespace r1fit::parts
