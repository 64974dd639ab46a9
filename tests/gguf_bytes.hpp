// GGUF files made in memory: a small writer that knows nothing of the reader, and a source of its bytes.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "r1fit/gguf.hpp"

namespace r1fit::test {

/// Bytes in memory; what `size` says beyond them reads as zeros, as the data of a sparse file do.
class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(std::string_view held, std::uint64_t size = 0, std::string name = "test.gguf")
      : held_(held), size_(std::max<std::uint64_t>(size, held.size())), name_(std::move(name)) {}

  [[nodiscard]] const std::string& name() const override { return name_; }
  [[nodiscard]] std::uint64_t size() const override { return size_; }
  void read(std::uint64_t offset, std::span<char> out) const override {
    ++reads;
    furthest = std::max(furthest, offset + out.size());
    std::ranges::fill(out, '\0');
    if (offset < held_.size()) held_.copy(out.data(), out.size(), static_cast<std::size_t>(offset));
  }

  mutable int reads = 0;
  mutable std::uint64_t furthest = 0;  ///< end of what was read

 private:
  std::string_view held_;
  std::uint64_t size_;
  std::string name_;
};

/// Writes metadata and tensor infos one after the other, right or wrong, as it is told.
class GgufWriter {
 public:
  explicit GgufWriter(std::uint32_t version = 3, bool big_endian = false)
      : version_(version), big_endian_(big_endian) {}

  template <class T>
  void raw(std::string& out, T value) const {
    auto bytes = std::bit_cast<std::array<char, sizeof(T)>>(value);
    if (big_endian_ != (std::endian::native == std::endian::big)) std::ranges::reverse(bytes);
    out.append(bytes.data(), bytes.size());
  }
  void raw_text(std::string& out, std::string_view text) const {
    raw<std::uint64_t>(out, text.size());
    out += text;
  }

  GgufWriter& text(std::string_view key, std::string_view value) {
    begin(key, 8);
    raw_text(metadata_, value);
    return *this;
  }
  GgufWriter& u16(std::string_view key, std::uint16_t value) { return put(key, 2, value); }
  GgufWriter& u32(std::string_view key, std::uint32_t value) { return put(key, 4, value); }
  GgufWriter& i32(std::string_view key, std::int32_t value) { return put(key, 5, value); }
  GgufWriter& f32(std::string_view key, float value) { return put(key, 6, value); }
  GgufWriter& u64(std::string_view key, std::uint64_t value) { return put(key, 10, value); }
  GgufWriter& flag(std::string_view key, std::uint8_t value) { return put(key, 7, value); }
  GgufWriter& texts(std::string_view key, const std::vector<std::string>& values) {
    begin(key, 9);
    raw<std::uint32_t>(metadata_, 8);
    raw<std::uint64_t>(metadata_, values.size());
    for (const std::string& value : values) raw_text(metadata_, value);
    return *this;
  }
  GgufWriter& numbers(std::string_view key, const std::vector<std::int32_t>& values) {
    begin(key, 9);
    raw<std::uint32_t>(metadata_, 5);
    raw<std::uint64_t>(metadata_, values.size());
    for (const std::int32_t value : values) raw(metadata_, value);
    return *this;
  }
  /// A key whose type and value are `rest`, to the byte.
  GgufWriter& key_then(std::string_view key, std::string_view rest) {
    raw_text(metadata_, key);
    metadata_ += rest;
    ++keys;
    return *this;
  }

  /// A tensor info of `size` bytes of data, which the next one follows at the next multiple of 32.
  GgufWriter& tensor(std::string_view name, std::initializer_list<std::uint64_t> dimensions,
                     std::uint32_t type, std::uint64_t size) {
    tensor_at(name, dimensions, type, data_);
    data_ += (size + 31) / 32 * 32;
    return *this;
  }
  GgufWriter& tensor_at(std::string_view name, std::initializer_list<std::uint64_t> dimensions,
                        std::uint32_t type, std::uint64_t offset) {
    raw_text(infos_, name);
    raw<std::uint32_t>(infos_, static_cast<std::uint32_t>(dimensions.size()));
    for (const std::uint64_t one : dimensions) raw(infos_, one);
    raw(infos_, type);
    raw(infos_, offset);
    ++tensors;
    return *this;
  }

  /// The header, filled up to the alignment.
  [[nodiscard]] std::string header() const {
    std::string out = "GGUF";
    raw(out, version_);
    raw<std::uint64_t>(out, tensors);
    raw<std::uint64_t>(out, keys);
    out += metadata_ + infos_;
    out.resize((out.size() + 31) / 32 * 32, '\0');
    return out;
  }
  /// Bytes of the whole file.
  [[nodiscard]] std::uint64_t file_size() const { return header().size() + data_; }
  /// The whole file, its data zeros.
  [[nodiscard]] std::string file() const {
    std::string out = header();
    out.resize(static_cast<std::size_t>(file_size()), '\0');
    return out;
  }

  std::uint64_t keys = 0;     ///< as stated in the header
  std::uint64_t tensors = 0;  ///< the same

 private:
  void begin(std::string_view key, std::uint32_t kind) {
    raw_text(metadata_, key);
    raw(metadata_, kind);
    ++keys;
  }
  template <class T>
  GgufWriter& put(std::string_view key, std::uint32_t kind, T value) {
    begin(key, kind);
    raw(metadata_, value);
    return *this;
  }

  std::uint32_t version_;
  bool big_endian_;
  std::string metadata_;
  std::string infos_;
  std::uint64_t data_ = 0;
};

}  // namespace r1fit::test
