#include "r1fit/notes.hpp"

#include <algorithm>

#include "catch.hpp"
#include "r1fit/claim.hpp"
#include "shipped.hpp"

using namespace r1fit;
using namespace r1fit::test;

namespace {

/// The text of a note; empty where it was not made.
std::string note(const Estimate& estimate, std::string_view code) {
  const auto found = std::ranges::find(estimate.notes, code, &Note::code);
  return found == estimate.notes.end() ? "" : found->text;
}

}  // namespace

TEST_CASE("Ollama's default context is warned of where it spills and only there") {
  CHECK_THAT(note(shipped_estimate("32b", "Q4_K_M", machine_with("rtx 4090")), "ollama_default_context"),
             contains("32,768"));
  CHECK(note(shipped_estimate("14b", "Q4_K_M", machine_with("rtx 4090")), "ollama_default_context").empty());
  CHECK_THAT(note(shipped_estimate("70b", "Q4_K_M", machine_with("2x rtx 3090")), "ollama_default_context"),
             contains("131,072"));
}

TEST_CASE("a past release is named with what it does otherwise, the current one is not") {
  Question question = shipped_question("32b", "Q4_K_M");
  question.engine = engine_choice(builtin_catalog(), "ollama@0.13");
  question.workload = as_released(question.engine, {}, question.workload, *question.model);
  const Estimate old = estimate(builtin_catalog(), question, machine_with("rtx 4090"));
  CHECK_THAT(note(old, "engine_release"), contains("Ollama 0.13 has no flash attention by default"));
  CHECK_THAT(note(old, "engine_release"), contains("context of 4,096 (--ctx default)"));
  CHECK_THAT(note(old, "flash_attention_off"), contains("set aside when the model is loaded"));
  // Its own default is shorter than what was asked for.
  CHECK(note(old, "ollama_default_context").empty());
  question.engine = engine_choice(builtin_catalog(), "ollama");
  CHECK(note(estimate(builtin_catalog(), question, machine_with("rtx 4090")), "engine_release").empty());
}

TEST_CASE("the tag deepseek-r1:8b is explained where the Qwen3 8B is meant") {
  CHECK_THAT(note(shipped_estimate("r1-0528-qwen3-8b", "Q4_K_M", machine_with("rtx 4090")), "ollama_8b"),
             contains("Qwen3"));
  CHECK_THAT(note(shipped_estimate("r1-0528-qwen3-8b", "Q4_K_M", machine_with("rtx 4090")), "ollama_file"),
             contains("5.2"));
  CHECK(note(shipped_estimate("14b", "Q4_K_M", machine_with("rtx 4090")), "ollama_8b").empty());
}

TEST_CASE("the pool that no log shows is named without flash attention on CUDA") {
  Workload off;
  off.flash_attention = FlashAttention::off;
  CHECK_THAT(note(shipped_estimate("14b", "Q4_K_M", machine_with("rtx 4090"), off), "flash_attention_off"),
             contains("GiB"));
  CHECK(note(shipped_estimate("14b", "Q4_K_M", machine_with("m4-max", gib(64)), off), "flash_attention_off")
            .empty());
}

TEST_CASE("a depth beyond the context is said not to be that of the speed") {
  const auto noted = [](std::int64_t depth, std::int64_t context) {
    Workload workload;
    workload.depth = tokens(depth);
    workload.context = tokens(context);
    return note(shipped_estimate("32b", "Q4_K_M", machine_with("rtx 4090"), workload),
                "depth_beyond_context");
  };
  CHECK(noted(8192, 8192).empty());
  CHECK(noted(512, 256).empty());
  CHECK(noted(12000, 8192) ==
        "The speed is that at a depth of 8,192 tokens, all that the context holds, and not at 12,000: "
        "--ctx 12032 has room for it and fits as well.");
  CHECK_THAT(noted(40000, 8192), contains("--ctx 40192 would, and "));
  CHECK_THAT(noted(900000, 8192), contains(": the model has no more than 131,072."));
  Workload deep;
  deep.depth = tokens(12000);
  Claimed claimed;
  claimed.kind = ClaimKind::decode_tps;
  claimed.speed.low = claimed.speed.high = tok_per_s(40);
  const Claim claim = judge(builtin_catalog(), shipped_question("32b", "Q4_K_M", deep),
                            {machine_with("rtx 4090"), {}}, claimed);
  CHECK(std::ranges::count(claim.notes, "depth_beyond_context", &Note::code) == 1);
}

TEST_CASE("more than the model can hold is said in a sentence of its own") {
  Workload endless;
  endless.context = tokens(131072);
  endless.thinking = tokens(1000000);
  const Estimate found = shipped_estimate("32b", "Q4_K_M", machine_with("rtx 4090"), endless);
  CHECK_THAT(note(found, "answer_too_long"),
             contains("forget its question. The model has no more than 131,072."));
}

TEST_CASE("a 671B file of before the MLA cache is told by its cache") {
  Workload legacy;
  legacy.legacy_gguf = true;
  // 4,997,120 bytes a token at f16 x 8,192 tokens = 38.1 GiB
  CHECK_THAT(
      note(shipped_estimate("r1-671b", "Q4_K_M", machine_with("m3-ultra", gib(512)), legacy), "legacy_gguf"),
      contains("38.1 GiB"));
}

TEST_CASE("several cards hold more and are not faster") {
  CHECK_FALSE(note(shipped_estimate("70b", "Q4_K_M", machine_with("2x rtx 3090")), "layer_split").empty());
  CHECK(note(shipped_estimate("32b", "Q4_K_M", machine_with("rtx 3090")), "layer_split").empty());
  Workload shared;
  shared.split = SplitMode::tensor;
  const Estimate tensor = shipped_estimate("70b", "Q4_K_M", machine_with("2x rtx 3090"), shared);
  CHECK(note(tensor, "layer_split").empty());
  CHECK(note(tensor, "ollama_default_context").empty());
  CHECK_THAT(note(tensor, "tensor_split"), contains("allowance"));
  CHECK_THAT(note(tensor, "best_case"), contains("not a measurement"));
}

TEST_CASE("sizes announced in GiB and written GB") {
  CHECK_THAT(note(shipped_estimate("r1-671b", "UD-IQ1_S", machine_with("m3-ultra", gib(256))), "gib_as_gb"),
             contains("GiB"));
  CHECK(note(shipped_estimate("r1-0528-671b", "UD-IQ1_S", machine_with("m3-ultra", gib(256))), "gib_as_gb")
            .empty());
}

TEST_CASE("unknown system RAM is asked for where it decides") {
  CHECK_THAT(note(shipped_estimate("70b", "Q4_K_M", machine_with("rtx 4090")), "ram_unknown"),
             contains("--ram"));
  CHECK_THAT(note(shipped_estimate("32b", "Q4_K_M", machine_with("rtx 4090")), "host_memory"),
             contains("system RAM"));
}

TEST_CASE("a raised limit on a Mac is named with its command") {
  const Estimate estimate = shipped_estimate("70b", "Q4_K_M", machine_with("m3-pro", gib(36)));
  CHECK(estimate.placement.verdict == Verdict::does_not_fit);
  Workload longer;
  longer.context = tokens(36864);
  const Estimate raised = shipped_estimate("32b", "Q4_K_M", machine_with("m3-pro", gib(36)), longer);
  REQUIRE(raised.placement.strain == Strain::raised_limit);
  CHECK_THAT(note(raised, "raised_limit"), contains("iogpu.wired_limit_mb="));
}

TEST_CASE("cores of a host that were assumed are told") {
  CHECK_FALSE(note(shipped_estimate("r1-distill-llama-8b", "Q4_K_M", cpu_only(gib(64), "ddr5-5600-dual")),
                   "host_cores")
                  .empty());
  CHECK(note(shipped_estimate("r1-distill-llama-8b", "Q4_K_M", cpu_only(gib(16), "raspberry-pi-5")),
             "host_cores")
            .empty());
  CHECK(note(shipped_estimate("r1-distill-llama-8b", "Q4_K_M", machine_with("rtx 4090")), "host_cores")
            .empty());
}

TEST_CASE("extrapolated and approximate figures say so") {
  CHECK_FALSE(
      note(shipped_estimate("r1-671b", "Q4_K_M", machine_with("10x pro w7900")), "extrapolated").empty());
  CHECK_FALSE(note(shipped_estimate("r1-0528-671b", "UD-Q4_K_XL", machine_with("m3-ultra", gib(512))),
                   "published_size")
                  .empty());
  CHECK(note(shipped_estimate("32b", "Q4_K_M", machine_with("rtx 4090")), "published_size").empty());
}
