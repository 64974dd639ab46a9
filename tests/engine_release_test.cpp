// Releases of engines: which one is meant, and what of a question it decides.
#include "r1fit/engine_release.hpp"

#include <string>
#include <vector>

#include "catch.hpp"
#include "r1fit/lookup.hpp"
#include "shipped.hpp"

using namespace r1fit;
using namespace r1fit::test;

namespace {

EngineChoice choice(Text text) { return engine_choice(builtin_catalog(), text); }
std::string refusal(Text text) {
  return error_of([&] { choice(text); });
}
/// "0.13.4", or the month where releases have no version.
std::string since(Text text) {
  const EngineChoice found = choice(text);
  return std::string(found.release->version.empty() ? found.release->from : found.release->version);
}
const Model& model(Text name) { return model_named(builtin_catalog(), name); }

Workload released(Text engine, Text name, const Workload& workload = {}, const Said& said = {}) {
  return as_released(choice(engine), said, workload, model(name));
}

}  // namespace

TEST_CASE("an engine without a release is the current one") {
  const EngineChoice ollama = choice("ollama");
  CHECK(ollama.release == &ollama->releases.back());
  CHECK_FALSE(ollama.is_past());
  CHECK(engine_title(ollama) == "Ollama");
  const EngineChoice none = choice("");
  CHECK_FALSE(none);
  CHECK(none.release == nullptr);
  CHECK(engine_title(none) == "llama.cpp");
  CHECK(choice("lm-studio").release == nullptr);
}

TEST_CASE("a release is a version or a month, and the record before it holds") {
  CHECK(since("ollama@0.2") == "0.2");
  CHECK(since("ollama@0.5.11") == "0.2");
  CHECK(since("ollama@0.13") == "0.12.4");
  CHECK(since("ollama@v0.13.4") == "0.13.4");
  CHECK(since("Ollama@0.15.4") == "0.13.4");
  CHECK(since("ollama@2025-03") == "0.2");
  CHECK(since("ollama@2025-12") == "0.13.4");
  CHECK(since("ollama@0.34.2") == "0.30");
  CHECK(since("llama.cpp@2024-05") == "2024-05");
  CHECK(since("llama.cpp@2025-07") == "2025-04");
  CHECK(choice("ollama@0.13").is_past());
  CHECK_FALSE(choice("ollama@0.34.2").is_past());
  CHECK(engine_title(choice("ollama@0.13")) == "Ollama 0.13");
  CHECK(engine_title(choice("llama.cpp@2024-05")) == "llama.cpp of 2024-05");
}

TEST_CASE("what is no release known is refused with what is") {
  CHECK_THAT(refusal("ollama@0.1.33"), contains("older than what is known: 0.2, 2024-07 and later"));
  CHECK_THAT(refusal("llama.cpp@2023-11"), contains("older than what is known: 2024-05 and later"));
  CHECK_THAT(refusal("ollama@latest"), contains("--engine ollama@latest: a release is a version or a month"));
  CHECK_THAT(refusal("ollama@"), contains("a release is a version or a month"));
  CHECK_THAT(refusal("llama.cpp@b2824"), contains("told apart by month"));
  CHECK_THAT(refusal("lm-studio@0.3"), contains("no releases of LM Studio are known apart"));
  CHECK_THAT(refusal("olama@0.13"), contains("nearest: ollama"));
}

TEST_CASE("current releases change nothing of a question") {
  for (const char* engine : {"", "ollama", "llama.cpp", "lm-studio", "ollama@0.30"}) {
    CAPTURE(engine);
    const Workload after = released(engine, "32b");
    CHECK(after.flash());
    CHECK(after.parallel == 1);
    CHECK(after.logits_rows == LogitsRows::parallel);
    CHECK_FALSE(after.output_last);
    CHECK_FALSE(after.legacy_gguf);
  }
}

TEST_CASE("a past release decides what was not said") {
  const Workload old = released("ollama@0.5.11", "32b");
  CHECK_FALSE(old.flash());
  CHECK(old.parallel == 4);
  CHECK(old.kv_unified);
  CHECK(old.logits_rows == LogitsRows::ubatch);
  CHECK(old.output_last);

  Workload asked;
  asked.flash_attention = FlashAttention::on;
  asked.parallel = 2;
  const Said said{true, true, true};
  const Workload kept = released("ollama@0.5.11", "32b", asked, said);
  CHECK(kept.flash());
  CHECK(kept.parallel == 2);
  CHECK_FALSE(kept.kv_unified);
  CHECK(kept.logits_rows == LogitsRows::parallel);
}

TEST_CASE("flash attention by default goes by architecture and release") {
  CHECK_FALSE(released("ollama@0.13", "32b").flash());
  CHECK_FALSE(released("ollama@0.13", "70b").flash());
  CHECK(released("ollama@0.13", "r1-0528-qwen3-8b").flash());
  CHECK_FALSE(released("ollama@0.12", "r1-0528-qwen3-8b").flash());
  CHECK(released("ollama@0.13.4", "32b").flash());
  CHECK_FALSE(released("llama.cpp@2025-07", "32b").flash());
  CHECK(released("llama.cpp@2025-09", "32b").flash());
}

TEST_CASE("before the MLA cache 671B is kept in full heads, and nothing else is") {
  CHECK(released("llama.cpp@2025-02", "r1-671b").legacy_gguf);
  CHECK_FALSE(released("llama.cpp@2025-02", "70b").legacy_gguf);
  CHECK_FALSE(released("llama.cpp@2025-05", "r1-671b").legacy_gguf);
}

TEST_CASE("the default context goes by release and by the memory of all cards") {
  const auto by_default = [](Text engine, Bytes memory, Text name = "32b") {
    return default_context(*choice(engine).release, memory, model(name)).count();
  };
  CHECK(by_default("ollama", gib(12)) == 4096);
  CHECK(by_default("ollama", gib(24)) == 32768);
  CHECK(by_default("ollama", gib(48)) == 131072);
  CHECK(by_default("ollama", gib(48), "r1-671b") == 163840);
  CHECK(by_default("ollama@0.15.4", gib(48)) == 4096);
  CHECK(by_default("ollama@0.6.7", gib(48)) == 2 * 4096);
  CHECK(by_default("ollama@0.5", gib(24)) == 4 * 2048);
  CHECK(by_default("llama.cpp", gib(24)) == 131072);
  CHECK(by_default("llama.cpp@2025-09", gib(24)) == 4096);
}

TEST_CASE("what differs is said, and the order of layers only where it counts") {
  const auto words = [](Text engine, Text name, bool partial) {
    std::string all;
    for (const std::string& one : differences(choice(engine), model(name), partial)) all += one + "; ";
    return all;
  };
  CHECK(words("ollama", "32b", true).empty());
  CHECK(words("ollama@0.13", "32b", false) ==
        "no flash attention by default; logits set aside for the whole micro-batch; a plan that counts "
        "attention "
        "scores; ");
  CHECK(words("ollama@0.5", "32b", true) ==
        "no flash attention by default; 4 slots; logits set aside for the whole micro-batch; a plan that "
        "counts "
        "attention scores; the output layer last in -ngl; ");
  CHECK_THAT(words("llama.cpp@2025-02", "r1-671b", false), contains("no MLA cache"));
  CHECK(words("llama.cpp@2026-02", "32b", false) == "logits set aside for the whole micro-batch; ");
}

TEST_CASE("a release builds its graph as its logs show") {
  const GraphBuild old = released("ollama@0.9", "7b").graph;
  CHECK_FALSE(old.kv_by_index);
  CHECK_FALSE(old.f16_mask);
  CHECK_FALSE(old.both_inputs);
  CHECK_FALSE(old.vulkan_reorders);
  CHECK(old.embeddings);
  CHECK(old.cells_without_flash == 32);
  CHECK(released("ollama", "7b").graph == GraphBuild{});
  CHECK(released("llama.cpp", "7b").graph == GraphBuild{});
  CHECK_FALSE(released("llama.cpp@2026-02", "7b").graph.f16_mask);
}
