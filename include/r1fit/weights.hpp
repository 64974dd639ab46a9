// Weights of one model in one quantisation, tensor by tensor: names x shapes x types.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "r1fit/catalog.hpp"
#include "r1fit/workload.hpp"

namespace r1fit {

/// Weights that take part in a matrix product, by the kernel that unpacks them.
using KernelWeights = std::array<std::int64_t, kKernels>;

/// One block of the network. The parts sum to what its tensors take in the file.
struct LayerWeights {
  Bytes attention;  ///< attention projections and both norms of the block
  Bytes ffn;        ///< dense FFN, or router and shared experts
  Bytes experts;    ///< routed experts; 0 in a dense block
  Bytes unread;     ///< part of `attention` that no token reads
  Bytes largest_ffn_tensor;
  Bytes largest_expert_tensor;
  std::array<Bytes, kTensorRoles> tensors;  ///< as CUDA allocates them, by TensorRole, routed experts apart
  std::array<Bytes, 3> expert_tensors;      ///< the same for the routed experts: gate, up, down
  KernelWeights weights{};                  ///< in numbers, routed experts apart
  KernelWeights expert_weights{};
  int kind = 0;          ///< equal where all tensors take the same
  int output_block = 1;  ///< elements of a block of attn_output, which a split by tensor does not divide
  int down_block = 1;    ///< and of ffn_down
  Bytes row_padding;     ///< what CUDA and ROCm add to quantised rows that are no multiple of 512
  [[nodiscard]] Bytes total() const { return attention + ffn + experts; }
  [[nodiscard]] Bytes tensor(TensorRole role) const { return tensors[static_cast<std::size_t>(role)]; }
};

struct Weights {
  std::vector<LayerWeights> layers;
  Bytes token_embd;     ///< stays in host memory
  Bytes output_tensor;  ///< output.weight alone
  Bytes output;         ///< output.weight and output_norm
  KernelWeights output_weights{};
  Bytes rope;         ///< rope_freqs, where the architecture has it
  Bytes repacked;     ///< copied to a CPU-friendly layout when no GPU is present (x86 with AVX-512)
  bool exact = true;  ///< false: a published file size spread over the tensors
  [[nodiscard]] Bytes total() const;
};

enum class BlockPart : std::uint8_t { attention, ffn, experts };

/// A tensor of a block that takes part in matrix products; the others of a block are F32.
struct BlockTensor {
  TensorRole role;
  BlockPart part;
  std::int64_t row;  ///< elements
  std::int64_t elements;
};

/// Those of block `layer`: names and shapes follow from the architecture.
std::vector<BlockTensor> block_tensors(const Shape& shape, int layer, bool legacy_gguf);

/// Adds one tensor to its part of `layer`. Returns what llama.cpp copies of it into another layout on a CPU
/// with AVX-512.
Bytes add_tensor(LayerWeights& layer, const BlockTensor& tensor, const TensorType& type);

/// The weights of `model` as `quant`.
/// Dynamic mixtures (no base type) are spread from the published size; `exact` is false then.
/// Throws Error if the quantisation has neither a mixture nor a published size for this model.
Weights weights_of(const Catalog& catalog, const Model& model, const Quant& quant, const Workload& workload);

/// A file of `size` bytes spread over the tensors: those outside the routed experts as `shared`, the experts
/// take the rest. In a model without experts all take the same. `exact` is false.
Weights weights_of_size(const Model& model, const Quant& quant, Bytes size, const SharedTensors& shared);

/// Their sum, without a list of the blocks.
Bytes total_weights(const Catalog& catalog, const Model& model, const Quant& quant, const Workload& workload);

/// Whether weights_of() can answer for this pair.
bool has_weights(const Catalog& catalog, const Model& model, const Quant& quant);

/// Whether one may be pointed to it: a file is known, or the model is one of those that every usual
/// quantisation is published of (all but the 671B ones).
bool published(const Catalog& catalog, const Model& model, const Quant& quant);

/// Bytes to download: the published size where one is known exactly, else tensors plus tokenizer.
/// `file` is the published file behind it, or null.
struct Download {
  Bytes size;
  Bytes uncertainty;  ///< half the last digit of a rounded figure
  const PublishedFile* file = nullptr;
};
Download download_of(const Catalog& catalog, const Model& model, const Quant& quant, const Weights& weights);

/// Parameters that take part in one token: everything but the embedding table and the experts not chosen.
std::int64_t active_parameters(const Shape& shape);

}  // namespace r1fit
