// Any bytes at all as a GGUF file: read or refused in one sentence, never anything else. libFuzzer calls this
// in the fuzz preset; inspect_test.cpp calls it with what is in tests/data/fuzz/gguf.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "gguf_bytes.hpp"
#include "r1fit/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

/// The file goes on for so long behind the bytes that were made up, so that there is room for tensors.
constexpr std::uint64_t kBehind = std::uint64_t{1} << 22U;

void read(std::string_view bytes, std::uint64_t file_size) {
  try {
    const r1fit::test::MemorySource source(bytes, file_size);
    const r1fit::GgufHeader header = r1fit::read_gguf(source, r1fit::builtin_catalog().tensor_types);
    static_cast<void>(r1fit::split_of(header, source.name()));
  } catch (const r1fit::Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes as characters
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  read(bytes, bytes.size());
  read(bytes, bytes.size() + kBehind);
  return 0;
}
