#include "explain_waits.hpp"

#include <algorithm>
#include <cmath>

#include "r1fit/text_table.hpp"
#include "r1fit/units_text.hpp"

namespace r1fit {
namespace {

using namespace parts;

/// Characters of the longest bar.
constexpr double kBar = 40;
/// Rows of the chart beside that of depth 0.
constexpr int kDepths = 6;

std::string one(Seconds time) { return duration_text(time, time); }

/// As ms_text(), with what a fast card needs for a token.
std::string step_text(SecondsPerToken time) {
  return fixed_text(in_ms(time), in_ms(time) < 10 ? 2 : 0) + " ms";
}

std::string gflop_text(FlopsPerToken work) { return fixed_text(work.count() * 1e-9, 1) + " GFLOP"; }

class Page {
 public:
  Page(const Style& style, SourceList& sources) : style_(style), sources_(sources) {}

  void heading(std::string_view text) { out_ += paint(style_, Tone::bold, text) + "\n"; }
  void line(std::string_view text) { out_ += wrap("  ", printable(text), width()); }
  void add(std::string_view text) { out_ += text; }
  [[nodiscard]] std::size_t width() const { return static_cast<std::size_t>(style_.width); }
  [[nodiscard]] SourceList& sources() const { return sources_; }
  std::string take() { return std::move(out_); }

 private:
  const Style& style_;
  SourceList& sources_;
  std::string out_;
};

void step_line(Page& text, const PrefillStep& step, const Workload& workload, const Machine& machine) {
  const std::string time = step_text(step.time);
  if (step.speed == nullptr) {
    text.line("disk: what finds no room in memory is read for each micro-batch, " + time);
    return;
  }
  if (step.bound_by_reads) {
    text.line(step.where + ": the weights are read once for each micro-batch of " +
              count_text(std::min(workload.ubatch, workload.prompt)) + ", which takes longer than " +
              gflop_text(step.work) + " do: " + time);
    return;
  }
  const std::string from = text.sources().refs(step.speed->sources, step.figure);
  std::string peak;
  for (const Device& device : machine.devices) {
    if (device.gpu == nullptr || device.gpu->name != step.where) continue;
    peak = " " + text.sources().refs(device.gpu->sources, step.figure == "fp32_mfu" ? "fp32" : "fp16");
    break;
  }
  if (step.share == 1.0) {
    text.line(step.where + ": " + gflop_text(step.work) + " / " + rate_text(step.peak) + " " + from + " = " +
              time);
    return;
  }
  text.line(step.where + ": " + gflop_text(step.work) + " / (" + rate_text(step.peak) + peak + " x " +
            fixed_text(step.share, step.share < 0.1 ? 3 : 2) + " " + from + ") = " + time);
}

void prompt_part(Page& text, const Estimate& estimate, const Machine& machine) {
  const Speed& speed = estimate.speed;
  const Workload& workload = estimate.workload;
  text.heading("Prompt");
  if (!speed.prefill) {
    text.line("How fast it is read is not known: " + std::string(estimate.waits.prefill_unknown) + ".");
    return;
  }
  text.line(
      "Each of " + count_text(workload.prompt) +
      " tokens is worked with by twice the weights of its way through the layers and looks at half of the "
      "prompt: " +
      gflop_text(prefill_work(*estimate.model->shape, workload)) + "; one memory after the other.");
  for (const PrefillStep& step :
       prefill_steps(candidate_of(estimate), workload, machine, estimate.placement)) {
    step_line(text, step, workload, machine);
  }
  if (speed.split != nullptr) {
    text.line("shared by " + std::string(speed.split->id) + ", its speed is about x " +
              fixed_text(speed.split->prefill.typical, 2) + " of that " +
              text.sources().refs(speed.split->sources, "prefill"));
  }
  text.line("in all " + step_text(pace(speed.prefill->typical)) + " a token = " +
            tok_per_s_text(speed.prefill->typical) + " tok/s; 80 % of measurements lie between " +
            tok_per_s_text(speed.prefill->low) + " and " + tok_per_s_text(speed.prefill->high));
  if (speed.ttft) {
    text.line(count_text(workload.prompt) + " tokens: " + one(speed.ttft->typical) + " (" +
              duration_text(speed.ttft->low, speed.ttft->high) + ")");
  }
  if (estimate.waits.prefill_extrapolated) text.line("Extrapolated: no such prefill was measured.");
}

void answer_part(Page& text, const Estimate& estimate, const Machine& machine) {
  const AnswerLength& length = estimate.waits.length;
  const Speed& speed = estimate.speed;
  const Workload& workload = estimate.workload;
  text.heading("Answer");
  if (!length.thinking) {
    text.line("How long this model thinks is not known; say so with --think.");
    return;
  }
  std::string tokens_text = count_text(length.thinking->typical) + " tokens of thinking";
  if (!length.stated()) {
    const Thinking& record = *estimate.model->thinking;
    tokens_text += " (" + count_text(length.thinking->low) + "-" + count_text(length.thinking->high) +
                   " for an everyday question " + text.sources().ref(record.source, record.confidence);
    if (record.hard) {
      tokens_text += ", " + count_text(*record.hard) + " for a hard problem " +
                     text.sources().ref(record.hard_source, record.confidence);
    }
    tokens_text += ")";
  }
  text.line(tokens_text + " and " + count_text(length.answer) + " of answer");
  const Tokens written = length.thinking->typical + length.answer;
  if (!estimate.waits.holds_answer) {
    text.line("with the prompt " + count_text(workload.prompt + written) + ", more than the " +
              count_text(context_of_a_request(workload)) + " that a request has: no time is stated");
    return;
  }
  if (!speed.answer) return;
  const Tokens depth = tokens(workload.prompt.count() + written.count() / 2);
  const auto decode = decode_at_depth(candidate_of(estimate), workload, machine, estimate.placement, depth);
  if (!decode || !speed.ttft) return;
  text.line("A token takes longer in step with the depth, so all take as long as that in the middle, at " +
            count_text(depth) + ": " + one(speed.ttft->typical) + " + " + count_text(written) + " / " +
            fixed_text(decode->typical.count(), 1) + " tok/s = " + one(speed.answer->typical));
  std::string range = "80 % lie between " + duration_text(speed.answer->low, speed.answer->high);
  range += length.stated() ? ": the spread of the speed"
                           : ": the spreads of speed and of length are independent (docs/model.md)";
  text.line(range);
}

void load_part(Page& text, const Estimate& estimate, const Machine& machine) {
  const Waits& waits = estimate.waits;
  if (!waits.load && !waits.download) return;
  text.heading("Before the first question");
  const std::string file = gb_text(estimate.download.size);
  if (waits.download) {
    text.line("download: " + file + " / " + fixed_text(machine.downlink->count() * 8e-6, 0) +
              " Mbit/s = " + one(*waits.download));
  }
  if (!waits.load) return;
  const std::string loaded =
      gb_text(estimate.download.size - std::min(estimate.download.size, estimate.placement.disk_streamed));
  if (machine.disk) {
    text.line("load: " + loaded + " / " + rate_text(*machine.disk) + " = " + one(waits.load->typical));
    return;
  }
  const auto on = [](const UsualDisk& disk, Seconds time) {
    return one(time) + " from " + std::string(disk.name) + " (" +
           fixed_text(in_gb_per_s(disk.rate), disk.rate < gb_per_s(1) ? 2 : 1) + " GB/s)";
  };
  text.line("load: " + loaded + ", " + on(kTypicalDisk, waits.load->typical) + ", " +
            on(kFastDisk, waits.load->low) + ", " + on(kSlowDisk, waits.load->high) +
            "; say what yours reads with --disk-bandwidth");
}

void depth_part(Page& text, const Estimate& estimate, const Machine& machine) {
  const Tokens longest = estimate.max_context.value_or(estimate.workload.context);
  std::vector<Tokens> depths{tokens(0)};
  for (int i = 1; i <= kDepths; ++i) {
    const Tokens depth = tokens(longest.count() * i / kDepths / 256 * 256);
    if (depth > depths.back()) depths.push_back(depth);
  }
  std::vector<Range<TokensPerSecond>> speeds;
  for (const Tokens depth : depths) {
    const auto decode =
        decode_at_depth(candidate_of(estimate), estimate.workload, machine, estimate.placement, depth);
    if (!decode) return;
    speeds.push_back(*decode);
  }
  const double fastest =
      std::ranges::max_element(speeds, {}, [](const auto& speed) { return speed.typical; })->typical.count();
  if (!std::isfinite(fastest) || fastest <= 0) return;
  TextTable table(
      {{"depth", Align::right}, {"tok/s", Align::right}, {"80 %", Align::right}, {"", Align::left, 1}});
  for (std::size_t i = 0; i < depths.size(); ++i) {
    const auto length = static_cast<std::size_t>(std::lround(kBar * speeds[i].typical.count() / fastest));
    table.add({count_text(depths[i]), tok_per_s_text(speeds[i].typical),
               tok_per_s_text(speeds[i].low, speeds[i].high), std::string(length, '#')});
  }
  text.heading("Speed as the context fills");
  text.line("up to the longest context that fits with the layers where they are:");
  text.add(table.text(text.width(), 2));
}

}  // namespace

std::string explain_waits(const Estimate& estimate, const Machine& machine, const Style& style,
                          parts::SourceList& sources) {
  Page text(style, sources);
  if (estimate.placement.verdict != Verdict::does_not_fit) {
    prompt_part(text, estimate, machine);
    answer_part(text, estimate, machine);
  }
  load_part(text, estimate, machine);
  if (estimate.speed.decode) depth_part(text, estimate, machine);
  return text.take();
}

}  // namespace r1fit
