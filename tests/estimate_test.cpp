#include "r1fit/estimate.hpp"

#include "catch.hpp"
#include "r1fit/error.hpp"
#include "shipped.hpp"

using namespace r1fit;
using namespace r1fit::test;

namespace {

/// The sentence of the refusal; empty where there is none.
std::string refusal(const Question& question) { return objection(question); }

}  // namespace

TEST_CASE("questions that contradict themselves are refused with the reason") {
  Question question = shipped_question("32b", "Q4_K_M");
  CHECK(refusal(question).empty());
  question.workload.context = tokens(200000);
  CHECK_THAT(refusal(question), contains("131,072"));

  question = shipped_question("32b", "Q4_K_M");
  question.workload.kv_v = KvType::q8_0;
  question.workload.flash_attention = FlashAttention::off;
  CHECK_THAT(refusal(question), contains("flash attention"));

  question = shipped_question("r1-671b", "Q4_K_M");
  question.workload.kv_k = KvType::q8_0;
  CHECK_THAT(refusal(question), contains("MLA"));
  question.workload.legacy_gguf = true;  // full heads have a K and a V cache of their own
  CHECK(refusal(question).empty());

  question = shipped_question("32b", "Q4_K_M");
  question.workload.legacy_gguf = true;
  CHECK_THAT(refusal(question), contains("--legacy-gguf"));

  question = shipped_question("r1-671b", "Q4_K_M");
  question.placement.n_gpu_layers = 90;
  CHECK_THAT(refusal(question), contains("61 layers"));
  question.placement = {};
  question.placement.n_cpu_moe = 62;
  CHECK_THAT(refusal(question), contains("--n-cpu-moe"));

  question = shipped_question("32b", "Q4_K_M");
  question.placement.cpu_moe = true;
  CHECK_THAT(refusal(question), contains("--cpu-moe"));

  question = shipped_question("32b", "Q4_K_M");
  question.workload.context = tokens(2);
  question.workload.parallel = 4;
  CHECK_THAT(refusal(question), contains("--parallel"));
}

TEST_CASE("a split of every layer is refused where llama.cpp has none, with the reason") {
  const auto refused = [](const Question& question, const Machine& machine) {
    return split_objection(builtin_catalog(), question, machine);
  };
  const Machine two = machine_with("2x rtx 3090");
  Question question = shipped_question("32b", "Q4_K_M");
  CHECK(refused(question, machine_with("rtx 3090")).empty());
  question.workload.split = SplitMode::tensor;
  CHECK(refused(question, two).empty());
  CHECK_THAT(refused(question, machine_with("rtx 3090")), contains("several GPUs"));
  CHECK_THAT(refused(question, machine_with("17x rtx 3090")), contains("at most 16"));
  Machine other = two;
  for (Device& device : other.devices) device.backend = Backend::vulkan;
  CHECK_THAT(refused(question, other), contains("Vulkan"));
  other.devices.front().backend = Backend::cuda;
  other.devices.back().backend = Backend::rocm;
  CHECK_THAT(refused(question, other), contains("one backend"));
  question.workload.flash_attention = FlashAttention::off;
  CHECK_THAT(refused(question, two), contains("flash attention"));
  question.workload.flash_attention = FlashAttention::automatic;
  question.placement.n_gpu_layers = 20;
  CHECK_THAT(refused(question, two), contains("--ngl"));
  question.placement = {};

  question.engine = engine_choice(builtin_catalog(), "ollama");
  CHECK_THAT(refused(question, two), contains("not of Ollama"));
  question.engine = engine_choice(builtin_catalog(), "llama.cpp@2026-03");
  CHECK_THAT(refused(question, two), contains("llama.cpp@2026-06"));

  // llama.cpp took split by row out in July 2026.
  question.workload.split = SplitMode::row;
  CHECK(refused(question, two).empty());
  question.engine = {};
  CHECK_THAT(refused(question, two), contains("--split tensor"));
  question.engine = engine_choice(builtin_catalog(), "llama.cpp@2024-08");
  CHECK_THAT(refused(question, two), contains("llama.cpp@2025-04"));

  question = shipped_question("r1-671b", "Q4_K_M");
  question.workload.split = SplitMode::tensor;
  CHECK_THAT(refused(question, machine_with("8x a100-80gb-sxm")), contains("MLA"));
  CHECK_THAT(error_of([&] { evaluate(builtin_catalog(), question, two); }), contains("MLA"));
}

TEST_CASE("engines whose files are not GGUF are not guessed at") {
  Question question = shipped_question("32b", "Q4_K_M");
  for (const Engine& engine : builtin_catalog().engines) {
    question.engine = engine_choice(builtin_catalog(), engine.id);
    CHECK(refusal(question).empty() == engine.reads_gguf);
  }
  question = shipped_question("r1-0528-671b", "IQ2_K_R4");
  CHECK(refusal(question).empty());
  question.engine = engine_choice(builtin_catalog(), "ollama");
  CHECK_THAT(refusal(question), contains("ik-llama.cpp"));
}

TEST_CASE("an estimate is whole") {
  const Estimate one = shipped_estimate("32b", "Q4_K_M", machine_with("rtx 3090"));
  CHECK(one.backend == Backend::cuda);
  CHECK(one.placement.verdict == Verdict::fits);
  CHECK(one.max_context);
  CHECK(one.speed.decode);
  CHECK_FALSE(one.commands.empty());
  CHECK(one.download.size == bytes(19851335840));  // published byte count of bartowski's file
  CHECK(one.loss.known);
}

TEST_CASE("without a quantisation's file of a model nothing is made up") {
  CHECK_THROWS_AS(shipped_estimate("14b", "UD-IQ1_S", machine_with("rtx 3090")), Error);
}

TEST_CASE("a processor alone is its own backend") {
  const Estimate one = shipped_estimate("1.5b", "Q4_K_M", cpu_only(gib(16), "ddr5-5600-dual"));
  CHECK(one.backend == Backend::cpu);
  CHECK(one.placement.mode == PlacementMode::cpu);
  CHECK(one.placement.devices.empty());
}

TEST_CASE("a cited estimate rests on the runs nearest to it as well") {
  Estimate cited = shipped_estimate("r1-distill-qwen-32b", "Q4_K_M", machine_with("rtx 4090"));
  const std::size_t before = cited.speed.basis.size();
  CHECK_FALSE(cited.measured);
  cite(builtin_catalog(), machine_with("rtx 4090"), cited);
  REQUIRE(cited.measured);
  REQUIRE(cited.measured->size() == 3);
  REQUIRE(cited.speed.basis.size() == before + 3);
  CHECK(cited.speed.basis[before] == sentence(cited.measured->front()));
  CHECK_THAT(cited.speed.basis[before], contains("same card, quant and shapes: "));
  // What does not fit has no layout, so nothing is near to it.
  Estimate large = shipped_estimate("r1-distill-llama-70b", "Q8_0", machine_with("rtx 4090"));
  cite(builtin_catalog(), machine_with("rtx 4090"), large);
  REQUIRE(large.measured);
  CHECK(large.measured->empty());
}
