// The header reader on bytes made here: both versions, both byte orders, parts, and every way to be wrong.
#include "r1fit/gguf.hpp"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

#include "catch.hpp"
#include "gguf_bytes.hpp"
#include "r1fit/error.hpp"

using namespace r1fit;
using test::GgufWriter;
using test::MemorySource;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr std::uint32_t kF32 = 0;
constexpr std::uint32_t kQ4K = 12;

GgufHeader read(const std::string& bytes, std::uint64_t size = 0) {
  return read_gguf(MemorySource(bytes, size), builtin_catalog().tensor_types);
}

std::string refusal(const std::string& bytes, std::uint64_t size = 0) {
  try {
    static_cast<void>(read(bytes, size));
  } catch (const Error& error) {
    CHECK(error.status() == ExitStatus::usage);
    return error.what();
  }
  return "accepted";
}

GgufWriter good(std::uint32_t version = 3, bool big_endian = false) {
  GgufWriter writer(version, big_endian);
  writer.text("general.architecture", "llama")
      .u32("llama.block_count", 2)
      .i32("some.negative", -7)
      .f32("some.float", 1.5F)
      .u64("some.long", 1ULL << 40U)
      .flag("some.flag", 1)
      .numbers("llama.attention.head_count_kv", {2, 2})
      .texts("tokenizer.ggml.tokens", {"a", "", "ccc"})
      .tensor("token_embd.weight", {256, 3}, kQ4K, 3 * 144)
      .tensor("output_norm.weight", {256}, kF32, 1024);
  return writer;
}

std::string in_native_order(std::uint64_t value, std::size_t width) {
  std::string out;
  for (std::size_t i = 0; i < width; ++i) out += static_cast<char>((value >> (8 * i)) & 0xFFU);
  return out;
}
std::string u32_bytes(std::uint64_t value) { return in_native_order(value, 4); }
std::string u64_bytes(std::uint64_t value) { return in_native_order(value, 8); }

}  // namespace

TEST_CASE("a header reads alike in both versions and byte orders", "[gguf]") {
  const std::uint32_t version = GENERATE(2U, 3U);
  const bool big_endian = GENERATE(false, true);
  const GgufWriter writer = good(version, big_endian);
  const GgufHeader header = read(writer.file());
  CHECK(header.version == version);
  CHECK(header.big_endian == big_endian);
  CHECK(header.text("general.architecture") == "llama");
  CHECK(header.whole("llama.block_count") == 2);
  CHECK(header.whole("some.negative") == -7);
  CHECK(std::get<double>(*header.find("some.float")) == 1.5);
  CHECK(header.whole("some.long") == std::int64_t{1} << 40);
  CHECK(std::get<bool>(*header.find("some.flag")));
  CHECK(header.array("llama.attention.head_count_kv")->whole == std::vector<std::int64_t>{2, 2});
  CHECK(header.array("tokenizer.ggml.tokens")->count == 3);
  CHECK(header.find("absent") == nullptr);
  CHECK_FALSE(header.whole("general.architecture"));
  REQUIRE(header.tensors.size() == 2);
  CHECK(header.tensors[0].name == "token_embd.weight");
  CHECK(header.tensors[0].type->id == "Q4_K");
  CHECK(header.tensors[0].elements == 768);
  CHECK(header.tensors[0].size == bytes(432));
  CHECK(header.tensors[1].offset == 448);
  CHECK(header.header_size == bytes(static_cast<std::int64_t>(writer.header().size())));
  CHECK(header.file_size == bytes(static_cast<std::int64_t>(writer.file_size())));
}

TEST_CASE("nothing behind the header is read", "[gguf]") {
  const GgufWriter writer = good();
  const std::string header = writer.header();
  // A terabyte of data behind it.
  const MemorySource source(header, std::uint64_t{1} << 40U);
  CHECK(read_gguf(source, builtin_catalog().tensor_types).tensors.size() == 2);
  CHECK(source.furthest <= 65536);
  CHECK(source.reads == 1);
}

TEST_CASE("a vocabulary is walked in chunks and not kept", "[gguf]") {
  GgufWriter writer;
  const std::vector<std::string> words(200000, "some word");
  writer.texts("tokenizer.ggml.tokens", words).text("behind", "it");
  const std::string file = writer.file();
  const MemorySource source(file);
  const GgufHeader header = read_gguf(source, builtin_catalog().tensor_types);
  CHECK(header.array("tokenizer.ggml.tokens")->count == words.size());
  CHECK(header.array("tokenizer.ggml.tokens")->whole.empty());
  CHECK(header.text("behind") == "it");
  CHECK(static_cast<std::size_t>(source.reads) <= file.size() / 65536 + 2);
}

TEST_CASE("a text that nobody needs whole is cut", "[gguf]") {
  GgufWriter writer;
  writer.text("tokenizer.chat_template", std::string(1 << 20, 'x')).u32("behind", 5);
  const GgufHeader header = read(writer.file());
  CHECK(header.text("tokenizer.chat_template")->size() == 4096);
  CHECK(header.whole("behind") == 5);
}

TEST_CASE("what a file may lack or have more of is taken as it is", "[gguf]") {
  CHECK(read(GgufWriter().file()).tensors.empty());
  GgufWriter scalar;
  scalar.tensor("one", {}, kF32, 4);
  CHECK(read(scalar.file()).tensors.front().elements == 1);
  GgufWriter aligned;
  aligned.u32("general.alignment", 64).tensor_at("a", {16}, kF32, 0).tensor_at("b", {16}, kF32, 64);
  CHECK(read(aligned.file() + std::string(256, '\0')).tensors.size() == 2);
  GgufWriter unknown;
  unknown.tensor("new", {32}, 39, 17);
  const GgufTensor tensor = read(unknown.file()).tensors.front();
  CHECK(tensor.type == nullptr);
  CHECK_FALSE(tensor.size);
  CHECK(type_text(tensor) == "39, which the catalogue does not know");
}

TEST_CASE("every malformation is one sentence that says where", "[gguf]") {
  struct Case {
    std::string file;
    std::string says;
  };
  const auto with = [](const std::function<void(GgufWriter&)>& change) {
    GgufWriter writer;
    change(writer);
    return writer.file();
  };
  const std::string most = u64_bytes(std::numeric_limits<std::uint64_t>::max());
  const std::vector<Case> cases{
      {"", "test.gguf: the file is empty"},
      {"GG", "at byte 0: it does not begin with GGUF"},
      {"PK\3\4 and so on", "at byte 0: it does not begin with GGUF: this is no GGUF file"},
      {"tjgg\3\0\0\0", "before GGUF (2023)"},
      {"version https://git-lfs.github.com/spec/v1", "Git LFS"},
      {"GGUF", "at byte 4: the version takes 4 bytes, and the file has 0 more"},
      {GgufWriter(1).file(), "at byte 4: it is of GGUF version 1; versions 2 and 3 are read"},
      {GgufWriter(4).file(), "GGUF version 4"},
      {GgufWriter(0).file(), "GGUF version 0"},
      {GgufWriter(9, true).file(), "GGUF version 9"},
      {"GGUF" + u32_bytes(3) + u64_bytes(0), "at byte 16: a number takes 8 bytes, and the file has 0 more"},
      {with([](GgufWriter& w) { w.keys = 1000; }), "at byte 16: it states 1,000 metadata keys"},
      {with([](GgufWriter& w) { w.tensors = ~0ULL; }), "at byte 8: it states 18446744073709551615 tensors"},
      {with([](GgufWriter& w) { w.u32("", 1); }), "at byte 24, metadata key 1: the key is empty"},
      {with([](GgufWriter& w) { w.u32("a", 1).u32("a", 1); }), "metadata key \"a\": the key is there twice"},
      {with([](GgufWriter& w) { w.u32(std::string(70000, 'k'), 1); }), "65,535 are the most"},
      {with([](GgufWriter& w) { w.key_then("a", u32_bytes(13) + u64_bytes(0)); }),
       "metadata key \"a\": type 13 is none that metadata has"},
      {with([](GgufWriter& w) { w.flag("a", 2); }), "a truth value is 0 or 1, not 2"},
      {with([&](GgufWriter& w) { w.key_then("a", u32_bytes(8) + most); }),
       "the text states 18446744073709551615 bytes"},
      {with([&](GgufWriter& w) { w.key_then("a", u32_bytes(9) + u32_bytes(8) + most); }),
       "the array states 18446744073709551615 elements"},
      {with([&](GgufWriter& w) { w.key_then("a", u32_bytes(9) + u32_bytes(10) + u64_bytes(1ULL << 61U)); }),
       "elements, and the file has"},
      {with([&](GgufWriter& w) { w.key_then("a", u32_bytes(9) + u32_bytes(9) + u64_bytes(0)); }),
       "array of arrays"},
      {with([&](GgufWriter& w) { w.key_then("a", u32_bytes(9) + u32_bytes(8) + u64_bytes(1) + most); }),
       "an element states 18446744073709551615 bytes"},
      {with([](GgufWriter& w) { w.u32("general.alignment", 0); }), "the alignment is no power of two"},
      {with([](GgufWriter& w) { w.u32("general.alignment", 48); }), "the alignment is no power of two"},
      {with([](GgufWriter& w) { w.text("general.alignment", "32"); }), "the alignment is no power of two"},
      {with([](GgufWriter& w) { w.tensor("", {32}, kF32, 128); }), "tensor 1: the name is empty"},
      {with([](GgufWriter& w) { w.tensor(std::string(300, 'n'), {32}, kF32, 128); }), "256 are the most"},
      {with([](GgufWriter& w) {
         w.tensor("t", {1, 1, 1, 1, 1}, kF32, 4);
       }),
       "tensor \"t\": 5 dimensions; 4 are the most"},
      {with([](GgufWriter& w) {
         w.tensor("t", {32, 0}, kF32, 0);
       }),
       "tensor \"t\": a dimension is 0"},
      {with([](GgufWriter& w) {
         w.tensor("t", {1ULL << 32U, 1ULL << 32U}, kF32, 0);
       }),
       "the dimensions multiply to more than"},
      {with([](GgufWriter& w) { w.tensor("t", {1ULL << 63U}, kF32, 0); }), "the dimensions multiply to more"},
      {with([](GgufWriter& w) { w.tensor("t", {1ULL << 62U}, kF32, 0); }), "more bytes than can be counted"},
      {with([](GgufWriter& w) {
         w.tensor("t", {100, 4}, kQ4K, 0);
       }),
       "its rows of 100 elements are no multiple of the 256"},
      {with([](GgufWriter& w) { w.tensor("t", {8}, kF32, 32).tensor("t", {8}, kF32, 32); }),
       "tensor \"t\" is there twice"},
      {with([](GgufWriter& w) { w.tensor_at("t", {8}, kF32, 8); }),
       "its offset 8 is no multiple of the alignment, 32"},
      {with([](GgufWriter& w) { w.tensor("a", {64}, kF32, 256).tensor_at("b", {8}, kF32, 32); }),
       "tensor \"b\": it begins inside of tensor \"a\""},
      {with([](GgufWriter& w) { w.tensor_at("t", {8}, kF32, ~0ULL - 31); }), "before the tensor does"},
      {with([](GgufWriter& w) { w.tensor_at("t", {800}, kF32, 0); }), "it was cut short, or its download"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.says);
    const std::string said = refusal(one.file);
    CHECK_THAT(said, test::contains(one.says));
    CHECK(said.starts_with("test.gguf: "));
    CHECK(said.find('\n') == std::string::npos);
  }
}

TEST_CASE("a file cut short anywhere is refused", "[gguf]") {
  const bool big_endian = GENERATE(false, true);
  const std::string whole = good(3, big_endian).file();
  // The last tensor's own end; what follows is filling.
  for (std::size_t length = 0; length < whole.size(); ++length) {
    CAPTURE(length);
    REQUIRE(refusal(whole.substr(0, length)) != "accepted");
  }
  CHECK(refusal(whole) == "accepted");
}

TEST_CASE("a header of nothing but zeros is not walked to its end", "[gguf]") {
  GgufWriter writer;
  writer.key_then("a", u32_bytes(9) + u32_bytes(8) + u64_bytes(1ULL << 36U));
  const std::string file = writer.header();
  const MemorySource source(file, std::uint64_t{1} << 40U);
  CHECK_THROWS_WITH(read_gguf(source, builtin_catalog().tensor_types), test::contains("more than 256 MiB"));
}

TEST_CASE("parts of a split file are put together", "[gguf]") {
  const auto part = [](std::uint16_t number, std::uint16_t count, std::int32_t tensors,
                       const std::string& name) {
    GgufWriter writer;
    if (number == 0) writer.text("general.architecture", "llama");
    writer.u16("split.no", number).u16("split.count", count).i32("split.tensors.count", tensors);
    writer.tensor(name, {8}, kF32, 32);
    return read(writer.file());
  };
  const std::vector<std::string> names{"m-00001-of-00002.gguf", "m-00002-of-00002.gguf"};
  const auto join = [&](std::vector<GgufHeader> parts) { return joined(std::move(parts), names); };
  const GgufHeader all = join({part(0, 2, 2, "a"), part(1, 2, 2, "b")});
  CHECK(all.text("general.architecture") == "llama");
  CHECK(all.tensors.size() == 2);
  CHECK(all.file_size > part(0, 2, 2, "a").file_size);
  CHECK_THROWS_WITH(join({part(0, 2, 2, "a"), part(0, 2, 2, "b")}),
                    "m-00002-of-00002.gguf: it says it is part 1 of 2, not part 2 of 2");
  CHECK_THROWS_WITH(join({part(0, 3, 2, "a"), part(1, 2, 2, "b")}), test::contains("part 1 of 3"));
  CHECK_THROWS_WITH(join({part(0, 2, 3, "a"), part(1, 2, 3, "b")}), test::contains("it states 3 tensors"));
  CHECK_THROWS_WITH(join({part(0, 2, 2, "a"), part(1, 2, 2, "a")}), test::contains("in two of the parts"));
}

TEST_CASE("the names of parts follow from one of them", "[gguf]") {
  CHECK(part_name("dir/m-00002-of-00009.gguf", {1, 9, {}}, 0) == "dir/m-00001-of-00009.gguf");
  CHECK(part_name("m-00001-of-00012.gguf", {0, 12, {}}, 11) == "m-00012-of-00012.gguf");
  CHECK_THROWS_WITH(
      part_name("renamed.gguf", {1, 9, {}}, 0),
      "renamed.gguf: it is part 2 of 9, but its name does not end in -00002-of-00009.gguf, so the "
      "others cannot be found");
}

TEST_CASE("a split that is none is refused", "[gguf]") {
  const auto split = [](std::uint16_t number, std::uint16_t count) {
    GgufWriter writer;
    writer.u16("split.no", number).u16("split.count", count);
    return split_of(read(writer.file()), "m.gguf");
  };
  CHECK(split(0, 1).count == 1);
  CHECK(split(1, 3).number == 1);
  CHECK_THROWS_WITH(split(0, 0), test::contains("split.count"));
  CHECK_THROWS_WITH(split(3, 3), test::contains("split.no"));
}

TEST_CASE("whatever the fuzzer came upon is read or refused", "[gguf]") {
  namespace fs = std::filesystem;
  int replayed = 0;
  for (const fs::directory_entry& entry :
       fs::directory_iterator(fs::path(R1FIT_SOURCE_DIR) / "tests" / "data" / "fuzz" / "gguf")) {
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    const std::vector<std::uint8_t> data(bytes.begin(), bytes.end());
    CAPTURE(entry.path().filename().string());
    CHECK(LLVMFuzzerTestOneInput(data.data(), data.size()) == 0);
    ++replayed;
  }
  CHECK(replayed > 20);
}
