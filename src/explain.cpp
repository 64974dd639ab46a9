#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "explain_waits.hpp"
#include "r1fit/kv_cache.hpp"
#include "r1fit/report.hpp"
#include "r1fit/text_table.hpp"
#include "r1fit/units_text.hpp"
#include "report_parts.hpp"

namespace r1fit {
namespace {

using namespace parts;

constexpr double kTenthMib = 104857.6;

/// One line of a sum: what it is, how much, and how it comes about.
struct Line {
  std::string name;
  Bytes size;
  std::string how;
};

std::string times(std::initializer_list<std::string> factors) {
  std::string text;
  for (const std::string& factor : factors) {
    if (factor.empty()) continue;
    if (!text.empty()) text += " x ";
    text += factor;
  }
  return text;
}

std::string bytes_per(KvType type) {
  switch (type) {
    case KvType::f16:
      return "2 B";
    case KvType::q8_0:
      return "34/32 B";
    case KvType::q4_0:
      return "18/32 B";
  }
  return "";
}

std::string elements(std::int64_t count, std::string_view what) {
  return count_text(count) + " " + std::string(what);
}

/// The KV cache of `layers` layers as a product of figures.
std::string kv_formula(const Shape& shape, const Workload& workload, std::int64_t layers) {
  const std::string rows = elements(layers, "layers");
  const std::string cells = elements(kv_cells(workload).total.count(), "cells");
  if (shape.mla && workload.legacy_gguf) {
    const MlaShape& mla = *shape.mla;
    return times({rows, cells, elements(shape.heads, "heads")}) + " x (" +
           count_text(mla.qk_nope_head_dim + mla.qk_rope_head_dim) + " x " + bytes_per(workload.kv_k) +
           " K + " + count_text(mla.v_head_dim) + " x " + bytes_per(workload.kv_v) +
           " V), a file of before the MLA cache";
  }
  if (shape.mla) {
    return times({rows, cells}) + " x (" + count_text(shape.mla->kv_lora_rank) + " + " +
           count_text(shape.mla->qk_rope_head_dim) + ") x " + bytes_per(workload.kv_k) +
           ", no V cache under MLA";
  }
  return times({rows, cells, elements(shape.kv_heads, "KV heads"), count_text(shape.head_dim)}) + " x (" +
         bytes_per(workload.kv_k) + " K + " + bytes_per(workload.kv_v) + " V)";
}

/// A sum in MiB whose rounded lines add up to its rounded total.
void sum(std::string& out, const Style& style, const std::string& title, const std::vector<Line>& lines,
         const std::string& total_name) {
  std::vector<Addend> addends;
  Bytes total;
  std::size_t longest = columns_of(total_name);
  for (const Line& line : lines) {
    addends.push_back({line.name, line.size});
    total += line.size;
    if (line.size != Bytes{}) longest = std::max(longest, columns_of(line.name));
  }
  const std::vector<std::int64_t> parts = rounded_parts(addends, kTenthMib);
  std::int64_t whole = 0;
  for (const std::int64_t part : parts) whole += part;
  const auto figure = [](std::int64_t tenth_mib) {
    return fixed_text(static_cast<double>(tenth_mib) / 10.0, 1) + " MiB";
  };
  const std::size_t digits = figure(whole).size();
  const auto put = [&](const std::string& name, const std::string& number, const std::string& how) {
    std::string lead = "  " + name;
    lead.append(longest + 4 + digits - std::min(longest + 4 + digits, columns_of(lead) + number.size()), ' ');
    lead += number + "  ";
    out += wrap(lead, how, static_cast<std::size_t>(style.width));
  };
  out += paint(style, Tone::bold, elide(printable(title), static_cast<std::size_t>(style.width))) + "\n";
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].size != Bytes{}) put(lines[i].name, figure(parts[i]), lines[i].how);
  }
  put(total_name, figure(whole), "= " + gib_text(total, 2));
}

/// The groups of weights in one memory. `where` is a device or -1.
struct Groups {
  Bytes attention;
  Bytes ffn;
  Bytes experts;
  std::int64_t blocks = 0;
  std::int64_t expert_blocks = 0;
};

Groups groups_at(const Estimate& estimate, int where) {
  const Placement& placement = estimate.placement;
  Groups groups;
  const std::size_t layers = std::min(placement.layer_device.size(), estimate.weights.layers.size());
  for (std::size_t i = 0; i < layers; ++i) {
    const LayerWeights& layer = estimate.weights.layers[i];
    const int device = placement.layer_device[i];
    if (device == where) {
      groups.attention += layer.attention;
      groups.ffn += layer.ffn;
      ++groups.blocks;
    }
    const int experts = static_cast<int>(i) < placement.n_cpu_moe ? -1 : device;
    if (experts == where && layer.experts != Bytes{}) {
      groups.experts += layer.experts;
      ++groups.expert_blocks;
    }
  }
  return groups;
}

std::vector<Line> weight_lines(const Estimate& estimate, int where, Bytes total, const std::string& source) {
  const Groups groups = groups_at(estimate, where);
  const Shape& shape = *estimate.model->shape;
  const std::string blocks = elements(groups.blocks, "layers");
  std::vector<Line> lines{
      {"attention", groups.attention, blocks + ", projections and norms as " + source},
      {shape.moe ? "dense FFN, shared experts" : "feed-forward", groups.ffn, blocks},
      {"routed experts", groups.experts,
       shape.moe ? times({elements(groups.expert_blocks, "layers"), count_text(shape.moe->routed_experts)}) +
                       " experts, " + count_text(shape.moe->experts_per_token) + " of them read a token"
                 : ""}};
  if (estimate.placement.output_device == where) {
    lines.push_back({"output layer", estimate.weights.output,
                     times({elements(shape.vocab, "words"), count_text(shape.hidden)})});
  }
  if (where < 0) {
    lines.push_back({"token embeddings", estimate.weights.token_embd,
                     times({elements(shape.vocab, "words"), count_text(shape.hidden)}) +
                         ", always in host memory; one row is read a token"});
  }
  Bytes named;
  for (const Line& line : lines) named += line.size;
  // Row padding, rope factors, or tensors placed one by one: whatever the groups do not explain.
  lines.push_back(
      {"other weights", total - named, "row padding, rope factors, single tensors placed elsewhere"});
  return lines;
}

std::string buffer_how(const Estimate& estimate, Backend backend) {
  const Workload& workload = estimate.workload;
  std::string text = "working memory of the graph on " + std::string(title(backend)) + " at micro-batch " +
                     count_text(workload.ubatch) + ", " + count_text(kv_cells(workload).per_stream) +
                     " cells a row, flash attention " + (workload.flash() ? "on" : "off") + "; docs/model.md";
  return text;
}

/// "1/2" of what all devices share.
std::string part_text(const Placement& placement, std::size_t at) {
  int all = 0;
  for (const int part : placement.parts) all += part;
  const int divisor = std::gcd(placement.parts[at], all);
  return std::to_string(placement.parts[at] / divisor) + "/" + std::to_string(all / divisor);
}

void explain_device(std::string& out, const Estimate& estimate, const Machine& machine, std::size_t at,
                    const Style& style, SourceList& sources) {
  const Placement& placement = estimate.placement;
  const Device& device = machine.devices[at];
  const DeviceUse& use = placement.devices[at];
  const std::string quant =
      std::string(estimate.quant->id) + " " + sources.refs(estimate.quant->sources, "rules");
  const bool shared = placement.split != SplitMode::layer;
  const bool by_tensor = placement.split == SplitMode::tensor;
  std::vector<Line> lines;
  if (shared) {
    lines.push_back({"weights", use.weights,
                     part_text(placement, at) + " of every matrix as " + quant +
                         (by_tensor ? ", norms and biases whole" : ", norms and biases of its layers")});
  } else {
    lines = weight_lines(estimate, static_cast<int>(at), use.weights, quant);
  }
  const std::int64_t blocks =
      by_tensor ? estimate.model->shape->layers : groups_at(estimate, static_cast<int>(at)).blocks;
  lines.push_back({"KV cache", use.kv_cache,
                   (by_tensor ? part_text(placement, at) + " of " : "") +
                       kv_formula(*estimate.model->shape, estimate.workload, blocks)});
  lines.push_back({"compute buffer", use.compute, buffer_how(estimate, device.backend)});
  lines.push_back({"pool", use.pool,
                   estimate.workload.flash()
                       ? "CUDA's own, 512 KiB for each row of a micro-batch of experts"
                       : "CUDA's own, grows with the context while flash attention is off"});
  std::string runtime = "driver and libraries";
  if (device.gpu != nullptr && device.gpu->runtime != nullptr && device.gpu->backend == device.backend) {
    runtime =
        std::string(device.gpu->runtime->name) + " " + sources.refs(device.gpu->runtime->sources, "typical");
  }
  lines.push_back({"runtime", device.runtime, printable(runtime)});
  if (const CardSplit* split = split_cost(machine, placement.split)) {
    lines.push_back({"sharing", use.runtime - device.runtime,
                     "an allowance, in no log " + sources.refs(split->sources, "memory")});
  }
  std::string title = "Memory of " + device_title(device);
  if (machine.devices.size() > 1) title += ", card " + std::to_string(at + 1);
  sum(out, style, title, lines, "in all");

  const Bytes budget = budget_of(placement, device);
  std::string rest = gib_text(budget, 2) + " of " + gib_text(device.capacity, 2) + " may be used";
  if (device.working_set != nullptr)
    rest += ", " + std::string(device.working_set->name) + " " +
            sources.refs(device.working_set->sources, "steps");
  if (placement.strain == Strain::raised_limit)
    rest += " with the limit raised (" + gib_text(device.budget, 2) + " without)";
  if (use.total() > budget) {
    rest += ", so " + gib_text(use.total() - budget, 2) + " are missing";
  } else {
    rest += ", so " + gib_text(budget - use.total(), 2) + " are left; \"fits\" asks for a margin of " +
            gib_text(device.margin, 2);
  }
  out += wrap("  ", rest + ".", static_cast<std::size_t>(style.width));
}

void explain_host(std::string& out, const Estimate& estimate, const Machine& machine, const Style& style,
                  SourceList& sources) {
  const HostUse& use = estimate.placement.host;
  if (use.total() == Bytes{}) return;
  const std::string quant =
      std::string(estimate.quant->id) + " " + sources.refs(estimate.quant->sources, "rules");
  std::vector<Line> lines = weight_lines(estimate, -1, use.weights, quant);
  const std::int64_t blocks = groups_at(estimate, -1).blocks;
  lines.push_back({"KV cache", use.kv_cache, kv_formula(*estimate.model->shape, estimate.workload, blocks)});
  lines.push_back({"compute buffer", use.compute, buffer_how(estimate, Backend::cpu)});
  lines.push_back(
      {"logits", use.output,
       times({elements(estimate.model->shape->vocab, "words"),
              elements(estimate.workload.parallel, estimate.workload.parallel == 1 ? "slot" : "slots"),
              "4 B"})});
  sum(out, style, "Host memory", lines, "in all");
  const auto width = static_cast<std::size_t>(style.width);
  if (use.repacked > Bytes{}) {
    out += wrap(
        "  ",
        mib_text(use.repacked, 1) +
            " more are copies in a layout that suits the CPU; the mapped original can be given up for them.",
        width);
  }
  if (!machine.host.ram) {
    out += wrap("  ", "How much there is was not stated (--ram).", width);
  } else {
    out += wrap("  ",
                gib_text(machine.host.budget, 2) + " of " + gib_text(*machine.host.ram, 2) + " may be used.",
                width);
  }
  if (estimate.placement.disk_streamed > Bytes{}) {
    out += wrap("  ",
                gib_text(estimate.placement.disk_streamed, 2) +
                    " of the weights find no room and are read from disk as they are needed.",
                width);
  }
}

/// One processor's share of a token, term by term.
void explain_step(std::string& out, const DecodeStep& step, const Machine& machine,
                  const EngineChoice& engine, std::size_t width, SourceList& sources) {
  std::string where = step.where;
  std::string bandwidth_source;
  std::string fp32_source;
  for (const Device& device : machine.devices) {
    // A card that was not named goes by the name of the one that stands in for it.
    const auto is_it = [&](const Gpu* gpu) { return gpu->id == step.where; };
    if (std::ranges::any_of(device.stand_ins, is_it)) where = step.where + ", standing in";
    if (device.gpu == nullptr || (step.where != device.name && step.where != device.gpu->name)) continue;
    where = std::string(device.gpu->name);
    fp32_source = " " + sources.refs(device.gpu->sources, "fp32");
    if (device.bandwidth && *device.bandwidth == device.gpu->bandwidth) {
      bandwidth_source = " " + sources.refs(device.gpu->sources, "bandwidth");
    }
    break;
  }
  const bool host = step.where == "host memory";
  if (host && machine.host.platform != nullptr &&
      step.processor.bandwidth == machine.host.platform->bandwidth)
    bandwidth_source = " " + sources.refs(machine.host.platform->sources, "bandwidth");
  if (host) {
    const bool known = machine.host.platform != nullptr && machine.host.platform->fp32;
    fp32_source = " " + (known ? sources.refs(machine.host.platform->sources, "fp32")
                               : sources.refs(step.speed->sources, "fp32"));
  }
  const SpeedFit& fit = *step.processor.fit;
  const std::string fitted = sources.ref(fit.source);
  out += wrap("  " + printable(where) + ": ", ms_text(step.total()), width);
  const std::string reached = rate_text(step.processor.bandwidth) + bandwidth_source + " x " +
                              fixed_text(fit.efficiency, 2) + " " + fitted;
  const BytesPerToken plain = step.work.weights + step.work.kv;
  std::string reading;
  if (plain > BytesPerToken{}) reading = gb_text(plain, 2) + " / (" + reached + ")";
  if (step.work.experts > BytesPerToken{}) {
    reading += (reading.empty() ? "" : " + ") + gb_text(step.work.experts, 2) + " of experts / (" +
               (reading.empty() ? reached : "the same") + " x " + fixed_text(fit.family->experts, 2) + ")";
  }
  out += wrap("    reading ", reading + " = " + ms_text(step.time.reading), width);
  double weights = 0;
  for (const double kernel : step.work.unpacked) weights += kernel;
  constexpr double billion = 1e9;
  out += wrap("    unpacking ",
              fixed_text(weights / billion, 1) + " billion weights x " +
                  fixed_text(step.time.unpacking.count() * step.processor.fp32.count() / weights, 1) +
                  " operations " + fitted + " / " + fixed_text(in_tflops(step.processor.fp32), 2) +
                  " TFLOPS" + fp32_source + " = " + ms_text(step.time.unpacking) +
                  ", side by side with reading: " + ms_text(step.time.streaming),
              width);
  const SecondsPerToken barriers = fit.family->per_core * step.processor.cores;
  std::string layers;
  if (step.work.layers > 0)
    layers = fixed_text(step.work.layers, 0) + " layers x " + ms3_text(fit.per_layer + barriers);
  if (step.work.expert_layers > 0) {
    layers += (layers.empty() ? "" : " + ") + fixed_text(step.work.expert_layers, 0) + " with experts x " +
              ms3_text(fit.per_expert_layer + barriers);
  }
  if (step.processor.cores > 0) layers += " (" + count_text(step.processor.cores) + " cores)";
  if (step.work.layers > 0 || step.work.expert_layers > 0)
    out += wrap("    launches ", layers + " = " + ms_text(step.time.layers), width);
  if (step.time.attention >= milliseconds_per_token(0.05))
    out += wrap("    attention ", "over the cache = " + ms_text(step.time.attention), width);
  if (step.measured != nullptr) {
    out += wrap("    measured ",
                "x " + fixed_text(step.measured->factor, 2) + " of its class's speed in " +
                    count_text(step.measured->measurements) + " runs on it",
                width);
  }
  if (host && engine.speed != nullptr) {
    out += wrap("    engine ",
                printable(engine->name) + ": x " + fixed_text(engine.speed->host_time, 2) +
                    " of llama.cpp's time " + sources.ref(engine.speed->source),
                width);
  }
  if (step.own) {
    out += wrap("    yours ", "x " + fixed_text(step.own->factor, 2) + " by " + own_text(*step.own), width);
  }
}

void explain_speed(std::string& out, const Estimate& estimate, const Machine& machine, const Style& style,
                   SourceList& sources) {
  const Speed& speed = estimate.speed;
  const auto width = static_cast<std::size_t>(style.width);
  out += paint(style, Tone::bold, "Speed") + "\n";
  if (!speed.decode) {
    out += wrap("  ", "Not known: " + printable(speed.unknown) + ".", width);
    return;
  }
  const bool at_once = speed.split != nullptr && speed.split->sync;
  out += wrap("  ",
              "A token reads and unpacks every weight that takes part in it, and reads the KV cache of the " +
                  count_text(std::min(estimate.workload.depth, estimate.workload.context)) +
                  " tokens before it; " +
                  (at_once ? "all cards at once, each its part" : "one processor after the other") +
                  " (docs/model.md).",
              width);
  SecondsPerToken time = speed.hand_over + speed.disk_time;
  SecondsPerToken slowest;
  for (const DecodeStep& step : speed.steps) {
    explain_step(out, step, machine, estimate.engine, width, sources);
    slowest = std::max(slowest, step.beside_others(speed.lag));
    if (!at_once) time += step.total();
  }
  if (at_once) time += slowest + speed.exchanges;
  if (speed.disk_time != SecondsPerToken{}) {
    out += wrap("  disk: ", gb_text(speed.from_disk, 2) + " = " + ms_text(speed.disk_time), width);
  }
  if (speed.hand_over != SecondsPerToken{})
    out += wrap("  ", "handing over between them: " + ms_text(speed.hand_over), width);
  if (at_once) {
    constexpr double even = 1.005;
    out += wrap("  ",
                "the slowest card: " + ms_text(slowest) +
                    (speed.lag > even
                         ? ", heads and columns divided in whole blocks (x " + fixed_text(speed.lag, 2) + ")"
                         : std::string()) +
                    "; exchanges between all cards, two a layer: " + ms_text(speed.exchanges) + " " +
                    sources.refs(speed.split->sources, "sync"),
                width);
  } else if (speed.split != nullptr) {
    time = time / speed.split->decode->typical;
    out += wrap("  ",
                "split by row, x " + fixed_text(speed.split->decode->typical, 2) +
                    " of the speed one after the other " + sources.refs(speed.split->sources, "decode"),
                width);
  }
  out += wrap("  ",
              "in all " + ms_text(time) + " a token, 1 / " + ms_text(time) + " = " +
                  fixed_text(rate(time).count(), 1) + " tok/s",
              width);
  const double typical = rate(time).count();
  const Range<TokensPerSecond>& decode = speed.decode.value();
  if (std::abs(decode.typical.count() - typical) > 0.01 * typical) {
    out += wrap("  ", "typical is held to " + fixed_text(decode.typical.count(), 1) + " tok/s by the limit",
                width);
  }
  const std::string low = fixed_text(decode.low.count(), 1);
  const std::string high = fixed_text(decode.high.count(), 1);
  std::string range = at_once ? "the range is no measurement: from " + low +
                                    " tok/s, no better than by layer, to the best case, " + high
                              : "80 % of measurements lie between " + low + " and " + high + " tok/s";
  if (speed.slowest.empty() && decode.typical.count() > 0) {
    range += " (x " + fixed_text(decode.low.count() / decode.typical.count(), 2) + " to x " +
             fixed_text(decode.high.count() / decode.typical.count(), 2) + ")";
  } else if (!speed.slowest.empty()) {
    range += ", over " + printable(speed.slowest) + " to " + printable(speed.fastest);
  }
  out += wrap("  ", range, width);
  if (speed.limit) {
    out += wrap("  ",
                "the whole bandwidth and no fixed cost would give " + fixed_text(speed.limit->count(), 1) +
                    " tok/s: nothing decodes faster without guessing tokens ahead",
                width);
  }
  if (speed.extrapolated) out += wrap("  ", "Extrapolated: nothing like it was measured.", width);
}

void explain_measured(std::string& out, const Estimate& estimate, const Style& style, SourceList& sources) {
  if (!estimate.measured || estimate.measured->empty()) return;
  const auto width = static_cast<std::size_t>(style.width);
  out += paint(style, Tone::bold, "Measured nearby") + "\n";
  for (const NearRun& near : *estimate.measured) {
    out += wrap("  ", printable(said(near)) + " " + sources.ref(near.run->source, trust(near.run->grade)),
                width);
  }
}

void explain_quality(std::string& out, const Estimate& estimate, const Style& style, SourceList& sources) {
  if (estimate.model->scores.empty()) return;
  const auto width = static_cast<std::size_t>(style.width);
  out += paint(style, Tone::bold, "Quality") + "\n";
  for (const Score& score : estimate.model->scores) {
    out += wrap("  ",
                printable(std::string(score.benchmark) + " (" + std::string(score.split) + ") ") +
                    score_text(score) + " " + sources.ref(score.source, score.confidence),
                width);
  }
  const QuantLoss* loss = measured_loss(*estimate.model, *estimate.quant);
  if (loss == nullptr) loss = estimate.loss.basis;
  if (loss != nullptr) {
    out += wrap("  ",
                printable(std::string(estimate.quant->id) + ": " + std::string(loss->metric) + " ") +
                    fixed_text(loss->value, 4) +
                    printable(" " + std::string(loss->unit) + " on " + std::string(loss->measured_on) + " ") +
                    sources.ref(loss->source),
                width);
  }
  if (estimate.loss.known) {
    std::string text = "loss taken for the ranking: " + fixed_text(estimate.loss.points, 2) + " points";
    if (estimate.loss.basis != nullptr && estimate.loss.basis->unit == "nats") {
      text += " = " + fixed_text(estimate.loss.basis->value, 4) + " nats x " + fixed_text(kPointsPerNat, 0) +
              " points (docs/model.md)";
    }
    out += wrap("  ", text, width);
  }
}

}  // namespace

std::string explain(const Estimate& estimate, const Machine& machine, const Style& style) {
  std::string out;
  out.reserve(8192);
  SourceList sources;
  const Placement& placement = estimate.placement;
  const auto width = static_cast<std::size_t>(style.width);
  out += paint(style, Tone::bold,
               elide("The arithmetic of " + printable(std::string(estimate.model->name) + ", " +
                                                      std::string(estimate.quant->id)),
                     width)) +
         "\n";
  if (!estimate.weights.exact) {
    out += wrap(
        "  ", "The weights are a published file size spread over the tensors: good in all, less so by group.",
        width);
  }
  const std::string shape = sources.refs(estimate.model->shape->sources, "layers");
  out += wrap("  ",
              "Shapes of " + printable(estimate.model->shape->id) + " " + shape +
                  "; 1 MiB is 1,048,576 bytes, 1 GB is 10^9.",
              width);
  for (std::size_t i = 0; i < std::min(placement.devices.size(), machine.devices.size()); ++i) {
    explain_device(out, estimate, machine, i, style, sources);
  }
  explain_host(out, estimate, machine, style, sources);
  explain_speed(out, estimate, machine, style, sources);
  out += explain_waits(estimate, machine, style, sources);
  explain_measured(out, estimate, style, sources);
  explain_quality(out, estimate, style, sources);
  out += paint(style, Tone::bold, "Sources") + "\n" + sources.text(width);
  return out;
}

}  // namespace r1fit
