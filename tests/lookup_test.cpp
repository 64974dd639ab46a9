#include "r1fit/lookup.hpp"

#include <optional>
#include <string>
#include <variant>

#include "catch.hpp"
#include "tiny_catalog.hpp"

using namespace r1fit;
using r1fit::test::contains;
using r1fit::test::error_of;
using r1fit::test::tiny_catalog;

namespace {

// The id found, or the sentence.
std::string gpu(Text name, std::optional<Bytes> memory = {}) {
  const GpuLookup answer = find_gpu(tiny_catalog(), name, memory);
  if (const auto* found = std::get_if<FoundGpu>(&answer)) return std::string(found->gpu->id);
  return problem(answer, name);
}

std::string model(Text name) {
  std::string id;
  const std::string error = error_of([&] { id = model_named(tiny_catalog(), name).id; });
  return id.empty() ? error : id;
}

// "id" or "id:quant", or the sentence.
std::string model_and_quant(Text name) {
  std::string text;
  const std::string error = error_of([&] {
    const ModelAndQuant found = model_and_quant_named(tiny_catalog(), name);
    text = found.model->id;
    if (found.quant != nullptr) text += ":" + std::string(found.quant->id);
  });
  return text.empty() ? error : text;
}

}  // namespace

TEST_CASE("one card has many spellings") {
  for (const char* name : {"4090", "rtx4090", "RTX 4090", "rtx-4090", "NVIDIA GeForce RTX 4090",
                           "RTX 4090 24GB", "geforce rtx 4090", "rtx 4090 24 GiB", "RTX4090-24GB",
                           "NVIDIA(R) GeForce(TM) RTX 4090", " rtx_4090 "}) {
    CAPTURE(name);
    CHECK(gpu(name) == "rtx-4090");
  }
  CHECK(gpu("7900 XTX") == "rx-7900-xtx");
  CHECK(gpu("AMD Radeon RX 7900 XTX") == "rx-7900-xtx");
  CHECK(gpu("Radeon Pro W7900") == "pro-w7900");
  CHECK(gpu("w7900") == "pro-w7900");
  CHECK(gpu("A770") == "arc-a770-16gb");
  CHECK(gpu("Intel(R) Arc(TM) A770 Graphics") == "arc-a770-16gb");
  CHECK(gpu("T4") == "tesla-t4");
  CHECK(gpu("NVIDIA A100-SXM4-80GB") == "a100-80gb-sxm");
}

TEST_CASE("laptop cards are other devices") {
  for (const char* name : {"rtx 4090 laptop", "4090 laptop", "NVIDIA GeForce RTX 4090 Laptop GPU",
                           "rtx 4090 mobile", "RTX 4090 Mobile 16GB"}) {
    CAPTURE(name);
    CHECK(gpu(name) == "rtx-4090-laptop");
  }
}

TEST_CASE("a part of a name is no name") {
  CHECK_THAT(gpu("RTX A1000"), contains("no hardware named \"RTX A1000\""));
  CHECK_THAT(gpu("T400"), contains("no hardware named \"T400\""));
  CHECK_THAT(gpu("gtx 4090"), contains("no hardware named"));
  CHECK_THAT(gpu("rtx"), contains("no hardware named"));
  CHECK_THAT(gpu("24gb"), contains("no hardware named"));
  CHECK(gpu("nvidia") == "no hardware named \"nvidia\"; see r1fit list hardware");
  CHECK(gpu("") == "no hardware named \"\"; see r1fit list hardware");
  CHECK(gpu("rtx 4900") == "no hardware named \"rtx 4900\"; nearest: rtx-4090, rtx-4080, rtx-4070");
}

TEST_CASE("a name of several devices is ambiguous unless the memory decides") {
  CHECK(gpu("rtx 3060") ==
        "\"rtx 3060\" is more than one device: rtx-3060-12gb, rtx-3060-8gb; say --memory 8 or 12");
  CHECK(gpu("rtx 3060 12gb") == "rtx-3060-12gb");
  CHECK(gpu("rtx 3060", gib(8)) == "rtx-3060-8gb");
  CHECK(gpu("rtx 3060", gib(16)) ==
        "no \"rtx 3060\" was sold with 16 GiB; there are rtx-3060-12gb with 12, rtx-3060-8gb with 8");
  CHECK(gpu("rtx 3060 16gb") ==
        "no \"rtx 3060 16gb\" was sold with 16 GiB; there are rtx-3060-12gb with 12, rtx-3060-8gb with 8");
  CHECK(gpu("m4-max", gib(64)) == "m4-max-40");
  CHECK(gpu("m4-max", gib(36)) == "m4-max-32");
  CHECK(gpu("m4 max 64gb") == "m4-max-40");
  CHECK(gpu("m4 max") ==
        "\"m4 max\" is more than one device: m4-max-32, m4-max-40; say --memory 36, 48, 64 or 128");
  CHECK(gpu("a100 80gb") == "\"a100 80gb\" is more than one device: a100-80gb-sxm, a100-80gb-pcie");
  CHECK(gpu("rtx 6000") ==
        "\"rtx 6000\" is more than one device: quadro-rtx-6000, rtx-6000-ada; say --memory 24 or 48");
  CHECK(gpu("Quadro RTX 6000") == "quadro-rtx-6000");
  CHECK(gpu("NVIDIA RTX 6000 Ada Generation") == "rtx-6000-ada");
}

TEST_CASE("memory never sold is refused with the sizes") {
  CHECK(gpu("rtx 4090 48gb") == "GeForce RTX 4090 was sold with 24 GiB, never 48");
  const FoundGpu ultra = gpu_named(tiny_catalog(), "m3 ultra", gib(192));
  CHECK(error_of([&] { resolve_memory(*ultra.gpu, ultra.memory); }) ==
        "Apple M3 Ultra was sold with 96, 256 or 512 GiB, never 192");
  CHECK(error_of([&] { resolve_memory(*ultra.gpu, std::nullopt); }) ==
        "Apple M3 Ultra was sold with 96, 256 or 512 GiB; say which with --memory");
  CHECK(resolve_memory(*ultra.gpu, gib(256)) == gib(256));
  CHECK(resolve_memory(*gpu_named(tiny_catalog(), "4090").gpu, std::nullopt) == gib(24));
  CHECK(gpu_named(tiny_catalog(), "m3 ultra 512gb").memory == gib(512));
  CHECK(error_of([] { gpu_named(tiny_catalog(), "m3 ultra 512gb", gib(96)); }) ==
        "Apple M3 Ultra was sold with 96, 256 or 512 GiB, never 96");
}

TEST_CASE("hardware that never existed is told as such") {
  CHECK(std::holds_alternative<NeverSold>(find_gpu(tiny_catalog(), "m4 ultra")));
  CHECK(std::holds_alternative<NeverSold>(find_gpu(tiny_catalog(), "Apple M4 Ultra 256GB")));
  CHECK_THAT(gpu("m4-ultra"), contains("Apple M4 Ultra does not exist: never released"));
}

TEST_CASE("counts stand before names") {
  const auto counted = [](Text text) {
    const CountedName found = parse_counted_name(text);
    return std::to_string(found.count) + "|" + std::string(found.name);
  };
  CHECK(counted("rtx 3090") == "1|rtx 3090");
  CHECK(counted("2x rtx 3090") == "2|rtx 3090");
  CHECK(counted("2 x rtx 3090") == "2|rtx 3090");
  CHECK(counted("2X3090") == "2|3090");
  CHECK(counted("2xrtx3090") == "2|rtx3090");
  CHECK(counted("64x 4090") == "64|4090");
  CHECK(counted("7900xtx") == "1|7900xtx");
  CHECK(counted("7900 XTX") == "1|7900 XTX");
  CHECK(counted("4090") == "1|4090");
  CHECK(counted("2x") == "1|2x");
  CHECK(error_of([] { parse_counted_name("65x rtx 3090"); }) == "\"65x rtx 3090\": a count is 1 to 64");
  CHECK(error_of([] { parse_counted_name("0x rtx 3090"); }) == "\"0x rtx 3090\": a count is 1 to 64");
  CHECK(error_of([] { parse_counted_name("99999999999x rtx 3090"); }) ==
        "\"99999999999x rtx 3090\": a count is 1 to 64");
}

TEST_CASE("hosts and engines are found likewise") {
  CHECK(host_named(tiny_catalog(), "DDR5-5600 dual").id == "ddr5-5600-dual");
  CHECK(host_named(tiny_catalog(), "AMD EPYC Genoa").id == "epyc-genoa");
  CHECK(engine_named(tiny_catalog(), "llamacpp").id == "llama.cpp");
  CHECK(engine_named(tiny_catalog(), "Llama.cpp").id == "llama.cpp");
  CHECK(error_of([] { engine_named(tiny_catalog(), "olama"); }) ==
        "no engine named \"olama\"; nearest: ollama");
}

TEST_CASE("models are found by any of their names") {
  for (const char* name : {"32b", "r1:32b", "deepseek-r1:32b", "deepseek-ai/DeepSeek-R1-Distill-Qwen-32B",
                           "DeepSeek-R1-Distill-Qwen-32B", "r1-distill-qwen-32b", "R1 Distill Qwen 32B",
                           "hf.co/deepseek-ai/DeepSeek-R1-Distill-Qwen-32B"}) {
    CAPTURE(name);
    CHECK(model(name) == "r1-distill-qwen-32b");
  }
  CHECK(model("671b") == "r1-671b");
  CHECK(model("8b") == "\"8b\" is more than one model: r1-distill-llama-8b, r1-0528-qwen3-8b");
  CHECK(model("r1:8b") == "\"r1:8b\" is more than one model: r1-distill-llama-8b, r1-0528-qwen3-8b");
  CHECK(model("deepseek-r1:8b") == "r1-0528-qwen3-8b");
  CHECK_THAT(model("33b"), contains("no model named \"33b\"; nearest: r1-distill-qwen-32b"));
  CHECK(model("banana") == "no model named \"banana\"; see r1fit list models");
}

TEST_CASE("a quantisation may follow the model") {
  CHECK(model_and_quant("32b") == "r1-distill-qwen-32b");
  CHECK(model_and_quant("32b:Q4_K_M") == "r1-distill-qwen-32b:Q4_K_M");
  CHECK(model_and_quant("r1:32b:q4-k-m") == "r1-distill-qwen-32b:Q4_K_M");
  CHECK(model_and_quant("deepseek-r1:32b") == "r1-distill-qwen-32b");
  CHECK(model_and_quant("deepseek-r1:8b") == "r1-0528-qwen3-8b");
  CHECK(model_and_quant("deepseek-r1:32b-qwen-distill-q8_0") == "r1-distill-qwen-32b:Q8_0");
  CHECK(model_and_quant("deepseek-r1:32b-qwen-distill-fp16") == "r1-distill-qwen-32b:F16");
  CHECK(model_and_quant("32b:fp16") == "r1-distill-qwen-32b:F16");
  CHECK(model_and_quant("8b:Q8_0") == "\"8b\" is more than one model: r1-distill-llama-8b, r1-0528-qwen3-8b");
  CHECK(model_and_quant("r1:8b") ==
        "\"r1:8b\" is more than one model: r1-distill-llama-8b, r1-0528-qwen3-8b");
  CHECK_THAT(model_and_quant("32b:Q4_K_N"), contains("no quantisation named \"Q4_K_N\"; nearest: Q4_K_M"));
  CHECK_THAT(model_and_quant("deepseek-r1:99b"), contains("no model named \"deepseek-r1:99b\""));
  CHECK(model_and_quant("32b:") == "\"32b:\": no quantisation behind the colon");
  CHECK_THAT(model_and_quant(":Q4_K_M"), contains("no model named \"\""));
  CHECK(&quant_named(tiny_catalog(), "q4-K-m") == &quant_named(tiny_catalog(), "Q4_K_M"));
}

TEST_CASE("formats of other engines are named as such, not as misspelt quantisations") {
  for (const char* name : {"FP8", "fp8", "float8"}) {
    CAPTURE(name);
    CHECK_THAT(error_of([&] { quant_named(builtin_catalog(), name); }), contains("FP8 is in no GGUF file"));
  }
  CHECK_THAT(error_of([&] { model_and_quant_named(builtin_catalog(), "r1-671b:FP8"); }),
             contains("more than 8 x 80 GiB hold"));
  CHECK_THAT(error_of([&] { quant_named(builtin_catalog(), "awq"); }), contains("nearest GGUF is Q4_K_M"));
  CHECK_THAT(error_of([&] { quant_named(builtin_catalog(), "4bit"); }), contains("mlx-lm"));
  CHECK_THAT(error_of([&] { quant_named(builtin_catalog(), "Q4_KM"); }), contains("nearest: Q4_K_M"));
}
