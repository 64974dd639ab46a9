// Catalogue folders: eight JSON files in one directory.
#pragma once

#include <filesystem>

#include "r1fit/catalog_json.hpp"

namespace r1fit {

/// Reads the eight files. Throws Error (ExitStatus::usage) naming the first one that is missing, empty,
/// unreadable or absurdly large.
CatalogTexts read_catalog_folder(const std::filesystem::path& folder);

/// Writes the eight files, making the folder where needed; each is written beside its place and renamed.
/// Throws Error: usage where one of the files is already there, broken where writing fails.
void write_catalog_folder(const std::filesystem::path& folder, const CatalogTexts& texts);

}  // namespace r1fit
