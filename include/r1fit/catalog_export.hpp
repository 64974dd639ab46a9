// Catalog to JSON text, and the comparison of two catalogues.
#pragma once

#include <string>

#include "r1fit/catalog.hpp"
#include "r1fit/catalog_json.hpp"

namespace r1fit {

/// The eight texts of the catalogue; load_catalog() of them gives an equal one. Quantisations that extended
/// another one carry all their rules themselves.
CatalogTexts export_catalog(const Catalog& catalog);

/// Where the two differ first, and how: `gpus.json: /gpus/3/bandwidth: "936 GB/s" against "1008 GB/s"`.
/// Empty where they hold the same; where they come from is not compared.
std::string first_difference(const Catalog& a, const Catalog& b);

}  // namespace r1fit
