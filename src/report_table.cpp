#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

#include "claim_text.hpp"
#include "compare_text.hpp"
#include "plan_text.hpp"
#include "r1fit/report.hpp"
#include "r1fit/text_table.hpp"
#include "r1fit/units_text.hpp"
#include "report_parts.hpp"

namespace r1fit {
namespace {

using namespace parts;

constexpr std::size_t kLabelWidth = 11;
constexpr std::size_t kMostNotes = 3;
constexpr std::size_t kMostMisses = 3;

std::size_t width_of(const PrintOptions& options) { return static_cast<std::size_t>(options.style.width); }

/// "  memory   ", always kLabelWidth wide.
std::string lead_of(std::string_view label) {
  std::string lead = "  " + std::string(label.substr(0, kLabelWidth - 3));
  lead.resize(kLabelWidth, ' ');
  return lead;
}

/// `label` before the first line of `text`, which is wrapped.
void labelled(std::string& out, const PrintOptions& options, std::string_view label, std::string_view text) {
  const std::string lead = lead_of(label);
  const std::string lines = wrap(lead, text, width_of(options));
  out += paint(options.style, Tone::dim, std::string_view(lines).substr(0, lead.size()));
  out.append(lines, lead.size());
}

void paragraph(std::string& out, const PrintOptions& options, std::string_view text) {
  if (!text.empty()) out += wrap("", text, width_of(options));
}

/// A heading with something at the right end of the line, or below where there is no room.
void heading(std::string& out, const PrintOptions& options, const std::string& text, const std::string& right,
             Tone tone) {
  const std::size_t width = width_of(options);
  const std::string left = elide(text, width);
  out += paint(options.style, Tone::bold, left);
  if (right.empty()) {
    out += "\n";
    return;
  }
  const std::size_t taken = columns_of(left) + columns_of(right);
  if (taken + 2 <= width) {
    out.append(width - taken, ' ');
    out += paint(options.style, tone, right) + "\n";
    return;
  }
  out += "\n  " + paint(options.style, tone, elide(right, width - 2)) + "\n";
}

// ---- the memory bar ---------------------------------------------------------------------------------

/// "[wwwwkkbr....]": a letter for each addend, dots for what is left; past the budget, which '|' marks then.
std::string bar_text(const std::vector<Addend>& addends, Bytes budget, std::size_t cells) {
  constexpr std::string_view letters = "wkbr";
  Bytes total;
  for (const Addend& addend : addends) total += addend.size;
  const Bytes scale = std::max(budget, total);
  if (scale <= Bytes{}) return "[" + std::string(cells, '.') + "]";
  // Every part that is there is seen: one cell each first, the rest in proportion to where it ends.
  std::string bar;
  Bytes end;
  for (std::size_t i = 0; i < addends.size() && i < letters.size(); ++i) {
    if (addends[i].size <= Bytes{}) continue;
    end += addends[i].size;
    const auto until = static_cast<std::size_t>(std::lround(ratio(end, scale) * static_cast<double>(cells)));
    bar.append(std::max<std::size_t>(until > bar.size() ? until - bar.size() : 0, 1), letters[i]);
  }
  if (bar.size() > cells) {
    // Small parts were given a cell that the largest has to spare.
    bar.erase(0, bar.size() - cells);
  }
  bar.append(cells - bar.size(), '.');
  if (total > budget) {
    const auto at = static_cast<std::size_t>(std::lround(ratio(budget, scale) * static_cast<double>(cells)));
    bar.insert(std::min(at, bar.size()), 1, '|');
  }
  return "[" + bar + "]";
}

/// "20.6 of 23.5 GiB".
std::string of_text(Bytes used, Bytes budget) {
  return tenths_text(tenths(used)) + " of " + tenths_text(tenths(budget)) + " GiB";
}

/// "; 2.9 left" or "; 18.9 GiB short".
std::string rest_text(Bytes used, Bytes budget) {
  if (used > budget) return "; " + amount_text(used - budget) + " short";
  return "; " + tenths_text(tenths(budget) - tenths(used)) + " left";
}

void bar_line(std::string& out, const PrintOptions& options, std::string_view label,
              const std::vector<Addend>& addends, Bytes used, Bytes budget) {
  constexpr std::size_t widest = 44;
  constexpr std::size_t narrowest = 8;
  const std::string figures = of_text(used, budget);
  const std::size_t taken = kLabelWidth + figures.size() + 5;  // brackets, a possible '|' and the gap
  const std::size_t room = width_of(options) > taken ? width_of(options) - taken : 0;
  std::string text = figures;
  if (room >= narrowest) text = bar_text(addends, budget, std::min(room, widest)) + "  " + figures;
  out += paint(options.style, Tone::dim, lead_of(label)) + text + "\n";
}

void memory_lines(std::string& out, const PrintOptions& options, const Estimate& estimate,
                  const Machine& machine) {
  const Placement& placement = estimate.placement;
  const std::size_t at = fullest_device(placement, machine);
  if (at != kNone && placement.mode != PlacementMode::cpu) {
    const Device& device = machine.devices[at];
    const DeviceUse& use = placement.devices[at];
    const Bytes budget = budget_of(placement, device);
    const std::vector<Addend> addends = addends_of(use);
    bar_line(out, options, "memory", addends, use.total(), budget);
    labelled(out, options, "", addends_text(addends) + rest_text(use.total(), budget));
    if (machine.devices.size() > 1) {
      Bytes used;
      Bytes budgets;
      for (std::size_t i = 0; i < machine.devices.size() && i < placement.devices.size(); ++i) {
        used += placement.devices[i].total();
        budgets += budget_of(placement, machine.devices[i]);
      }
      labelled(out, options, "",
               "of the fullest, card " + count_text(static_cast<std::int64_t>(at + 1)) + " of " +
                   count_text(static_cast<std::int64_t>(machine.devices.size())) + " (" +
                   printable(device_title(device)) + "); all together " + of_text(used, budgets));
    }
  }
  if (needs_host(placement) || placement.host_unknown) {
    const std::vector<Addend> addends = addends_of(placement.host);
    const Bytes used = placement.host.total();
    if (placement.host_unknown || !machine.host.ram) {
      labelled(out, options, "RAM",
               machine.devices.empty()
                   ? "how much there is was not stated (--ram)"
                   : "needs host memory for what the GPU cannot hold; state its size with --ram");
    } else if (placement.mode == PlacementMode::cpu) {
      bar_line(out, options, "RAM", addends, used, machine.host.budget);
      labelled(out, options, "", addends_text(addends) + rest_text(used, machine.host.budget));
    } else {
      labelled(out, options, "RAM",
               of_text(used, machine.host.budget) + ": " + addends_text(addends) +
                   rest_text(used, machine.host.budget));
    }
  }
  if (placement.disk_streamed > Bytes{}) {
    labelled(out, options, "disk",
             gib_text(placement.disk_streamed) + " of these weights do not fit RAM and stay on disk: about " +
                 gb_text(estimate.speed.from_disk) + " are read for each token");
  }
  const std::string layout = layout_text(estimate);
  if (!layout.empty()) labelled(out, options, "layout", layout);
  const std::string strain = strain_text(estimate, machine);
  if (strain.empty()) return;
  labelled(out, options, "tight", strain);
  if (placement.strain == Strain::raised_limit && !machine.devices[at].stretch.empty()) {
    out += std::string(kLabelWidth, ' ') + printable(machine.devices[at].stretch) + "\n";
  }
}

// ---- the other lines of one estimate ------------------------------------------------------------------

void context_line(std::string& out, const PrintOptions& options, const Estimate& estimate) {
  const Tokens now = estimate.workload.context;
  std::string text = count_text(now) + " tokens";
  if (estimate.max_context && *estimate.max_context > now) {
    text += "; up to " + count_text(*estimate.max_context);
    if (*estimate.max_context >= estimate.model->max_context) text += " (all the model has)";
    switch (estimate.placement.verdict) {
      case Verdict::tight:
        text += " it stays tight";
        break;
      case Verdict::streams:
        text += " stream as well";
        break;
      default:
        text += " fit as well";
    }
  } else if (estimate.max_context) {
    text += ", the most that fits";
  }
  labelled(out, options, "context", text);
}

void speed_lines(std::string& out, const PrintOptions& options, const Estimate& estimate) {
  const Speed& speed = estimate.speed;
  if (!speed.decode) {
    labelled(out, options, "speed", "not known: " + printable(speed.unknown));
    return;
  }
  std::string text = decode_text(speed) + " tok/s, " + speed_words(*speed.decode) + "; typically " +
                     tok_per_s_text(speed.decode->typical);
  if (speed.limit) text += ", never above " + tok_per_s_text(*speed.limit);
  if (speed.extrapolated) text += " (extrapolated: nothing like it was measured)";
  for (const DecodeStep& step : speed.steps) {
    if (!step.own) continue;
    text += "; centred on " + own_text(*step.own);
    break;  // cards of one kind share their runs
  }
  labelled(out, options, "speed", text);
  const std::string waits = waits_text(estimate);
  if (!waits.empty()) labelled(out, options, estimate.speed.answer ? "answer" : "prompt", waits);
}

void quality_line(std::string& out, const PrintOptions& options, const Estimate& estimate,
                  std::span<const Model* const> others, Use use) {
  // Of a file that is no R1 nothing is known but what it says itself.
  if (estimate.file != nullptr && estimate.model->scores.empty()) return;
  std::string text = scores_text(*estimate.model, others, use);
  const std::string loss = loss_text(estimate);
  if (!loss.empty()) text += "; " + loss;
  labelled(out, options, "quality", text);
}

/// Commands are put out as they are, whatever the width: they are there to be pasted.
void command_lines(std::string& out, const PrintOptions& options, const Estimate& estimate) {
  bool first_command = true;
  for (const Command& command : estimate.commands) {
    std::string_view rest = command.command;
    std::string_view label = first_command ? "run" : "or";
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      out += paint(options.style, Tone::dim, lead_of(label)) + printable(rest.substr(0, end)) + "\n";
      rest.remove_prefix(std::min(end + 1, rest.size()));
      label = "";
    }
    first_command = false;
  }
  labelled(out, options, estimate.file != nullptr ? "file" : "download", download_text(estimate));
}

/// Remarks that repeat what a line of the block says already; scripts get them all.
bool said_above(const Note& note) {
  constexpr std::array<std::string_view, 7> codes{"extrapolated",   "inside_margin", "ram_unknown",
                                                  "raised_limit",   "speed_unknown", "streams",
                                                  "tensors_by_hand"};
  return std::ranges::find(codes, note.code) != codes.end();
}

void note_lines(std::string& out, const PrintOptions& options, const std::vector<Note>& all) {
  std::vector<Note> notes;
  std::ranges::remove_copy_if(all, std::back_inserter(notes), said_above);
  const std::size_t most = options.verbose ? notes.size() : std::min(notes.size(), kMostNotes);
  for (std::size_t i = 0; i < most; ++i) {
    // The dash belongs to the lead, so that the lines of one remark stand together.
    const std::string_view lead = i == 0 ? "  beware   - " : "           - ";
    const std::string lines = wrap(lead, printable(notes[i].text), width_of(options));
    out += paint(options.style, Tone::dim, lead);
    out.append(lines, lead.size());
  }
  if (most < notes.size()) {
    labelled(out, options, "",
             "- " + count_text(static_cast<std::int64_t>(notes.size() - most)) + " more with -v");
  }
}

void estimate_block(std::string& out, const PrintOptions& options, const Estimate& estimate,
                    const Machine& machine, std::span<const Model* const> others = {},
                    Use use = Use::general) {
  memory_lines(out, options, estimate, machine);
  context_line(out, options, estimate);
  speed_lines(out, options, estimate);
  quality_line(out, options, estimate, others, use);
  command_lines(out, options, estimate);
  note_lines(out, options, estimate.notes);
}

std::string title_of(const Estimate& estimate) {
  return printable(std::string(estimate.model->name) + ", " + std::string(estimate.quant->id));
}

// ---- recommendations ----------------------------------------------------------------------------------

void runners_up(std::string& out, const PrintOptions& options, std::span<const Recommendation> rows,
                Use use) {
  TextTable table({{"model", Align::left, 0, true},
                   {"quant", Align::left, 0, true},
                   {"needs GiB", Align::right, 2},
                   {"max ctx", Align::right, 3},
                   {"tok/s", Align::right},
                   {"answer", Align::right, 6},
                   {"verdict", Align::left, 1},
                   {ranking_score_head(rows, use), Align::right, 4},
                   {"GB file", Align::right, 5}});
  for (const Recommendation& row : rows) {
    const Estimate& estimate = row.estimate;
    table.add({std::string(estimate.model->name), std::string(estimate.quant->id),
               tenths_text(tenths(needs(estimate.placement))),
               estimate.max_context ? count_text(*estimate.max_context) : "", decode_text(estimate.speed),
               answer_text(estimate.speed), std::string(word(estimate.placement.verdict)),
               ranking_score_text(*estimate.model, use), fixed_text(in_gb(estimate.download.size), 1)});
  }
  out += "\n" + paint(options.style, Tone::bold, "Others to choose from") + "\n";
  const std::string lines = table.text(width_of(options), 2);
  // Below each row what it was picked for: no column is wide enough for it.
  std::size_t begin = lines.find('\n') + 1;
  out.append(lines, 0, begin);
  for (const Recommendation& row : rows) {
    const std::size_t end = lines.find('\n', begin) + 1;
    out.append(lines, begin, end - begin);
    begin = end;
    if (!row.roles.empty()) out += wrap("    = ", role_text(row.roles), width_of(options));
  }
}

/// What the first row is named for: what was preferred.
Role lead_role(const Recommendation& pick, Prefer prefer) {
  const Role wanted = prefer == Prefer::speed     ? Role::fastest
                      : prefer == Prefer::context ? Role::longest_context
                                                  : Role::best_answers;
  const bool has = std::ranges::find(pick.roles, wanted) != pick.roles.end();
  return has || pick.roles.empty() ? wanted : pick.roles.front();
}

void steps_up(std::string& out, const PrintOptions& options, const std::vector<StepUp>& steps) {
  if (steps.empty()) return;
  std::size_t longest = 0;
  for (const StepUp& step : steps) longest = std::max(longest, columns_of(title_of(step.estimate)));
  out += "\n" + paint(options.style, Tone::bold, "Just out of reach") + "\n";
  for (const StepUp& step : steps) {
    std::string lead = "  " + title_of(step.estimate);
    lead.append(longest + 4 - columns_of(lead), ' ');
    std::string text = amount_text(step.missing) + " short";
    if (!step.flags.empty()) text += ", runs with " + joined_or(step.flags);
    if (!step.ways.empty()) text += (step.flags.empty() ? ": " : "; as asked with ") + joined_or(step.ways);
    out += wrap(lead, text, width_of(options));
  }
}

void rejected(std::string& out, const PrintOptions& options, std::span<const Recommendation* const> rows) {
  std::size_t longest = 0;
  for (const Recommendation* row : rows) longest = std::max(longest, columns_of(title_of(row->estimate)));
  out += "\n" + paint(options.style, Tone::bold, "Rejected") + "\n";
  for (const Recommendation* row : rows) {
    std::string lead = "  " + title_of(row->estimate);
    lead.append(longest + 4 - columns_of(lead), ' ');
    out += wrap(lead, printable(row->why), width_of(options));
  }
}

void head_lines(std::string& out, const PrintOptions& options, const Machine& machine,
                const Workload& workload, const EngineChoice& engine, Backend backend, ContextChoice context,
                const Speed* speed) {
  paragraph(out, options, hardware_text(machine));
  paragraph(out, options, workload_text(workload, engine, backend, context));
  if (speed != nullptr) paragraph(out, options, span_text(machine, *speed));
}

/// Those of the rejected that were worked out, nearest first: what fits but was not wanted, then by what is
/// missing.
std::vector<const Recommendation*> nearest_misses(const std::vector<Recommendation>& rows) {
  std::vector<const Recommendation*> misses;
  for (const Recommendation& row : rows) {
    if (!row.estimate.weights.layers.empty()) misses.push_back(&row);
  }
  std::ranges::stable_sort(misses, {}, [](const Recommendation* row) {
    const Placement& placement = row->estimate.placement;
    const bool misses_memory = placement.verdict == Verdict::does_not_fit;
    return std::pair(misses_memory, misses_memory ? placement.shortfall : Bytes{});
  });
  return misses;
}

void nothing_fits(std::string& out, const PrintOptions& options, const Recommendations& result,
                  const Machine& machine) {
  const std::vector<const Recommendation*> misses = nearest_misses(result.rejected);
  const bool something = !misses.empty() && misses.front()->estimate.placement.verdict <= Verdict::offload;
  heading(out, options, something ? "Nothing that fits can be recommended." : "Nothing fits.", "", Tone::red);
  if (misses.empty()) return;
  const Recommendation& nearest = *misses.front();
  out += "\n";
  heading(out, options, "Nearest: " + title_of(nearest.estimate), verdict_text(nearest.estimate.placement),
          verdict_tone(nearest.estimate.placement.verdict));
  if (!nearest.why.empty()) labelled(out, options, "why", printable(nearest.why));
  memory_lines(out, options, nearest.estimate, machine);
  if (nearest.estimate.speed.decode) speed_lines(out, options, nearest.estimate);
}

}  // namespace

std::string table_of(const Recommendations& result, const RecommendRequest& request, const Machine& machine,
                     const PrintOptions& options) {
  std::string out;
  out.reserve(4096);
  const std::span<const Recommendation> rows =
      std::span(result.ranked).first(shown(result.ranked.size(), options));
  if (rows.empty()) {
    const Backend backend = machine.devices.empty() ? Backend::cpu : machine.devices.front().backend;
    head_lines(out, options, machine, request.workload, request.engine, backend, request.context, nullptr);
  } else {
    const Estimate& pick = rows.front().estimate;
    head_lines(out, options, machine, pick.workload, pick.engine, pick.backend, request.context, &pick.speed);
  }
  out += "\n";
  if (rows.empty()) {
    nothing_fits(out, options, result, machine);
  } else {
    const Recommendation& pick = rows.front();
    std::vector<const Model*> others;
    for (const Recommendation& row : rows) others.push_back(row.estimate.model);
    heading(out, options,
            std::string(title(lead_role(pick, request.prefer))) + ": " + title_of(pick.estimate),
            verdict_text(pick.estimate.placement), verdict_tone(pick.estimate.placement.verdict));
    estimate_block(out, options, pick.estimate, machine, others, request.use);
    if (options.verbose && !pick.why.empty()) labelled(out, options, "why", printable(pick.why));
    if (rows.size() > 1) runners_up(out, options, rows.subspan(1), request.use);
  }
  if (result.folded > 0 && !options.verbose) {
    out += wrap("  ",
                count_text(result.folded) +
                    " more, with worse answers than one of these and not clearly faster or smaller: --all",
                width_of(options));
  }
  for (const Note& note : result.notes) {
    out += "\n";
    paragraph(out, options, printable(note.text));
  }
  steps_up(out, options, result.step_ups);
  if (options.verbose || options.explain) {
    std::vector<const Recommendation*> all;
    for (const Recommendation& row : result.rejected) all.push_back(&row);
    if (!all.empty()) rejected(out, options, all);
  } else if (rows.empty()) {
    // The nearest has been shown whole; a few more tell whether it is a near thing.
    std::vector<const Recommendation*> misses = nearest_misses(result.rejected);
    if (misses.size() > kMostMisses + 1) misses.resize(kMostMisses + 1);
    if (misses.size() > 1) rejected(out, options, std::span(misses).subspan(1));
    if (misses.size() < result.rejected.size()) {
      out += "  and " + count_text(static_cast<std::int64_t>(result.rejected.size() - misses.size())) +
             " more with -v\n";
    }
  }
  if (options.explain) {
    const std::vector<const Recommendation*> misses = nearest_misses(result.rejected);
    const Recommendation* explained = !rows.empty()    ? &rows.front()
                                      : misses.empty() ? nullptr
                                                       : misses.front();
    if (explained != nullptr) out += "\n" + explain(explained->estimate, machine, options.style);
  }
  return out;
}

std::string table_of(const Estimate& estimate, const Machine& machine, const PrintOptions& options) {
  std::string out;
  head_lines(out, options, machine, estimate.workload, estimate.engine, estimate.backend,
             ContextChoice::stated, &estimate.speed);
  out += "\n";
  heading(out, options, title_of(estimate), verdict_text(estimate.placement),
          verdict_tone(estimate.placement.verdict));
  estimate_block(out, options, estimate, machine);
  if (options.explain) out += "\n" + explain(estimate, machine, options.style);
  return out;
}

namespace {

/// "R1-Distill-Qwen-32B Q4_K_M at 32,768 tokens needs 26.9 GiB; the RTX 4090 has 23.5 to use."
std::string fit_sentence(const Estimate& estimate, const Machine& machine) {
  const Placement& placement = estimate.placement;
  std::string text = printable(std::string(estimate.model->name) + " " + std::string(estimate.quant->id)) +
                     " at " + count_text(estimate.workload.context) + " tokens needs ";
  const std::size_t at = fullest_device(placement, machine);
  if (at == kNone || placement.mode == PlacementMode::cpu) {
    text += amount_text(placement.host.total()) + " of RAM";
    // It may be that all would fit, so this is the reason rather than the size.
    if (!machine.host.ram) return "the RAM is not stated (--ram). " + text + ".";
    return text + ", and " + gib_text(machine.host.budget) + " can be used.";
  }
  const Device& device = machine.devices[at];
  text += amount_text(placement.devices[at].total()) + " on the " + printable(device_title(device));
  if (machine.devices.size() > 1) text += " that is fullest";
  text += ", which has " + gib_text(budget_of(placement, device)) + " to use";
  if (needs_host(placement)) text += ", and " + amount_text(placement.host.total()) + " of RAM";
  return text + ".";
}

/// Whether anything beside model, context and hardware was said: what the verdict rests on is then repeated.
bool has_settings(const Estimate& estimate) {
  const Workload& workload = estimate.workload;
  return estimate.engine || !workload.flash() || workload.kv_k != KvType::f16 ||
         workload.kv_v != KvType::f16 || workload.parallel != 1;
}

/// "typically 42 (37-48)": the one that fails, `low` or `high` where the slow end counts, with as many
/// digits as show it.
std::string found_text(const std::string& typical, const std::string& low, const std::string& high) {
  return "typically " + typical + " (" + (low == high ? low : low + "-" + high) + ")";
}

std::string found_speed(const Range<TokensPerSecond>& speed, const Requirements& required) {
  const auto failing = [&required](TokensPerSecond rate) { return apart_text(rate, *required.min_tps); };
  const bool slow = required.pessimistic;
  return found_text(slow ? tok_per_s_text(speed.typical) : failing(speed.typical),
                    slow ? failing(speed.low) : tok_per_s_text(speed.low), tok_per_s_text(speed.high));
}

/// In seconds, as it was asked.
std::string found_answer(const Range<Seconds>& answer, const Requirements& required) {
  const auto rounded = [](Seconds time) { return fixed_text(time.count(), time.count() < 9.95 ? 1 : 0); };
  const auto failing = [&required](Seconds time) {
    return apart_text(time.count(), required.max_answer->count(), time.count() < 9.95 ? 1 : 0);
  };
  const bool slow = required.pessimistic;
  return found_text((slow ? rounded(answer.typical) : failing(answer.typical)) + " s", rounded(answer.low),
                    (slow ? failing(answer.high) : rounded(answer.high)) + " s");
}

/// What was asked beside fitting, and what there is instead.
std::string need_sentence(const Check& check, std::string_view failed) {
  const std::string at_worst = check.required.pessimistic ? " at the slow end" : "";
  const Speed& speed = check.estimate.speed;
  if (failed == "min_tps" && check.required.min_tps) {
    const std::string wanted =
        typed_text(check.required.min_tps->count()) + " tok/s wanted" + at_worst + "; ";
    return wanted + (speed.decode ? found_speed(*speed.decode, check.required) : "the speed is not known") +
           ".";
  }
  if (failed == "max_answer_s" && check.required.max_answer) {
    const std::string wanted =
        "An answer in " + typed_text(check.required.max_answer->count()) + " s wanted" + at_worst + "; ";
    return wanted + (speed.answer ? found_answer(*speed.answer, check.required) : "its time is not known") +
           ".";
  }
  if (failed == "min_ctx" && check.required.min_context) {
    return "A context of " + count_text(*check.required.min_context) + " wanted; " +
           (check.longest ? count_text(*check.longest) + " at most." : "none fits.");
  }
  return "";
}

}  // namespace

std::string table_of(const Check& check, const Machine& machine, const PrintOptions& options) {
  std::string out;
  const std::string_view answer = check.ok() ? "yes" : "no";
  const std::string sentence =
      wrap(std::string(answer) + ": ", fit_sentence(check.estimate, machine), width_of(options));
  out += paint(options.style, check.ok() ? Tone::green : Tone::red, answer) + sentence.substr(answer.size());
  for (const std::string& failed : check.failed) {
    const std::string need = need_sentence(check, failed);
    if (!need.empty()) out += wrap("    ", need, width_of(options));
  }
  const Verdict verdict = check.estimate.placement.verdict;
  // Nothing else is in the way.
  if (verdict == Verdict::offload && check.failed == std::vector<std::string>{"fit"})
    out += wrap("    ", "It runs with part of it in system RAM: a yes with --require offload.",
                width_of(options));
  if (!check.ways.empty()) out += wrap("    ", "Yes with " + joined_or(check.ways) + ".", width_of(options));
  if (!check.step_up.empty()) {
    out += wrap("    ", "As asked it needs " + joined_or(check.step_up) + ".", width_of(options));
  }
  out += "\n";
  paragraph(out, options, hardware_text(machine));
  if (has_settings(check.estimate)) {
    paragraph(out, options,
              workload_text(check.estimate.workload, check.estimate.engine, check.estimate.backend,
                            ContextChoice::stated));
  }
  paragraph(out, options, span_text(machine, check.estimate.speed));
  heading(out, options, title_of(check.estimate), verdict_text(check.estimate.placement),
          verdict_tone(check.estimate.placement.verdict));
  if (check.ok()) {
    estimate_block(out, options, check.estimate, machine);
  } else {
    memory_lines(out, options, check.estimate, machine);
    if (verdict != Verdict::does_not_fit) speed_lines(out, options, check.estimate);
    note_lines(out, options, check.estimate.notes);
  }
  if (options.explain) out += "\n" + explain(check.estimate, machine, options.style);
  return out;
}

namespace {

Tone claim_tone(ClaimVerdict verdict) {
  return verdict == ClaimVerdict::plausible    ? Tone::green
         : verdict == ClaimVerdict::optimistic ? Tone::yellow
                                               : Tone::red;
}

/// A card with the memory that is said to be needed, where no hardware is named.
Machine card_as_claimed(const Claim& claim) {
  Device card;
  card.name = "a card with what is claimed";
  card.capacity = card.budget = card.stretched = claim.claimed.size.size;
  card.backend = claim.estimate.backend;
  Machine machine;
  machine.devices.push_back(card);
  return machine;
}

}  // namespace

std::string table_of(const Claim& claim, const PrintOptions& options) {
  std::string out;
  const std::string answer = claim_verdict_text(claim.verdict);
  // All lines but the first are indented alike, however long the verdict is.
  constexpr std::string_view indent = "    ";
  const std::string sentence =
      wrap(std::string(indent), answer + ": " + claim_headline(claim), width_of(options));
  out += paint(options.style, claim_tone(claim.verdict), answer) +
         sentence.substr(indent.size() + answer.size());
  for (const std::string& line : claim_lines(claim)) out += wrap(indent, line, width_of(options));
  out += "\n";
  for (const std::string& line : claim_subject(claim)) paragraph(out, options, line);
  if (options.explain && (claim.machine || claim.needed))
    out += "\n" +
           explain(claim.estimate, claim.machine ? *claim.machine : card_as_claimed(claim), options.style);
  return out;
}

std::string table_of(const Plan& plan, const PrintOptions& options) {
  std::string out;
  for (const std::string& line : plan_subject(plan)) paragraph(out, options, line);
  paragraph(out, options, plan_answer(plan));
  if (!plan.rows.empty()) {
    const std::vector<PlanColumn> figures = plan_columns(plan);
    std::vector<Column> columns;
    columns.reserve(figures.size() + 1);
    // At the usual width names give way before figures do.
    const bool narrow = width_of(options) < kUsualWidth;
    for (const PlanColumn& one : figures) {
      const int drop = one.head == "max ctx" ? 3 : one.head == "year" ? 2 : one.head == "W" ? 1 : 0;
      columns.push_back({one.head, one.head == "verdict" ? Align::left : Align::right, narrow ? drop : 0});
    }
    columns.push_back({"what", Align::left, 0, true});
    TextTable table(columns);
    for (const PlannedMachine& row : plan.rows) {
      std::vector<std::string> cells;
      cells.reserve(figures.size() + 1);
      for (const PlanColumn& one : figures) cells.push_back(one.cell(row));
      cells.push_back(planned_name(row));
      table.add(cells);
      const std::string memory = planned_memory(row);
      if (memory.empty()) continue;
      // On a line of its own: the names of both do not go beside the figures.
      cells.assign(figures.size(), "");
      if (!row.price.platform) cells.front() = "?";
      cells.push_back("+ " + memory);
      table.add(cells);
    }
    out += "\n" + table.text(width_of(options)) + "\n";
  }
  for (const std::string& line : plan_remarks(plan)) paragraph(out, options, line);
  return out;
}

namespace {

void compared_table(std::string& out, const PrintOptions& options, const ComparedTable& compared) {
  out += "\n";
  if (compared.rows.empty()) {
    paragraph(out, options, printable(compared.title));
    return;
  }
  heading(out, options, printable(compared.title), "", Tone::bold);
  TextTable table(compared.columns);
  for (const auto& row : compared.rows) table.add(row);
  out += table.text(width_of(options), 2);
}

/// "  2  GeForce RTX 4090, ...": a line or more for each machine.
void numbered(std::string& out, const PrintOptions& options, const std::vector<std::string>& texts) {
  for (std::size_t i = 0; i < texts.size(); ++i) {
    out += wrap("  " + count_text(static_cast<std::int64_t>(i + 1)) + "  ", printable(texts[i]),
                width_of(options));
  }
}

}  // namespace

std::string table_of(const Comparison& comparison, const RecommendRequest& request,
                     const PrintOptions& options) {
  std::string out;
  paragraph(out, options, compared_workload(comparison, request));
  numbered(out, options, compared_hardware(comparison));
  compared_table(out, options, picks_table(comparison, request.use));
  const std::size_t same_begin = out.size();
  compared_table(out, options, same_table(comparison));
  const bool per_100_watts = out.find(kPer100Watts, same_begin) != std::string::npos;
  for (const std::string& line : same_lacks(comparison))
    out += wrap("  ", printable(line), width_of(options));
  if (const std::string remark = same_remark(comparison, per_100_watts); !remark.empty())
    out += wrap("  ", remark, width_of(options));
  if (!any_picks(comparison)) return out;
  out += "\n";
  heading(out, options, missed_title(), "", Tone::bold);
  const std::vector<std::string> missed = missed_texts(comparison);
  if (missed.empty()) out += wrap("  ", kNothingMissed, width_of(options));
  numbered(out, options, missed);
  return out;
}

// ---- formats ------------------------------------------------------------------------------------------

std::string report(Format format, const Recommendations& result, const RecommendRequest& request,
                   const Machine& machine, const PrintOptions& options) {
  switch (format) {
    case Format::json:
      return json_of(result, request, machine, options);
    case Format::csv:
      return csv_of(result, machine, options);
    case Format::md:
      return markdown_of(result, request, machine, options);
    case Format::table:
      break;
  }
  return table_of(result, request, machine, options);
}

std::string report(Format format, const Estimate& estimate, const Machine& machine,
                   const PrintOptions& options) {
  switch (format) {
    case Format::json:
      return json_of(estimate, machine);
    case Format::csv:
      return csv_of(estimate, machine);
    case Format::md:
      return markdown_of(estimate, machine);
    case Format::table:
      break;
  }
  return table_of(estimate, machine, options);
}

std::string report(Format format, const Check& check, const Machine& machine, const PrintOptions& options) {
  switch (format) {
    case Format::json:
      return json_of(check, machine);
    case Format::csv:
      return csv_of(check, machine);
    case Format::md:
      return markdown_of(check, machine);
    case Format::table:
      break;
  }
  return table_of(check, machine, options);
}

std::string report(Format format, const Claim& claim, const PrintOptions& options) {
  switch (format) {
    case Format::json:
      return json_of(claim);
    case Format::csv:
      return csv_of(claim);
    case Format::md:
      return markdown_of(claim);
    case Format::table:
      break;
  }
  return table_of(claim, options);
}

std::string report(Format format, const Plan& plan, const PrintOptions& options) {
  switch (format) {
    case Format::json:
      return json_of(plan);
    case Format::csv:
      return csv_of(plan);
    case Format::md:
      return markdown_of(plan);
    case Format::table:
      break;
  }
  return table_of(plan, options);
}

std::string report(Format format, const Comparison& comparison, const RecommendRequest& request,
                   const PrintOptions& options) {
  switch (format) {
    case Format::json:
      return json_of(comparison, request);
    case Format::csv:
      return csv_of(comparison);
    case Format::md:
      return markdown_of(comparison, request);
    case Format::table:
      break;
  }
  return table_of(comparison, request, options);
}

}  // namespace r1fit
