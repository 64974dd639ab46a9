// JSON text to Catalog, refusing whatever is unknown, missing, double, impossible or without unit or
// source. A catalogue is text here; folders are read in catalog_folder.hpp.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "r1fit/catalog.hpp"

namespace r1fit {

/// The texts of the eight files that make a catalogue.
struct CatalogTexts {
  std::string models, quants, files, gpus, hosts, constants, engines, measurements, speed;
};

struct CatalogFile {
  std::string_view name;  ///< "models.json"
  std::string CatalogTexts::*text;
};
inline constexpr std::array kCatalogFiles{
    CatalogFile{"models.json", &CatalogTexts::models},
    CatalogFile{"quants.json", &CatalogTexts::quants},
    CatalogFile{"files.json", &CatalogTexts::files},
    CatalogFile{"gpus.json", &CatalogTexts::gpus},
    CatalogFile{"hosts.json", &CatalogTexts::hosts},
    CatalogFile{"constants.json", &CatalogTexts::constants},
    CatalogFile{"engines.json", &CatalogTexts::engines},
    CatalogFile{"measurements.json", &CatalogTexts::measurements},
    CatalogFile{"speed.json", &CatalogTexts::speed},
};

/// A catalogue and what its texts and lists lie in; the catalogue is valid as long as one copy lives.
struct LoadedCatalog {
  Catalog catalog;
  std::shared_ptr<const void> storage;
};

/// Reads the eight texts. Throws Error with one sentence naming the file and the JSON path at fault, such
/// as `models.json: /models/3/max_context: must be a whole number of tokens, is a string`.
LoadedCatalog load_catalog(const CatalogTexts& texts, std::string_view origin);

}  // namespace r1fit
