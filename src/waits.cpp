#include "r1fit/waits.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace r1fit {
namespace {

/// Layers with their experts on a class without a share for them: 0.07 to 0.7 of the dense share where both
/// were measured (data/constants.json), about a third on cards with GDDR memory. Said to be extrapolated.
constexpr PrefillShare kUnmeasuredExperts{0.3, 0.07, 0.7, 0};

/// Dense layers in host memory beside a GPU: for a batch of 32 rows or more llama.cpp copies the weights to
/// it. The one published run (Arc Pro B70, 20 of 80 layers of 70B on an i9-14900K) comes to 4.3 TFLOPS
/// there, 6.6 times what such a CPU does by itself. Between the two lies their geometric middle.
constexpr double kCopiedTypical = 2.6;
constexpr double kCopiedHigh = 6.6;

/// What the layers in one memory do with a token of the prompt, in FLOPs, and the bytes behind it.
struct Load {
  double plain = 0;    ///< dense layers, attention, shared experts
  double mixed = 0;    ///< whole layers with routed experts
  double experts = 0;  ///< routed experts apart from the rest of their layer
  double bytes = 0;
  double expert_bytes = 0;
  [[nodiscard]] bool empty() const { return plain + mixed + experts == 0; }
};

/// Multiplications and additions of one layer with one token: twice its weights that take part, and
/// attention.
struct LayerWork {
  double rest_dense;  ///< of a layer without routed experts
  double rest_mixed;  ///< of a layer with them, all but them
  double experts;     ///< those chosen
};

LayerWork layer_work(const Shape& shape, const Workload& workload) {
  const double d = shape.hidden;
  const double heads = shape.heads;
  // The token in the middle of the prompt has half of it before it, and so has the mean of all tokens.
  const double before = static_cast<double>(workload.prompt.count()) / 2.0;
  double attention = 0;
  double scores = 0;
  if (shape.mla) {
    const MlaShape& mla = *shape.mla;
    const double nope = mla.qk_nope_head_dim;
    const double rope = mla.qk_rope_head_dim;
    const double rank = mla.kv_lora_rank;
    const double v = mla.v_head_dim;
    attention = d * mla.q_lora_rank + mla.q_lora_rank * heads * (nope + rope) + d * (rank + rope) +
                rank * heads * (nope + v) + heads * v * d;
    // Scores against the compressed cache and its weighted sum; full heads before the MLA cache.
    scores = 2.0 * heads * (workload.legacy_gguf ? nope + rope + v : 2.0 * rank + rope) * before;
  } else {
    const double width = static_cast<double>(shape.head_dim) * heads;
    attention = 2.0 * d * width + 2.0 * d * shape.head_dim * shape.kv_heads;
    scores = 4.0 * width * before;
  }
  LayerWork work{2.0 * (attention + 3.0 * d * shape.ffn) + scores, 0, 0};
  if (shape.moe) {
    const MoeShape& moe = *shape.moe;
    const double expert = 3.0 * d * moe.expert_ffn;
    work.rest_mixed = 2.0 * (attention + d * moe.routed_experts + moe.shared_experts * expert) + scores;
    work.experts = 2.0 * moe.experts_per_token * expert;
  }
  return work;
}

bool has_experts(const Shape& shape, std::size_t layer) {
  return shape.moe && static_cast<int>(layer) >= shape.moe->first_dense_layers;
}

/// The work by memory; the last entry is the host.
std::vector<Load> loads_of(const Candidate& candidate, const Workload& workload, const Machine& machine,
                           const Placement& placement) {
  const Shape& shape = *candidate.model->shape;
  const LayerWork work = layer_work(shape, workload);
  std::vector<Load> loads(machine.devices.size() + 1);
  const auto at = [&loads](int device) -> Load& {
    return device < 0 ? loads.back() : loads[static_cast<std::size_t>(device)];
  };
  const std::size_t layers = std::min(placement.layer_device.size(), candidate.weights->layers.size());
  for (std::size_t i = 0; i < layers; ++i) {
    const LayerWeights& weights = candidate.weights->layers[i];
    Load& load = at(placement.layer_device[i]);
    load.bytes += static_cast<double>((weights.attention + weights.ffn).count());
    if (!has_experts(shape, i)) {
      load.plain += work.rest_dense;
      continue;
    }
    const bool apart = static_cast<int>(i) < placement.n_cpu_moe && placement.layer_device[i] >= 0;
    Load& experts = apart ? loads.back() : load;
    experts.expert_bytes += static_cast<double>(weights.experts.count());
    if (apart) {
      load.plain += work.rest_mixed;
      experts.experts += work.experts;
    } else {
      load.mixed += work.rest_mixed + work.experts;
    }
  }
  if (placement.split == SplitMode::tensor) {
    const Load all = loads.front();
    const double parts = std::accumulate(placement.parts.begin(), placement.parts.end(), 0.0);
    for (std::size_t i = 0; i < placement.parts.size(); ++i) {
      const double share = placement.parts[i] / parts;
      loads[i].plain = all.plain * share;
      loads[i].bytes = all.bytes * share;
    }
  }
  return loads;
}

/// Seconds a token of the prompt: slow, typical, fast.
struct Times {
  double slow = 0;
  double typical = 0;
  double fast = 0;
  void add(double flops, double peak, double low, double middle, double high) {
    slow += flops / (peak * low);
    typical += flops / (peak * middle);
    fast += flops / (peak * high);
  }
  void at_least(double seconds) {
    slow = std::max(slow, seconds);
    typical = std::max(typical, seconds);
    fast = std::max(fast, seconds);
  }
  Times& operator+=(const Times& other) {
    slow += other.slow;
    typical += other.typical;
    fast += other.fast;
    return *this;
  }
};

struct Reading {
  Times times;
  bool extrapolated = false;
  bool known = true;
};

/// How the prompt is cut: rows of a micro-batch, their number, and the share of the experts that rows touch.
struct Batches {
  double rows;
  double count;
  double touched;
  double prompt;

  Batches(const Shape& shape, const Workload& workload) {
    prompt = static_cast<double>(workload.prompt.count());
    rows = std::min(prompt, static_cast<double>(workload.ubatch.count()));
    count = std::ceil(prompt / rows);
    touched = 1.0;
    if (shape.moe) {
      const double missed =
          1.0 - static_cast<double>(shape.moe->experts_per_token) / shape.moe->routed_experts;
      touched = 1.0 - std::pow(missed, rows);
    }
  }
  /// Bytes read for a token of the prompt: all weights once for each micro-batch.
  [[nodiscard]] double read_per_token(const Load& load) const {
    return (load.bytes + load.expert_bytes * touched) * count / prompt;
  }
};

void note(std::vector<PrefillStep>* steps, std::string_view where, double flops, double peak, double share,
          const SpeedClass* speed, std::string_view figure) {
  if (steps == nullptr || flops == 0) return;
  steps->push_back({std::string(where), FlopsPerToken::of(flops), FlopsPerSecond::of(peak), share, false,
                    SecondsPerToken::of(flops / (peak * share)), speed, figure});
}

/// Where the weights cannot be read as fast as they are worked with, the parts before are of no interest.
void bound(Times& times, double seconds, std::vector<PrefillStep>* steps, std::size_t first) {
  if (steps != nullptr && times.typical < seconds && first < steps->size()) {
    PrefillStep& step = (*steps)[first];
    for (std::size_t i = first + 1; i < steps->size(); ++i) {
      step.work = FlopsPerToken::of(step.work.count() + (*steps)[i].work.count());
    }
    step.bound_by_reads = true;
    step.time = SecondsPerToken::of(seconds);
    steps->resize(first + 1);
  }
  times.at_least(seconds);
}

Reading read_on_device(const Load& load, const Batches& batches, const Gpu& gpu, const SpeedClass& speed,
                       BytesPerSecond bandwidth, std::string_view where, std::vector<PrefillStep>* steps) {
  Reading reading;
  double peak = 0;
  PrefillShare dense{};
  std::string_view figure = "mfu";
  if (gpu.fp16 && speed.mfu) {
    peak = gpu.fp16->count();
    dense = {*speed.mfu, speed.mfu_low.value_or(*speed.mfu), speed.mfu_high.value_or(*speed.mfu), 1};
  } else if (speed.fp32_mfu) {
    peak = gpu.fp32.count();
    dense = *speed.fp32_mfu;
    figure = "fp32_mfu";
  } else {
    reading.known = false;
    return reading;
  }
  const std::size_t first = steps != nullptr ? steps->size() : 0;
  if (load.plain > 0) {
    reading.times.add(load.plain, peak, dense.low, dense.typical, dense.high);
    reading.extrapolated = dense.runs == 0;
    note(steps, where, load.plain, peak, dense.typical, &speed, figure);
  }
  if (load.mixed > 0) {
    PrefillShare moe{dense.typical * kUnmeasuredExperts.typical, dense.low * kUnmeasuredExperts.low,
                     dense.high * kUnmeasuredExperts.high, 0};
    if (gpu.fp16 && speed.moe_mfu) {
      moe = *speed.moe_mfu;
      figure = "moe_mfu";
    }
    reading.times.add(load.mixed, peak, moe.low, moe.typical, moe.high);
    reading.extrapolated = reading.extrapolated || moe.runs == 0;
    note(steps, where, load.mixed, peak, moe.typical, &speed, figure);
  }
  bound(reading.times, batches.read_per_token(load) / (bandwidth.count() * speed.fit->efficiency), steps,
        first);
  return reading;
}

/// `beside`: a GPU is there, to which weights can be copied.
Reading read_on_host(const Load& load, const Batches& batches, const SpeedClass& speed,
                     std::optional<BytesPerSecond> bandwidth, bool beside, std::vector<PrefillStep>* steps) {
  Reading reading;
  const double whole = load.plain + load.mixed;
  if ((whole > 0 && !speed.prefill) || (load.experts > 0 && !speed.moe_prefill)) {
    reading.known = false;
    return reading;
  }
  const std::size_t first = steps != nullptr ? steps->size() : 0;
  if (whole > 0) {
    const PrefillRate& cpu = *speed.prefill;
    const bool copied = beside && load.mixed == 0;
    const double typical = cpu.typical.count() * (copied ? kCopiedTypical : 1.0);
    const double high =
        copied ? std::max(cpu.typical.count() * kCopiedHigh, cpu.high.count()) : cpu.high.count();
    reading.times.add(whole, 1.0, cpu.low.count(), typical, high);
    reading.extrapolated = cpu.runs == 0;
    note(steps, "host memory", whole, typical, 1.0, &speed, "prefill");
  }
  if (load.experts > 0) {
    const PrefillRate& hybrid = *speed.moe_prefill;
    reading.times.add(load.experts, 1.0, hybrid.low.count(), hybrid.typical.count(), hybrid.high.count());
    reading.extrapolated = reading.extrapolated || hybrid.runs == 0;
    note(steps, "host memory", load.experts, hybrid.typical.count(), 1.0, &speed, "moe_prefill");
  }
  if (bandwidth) {
    bound(reading.times, batches.read_per_token(load) / (bandwidth->count() * speed.fit->efficiency), steps,
          first);
  }
  return reading;
}

constexpr std::string_view kNoCard = "no card of this size is known; name it with --gpu";
constexpr std::string_view kNoPeak = "no share of a peak is known for this class of hardware";
constexpr std::string_view kNoHost = "the platform of the host's memory is not known; name it with --cpu";
constexpr std::string_view kNoDisk =
    "weights are read from disk for every micro-batch; give the disk's rate with --disk-bandwidth";

/// The prefill of one placement, over all cards that nameless ones may be.
class Prefill {
 public:
  Prefill(const Candidate& candidate, const Workload& workload, const Machine& machine,
          const Placement& placement)
      : shape_(*candidate.model->shape),
        machine_(machine),
        placement_(placement),
        batches_(shape_, workload),
        loads_(loads_of(candidate, workload, machine, placement)) {
    for (const Device& device : machine.devices) {
      if (device.speed == nullptr) picks_ = std::max(picks_, device.stand_ins.size());
    }
    beside_ = !machine.devices.empty() && placement.mode != PlacementMode::cpu;
    for (std::size_t i = 0; i + 1 < loads_.size(); ++i) used_ += loads_[i].empty() ? 0 : 1;
  }

  [[nodiscard]] std::size_t picks() const { return picks_; }

  /// One assumption of the cards that are not named: 0 is the slowest.
  Reading read(std::size_t pick, std::string_view& unknown, std::vector<PrefillStep>* steps = nullptr) const {
    Reading all;
    for (std::size_t i = 0; i < machine_.devices.size(); ++i) {
      if (loads_[i].empty()) continue;
      const Device& device = machine_.devices[i];
      const Gpu* gpu = device.gpu;
      if (gpu == nullptr) {
        if (device.stand_ins.empty()) return nothing(unknown, kNoCard);
        const double place = picks_ == 1 ? 0.0 : static_cast<double>(pick) / static_cast<double>(picks_ - 1);
        gpu = device.stand_ins[static_cast<std::size_t>(
            std::lround(place * static_cast<double>(device.stand_ins.size() - 1)))];
      }
      // Under a backend that is not the usual one the usual one's share stands in.
      const SpeedClass& speed = *gpu->speed;
      const Reading one = read_on_device(loads_[i], batches_, *gpu, speed,
                                         device.bandwidth.value_or(gpu->bandwidth), gpu->name, steps);
      if (!one.known) return nothing(unknown, kNoPeak);
      all.times += one.times;
      all.extrapolated = all.extrapolated || one.extrapolated || device.backend != gpu->backend;
    }
    // Micro-batches may follow each other through the cards: that is the high end, not what is typical.
    if (used_ > 1 && placement_.mode == PlacementMode::gpu && placement_.split == SplitMode::layer) {
      all.times.fast *= (batches_.count + used_ - 1) / (batches_.count * used_);
    }
    if (const CardSplit* split = split_cost(machine_, placement_.split)) {
      all.times.slow /= split->prefill.low;
      all.times.typical /= split->prefill.typical;
      all.times.fast /= split->prefill.high;
      all.extrapolated = true;
    }
    if (const Load& host = loads_.back(); !host.empty()) {
      const HostMemory& memory = machine_.host;
      // Platforms that stand in for an unnamed one differ in memory, which hardly counts here.
      const Host* middle = memory.stand_ins.empty() ? nullptr : memory.stand_ins[memory.stand_ins.size() / 2];
      const SpeedClass* speed = memory.speed != nullptr ? memory.speed
                                : middle != nullptr     ? middle->speed
                                                        : nullptr;
      if (speed == nullptr) return nothing(unknown, kNoHost);
      std::optional<BytesPerSecond> bandwidth = memory.bandwidth;
      if (!bandwidth && middle != nullptr) bandwidth = middle->bandwidth;
      const Reading one = read_on_host(host, batches_, *speed, bandwidth, beside_, steps);
      if (!one.known) return nothing(unknown, kNoPeak);
      all.times += one.times;
      all.extrapolated = all.extrapolated || one.extrapolated;
    }
    if (placement_.disk_streamed != Bytes{}) {
      if (!machine_.disk) return nothing(unknown, kNoDisk);
      const double seconds = static_cast<double>(placement_.disk_streamed.count()) * batches_.touched *
                             batches_.count / batches_.prompt / machine_.disk->count();
      all.times += {seconds, seconds, seconds};
      if (steps != nullptr) {
        steps->push_back({"disk", {}, {}, 1.0, true, SecondsPerToken::of(seconds), nullptr, ""});
      }
    }
    return all;
  }

 private:
  static Reading nothing(std::string_view& unknown, std::string_view why) {
    unknown = why;
    return {{}, false, false};
  }

  const Shape& shape_;
  const Machine& machine_;
  const Placement& placement_;
  Batches batches_;
  std::vector<Load> loads_;
  std::size_t picks_ = 1;
  int used_ = 0;         ///< devices with layers
  bool beside_ = false;  ///< a GPU takes part, if only by what is copied to it
};

/// The typical one of all picks that are known, for the steps; picks() where none is.
struct Span {
  std::optional<Range<TokensPerSecond>> rate;
  std::size_t middle = 0;
  bool extrapolated = false;
  std::string_view unknown;
};

Span span_of(const Prefill& prefill) {
  struct Outcome {
    std::size_t pick;
    Reading reading;
  };
  Span span;
  const auto range_of = [](const Times& times) {
    return Range<TokensPerSecond>{TokensPerSecond::of(1.0 / times.slow),
                                  TokensPerSecond::of(1.0 / times.typical),
                                  TokensPerSecond::of(1.0 / times.fast)};
  };
  if (prefill.picks() == 1) {
    const Reading reading = prefill.read(0, span.unknown);
    if (!reading.known) return span;
    span.rate = range_of(reading.times);
    span.extrapolated = reading.extrapolated;
    return span;
  }
  std::vector<Outcome> outcomes;
  outcomes.reserve(prefill.picks());
  for (std::size_t pick = 0; pick < prefill.picks(); ++pick) {
    const Reading reading = prefill.read(pick, span.unknown);
    if (reading.known) outcomes.push_back({pick, reading});
  }
  if (outcomes.empty()) return span;
  span.unknown = "";
  std::ranges::stable_sort(outcomes, std::ranges::greater{},
                           [](const Outcome& one) { return one.reading.times.typical; });
  // As with the decode speed: from the typical speed of the slowest card to that of the fastest.
  const Outcome& middle = outcomes[outcomes.size() / 2];
  span.middle = middle.pick;
  span.rate = range_of(middle.reading.times);
  span.rate->low = std::min(span.rate->low, range_of(outcomes.front().reading.times).typical);
  span.rate->high = std::max(span.rate->high, range_of(outcomes.back().reading.times).typical);
  for (const Outcome& one : outcomes) span.extrapolated = span.extrapolated || one.reading.extrapolated;
  return span;
}

/// Factors of two independent spreads, together: their logarithms add like the sides of a right angle.
double both(double a, double b) { return std::exp(std::hypot(std::log(a), std::log(b))); }

/// Time to the end of the answer, from the typical length and speed and the spread of each.
std::optional<Range<Seconds>> answer_of(const Candidate& candidate, const Workload& workload,
                                        const Machine& machine, const Placement& placement,
                                        const AnswerLength& length, const Speed& speed) {
  const Range<Seconds> first = *speed.ttft;
  const Tokens typical = length.thinking->typical + length.answer;
  // A token takes longer in step with the depth, so the one in the middle stands for all.
  const auto middle_of = [&](Tokens written) { return workload.prompt.count() + written.count() / 2; };
  const std::int64_t depth = middle_of(typical);
  const auto speeds = decode_at_depth(candidate, workload, machine, placement, tokens(depth));
  if (!speeds) return std::nullopt;
  const double middle = (first.typical + typical / speeds->typical).count();
  const double slow = (first.high + typical / speeds->low).count() / middle;
  const double fast = middle / (first.low + typical / speeds->high).count();
  double longer = 1;
  double shorter = 1;
  if (!length.stated()) {
    // For the same reason the pace at other depths lies on the line through this one and the one known.
    const std::int64_t known = std::min(workload.depth, workload.context).count();
    const double pace_here = pace(speeds->typical).count();
    const double slope = known == depth ? 0.0
                                        : (pace_here - pace(speed.decode->typical).count()) /
                                              static_cast<double>(depth - known);
    const auto time_of = [&](Tokens written) {
      const double pace_there = pace_here + slope * static_cast<double>(middle_of(written) - depth);
      return first.typical.count() + static_cast<double>(written.count()) * pace_there;
    };
    // What the context does not hold is not written.
    const Tokens room = context_of_a_request(workload) - workload.prompt;
    longer = std::max(1.0, time_of(std::min(length.thinking->high + length.answer, room)) / middle);
    shorter = std::max(1.0, middle / time_of(length.thinking->low + length.answer));
  }
  return Range<Seconds>{seconds(middle / both(fast, shorter)), seconds(middle),
                        seconds(middle * both(slow, longer))};
}

}  // namespace

FlopsPerToken prefill_work(const Shape& shape, const Workload& workload) {
  const LayerWork work = layer_work(shape, workload);
  double sum = 0;
  for (int i = 0; i < shape.layers; ++i) {
    sum += has_experts(shape, static_cast<std::size_t>(i)) ? work.rest_mixed + work.experts : work.rest_dense;
  }
  return FlopsPerToken::of(sum);
}

AnswerLength answer_length(const Model& model, const Workload& workload) {
  AnswerLength length;
  length.answer = workload.answer;
  if (workload.thinking) {
    length.thinking = {*workload.thinking, *workload.thinking, *workload.thinking};
  } else if (model.thinking) {
    length.thinking = {model.thinking->low, model.thinking->typical, model.thinking->high};
    length.source = model.thinking->source;
  }
  return length;
}

Tokens context_of_a_request(const Workload& workload) {
  return workload.kv_unified ? workload.context : workload.context / workload.parallel;
}

Waits add_waits(const Candidate& candidate, const Workload& workload, const Machine& machine,
                const Placement& placement, Bytes file, Speed& speed) {
  Waits waits;
  waits.length = answer_length(*candidate.model, workload);
  if (machine.downlink) waits.download = file / *machine.downlink;
  const Tokens room = context_of_a_request(workload);
  waits.holds_prompt = workload.prompt <= room;
  waits.holds_answer = waits.holds_prompt;
  if (waits.length.thinking) {
    waits.holds_answer = workload.prompt + waits.length.thinking->typical + waits.length.answer <= room;
  }
  if (placement.verdict == Verdict::does_not_fit) return waits;
  const Bytes loaded = file - std::min(file, placement.disk_streamed);
  if (machine.disk) {
    const Seconds time = loaded / *machine.disk;
    waits.load = {time, time, time};
  } else {
    waits.load = {loaded / kFastDisk.rate, loaded / kTypicalDisk.rate, loaded / kSlowDisk.rate};
  }
  const Span span = span_of(Prefill(candidate, workload, machine, placement));
  speed.prefill = span.rate;
  waits.prefill_extrapolated = span.extrapolated;
  waits.prefill_unknown = span.unknown;
  if (!speed.prefill || !waits.holds_prompt) return waits;
  const Tokens prompt = workload.prompt;
  speed.ttft = {prompt / speed.prefill->high, prompt / speed.prefill->typical, prompt / speed.prefill->low};
  if (speed.decode && waits.length.thinking && waits.holds_answer) {
    speed.answer = answer_of(candidate, workload, machine, placement, waits.length, speed);
  }
  return waits;
}

std::vector<PrefillStep> prefill_steps(const Candidate& candidate, const Workload& workload,
                                       const Machine& machine, const Placement& placement) {
  std::vector<PrefillStep> steps;
  if (placement.verdict == Verdict::does_not_fit) return steps;
  const Prefill prefill(candidate, workload, machine, placement);
  const Span span = span_of(prefill);
  if (!span.rate) return steps;
  std::string_view ignored;
  prefill.read(span.middle, ignored, &steps);
  return steps;
}

}  // namespace r1fit
