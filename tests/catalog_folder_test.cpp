#include "r1fit/catalog_folder.hpp"

#include <filesystem>
#include <fstream>

#include "catch.hpp"
#include "tiny_catalog.hpp"

using namespace r1fit;
using r1fit::test::error_of;
using r1fit::test::tiny_texts;

TEST_CASE("catalogue folders are read and written whole") {
  const auto folder = std::filesystem::temp_directory_path() / "r1fit-catalog-folder-test";
  std::filesystem::remove_all(folder);
  CHECK(error_of([&] { read_catalog_folder(folder); }) == folder.string() + ": no such catalogue folder");
  write_catalog_folder(folder, tiny_texts());
  CHECK(read_catalog_folder(folder).gpus == tiny_texts().gpus);
  CHECK(error_of([&] { write_catalog_folder(folder, tiny_texts()); }) ==
        (folder / "models.json").string() + ": already there");
  std::ofstream(folder / "hosts.json", std::ios::trunc).close();
  CHECK(error_of([&] { read_catalog_folder(folder); }) ==
        (folder / "hosts.json").string() + ": the file is empty");
  std::filesystem::remove(folder / "gpus.json");
  CHECK(error_of([&] { read_catalog_folder(folder); }) == (folder / "gpus.json").string() + ": no such file");
  CHECK(error_of([&] { read_catalog_folder(folder / "hosts.json"); }) ==
        (folder / "hosts.json").string() + ": not a folder");
  std::filesystem::remove_all(folder);
}
