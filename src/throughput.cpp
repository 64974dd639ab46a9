#include "r1fit/throughput.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "r1fit/kv_cache.hpp"

namespace r1fit {
namespace {

/// Speed of a layer split over n equal GPUs as a share of one device's: handing the activations over costs
/// a little, and no two cards read at once. Published llama.cpp runs, 2024-2026.
constexpr std::array<std::pair<int, double>, 5> kSplitShare{
    {{1, 1.0}, {2, 0.97}, {4, 0.96}, {6, 0.94}, {8, 0.93}}};

/// At the edge of fitting the split between card and CPU is what varies: one card and one model were
/// measured from 44 down to under 4 tok/s. Below this share of layers in host memory the low end says so.
constexpr double kEdgeShare = 0.15;
constexpr double kEdgeLow = 0.35;

/// The serial sum of a GPU and a CPU part was good to about 28 % where a real share lies on the CPU.
constexpr double kPartialLow = 0.72;
constexpr double kPartialHigh = 1.28;

/// A mixture of experts on a class where none was measured: the dense share stands in, and the low end is
/// halved, for the classes that state both have 0.4 to 1.1 of it (data/constants.json). Said to be
/// extrapolated.
constexpr double kUnmeasuredExpertsLow = 0.5;

/// Experts are read from disk in no order; the rate of a disk is given for reading in sequence. An allowance
/// of ours, not a measurement.
constexpr double kScatteredReads = 2.0;

double split_share(int devices) {
  for (std::size_t i = 1; i < kSplitShare.size(); ++i) {
    const auto [few, few_share] = kSplitShare.at(i - 1);
    const auto [many, many_share] = kSplitShare.at(i);
    if (devices > many) continue;
    return few_share + (many_share - few_share) * (devices - few) / (many - few);
  }
  return kSplitShare.back().second;
}

/// Bytes read for one token from each memory.
struct Reads {
  std::vector<BytesPerToken> devices;
  BytesPerToken host;
  BytesPerToken disk;
};

Reads reads_of(const Candidate& candidate, const Workload& workload, const Machine& machine,
               const Placement& placement, Tokens depth) {
  const Shape& shape = *candidate.model->shape;
  const Weights& weights = *candidate.weights;
  const double used =
      shape.moe ? static_cast<double>(shape.moe->experts_per_token) / shape.moe->routed_experts : 0.0;
  const BytesPerToken kv = kv_read_per_layer(shape, workload, depth);
  Reads reads;
  reads.devices.resize(machine.devices.size());
  const auto at = [&reads](int device) -> BytesPerToken& {
    return device < 0 ? reads.host : reads.devices[static_cast<std::size_t>(device)];
  };
  for (std::size_t i = 0; i < weights.layers.size(); ++i) {
    const LayerWeights& layer = weights.layers[i];
    const int where = placement.layer_device[i];
    at(where) += read_per_token(layer.attention + layer.ffn) + kv;
    at(static_cast<int>(i) < placement.n_cpu_moe ? -1 : where) += read_per_token(layer.experts) * used;
  }
  at(placement.output_device) += read_per_token(weights.output);
  if (placement.disk_streamed != Bytes{}) {
    // Which part of the host's weights is in memory is up to the page cache: the same share of every read.
    const double share = ratio(placement.disk_streamed, placement.host.weights);
    reads.disk = reads.host * share;
    reads.host = reads.host * (1.0 - share);
  }
  return reads;
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
  SecondsPerToken fixed;
  bool extrapolated = false;
};

/// Shares and spread of a class for dense or mixture-of-experts models.
struct Spread {
  double efficiency;
  double low;
  double high;
  bool measured;
};

Spread spread_of(const SpeedClass& speed, bool moe) {
  if (moe && speed.moe_efficiency) {
    const double typical = *speed.moe_efficiency;
    return {typical, speed.moe_low.value_or(typical) / typical, speed.moe_high.value_or(typical) / typical,
            true};
  }
  return {speed.efficiency, moe ? speed.low * kUnmeasuredExpertsLow : speed.low, speed.high,
          !moe && speed.measurements > 0};
}

/// The speed under one assumption; its reads go to `steps` where that is wanted.
Outcome outcome_of(const Candidate& candidate, const Machine& machine, const Placement& placement,
                   const Reads& reads, const Pick& pick, std::vector<ReadStep>* steps = nullptr) {
  const bool moe = candidate.model->shape->moe.has_value();
  Outcome outcome;
  outcome.pick = pick;
  SecondsPerToken slow;
  SecondsPerToken typical;
  SecondsPerToken fast;
  SecondsPerToken bound;
  int used_devices = 0;
  double lowest = 1.0;
  double highest = 1.0;
  const auto add = [&](std::string_view where, BytesPerToken read, BytesPerSecond bandwidth,
                       const SpeedClass& speed) {
    const Spread spread = spread_of(speed, moe);
    const SecondsPerToken time = read / (bandwidth * spread.efficiency);
    if (steps != nullptr) {
      steps->push_back({std::string(where), read, bandwidth, spread.efficiency, time, &speed});
    }
    outcome.extrapolated = outcome.extrapolated || !spread.measured;
    outcome.fixed = std::max(outcome.fixed, speed.fixed);
    typical += time;
    slow += time / spread.low;
    fast += time / spread.high;
    bound += read / bandwidth;
    lowest = std::min(lowest, spread.low);
    highest = std::max(highest, spread.high);
  };
  for (std::size_t i = 0; i < machine.devices.size(); ++i) {
    const Device& device = machine.devices[i];
    if (reads.devices[i] == BytesPerToken{}) continue;
    ++used_devices;
    if (const Gpu* gpu = stand_in(device, pick)) {
      add(gpu->id, reads.devices[i], device.bandwidth.value_or(gpu->bandwidth), *gpu->speed);
    } else {
      add(device.name, reads.devices[i], *device.bandwidth, *device.speed);
    }
  }
  if (reads.host != BytesPerToken{}) {
    const Host* host = pick.host;
    add("host memory", reads.host,
        host != nullptr && !machine.host.bandwidth ? host->bandwidth : *machine.host.bandwidth,
        host != nullptr && machine.host.speed == nullptr ? *host->speed : *machine.host.speed);
  }
  if (reads.disk != BytesPerToken{}) {
    const SecondsPerToken time = reads.disk / *machine.disk;
    if (steps != nullptr) steps->push_back({"disk", reads.disk, *machine.disk, 1.0, time, nullptr});
    typical += time;
    slow += time * kScatteredReads;
    fast += time;
    bound += time;
  }
  // The spread of a class was taken over whole tokens, so it holds for the fixed cost as well.
  typical += outcome.fixed;
  slow += outcome.fixed / lowest;
  fast += outcome.fixed / highest;
  const double share = split_share(used_devices);
  outcome.limit = rate(bound);
  outcome.decode = {rate(slow) * share, rate(typical) * share, rate(fast) * share};

  if (placement.mode == PlacementMode::partial) {
    outcome.decode.low = outcome.decode.low * kPartialLow;
    outcome.decode.high = outcome.decode.high * kPartialHigh;
    const auto on_host = std::ranges::count(placement.layer_device, -1);
    if (static_cast<double>(on_host) < kEdgeShare * static_cast<double>(placement.layer_device.size())) {
      outcome.decode.low = outcome.decode.low * kEdgeLow;
    }
  }
  outcome.decode.high = std::min(outcome.decode.high, outcome.limit);
  outcome.decode.typical = std::min(outcome.decode.typical, outcome.decode.high);
  outcome.decode.low = std::min(outcome.decode.low, outcome.decode.typical);
  return outcome;
}

/// Every combination of stand-ins for what is not named; none, with the reason, where something is unknown.
std::vector<Pick> picks_of(const Machine& machine, const Reads& reads, std::string& unknown) {
  std::size_t cards = 1;
  for (const Device& device : machine.devices) {
    if (device.speed != nullptr) continue;
    if (device.stand_ins.empty()) {
      unknown = "no card of this size is known; name it with --gpu";
      return {};
    }
    cards = std::max(cards, device.stand_ins.size());
  }
  const bool host_open =
      reads.host != BytesPerToken{} && (machine.host.speed == nullptr || !machine.host.bandwidth);
  if (host_open && machine.host.stand_ins.empty()) {
    unknown = "the bandwidth of the host's memory is not known; name it with --cpu or --ram-bandwidth";
    return {};
  }
  if (reads.disk != BytesPerToken{} && !machine.disk) {
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
                               const Reads& reads, std::string& unknown) {
  std::vector<Outcome> outcomes;
  const std::vector<Pick> picks = picks_of(machine, reads, unknown);
  outcomes.reserve(picks.size());
  for (const Pick& pick : picks) {
    outcomes.push_back(outcome_of(candidate, machine, placement, reads, pick));
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

}  // namespace

std::optional<Range<TokensPerSecond>> decode_at_depth(const Candidate& candidate, const Workload& workload,
                                                      const Machine& machine, const Placement& placement,
                                                      Tokens depth) {
  if (placement.verdict == Verdict::does_not_fit) return std::nullopt;
  const Reads reads = reads_of(candidate, workload, machine, placement, depth);
  std::string ignored;
  const std::vector<Outcome> outcomes = decode_at(candidate, machine, placement, reads, ignored);
  if (outcomes.empty()) return std::nullopt;
  return span_of(outcomes);
}

Speed speed_of(const Candidate& candidate, const Workload& workload, const Machine& machine,
               const Placement& placement) {
  Speed speed;
  if (placement.verdict == Verdict::does_not_fit) {
    speed.unknown = "it does not fit";
    return speed;
  }
  const Tokens depth = std::min(workload.depth, workload.context);
  const Reads reads = reads_of(candidate, workload, machine, placement, depth);
  speed.from_disk = reads.disk;
  const std::vector<Outcome> outcomes = decode_at(candidate, machine, placement, reads, speed.unknown);
  if (outcomes.empty()) return speed;

  const Outcome& middle = outcomes[outcomes.size() / 2];
  outcome_of(candidate, machine, placement, reads, middle.pick, &speed.steps);
  speed.decode = span_of(outcomes);
  speed.limit = middle.limit;
  for (const Outcome& outcome : outcomes) {
    speed.limit = std::max(*speed.limit, outcome.limit);
    speed.extrapolated = speed.extrapolated || outcome.extrapolated;
  }
  speed.fixed = middle.fixed;
  const auto used =
      std::ranges::count_if(reads.devices, [](BytesPerToken read) { return read != BytesPerToken{}; });
  speed.devices_factor = split_share(static_cast<int>(used));
  for (const Device& device : machine.devices) {
    if (device.gpu != nullptr && device.backend != device.gpu->backend) speed.extrapolated = true;
  }
  if (used > kSplitShare.back().first) speed.extrapolated = true;
  if (outcomes.size() > 1) {
    speed.slowest = name_of(machine, outcomes.front().pick);
    speed.fastest = name_of(machine, outcomes.back().pick);
  }
  for (const ReadStep& step : speed.steps) {
    speed.basis.push_back(step.speed != nullptr ? class_source(*step.speed) : "disk rate as given");
  }
  return speed;
}

std::string class_source(const SpeedClass& speed) {
  std::string text(speed.name);
  if (!speed.sources.empty()) text += ": " + std::string(speed.sources.front().text);
  return text;
}

std::string_view speed_word(TokensPerSecond speed) {
  if (speed >= tok_per_s(30)) return "comfortable";
  if (speed >= tok_per_s(10)) return "usable";
  if (speed >= tok_per_s(5)) return "slow";
  return "barely";
}

}  // namespace r1fit
