#include "r1fit/weights.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "r1fit/error.hpp"

namespace r1fit {
namespace {

constexpr std::int64_t kF32Bytes = 4;
/// ggml's CUDA backend reads quantised rows in steps of 512 elements and allocates up to the next step,
/// each tensor at a multiple of 128 bytes.
constexpr std::int64_t kCudaRowStep = 512;
constexpr std::int64_t kCudaAlignment = 128;
/// Tensors outside the routed experts of the dynamic 671B files average about this many bits.
constexpr double kDynamicSharedBits = 5.5;

constexpr std::uint32_t bit(TensorRole role) { return 1U << static_cast<unsigned>(role); }

Bytes size_as(const TensorType& type, std::int64_t elements) {
  return bytes(elements / type.block_weights * type.block_bytes);
}

/// What CUDA allocates beyond the size in the file.
Bytes row_padding(const TensorType& type, std::int64_t row, Bytes size) {
  if (type.block_weights == 1 || row % kCudaRowStep == 0) return Bytes{};
  const std::int64_t missing = kCudaRowStep - row % kCudaRowStep;
  const std::int64_t padded = size.count() + missing / type.block_weights * type.block_bytes;
  return bytes((padded + kCudaAlignment - 1) / kCudaAlignment * kCudaAlignment) - size;
}

/// Rules of one quantisation that can hold for one model, by role.
class Mixture {
 public:
  Mixture(const Catalog& catalog, const Model& model, const Quant& quant, const Workload& workload)
      : types_(catalog.tensor_types), base_(quant.base), layers_(model.shape->layers) {
    const Shape& shape = *model.shape;
    const bool imatrix = workload.imatrix.value_or(quant.imatrix);
    // Files made before the MLA cache carry as many KV heads as heads.
    const int gqa = shape.mla && workload.legacy_gguf ? 1 : shape.heads / shape.kv_heads;
    for (const MixtureRule& rule : quant.rules) {
      if (rule.min_gqa > gqa) continue;
      if (rule.exact_layers != 0 && rule.exact_layers != shape.layers) continue;
      if (!rule.architecture.empty() && rule.architecture != shape.gguf_architecture) continue;
      if (rule.imatrix == ImatrixCase::with && !imatrix) continue;
      if (rule.imatrix == ImatrixCase::without && imatrix) continue;
      rules_.push_back(&rule);
    }
  }

  /// Whether all blocks give a tensor of this role one type.
  [[nodiscard]] bool uniform(TensorRole role) const {
    for (const MixtureRule* rule : rules_) {
      if ((rule->roles & bit(role)) != 0) return rule->layers == LayerSet::all;
    }
    return true;
  }

  /// The type of a tensor with rows of `row` elements, in block `layer` (-1 outside the blocks).
  [[nodiscard]] const TensorType& type(TensorRole role, int layer, std::int64_t row) const {
    return fit(choose(role, layer), row);
  }

 private:
  [[nodiscard]] const TensorType& choose(TensorRole role, int layer) const {
    for (const MixtureRule* rule : rules_) {
      if ((rule->roles & bit(role)) != 0 && in(rule->layers, rule->n, layer)) return *rule->type;
    }
    return *base_;
  }

  /// A type whose blocks do not divide the row gives way to its fallback.
  [[nodiscard]] const TensorType& fit(const TensorType& type, std::int64_t row) const {
    if (row % type.block_weights == 0 || type.fallback.empty()) return type;
    for (const TensorType& other : types_) {
      if (other.id == type.fallback) return fit(other, row);
    }
    return type;
  }

  [[nodiscard]] bool in(LayerSet set, int n, int layer) const {
    switch (set) {
      case LayerSet::all:
        return true;
      case LayerSet::first:
        return layer < n;
      case LayerSet::first_fraction:
        return layer < layers_ / n;
      case LayerSet::middle:
        return layer >= layers_ / n && layer < (n - 1) * layers_ / n;
      case LayerSet::more_bits:
        return layer < layers_ / 8 || layer >= 7 * layers_ / 8 || (layer - layers_ / 8) % 3 == 2;
    }
    return false;
  }

  List<TensorType> types_;
  const TensorType* base_;
  int layers_;
  std::vector<const MixtureRule*> rules_;
};

enum class Part : std::uint8_t { attention, ffn, experts };

/// A two-dimensional (or expert-stacked) tensor of a block; everything else is F32.
struct Tensor {
  TensorRole role;
  Part part;
  std::int64_t row;
  std::int64_t elements;
};

struct Block {
  std::vector<Tensor> tensors;
  std::int64_t attention_f32 = 0;
  std::int64_t ffn_f32 = 0;

  void add(TensorRole role, Part part, std::int64_t row, std::int64_t rows) {
    tensors.push_back({role, part, row, row * rows});
  }
  void add_ffn(Part part, std::int64_t hidden, std::int64_t ffn, std::int64_t copies) {
    add(TensorRole::ffn_gate, part, hidden, ffn * copies);
    add(TensorRole::ffn_up, part, hidden, ffn * copies);
    add(TensorRole::ffn_down, part, ffn, hidden * copies);
  }
};

/// The tensors of block `layer`: names and shapes follow from the architecture.
Block block_of(const Shape& shape, int layer, bool legacy) {
  Block block;
  block.tensors.reserve(16);
  const auto add = [&block](TensorRole role, std::int64_t row, std::int64_t rows) {
    block.add(role, Part::attention, row, rows);
  };
  const std::int64_t d = shape.hidden;
  block.attention_f32 = 2 * d;  // attn_norm and ffn_norm
  if (shape.mla) {
    const MlaShape& mla = *shape.mla;
    const std::int64_t heads = shape.heads;
    add(TensorRole::attn_kv_a, d, mla.kv_lora_rank + mla.qk_rope_head_dim);
    if (legacy) {
      add(TensorRole::attn_kv_b, mla.kv_lora_rank, heads * (mla.qk_nope_head_dim + mla.v_head_dim));
    } else {
      add(TensorRole::attn_k_b, mla.qk_nope_head_dim, heads * mla.kv_lora_rank);
      add(TensorRole::attn_v_b, mla.kv_lora_rank, heads * mla.v_head_dim);
    }
    add(TensorRole::attn_output, heads * mla.v_head_dim, d);
    add(TensorRole::attn_q_a, d, mla.q_lora_rank);
    add(TensorRole::attn_q_b, mla.q_lora_rank, heads * (mla.qk_nope_head_dim + mla.qk_rope_head_dim));
    block.attention_f32 += mla.kv_lora_rank + mla.q_lora_rank;  // their norms
  } else {
    const std::int64_t q = static_cast<std::int64_t>(shape.heads) * shape.head_dim;
    const std::int64_t k = static_cast<std::int64_t>(shape.kv_heads) * shape.head_dim;
    add(TensorRole::attn_q, d, q);
    add(TensorRole::attn_k, d, k);
    add(TensorRole::attn_v, d, k);
    add(TensorRole::attn_output, q, d);
    if (shape.attention_bias) block.attention_f32 += q + 2 * k;
    if (shape.qk_norm) block.attention_f32 += 2 * static_cast<std::int64_t>(shape.head_dim);
  }
  if (shape.moe && layer >= shape.moe->first_dense_layers) {
    const MoeShape& moe = *shape.moe;
    block.add_ffn(Part::ffn, d, static_cast<std::int64_t>(moe.expert_ffn) * moe.shared_experts, 1);
    block.add_ffn(Part::experts, d, moe.expert_ffn, moe.routed_experts);
    block.ffn_f32 = d * moe.routed_experts + moe.routed_experts;  // router and its bias
  } else {
    block.add_ffn(Part::ffn, d, shape.ffn, 1);
  }
  return block;
}

/// The two kinds of block a model has: those before the experts, and those with them.
class BlockKinds {
 public:
  BlockKinds(const Shape& shape, bool legacy)
      : dense_(shape.moe ? shape.moe->first_dense_layers : shape.layers),
        first_(block_of(shape, 0, legacy)),
        rest_(block_of(shape, shape.layers - 1, legacy)) {}
  [[nodiscard]] const Block& at(int layer) const { return layer < dense_ ? first_ : rest_; }

 private:
  int dense_;
  Block first_;
  Block rest_;
};

const TensorType* find_type(const Catalog& catalog, Text id) {
  const auto found = std::ranges::find(catalog.tensor_types, id, &TensorType::id);
  return found == catalog.tensor_types.end() ? nullptr : &*found;
}

/// Adds one tensor of `size` to its part of a layer; `padding` is what CUDA adds to it.
void take(LayerWeights& layer, const Tensor& tensor, Kernel kernel, Bytes size, Bytes padding) {
  (tensor.part == Part::experts ? layer.expert_weights : layer.weights)
      .at(static_cast<std::size_t>(kernel)) += tensor.elements;
  const auto role = static_cast<std::size_t>(tensor.role);
  if (tensor.part == Part::experts) {
    layer.expert_tensors.at(role - static_cast<std::size_t>(TensorRole::ffn_gate)) = size + padding;
  } else {
    layer.tensors.at(role) = size + padding;
  }
  switch (tensor.part) {
    case Part::attention:
      layer.attention += size;
      break;
    case Part::ffn:
      layer.ffn += size;
      layer.largest_ffn_tensor = std::max(layer.largest_ffn_tensor, size);
      break;
    case Part::experts:
      layer.experts += size;
      layer.largest_expert_tensor = std::max(layer.largest_expert_tensor, size);
      break;
  }
}

/// The types of the tensors of a block that are not of one type in all blocks.
using Types = std::array<const TensorType*, kTensorRoles>;

/// Blocks whose tensors have the same types.
struct Kind {
  const Block* block;
  Types types;
  LayerWeights layer;
  Bytes repacked;
};

Weights from_mixture(const Catalog& catalog, const Model& model, const Quant& quant,
                     const Workload& workload) {
  const Shape& shape = *model.shape;
  const Mixture mixture(catalog, model, quant, workload);
  const std::int64_t d = shape.hidden;
  Weights weights;
  weights.token_embd = size_as(mixture.type(TensorRole::token_embd, -1, d), d * shape.vocab);
  weights.output_tensor = size_as(mixture.type(TensorRole::output, -1, d), d * shape.vocab);
  weights.output = weights.output_tensor + bytes(kF32Bytes * d);
  weights.output_weights.at(static_cast<std::size_t>(mixture.type(TensorRole::output, -1, d).kernel)) =
      d * shape.vocab;
  if (shape.rope_factors) weights.rope = bytes(kF32Bytes * shape.head_dim / 2);
  weights.layers.resize(static_cast<std::size_t>(shape.layers));
  // The types that llama.cpp copies into another layout on a CPU with AVX-512.
  const TensorType* const q4_k = find_type(catalog, "Q4_K");
  const TensorType* const q2_k = find_type(catalog, "Q2_K");
  const auto add = [&](LayerWeights& layer, const Tensor& tensor, const TensorType& type) {
    const Bytes size = size_as(type, tensor.elements);
    const Bytes padding = row_padding(type, tensor.row, size);
    take(layer, tensor, type.kernel, size, padding);
    layer.row_padding += padding;
    // Stacks of one matrix a head are left as they are.
    const bool stacked = tensor.role == TensorRole::attn_k_b || tensor.role == TensorRole::attn_v_b;
    if (!stacked && (&type == q4_k || &type == q2_k)) weights.repacked += size;
  };
  const BlockKinds blocks(shape, workload.legacy_gguf);
  // Blocks take turns at few mixtures of types: one that was seen before is not added up again.
  std::vector<Kind> kinds;
  kinds.reserve(8);
  const Block* block = nullptr;
  std::vector<const Tensor*> differing;  // whose type is not the same in all blocks
  for (int i = 0; i < shape.layers; ++i) {
    LayerWeights& layer = weights.layers[static_cast<std::size_t>(i)];
    if (block != &blocks.at(i)) {
      block = &blocks.at(i);
      differing.clear();
      for (const Tensor& tensor : block->tensors) {
        if (!mixture.uniform(tensor.role)) differing.push_back(&tensor);
      }
    }
    Types types{};
    for (std::size_t t = 0; t < differing.size(); ++t)
      types.at(t) = &mixture.type(differing[t]->role, i, differing[t]->row);
    const auto seen = std::ranges::find_if(
        kinds, [&](const Kind& kind) { return kind.block == block && kind.types == types; });
    if (seen != kinds.end()) {
      layer = seen->layer;
      weights.repacked += seen->repacked;
      continue;
    }
    const Bytes repacked = weights.repacked;
    layer.kind = static_cast<int>(kinds.size());
    layer.attention = bytes(kF32Bytes * block->attention_f32);
    layer.ffn = bytes(kF32Bytes * block->ffn_f32);
    for (const Tensor& tensor : block->tensors) add(layer, tensor, mixture.type(tensor.role, i, tensor.row));
    kinds.push_back({block, types, layer, weights.repacked - repacked});
  }
  return weights;
}

const PublishedFile* find_file(const Catalog& catalog, const Model& model, const Quant& quant) {
  const PublishedFile* best = nullptr;
  for (const PublishedFile& file : catalog.files) {
    if (file.model != &model || file.quant != &quant || file.ollama) continue;
    // An exact byte count first, then the one named in commands, then the order of the catalogue.
    const auto rank = [](const PublishedFile& f) {
      return (f.uncertainty == Bytes{} ? 2 : 0) + (f.usual ? 1 : 0);
    };
    if (best == nullptr || rank(file) > rank(*best)) best = &file;
  }
  return best;
}

/// A published size spread over the tensors.
/// Tensors outside the experts are K-quants in the dynamic files.
Weights from_published(const Model& model, const Quant& quant, Bytes published) {
  const Shape& shape = *model.shape;
  const auto at_bits = [](std::int64_t elements, double bits) {
    return bytes(static_cast<std::int64_t>(static_cast<double>(elements) * bits / 8.0));
  };
  std::int64_t quantised = 2LL * shape.hidden * shape.vocab;
  std::int64_t f32 = shape.hidden;
  std::int64_t experts = 0;
  const BlockKinds kinds(shape, false);
  for (int i = 0; i < shape.layers; ++i) {
    const Block& block = kinds.at(i);
    for (const Tensor& tensor : block.tensors) {
      (tensor.part == Part::experts ? experts : quantised) += tensor.elements;
    }
    f32 += block.attention_f32 + block.ffn_f32;
  }
  const Bytes data = published - model.file_overhead - bytes(kF32Bytes * f32);
  const double uniform_bits = 8.0 * static_cast<double>(data.count()) / static_cast<double>(quantised);
  const double shared_bits = experts == 0 ? uniform_bits : kDynamicSharedBits;
  const double expert_bits =
      experts == 0 ? 0.0
                   : 8.0 * static_cast<double>((data - at_bits(quantised, shared_bits)).count()) /
                         static_cast<double>(experts);
  Weights weights;
  weights.exact = false;
  const std::int64_t embedding = static_cast<std::int64_t>(shape.hidden) * shape.vocab;
  weights.token_embd = at_bits(embedding, shared_bits);
  weights.output_tensor = weights.token_embd;
  weights.output = weights.output_tensor + bytes(kF32Bytes * shape.hidden);
  const Kernel kernel = quant.kernel.value_or(Kernel::k_quant);
  const Kernel shared = experts == 0 ? kernel : Kernel::k_quant;
  weights.output_weights.at(static_cast<std::size_t>(shared)) = embedding;
  weights.layers.reserve(static_cast<std::size_t>(shape.layers));
  for (int i = 0; i < shape.layers; ++i) {
    const Block& block = kinds.at(i);
    LayerWeights layer{};
    for (const Tensor& tensor : block.tensors) {
      const double bits = tensor.part == Part::experts ? expert_bits : shared_bits;
      take(layer, tensor, tensor.part == Part::experts ? kernel : shared, at_bits(tensor.elements, bits),
           Bytes{});
    }
    layer.attention += bytes(kF32Bytes * block.attention_f32);
    layer.ffn += bytes(kF32Bytes * block.ffn_f32);
    layer.kind = &block == &kinds.at(0) ? 0 : 1;
    weights.layers.push_back(layer);
  }
  return weights;
}

}  // namespace

Bytes Weights::total() const {
  Bytes sum = token_embd + output + rope;
  for (const LayerWeights& layer : layers) sum += layer.total();
  return sum;
}

bool has_weights(const Catalog& catalog, const Model& model, const Quant& quant) {
  return quant.base != nullptr || find_file(catalog, model, quant) != nullptr;
}

bool published(const Catalog& catalog, const Model& model, const Quant& quant) {
  if (quant.base != nullptr && !model.shape->moe) return true;
  return find_file(catalog, model, quant) != nullptr;
}

Weights weights_of(const Catalog& catalog, const Model& model, const Quant& quant, const Workload& workload) {
  if (quant.base != nullptr) return from_mixture(catalog, model, quant, workload);
  const PublishedFile* file = find_file(catalog, model, quant);
  if (file == nullptr) {
    throw Error("no " + std::string(quant.id) + " file of " + std::string(model.id) +
                " is known; `r1fit show " + std::string(model.id) + "` lists those that are");
  }
  return from_published(model, quant, file->size);
}

Download download_of(const Catalog& catalog, const Model& model, const Quant& quant, const Weights& weights) {
  const PublishedFile* file = find_file(catalog, model, quant);
  if (file != nullptr && file->uncertainty == Bytes{}) return {file->size, Bytes{}, file};
  if (!weights.exact && file != nullptr) return {file->size, file->uncertainty, file};
  // Rounded figures are coarser than the sum of the tensors.
  return {weights.total() + model.file_overhead, Bytes{}, file};
}

std::int64_t active_parameters(const Shape& shape) {
  const BlockKinds kinds(shape, false);
  std::int64_t active = static_cast<std::int64_t>(shape.hidden) * shape.vocab + shape.hidden;
  for (int i = 0; i < shape.layers; ++i) {
    const Block& block = kinds.at(i);
    active += block.attention_f32 + block.ffn_f32;
    for (const Tensor& tensor : block.tensors) {
      active += tensor.part == Part::experts
                    ? tensor.elements / shape.moe->routed_experts * shape.moe->experts_per_token
                    : tensor.elements;
    }
  }
  return active;
}

}  // namespace r1fit
