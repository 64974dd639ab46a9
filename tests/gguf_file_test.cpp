#include "r1fit/gguf_file.hpp"

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "catch.hpp"
#include "r1fit/error.hpp"

using namespace r1fit;
using test::contains;

namespace fs = std::filesystem;

namespace {

const fs::path kShipped = fs::path(R1FIT_SOURCE_DIR) / "tests" / "data" / "gguf";

GgufFile read(const fs::path& path) { return read_gguf_file(path.string(), builtin_catalog().tensor_types); }

/// A folder of its own, gone at the end.
struct Folder {
  Folder() { fs::create_directories(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { fs::remove_all(path); }
  fs::path path = fs::temp_directory_path() / ("r1fit-gguf-" + std::to_string(::getpid()));
};

}  // namespace

TEST_CASE("files of the gguf package read alike in both byte orders", "[gguf_file]") {
  const GgufFile little = read(kShipped / "tiny_llama.gguf");
  const GgufFile big = read(kShipped / "tiny_llama_big_endian.gguf");
  CHECK_FALSE(little.header.big_endian);
  CHECK(big.header.big_endian);
  CHECK(little.header.version == 3);
  CHECK(little.header.text("general.architecture") == "llama");
  CHECK(little.header.whole("llama.block_count") == 2);
  CHECK(little.header.array("tokenizer.ggml.tokens")->count == 32);
  REQUIRE(little.header.tensors.size() == 21);
  REQUIRE(big.header.tensors.size() == 21);
  for (std::size_t i = 0; i < 21; ++i) {
    CHECK(little.header.tensors[i].name == big.header.tensors[i].name);
    CHECK(little.header.tensors[i].dimensions == big.header.tensors[i].dimensions);
    CHECK(little.header.tensors[i].size == big.header.tensors[i].size);
  }
}

TEST_CASE("of a split file any part finds the others", "[gguf_file]") {
  for (const char* name : {"tiny_split-00001-of-00003.gguf", "tiny_split-00002-of-00003.gguf",
                           "tiny_split-00003-of-00003.gguf"}) {
    const GgufFile file = read(kShipped / name);
    CHECK(file.header.tensors.size() == 21);
    CHECK(file.header.text("general.name") == "Tiny Split");
    CHECK(fs::path(file.path).filename() == "tiny_split-00001-of-00003.gguf");
  }
}

TEST_CASE("a part that is missing is named", "[gguf_file]") {
  const Folder folder;
  const auto copy = [&](const std::string& name) { fs::copy(kShipped / name, folder.path / name); };
  copy("tiny_split-00001-of-00003.gguf");
  copy("tiny_split-00003-of-00003.gguf");
  const std::string first = (folder.path / "tiny_split-00001-of-00003.gguf").string();
  CHECK_THROWS_WITH(read(first),
                    first + ": of its 3 parts tiny_split-00002-of-00003.gguf is missing in the same folder");
  fs::remove(folder.path / "tiny_split-00003-of-00003.gguf");
  CHECK_THROWS_WITH(read(first),
                    contains("tiny_split-00002-of-00003.gguf is missing") && contains("and others"));
  fs::copy(kShipped / "tiny_split-00001-of-00003.gguf", folder.path / "renamed.gguf");
  CHECK_THROWS_WITH(read(folder.path / "renamed.gguf"),
                    contains("its name does not end in -00001-of-00003.gguf"));
}

TEST_CASE("what is no readable file is refused by name", "[gguf_file]") {
  const Folder folder;
  CHECK_THROWS_WITH(read(folder.path / "absent.gguf"), contains("absent.gguf: there is no such file"));
  fs::create_symlink("loop.gguf", folder.path / "loop.gguf");
  CHECK_THROWS_WITH(read(folder.path / "loop.gguf"),
                    contains("loop.gguf: cannot be opened: Too many levels of symbolic links"));
  CHECK_THROWS_WITH(read(folder.path / std::string(300, 'x')),
                    contains(": cannot be opened: File name too long"));
  CHECK_THROWS_WITH(read(folder.path), contains("it is a folder"));
  CHECK_THROWS_WITH(read("/dev/null"), contains("it is no regular file"));
  std::ofstream(folder.path / "empty.gguf").close();
  CHECK_THROWS_WITH(read(folder.path / "empty.gguf"), contains("the file is empty"));
  fs::copy(kShipped / "tiny_llama.gguf", folder.path / "cut.gguf");
  fs::resize_file(folder.path / "cut.gguf", 9000);
  CHECK_THROWS_WITH(read(folder.path / "cut.gguf"), contains("it was cut short"));
}
