// Headers of the R1 family as a converter writes them: names and shapes of every tensor, one type for all
// that is quantised. Knows nothing of how r1fit sums weights.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "gguf_bytes.hpp"
#include "r1fit/catalog.hpp"

namespace r1fit::test {

/// A type by the format's number.
struct FileType {
  std::uint32_t number;
  std::uint32_t file_type;  ///< llama.cpp's number of the mixture that is all of it
  std::int64_t block;
  std::int64_t bytes;
};
inline constexpr FileType kFileF16{1, 1, 1, 2};
inline constexpr FileType kFileQ8{8, 7, 32, 34};
inline constexpr FileType kFileQ6{14, 18, 256, 210};
inline constexpr FileType kFileQ4{12, 15, 256, 144};

struct R1Options {
  FileType type = kFileQ8;
  bool legacy = false;       ///< of before the MLA cache
  std::string name;          ///< general.name
  std::string architecture;  ///< another than the shape's
};

class R1Writer {
 public:
  R1Writer(const Shape& shape, R1Options options) : shape_(shape), options_(std::move(options)) {
    metadata();
    plain("output_norm", {d()});
    weight("token_embd", d(), v());
    weight("output", d(), v());
    if (shape_.rope_factors) plain("rope_freqs", {u(shape_.head_dim / 2)});
    for (int i = 0; i < shape_.layers; ++i) block(i);
  }
  GgufWriter writer;

 private:
  static std::uint64_t u(std::int64_t n) { return static_cast<std::uint64_t>(n); }
  [[nodiscard]] std::uint64_t d() const { return u(shape_.hidden); }
  [[nodiscard]] std::uint64_t v() const { return u(shape_.vocab); }

  void metadata() {
    const std::string a =
        options_.architecture.empty() ? std::string(shape_.gguf_architecture) : options_.architecture;
    const auto put = [&](std::string_view key, int value) {
      writer.u32(a + "." + std::string(key), static_cast<std::uint32_t>(value));
    };
    writer.text("general.architecture", a).u32("general.file_type", options_.type.file_type);
    if (!options_.name.empty()) writer.text("general.name", options_.name);
    put("block_count", shape_.layers);
    put("context_length", shape_.mla ? 163840 : 131072);
    put("embedding_length", shape_.hidden);
    put("feed_forward_length", shape_.ffn);
    put("attention.head_count", shape_.heads);
    if (!shape_.mla) {
      put("attention.head_count_kv", shape_.kv_heads);
      return;
    }
    const MlaShape& mla = *shape_.mla;
    put("attention.head_count_kv", options_.legacy ? shape_.heads : 1);
    put("attention.q_lora_rank", mla.q_lora_rank);
    put("attention.kv_lora_rank", mla.kv_lora_rank);
    put("rope.dimension_count", mla.qk_rope_head_dim);
    const int k = mla.qk_nope_head_dim + mla.qk_rope_head_dim;
    put("attention.key_length", options_.legacy ? k : mla.kv_lora_rank + mla.qk_rope_head_dim);
    put("attention.value_length", options_.legacy ? mla.v_head_dim : mla.kv_lora_rank);
    if (!options_.legacy) {
      put("attention.key_length_mla", k);
      put("attention.value_length_mla", mla.v_head_dim);
    }
    const MoeShape& moe = *shape_.moe;
    put("expert_count", moe.routed_experts);
    put("expert_used_count", moe.experts_per_token);
    put("expert_shared_count", moe.shared_experts);
    put("expert_feed_forward_length", moe.expert_ffn);
    put("leading_dense_block_count", moe.first_dense_layers);
  }

  void plain(const std::string& name, std::initializer_list<std::uint64_t> dimensions,
             const char* ending = ".weight") {
    std::uint64_t elements = 1;
    for (const std::uint64_t one : dimensions) elements *= one;
    writer.tensor(name + ending, dimensions, 0, elements * 4);
  }
  void weight(const std::string& name, std::uint64_t row, std::uint64_t rows, std::uint64_t copies = 1) {
    FileType type = options_.type;
    // Rows that a K-quant does not divide take the next type with small blocks.
    if (row % u(type.block) != 0) type = type.number == kFileQ4.number ? FileType{6, 0, 32, 22} : kFileQ8;
    const std::uint64_t size = row * rows * copies / u(type.block) * u(type.bytes);
    if (copies == 1) {
      writer.tensor(name + ".weight", {row, rows}, type.number, size);
    } else {
      writer.tensor(name + ".weight", {row, rows, copies}, type.number, size);
    }
  }

  void block(int i) {
    const std::string p = "blk." + std::to_string(i) + ".";
    plain(p + "attn_norm", {d()});
    plain(p + "ffn_norm", {d()});
    shape_.mla ? latent(p) : grouped(p);
    if (!shape_.moe || i < shape_.moe->first_dense_layers) {
      ffn(p, "", u(shape_.ffn), 1);
      return;
    }
    const MoeShape& moe = *shape_.moe;
    plain(p + "ffn_gate_inp", {d(), u(moe.routed_experts)});
    plain(p + "exp_probs_b", {u(moe.routed_experts)}, ".bias");
    ffn(p, "_exps", u(moe.expert_ffn), u(moe.routed_experts));
    ffn(p, "_shexp", u(moe.expert_ffn) * u(moe.shared_experts), 1);
  }
  void grouped(const std::string& p) {
    const std::uint64_t q = u(shape_.heads) * u(shape_.head_dim);
    const std::uint64_t kv = u(shape_.kv_heads) * u(shape_.head_dim);
    weight(p + "attn_q", d(), q);
    weight(p + "attn_k", d(), kv);
    weight(p + "attn_v", d(), kv);
    weight(p + "attn_output", q, d());
    if (shape_.attention_bias) {
      plain(p + "attn_q", {q}, ".bias");
      plain(p + "attn_k", {kv}, ".bias");
      plain(p + "attn_v", {kv}, ".bias");
    }
    if (shape_.qk_norm) {
      plain(p + "attn_q_norm", {u(shape_.head_dim)});
      plain(p + "attn_k_norm", {u(shape_.head_dim)});
    }
  }
  void latent(const std::string& p) {
    const MlaShape& mla = *shape_.mla;
    const std::uint64_t rank = u(mla.kv_lora_rank);
    const std::uint64_t heads = u(shape_.heads);
    weight(p + "attn_kv_a_mqa", d(), rank + u(mla.qk_rope_head_dim));
    plain(p + "attn_kv_a_norm", {rank});
    if (options_.legacy) {
      weight(p + "attn_kv_b", rank, heads * u(mla.qk_nope_head_dim + mla.v_head_dim));
    } else {
      weight(p + "attn_k_b", u(mla.qk_nope_head_dim), rank, heads);
      weight(p + "attn_v_b", rank, u(mla.v_head_dim), heads);
    }
    weight(p + "attn_output", heads * u(mla.v_head_dim), d());
    weight(p + "attn_q_a", d(), u(mla.q_lora_rank));
    plain(p + "attn_q_a_norm", {u(mla.q_lora_rank)});
    weight(p + "attn_q_b", u(mla.q_lora_rank), heads * u(mla.qk_nope_head_dim + mla.qk_rope_head_dim));
  }
  void ffn(const std::string& p, const std::string& ending, std::uint64_t width, std::uint64_t copies) {
    weight(p + "ffn_gate" + ending, d(), width, copies);
    weight(p + "ffn_up" + ending, d(), width, copies);
    weight(p + "ffn_down" + ending, width, d(), copies);
  }

  const Shape& shape_;
  R1Options options_;
};

}  // namespace r1fit::test
