// The header of a GGUF file: metadata and tensor infos, versions 2 and 3 in both byte orders. Nothing else of
// the file is read, and nothing in it is trusted.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "r1fit/catalog.hpp"

namespace r1fit {

/// Bytes that can be read at any place: a file, or memory.
class ByteSource {
 public:
  ByteSource() = default;
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;
  virtual ~ByteSource() = default;

  /// What a sentence calls it: the path of a file.
  [[nodiscard]] virtual const std::string& name() const = 0;
  /// In bytes.
  [[nodiscard]] virtual std::uint64_t size() const = 0;
  /// Fills `out` from byte `offset` on; all of it lies within size(). Throws Error where that fails.
  virtual void read(std::uint64_t offset, std::span<char> out) const = 0;
};

/// An array of metadata. Its elements are kept only where they are few whole numbers; of the others, a
/// vocabulary above all, nothing but the count.
struct GgufArray {
  std::uint64_t count = 0;
  std::vector<std::int64_t> whole;
};

/// A value of metadata. Texts are cut to their first 4,096 bytes.
using GgufValue = std::variant<bool, std::uint64_t, std::int64_t, double, std::string, GgufArray>;

inline constexpr std::size_t kGgufDimensions = 4;

struct GgufTensor {
  std::string name;
  std::array<std::int64_t, kGgufDimensions> dimensions{1, 1, 1, 1};  ///< the row first
  std::uint32_t type_number = 0;                                     ///< as the format numbers them
  const TensorType* type = nullptr;                                  ///< null: not in the catalogue
  std::uint64_t offset = 0;                                          ///< from the start of the data, bytes
  std::int64_t elements = 0;
  std::optional<Bytes> size;  ///< unset: the type is unknown

  [[nodiscard]] std::int64_t row() const { return dimensions[0]; }
};

struct GgufHeader {
  std::uint32_t version = 0;
  bool big_endian = false;
  std::map<std::string, GgufValue, std::less<>> metadata;
  std::vector<GgufTensor> tensors;  ///< in the order of the file
  Bytes header_size;                ///< up to where the data begin
  Bytes file_size;

  /// The value of `key`; null where there is none.
  [[nodiscard]] const GgufValue* find(std::string_view key) const;
  /// The same where it is a text, a whole number, an array; nothing otherwise.
  [[nodiscard]] std::optional<std::string_view> text(std::string_view key) const;
  [[nodiscard]] std::optional<std::int64_t> whole(std::string_view key) const;
  [[nodiscard]] const GgufArray* array(std::string_view key) const;
};

/// Reads the header of one file, or of one part of a split one, and holds every count, length, type,
/// dimension and offset against the file's size. Memory taken is bounded by a small multiple of the bytes of
/// the header, however large the numbers in it. Tensor types are those of `types`. Throws Error with one
/// sentence that names the file and the place.
GgufHeader read_gguf(const ByteSource& source, List<TensorType> types);

/// "12 (Q4_K)"; "39, which the catalogue does not know".
std::string type_text(const GgufTensor& tensor);

/// What a part says of the file it belongs to.
struct GgufSplit {
  int number = 0;  ///< from 0
  int count = 1;
  std::optional<std::int64_t> tensors;  ///< of all parts
};

/// The split that a header speaks of; one part of one where it speaks of none. Throws Error where that is no
/// split; `name` is the file's.
GgufSplit split_of(const GgufHeader& header, const std::string& name);

/// The name of part `number` (from 0), told from that of part `split.number`, which ends in
/// "-00002-of-00009.gguf". Throws Error where it does not.
std::string part_name(const std::string& name, const GgufSplit& split, int number);

/// One header of all parts in their order: metadata of the first, the tensors of all, sizes summed. Throws
/// Error where they are not parts of one file.
GgufHeader joined(std::vector<GgufHeader> parts, const std::vector<std::string>& names);

}  // namespace r1fit
