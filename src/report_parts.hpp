// What the writers of report.hpp share: phrases, rounding that adds up, and what stands in a row.
// Private to the report_*.cpp files and explain.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "r1fit/report.hpp"

namespace r1fit::parts {

/// One named part of a sum.
struct Addend {
  std::string_view name;
  Bytes size;
};

/// Tenths of a GiB.
std::int64_t tenths(Bytes size);
std::string tenths_text(std::int64_t value);  ///< "20.6"

/// The parts in units of `unit` bytes, rounded so that they add up to the rounded total.
std::vector<std::int64_t> rounded_parts(std::span<const Addend> addends, double unit);

/// "weights 18.1 + KV cache 2.0 + buffers 0.2 + runtime 0.3": parts of 0 bytes are left out.
std::string addends_text(std::span<const Addend> addends);

std::vector<Addend> addends_of(const DeviceUse& use);
std::vector<Addend> addends_of(const HostUse& use);

/// What an engine may use of the device under this placement.
Bytes budget_of(const Placement& placement, const Device& device);

/// The device with the least room left (or the most missing); `none` without devices.
inline constexpr std::size_t kNone = static_cast<std::size_t>(-1);
std::size_t fullest_device(const Placement& placement, const Machine& machine);

/// Whether host memory holds part of the model, so that its size matters.
bool needs_host(const Placement& placement);
/// Memory of all devices, and of the host where it holds part of the model.
Bytes needs(const Placement& placement);

/// "19.9 GiB", or MiB where a tenth of a GiB would hide it.
std::string amount_text(Bytes size);

/// All digits that a figure was typed with, but zeros at its end: "42.07", "1,234.5".
std::string typed_text(double number);
/// With so many decimals, or as many more as show on which side of `other` it lies.
std::string apart_text(double number, double other, int decimals);
/// A speed so: with the decimals of tok_per_s_text() or more.
std::string apart_text(TokensPerSecond rate, TokensPerSecond other);

std::string device_title(const Device& device);
/// Id of the engine; where none was named the arithmetic is that of llama.cpp.
std::string_view engine_id(const Estimate& estimate);
/// "RTX 4090, 24 GiB, 1,008 GB/s; 64 GiB RAM, DDR5-5600 dual channel, 89.6 GB/s."
std::string hardware_text(const Machine& machine);
/// "Context 8,192 tokens, KV cache f16, llama.cpp on CUDA."
std::string workload_text(const Workload& workload, const EngineChoice& engine,
                          std::optional<Backend> backend, ContextChoice context);
/// "Speeds span the cards of this size, Arc Pro B60 (456 GB/s) to ..."; empty where the hardware is named.
/// The GB/s of cards are left out where the user stated what counts in place of theirs.
std::string stand_ins_span(const Machine& machine, const Speed& speed);
/// Which cards or platforms the speeds span, and the flag that ends it; empty where the hardware is named.
std::string span_text(const Machine& machine, const Speed& speed);

/// "fits", "offload (part in host memory)".
std::string verdict_text(const Placement& placement);
Tone verdict_tone(Verdict verdict);
/// "33 of 65 layers on the GPU, the others in host memory"; empty where all is on the devices.
std::string layout_text(const Estimate& estimate);
/// What makes a tight placement comfortable; empty where nothing strains.
std::string strain_text(const Estimate& estimate, const Machine& machine);

/// "best_answers", as JSON and CSV have them.
std::vector<std::string> role_words(const std::vector<Role>& roles);
/// "fastest that is still good, longest context that is still good"; empty where it has no role.
std::string role_text(const std::vector<Role>& roles);

/// "17-41", "~" where it is unknown.
std::string decode_text(const Speed& speed);
/// "usable to comfortable".
std::string speed_words(const Range<TokensPerSecond>& decode);
/// "37-93 s" for an answer; "" where it is unknown.
std::string answer_text(const Speed& speed);
/// "in 37-93 s: 512 tokens of prompt, about 1,000 of thinking, 500 of answer; first token after 0.2 s": what
/// is known of it.
std::string waits_text(const Estimate& estimate);
/// "19.9 GB (decimal GB; 18.5 GiB)", and how long that takes where the downlink is stated.
std::string download_text(const Estimate& estimate);
/// "Q4_K_M costs about 0.3 points".
std::string loss_text(const Estimate& estimate);
/// "62.1", "1,691".
std::string score_text(const Score& score);
/// "GPQA 62.1, AIME 2024 72.6 at 16 bits": the scores every one of `others` has too, on the same split.
/// The benchmark of a use that was named comes first, whatever the others have.
std::string scores_text(const Model& model, std::span<const Model* const> others, Use use);

/// The score that ranks for `use`, "62.1"; empty where none is published.
std::string ranking_score_text(const Model& model, Use use);
/// Head of its column: the first word of the benchmark's name.
std::string ranking_score_head(std::span<const Recommendation> rows, Use use);

/// How many of `rows` are shown.
std::size_t shown(std::size_t rows, const PrintOptions& options);

/// "a, b or c".
std::string joined_or(std::span<const std::string> texts);

/// The runs on such a card, also beside others or with help of the host, by size of the model, quantisation
/// and year; those on such a platform; those of the shapes of such a model, by quantisation and speed.
std::vector<const Measurement*> runs_of(const Catalog& catalog, const Gpu& gpu);
std::vector<const Measurement*> runs_of(const Catalog& catalog, const Host& host);
std::vector<const Measurement*> runs_of(const Catalog& catalog, const Model& model);

/// How far a run of this grade can be trusted.
Confidence trust(Grade grade);

/// The sources of some figures, numbered in the order in which they are first named.
class SourceList {
 public:
  /// "[3]".
  std::string ref(std::string_view text, Confidence confidence = Confidence::high);
  /// References to the sources that stand for `field`, or to all where none says so: "[1][2]".
  std::string refs(List<Source> sources, std::string_view field);
  /// One wrapped line a source; lower confidence is said.
  [[nodiscard]] std::string text(std::size_t width) const;

 private:
  struct Entry {
    std::string text;
    Confidence confidence;
  };
  std::vector<Entry> entries_;
};

}  // namespace r1fit::parts
