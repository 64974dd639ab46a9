#include "r1fit/kv_cache.hpp"

#include <algorithm>

namespace r1fit {
namespace {

constexpr std::int64_t kCellStep = 256;  ///< llama.cpp pads a context to this many cells
constexpr std::int64_t kKvBlock = 32;    ///< elements of a q8_0 or q4_0 block

constexpr std::int64_t padded(std::int64_t cells, std::int64_t step) {
  return (cells + step - 1) / step * step;
}

/// Bytes of `elements` (a multiple of 32) as cached.
constexpr std::int64_t row_bytes(std::int64_t elements, KvType type) {
  switch (type) {
    case KvType::f16:
      return elements * 2;
    case KvType::q8_0:
      return elements / kKvBlock * 34;
    case KvType::q4_0:
      return elements / kKvBlock * 18;
  }
  return 0;
}

/// Elements of one token in one layer.
struct Row {
  std::int64_t k;
  std::int64_t v;
};

Row row_of(const Shape& shape, bool legacy) {
  if (!shape.mla) {
    const std::int64_t width = static_cast<std::int64_t>(shape.kv_heads) * shape.head_dim;
    return {width, width};
  }
  const MlaShape& mla = *shape.mla;
  if (legacy) {
    return {static_cast<std::int64_t>(shape.heads) * (mla.qk_nope_head_dim + mla.qk_rope_head_dim),
            static_cast<std::int64_t>(shape.heads) * mla.v_head_dim};
  }
  return {mla.kv_lora_rank + mla.qk_rope_head_dim, 0};
}

/// CUDA reads quantised rows in steps of 512 elements, tensors aligned to 128 bytes.
std::int64_t cuda_padding(std::int64_t row, KvType type) {
  constexpr std::int64_t step = 512;
  constexpr std::int64_t alignment = 128;
  if (type == KvType::f16 || row == 0 || row % step == 0) return 0;
  const std::int64_t extra = row_bytes(step - row % step, type);
  return (extra + alignment - 1) / alignment * alignment;
}

}  // namespace

KvCells kv_cells(const Workload& workload) {
  const std::int64_t slots = workload.kv_unified ? 1 : std::max(1, workload.parallel);
  const std::int64_t step = workload.flash() ? kCellStep : workload.graph.cells_without_flash;
  // Padded as a whole first, then once more slot by slot.
  const std::int64_t stream = padded(padded(workload.context.count(), step) / slots, step);
  return {tokens(stream), tokens(stream * slots)};
}

KvTensors kv_tensors(const Shape& shape, const Workload& workload) {
  const Row row = row_of(shape, workload.legacy_gguf);
  const std::int64_t cells = kv_cells(workload).total.count();
  return {bytes(cells * row_bytes(row.k, workload.kv_k)), bytes(cells * row_bytes(row.v, workload.kv_v))};
}

Bytes kv_layer(const Shape& shape, const Workload& workload) {
  const KvTensors tensors = kv_tensors(shape, workload);
  return tensors.k + tensors.v;
}

BytesPerToken kv_read_per_layer(const Shape& shape, const Workload& workload, Tokens depth) {
  const Row row = row_of(shape, workload.legacy_gguf);
  return read_per_token(
      bytes(depth.count() * (row_bytes(row.k, workload.kv_k) + row_bytes(row.v, workload.kv_v))));
}

Bytes kv_row_padding(const Shape& shape, const Workload& workload) {
  const Row row = row_of(shape, workload.legacy_gguf);
  return bytes(cuda_padding(row.k, workload.kv_k) + cuda_padding(row.v, workload.kv_v));
}

}  // namespace r1fit
