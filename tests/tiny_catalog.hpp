// The small fixed catalogue of most tests, so that edits of data/ do not disturb them.
#pragma once

#include <filesystem>
#include <string>

#include "catch.hpp"
#include "r1fit/catalog_folder.hpp"
#include "r1fit/catalog_json.hpp"

namespace r1fit::test {

/// tests/data, found beside this file.
inline std::filesystem::path data_folder() { return std::filesystem::path(__FILE__).parent_path() / "data"; }

inline const CatalogTexts& tiny_texts() {
  static const CatalogTexts texts = read_catalog_folder(data_folder() / "tiny_catalog");
  return texts;
}

inline const Catalog& tiny_catalog() {
  static const LoadedCatalog loaded = load_catalog(tiny_texts(), "tiny");
  return loaded.catalog;
}

/// The tiny catalogue with the first `found` of one file replaced.
inline CatalogTexts with_change(std::string CatalogTexts::*file, const std::string& found,
                                const std::string& replacement) {
  CatalogTexts texts = tiny_texts();
  const std::size_t at = (texts.*file).find(found);
  INFO("not in the tiny catalogue: " << found);
  REQUIRE(at != std::string::npos);
  (texts.*file).replace(at, found.size(), replacement);
  return texts;
}

}  // namespace r1fit::test
