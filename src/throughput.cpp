#include "r1fit/throughput.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "r1fit/card_split.hpp"
#include "r1fit/kv_cache.hpp"
#include "r1fit/units_text.hpp"

namespace r1fit {
namespace {

/// At the edge of fitting the split between card and CPU is what varies: one card and one model were
/// measured from 44 down to under 4 tok/s. Below this share of layers in host memory the low end says so.
constexpr double kEdgeShare = 0.15;
constexpr double kEdgeLow = 0.35;

/// The serial sum of a GPU and a CPU part was good to about 28 % where a real share lies on the CPU.
constexpr double kPartialLow = 0.72;
constexpr double kPartialHigh = 1.28;

/// No published run of plain decoding exceeds 0.92 of what the bandwidth allows.
constexpr double kMostReached = 0.95;

/// Layer splits over more devices than this were not measured.
constexpr std::size_t kMostDevicesMeasured = 16;

/// Experts are read from disk in no order; the rate of a disk is given for reading in sequence. An allowance
/// of ours, not a measurement.
constexpr double kScatteredReads = 2.0;

/// Scores and values of one layer over `depth` tokens: a multiply-add for each head and element.
FlopsPerToken attention_per_layer(const Shape& shape, const Workload& workload, Tokens depth) {
  constexpr double multiply_add = 2.0;
  double elements = 2.0 * shape.head_dim;  // of keys and of values
  if (shape.mla) {
    const MlaShape& mla = *shape.mla;
    elements = workload.legacy_gguf ? mla.qk_nope_head_dim + mla.qk_rope_head_dim + mla.v_head_dim
                                    : 2.0 * mla.kv_lora_rank + mla.qk_rope_head_dim;
  }
  return FlopsPerToken::of(multiply_add * shape.heads * elements * static_cast<double>(depth.count()));
}

void add_unpacked(Work& work, const KernelWeights& weights, double share) {
  for (std::size_t kernel = 0; kernel < kKernels; ++kernel) {
    work.unpacked.at(kernel) += static_cast<double>(weights.at(kernel)) * share;
  }
}

/// One assumption about the hardware that is not named.
struct Pick {
  double gpu_place = 0;        ///< 0 the slowest card of each nameless device's size, 1 the fastest
  const Host* host = nullptr;  ///< null: the host is named or not read
};

const Gpu* stand_in(const Device& device, const Pick& pick) {
  if (device.speed != nullptr || device.stand_ins.empty()) return nullptr;
  const double last = static_cast<double>(device.stand_ins.size() - 1);
  return device.stand_ins[static_cast<std::size_t>(std::lround(pick.gpu_place * last))];
}

struct Outcome {
  Pick pick;
  Range<TokensPerSecond> decode{};
  TokensPerSecond limit;
  bool extrapolated = false;
};

/// Whether what the user measured counts.
enum class Own : std::uint8_t { ignored, counted };

/// The processors at work under one assumption, each with what a token asks of it.
std::vector<DecodeStep> steps_of(const Candidate& candidate, const Machine& machine, const Works& works,
                                 const Pick& pick, Own own) {
  const Shape& shape = *candidate.model->shape;
  std::vector<DecodeStep> steps;
  steps.reserve(machine.devices.size() + 1);
  const auto add = [&](std::string_view where, const Work& work, BytesPerSecond bandwidth,
                       FlopsPerSecond fp32, int cores, const SpeedClass& speed,
                       const MeasuredDevice* measured, const std::vector<OwnRun>& runs) {
    const SpeedFit& fit = *speed.fit;
    const Processor processor{bandwidth, fp32, cores, &fit};
    Spread kind{fit.low, fit.high};
    double factor = 1.0;
    if (measured != nullptr) {
      kind = {measured->low, measured->high};
      factor = measured->factor;
    }
    Spread spread = spread_on(kind, shape, *fit.family, cores == 0);
    std::optional<OwnFactor> of_own;
    if (own == Own::counted && !runs.empty()) {
      of_own = own_factor(runs, shape, candidate.quant, kind, *fit.family, cores == 0);
      factor *= of_own->factor;
      spread = of_own->spread;
    }
    steps.push_back({std::string(where), work, processor, token_time(work, processor), factor, spread, &speed,
                     measured, of_own});
  };
  for (std::size_t i = 0; i < machine.devices.size(); ++i) {
    const Device& device = machine.devices[i];
    const Work& work = works.devices[i];
    if (work.empty()) continue;
    if (const Gpu* gpu = stand_in(device, pick)) {
      add(gpu->id, work, device.bandwidth.value_or(gpu->bandwidth), gpu->fp32, 0, *gpu->speed, nullptr,
          device.own);
    } else {
      add(device.name, work, *device.bandwidth, device.gpu->fp32, 0, *device.speed, device.measured,
          device.own);
    }
  }
  if (!works.host.empty()) {
    const HostMemory& host = machine.host;
    const Host* platform = host.platform != nullptr ? host.platform : pick.host;
    const SpeedClass& speed = host.speed != nullptr ? *host.speed : *platform->speed;
    const Cores cores = cores_of(platform, speed, host.cores);
    add("host memory", works.host, host.bandwidth ? *host.bandwidth : platform->bandwidth, cores.fp32,
        cores.number, speed, host.measured, host.own);
    steps.back().factor /= works.host_time;
  }
  return steps;
}

/// Times of one token: slow, typical and fast, and what the full bandwidth of every memory allows.
struct TokenTimes {
  SecondsPerToken slow;
  SecondsPerToken typical;
  SecondsPerToken fast;
  SecondsPerToken bound;
};

/// Devices that share every matrix by row: so many times as fast as one after the other as was measured.
void share_by_row(TokenTimes& times, const std::vector<DecodeStep>& steps, const Works& works,
                  const SplitFactor& factor) {
  times = {times.slow / factor.low, times.typical / factor.typical, times.fast / factor.high, {}};
  auto step = steps.begin();
  for (std::size_t i = 0; i < works.shares.size(); ++i) {
    // The bandwidth of a card too small for any layer is not among the steps.
    if (works.devices[i].empty()) continue;
    times.bound = std::max(times.bound, works.shares[i] / step->processor.bandwidth);
    ++step;
  }
}

/// Devices that work at once and wait for each other at every exchange. Slow is no better than one after the
/// other; fast is the best case.
void share_by_tensor(TokenTimes& times, const std::vector<DecodeStep>& steps, const Works& works,
                     const SplitSync& sync) {
  const SecondsPerToken one_after_the_other = times.slow;
  times = {};
  for (const DecodeStep& step : steps) {
    const SecondsPerToken time = step.beside_others(works.lag);
    times.slow = std::max(times.slow, time / step.spread.low);
    times.typical = std::max(times.typical, time);
    times.fast = std::max(times.fast, time / step.spread.high);
    times.bound = std::max(times.bound, step.work.read() / step.processor.bandwidth);
  }
  times.slow = std::max(times.slow + sync.high * works.exchanges, one_after_the_other);
  times.typical += sync.typical * works.exchanges;
  times.fast += sync.low * works.exchanges;
}

/// The speed under one assumption; its steps go to `kept` where that is wanted.
Outcome outcome_of(const Candidate& candidate, const Machine& machine, const Placement& placement,
                   const Works& works, const Pick& pick, Own own, Speed* kept = nullptr) {
  const bool experts = candidate.model->shape->moe.has_value();
  Outcome outcome;
  outcome.pick = pick;
  std::vector<DecodeStep> steps = steps_of(candidate, machine, works, pick, own);
  TokenTimes times;
  SecondsPerToken hand_over;
  const DecodeStep* before = nullptr;
  for (const DecodeStep& step : steps) {
    const SpeedFit& fit = *step.speed->fit;
    times.typical += step.total();
    times.slow += step.total() / step.spread.low;
    times.fast += step.total() / step.spread.high;
    times.bound += step.work.read() / step.processor.bandwidth;
    if (before != nullptr) hand_over += before->speed->fit->family->hand_over;
    before = &step;
    const bool measured = step.own || (experts ? fit.expert_measurements : fit.measurements) > 0;
    outcome.extrapolated = outcome.extrapolated || !measured;
  }
  const CardSplit* split = split_cost(machine, works.split);
  if (split != nullptr && split->sync) {
    share_by_tensor(times, steps, works, *split->sync);
    hand_over = SecondsPerToken{};
  } else if (split != nullptr && split->decode) {
    share_by_row(times, steps, works, *split->decode);
  }
  SecondsPerToken disk_time;
  if (works.disk != BytesPerToken{}) disk_time = works.disk / *machine.disk;
  times.typical += hand_over + disk_time;
  times.slow += hand_over + disk_time * kScatteredReads;
  times.fast += hand_over + disk_time;
  times.bound += disk_time;
  outcome.limit = rate(times.bound);
  outcome.decode = {rate(times.slow), rate(times.typical), rate(times.fast)};
  if (kept != nullptr) {
    kept->steps = std::move(steps);
    kept->hand_over = hand_over;
    kept->disk_time = disk_time;
    kept->split = split;
    kept->lag = works.lag;
    if (split != nullptr && split->sync) kept->exchanges = split->sync->typical * works.exchanges;
  }

  if (placement.mode == PlacementMode::partial) {
    outcome.decode.low = outcome.decode.low * kPartialLow;
    outcome.decode.high = outcome.decode.high * kPartialHigh;
    const auto on_host = std::ranges::count(placement.layer_device, -1);
    if (static_cast<double>(on_host) < kEdgeShare * static_cast<double>(placement.layer_device.size())) {
      outcome.decode.low = outcome.decode.low * kEdgeLow;
    }
  }
  outcome.decode.high = std::min(outcome.decode.high, outcome.limit * kMostReached);
  outcome.decode.typical = std::min(outcome.decode.typical, outcome.decode.high);
  outcome.decode.low = std::min(outcome.decode.low, outcome.decode.typical);
  return outcome;
}

/// Every combination of stand-ins for what is not named; none, with the reason, where something is unknown.
std::vector<Pick> picks_of(const Machine& machine, const Works& works, std::string& unknown) {
  std::size_t cards = 1;
  for (const Device& device : machine.devices) {
    if (device.speed != nullptr) continue;
    if (device.stand_ins.empty()) {
      unknown = "no card of this size is known; name it with --gpu";
      return {};
    }
    cards = std::max(cards, device.stand_ins.size());
  }
  const bool host_open = !works.host.empty() && (machine.host.speed == nullptr || !machine.host.bandwidth);
  if (host_open && machine.host.stand_ins.empty()) {
    unknown = "the bandwidth of the host's memory is not known; name it with --cpu or --ram-bandwidth";
    return {};
  }
  if (works.disk != BytesPerToken{} && !machine.disk) {
    unknown = "weights are read from disk for every token; give the disk's rate with --disk-bandwidth";
    return {};
  }
  std::vector<Pick> picks;
  picks.reserve(cards * std::max<std::size_t>(1, machine.host.stand_ins.size()));
  for (std::size_t i = 0; i < cards; ++i) {
    const double place = cards == 1 ? 0.0 : static_cast<double>(i) / static_cast<double>(cards - 1);
    if (!host_open) {
      picks.push_back({place, nullptr});
    } else {
      for (const Host* host : machine.host.stand_ins) picks.push_back({place, host});
    }
  }
  return picks;
}

std::string name_of(const Machine& machine, const Pick& pick) {
  std::string name;
  if (!machine.devices.empty()) {
    if (const Gpu* gpu = stand_in(machine.devices.front(), pick)) name = gpu->id;
  }
  if (pick.host == nullptr) return name;
  return name.empty() ? std::string(pick.host->id) : name + " with " + std::string(pick.host->id);
}

/// One outcome an assumption, ascending in typical speed.
std::vector<Outcome> decode_at(const Candidate& candidate, const Machine& machine, const Placement& placement,
                               const Works& works, Own own, std::string& unknown) {
  std::vector<Outcome> outcomes;
  if (works.split != SplitMode::layer && split_cost(machine, works.split) == nullptr) {
    unknown = "the catalogue does not say what a split by " + std::string(word(works.split)) + " costs";
    return outcomes;
  }
  const std::vector<Pick> picks = picks_of(machine, works, unknown);
  outcomes.reserve(picks.size());
  for (const Pick& pick : picks) {
    outcomes.push_back(outcome_of(candidate, machine, placement, works, pick, own));
  }
  std::ranges::stable_sort(outcomes, {}, [](const Outcome& one) { return one.decode.typical; });
  return outcomes;
}

/// Outcomes ascend in typical speed. Where hardware is not named, 80 % of what its owner may measure lies
/// about between the typical speeds of the slowest and the fastest it may be: their own tails beyond that
/// are rarer than the cards between.
Range<TokensPerSecond> span_of(const std::vector<Outcome>& outcomes) {
  Range<TokensPerSecond> span = outcomes[outcomes.size() / 2].decode;
  span.low = std::min(span.low, outcomes.front().decode.typical);
  span.high = std::max(span.high, outcomes.back().decode.typical);
  return span;
}

bool has_own(const Machine& machine) {
  return !machine.host.own.empty() ||
         std::ranges::any_of(machine.devices, [](const Device& device) { return !device.own.empty(); });
}

/// `range` no wider than `plain` in proportion. It may be where the limit cuts `plain` off, or where a faster
/// part leaves more of the time to one that is known less well; but who measured does not know less for it.
Range<TokensPerSecond> no_wider(Range<TokensPerSecond> range, const Range<TokensPerSecond>& plain) {
  const double width = std::log(range.high.count() / range.low.count());
  const double most = std::log(plain.high.count() / plain.low.count());
  if (width <= most) return range;
  const double typical = range.typical.count();
  const auto drawn = [&](TokensPerSecond end) {
    return range.typical * std::pow(end.count() / typical, most / width);
  };
  return {drawn(range.low), range.typical, drawn(range.high)};
}

/// `outcomes` are those with what the user measured, where there is any.
Range<TokensPerSecond> range_of(const std::vector<Outcome>& outcomes, const Candidate& candidate,
                                const Machine& machine, const Placement& placement, const Works& works) {
  const Range<TokensPerSecond> range = span_of(outcomes);
  if (!has_own(machine)) return range;
  std::string ignored;
  return no_wider(range, span_of(decode_at(candidate, machine, placement, works, Own::ignored, ignored)));
}

}  // namespace

Cores cores_of(const Host* platform, const SpeedClass& usual, std::optional<int> counted) {
  // The loader sees to it that a class of CPUs has both.
  if (platform != nullptr && platform->fp32 && platform->cores) return {*platform->fp32, *platform->cores};
  const FlopsPerSecond fp32 = usual.fp32.value();
  const int number = usual.cores.value();
  if (!counted) return {fp32, number};
  return {fp32 * (static_cast<double>(*counted) / number), *counted};
}

namespace {

/// `work` of a model on one device, dealt out over `parts`; each device launches all layers.
std::vector<Work> dealt_out(const Work& work, const std::vector<int>& parts) {
  const double all = std::accumulate(parts.begin(), parts.end(), 0.0);
  std::vector<Work> shares;
  for (const int part : parts) {
    const double share = part / all;
    Work& one = shares.emplace_back(work);
    one.weights = work.weights * share;
    one.kv = work.kv * share;
    one.attention = work.attention * share;
    for (double& kernel : one.unpacked) kernel *= share;
  }
  return shares;
}

}  // namespace

Works works_of(const Candidate& candidate, const Workload& workload, const Machine& machine,
               const Placement& placement, Tokens depth) {
  const Shape& shape = *candidate.model->shape;
  const Weights& weights = *candidate.weights;
  const double used =
      shape.moe ? static_cast<double>(shape.moe->experts_per_token) / shape.moe->routed_experts : 0.0;
  const BytesPerToken kv = kv_read_per_layer(shape, workload, depth);
  const FlopsPerToken attention = attention_per_layer(shape, workload, depth);
  Works works;
  works.devices.resize(machine.devices.size());
  const auto at = [&works](int device) -> Work& {
    return device < 0 ? works.host : works.devices[static_cast<std::size_t>(device)];
  };
  for (std::size_t i = 0; i < weights.layers.size(); ++i) {
    const LayerWeights& layer = weights.layers[i];
    const int where = placement.layer_device[i];
    Work& work = at(where);
    work.weights += read_per_token(layer.attention - layer.unread + layer.ffn);
    add_unpacked(work, layer.weights, 1.0);
    work.kv += kv;
    work.attention += attention;
    work.layers += 1;
    if (layer.experts == Bytes{}) continue;
    Work& experts = at(static_cast<int>(i) < placement.n_cpu_moe ? -1 : where);
    experts.experts += read_per_token(layer.experts) * used;
    add_unpacked(experts, layer.expert_weights, used);
    experts.expert_layers += 1;
  }
  at(placement.output_device).weights += read_per_token(weights.output);
  add_unpacked(at(placement.output_device), weights.output_weights, 1.0);
  const auto describe = [&](Work& work) {
    work.flash_attention = workload.flash();
    work.narrow = shape.hidden < kNarrow;
  };
  std::ranges::for_each(works.devices, describe);
  describe(works.host);
  works.split = placement.split;
  if (workload.engine_speed != nullptr) works.host_time = workload.engine_speed->host_time;
  if (placement.split == SplitMode::tensor) {
    constexpr int exchanges_a_layer = 2;  // after attention and after the FFN
    works.devices = dealt_out(works.devices.front(), placement.parts);
    works.lag = tensor_shares(shape, workload, weights, placement.parts).lag;
    works.exchanges = exchanges_a_layer * shape.layers;
  } else if (placement.split == SplitMode::row) {
    const std::vector<Bytes> shares = row_shares(shape, weights, placement.parts);
    for (std::size_t i = 0; i < shares.size(); ++i)
      works.shares.push_back(read_per_token(shares[i]) + works.devices[i].kv);
  }
  if (placement.disk_streamed != Bytes{}) {
    // Which part of the host's weights is in memory is up to the page cache: the same share of every read.
    const double share = ratio(placement.disk_streamed, placement.host.weights);
    works.disk = (works.host.weights + works.host.experts) * share;
    works.host.weights = works.host.weights * (1.0 - share);
    works.host.experts = works.host.experts * (1.0 - share);
  }
  return works;
}

std::optional<Range<TokensPerSecond>> decode_at_depth(const Candidate& candidate, const Workload& workload,
                                                      const Machine& machine, const Placement& placement,
                                                      Tokens depth) {
  if (placement.verdict == Verdict::does_not_fit) return std::nullopt;
  const Works works = works_of(candidate, workload, machine, placement, depth);
  std::string ignored;
  const std::vector<Outcome> outcomes =
      decode_at(candidate, machine, placement, works, Own::counted, ignored);
  if (outcomes.empty()) return std::nullopt;
  return range_of(outcomes, candidate, machine, placement, works);
}

Speed speed_of(const Candidate& candidate, const Workload& workload, const Machine& machine,
               const Placement& placement) {
  Speed speed;
  if (placement.verdict == Verdict::does_not_fit) {
    speed.unknown = "it does not fit";
    return speed;
  }
  const Tokens depth = std::min(workload.depth, workload.context);
  const Works works = works_of(candidate, workload, machine, placement, depth);
  speed.from_disk = works.disk;
  const std::vector<Outcome> outcomes =
      decode_at(candidate, machine, placement, works, Own::counted, speed.unknown);
  if (outcomes.empty()) return speed;

  const Outcome& middle = outcomes[outcomes.size() / 2];
  outcome_of(candidate, machine, placement, works, middle.pick, Own::counted, &speed);
  speed.decode = range_of(outcomes, candidate, machine, placement, works);
  speed.limit = middle.limit;
  for (const Outcome& outcome : outcomes) {
    speed.limit = std::max(*speed.limit, outcome.limit);
    speed.extrapolated = speed.extrapolated || outcome.extrapolated;
  }
  for (const Device& device : machine.devices) {
    const auto covered = [&device] {
      const List<Backend> backends = device.speed->backends;
      return std::ranges::find(backends, device.backend) != backends.end();
    };
    if (device.speed != nullptr && !covered()) speed.extrapolated = true;
  }
  if (speed.steps.size() > kMostDevicesMeasured || speed.split != nullptr) speed.extrapolated = true;
  if (outcomes.size() > 1) {
    speed.slowest = name_of(machine, outcomes.front().pick);
    speed.fastest = name_of(machine, outcomes.back().pick);
  }
  for (const DecodeStep& step : speed.steps) speed.basis.push_back(class_source(*step.speed));
  if (speed.split != nullptr) speed.basis.push_back(split_source(*speed.split));
  if (workload.engine_speed != nullptr && !works.host.empty())
    speed.basis.push_back(engine_source(*workload.engine_speed));
  for (const DecodeStep& step : speed.steps) {
    if (step.own)
      speed.basis.push_back(step.where + ": centred on " + own_text(*step.own) + ", x " +
                            fixed_text(step.own->factor, 2) + " of what is published of it");
  }
  if (speed.disk_time != SecondsPerToken{}) speed.basis.emplace_back("disk rate as given");
  return speed;
}

std::string class_source(const SpeedClass& speed) {
  return std::string(speed.name) + ": " + std::string(speed.fit->source);
}

std::string engine_source(const EngineSpeed& engine) {
  return std::string(engine.engine) + ": host memory in " + fixed_text(engine.host_time, 2) +
         " of llama.cpp's time, " + std::string(engine.source);
}

std::string split_source(const CardSplit& split) {
  const Text figure = split.sync ? "sync" : "decode";
  std::string text =
      split.sync
          ? "split by tensor, extrapolated: the high end is the best case, every card reading its share "
            "at once with the fastest exchange known, no measurement; the low end is no better than a "
            "split by layer. "
          : "split by row, extrapolated: the speed by layer times what row split was measured to make of "
            "it. ";
  for (const Source& source : split.sources) {
    if (std::ranges::find(source.covers, figure) != source.covers.end()) text += source.text;
  }
  return text;
}

std::string_view speed_word(TokensPerSecond speed) {
  if (speed >= tok_per_s(30)) return "comfortable";
  if (speed >= kUsableSpeed) return "usable";
  if (speed >= kSlowSpeed) return "slow";
  return "barely";
}

}  // namespace r1fit
