// How long one waits: for the download, for the model to load, for a prompt to be read, for an answer.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "r1fit/throughput.hpp"

namespace r1fit {

/// One memory whose part of the model reads the prompt, and how long that takes for each of its tokens.
struct PrefillStep {
  std::string where;  ///< device name, "host memory" or "disk"
  FlopsPerToken work;
  FlopsPerSecond peak;      ///< of the datasheet; for a host the rate that its class reaches
  double share;             ///< of the peak that is reached; 1 for a host
  bool bound_by_reads;      ///< the weights are read more slowly than they are worked with
  SecondsPerToken time;     ///< a token of the prompt
  const SpeedClass* speed;  ///< where share or rate come from; null: the disk, as given
  std::string_view figure;  ///< the field of it
};

/// Tokens of one question, as the workload or the record of the model has them.
struct AnswerLength {
  std::optional<Range<Tokens>> thinking;  ///< unset: nobody said
  Tokens answer = kAnswerTokens;
  std::string_view source;  ///< of the thinking; empty where the user stated it

  [[nodiscard]] bool stated() const { return thinking && source.empty(); }
};

AnswerLength answer_length(const Model& model, const Workload& workload);

/// Cells of the context that one request has to itself.
Tokens context_of_a_request(const Workload& workload);

/// What is said beside the ranges in Speed.
struct Waits {
  AnswerLength length;
  bool holds_prompt = true;            ///< the context holds the prompt ...
  bool holds_answer = true;            ///< ... and with it the typical thinking and the answer
  bool prefill_extrapolated = false;   ///< nothing like it was measured
  std::string_view prefill_unknown;    ///< why no prefill is stated
  std::optional<Range<Seconds>> load;  ///< the file into memory; a range of usual disks where none is stated
  std::optional<Seconds> download;     ///< unset: the rate was not stated
};

/// Fills prefill, ttft and answer of `speed`, which speed_of() made for the same question; what is not known
/// stays unset. `file` is what is downloaded.
Waits add_waits(const Candidate& candidate, const Workload& workload, const Machine& machine,
                const Placement& placement, Bytes file, Speed& speed);

/// The typical case of the prefill in its parts, for who wants to recompute it; empty where it is unknown.
std::vector<PrefillStep> prefill_steps(const Candidate& candidate, const Workload& workload,
                                       const Machine& machine, const Placement& placement);

/// Multiplications and additions, each counted, that a token of a prompt takes: twice the weights of its way
/// through the layers, and attention to the half of the prompt that lies before the mean token.
FlopsPerToken prefill_work(const Shape& shape, const Workload& workload);

/// A usual kind of disk and what it reads in sequence.
struct UsualDisk {
  std::string_view name;
  BytesPerSecond rate;
};
/// Slow, typical, fast: what the makers of such disks state.
inline constexpr UsualDisk kSlowDisk{"a SATA SSD", gb_per_s(0.55)};
inline constexpr UsualDisk kTypicalDisk{"an NVMe SSD on PCIe 3", gb_per_s(3.5)};
inline constexpr UsualDisk kFastDisk{"an NVMe SSD on PCIe 4", gb_per_s(7.0)};

}  // namespace r1fit
