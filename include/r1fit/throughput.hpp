// Work of one token and processors that do it -> tokens a second, as a range with its basis.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "r1fit/decode.hpp"
#include "r1fit/own_runs.hpp"
#include "r1fit/placement.hpp"
#include "r1fit/range.hpp"

namespace r1fit {

/// What one token asks of every processor of a machine.
struct Works {
  std::vector<Work> devices;  ///< one a device
  Work host;
  BytesPerToken disk;                  ///< weights that RAM does not hold
  SplitMode split = SplitMode::layer;  ///< tensor: the devices work at once, else one after the other
  std::vector<BytesPerToken> shares;   ///< row: what each device reads, of the matrices its part
  double lag = 1;                      ///< tensor: see CardShares
  int exchanges = 0;                   ///< tensor: between all devices
  double host_time = 1;                ///< of the engine, see EngineSpeed
};

/// The work of one token under `placement` with `depth` tokens in the context.
Works works_of(const Candidate& candidate, const Workload& workload, const Machine& machine,
               const Placement& placement, Tokens depth);

/// What the processor of a host is reckoned with: its own, or that of a usual one of its class where it is
/// not known. Where the cores were `counted` each is reckoned as a usual one.
struct Cores {
  FlopsPerSecond fp32;  ///< peak of all
  int number;
};
Cores cores_of(const Host* platform, const SpeedClass& usual, std::optional<int> counted = {});

/// One processor that works on each token, and how long it takes.
struct DecodeStep {
  std::string where;  ///< device name, or "host memory"
  Work work;
  Processor processor;
  TokenTime time;
  double factor = 1.0;                       ///< what measurements of it and the engine make of its speed
  Spread spread{1.0, 1.0};                   ///< of such a model on it
  const SpeedClass* speed = nullptr;         ///< where the constants come from
  const MeasuredDevice* measured = nullptr;  ///< published ones behind the factor; null: there are none
  std::optional<OwnFactor> own;              ///< part of the factor: what the user's own runs say
  [[nodiscard]] SecondsPerToken total() const { return time.total() / factor; }
  /// The same beside devices that work on the same layers, `lag` being what their parts make of it.
  [[nodiscard]] SecondsPerToken beside_others(double lag) const {
    return ((time.streaming + time.attention) * lag + time.layers) / factor;
  }
};

struct Speed {
  std::optional<Range<TokensPerSecond>> decode;   ///< unset: some bandwidth is unknown
  std::optional<TokensPerSecond> limit;           ///< what bandwidth allows at most
  std::optional<Range<TokensPerSecond>> prefill;  ///< these three are filled by add_waits()
  std::optional<Range<Seconds>> ttft;
  std::optional<Range<Seconds>> answer;
  BytesPerToken from_disk;           ///< weights read from disk for a token, whether its rate is known or not
  SecondsPerToken disk_time;         ///< 0 where the rate is not known
  SecondsPerToken hand_over;         ///< from device to device, all of them
  SecondsPerToken exchanges;         ///< split by tensor: between all devices, of the typical case
  double lag = 1;                    ///< split by tensor: see CardShares
  const CardSplit* split = nullptr;  ///< what sharing every layer costs; null by layer
  std::vector<DecodeStep> steps;     ///< of the typical case
  bool extrapolated = false;         ///< nothing like it was measured
  std::string slowest;               ///< stand-ins at both ends of the range, where hardware is unnamed
  std::string fastest;
  std::vector<std::string> basis;  ///< sentences: what the numbers rest on
  std::string unknown;             ///< why decode is unset
};

/// Speed of `placement`. Processors work one after the other unless the devices share every layer; see
/// docs/model.md.
Speed speed_of(const Candidate& candidate, const Workload& workload, const Machine& machine,
               const Placement& placement);

/// The decode speed alone, with `depth` tokens in the context; nothing where speed_of() states none.
std::optional<Range<TokensPerSecond>> decode_at_depth(const Candidate& candidate, const Workload& workload,
                                                      const Machine& machine, const Placement& placement,
                                                      Tokens depth);

/// What a class of hardware is and where its constants come from, in one sentence.
std::string class_source(const SpeedClass& speed);

/// What the speed of devices that share every layer rests on, in sentences.
std::string split_source(const CardSplit& split);

/// The source of what an engine makes of the speed of host memory, in one sentence.
std::string engine_source(const EngineSpeed& engine);

/// The words of the first screen: comfortable >= 30 tok/s, usable 10-30, slow 5-10, barely < 5.
std::string_view speed_word(TokensPerSecond speed);

/// From here on a speed is called usable, and slow; below that "barely".
inline constexpr TokensPerSecond kUsableSpeed = tok_per_s(10);
inline constexpr TokensPerSecond kSlowSpeed = tok_per_s(5);

}  // namespace r1fit
