// The KV cache of GQA, MLA and pre-MLA files. Exact against llama.cpp's own figures.
#pragma once

#include "r1fit/catalog.hpp"
#include "r1fit/workload.hpp"

namespace r1fit {

/// Cells llama.cpp allocates for a context: padded to 256, per slot unless the cache is unified.
struct KvCells {
  Tokens per_stream;  ///< length of one attention row: what mask and scores are sized by
  Tokens total;       ///< over all slots
};
KvCells kv_cells(const Workload& workload);

/// The cache tensors of one layer over all cells, bytes.
/// GQA: cells * kv_heads * head_dim of each. MLA: K of cells * (kv_lora_rank + rope) and no V.
/// 671B files of before the MLA cache: cells * heads * 192 of K and 128 of V.
struct KvTensors {
  Bytes k;
  Bytes v;
};
KvTensors kv_tensors(const Shape& shape, const Workload& workload);

/// Both together.
Bytes kv_layer(const Shape& shape, const Workload& workload);

/// One token's share in one layer, for the bytes read at some depth.
BytesPerToken kv_read_per_layer(const Shape& shape, const Workload& workload, Tokens depth);

/// What CUDA and ROCm add to the cache tensors of one layer when quantised rows are no multiple of 512.
Bytes kv_row_padding(const Shape& shape, const Workload& workload);

}  // namespace r1fit
