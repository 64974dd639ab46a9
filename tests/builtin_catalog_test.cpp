// The catalogue as shipped: the tables generated from data/ hold what data/ says, and every name in them
// leads back to its record.
#include <string>
#include <variant>

#include "catch.hpp"
#include "r1fit/catalog_export.hpp"
#include "r1fit/lookup.hpp"
#include "r1fit/weights.hpp"
#include "tiny_catalog.hpp"

using namespace r1fit;

TEST_CASE("the tables built in are the catalogue of data/") {
  const auto folder = test::data_folder().parent_path().parent_path() / "data";
  const LoadedCatalog loaded = load_catalog(read_catalog_folder(folder), "data");
  CHECK(first_difference(builtin_catalog(), loaded.catalog).empty());
  CHECK(builtin_catalog().origin == "built in");
}

TEST_CASE("the built-in catalogue exported loads again as the same") {
  const LoadedCatalog loaded = load_catalog(export_catalog(builtin_catalog()), "export");
  CHECK(first_difference(builtin_catalog(), loaded.catalog).empty());
}

TEST_CASE("every id finds its own record, every name it or an ambiguity with it") {
  const Catalog& catalog = builtin_catalog();
  for (const Gpu& gpu : catalog.gpus) {
    CAPTURE(gpu.id);
    CHECK(gpu_named(catalog, gpu.id).gpu == &gpu);
    const GpuLookup by_name = find_gpu(catalog, gpu.name);
    const auto* found = std::get_if<FoundGpu>(&by_name);
    CHECK((found == nullptr ? problem(by_name, gpu.name) : std::string(found->gpu->id)) == gpu.id);
    for (const Text alias : gpu.aliases) {
      CAPTURE(alias);
      const GpuLookup answer = find_gpu(catalog, alias);
      CHECK((std::holds_alternative<FoundGpu>(answer) || std::holds_alternative<Ambiguous<Gpu>>(answer)));
    }
  }
  for (const Host& host : catalog.hosts) CHECK(&host_named(catalog, host.id) == &host);
  for (const Engine& engine : catalog.engines) CHECK(&engine_named(catalog, engine.id) == &engine);
  for (const Quant& quant : catalog.quants) CHECK(&quant_named(catalog, quant.id) == &quant);
  for (const Model& model : catalog.models) {
    CAPTURE(model.id);
    CHECK(&model_named(catalog, model.id) == &model);
    CHECK(&model_named(catalog, model.name) == &model);
    CHECK(&model_named(catalog, model.hf_repo) == &model);
  }
  for (const PublishedFile& file : catalog.files) {
    if (file.ollama) CHECK(model_and_quant_named(catalog, file.repo).model == file.model);
  }
  for (const NoSuchHardware& record : catalog.no_such_hardware) {
    CHECK(std::holds_alternative<NeverSold>(find_gpu(catalog, record.name)));
  }
}

TEST_CASE("what a token reads is known of every measured model") {
  const Catalog& catalog = builtin_catalog();
  for (const Measurement& measured : catalog.measurements) {
    CAPTURE(measured.hardware, measured.ran, measured.quant->id, measured.source);
    CHECK(weights_of(catalog, *measured.model, *measured.quant, Workload{}).total() > Bytes{});
    if (measured.backend == Backend::cpu) CHECK(measured.placement == PlacementMode::cpu);
    // The text a person reads speaks of as many cards as the list.
    if (measured.gpus.size() == 1 && measured.gpus[0].count > 1) {
      CHECK(measured.hardware.starts_with(std::to_string(measured.gpus[0].count) + "x "));
    }
  }
}
