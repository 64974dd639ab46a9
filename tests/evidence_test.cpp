#include "r1fit/evidence.hpp"

#include "catch.hpp"
#include "r1fit/lookup.hpp"
#include "tiny_catalog.hpp"

using namespace r1fit;
using r1fit::test::contains;
using r1fit::test::tiny_catalog;

namespace {

Machine machine_of(std::vector<Text> cards, Text host = "", const Catalog& catalog = tiny_catalog()) {
  Machine machine;
  for (const Text card : cards) {
    const Gpu& gpu = *gpu_named(catalog, card).gpu;
    machine.devices.push_back(make_device(catalog, gpu, gpu.memory.back(), {}, {}, {}));
  }
  const Host* platform = host.empty() ? nullptr : &host_named(catalog, host);
  machine.host = make_host(catalog, gib(512), platform, {});
  return machine;
}

Sought sought(Text model, Text quant, PlacementMode mode = PlacementMode::gpu,
              const Catalog& catalog = tiny_catalog()) {
  return {model_named(catalog, model).shape, &quant_named(catalog, quant), mode, tokens(512)};
}

/// What is said of the runs, one a line.
std::string lines(const Sought& question, const Machine& machine) {
  std::string text;
  for (const NearRun& near : nearest_runs(tiny_catalog(), question, machine)) text += said(near) + "\n";
  return text;
}

}  // namespace

TEST_CASE("the nearest run is of the same card, quant and shapes") {
  CHECK(lines(sought("r1-distill-llama-8b", "Q4_K_M"), machine_of({"rtx-4090"})) ==
        "same card, quant and shapes: 131 tok/s with Llama-3-8B Q4_K_M, llama.cpp, at 256 tokens of context, "
        "2024\n"
        "same card and quant, another model: 44.5 tok/s with R1-Distill-Qwen-32B Q4_K_M, Ollama, 2026\n"
        "same card and shapes, another quant, 2 cards: 90.0 tok/s with Llama-3-8B Q8_0 on 2x RTX 4090 24GB, "
        "llama.cpp, at 0 tokens of context, 2024\n");
}

TEST_CASE("a run laid out otherwise comes behind those laid out alike") {
  const std::string alike = lines(sought("r1-distill-qwen-32b", "Q4_K_M"), machine_of({"rtx-4090"}));
  CHECK_THAT(alike, contains("same card, quant and shapes: 44.5 tok/s"));
  const std::string apart =
      lines(sought("r1-distill-qwen-32b", "Q4_K_M", PlacementMode::partial), machine_of({"rtx-4090"}));
  CHECK(apart.starts_with("same card, quant and shapes: 10.0 tok/s"));
  CHECK_THAT(apart, contains("same card, quant and shapes, nothing in host memory: 44.5 tok/s"));
}

TEST_CASE("without a run on the card those of its class with the same quant and shapes are named") {
  CHECK(lines(sought("r1-distill-qwen-32b", "Q4_K_M"), machine_of({"rtx-4080"})) ==
        "same quant and shapes, another card of the class: 44.5 tok/s with R1-Distill-Qwen-32B Q4_K_M on RTX "
        "4090 24GB, Ollama, 2026\n");
  CHECK(lines(sought("r1-distill-qwen-32b", "Q8_0"), machine_of({"rtx-4080"})).empty());
}

TEST_CASE("an outlier comes last and is called one") {
  const auto found =
      nearest_runs(tiny_catalog(), sought("r1-distill-llama-8b", "Q4_K_M"), machine_of({"rtx-3090"}));
  REQUIRE(found.size() == 2);
  CHECK(found[0].run->outlier.empty());
  CHECK_THAT(said(found[1]), contains("; an outlier: a tenth of its peers"));
}

TEST_CASE("a mixed set is its own set of cards, and another quantity is another quant") {
  CHECK(lines(sought("r1-distill-llama-8b", "Q8_0"), machine_of({"rtx-4090", "rtx-3090"}))
            .starts_with(
                "same cards and shapes, another quant: 80.0 tok/s with Llama-3.1-8B INT8, ExLlamaV2, at "
                "64 tokens of context\n"));
}

TEST_CASE("with experts in host memory the platform decides") {
  const Sought question = sought("r1-671b", "Q4_K_M", PlacementMode::experts_on_host);
  CHECK(lines(question, machine_of({"rtx-4090"}, "epyc-genoa"))
            .starts_with(
                "same card, platform, quant and shapes: 9.00 tok/s with DeepSeek-V3-671B Q4_K_M on RTX "
                "4090 24GB + EPYC 9654, llama.cpp"));
  CHECK(lines(question, machine_of({"rtx-3090"}, "epyc-genoa"))
            .starts_with("same platform, quant and shapes, another card: 9.00"));
  CHECK(lines(question, machine_of({"rtx-4090"}))
            .starts_with("same card, quant and shapes, another platform: 9.00"));
  CHECK(lines(question, machine_of({"rtx-3090"}, "ddr4-3200-dual")).empty());
}

TEST_CASE("a run on the CPU is near to its platform and class") {
  const Sought question = sought("r1-distill-llama-8b", "Q4_K_M", PlacementMode::cpu);
  CHECK(
      lines(question, machine_of({}, "ddr4-3200-dual")).starts_with("same platform, quant and shapes: 7.50"));
  CHECK(lines(question, machine_of({}, "ddr5-5600-dual"))
            .starts_with("same quant and shapes, another platform of the class: 7.50"));
  CHECK(lines(question, machine_of({})).empty());
}

TEST_CASE("hardware without a name is near to nothing") {
  Machine machine;
  machine.devices.push_back(make_nameless_device(tiny_catalog(), gib(24), {}, {}, {}));
  CHECK(lines(sought("r1-distill-llama-8b", "Q4_K_M"), machine).empty());
  // One card without a name makes the whole set unknown.
  machine = machine_of({"rtx-4090"});
  machine.devices.push_back(make_nameless_device(tiny_catalog(), gib(24), {}, {}, {}));
  CHECK(lines(sought("r1-distill-llama-8b", "Q4_K_M"), machine).empty());
}

TEST_CASE("a sentence ends in its source") {
  const auto found =
      nearest_runs(tiny_catalog(), sought("r1-distill-qwen-32b", "Q4_K_M"), machine_of({"rtx-4090"}));
  REQUIRE_FALSE(found.empty());
  CHECK(sentence(found[0]) == said(found[0]) + " (https://example.org/ollama)");
}

TEST_CASE("of every measured card or platform its own runs are the nearest") {
  const Catalog& catalog = builtin_catalog();
  for (const Measurement& run : catalog.measurements) {
    if (!run.outlier.empty() || !run.ran_quant.empty()) continue;
    std::vector<Text> cards;
    for (const MeasuredGpu& one : run.gpus)
      cards.insert(cards.end(), static_cast<std::size_t>(one.count), one.gpu->id);
    if (cards.empty() && run.host == nullptr) continue;
    if (run.placement == PlacementMode::experts_on_host && run.host == nullptr) continue;
    CAPTURE(run.hardware, run.ran, run.quant->id);
    const Machine machine = machine_of(cards, run.host == nullptr ? "" : run.host->id, catalog);
    const auto found =
        nearest_runs(catalog, {run.model->shape, run.quant, run.placement, run.depth}, machine);
    REQUIRE_FALSE(found.empty());
    const Measurement& nearest = *found.front().run;
    CHECK(nearest.model->shape == run.model->shape);
    CHECK(nearest.quant == run.quant);
    CHECK(nearest.placement == run.placement);
    CHECK(nearest.host == run.host);
    CHECK(found.front().differs.starts_with("same "));
  }
}
