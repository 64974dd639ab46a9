#include "r1fit/catalog_json.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "catch.hpp"
#include "tiny_catalog.hpp"

using namespace r1fit;
using r1fit::test::contains;
using r1fit::test::error_of;
using r1fit::test::tiny_catalog;
using r1fit::test::tiny_texts;
using r1fit::test::with_change;
using Member = std::string CatalogTexts::*;

namespace {

std::string load_error(const CatalogTexts& texts) {
  return error_of([&] { load_catalog(texts, "test"); });
}

struct Fault {
  Member file;
  const char* found;
  const char* replacement;
  const char* sentence;
};

constexpr Member kModels = &CatalogTexts::models;
constexpr Member kQuants = &CatalogTexts::quants;
constexpr Member kFiles = &CatalogTexts::files;
constexpr Member kGpus = &CatalogTexts::gpus;
constexpr Member kHosts = &CatalogTexts::hosts;
constexpr Member kConstants = &CatalogTexts::constants;
constexpr Member kEngines = &CatalogTexts::engines;
constexpr Member kMeasurements = &CatalogTexts::measurements;

void check_all(const std::vector<Fault>& faults) {
  for (const Fault& fault : faults) {
    CAPTURE(fault.found, fault.replacement);
    CHECK(load_error(with_change(fault.file, fault.found, fault.replacement)) == fault.sentence);
  }
}

}  // namespace

TEST_CASE("the tiny catalogue loads with its references resolved") {
  const Catalog& catalog = tiny_catalog();
  CHECK(catalog.origin == "tiny");
  REQUIRE(catalog.gpus.size() == 20);
  const Gpu& card = catalog.gpus[0];
  CHECK(card.id == "rtx-4090");
  CHECK(card.memory.front() == gib(24));
  CHECK(card.bandwidth == gb_per_s(1008));
  CHECK(card.speed->id == "nvidia-gddr");
  CHECK(catalog.models[0].shape->mla.has_value());
  CHECK(catalog.models[0].shape->moe->routed_experts == 256);
}

TEST_CASE("an extending quantisation has its own rules first") {
  const auto find = [](Text id) {
    const auto& quants = tiny_catalog().quants;
    return *std::find_if(quants.begin(), quants.end(), [&](const Quant& q) { return q.id == id; });
  };
  const Quant base = find("Q4_K_M");
  const Quant extended = find("Q4_K_L");
  CHECK(extended.base == base.base);
  REQUIRE(extended.rules.size() == base.rules.size() + 1);
  CHECK(extended.rules[0].type->id == "Q8_0");
  CHECK(extended.rules[1].type == base.rules[0].type);
  CHECK(base.rules[1].layers == LayerSet::more_bits);
  CHECK((base.rules[1].roles & (1U << static_cast<unsigned>(TensorRole::ffn_down))) != 0);
}

TEST_CASE("a file must be one object") {
  CatalogTexts texts = tiny_texts();
  texts.hosts = "[]";
  CHECK(load_error(texts) == "hosts.json: must be an object, is a list");
  texts.hosts = "";
  CHECK_THAT(load_error(texts), contains("hosts.json: line 1, column 1: "));
}

TEST_CASE("keys must be known, present and single") {
  check_all({
      {kGpus,
       "\"bandwidth\":", "\"bandwith\":", "gpus.json: /gpus/0/bandwith: unknown key; nearest: bandwidth"},
      {kGpus, "\"backend\": \"cuda\",", "", "gpus.json: /gpus/0: lacks the key \"backend\""},
      {kGpus, "\"backend\": \"cuda\",", "\"backend\": \"cuda\", \"backend\": \"rocm\",",
       "gpus.json: /gpus/0/backend: this key stands twice in the same object"},
      {kGpus, "\"covers\": [", "\"a/b~c\\u0001\": 1, \"covers\": [",
       "gpus.json: /gpus/0/sources/0/a~1b~0c?: unknown key"},
      {kGpus, "\"gpus\": [", "\"gpu\": [", "gpus.json: /gpu: unknown key; nearest: gpus"},
      {kGpus, "r1fit.catalog.gpus/1", "r1fit.catalog.gpus/2",
       "gpus.json: /schema: must be \"r1fit.catalog.gpus/1\""},
      {kModels, "\"q_lora_rank\"", "\"q_lora\"",
       "models.json: /shapes/0/mla/q_lora: unknown key; nearest: q_lora_rank"},
  });
}

TEST_CASE("values must be of their kind") {
  check_all({
      {kModels, "\"max_context\": 131072", "\"max_context\": \"131072\"",
       "models.json: /models/1/max_context: must be a whole number of tokens, is a string"},
      {kModels, "\"max_context\": 131072", "\"max_context\": 131072.5",
       "models.json: /models/1/max_context: must be a whole number of tokens, is 131072.5"},
      {kModels, "\"layers\": 61", "\"layers\": true",
       "models.json: /shapes/0/layers: must be a whole number, is true"},
      {kModels, "\"attention_bias\": false", "\"attention_bias\": 0",
       "models.json: /shapes/0/attention_bias: must be true or false, is 0"},
      {kGpus, "\"24 GiB\"", "24",
       "gpus.json: /gpus/0/memory/0: must be a size with its unit, such as \"24 GiB\", is 24"},
      {kGpus, "\"24 GiB\"", "\"24\"",
       "gpus.json: /gpus/0/memory/0: must be a size with its unit, such as \"24 GiB\", is \"24\""},
      {kGpus, "\"1008 GB/s\"", "\"1008 Gb/s\"",
       "gpus.json: /gpus/0/bandwidth: must be a bandwidth with its unit, such as \"936 GB/s\", is \"1008 "
       "Gb/s\""},
      {kGpus, "\"memory\": [\"24 GiB\"]", "\"memory\": \"24 GiB\"",
       "gpus.json: /gpus/0/memory: must be a list, is a string"},
      {kGpus, "\"vendor\": \"nvidia\"", "\"vendor\": \"NVIDIA\"",
       "gpus.json: /gpus/0/vendor: must be one of nvidia, amd, apple, intel, other, is \"NVIDIA\""},
      {kGpus, "\"confidence\": \"medium\"", "\"confidence\": \"certain\"",
       "gpus.json: /gpus/0/sources/0/confidence: must be one of high, medium, low, is \"certain\""},
      {kGpus, "\"name\": \"GeForce RTX 4090\"", "\"name\": null",
       "gpus.json: /gpus/0/name: must be a text, is null"},
      {kModels, "\"released\": \"2025-01-20\"", "\"released\": \"20 January 2025\"",
       "models.json: /models/0/released: must be a date YYYY-MM-DD, is \"20 January 2025\""},
      {kGpus, "\"id\": \"rtx-4090\"", "\"id\": \"RTX 4090\"",
       "gpus.json: /gpus/0/id: must be an id of a-z, 0-9, '.' and '-', is \"RTX 4090\""},
      {kQuants, "\"layers\": \"more_bits\"", "\"layers\": {\"last\": 2}",
       "quants.json: /quants/2/rules/1/layers: must be \"all\", \"more_bits\" or one of {\"first\": n}, "
       "{\"first_fraction\": n}, {\"middle\": n}"},
      {kQuants, "\"tensors\": [\"output\"]", "\"tensors\": [\"outputs\"]",
       "quants.json: /quants/2/rules/0/tensors/0: no tensor has the role \"outputs\"; nearest: output"},
  });
}

TEST_CASE("values must be possible") {
  check_all({
      {kGpus, "\"1008 GB/s\"", "\"101 TB/s\"",
       "gpus.json: /gpus/0/bandwidth: impossible value \"101 TB/s\"; possible: 0.1 GB/s to 100000 GB/s"},
      {kGpus, "\"1008 GB/s\"", "\"0 GB/s\"",
       "gpus.json: /gpus/0/bandwidth: impossible value \"0 GB/s\"; possible: 0.1 GB/s to 100000 GB/s"},
      {kGpus, "\"24 GiB\"", "\"-24 GiB\"",
       "gpus.json: /gpus/0/memory/0: must be a size with its unit, such as \"24 GiB\", is \"-24 GiB\""},
      {kGpus, "\"launch_year\": 2022", "\"launch_year\": 22",
       "gpus.json: /gpus/0/launch_year: impossible value 22; possible: 2,000 to 2,100"},
      {kModels, "\"layers\": 61", "\"layers\": 0",
       "models.json: /shapes/0/layers: impossible value 0; possible: 1 to 10,000"},
      {kModels, "\"layers\": 61", "\"layers\": 18446744073709551615",
       "models.json: /shapes/0/layers: impossible value 18446744073709551615; possible: 1 to 10,000"},
      {kModels, "\"max_context\": 131072", "\"max_context\": -1",
       "models.json: /models/1/max_context: impossible value -1; possible: 1 to 1,000,000,000"},
      {kConstants, "\"share\": 0.", "\"share\": 1.",
       "constants.json: /working_sets/0/steps/0/share: impossible value 1.6667; possible: 1e-06 to 1.0"},
      {kGpus, "\"name\": \"GeForce RTX 4090\"", "\"name\": \"\"",
       "gpus.json: /gpus/0/name: must not be empty"},
      {kGpus, "\"name\": \"GeForce RTX 4090\"", "\"name\": \" x\"",
       "gpus.json: /gpus/0/name: must not begin or end with a space"},
      {kGpus, "\"name\": \"GeForce RTX 4090\"", "\"name\": \"a\\nb\"",
       "gpus.json: /gpus/0/name: must not contain control characters"},
      {kGpus, "\"memory\": [\"24 GiB\"]", "\"memory\": []", "gpus.json: /gpus/0/memory: must not be empty"},
      {kGpus, "\"memory\": [\"24 GiB\"]", "\"memory\": [\"24 GiB\", \"16 GiB\"]",
       "gpus.json: /gpus/0/memory/1: must be above the size before"},
      {kGpus, "\"aliases\": []", "\"aliases\": [\"\"]", "gpus.json: /gpus/0/aliases/0: must not be empty"},
      {kGpus, "\"aliases\": []", "\"aliases\": [\"x\", \"x\"]",
       "gpus.json: /gpus/0/aliases/1: stands twice in this list"},
      {kHosts, "\"bandwidth\": \"51.2 GB/s\"", "\"bandwidth\": \"512 GB/s\"",
       "hosts.json: /hosts/0/bandwidth: is above what its channels carry, 51.2 GB/s"},
      {kModels, "\"offered\": true", "\"offered\": false",
       "models.json: /models/0/why_not_offered: must be given exactly where \"offered\" is false"},
      {kModels, "\"head_dim\": 0", "\"head_dim\": 128",
       "models.json: /shapes/0/head_dim: must be 0 exactly where \"mla\" is given"},
  });
  const std::string low_above_high =
      load_error(with_change(kConstants, R"("typical": "170 MiB")", R"("typical": "9170 MiB")"));
  CHECK_THAT(low_above_high, contains("constants.json: /runtime_classes/0/typical: is above \"high\""));
  const auto error_with = [](std::string CatalogTexts::*file, const char* found, const char* replacement) {
    return load_error(with_change(file, found, replacement));
  };
  CHECK_THAT(error_with(kConstants, R"("typical": "0.65 TFLOPS")", R"("typical": "65 TFLOPS")"),
             contains("/prefill/typical: is above \"high\""));
  CHECK_THAT(error_with(kConstants, R"("moe_mfu": {"typical": 0.12)", R"("moe_mfu": {"typical": 0.01)"),
             contains("/speed_classes/0/moe_mfu/low: is above \"typical\""));
  CHECK_THAT(error_with(kConstants, R"("covers": ["moe_mfu", )", R"("covers": [)"),
             contains("/speed_classes/0/moe_mfu: no source covers this figure"));
  CHECK_THAT(error_with(kModels, R"("typical": 1000)", R"("typical": 9000)"),
             contains("/models/0/thinking/typical: is above \"high\""));
  CHECK_THAT(error_with(kModels, R"("hard": 12000, )", ""), contains("must come together"));
}

TEST_CASE("a class of CPUs says what a usual one is") {
  CatalogTexts texts = tiny_texts();
  const std::size_t at = texts.constants.find("\"cores\": ");
  REQUIRE(at != std::string::npos);
  texts.constants.erase(at, texts.constants.find(',', at) + 1 - at);
  CHECK_THAT(load_error(texts), contains("is a class of CPUs and lacks \"fp32\" or \"cores\""));
}

TEST_CASE("efficiencies are shares of a physical limit") {
  CatalogTexts texts = tiny_texts();
  const std::size_t at = texts.speed.find("\"efficiency\": ") + 14;
  texts.speed.replace(at, texts.speed.find(',', at) - at, "1.1");
  CHECK_THAT(load_error(texts), contains("speed.json: /speed_fits/0/efficiency: impossible value 1.1"));
  texts.speed.replace(at, 3, "0");
  CHECK_THAT(load_error(texts), contains("/speed_fits/0/efficiency: impossible value 0"));
}

TEST_CASE("references must lead to a record and ids be single") {
  check_all({
      {kModels, "\"id\": \"r1-distill-llama-8b\"", "\"id\": \"r1-671b\"",
       "models.json: /models/1/id: the id \"r1-671b\" is already taken"},
      {kGpus, "\"speed\": \"nvidia-gddr\"", "\"speed\": \"nvidia-gdd\"",
       "gpus.json: /gpus/0/speed: nothing has the id \"nvidia-gdd\"; nearest: nvidia-gddr, nvidia-hbm"},
      {kFiles, "\"quant\": \"Q4_K_M\"", "\"quant\": \"Q4_K_N\"",
       "files.json: /files/1/quant: nothing has the id \"Q4_K_N\"; nearest: Q4_K_M, Q4_K_L"},
      {kQuants, "\"fallback\": \"F16\"", "\"fallback\": \"F61\"",
       "quants.json: /tensor_types/3/fallback: nothing has the id \"F61\"; nearest: F16, F32, BF16"},
      {kQuants, "\"extends\": \"Q4_K_M\"", "\"extends\": \"Q4_K_L\"",
       "quants.json: /quants/3/extends: no earlier quantisation has the id \"Q4_K_L\""},
      {kQuants, "\"extends\": \"Q4_K_M\"", "\"extends\": \"Q4_K_M\", \"base\": \"Q4_K\"",
       "quants.json: /quants/3/base: the base type is that of \"Q4_K_M\", which it extends"},
      {kQuants, "\"base\": \"Q4_K\",", "", "quants.json: /quants/2: has rules but no base type"},
  });
}

TEST_CASE("every figure has a source, and sources speak of the record") {
  check_all({
      {kGpus, "\"covers\": [\"memory\", ", "\"covers\": [",
       "gpus.json: /gpus/0/memory: no source covers this figure"},
      {kGpus, "\"covers\": [\"memory\", ", "\"covers\": [\"memori\", ",
       "gpus.json: /gpus/0/sources/0/covers/0: \"memori\" is no field of this record; nearest: memory"},
  });
  CatalogTexts texts = tiny_texts();
  const std::size_t at = texts.engines.find("\"sources\": [") + 12;
  texts.engines.erase(at, texts.engines.find(']', texts.engines.find(']', at) + 1) - at);
  CHECK(load_error(texts) == "engines.json: /engines/0/sources: must not be empty");
}

TEST_CASE("a damaged catalogue is refused and never crashes") {
  // Many beginnings of each file, and many bytes made something else.
  for (const CatalogFile& file : kCatalogFiles) {
    const std::string whole = tiny_texts().*file.text;
    for (std::size_t i = 0; i + 2 < whole.size(); i += 397) {  // short of the last bracket
      CatalogTexts texts = tiny_texts();
      texts.*file.text = whole.substr(0, i);
      CHECK_THAT(load_error(texts), contains(std::string(file.name)));
      texts.*file.text = whole;
      (texts.*file.text)[i] = '\xFF';
      CHECK_THAT(load_error(texts), contains(std::string(file.name)));
    }
  }
}

TEST_CASE("releases of an engine ascend and are named alike") {
  check_all({
      {kEngines, R"("from": "2026-06")", R"("from": "2024-05")",
       "engines.json: /engines/1/releases/1/from: must be after the one before"},
      {kEngines, R"("from": "2026-06")", R"("from": "2026-13")",
       "engines.json: /engines/1/releases/1/from: must be a month YYYY-MM, is \"2026-13\""},
      {kEngines, R"({"from": "2026-06")", R"({"version": "0.5", "from": "2026-06")",
       "engines.json: /engines/1/releases/1: has a version where the one before has none, or the other way "
       "round"},
      {kEngines, R"({"from": "2024-05")", R"({"version": "b2824", "from": "2024-05")",
       "engines.json: /engines/1/releases/0/version: must be numbers with dots, is \"b2824\""},
      {kEngines, R"("gpu_memory": "0 B")", R"("gpu_memory": "1 GiB")",
       "engines.json: /engines/1/releases/0/default_context/0/gpu_memory: must be 0 for the first step"},
      {kEngines, R"("gpu_memory": "20 GiB")", R"("gpu_memory": "0 B")",
       "engines.json: /engines/1/releases/0/default_context/1/gpu_memory: must be above the one before"},
      {kEngines, R"("slots": 4)", R"("slots": 0)",
       "engines.json: /engines/1/releases/0/slots: impossible value 0; possible: 1 to 256"},
  });
}

TEST_CASE("measurements refer to records and agree with themselves") {
  const Catalog& catalog = tiny_catalog();
  const Measurement& first = catalog.measurements[0];
  CHECK(first.model->id == "r1-distill-llama-8b");
  REQUIRE(first.gpus.size() == 1);
  CHECK(first.gpus[0].gpu == catalog.gpus.data());
  CHECK(first.decode == tok_per_s(130.58));
  CHECK(first.grade == Grade::B);
  CHECK(first.host == nullptr);
  CHECK(catalog.measurements[1].depth == Tokens{});
  CHECK(catalog.measurements[5].gpus[1].gpu == catalog.gpus.data());
  CHECK_FALSE(catalog.measurements[5].backend);
  CHECK_FALSE(catalog.measurements[5].year);
  check_all({
      {kMeasurements, "\"model\": \"r1-distill-llama-8b\"", "\"model\": \"r1-distill-lama-8b\"",
       "measurements.json: /measurements/0/model: nothing has the id \"r1-distill-lama-8b\"; nearest: "
       "r1-distill-llama-8b"},
      {kMeasurements, "\"gpu\": \"rtx-4090\"", "\"gpu\": \"rtx-409\"",
       "measurements.json: /measurements/0/gpus/0/gpu: nothing has the id \"rtx-409\"; nearest: rtx-4090, "
       "rtx-4090-laptop, rtx-4080"},
      {kMeasurements, "\"host\": \"epyc-genoa\"", "\"host\": \"epyc-genua\"",
       "measurements.json: /measurements/6/host: nothing has the id \"epyc-genua\"; nearest: epyc-genoa, "
       "epyc-genoa-2s"},
      {kMeasurements, "\"count\": 1", "\"count\": 0",
       "measurements.json: /measurements/0/gpus/0/count: impossible value 0; possible: 1 to 1,000"},
      {kMeasurements, "\"130.58 tok/s\"", "130.58",
       "measurements.json: /measurements/0/decode: must be a speed with its unit, such as \"38.2 tok/s\", is "
       "130.58"},
      {kMeasurements, "\"130.58 tok/s\"", "\"0 tok/s\"",
       "measurements.json: /measurements/0/decode: impossible value \"0 tok/s\"; possible: 0.001 tok/s to "
       "1000000 tok/s"},
      {kMeasurements, "\"grade\": \"B\"", "\"grade\": \"D\"",
       "measurements.json: /measurements/0/grade: must be one of A, B, C, is \"D\""},
      {kMeasurements, "\"placement\": \"gpu\"", "\"placement\": \"experts\"",
       "measurements.json: /measurements/0/placement: must be one of gpu, experts_on_host, partial, cpu, is "
       "\"experts\""},
      {kMeasurements, "\"placement\": \"gpu\"", "\"placement\": \"cpu\"",
       "measurements.json: /measurements/0/gpus: must not be given where \"placement\" is \"cpu\""},
      {kMeasurements, "\"depth\": 256", "\"layers_on_gpu\": 3, \"depth\": 256",
       "measurements.json: /measurements/0/layers_on_gpu: must be given only where \"placement\" is "
       "\"partial\""},
      {kMeasurements, "\"layers_on_gpu\": 40", "\"layers_on_gpu\": 66",
       "measurements.json: /measurements/3/layers_on_gpu: is more than \"r1-distill-qwen-32b\" has"},
      {kMeasurements, "\"depth\": 256", "\"ran_size\": \"5 GB\", \"depth\": 256",
       "measurements.json: /measurements/0/ran_size: must not be given where \"quant\" has a base type"},
      {kMeasurements, "\"depth\": 256",
       "\"ran_shared\": {\"bits\": 8.5, \"kernel\": \"simple\", \"source\": \"a log\"}, \"depth\": 256",
       "measurements.json: /measurements/0/ran_shared: must be given only with \"ran_size\""},
      {kQuants, "\"base\": \"Q8_0\",", "",
       "quants.json: /quants/1: has neither a base type nor a \"kernel\""},
      {kQuants, "\"base\": \"Q8_0\",", "\"kernel\": \"simple\",",
       "quants.json: /quants/1: has neither a base type nor \"shared\""},
      {kQuants, "\"base\": \"Q8_0\",",
       "\"base\": \"Q8_0\", \"shared\": {\"bits\": 5, \"kernel\": \"k_quant\", \"source\": \"a log\"},",
       "quants.json: /quants/1/shared: is given by the base type"},
      {&CatalogTexts::speed, "\"host_time\": 0.8", "\"host_time\": 0",
       "speed.json: /engine_speeds/0/host_time: impossible value 0; possible: 1e-06 to 100.0"},
      {kMeasurements, "\"depth\": 256", "\"depth\": -1",
       "measurements.json: /measurements/0/depth: impossible value -1; possible: 0 to 1,000,000,000"},
  });
}
