#include "r1fit/gguf.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <iterator>
#include <limits>
#include <utility>

#include "r1fit/error.hpp"
#include "r1fit/units_text.hpp"

namespace r1fit {
namespace {

/// Read at once: a vocabulary is walked in a few hundred such pieces.
constexpr std::size_t kChunk = 1 << 16;
/// Of a text that is kept; names and licences are shorter, chat templates are not needed.
constexpr std::size_t kLongestText = 4096;
/// Elements of an array that is kept: one a layer.
constexpr std::uint64_t kLongestArray = 1024;
/// The format allows keys of 65,535 bytes and names of 64; some engines are built for longer names.
constexpr std::uint64_t kLongestKey = 65535;
constexpr std::uint64_t kLongestName = 256;
/// Some twenty times the header of the largest vocabulary: a file of a terabyte, all zeros, is not walked
/// through.
constexpr std::uint64_t kLargestHeader = std::uint64_t{1} << 28U;
/// Far more than any file has; what states more is no header.
constexpr std::uint64_t kMostKeys = 1 << 16;
constexpr std::uint64_t kMostTensors = 1 << 20;
constexpr std::uint64_t kMostParts = 99999;  // five digits of a file's name
constexpr std::uint64_t kDefaultAlignment = 32;
/// What the shortest entry of each kind takes of the file.
constexpr std::uint64_t kLeastKeyBytes = 8 + 4 + 1;
constexpr std::uint64_t kLeastTensorBytes = 8 + 4 + 4 + 8;

/// Kinds of metadata value, numbered as in the format.
enum class Kind : std::uint32_t { u8, i8, u16, i16, u32, i32, f32, boolean, text, array, u64, i64, f64 };
constexpr std::uint32_t kKinds = 13;

/// Bytes of a value; 0 where they vary.
std::uint64_t width_of(Kind kind) {
  switch (kind) {
    case Kind::u8:
    case Kind::i8:
    case Kind::boolean:
      return 1;
    case Kind::u16:
    case Kind::i16:
      return 2;
    case Kind::u32:
    case Kind::i32:
    case Kind::f32:
      return 4;
    case Kind::u64:
    case Kind::i64:
    case Kind::f64:
      return 8;
    case Kind::text:
    case Kind::array:
      break;
  }
  return 0;
}

/// ggml's numbers of the tensor types of the catalogue (ggml.h, enum ggml_type).
struct NumberedType {
  std::uint32_t number;
  Text id;
};
constexpr std::array kNumberedTypes{
    NumberedType{0, "F32"},      NumberedType{1, "F16"},     NumberedType{2, "Q4_0"},
    NumberedType{3, "Q4_1"},     NumberedType{6, "Q5_0"},    NumberedType{7, "Q5_1"},
    NumberedType{8, "Q8_0"},     NumberedType{10, "Q2_K"},   NumberedType{11, "Q3_K"},
    NumberedType{12, "Q4_K"},    NumberedType{13, "Q5_K"},   NumberedType{14, "Q6_K"},
    NumberedType{16, "IQ2_XXS"}, NumberedType{17, "IQ2_XS"}, NumberedType{18, "IQ3_XXS"},
    NumberedType{19, "IQ1_S"},   NumberedType{20, "IQ4_NL"}, NumberedType{21, "IQ3_S"},
    NumberedType{22, "IQ2_S"},   NumberedType{23, "IQ4_XS"}, NumberedType{29, "IQ1_M"},
    NumberedType{30, "BF16"}};

const TensorType* type_numbered(std::uint32_t number, List<TensorType> types) {
  const auto numbered = std::ranges::find(kNumberedTypes, number, &NumberedType::number);
  if (numbered == kNumberedTypes.end()) return nullptr;
  const auto found = std::ranges::find(types, numbered->id, &TensorType::id);
  return found == types.end() ? nullptr : &*found;
}

std::string number_text(std::uint64_t number) {
  constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  return number <= most ? count_text(static_cast<std::int64_t>(number)) : std::to_string(number);
}

/// Reads a header from front to back, in chunks.
class Reader {
 public:
  Reader(const ByteSource& source, List<TensorType> types)
      : source_(source), types_(types), size_(source.size()) {}

  GgufHeader header() {
    GgufHeader header;
    read_start(header);
    const std::uint64_t tensors_at = at_;
    const auto tensors = number<std::uint64_t>();
    const std::uint64_t keys_at = at_;
    const auto keys = number<std::uint64_t>();
    check_count(tensors, "tensors", kMostTensors, kLeastTensorBytes, tensors_at);
    check_count(keys, "metadata keys", kMostKeys, kLeastKeyBytes, keys_at);
    for (std::uint64_t i = 0; i < keys; ++i) read_entry(header, i);
    const std::uint64_t alignment = alignment_of(header);
    for (std::uint64_t i = 0; i < tensors; ++i) header.tensors.push_back(read_tensor(i));
    place_.clear();
    // Without tensors there may be nothing behind the last key.
    const std::uint64_t padded = (at_ + alignment - 1) / alignment * alignment;
    const std::uint64_t data = std::min(padded, size_);
    if (padded > size_ && tensors > 0) fail(size_, "the file ends before its data begin: it was cut short");
    check_names(header);
    check_places(header, data, alignment);
    header.header_size = bytes(static_cast<std::int64_t>(data));
    header.file_size = bytes(static_cast<std::int64_t>(size_));
    return header;
  }

 private:
  [[noreturn]] void fail(std::uint64_t at, const std::string& what) const {
    throw Error(source_.name() + ": at byte " + number_text(at) + place_ + ": " + what);
  }
  [[nodiscard]] std::uint64_t left() const { return size_ - at_; }
  void check_count(std::uint64_t stated, const char* what, std::uint64_t most, std::uint64_t least_bytes,
                   std::uint64_t at) const {
    const std::string lead = "it states " + number_text(stated) + " " + what + ", and ";
    if (stated > left() / least_bytes)
      fail(at, lead + "the " + number_text(left()) + " bytes that follow cannot hold them");
    if (stated > most) fail(at, lead + number_text(most) + " are the most that are read");
  }

  // ---- bytes ------------------------------------------------------------------------------------------

  void need(std::uint64_t wanted, const char* what) const {
    if (wanted > left()) {
      fail(at_, std::string(what) + " takes " + number_text(wanted) + " bytes, and the file has " +
                    number_text(left()) + " more");
    }
  }

  /// Copies the next bytes, which need() has found there.
  void take(char* out, std::size_t wanted) {
    while (wanted > 0) {
      if (at_ < chunk_at_ || at_ >= chunk_at_ + chunk_.size()) fill();
      const auto begin = static_cast<std::size_t>(at_ - chunk_at_);
      const std::size_t some = std::min(wanted, chunk_.size() - begin);
      std::memcpy(out, chunk_.data() + begin, some);
      out += some;
      at_ += some;
      wanted -= some;
    }
  }

  void fill() {
    if (at_ > kLargestHeader) fail(at_, "the header goes on for more than 256 MiB");
    chunk_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kChunk, left())));
    source_.read(at_, chunk_);
    chunk_at_ = at_;
  }

  void skip(std::uint64_t count, const char* what) {
    need(count, what);
    at_ += count;
  }

  template <class T>
  T number(const char* what = "a number") {
    need(sizeof(T), what);
    std::array<char, sizeof(T)> raw;
    take(raw.data(), raw.size());
    if (big_endian_ != (std::endian::native == std::endian::big)) std::ranges::reverse(raw);
    return std::bit_cast<T>(raw);
  }

  /// The length of a text, whose bytes follow.
  std::uint64_t length(const char* what) {
    const std::uint64_t at = at_;
    const auto count = number<std::uint64_t>(what);
    if (count > left()) {
      fail(at, std::string(what) + " states " + number_text(count) + " bytes, and the file has " +
                   number_text(left()) + " more");
    }
    return count;
  }

  std::string text(const char* what, std::uint64_t longest) {
    const std::uint64_t at = at_;
    const std::uint64_t count = length(what);
    if (count > longest) {
      fail(at, std::string(what) + " states " + number_text(count) + " bytes, and " + number_text(longest) +
                   " are the most");
    }
    std::string out(static_cast<std::size_t>(count), '\0');
    take(out.data(), out.size());
    return out;
  }

  // ---- the start --------------------------------------------------------------------------------------

  void read_start(GgufHeader& header) {
    if (size_ == 0) throw Error(source_.name() + ": the file is empty");
    std::array<char, 4> magic{};
    if (size_ >= magic.size()) take(magic.data(), magic.size());
    const std::string_view word(magic.data(), magic.size());
    if (word != "GGUF") {
      const bool older = word == "tjgg" || word == "lmgg" || word == "fmgg";
      const bool pointer = word == "vers";
      fail(0, older ? "it begins as files did before GGUF (2023), which nothing reads any more"
              : pointer
                  ? "it does not begin with GGUF; it may be the pointer that stands for a file in Git LFS"
                  : "it does not begin with GGUF: this is no GGUF file");
    }
    const std::uint64_t at = at_;
    auto version = number<std::uint32_t>("the version");
    // The one mark of the byte order: a version read the wrong way round has nothing in its lower half.
    if (version != 0 && (version & 0xFFFFU) == 0) {
      big_endian_ = true;
      version = (version >> 24U) | ((version >> 8U) & 0xFF00U);
    }
    if (version != 2 && version != 3) {
      fail(at, "it is of GGUF version " + std::to_string(version) + "; versions 2 and 3 are read");
    }
    header.version = version;
    header.big_endian = big_endian_;
  }

  // ---- metadata ---------------------------------------------------------------------------------------

  Kind kind(const char* what) {
    const std::uint64_t at = at_;
    const auto value = number<std::uint32_t>(what);
    if (value >= kKinds) fail(at, "type " + std::to_string(value) + " is none that metadata has (0 to 12)");
    return static_cast<Kind>(value);
  }

  void read_entry(GgufHeader& header, std::uint64_t index) {
    place_ = ", metadata key " + number_text(index + 1);
    const std::uint64_t at = at_;
    std::string key = text("the key", kLongestKey);
    if (key.empty()) fail(at, "the key is empty");
    place_ = ", metadata key " + in_quotes(key);
    if (header.metadata.contains(key)) fail(at, "the key is there twice");
    const Kind of = kind("the value's type");
    header.metadata.emplace(std::move(key), of == Kind::array ? GgufValue(read_array()) : read_value(of));
  }

  GgufValue read_value(Kind of) {
    switch (of) {
      case Kind::u8:
        return std::uint64_t{number<std::uint8_t>()};
      case Kind::i8:
        return std::int64_t{number<std::int8_t>()};
      case Kind::u16:
        return std::uint64_t{number<std::uint16_t>()};
      case Kind::i16:
        return std::int64_t{number<std::int16_t>()};
      case Kind::u32:
        return std::uint64_t{number<std::uint32_t>()};
      case Kind::i32:
        return std::int64_t{number<std::int32_t>()};
      case Kind::u64:
        return number<std::uint64_t>();
      case Kind::i64:
        return number<std::int64_t>();
      case Kind::f32:
        return static_cast<double>(number<float>());
      case Kind::f64:
        return number<double>();
      case Kind::boolean:
        return truth();
      case Kind::text: {
        const std::uint64_t count = length("the text");
        std::string kept(static_cast<std::size_t>(std::min<std::uint64_t>(count, kLongestText)), '\0');
        take(kept.data(), kept.size());
        skip(count - kept.size(), "the text");
        return kept;
      }
      case Kind::array:
        break;
    }
    fail(at_, "an array stands where a single value is expected");
  }

  bool truth() {
    const std::uint64_t at = at_;
    const auto value = number<std::uint8_t>();
    if (value > 1) fail(at, "a truth value is 0 or 1, not " + std::to_string(value));
    return value == 1;
  }

  GgufArray read_array() {
    const std::uint64_t type_at = at_;
    const Kind of = kind("the type of the elements");
    if (of == Kind::array) fail(type_at, "it is an array of arrays, which no engine reads");
    const std::uint64_t at = at_;
    GgufArray array;
    array.count = number<std::uint64_t>("the number of elements");
    const std::uint64_t least = of == Kind::text ? sizeof(std::uint64_t) : width_of(of);
    if (array.count > left() / least) {
      fail(at, "the array states " + number_text(array.count) + " elements, and the file has " +
                   number_text(left()) + " bytes more");
    }
    if (of == Kind::text) {
      // Only the lengths are looked at: a vocabulary is some hundred thousand words.
      for (std::uint64_t i = 0; i < array.count; ++i) at_ += length("an element");
      return array;
    }
    const bool whole = of != Kind::f32 && of != Kind::f64 && of != Kind::boolean;
    if (!whole || array.count > kLongestArray) {
      skip(array.count * least, "the array");
      return array;
    }
    array.whole.reserve(static_cast<std::size_t>(array.count));
    for (std::uint64_t i = 0; i < array.count; ++i) array.whole.push_back(whole_number(read_value(of)));
    return array;
  }

  static std::int64_t whole_number(const GgufValue& value) {
    if (const auto* positive = std::get_if<std::uint64_t>(&value)) {
      constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
      return static_cast<std::int64_t>(std::min(*positive, most));
    }
    return std::get<std::int64_t>(value);
  }

  [[nodiscard]] std::uint64_t alignment_of(const GgufHeader& header) {
    place_ = ", metadata key \"general.alignment\"";
    const GgufValue* value = header.find("general.alignment");
    if (value == nullptr) return kDefaultAlignment;
    const auto* stated = std::get_if<std::uint64_t>(value);
    if (stated == nullptr || !std::has_single_bit(*stated) || *stated > std::uint64_t{1} << 31U)
      fail(at_, "the alignment is no power of two below 4 GiB");
    return *stated;
  }

  // ---- tensors ----------------------------------------------------------------------------------------

  GgufTensor read_tensor(std::uint64_t index) {
    place_ = ", tensor " + number_text(index + 1);
    GgufTensor tensor;
    const std::uint64_t at = at_;
    tensor.name = text("the name", kLongestName);
    if (tensor.name.empty()) fail(at, "the name is empty");
    place_ = ", tensor " + in_quotes(tensor.name);
    read_dimensions(tensor);
    const std::uint64_t type_at = at_;
    tensor.type_number = number<std::uint32_t>("the type");
    tensor.type = type_numbered(tensor.type_number, types_);
    if (tensor.type != nullptr) tensor.size = size_of(tensor, type_at);
    tensor.offset = number<std::uint64_t>("the offset");
    return tensor;
  }

  void read_dimensions(GgufTensor& tensor) {
    std::uint64_t at = at_;
    const auto count = number<std::uint32_t>("the number of dimensions");
    if (count > kGgufDimensions)
      fail(at, std::to_string(count) + " dimensions; " + std::to_string(kGgufDimensions) + " are the most");
    tensor.elements = 1;
    for (std::uint32_t i = 0; i < count; ++i) {
      at = at_;
      const auto stated = number<std::uint64_t>("a dimension");
      constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
      if (stated == 0) fail(at, "a dimension is 0");
      if (stated > static_cast<std::uint64_t>(most / tensor.elements))
        fail(at, "the dimensions multiply to more than " + count_text(most) + " elements");
      tensor.dimensions.at(i) = static_cast<std::int64_t>(stated);
      tensor.elements *= static_cast<std::int64_t>(stated);
    }
  }

  [[nodiscard]] Bytes size_of(const GgufTensor& tensor, std::uint64_t at) const {
    const TensorType& type = *tensor.type;
    if (tensor.row() % type.block_weights != 0) {
      fail(at, "its rows of " + count_text(tensor.row()) + " elements are no multiple of the " +
                   std::to_string(type.block_weights) + " that a block of " + std::string(type.id) + " has");
    }
    const std::int64_t blocks = tensor.elements / type.block_weights;
    if (blocks > std::numeric_limits<std::int64_t>::max() / type.block_bytes)
      fail(at, count_text(tensor.elements) + " elements are more bytes than can be counted");
    return bytes(blocks * type.block_bytes);
  }

  void check_names(const GgufHeader& header) const {
    std::vector<std::string_view> names;
    names.reserve(header.tensors.size());
    for (const GgufTensor& tensor : header.tensors) names.push_back(tensor.name);
    std::ranges::sort(names);
    const auto twice = std::ranges::adjacent_find(names);
    if (twice != names.end())
      throw Error(source_.name() + ": tensor " + in_quotes(*twice) + " is there twice");
  }

  /// Every tensor at a multiple of the alignment, within the file, and none in another. Where one of unknown
  /// type ends is not known.
  void check_places(const GgufHeader& header, std::uint64_t data, std::uint64_t alignment) const {
    std::vector<const GgufTensor*> order;
    order.reserve(header.tensors.size());
    for (const GgufTensor& tensor : header.tensors) order.push_back(&tensor);
    std::ranges::sort(order, {}, &GgufTensor::offset);
    const auto complain = [&](const GgufTensor& tensor, const std::string& what) {
      throw Error(source_.name() + ": tensor " + in_quotes(tensor.name) + ": " + what);
    };
    std::uint64_t end = 0;
    const GgufTensor* before = nullptr;
    for (const GgufTensor* tensor : order) {
      if (tensor->offset % alignment != 0) {
        complain(*tensor, "its offset " + number_text(tensor->offset) + " is no multiple of the alignment, " +
                              number_text(alignment));
      }
      if (before != nullptr && tensor->offset < end)
        complain(*tensor, "it begins inside of tensor " + in_quotes(before->name));
      const std::uint64_t room = size_ - data;
      const std::uint64_t size =
          tensor->size ? static_cast<std::uint64_t>(tensor->size->count()) : std::uint64_t{1};
      if (tensor->offset > room || size > room - tensor->offset) {
        complain(*tensor, "the file ends at byte " + number_text(size_) +
                              ", before the tensor does: it was cut short, or its download is not complete");
      }
      end = tensor->offset + size;
      before = tensor;
    }
  }

  const ByteSource& source_;
  List<TensorType> types_;
  std::uint64_t size_;
  std::uint64_t at_ = 0;
  std::vector<char> chunk_;
  std::uint64_t chunk_at_ = 0;
  bool big_endian_ = false;
  std::string place_;  // what at_ lies in, for sentences
};

std::string five_digits(int number) {
  std::string text = std::to_string(number);
  return std::string(text.size() < 5 ? 5 - text.size() : 0, '0') + text;
}

std::string ending(int number, int count) {
  return "-" + five_digits(number + 1) + "-of-" + five_digits(count) + ".gguf";
}

/// "part 3 of 9".
std::string part_text(int number, int count) {
  return "part " + std::to_string(number + 1) + " of " + std::to_string(count);
}

}  // namespace

const GgufValue* GgufHeader::find(std::string_view key) const {
  const auto found = metadata.find(key);
  return found == metadata.end() ? nullptr : &found->second;
}

std::optional<std::string_view> GgufHeader::text(std::string_view key) const {
  const GgufValue* value = find(key);
  const auto* held = value == nullptr ? nullptr : std::get_if<std::string>(value);
  return held == nullptr ? std::nullopt : std::optional<std::string_view>(*held);
}

std::optional<std::int64_t> GgufHeader::whole(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (const auto* number = std::get_if<std::int64_t>(value)) return *number;
  const auto* number = std::get_if<std::uint64_t>(value);
  constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (number == nullptr || *number > most) return std::nullopt;
  return static_cast<std::int64_t>(*number);
}

const GgufArray* GgufHeader::array(std::string_view key) const {
  const GgufValue* value = find(key);
  return value == nullptr ? nullptr : std::get_if<GgufArray>(value);
}

GgufHeader read_gguf(const ByteSource& source, List<TensorType> types) {
  return Reader(source, types).header();
}

std::string type_text(const GgufTensor& tensor) {
  const std::string number = std::to_string(tensor.type_number);
  return tensor.type == nullptr ? number + ", which the catalogue does not know"
                                : number + " (" + std::string(tensor.type->id) + ")";
}

GgufSplit split_of(const GgufHeader& header, const std::string& name) {
  GgufSplit split;
  if (header.find("split.count") == nullptr) return split;
  const std::optional<std::int64_t> count = header.whole("split.count");
  const std::optional<std::int64_t> number = header.whole("split.no");
  if (!count || *count < 1 || *count > static_cast<std::int64_t>(kMostParts))
    throw Error(name + ": metadata key \"split.count\": it is no number of parts");
  if (*count > 1 && (!number || *number < 0 || *number >= *count)) {
    throw Error(name + ": metadata key \"split.no\": it is no part of " + std::to_string(*count));
  }
  split.count = static_cast<int>(*count);
  split.number = static_cast<int>(number.value_or(0));
  split.tensors = header.whole("split.tensors.count");
  return split;
}

std::string part_name(const std::string& name, const GgufSplit& split, int number) {
  const std::string own = ending(split.number, split.count);
  if (!name.ends_with(own)) {
    throw Error(name + ": it is " + part_text(split.number, split.count) + ", but its name does not end in " +
                own + ", so the others cannot be found");
  }
  return name.substr(0, name.size() - own.size()) + ending(number, split.count);
}

GgufHeader joined(std::vector<GgufHeader> parts, const std::vector<std::string>& names) {
  const GgufSplit whole = split_of(parts.front(), names.front());
  std::size_t tensors = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const GgufSplit split = split_of(parts[i], names[i]);
    if (split.number != static_cast<int>(i) || split.count != static_cast<int>(parts.size())) {
      throw Error(names[i] + ": it says it is " + part_text(split.number, split.count) + ", not " +
                  part_text(static_cast<int>(i), static_cast<int>(parts.size())));
    }
    tensors += parts[i].tensors.size();
  }
  if (whole.tensors && *whole.tensors != static_cast<std::int64_t>(tensors)) {
    throw Error(names.front() + ": metadata key \"split.tensors.count\": it states " +
                count_text(*whole.tensors) + " tensors, and the parts have " +
                count_text(static_cast<std::int64_t>(tensors)));
  }
  GgufHeader all = std::move(parts.front());
  for (std::size_t i = 1; i < parts.size(); ++i) {
    std::ranges::move(parts[i].tensors, std::back_inserter(all.tensors));
    all.header_size += parts[i].header_size;
    all.file_size += parts[i].file_size;
  }
  std::map<std::string_view, int> seen;
  for (const GgufTensor& tensor : all.tensors) {
    if (++seen[tensor.name] > 1)
      throw Error(names.front() + ": tensor " + in_quotes(tensor.name) + " is in two of the parts");
  }
  return all;
}

}  // namespace r1fit
