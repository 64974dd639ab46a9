#include "r1fit/inspect.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <limits>
#include <map>
#include <tuple>
#include <utility>

#include "r1fit/error.hpp"
#include "r1fit/units_text.hpp"

namespace r1fit {
namespace {

/// Beyond any model; what is above is no figure to reckon with.
constexpr std::int64_t kMostLayers = 4096;
constexpr std::int64_t kWidest = std::int64_t{1} << 22U;
constexpr std::int64_t kMostHeads = 65536;
constexpr std::int64_t kMostWords = std::int64_t{1} << 26U;
constexpr std::int64_t kLongestContext = std::int64_t{1} << 30U;

constexpr std::array<Text, 4> kArchitectures{"llama", "qwen2", "qwen3", "deepseek2"};

constexpr std::array<std::string_view, kWeightGroups> kGroupWords{
    "attention", "feed_forward", "shared_experts", "routed_experts", "output", "token_embd", "other"};
constexpr std::array<std::string_view, kWeightGroups> kGroupTitles{
    "attention",       "feed-forward", "router, shared experts", "routed experts", "output layer",
    "token embedding", "other"};
constexpr std::array<std::string_view, 4> kKinshipWords{"r1", "derived", "same_shape", "none"};
constexpr std::array<std::string_view, 3> kAttentionWords{"grouped_query", "mla", "pre_mla"};

/// llama.h, enum llama_ftype.
struct NamedFileType {
  std::int64_t number;
  std::string_view name;
};
constexpr std::array kFileTypes{
    NamedFileType{0, "F32"},     NamedFileType{1, "F16"},      NamedFileType{2, "Q4_0"},
    NamedFileType{3, "Q4_1"},    NamedFileType{7, "Q8_0"},     NamedFileType{8, "Q5_0"},
    NamedFileType{9, "Q5_1"},    NamedFileType{10, "Q2_K"},    NamedFileType{11, "Q3_K_S"},
    NamedFileType{12, "Q3_K_M"}, NamedFileType{13, "Q3_K_L"},  NamedFileType{14, "Q4_K_S"},
    NamedFileType{15, "Q4_K_M"}, NamedFileType{16, "Q5_K_S"},  NamedFileType{17, "Q5_K_M"},
    NamedFileType{18, "Q6_K"},   NamedFileType{19, "IQ2_XXS"}, NamedFileType{20, "IQ2_XS"},
    NamedFileType{21, "Q2_K_S"}, NamedFileType{22, "IQ3_XS"},  NamedFileType{23, "IQ3_XXS"},
    NamedFileType{24, "IQ1_S"},  NamedFileType{25, "IQ4_NL"},  NamedFileType{26, "IQ3_S"},
    NamedFileType{27, "IQ3_M"},  NamedFileType{28, "IQ2_S"},   NamedFileType{29, "IQ2_M"},
    NamedFileType{30, "IQ4_XS"}, NamedFileType{31, "IQ1_M"},   NamedFileType{32, "BF16"},
    NamedFileType{36, "TQ1_0"},  NamedFileType{37, "TQ2_0"},   NamedFileType{38, "MXFP4_MOE"}};
/// Added to the number where it was guessed from the tensors.
constexpr std::int64_t kGuessed = 1024;

// ---- tensors by name -----------------------------------------------------------------------------------

/// Where a tensor belongs.
struct Place {
  std::int64_t layer = -1;  ///< -1: outside the blocks
  WeightGroup group = WeightGroup::other;
  std::optional<TensorRole> role;  ///< where it takes part in a matrix product
};

struct NamedRole {
  std::string_view name;
  TensorRole role;
};
constexpr std::array kAttentionRoles{
    NamedRole{"attn_q", TensorRole::attn_q},           NamedRole{"attn_k", TensorRole::attn_k},
    NamedRole{"attn_v", TensorRole::attn_v},           NamedRole{"attn_output", TensorRole::attn_output},
    NamedRole{"attn_q_a", TensorRole::attn_q_a},       NamedRole{"attn_q_b", TensorRole::attn_q_b},
    NamedRole{"attn_kv_a_mqa", TensorRole::attn_kv_a}, NamedRole{"attn_k_b", TensorRole::attn_k_b},
    NamedRole{"attn_v_b", TensorRole::attn_v_b},       NamedRole{"attn_kv_b", TensorRole::attn_kv_b}};
constexpr std::array kFfnRoles{NamedRole{"ffn_gate", TensorRole::ffn_gate},
                               NamedRole{"ffn_up", TensorRole::ffn_up},
                               NamedRole{"ffn_down", TensorRole::ffn_down}};

template <std::size_t N>
std::optional<TensorRole> role_named(const std::array<NamedRole, N>& roles, std::string_view name) {
  const auto found = std::ranges::find(roles, name, &NamedRole::name);
  return found == roles.end() ? std::nullopt : std::optional(found->role);
}

/// `name` without `ending`, or nothing where it does not end so.
std::optional<std::string_view> without(std::string_view name, std::string_view ending) {
  if (!name.ends_with(ending)) return std::nullopt;
  return name.substr(0, name.size() - ending.size());
}

void place_in_block(std::string_view rest, Place& place) {
  const std::optional<std::string_view> weight = without(rest, ".weight");
  if (rest.starts_with("attn") || rest == "ffn_norm.weight") {
    place.group = WeightGroup::attention;
    if (weight) place.role = role_named(kAttentionRoles, *weight);
    return;
  }
  if (rest.starts_with("exp_probs_b") || rest.starts_with("ffn_gate_inp")) {
    place.group = WeightGroup::shared_experts;
    return;
  }
  if (!rest.starts_with("ffn_")) return;
  place.group = WeightGroup::feed_forward;
  if (!weight) return;
  if (const auto stem = without(*weight, "_exps")) {
    place.group = WeightGroup::routed_experts;
    place.role = role_named(kFfnRoles, *stem);
  } else if (const auto shared = without(*weight, "_shexp")) {
    place.group = WeightGroup::shared_experts;
    place.role = role_named(kFfnRoles, *shared);
  } else if (weight->find('.') != std::string_view::npos) {
    place.group = WeightGroup::routed_experts;  // ffn_gate.0: files of before experts were stacked
  } else {
    place.role = role_named(kFfnRoles, *weight);
  }
}

Place place_of(std::string_view name) {
  Place place;
  if (name == "token_embd.weight") {
    place.group = WeightGroup::token_embd;
    place.role = TensorRole::token_embd;
  } else if (name == "output.weight") {
    place.group = WeightGroup::output;
    place.role = TensorRole::output;
  } else if (name.starts_with("output")) {
    place.group = WeightGroup::output;
  } else if (name.starts_with("blk.")) {
    name.remove_prefix(4);
    std::int64_t layer = 0;
    const auto [end, fault] = std::from_chars(name.data(), name.data() + name.size(), layer);
    const auto digits = static_cast<std::size_t>(end - name.data());
    if (fault != std::errc{} || layer < 0 || digits >= name.size() || name[digits] != '.') return place;
    place.layer = layer;
    place_in_block(name.substr(digits + 1), place);
  }
  return place;
}

void add(WeightShare& share, const GgufTensor& tensor) {
  ++share.tensors;
  share.elements += tensor.elements;
  if (!tensor.size) share.size.reset();
  if (share.size) *share.size += *tensor.size;
}

// ---- whose name it is ------------------------------------------------------------------------------------

/// Lower case letters, digits and points of the words that tell one model from another.
std::string key_of(std::string_view text) {
  constexpr std::array<std::string_view, 10> idle{"bf16", "f16",     "fp16",    "f32",     "gguf",
                                                  "hf",   "unsloth", "256x20b", "imatrix", "671b"};
  std::string key;
  std::string word;
  const auto end_word = [&] {
    if (std::ranges::find(idle, word) == idle.end()) key += word;
    word.clear();
  };
  for (const char c : text) {
    const char low = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if ((low >= 'a' && low <= 'z') || (low >= '0' && low <= '9') || low == '.') {
      word += low;
    } else {
      end_word();
    }
  }
  end_word();
  constexpr std::string_view maker = "deepseekai";
  return key.starts_with(maker) ? key.substr(maker.size()) : key;
}

std::string key_of(const Model& model) { return key_of(model.hf_repo.substr(model.hf_repo.find('/') + 1)); }

/// The R1 whose name stands in `key`, the longest; null: none.
const Model* named_in(const std::vector<const Model*>& models, std::string_view key) {
  const Model* best = nullptr;
  std::size_t longest = 0;
  for (const Model* model : models) {
    const std::string own = key_of(*model);
    if (own.size() > longest && key.find(own) != std::string_view::npos) {
      best = model;
      longest = own.size();
    }
  }
  return best;
}

void find_kin(Inspection& result, const Catalog& catalog, const Shape& shape) {
  std::vector<const Model*> models;
  for (const Model& model : catalog.models) {
    if (model.shape == &shape) models.push_back(&model);
  }
  if (models.empty()) return;
  result.kinship = Kinship::same_shape;
  result.relative = models.front();
  for (const std::string& key :
       {key_of(result.name), key_of(result.basename + " " + result.size_label), key_of(result.basename)}) {
    const Model* named = named_in(models, key);
    if (named == nullptr) continue;
    const bool same = key == key_of(*named);
    if (!same && result.kinship == Kinship::derived) continue;
    result.kinship = same ? Kinship::r1 : Kinship::derived;
    result.relative = named;
    if (same) return;
  }
}

// ---- the shape -------------------------------------------------------------------------------------------

bool is_like(const Shape& a, const Shape& b) {
  const auto figures = [](const Shape& s) {
    return std::tuple(s.gguf_architecture, s.layers, s.hidden, s.ffn, s.heads, s.kv_heads, s.head_dim,
                      s.vocab, s.attention_bias, s.qk_norm);
  };
  const auto mla = [](const MlaShape& m) {
    return std::tuple(m.q_lora_rank, m.kv_lora_rank, m.qk_nope_head_dim, m.qk_rope_head_dim, m.v_head_dim);
  };
  const auto moe = [](const MoeShape& m) {
    return std::tuple(m.routed_experts, m.experts_per_token, m.shared_experts, m.expert_ffn,
                      m.first_dense_layers);
  };
  // RoPE factors are no matter: older conversions of Llama 3.1 lack them.
  return figures(a) == figures(b) && a.mla.has_value() == b.mla.has_value() &&
         a.moe.has_value() == b.moe.has_value() && (!a.mla || mla(*a.mla) == mla(*b.mla)) &&
         (!a.moe || moe(*a.moe) == moe(*b.moe));
}

/// Reads the figures of a shape; what is missing or beyond reason ends in a Refusal.
struct Refusal {
  std::string why;
};

class ShapeReader {
 public:
  ShapeReader(const GgufHeader& header, const Inspection& found,
              const std::map<std::string_view, const GgufTensor*>& tensors)
      : header_(header), found_(found), tensors_(tensors) {}

  Shape shape() {
    Shape shape{};
    shape.id = "the file's own";
    // A text that outlives the file's.
    shape.gguf_architecture = *std::ranges::find(kArchitectures, Text(found_.architecture));
    shape.layers = figure("block_count", kMostLayers);
    shape.hidden = figure("embedding_length", kWidest);
    shape.ffn = figure("feed_forward_length", kWidest);
    shape.heads = figure("attention.head_count", kMostHeads);
    shape.vocab = words();
    shape.attention_bias = tensors_.contains("blk.0.attn_q.bias");
    shape.qk_norm = tensors_.contains("blk.0.attn_q_norm.weight");
    shape.rope_factors = tensors_.contains("rope_freqs.weight");
    shape.parameters = found_.all.elements;
    if (found_.architecture == "deepseek2") {
      shape.kv_heads = 1;
      shape.mla = mla();
      shape.moe = moe(shape.layers);
    } else {
      if (optional("expert_count").value_or(0) > 0)
        throw Refusal{"mixtures of experts of architecture " + found_.architecture + " are not modelled"};
      shape.kv_heads = found_.kv_heads ? figure("attention.head_count_kv", kMostHeads) : shape.heads;
      shape.head_dim = head_dim(shape);
      if (shape.heads % shape.kv_heads != 0)
        throw Refusal{"its " + std::to_string(shape.heads) + " heads cannot share " +
                      std::to_string(shape.kv_heads) + " KV heads"};
    }
    return shape;
  }

 private:
  [[nodiscard]] std::string key(std::string_view name) const {
    return found_.architecture + "." + std::string(name);
  }

  [[nodiscard]] std::optional<std::int64_t> optional(std::string_view name) const {
    const std::string full = key(name);
    if (const GgufArray* array = header_.array(full)) {
      // One figure a layer: the same for all is one figure.
      if (array->whole.empty() ||
          std::ranges::adjacent_find(array->whole, std::not_equal_to{}) != array->whole.end())
        throw Refusal{full + " differs from layer to layer, which is not modelled"};
      return array->whole.front();
    }
    return header_.whole(full);
  }

  [[nodiscard]] int figure(std::string_view name, std::int64_t most) const {
    const std::optional<std::int64_t> value = optional(name);
    if (!value) throw Refusal{"it does not state " + key(name)};
    return checked(key(name), *value, 1, most);
  }

  [[nodiscard]] static int checked(const std::string& name, std::int64_t value, std::int64_t least,
                                   std::int64_t most) {
    if (value < least || value > most)
      throw Refusal{name + " is " + std::to_string(value) + ", which no model has"};
    return static_cast<int>(value);
  }

  [[nodiscard]] const GgufTensor& tensor(std::string_view name) const {
    const auto found = tensors_.find(name);
    if (found == tensors_.end()) throw Refusal{"it has no tensor " + std::string(name)};
    return *found->second;
  }

  /// As the embedding has them; a tokenizer may have fewer.
  [[nodiscard]] int words() const {
    return checked("the embedding's number of words", tensor("token_embd.weight").dimensions[1], 1,
                   kMostWords);
  }

  [[nodiscard]] int head_dim(const Shape& shape) const {
    if (const auto stated = optional("attention.key_length")) {
      const std::optional<std::int64_t> value = optional("attention.value_length");
      if (value && *value != *stated) throw Refusal{"its heads have K and V of different lengths"};
      return checked(key("attention.key_length"), *stated, 1, kMostHeads);
    }
    if (shape.hidden % shape.heads != 0) throw Refusal{"it does not state " + key("attention.key_length")};
    return shape.hidden / shape.heads;
  }

  [[nodiscard]] MlaShape mla() const {
    MlaShape mla{};
    if (optional("attention.q_lora_rank").value_or(0) == 0)
      throw Refusal{"DeepSeek models without q_lora_rank (V2-Lite) are not modelled"};
    mla.q_lora_rank = figure("attention.q_lora_rank", kWidest);
    mla.kv_lora_rank = figure("attention.kv_lora_rank", kWidest);
    mla.qk_rope_head_dim = figure("rope.dimension_count", kMostHeads);
    const bool apart = optional("attention.key_length_mla").value_or(0) > 0;
    const int k = figure(apart ? "attention.key_length_mla" : "attention.key_length", kMostHeads);
    mla.v_head_dim = figure(apart ? "attention.value_length_mla" : "attention.value_length", kMostHeads);
    mla.qk_nope_head_dim =
        checked(key("attention.key_length"), std::int64_t{k} - mla.qk_rope_head_dim, 1, kMostHeads);
    return mla;
  }

  [[nodiscard]] std::optional<MoeShape> moe(int layers) const {
    if (optional("expert_count").value_or(0) == 0) return std::nullopt;
    MoeShape moe{};
    moe.routed_experts = figure("expert_count", kMostHeads);
    moe.experts_per_token = figure("expert_used_count", moe.routed_experts);
    moe.shared_experts = figure("expert_shared_count", kMostHeads);
    moe.expert_ffn = figure("expert_feed_forward_length", kWidest);
    moe.first_dense_layers = checked(key("leading_dense_block_count"),
                                     optional("leading_dense_block_count").value_or(0), 0, layers - 1);
    return moe;
  }

  const GgufHeader& header_;
  const Inspection& found_;
  const std::map<std::string_view, const GgufTensor*>& tensors_;
};

// ---- the weights -----------------------------------------------------------------------------------------

BlockPart part_of(WeightGroup group) {
  switch (group) {
    case WeightGroup::attention:
      return BlockPart::attention;
    case WeightGroup::routed_experts:
      return BlockPart::experts;
    default:
      return BlockPart::ffn;
  }
}

bool same_tensors(const LayerWeights& a, const LayerWeights& b) {
  return a.attention == b.attention && a.ffn == b.ffn && a.experts == b.experts && a.tensors == b.tensors &&
         a.expert_tensors == b.expert_tensors && a.weights == b.weights &&
         a.expert_weights == b.expert_weights && a.row_padding == b.row_padding;
}

/// Layers whose tensors take the same share a number.
void number_kinds(std::vector<LayerWeights>& layers) {
  std::vector<const LayerWeights*> kinds;
  for (LayerWeights& layer : layers) {
    const auto seen = std::ranges::find_if(
        kinds, [&layer](const LayerWeights* kind) { return same_tensors(*kind, layer); });
    layer.kind = static_cast<int>(seen - kinds.begin());
    if (seen == kinds.end()) kinds.push_back(&layer);
  }
}

/// The blocks have the tensors that `shape` asks for, and no others take part in products.
void check_blocks(const std::vector<std::vector<BlockTensor>>& blocks, const Shape& shape, bool legacy) {
  for (int i = 0; i < shape.layers; ++i) {
    const std::vector<BlockTensor> wanted = block_tensors(shape, i, legacy);
    const std::vector<BlockTensor>& found = blocks[static_cast<std::size_t>(i)];
    const std::string layer = "layer " + std::to_string(i);
    for (const BlockTensor& tensor : wanted) {
      const auto same = std::ranges::find_if(found, [&tensor](const BlockTensor& other) {
        return other.role == tensor.role && other.part == tensor.part;
      });
      const std::string name(word(tensor.role));
      if (same == found.end()) throw Refusal{layer + " has no " + name};
      if (same->row != tensor.row || same->elements != tensor.elements)
        throw Refusal{"the " + name + " of " + layer + " is not of the shape that the metadata states"};
    }
    if (found.size() != wanted.size()) throw Refusal{layer + " has tensors that are not modelled"};
  }
}

Weights weights_from(const GgufHeader& header, const Shape& shape, bool legacy, bool tied) {
  Weights weights;
  weights.layers.resize(static_cast<std::size_t>(shape.layers));
  std::vector<std::vector<BlockTensor>> blocks(weights.layers.size());
  for (const GgufTensor& tensor : header.tensors) {
    const Place place = place_of(tensor.name);
    const Bytes size = *tensor.size;
    if (place.layer >= 0) {
      if (place.layer >= shape.layers)
        throw Refusal{"tensor " + in_quotes(tensor.name) + " is of a layer beyond its " +
                      std::to_string(shape.layers)};
      const auto at = static_cast<std::size_t>(place.layer);
      LayerWeights& layer = weights.layers[at];
      const BlockPart part = part_of(place.group);
      if (place.role) {
        const BlockTensor one{*place.role, part, tensor.row(), tensor.elements};
        blocks[at].push_back(one);
        weights.repacked += add_tensor(layer, one, *tensor.type);
      } else if (part == BlockPart::attention) {
        layer.attention += size;
      } else if (part == BlockPart::experts) {
        layer.experts += size;
      } else {
        layer.ffn += size;
      }
      continue;
    }
    const bool embedding = place.role == TensorRole::token_embd;
    if (embedding) weights.token_embd = size;
    if (place.role == TensorRole::output || (embedding && tied)) {
      weights.output_tensor = size;
      weights.output_weights.at(static_cast<std::size_t>(tensor.type->kernel)) = tensor.elements;
      if (tensor.elements != std::int64_t{shape.hidden} * shape.vocab)
        throw Refusal{"its output layer is not of the shape that the metadata states"};
    }
    if (embedding && !tied) continue;
    (tensor.name == "rope_freqs.weight" ? weights.rope : weights.output) += size;
  }
  check_blocks(blocks, shape, legacy);
  number_kinds(weights.layers);
  return weights;
}

/// Whether the catalogue's mixture gives every tensor the size it has.
bool is_mixture(const Weights& mixture, const Weights& file) {
  return mixture.exact && mixture.token_embd == file.token_embd && mixture.output == file.output &&
         std::ranges::equal(mixture.layers, file.layers, same_tensors);
}

/// The quantisation whose mixture it is, the one named by the file before others; null: none.
const Quant* mixture_of(const Catalog& catalog, const Model& model, const Weights& weights, bool legacy,
                        std::string_view named) {
  const auto is = [&](const Quant& quant) {
    if (quant.base == nullptr) return false;
    for (const bool imatrix : {true, false}) {
      Workload workload;
      workload.legacy_gguf = legacy;
      workload.imatrix = imatrix;
      if (is_mixture(weights_of(catalog, model, quant, workload), weights)) return true;
    }
    return false;
  };
  for (const Quant& quant : catalog.quants) {
    if (quant.id == named && is(quant)) return &quant;
  }
  const auto found = std::ranges::find_if(catalog.quants, is);
  return found == catalog.quants.end() ? nullptr : &*found;
}

// ---- the whole -------------------------------------------------------------------------------------------

class Inspector {
 public:
  Inspector(const Catalog& catalog, const GgufHeader& header, const std::string& path)
      : catalog_(catalog), header_(header) {
    result_.path = path;
  }

  Inspection run() {
    stated();
    counted();
    try {
      modelled();
    } catch (const Refusal& refusal) {
      result_.model.reset();
      result_.why_not = refusal.why;
    }
    return std::move(result_);
  }

 private:
  [[nodiscard]] std::string text(std::string_view key) const {
    return std::string(header_.text(key).value_or(std::string_view{}));
  }
  [[nodiscard]] std::optional<std::int64_t> figure(std::string_view name) const {
    const std::string key = result_.architecture + "." + std::string(name);
    const GgufArray* array = header_.array(key);
    if (array != nullptr && !array->whole.empty() &&
        std::ranges::adjacent_find(array->whole, std::not_equal_to{}) == array->whole.end())
      return array->whole.front();
    return header_.whole(key);
  }

  void stated() {
    result_.version = header_.version;
    result_.big_endian = header_.big_endian;
    result_.file_size = header_.file_size;
    result_.header_size = header_.header_size;
    result_.keys = header_.metadata.size();
    result_.parts = split_of(header_, result_.path).count;
    result_.architecture = text("general.architecture");
    result_.name = text("general.name");
    result_.basename = text("general.basename");
    result_.size_label = text("general.size_label");
    result_.file_type = header_.whole("general.file_type");
    result_.layers = figure("block_count");
    result_.context = figure("context_length");
    result_.hidden = figure("embedding_length");
    result_.heads = figure("attention.head_count");
    result_.kv_heads = figure("attention.head_count_kv");
    result_.routed_experts = figure("expert_count");
    result_.experts_per_token = figure("expert_used_count");
    if (const GgufArray* words = header_.array("tokenizer.ggml.tokens")) {
      result_.vocabulary = static_cast<std::int64_t>(words->count);
    }
    imatrix();
  }

  void imatrix() {
    Imatrix imatrix;
    imatrix.file = text("quantize.imatrix.file");
    imatrix.dataset = text("quantize.imatrix.dataset");
    imatrix.entries = header_.whole("quantize.imatrix.entries_count");
    imatrix.chunks = header_.whole("quantize.imatrix.chunks_count");
    if (!imatrix.file.empty() || !imatrix.dataset.empty() || imatrix.entries || imatrix.chunks)
      result_.imatrix = std::move(imatrix);
  }

  void counted() {
    for (const GgufTensor& tensor : header_.tensors) {
      tensors_.emplace(tensor.name, &tensor);
      // Those of known type lie in the file and are no more than that has room for.
      if (tensor.elements > std::numeric_limits<std::int64_t>::max() - result_.all.elements) {
        throw Error(result_.path + ": tensor " + in_quotes(tensor.name) +
                    ": with it the weights are more than can be counted");
      }
      add(result_.all, tensor);
      add(result_.groups.at(static_cast<std::size_t>(place_of(tensor.name).group)), tensor);
      auto share = std::ranges::find(result_.types, tensor.type_number, &TypeShare::number);
      if (share == result_.types.end()) {
        share = result_.types.insert(result_.types.end(), {tensor.type_number, tensor.type, {}});
      }
      add(share->share, tensor);
    }
    std::ranges::stable_sort(result_.types, std::ranges::greater{},
                             [](const TypeShare& one) { return one.share.size.value_or(Bytes::of(-1)); });
    const auto embedding = tensors_.find("token_embd.weight");
    if (!result_.vocabulary && embedding != tensors_.end())
      result_.vocabulary = embedding->second->dimensions[1];
    result_.tied = embedding != tensors_.end() && !tensors_.contains("output.weight");
    const bool known = std::ranges::find(kArchitectures, Text(result_.architecture)) != kArchitectures.end();
    if (!known) return;
    if (result_.architecture != "deepseek2") {
      result_.attention = AttentionKind::grouped;
    } else if (tensors_.contains("blk.0.attn_k_b.weight") && tensors_.contains("blk.0.attn_v_b.weight") &&
               !tensors_.contains("blk.0.attn_kv_b.weight")) {
      result_.attention = AttentionKind::mla;
    } else if (tensors_.contains("blk.0.attn_kv_b.weight")) {
      result_.attention = AttentionKind::pre_mla;
    }
  }

  void modelled() {
    if (result_.architecture.empty()) throw Refusal{"it does not state general.architecture"};
    if (std::ranges::find(kArchitectures, Text(result_.architecture)) == kArchitectures.end()) {
      throw Refusal{"architecture " + in_quotes(result_.architecture) +
                    " is not modelled (llama, qwen2, qwen3 and deepseek2 are)"};
    }
    for (const TypeShare& one : result_.types) {
      if (one.type != nullptr) continue;
      throw Refusal{"it has tensors of type " + std::to_string(one.number) +
                    ", which the catalogue does not know"};
    }
    auto made = std::make_unique<FileModel>();
    made->shape = ShapeReader(header_, result_, tensors_).shape();
    made->legacy_gguf = result_.attention == AttentionKind::pre_mla;
    made->file.path = result_.path;
    made->file.size = result_.file_size;
    made->file.weights = weights_from(header_, made->shape, made->legacy_gguf, result_.tied);
    made->name = result_.name.empty() ? "unnamed model" : result_.name;
    const Shape* shape = &made->shape;
    for (const Shape& known : catalog_.shapes) {
      if (is_like(known, made->shape) && !result_.tied) shape = &known;
    }
    if (shape != &made->shape) find_kin(result_, catalog_, *shape);
    made->model = model_of(*made, *shape);
    const std::string_view named =
        result_.file_type ? file_type_name(*result_.file_type) : std::string_view{};
    result_.quant = mixture_of(catalog_, made->model, made->file.weights, made->legacy_gguf, named);
    made->quant = result_.quant != nullptr ? result_.quant : &own_quant(*made);
    result_.model = std::move(made);
  }

  /// The catalogue's own record of an R1; of anything else what the file says of itself.
  [[nodiscard]] Model model_of(const FileModel& made, const Shape& shape) const {
    Model model{};
    if (result_.kinship == Kinship::r1) {
      model = *result_.relative;
    } else {
      model.id = made.name;
      model.name = made.name;
      model.shape = &shape;
      if (!result_.context) throw Refusal{"it does not state " + result_.architecture + ".context_length"};
    }
    if (result_.context) {
      if (*result_.context < 1 || *result_.context > kLongestContext)
        throw Refusal{result_.architecture + ".context_length is " + std::to_string(*result_.context) +
                      ", which no model has"};
      model.max_context = tokens(*result_.context);
    }
    model.file_overhead = made.file.size - *result_.all.size;
    return model;
  }

  /// A record of a mixture that the catalogue does not have, called by its commonest type.
  [[nodiscard]] const Quant& own_quant(FileModel& made) const {
    made.own_quant = Quant{};
    made.quant_name =
        (result_.types.size() == 1 ? "" : "mostly ") + std::string(result_.types.front().type->id);
    made.own_quant.id = made.quant_name;
    made.own_quant.kernel = result_.types.front().type->kernel;
    made.own_quant.imatrix = result_.imatrix.has_value();
    return made.own_quant;
  }

  const Catalog& catalog_;
  const GgufHeader& header_;
  Inspection result_;
  std::map<std::string_view, const GgufTensor*> tensors_;
};

}  // namespace

std::string_view word(WeightGroup group) { return kGroupWords.at(static_cast<std::size_t>(group)); }
std::string_view title(WeightGroup group) { return kGroupTitles.at(static_cast<std::size_t>(group)); }
std::string_view word(Kinship kinship) { return kKinshipWords.at(static_cast<std::size_t>(kinship)); }
std::string_view word(AttentionKind kind) { return kAttentionWords.at(static_cast<std::size_t>(kind)); }

std::optional<double> Inspection::bits_per_weight() const {
  if (!all.size || all.elements == 0) return std::nullopt;
  return 8.0 * static_cast<double>(all.size->count()) / static_cast<double>(all.elements);
}

std::string_view file_type_name(std::int64_t file_type) {
  const std::int64_t number = file_type >= kGuessed ? file_type - kGuessed : file_type;
  const auto found = std::ranges::find(kFileTypes, number, &NamedFileType::number);
  return found == kFileTypes.end() ? std::string_view{} : found->name;
}

std::string_view runs_nowhere(const Inspection& file) {
  // llama.cpp reads a file of the byte order of its machine alone, and nothing in the catalogue is big
  // endian.
  if (!file.big_endian) return "";
  return "the file is big endian, and all hardware known here is little endian; gguf_convert_endian.py of "
         "llama.cpp turns it into a file that runs";
}

Inspection inspect(const Catalog& catalog, const GgufHeader& header, const std::string& path) {
  return Inspector(catalog, header, path).run();
}

}  // namespace r1fit
