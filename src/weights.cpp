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

  /// A type for some of the blocks.
  struct Choice {
    LayerSet layers;
    int n;
    const TensorType* type;
  };
  /// The types that the blocks give a tensor with rows of `row` elements: the first whose blocks they are
  /// holds, and the last is for all.
  [[nodiscard]] std::vector<Choice> choices(TensorRole role, std::int64_t row) const {
    std::vector<Choice> found;
    found.reserve(4);
    for (const MixtureRule* rule : rules_) {
      if ((rule->roles & bit(role)) == 0) continue;
      found.push_back({rule->layers, rule->n, &fit(*rule->type, row)});
      if (rule->layers == LayerSet::all) return found;
    }
    found.push_back({LayerSet::all, 0, &fit(*base_, row)});
    return found;
  }

  /// The one of `choices` for block `layer` (-1 outside the blocks).
  [[nodiscard]] const TensorType& chosen(const std::vector<Choice>& choices, int layer) const {
    for (const Choice& choice : choices) {
      if (in(choice.layers, choice.n, layer)) return *choice.type;
    }
    return *choices.back().type;
  }

  /// The type of a tensor outside the blocks.
  [[nodiscard]] const TensorType& type(TensorRole role, std::int64_t row) const {
    return chosen(choices(role, row), -1);
  }

 private:
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

struct Block {
  std::vector<BlockTensor> tensors;
  std::int64_t attention_f32 = 0;
  std::int64_t ffn_f32 = 0;

  void add(TensorRole role, BlockPart part, std::int64_t row, std::int64_t rows) {
    tensors.push_back({role, part, row, row * rows});
  }
  void add_ffn(BlockPart part, std::int64_t hidden, std::int64_t ffn, std::int64_t copies) {
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
    block.add(role, BlockPart::attention, row, rows);
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
    block.add_ffn(BlockPart::ffn, d, static_cast<std::int64_t>(moe.expert_ffn) * moe.shared_experts, 1);
    block.add_ffn(BlockPart::experts, d, moe.expert_ffn, moe.routed_experts);
    block.ffn_f32 = d * moe.routed_experts + moe.routed_experts;  // router and its bias
  } else {
    block.add_ffn(BlockPart::ffn, d, shape.ffn, 1);
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

/// Adds one tensor of `size` to its part of a layer; `padding` is what CUDA adds to it.
void take(LayerWeights& layer, const BlockTensor& tensor, Kernel kernel, Bytes size, Bytes padding) {
  (tensor.part == BlockPart::experts ? layer.expert_weights : layer.weights)
      .at(static_cast<std::size_t>(kernel)) += tensor.elements;
  const auto role = static_cast<std::size_t>(tensor.role);
  if (tensor.part == BlockPart::experts) {
    layer.expert_tensors.at(role - static_cast<std::size_t>(TensorRole::ffn_gate)) = size + padding;
  } else {
    layer.tensors.at(role) = size + padding;
  }
  switch (tensor.part) {
    case BlockPart::attention:
      layer.attention += size;
      break;
    case BlockPart::ffn:
      layer.ffn += size;
      layer.largest_ffn_tensor = std::max(layer.largest_ffn_tensor, size);
      break;
    case BlockPart::experts:
      layer.experts += size;
      layer.largest_expert_tensor = std::max(layer.largest_expert_tensor, size);
      break;
  }
}

/// The weights of a mixture. Blocks take turns at few kinds, of which each is added up once.
class MixedWeights {
 public:
  MixedWeights(const Catalog& catalog, const Model& model, const Quant& quant, const Workload& workload)
      : shape_(*model.shape),
        mixture_(catalog, model, quant, workload),
        blocks_(shape_, workload.legacy_gguf) {
    kinds_.reserve(8);
    kind_of_.reserve(static_cast<std::size_t>(shape_.layers));
    TypedBlock block;
    for (int i = 0; i < shape_.layers; ++i) {
      const bool other_block = block.block != &blocks_.at(i);
      if (other_block) block = typed(blocks_.at(i));
      const bool alike = !other_block && block.differing.empty();
      kind_of_.push_back(alike ? kind_of_.back() : kind(block, i));
    }
  }

  /// All but the blocks.
  [[nodiscard]] Weights outside() const {
    const std::int64_t d = shape_.hidden;
    const TensorType& output = mixture_.type(TensorRole::output, d);
    Weights weights;
    weights.token_embd = size_as(mixture_.type(TensorRole::token_embd, d), d * shape_.vocab);
    weights.output_tensor = size_as(output, d * shape_.vocab);
    weights.output = weights.output_tensor + bytes(kF32Bytes * d);
    weights.output_weights.at(static_cast<std::size_t>(output.kernel)) = d * shape_.vocab;
    if (shape_.rope_factors) weights.rope = bytes(kF32Bytes * shape_.head_dim / 2);
    return weights;
  }

  [[nodiscard]] Weights weights() const {
    Weights weights = outside();
    weights.layers.reserve(kind_of_.size());
    for (const std::size_t kind : kind_of_) {
      weights.layers.push_back(kinds_[kind].layer);
      weights.repacked += kinds_[kind].repacked;
    }
    return weights;
  }

  [[nodiscard]] Bytes total() const {
    Bytes sum = outside().total();
    for (const std::size_t kind : kind_of_) sum += kinds_[kind].layer.total();
    return sum;
  }

 private:
  /// A block and the types its tensors have.
  struct TypedBlock {
    const Block* block = nullptr;
    std::vector<std::vector<Mixture::Choice>> choices;  ///< by tensor
    std::vector<std::size_t> differing;                 ///< tensors that are not of one type in all blocks
  };
  /// Those of the differing tensors of one block.
  using Types = std::array<const TensorType*, kTensorRoles>;
  /// Blocks whose tensors have the same types.
  struct Kind {
    const Block* block;
    Types types;
    LayerWeights layer;
    Bytes repacked;
  };

  [[nodiscard]] TypedBlock typed(const Block& block) const {
    TypedBlock out;
    out.block = &block;
    out.choices.reserve(block.tensors.size());
    for (const BlockTensor& tensor : block.tensors) {
      out.choices.push_back(mixture_.choices(tensor.role, tensor.row));
      if (out.choices.back().size() > 1) out.differing.push_back(out.choices.size() - 1);
    }
    return out;
  }

  /// The kind of block `index`, added up if it is the first of its kind.
  std::size_t kind(const TypedBlock& block, int index) {
    const std::size_t differing = block.differing.size();
    Types types{};
    for (std::size_t t = 0; t < differing; ++t)
      types[t] = &mixture_.chosen(block.choices[block.differing[t]], index);
    for (std::size_t i = 0; i < kinds_.size(); ++i) {
      if (kinds_[i].block == block.block &&
          std::equal(types.begin(), types.begin() + differing, kinds_[i].types.begin()))
        return i;
    }
    Kind kind{block.block, types, {}, {}};
    kind.layer.kind = static_cast<int>(kinds_.size());
    kind.layer.attention = bytes(kF32Bytes * block.block->attention_f32);
    kind.layer.ffn = bytes(kF32Bytes * block.block->ffn_f32);
    for (std::size_t t = 0; t < block.choices.size(); ++t)
      kind.repacked +=
          add_tensor(kind.layer, block.block->tensors[t], mixture_.chosen(block.choices[t], index));
    kinds_.push_back(kind);
    return kinds_.size() - 1;
  }

  const Shape& shape_;
  Mixture mixture_;
  BlockKinds blocks_;
  std::vector<Kind> kinds_;
  std::vector<std::size_t> kind_of_;  ///< each block
};

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

}  // namespace

Weights weights_of_size(const Model& model, const Quant& quant, Bytes size, const SharedTensors& shared) {
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
    for (const BlockTensor& tensor : block.tensors) {
      (tensor.part == BlockPart::experts ? experts : quantised) += tensor.elements;
    }
    f32 += block.attention_f32 + block.ffn_f32;
  }
  std::int64_t kv_b = 0;  // of a block
  if (shape.mla && shared.attn_kv_b) {
    const MlaShape& mla = *shape.mla;
    kv_b = std::int64_t{mla.kv_lora_rank} * shape.heads * (mla.qk_nope_head_dim + mla.v_head_dim);
  }
  quantised += kv_b * shape.layers;
  const Bytes data = size - model.file_overhead - bytes(kF32Bytes * f32);
  const double uniform_bits = 8.0 * static_cast<double>(data.count()) / static_cast<double>(quantised);
  const double shared_bits = experts == 0 ? uniform_bits : shared.bits;
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
  const Kernel shared_kernel = experts == 0 ? kernel : shared.kernel;
  weights.output_weights.at(static_cast<std::size_t>(shared_kernel)) = embedding;
  weights.layers.reserve(static_cast<std::size_t>(shape.layers));
  for (int i = 0; i < shape.layers; ++i) {
    const Block& block = kinds.at(i);
    LayerWeights layer{};
    for (const BlockTensor& tensor : block.tensors) {
      const double bits = tensor.part == BlockPart::experts ? expert_bits : shared_bits;
      take(layer, tensor, tensor.part == BlockPart::experts ? kernel : shared_kernel,
           at_bits(tensor.elements, bits), Bytes{});
    }
    layer.unread = at_bits(kv_b, shared_bits);
    layer.attention += bytes(kF32Bytes * block.attention_f32) + layer.unread;
    layer.ffn += bytes(kF32Bytes * block.ffn_f32);
    layer.kind = &block == &kinds.at(0) ? 0 : 1;
    weights.layers.push_back(layer);
  }
  return weights;
}

Bytes Weights::total() const {
  Bytes sum = token_embd + output + rope;
  for (const LayerWeights& layer : layers) sum += layer.total();
  return sum;
}

std::vector<BlockTensor> block_tensors(const Shape& shape, int layer, bool legacy_gguf) {
  return block_of(shape, layer, legacy_gguf).tensors;
}

Bytes add_tensor(LayerWeights& layer, const BlockTensor& tensor, const TensorType& type) {
  const Bytes size = size_as(type, tensor.elements);
  const Bytes padding = row_padding(type, tensor.row, size);
  take(layer, tensor, type.kernel, size, padding);
  layer.row_padding += padding;
  if (tensor.role == TensorRole::attn_output) layer.output_block = type.block_weights;
  if (tensor.role == TensorRole::ffn_down) layer.down_block = type.block_weights;
  // Stacks of one matrix a head are left as they are.
  const bool stacked = tensor.role == TensorRole::attn_k_b || tensor.role == TensorRole::attn_v_b;
  return !stacked && (type.id == "Q4_K" || type.id == "Q2_K") ? size : Bytes{};
}

bool has_weights(const Catalog& catalog, const Model& model, const Quant& quant) {
  return quant.base != nullptr || find_file(catalog, model, quant) != nullptr;
}

bool published(const Catalog& catalog, const Model& model, const Quant& quant) {
  if (quant.base != nullptr && !model.shape->moe) return true;
  return find_file(catalog, model, quant) != nullptr;
}

Weights weights_of(const Catalog& catalog, const Model& model, const Quant& quant, const Workload& workload) {
  if (quant.base != nullptr) return MixedWeights(catalog, model, quant, workload).weights();
  const PublishedFile* file = find_file(catalog, model, quant);
  if (file == nullptr) {
    throw Error("no " + std::string(quant.id) + " file of " + std::string(model.id) +
                " is known; `r1fit show " + std::string(model.id) + "` lists those that are");
  }
  return weights_of_size(model, quant, file->size, quant.shared.value());
}

Bytes total_weights(const Catalog& catalog, const Model& model, const Quant& quant,
                    const Workload& workload) {
  if (quant.base != nullptr) return MixedWeights(catalog, model, quant, workload).total();
  return weights_of(catalog, model, quant, workload).total();
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
    for (const BlockTensor& tensor : block.tensors) {
      active += tensor.part == BlockPart::experts
                    ? tensor.elements / shape.moe->routed_experts * shape.moe->experts_per_token
                    : tensor.elements;
    }
  }
  return active;
}

}  // namespace r1fit
