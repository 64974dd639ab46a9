#include "r1fit/catalog_export.hpp"

#include "catch.hpp"
#include "r1fit/catalog_json.hpp"
#include "tiny_catalog.hpp"

using namespace r1fit;
using r1fit::test::tiny_catalog;
using r1fit::test::with_change;

TEST_CASE("what is written loads as the same catalogue") {
  const CatalogTexts texts = export_catalog(tiny_catalog());
  const LoadedCatalog again = load_catalog(texts, "again");
  CHECK(first_difference(tiny_catalog(), again.catalog).empty());
  CHECK(export_catalog(again.catalog).gpus == texts.gpus);
}

TEST_CASE("the first difference of two catalogues is named") {
  const auto difference = [](const CatalogTexts& texts) {
    return first_difference(tiny_catalog(), load_catalog(texts, "changed").catalog);
  };
  CHECK(difference(with_change(&CatalogTexts::gpus, "\"1008 GB/s\"", "\"1009 GB/s\"")) ==
        "gpus.json: /gpus/0/bandwidth: \"1008 GB/s\" against \"1009 GB/s\"");
  CHECK(difference(with_change(&CatalogTexts::models, "\"notes\": \"one text", "\"notes\": \"another text"))
            .substr(0, 30) == "models.json: /models/2/notes: ");
}
