#include "r1fit/commands.hpp"

#include <algorithm>

#include "catch.hpp"
#include "shipped.hpp"

using namespace r1fit;
using namespace r1fit::test;

namespace {

std::string command_of(const Estimate& estimate, std::string_view engine) {
  const auto found = std::ranges::find(estimate.commands, engine, &Command::engine);
  return found == estimate.commands.end() ? "" : found->command;
}

}  // namespace

TEST_CASE("the usual quantisation runs by its Ollama tag with the context set for the server") {
  const Estimate estimate = shipped_estimate("32b", "Q4_K_M", machine_with("rtx 4090"));
  CHECK(command_of(estimate, "ollama") ==
        "OLLAMA_CONTEXT_LENGTH=8192 ollama serve\nollama run deepseek-r1:32b");
  CHECK(command_of(estimate, "llama.cpp") ==
        "llama-server -hf bartowski/DeepSeek-R1-Distill-Qwen-32B-GGUF:Q4_K_M -c 8192 -ngl 99");
}

TEST_CASE("what Ollama has no tag for comes from the hub unless it is in parts") {
  CHECK_THAT(command_of(shipped_estimate("14b", "Q6_K", machine_with("rtx 4090")), "ollama"),
             contains("ollama run hf.co/bartowski/DeepSeek-R1-Distill-Qwen-14B-GGUF:Q6_K"));
  const Estimate parts = shipped_estimate("r1-0528-671b", "UD-Q4_K_XL", machine_with("m3-ultra", gib(512)));
  CHECK(command_of(parts, "ollama").empty());
  CHECK_THAT(command_of(parts, "llama.cpp"), contains("unsloth/DeepSeek-R1-0528-GGUF:UD-Q4_K_XL"));
}

TEST_CASE("cards that share every layer are asked for it, of llama.cpp alone") {
  Workload workload;
  workload.split = SplitMode::tensor;
  const Estimate even = shipped_estimate("70b", "Q4_K_M", machine_with("2x rtx 3090"), workload);
  CHECK_THAT(command_of(even, "llama.cpp"), contains("-c 8192 -ngl 99 -sm tensor"));
  CHECK_THAT(command_of(even, "llama.cpp"), !contains("-ts"));
  CHECK(command_of(even, "ollama").empty());
  const Estimate uneven = shipped_estimate("32b", "Q6_K", nameless({24, 12}), workload);
  CHECK_THAT(command_of(uneven, "llama.cpp"), contains("-sm tensor -ts 24,12"));
}

TEST_CASE("every setting of the estimate is in the command") {
  Workload workload;
  workload.context = tokens(16384);
  workload.kv_k = workload.kv_v = KvType::q8_0;
  workload.parallel = 2;
  workload.ubatch = tokens(256);
  const Estimate estimate = shipped_estimate("14b", "Q4_K_M", machine_with("rtx 4090"), workload);
  const std::string command = command_of(estimate, "llama.cpp");
  CHECK_THAT(command, contains("-c 16384 -ngl 99 -ctk q8_0 -ctv q8_0 -np 2 -ub 256"));
  CHECK_THAT(command_of(estimate, "ollama"),
             contains("OLLAMA_KV_CACHE_TYPE=q8_0 OLLAMA_NUM_PARALLEL=2 OLLAMA_CONTEXT_LENGTH="));
  Workload off;
  off.flash_attention = FlashAttention::off;
  const Estimate without = shipped_estimate("14b", "Q4_K_M", machine_with("rtx 4090"), off);
  CHECK_THAT(command_of(without, "llama.cpp"), contains("-fa off"));
  CHECK(command_of(without, "ollama").empty());
}

TEST_CASE("offloaded layers and experts are asked for by number") {
  Machine machine = machine_with("rtx 4090");
  machine.host = make_host(builtin_catalog(), gib(64), nullptr, {});
  const Estimate dense = shipped_estimate("70b", "Q4_K_M", machine);
  REQUIRE(dense.placement.mode == PlacementMode::partial);
  CHECK_THAT(command_of(dense, "llama.cpp"),
             contains(" -ngl " + std::to_string(dense.placement.n_gpu_layers)));
  machine.host = make_host(builtin_catalog(), gib(512), nullptr, {});
  const Estimate experts = shipped_estimate("r1-671b", "Q4_K_M", machine);
  REQUIRE(experts.placement.mode == PlacementMode::experts_on_host);
  CHECK_THAT(command_of(experts, "llama.cpp"),
             contains(" --n-cpu-moe " + std::to_string(experts.placement.n_cpu_moe)));
}

TEST_CASE("what does not fit has no command") {
  CHECK(shipped_estimate("70b", "Q4_K_M", machine_with("rtx 4090")).commands.empty());
}

TEST_CASE("an engine asked for is the only one answered for") {
  Question question = shipped_question("32b", "Q4_K_M");
  question.engine = engine_choice(builtin_catalog(), "lm-studio");
  const Estimate one = estimate(builtin_catalog(), question, machine_with("rtx 4090"));
  for (const Command& command : one.commands) CHECK(command.engine == "lm-studio");
}

TEST_CASE("Ollama's own mixture of the Qwen3 8B stands in for the usual name") {
  const Catalog& catalog = builtin_catalog();
  const PublishedFile* file =
      ollama_file(catalog, model_named(catalog, "r1-0528-qwen3-8b"), quant_named(catalog, "Q4_K_M"));
  REQUIRE(file != nullptr);
  CHECK(file->repo == "deepseek-r1:8b");
  CHECK(file->quant->id == "Q4_K_M-ollama");
  CHECK(ollama_file(catalog, model_named(catalog, "14b"), quant_named(catalog, "Q6_K")) == nullptr);
}

TEST_CASE("commands follow the release: flash attention is asked for where it is off by default") {
  const Catalog& catalog = builtin_catalog();
  Question question = shipped_question("32b", "Q4_K_M");
  question.engine = engine_choice(catalog, "ollama@0.13");
  question.workload.flash_attention = FlashAttention::on;
  const Machine machine = machine_with("rtx 4090");
  CHECK_THAT(command_of(estimate(catalog, question, machine), "ollama"),
             starts_with("OLLAMA_FLASH_ATTENTION=1 "));
  question.workload.flash_attention = FlashAttention::off;
  CHECK_THAT(command_of(estimate(catalog, question, machine), "ollama"),
             starts_with("OLLAMA_CONTEXT_LENGTH=8192"));
  question.engine = engine_choice(catalog, "llama.cpp@2024-05");
  CHECK_THAT(command_of(estimate(catalog, question, machine), "llama.cpp"), !contains("-fa"));
  question.engine = engine_choice(catalog, "llama.cpp");
  CHECK_THAT(command_of(estimate(catalog, question, machine), "llama.cpp"), contains("-fa off"));
}

TEST_CASE("Ollama is told the context of one slot") {
  Question question = shipped_question("14b", "Q4_K_M");
  question.workload.parallel = 4;
  const std::string command =
      command_of(estimate(builtin_catalog(), question, machine_with("rtx 4090")), "ollama");
  CHECK_THAT(command, contains("OLLAMA_NUM_PARALLEL=4 OLLAMA_CONTEXT_LENGTH=2048 "));
}
