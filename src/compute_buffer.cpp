#include "r1fit/compute_buffer.hpp"

#include <algorithm>

#include "r1fit/graph_walk.hpp"
#include "r1fit/kv_cache.hpp"

namespace r1fit {
namespace {

// The letters of docs/model.md, all in bytes or elements: u rows of the micro-batch, c cells of one
// attention row, T one f32 column over the micro-batch, E one activation of the hidden size, F one of the
// FFN, `mask` the attention mask, x a K and V activation.
struct Sizes {
  std::int64_t u, c, t, e, f, mask, x, kv_width, o, vocab, heads, d;
  bool flash, quantised, mla, legacy;
};

Sizes sizes_of(const Shape& shape, const Workload& workload) {
  Sizes s{};
  s.u = std::min(workload.ubatch.count(), workload.context.count());
  s.c = kv_cells(workload).per_stream.count();
  s.t = 4 * s.u;
  s.d = shape.hidden;
  s.heads = shape.heads;
  s.vocab = shape.vocab;
  s.e = std::max<std::int64_t>(shape.hidden, static_cast<std::int64_t>(shape.heads) * shape.head_dim) * s.t;
  s.f = shape.ffn * s.t;
  s.flash = workload.flash();
  s.mask = (s.flash ? 2 : 4) * s.c * s.u;
  s.quantised = workload.kv_k != KvType::f16 || workload.kv_v != KvType::f16;
  s.mla = shape.mla.has_value() && !workload.legacy_gguf;
  s.legacy = shape.mla.has_value() && workload.legacy_gguf;
  s.kv_width = static_cast<std::int64_t>(shape.kv_heads) * shape.head_dim;
  s.x = s.mla || s.legacy ? 0 : 8 * s.u * s.kv_width;
  s.o = workload.logits_rows == LogitsRows::ubatch ? s.u : std::min<std::int64_t>(workload.parallel, s.u);
  return s;
}

constexpr std::int64_t kInputs = 20;  ///< bytes a row for positions, ids and outputs

/// Activations alive at the end of the network.
std::int64_t logits_peak(const Sizes& s, Backend backend) {
  std::int64_t activations = backend == Backend::cpu && s.quantised ? 3 : 2;
  if (s.legacy && s.flash) activations = 4;
  return 4 * s.vocab * s.o + activations * s.e;
}

constexpr std::int64_t kMetalPad = 2'097'152;  ///< bytes, once for dense models

/// Metal's flash attention works in a padded copy of the last cells and in partial results.
std::int64_t metal_flash(const Sizes& s, std::int64_t head_dim) {
  return 4 * std::min<std::int64_t>(s.u, 32) * s.heads * 32 * (head_dim + 2);
}

std::int64_t dense_layer_peak(const Sizes& s, Backend backend, std::int64_t head_dim) {
  const bool metal = backend == Backend::metal;
  if (!s.flash) return 4 * s.heads * s.c * s.u + s.mask + (metal ? 2 : 5) * s.e + s.x;
  if (!metal) return 3 * s.f + (s.quantised ? 3 : 4) * s.e + s.mask;
  return std::max(3 * s.f + 2 * s.e + s.mask, (s.quantised ? 4 : 3) * s.e + s.mask + 4 * s.c * s.kv_width +
                                                  metal_flash(s, head_dim) + kMetalPad);
}

std::int64_t mla_layer_peak(const Sizes& s, const MlaShape& mla, Backend backend) {
  const std::int64_t rank = mla.kv_lora_rank;
  const std::int64_t rope = mla.qk_rope_head_dim;
  const std::int64_t attention = s.heads * (2 * rank + mla.v_head_dim + 3 * rope) + 3 * s.d;
  const std::int64_t cpu = s.heads * (2 * rank + mla.v_head_dim + 4 * rope) + 4 * s.d;
  const std::int64_t peak = (backend == Backend::cpu ? cpu : attention) * s.t + s.mask;
  if (!s.flash) return peak + s.heads * s.c * s.t;
  if (backend != Backend::metal) return peak;
  // An f16 copy of the cache for flash attention.
  return peak + s.heads * rank * s.t + 2 * s.c * (rank + rope) + metal_flash(s, rank);
}

std::int64_t layer_peak(const Sizes& s, const Shape& shape, Backend backend) {
  if (s.mla) return mla_layer_peak(s, *shape.mla, backend);
  if (s.legacy) {
    // Pre-MLA files expand every head to 192 (K) and 128 (V). Measured on the CPU alone.
    if (s.flash) return s.heads * (4 * 192 + 3 * 128 + 32) * s.t + s.mask;
    return 4 * s.heads * s.c * s.u + s.mask + 11 * s.e;
  }
  return dense_layer_peak(s, backend, shape.head_dim);
}

/// Pipeline parallelism keeps four copies of the inputs on every device.
std::int64_t pipeline_copies(const Sizes& s) { return 3 * s.mask + 4 * s.e + (s.flash ? 0 : 3 * s.x); }

/// Layers in host memory are computed on the device for large batches: their weights pass through it.
std::int64_t streaming_peak(const Sizes& s, const Shape& shape, const Workload& workload, Backend backend,
                            const GraphPart& part) {
  const std::int64_t kv = kv_layer(shape, workload).count();
  const std::int64_t logits = logits_peak(s, backend);
  const std::int64_t tensor = part.streamed_tensor.count();
  std::int64_t peak = std::max(logits + 2 * s.e, layer_peak(s, shape, backend) + kv);
  if (part.experts_streamed) {
    const std::int64_t used = shape.moe->experts_per_token;
    const std::int64_t activations = used * (s.d + shape.moe->expert_ffn) + 4 * s.d;
    peak = std::max(peak, tensor + activations * s.t + s.mask + kv);
  }
  // A product with few rows stays where its weights are.
  if (part.output_tensor != Bytes{} && s.o >= kLeastOffloadedRows)
    peak = std::max(peak, part.output_tensor.count() + 4 * s.vocab * s.o + s.e);
  return peak;
}

}  // namespace

Bytes device_compute(const Shape& shape, const Workload& workload, Backend backend, const GraphPart& part) {
  const Sizes s = sizes_of(shape, workload);
  std::int64_t peak = layer_peak(s, shape, backend);
  // The f32 mask and what is made of it stand side by side for a moment.
  if (s.flash && !workload.graph.f16_mask) peak = std::max(peak, 3 * s.mask + 3 * s.e);
  if (part.streams_weights) {
    peak = streaming_peak(s, shape, workload, backend, part);
  } else if (part.logits) {
    peak = std::max(peak, logits_peak(s, backend));
  }
  if (part.pipelined) peak += pipeline_copies(s);
  return bytes(peak + kInputs * s.u);
}

Bytes planned_graph(const Shape& shape, const Workload& workload) {
  if (!workload.plans_scores) return Bytes{};
  const std::int64_t rows = std::min(workload.ubatch.count(), workload.context.count());
  const std::int64_t c = workload.context.count();
  const std::int64_t d = shape.hidden;
  const std::int64_t heads = shape.heads;
  const std::int64_t vocab = shape.vocab;
  if (shape.gguf_architecture == "llama")
    return bytes(4 * rows * std::max(1 + 4 * d + c * (1 + heads), d + vocab));
  if (shape.gguf_architecture == "qwen2")
    return bytes(4 * rows * std::max(1 + 2 * d + c * (1 + heads), d + vocab));
  if (!shape.mla) return Bytes{};
  // Files made before the MLA cache have as many KV heads as heads.
  const std::int64_t kv_heads = workload.legacy_gguf ? heads : 1;
  const std::int64_t key = workload.legacy_gguf ? shape.mla->qk_nope_head_dim + shape.mla->qk_rope_head_dim
                                                : shape.mla->kv_lora_rank + shape.mla->qk_rope_head_dim;
  return bytes(4 * rows * std::max(3 * d + 2 + c * (1 + kv_heads) + 2 * key * kv_heads, 3 * d + vocab));
}

Bytes host_compute(const Shape& shape, const Workload& workload, bool pipelined) {
  const Sizes s = sizes_of(shape, workload);
  const GraphBuild& graph = workload.graph;
  const std::int64_t x = s.flash || !graph.kv_by_index ? 0 : s.x;
  const std::int64_t mask = s.flash && !graph.f16_mask ? 2 * s.mask : s.mask;
  const std::int64_t inputs = (graph.both_inputs ? 2 : 1) * s.e + kInputs * s.u;
  return bytes((pipelined ? 4 : 1) * (mask + x) + inputs);
}

Bytes host_attention(const Shape& shape, const Workload& workload, Backend backend, Bytes attn_v_b) {
  const bool own_caches = workload.parallel > 1 && !workload.kv_unified;
  if (backend != Backend::vulkan || !own_caches || !workload.flash()) return Bytes{};
  const Sizes s = sizes_of(shape, workload);
  if (!s.mla) return Bytes{};
  // What attention found for each head, and the same times attn_v_b. The gap that the mask leaves holds the
  // copy of that weight where it is large enough.
  const std::int64_t values = s.heads * (shape.mla->kv_lora_rank + shape.mla->v_head_dim) * s.t;
  const std::int64_t weight = s.mask < attn_v_b.count() ? attn_v_b.count() : 0;
  return bytes(s.mask + s.d * s.t + values + weight + kInputs * s.u);
}

Bytes output_buffer(const Shape& shape, const Workload& workload) {
  const std::int64_t width = shape.vocab + (workload.graph.embeddings ? shape.hidden : 0);
  return bytes(4 * width * std::max(1, workload.parallel));
}

Bytes flash_off_pool(const Shape& shape, const Workload& workload, Backend backend) {
  const bool cuda = backend == Backend::cuda;
  if (workload.flash() || (!cuda && backend != Backend::rocm)) return Bytes{};
  const Sizes s = sizes_of(shape, workload);
  // An f16 copy of the scores. On ROCm about half as much: a Radeon AI PRO R9700 held 14B at 80,000 tokens
  // and 32B at 36,000 and spilled 4,000 later.
  return bytes((cuda ? 2 : 1) * s.heads * s.c * s.u);
}

Bytes expert_pool(const Shape& shape, const Workload& workload, Backend backend) {
  if (!shape.moe || backend != Backend::cuda) return Bytes{};
  // 671B with its experts in host memory took 1 GiB more with micro-batches of 2,048 once it ran, and more
  // than 2 GiB with 4,096: github ikawrakow/ik_llama.cpp issue 437.
  constexpr std::int64_t bytes_a_row = 524'288;  // 512 KiB
  return bytes(bytes_a_row * std::min(workload.ubatch.count(), workload.context.count()));
}

}  // namespace r1fit
