// What is asked of the model: context, cache types and the engine settings that change memory or speed.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "r1fit/units.hpp"

namespace r1fit {

struct EngineSpeed;

/// Element type of one half of the KV cache.
enum class KvType : std::uint8_t { f16, q8_0, q4_0 };
/// `automatic` resolves to on, as llama.cpp does wherever it was tried.
enum class FlashAttention : std::uint8_t { on, off, automatic };
/// Rows of logits an engine reserves: one a slot (a server) or the whole micro-batch (the bare library).
enum class LogitsRows : std::uint8_t { parallel, ubatch };
/// How the context of a question is meant: as stated, the model's longest, or the engine's own default.
enum class ContextChoice : std::uint8_t { stated, longest, by_engine };
/// How several GPUs share a model.
enum class SplitMode : std::uint8_t { layer, row, tensor };
inline constexpr std::array kSplitModes{SplitMode::layer, SplitMode::row, SplitMode::tensor};

/// How a release of an engine builds its graph, where it shows in the buffers. The defaults are llama.cpp's
/// today.
struct GraphBuild {
  bool kv_by_index = true;  ///< cache rows are written by index; the indices are inputs
  bool f16_mask = true;  ///< with flash attention the mask is f16; else it is f32 and converted on the device
  bool both_inputs = true;        ///< tokens and embeddings have an input each, whichever is used
  bool embeddings = false;        ///< the last hidden state is kept beside the logits
  bool vulkan_reorders = true;    ///< Vulkan puts operations into another order before they are laid out
  int cells_without_flash = 256;  ///< without flash attention the cache is padded to so many cells
  bool operator==(const GraphBuild&) const = default;
};

/// Tokens of an answer after the thinking: some 375 words, a page. A judgement, since what is published
/// counts thinking and answer together.
inline constexpr Tokens kAnswerTokens = tokens(500);

struct Workload {
  Tokens context = tokens(8192);
  KvType kv_k = KvType::f16;
  KvType kv_v = KvType::f16;
  FlashAttention flash_attention = FlashAttention::automatic;
  int parallel = 1;         ///< slots that share the context
  bool kv_unified = false;  ///< the slots share one cache instead of a part each
  Tokens ubatch = tokens(512);
  LogitsRows logits_rows = LogitsRows::parallel;
  SplitMode split = SplitMode::layer;
  bool output_last = false;     ///< n_gpu_layers counts the output layer last, as builds before 2026 did
  bool plans_scores = false;    ///< see EngineRelease
  bool pool_unplanned = false;  ///< an engine that plans so does not know of the backend's own pool
  GraphBuild graph;
  const EngineSpeed* engine_speed = nullptr;  ///< null: llama.cpp's, or not known
  bool legacy_gguf = false;                   ///< a 671B file made before the MLA cache (attn_kv_b)
  std::optional<bool> imatrix;                ///< unset: as published files of the quantisation are made
  Tokens depth = tokens(512);                 ///< tokens in the context where the decode speed is stated
  Tokens prompt = tokens(512);                ///< tokens of the prompt behind the time to first token
  std::optional<Tokens> thinking;  ///< tokens thought before the answer; unset: what the model usually does
  Tokens answer = kAnswerTokens;   ///< tokens of the answer itself

  [[nodiscard]] bool flash() const { return flash_attention != FlashAttention::off; }
};

/// What the user fixed of the placement; unset parts are chosen.
struct PlacementRequest {
  std::optional<int>
      n_gpu_layers;  ///< llama.cpp's -ngl: the output layer first (see output_last), then the last blocks
  std::optional<int> n_cpu_moe;  ///< experts of the first so many layers stay in host memory
  bool cpu_moe = false;          ///< experts of every layer stay in host memory

  [[nodiscard]] bool any() const { return n_gpu_layers || n_cpu_moe || cpu_moe; }
};

inline constexpr std::array<std::string_view, 3> kKvTypeWords{"f16", "q8_0", "q4_0"};
inline constexpr std::array<std::string_view, 3> kFlashAttentionWords{"on", "off", "auto"};
inline constexpr std::array<std::string_view, 2> kLogitsRowsWords{"parallel", "ubatch"};
inline constexpr std::array<std::string_view, 3> kSplitModeWords{"layer", "row", "tensor"};
constexpr std::string_view word(KvType value) { return kKvTypeWords[static_cast<std::size_t>(value)]; }
constexpr std::string_view word(FlashAttention value) {
  return kFlashAttentionWords[static_cast<std::size_t>(value)];
}
constexpr std::string_view word(LogitsRows value) {
  return kLogitsRowsWords[static_cast<std::size_t>(value)];
}
constexpr std::string_view word(SplitMode value) { return kSplitModeWords[static_cast<std::size_t>(value)]; }

}  // namespace r1fit
