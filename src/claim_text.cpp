#include "claim_text.hpp"

#include <algorithm>

#include "r1fit/text_table.hpp"
#include "r1fit/units_text.hpp"
#include "report_parts.hpp"

namespace r1fit::parts {
namespace {

/// The note on a speed below what is realistic.
constexpr std::string_view kSlow = "slow_side";

/// A speed to hold a claim against: with a digit more than elsewhere, as claims come close to the limit.
std::string limit_figure(TokensPerSecond rate) {
  return rate.count() < 99.95 ? fixed_text(rate.count(), rate.count() < 0.995 ? 2 : 1)
                              : fixed_text(rate.count(), 0);
}

std::string read_text(BytesPerToken read) { return gb_text(read, in_gb(read) < 9.95 ? 2 : 1); }

/// "546 GB/s / 41.9 GB read per token = 13.0 tok/s at most".
std::string limit_text(const Claim& claim) {
  const std::vector<LimitStep>& steps = claim.limit_steps;
  const std::string at_most = limit_figure(*claim.limit) + " tok/s at most";
  if (steps.size() == 1) {
    return rate_text(steps.front().bandwidth) + " / " + read_text(steps.front().read) +
           " read per token = " + at_most;
  }
  std::string text;
  SecondsPerToken sum;
  for (const LimitStep& step : steps) {
    text += (text.empty() ? "" : " + ") + read_text(step.read) + " / " + rate_text(step.bandwidth);
    sum += step.read / step.bandwidth;
  }
  return text + " = " + ms_text(sum) + " a token, " + at_most;
}

std::string experts_text(const Claim& claim) {
  const Shape& shape = *claim.estimate.model->shape;
  if (!shape.moe) return "";
  return " (" + std::to_string(shape.moe->experts_per_token) + " of " +
         std::to_string(shape.moe->routed_experts) + " experts are read)";
}

/// "33-44 tok/s, typically 41", whose low end is `low`.
std::string realistic_text(const Claim& claim, const std::string& low) {
  const std::string_view measured =
      claim.speed.extrapolated ? " (extrapolated: nothing like it was measured)" : "";
  const std::string high = tok_per_s_text(*claim.realistic);
  return (low == high ? high : low + "-" + high) + " tok/s, typically " +
         tok_per_s_text(claim.speed.decode->typical) + std::string(measured);
}

std::string realistic_text(const Claim& claim) {
  return realistic_text(claim, tok_per_s_text(claim.speed.decode->low));
}

const Note* find_note(const Claim& claim, std::string_view code) {
  const auto found = std::ranges::find(claim.notes, code, &Note::code);
  return found == claim.notes.end() ? nullptr : &*found;
}

/// The note that says why, where the verdict is one of memory or of what was sold.
std::string_view deciding_code(const Claim& claim) {
  switch (claim.verdict) {
    case ClaimVerdict::does_not_fit:
      return "does_not_fit";
    case ClaimVerdict::no_such_hardware:
      return "no_such_hardware";
    case ClaimVerdict::plausible:
    case ClaimVerdict::optimistic:
    case ClaimVerdict::impossible:
    case ClaimVerdict::understated:
      break;
  }
  return "";
}

/// A size as claimed, its unit said: "131 GB (decimal)".
std::string claimed_size_text(const Claimed& claimed) {
  std::string text = printable(claimed.text);
  if (!claimed.size.stated) text += " GB";
  return claimed.size.binary ? text : text + " (decimal)";
}

std::string both_units(Bytes size) {
  const int decimals = in_gb(size) < 9.95 ? 2 : 1;
  return gb_text(size, decimals) + " (" + gib_text(size, decimals) + ")";
}

/// The upper end of a speed, as typed.
std::string upper_end(const Claimed& claimed) {
  return printable(claimed.text.substr(claimed.text.find('-') + 1)) + " tok/s";
}

std::string speed_headline(const Claim& claim) {
  const std::string claimed = printable(claim.claimed.text) + " tok/s";
  switch (claim.verdict) {
    case ClaimVerdict::impossible:
      return limit_text(claim) + experts_text(claim) + "; " + claimed + " is claimed.";
    case ClaimVerdict::optimistic:
      return claimed +
             (claim.claimed.speed.high > *claim.limit ? " ends above the limit; realistic is "
                                                      : " is above what is realistic, ") +
             realistic_text(claim) + ".";
    case ClaimVerdict::plausible:
    case ClaimVerdict::does_not_fit:
    case ClaimVerdict::understated:
    case ClaimVerdict::no_such_hardware:
      break;
  }
  if (find_note(claim, kSlow) != nullptr) {
    const std::string low = apart_text(claim.speed.decode->low, claim.claimed.speed.high);
    return claimed + " is possible, but slower than is realistic, " + realistic_text(claim, low) + ".";
  }
  return claimed + " agrees with what is realistic, " + realistic_text(claim) + ".";
}

std::string fits_headline(const Claim& claim) {
  const Placement& placement = claim.estimate.placement;
  const std::size_t devices = claim.machine ? claim.machine->devices.size() : 0;
  const std::string where = devices == 0   ? " of RAM, of which "
                            : devices == 1 ? " on the GPU, where "
                                           : " on the GPUs, where ";
  return (placement.verdict == Verdict::tight ? "it fits, if only just: it needs " : "it fits: it needs ") +
         gib_text(*claim.needed) + where + gib_text(*claim.usable) + " can be used.";
}

std::string needs_headline(const Claim& claim) {
  const Placement& placement = claim.estimate.placement;
  std::vector<Addend> addends = addends_of(placement.host);
  if (!placement.devices.empty()) {
    DeviceUse sum;
    for (const DeviceUse& use : placement.devices) {
      sum.weights += use.weights;
      sum.kv_cache += use.kv_cache;
      sum.compute += use.compute;
      sum.pool += use.pool;
      sum.runtime += use.runtime;
    }
    addends = addends_of(sum);
  }
  const std::string answer = claim.verdict == ClaimVerdict::understated ? " is not enough: " : " is enough: ";
  return claimed_size_text(claim.claimed) + answer + both_units(*claim.truth) + " are needed at " +
         count_text(claim.estimate.workload.context) + " tokens, in GiB " + addends_text(addends) + ".";
}

std::string file_headline(const Claim& claim) {
  const std::string said = claimed_size_text(claim.claimed) + " is claimed.";
  const std::string truth = "the file has " + both_units(*claim.truth) + "; ";
  return truth + said;
}

std::string instead_text(const Claim& claim) {
  const bool of_speed = claim.claimed.kind == ClaimKind::decode_tps;
  if (claim.instead.empty()) {
    return of_speed ? "Nothing in the catalogue typically reaches " + upper_end(claim.claimed) +
                          " with all of it on the GPU."
                    : "Nothing in the catalogue holds it.";
  }
  std::string text = of_speed
                         ? "Typically " + upper_end(claim.claimed) + " or more, with all of it on the GPU: "
                         : "What holds it: ";
  for (std::size_t i = 0; i < claim.instead.size(); ++i) {
    const Alternative& one = claim.instead[i];
    text += i == 0 ? "" : i + 1 == claim.instead.size() ? " or " : ", ";
    text += alternative_name(one);
    std::string beside = one.decode ? tok_per_s_text(one.decode->typical) + " tok/s" : "";
    if (one.tight) beside += beside.empty() ? "tight" : ", tight";
    if (!beside.empty()) text += " (" + beside + ")";
  }
  const bool apple =
      std::ranges::any_of(claim.instead, [](const Alternative& one) { return one.kind == "apple"; });
  return text + (apple ? "." : "; no Mac does.");
}

}  // namespace

std::string claim_verdict_text(ClaimVerdict verdict) {
  std::string text(word(verdict));
  std::ranges::replace(text, '_', ' ');
  return text;
}

std::string alternative_name(const Alternative& one) {
  std::string text = one.count > 1 ? std::to_string(one.count) + " x " : "";
  text += printable(one.gpu->name);
  if (one.gpu->memory.size() > 1) text += " with " + capacity_text(one.memory);
  return text;
}

std::string claim_headline(const Claim& claim) {
  if (const Note* note = find_note(claim, deciding_code(claim))) {
    std::string text = printable(note->text);
    // A sentence of its own elsewhere.
    if (text.starts_with("It ") || text.starts_with("No ")) text.front() = text.front() == 'I' ? 'i' : 'n';
    return text;
  }
  switch (claim.claimed.kind) {
    case ClaimKind::decode_tps:
      return speed_headline(claim);
    case ClaimKind::fits:
      return fits_headline(claim);
    case ClaimKind::needs:
      return needs_headline(claim);
    case ClaimKind::file_size:
      break;
  }
  return file_headline(claim);
}

std::vector<std::string> claim_lines(const Claim& claim) {
  std::vector<std::string> lines;
  const std::string_view decided = deciding_code(claim);
  if (claim.limit) {
    const bool waived = claim.shortfall && !claim.assumed_ram;
    if (claim.verdict != ClaimVerdict::impossible) {
      lines.push_back((waived ? "The limit with memory enough: " : "The limit: ") + limit_text(claim) +
                      experts_text(claim) + ".");
    }
    if (claim.verdict == ClaimVerdict::impossible || !decided.empty()) {
      lines.push_back((waived ? "With memory enough it would be " : "Realistic is ") + realistic_text(claim) +
                      ".");
    }
  }
  // Behind a verdict on the hardware the size is still to be told.
  if (!decided.empty() && claim.truth) {
    std::string size = claim.claimed.kind == ClaimKind::needs ? needs_headline(claim) : file_headline(claim);
    if (size.starts_with("the ")) size.front() = 'T';
    lines.push_back(std::move(size));
  }
  for (const Note& note : claim.notes) {
    const bool in_headline = note.code == decided || (note.code == kSlow && decided.empty());
    if (!in_headline) lines.push_back(printable(note.text));
  }
  if (claim.sought) lines.push_back(instead_text(claim));
  return lines;
}

std::vector<std::string> claim_subject(const Claim& claim) {
  const Estimate& estimate = claim.estimate;
  std::vector<std::string> lines;
  lines.push_back(printable(std::string(estimate.model->name) + ", " + std::string(estimate.quant->id)) +
                  ".");
  if (claim.claimed.kind == ClaimKind::file_size) return lines;
  if (claim.machine) lines.push_back(hardware_text(*claim.machine));
  if (claim.machine || claim.claimed.kind == ClaimKind::needs) {
    lines.push_back(
        workload_text(estimate.workload, estimate.engine, estimate.backend, ContextChoice::stated));
  }
  if (claim.machine && claim.limit && find_note(claim, "any_card") == nullptr) {
    const std::string span = span_text(*claim.machine, claim.speed);
    if (!span.empty()) lines.push_back(span);
  }
  return lines;
}

}  // namespace r1fit::parts
