// Bytes read a token and bandwidth of where they lie -> tokens a second, as a range with its basis.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "r1fit/placement.hpp"
#include "r1fit/range.hpp"

namespace r1fit {

/// One memory that is read for each token, and how long that takes.
struct ReadStep {
  std::string where;  ///< device name, "host memory" or "disk"
  BytesPerToken read;
  BytesPerSecond bandwidth;
  double efficiency;  ///< share of the bandwidth reached
  SecondsPerToken time;
  const SpeedClass* speed = nullptr;  ///< where share and spread come from; null: the disk, as given
};

struct Speed {
  std::optional<Range<TokensPerSecond>> decode;   ///< unset: some bandwidth is unknown
  std::optional<TokensPerSecond> limit;           ///< what bandwidth allows at most
  std::optional<Range<TokensPerSecond>> prefill;  ///< these three are filled by add_waits()
  std::optional<Range<Seconds>> ttft;
  std::optional<Range<Seconds>> answer;
  BytesPerToken from_disk;      ///< weights read from disk for a token, whether its rate is known or not
  SecondsPerToken fixed;        ///< per-token cost beside the reads
  double devices_factor = 1.0;  ///< loss of handing over between several GPUs
  std::vector<ReadStep> steps;  ///< of the typical case
  bool extrapolated = false;    ///< nothing like it was measured
  std::string slowest;          ///< stand-ins at both ends of the range, where hardware is unnamed
  std::string fastest;
  std::vector<std::string> basis;  ///< sentences: what the numbers rest on
  std::string unknown;             ///< why decode is unset
};

/// Speed of `placement`. Reads are summed over memories one after the other (layer split); see docs/model.md.
Speed speed_of(const Candidate& candidate, const Workload& workload, const Machine& machine,
               const Placement& placement);

/// The decode speed alone, with `depth` tokens in the context; nothing where speed_of() states none.
std::optional<Range<TokensPerSecond>> decode_at_depth(const Candidate& candidate, const Workload& workload,
                                                      const Machine& machine, const Placement& placement,
                                                      Tokens depth);

/// What a class of hardware is and where its constants come from, in one sentence.
std::string class_source(const SpeedClass& speed);

/// The words of the first screen: comfortable >= 30 tok/s, usable 10-30, slow 5-10, barely < 5.
std::string_view speed_word(TokensPerSecond speed);

}  // namespace r1fit
