// What a GGUF file is, told from its header: architecture, shape, quantisation as it really is, weights by
// group, and whether it is an R1; and the file in the terms in which everything else is estimated.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "r1fit/estimate.hpp"
#include "r1fit/gguf.hpp"

namespace r1fit {

/// What a tensor is part of.
enum class WeightGroup : std::uint8_t {
  attention,       ///< projections and norms of the blocks
  feed_forward,    ///< dense
  shared_experts,  ///< with the routers
  routed_experts,
  output,      ///< with its norm
  token_embd,  ///< stays in host memory
  other        ///< RoPE factors, and what no architecture r1fit knows has
};
inline constexpr int kWeightGroups = 7;
std::string_view word(WeightGroup group);   ///< "routed_experts"
std::string_view title(WeightGroup group);  ///< "routed experts"

/// Some tensors together.
struct WeightShare {
  std::int64_t tensors = 0;
  std::int64_t elements = 0;
  std::optional<Bytes> size = Bytes{};  ///< unset: one of them is of unknown type
};

struct TypeShare {
  std::uint32_t number = 0;          ///< as the format numbers it
  const TensorType* type = nullptr;  ///< null: unknown
  WeightShare share;
};

/// What a file has to do with the R1 family.
enum class Kinship : std::uint8_t {
  r1,          ///< shape and name are those of one
  derived,     ///< its name says that it was made from one, and it has that one's shape
  same_shape,  ///< nothing but the shape
  none
};
std::string_view word(Kinship kinship);

/// How a file keeps the cache of attention.
enum class AttentionKind : std::uint8_t { grouped, mla, pre_mla };
std::string_view word(AttentionKind kind);  ///< "grouped_query", "mla", "pre_mla"

/// The importance matrix that the quantiser noted down; unset parts were not noted.
struct Imatrix {
  std::string file;
  std::string dataset;
  std::optional<std::int64_t> entries;
  std::optional<std::int64_t> chunks;
};

/// The file as a model, a quantisation and weights of the kind that the catalogue has; they refer to each
/// other.
struct FileModel {
  FileModel() = default;
  FileModel(const FileModel&) = delete;
  FileModel& operator=(const FileModel&) = delete;
  ~FileModel() = default;

  std::string name;        ///< what `model` is called where it is none of the catalogue's
  std::string quant_name;  ///< the same of `quant`
  Shape shape;             ///< where the catalogue has none like it
  Model model;
  Quant own_quant;
  const Quant* quant = nullptr;  ///< one of the catalogue's, else own_quant
  LocalFile file;
  bool legacy_gguf = false;
};

struct Inspection {
  std::string path;
  int parts = 1;
  std::uint32_t version = 0;
  bool big_endian = false;
  Bytes file_size;    ///< of all parts
  Bytes header_size;  ///< the same
  std::size_t keys = 0;

  // As stated; empty or unset where it is not.
  std::string architecture;
  std::string name;
  std::string basename;
  std::string size_label;
  std::optional<std::int64_t> file_type;  ///< llama.cpp's number for the mixture
  std::optional<std::int64_t> layers;
  std::optional<std::int64_t> context;
  std::optional<std::int64_t> hidden;
  std::optional<std::int64_t> heads;
  std::optional<std::int64_t> kv_heads;
  std::optional<std::int64_t> routed_experts;
  std::optional<std::int64_t> experts_per_token;
  std::optional<std::int64_t> vocabulary;  ///< words of the tokenizer, else of the embedding
  std::optional<Imatrix> imatrix;

  // As the tensors have it.
  WeightShare all;
  std::vector<TypeShare> types;  ///< the most bytes first, unknown ones last
  std::array<WeightShare, kWeightGroups> groups{};
  std::optional<AttentionKind> attention;  ///< unset: of an architecture r1fit does not know
  bool tied = false;                       ///< the embedding is the output layer, too

  Kinship kinship = Kinship::none;
  const Model* relative = nullptr;  ///< the R1 that `kinship` speaks of; null for `none`
  const Quant* quant = nullptr;     ///< whose mixture it is to the byte; null: none of the catalogue's

  std::unique_ptr<const FileModel> model;  ///< null where it cannot be estimated ...
  std::string why_not;                     ///< ... and why, as a clause

  [[nodiscard]] const WeightShare& group(WeightGroup which) const {
    return groups.at(static_cast<std::size_t>(which));
  }
  /// Mean over all weights; unset where a type is unknown or there are none.
  [[nodiscard]] std::optional<double> bits_per_weight() const;
};

/// The name llama.cpp has for a general.file_type: "Q4_K_M"; empty where it has none.
std::string_view file_type_name(std::int64_t file_type);

/// Why no machine runs the file, whatever its size: a sentence without its end; empty: one may.
std::string_view runs_nowhere(const Inspection& file);

/// What `header` says and its tensors are. `path` names the file in sentences. Throws Error where the header
/// contradicts itself so that nothing of it can be relied on.
Inspection inspect(const Catalog& catalog, const GgufHeader& header, const std::string& path);

}  // namespace r1fit
