#include "r1fit/batch.hpp"

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "catch.hpp"
#include "run.hpp"

using namespace r1fit;
using nlohmann::json;
using r1fit::test::Ran;
using r1fit::test::run;

namespace {

// The sentence of the fault, or "(no fault)"; "id: sentence" where the id could be read.
std::string fault_of(const std::string& line) {
  try {
    static_cast<void>(parse_batch_request(line));
  } catch (const BatchFault& fault) {
    return (fault.id_json.empty() ? "" : fault.id_json + ": ") + fault.sentence;
  }
  return "(no fault)";
}

std::vector<json> answers(const Ran& ran) {
  std::vector<json> found;
  std::size_t begin = 0;
  while (begin < ran.out.size()) {
    const std::size_t end = ran.out.find('\n', begin);
    REQUIRE(end != std::string::npos);
    found.push_back(json::parse(ran.out.substr(begin, end - begin)));
    begin = end + 1;
  }
  return found;
}

const std::string kGood = R"({"id":"good","model":"32b","gpus":[{"vram_gib":24}]})";

}  // namespace

TEST_CASE("a request uses the words of the flags", "[batch]") {
  const BatchRequest request = parse_batch_request(
      R"({"id": "x", "model": "r1-distill-qwen-32b", "quant": "Q4_K_M", "ctx": 4096, "kv_k": "q8_0",
          "kv_v": "q4_0", "flash_attn": "on", "ubatch": 256, "parallel": 2, "ngl": 65, "cpu_moe": false,
          "n_cpu_moe": 0, "backend": "vulkan", "legacy_gguf": false, "depth": 0, "logits_rows": "ubatch",
          "engine": "llama.cpp", "split": "layer", "desktop": "linux",
          "gpus": [{"name": "m4-max", "count": 1, "memory_gib": 64}, {"vram_gib": 24, "bandwidth_gbps": 1008}],
          "ram_gib": 64, "cpu": "ddr5-5600-dual", "ram_bandwidth_gbps": 80, "wired_limit_gib": 60})");
  CHECK(request.id_json == "\"x\"");
  CHECK(request.needs.models == std::vector<std::string>{"r1-distill-qwen-32b"});
  CHECK(request.needs.quants == std::vector<std::string>{"Q4_K_M"});
  CHECK(request.needs.engine == "llama.cpp");
  const Workload& work = request.needs.workload;
  CHECK(work.context == tokens(4096));
  CHECK(work.kv_k == KvType::q8_0);
  CHECK(work.kv_v == KvType::q4_0);
  CHECK(work.flash_attention == FlashAttention::on);
  CHECK(work.ubatch == tokens(256));
  CHECK(work.parallel == 2);
  CHECK(work.depth == tokens(0));
  CHECK(work.logits_rows == LogitsRows::ubatch);
  CHECK(request.needs.placement.n_gpu_layers == 65);
  CHECK_FALSE(request.needs.placement.n_cpu_moe);  // 0 asks for nothing
  REQUIRE(request.hardware.gpus.size() == 2);
  CHECK(request.hardware.gpus[0].name == "m4-max");
  CHECK(request.hardware.gpus[0].memory == gib(64));
  CHECK(request.hardware.gpus[1].name.empty());
  CHECK(request.hardware.gpus[1].memory == gib(24));
  CHECK(request.hardware.gpus[1].bandwidth == gb_per_s(1008));
  CHECK(request.hardware.backend == Backend::vulkan);
  CHECK(request.hardware.ram == gib(64));
  CHECK(request.hardware.cpu == "ddr5-5600-dual");
  CHECK(request.hardware.ram_bandwidth == gb_per_s(80));
  CHECK(request.hardware.wired_limit == gib(60));
  CHECK(request.hardware.desktop == "linux");
}

TEST_CASE("null is not said, max is the model's own context", "[batch]") {
  const BatchRequest request =
      parse_batch_request(R"({"model": "32b", "ctx": "max", "quant": null, "gpus": null, "reserve_gib": 0})");
  CHECK(request.id_json.empty());
  CHECK(request.needs.context == ContextChoice::longest);
  CHECK(request.needs.quants.empty());
  CHECK(request.hardware.gpus.empty());
  CHECK(request.hardware.reserve == Bytes{});
}

TEST_CASE("a request that cannot be read says why, with its id", "[batch]") {
  CHECK(fault_of("") == "the line is no valid JSON");
  CHECK(fault_of("{") == "the line is no valid JSON");
  CHECK(fault_of(kGood + " x") == "the line is no valid JSON");
  CHECK(fault_of("{'model': '32b'}") == "the line is no valid JSON");
  CHECK(fault_of("{\"model\": \"\xff\"}") == "the line is no valid JSON");
  CHECK(fault_of(R"({"model": "32b", "ram_gib": 1e999})") == "the line is no valid JSON");
  for (const char* line : {"null", "3", "\"32b\"", "[]", "[{}]"}) {
    CAPTURE(line);
    CHECK(fault_of(line) == "the line is no JSON object");
  }
  CHECK(fault_of("{}") == "model is missing");
  CHECK(fault_of(R"({"id": [1, {"a": null}]})") == "[1,{\"a\":null}]: model is missing");
  CHECK(fault_of(R"({"id": 7, "modle": "32b"})") == "7: no key \"modle\"; nearest: model");
  CHECK(fault_of(R"({"model": "32b", "gpus": [{"nmae": "t4"}]})") ==
        "no key \"nmae\" in gpus; nearest: name");
  CHECK(fault_of(R"({"model": "32b", "reserve_gib": 1, "desktop": "linux"})") ==
        "reserve_gib and desktop exclude each other");
  CHECK(fault_of(R"({"model": "32b", "split": "rows"})") == "split takes layer, row or tensor, not \"rows\"");
}

TEST_CASE("every key refuses values of another type", "[batch]") {
  const std::vector<std::string> numbers{"ctx",
                                         "ubatch",
                                         "parallel",
                                         "ngl",
                                         "depth",
                                         "prompt",
                                         "n_cpu_moe",
                                         "think",
                                         "answer_tokens",
                                         "downlink_mbps",
                                         "ram_gib",
                                         "ram_bandwidth_gbps",
                                         "disk_bandwidth_gbps",
                                         "reserve_gib",
                                         "wired_limit_gib"};
  const std::vector<std::string> words{"model",       "quant",   "engine", "kv",         "kv_k",
                                       "kv_v",        "cpu",     "split",  "flash_attn", "backend",
                                       "logits_rows", "desktop", "answer"};
  const std::vector<std::string> flags{"cpu_moe", "legacy_gguf", "kv_unified", "imatrix"};
  const auto refused = [](const std::string& key, const std::string& value) {
    CAPTURE(key, value);
    CHECK_THAT(fault_of(R"({"id": 1, ")" + key + "\": " + value + "}"),
               r1fit::test::contains("1: " + key + " takes "));
  };
  for (const char* value : {"\"\"", "\"8k\"", "true", "[]", "{}", "-1", "1e99"}) {
    for (const std::string& key : numbers) refused(key, value);
  }
  for (const char* value : {"\"\"", "3", "true", "[\"f16\"]", "{}"}) {
    for (const std::string& key : words) refused(key, value);
  }
  for (const char* value : {"\"true\"", "\"\"", "0", "1", "[]"}) {
    for (const std::string& key : flags) refused(key, value);
  }
  for (const char* value : {"3", "{}", "\"rtx-4090\"", "[3]", "[[]]", "[null]"}) refused("gpus", value);
  for (const char* key : {"ctx", "ubatch", "ngl"}) {
    refused(key, "8192.5");
    refused(key, "18446744073709551615");
    refused(key, "-9223372036854775808");
  }
}

TEST_CASE("a GPU has a name or a size", "[batch]") {
  const auto gpu = [](const std::string& text) {
    return fault_of(R"({"model": "32b", "gpus": [)" + text + "]}");
  };
  CHECK(gpu(R"({"name": "t4"})") == "(no fault)");
  CHECK(gpu("{}") == "a GPU takes either name or vram_gib");
  CHECK(gpu(R"({"name": "t4", "vram_gib": 16})") == "a GPU takes either name or vram_gib");
  CHECK(gpu(R"({"name": "t4", "bandwidth_gbps": 300})") ==
        "bandwidth_gbps goes with vram_gib, not with name");
  CHECK(gpu(R"({"vram_gib": 16, "memory_gib": 16})") == "memory_gib goes with name, not with vram_gib");
  for (const char* count : {"0", "65", "1.5", "\"2\"", "-1"}) {
    CAPTURE(count);
    CHECK(gpu(R"({"name": "t4", "count": )" + std::string(count) + "}") ==
          "count takes a whole number from 1 to 64");
  }
}

TEST_CASE("nesting has an end", "[batch]") {
  const auto nested = [](std::size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); };
  const std::string deep = "the line is nested deeper than 64 levels";
  CHECK(fault_of(R"({"id": )" + nested(63) + "}") == nested(63) + ": model is missing");
  CHECK(fault_of(R"({"id": )" + nested(64) + "}") == deep);
  CHECK(fault_of(R"({"id": )" + nested(1'000'000) + "}") == deep);
  CHECK(fault_of(std::string(1'000'000, '[')) == deep);
  CHECK(fault_of(std::string(1'000'000, ']')) == "the line is no valid JSON");
  // Brackets in a string are no levels, and a quote behind a backslash ends no string.
  CHECK(fault_of(R"({"id": "\"\\\")" + std::string(100, '[') + "\"}").ends_with(": model is missing"));
}

TEST_CASE("one answer a line that is not empty, in order, and the run goes on", "[batch]") {
  const std::vector<std::string> lines{
      kGood,
      "",
      "no json",
      "   \t",
      R"({"id": 2, "model": "33b", "gpus": [{"vram_gib": 24}]})",
      R"({"id": 3, "model": "8b", "gpus": [{"vram_gib": 24}]})",
      R"({"id": 4, "model": "32b"})",
      R"({"id": 5, "model": "32b", "gpus": [{"name": "rtx 4090 48gb"}]})",
      R"({"id": null, "model": "32b", "flash_attn": "off", "kv_v": "q8_0", "gpus": [{"vram_gib": 24}]})",
      R"({"id": 6, "model": ")" + std::string(3'000'000, 'x') + R"(", "gpus": [{"vram_gib": 24}]})",
      R"({"id": {"a": [1.5, "ü"]}, "model": "671b", "gpus": [{"name": "2x t4", "count": 2}]})"
      "\r",
      R"({"model": "deepseek-r1:8b", "ram_gib": 16, "cpu": "ddr5-5600-dual"})"};
  const Ran ran = run({"batch"}, lines);
  CHECK(ran.status == 1);
  CHECK(ran.err.empty());
  const std::vector<json> found = answers(ran);
  REQUIRE(found.size() == 10);
  CHECK(found[0]["id"] == "good");
  CHECK(found[0]["verdict"] == "fits");
  CHECK(found[1] == json{{"id", nullptr}, {"error", "the line is no valid JSON"}});
  for (std::size_t i = 2; i <= 5; ++i) CHECK(found[i]["id"] == i);
  for (std::size_t i = 1; i <= 7; ++i) {
    CAPTURE(i);
    CHECK(found[i].size() == 2);
    const std::string sentence = found[i]["error"];
    CHECK(sentence.size() < 200);
    CHECK(sentence.find('\n') == std::string::npos);
  }
  CHECK(found[3]["error"] == "\"8b\" is more than one model: r1-distill-llama-8b, r1-0528-qwen3-8b");
  CHECK(found[5]["error"] == "GeForce RTX 4090 was sold with 24 GiB, never 48");
  CHECK(found[8]["id"] == json{{"a", {1.5, "ü"}}});
  CHECK(found[8]["memory"]["devices"].size() == 4);
  CHECK(found[8]["verdict"] == "does_not_fit");
  CHECK_FALSE(found[9].contains("id"));
  CHECK(found[9]["model"] == "r1-0528-qwen3-8b");
  CHECK(found[9]["backend"] == "cpu");
}

TEST_CASE("a batch without fault is a yes, also when nothing fits", "[batch]") {
  const Ran ran = run({"batch"}, {R"({"model": "671b", "gpus": [{"vram_gib": 8}]})"});
  CHECK(ran.status == 0);
  CHECK(answers(ran).at(0)["verdict"] == "does_not_fit");
  const Ran nothing = run({"batch"});
  CHECK(nothing.status == 0);
  CHECK(nothing.out.empty());
}

TEST_CASE("a batch answers as estimate does", "[batch]") {
  const Ran one =
      run({"estimate", "r1-671b:Q4_K_M", "--gpu", "rtx 4090", "--ram", "512", "--cpu", "epyc-genoa", "--ctx",
           "16k", "--kv", "q8_0", "--n-cpu-moe", "61", "--ngl", "62", "--json"});
  const Ran many = run(
      {"batch"}, {R"({"model": "r1-671b", "quant": "Q4_K_M", "gpus": [{"name": "rtx 4090"}], "ram_gib": 512,
                          "cpu": "epyc-genoa", "ctx": 16384, "kv": "q8_0", "n_cpu_moe": 61, "ngl": 62})"});
  REQUIRE(one.status == 0);
  REQUIRE(many.status == 0);
  json alone = json::parse(one.out);
  json& speed = alone.at("speed");
  // All but the measurements nearby, which a batch of thousands does not look up.
  CHECK(speed.erase("measured") == 1);
  json& basis = speed.at("basis");
  const json fewer = answers(many).at(0).at("speed").at("basis");
  REQUIRE(basis.size() > fewer.size());
  basis.erase(basis.begin() + static_cast<std::ptrdiff_t>(fewer.size()), basis.end());
  CHECK(answers(many).at(0) == alone);
}

TEST_CASE("a request for memory alone is answered by that part of the estimate", "[batch]") {
  const std::string asked = R"({"model": "32b", "gpus": [{"name": "rtx 4090"}], "ctx": 20000)";
  const Ran ran = run({"batch"}, {asked + "}", asked + R"(, "answer": "memory"})"});
  REQUIRE(ran.status == 0);
  const std::vector<json> lines = answers(ran);
  REQUIRE(lines.size() == 2);
  CHECK(lines[1].at("schema") == "r1fit.memory/1");
  CHECK_FALSE(lines[1].contains("speed"));
  for (const char* key : {"verdict", "placement", "memory", "context", "model"}) {
    CAPTURE(key);
    CHECK(lines[1].at(key) == lines[0].at(key));
  }
  CHECK(lines[1].at("memory").at("max_context").is_number());
}

TEST_CASE("as many answers as requests, whatever the size of the pieces", "[batch]") {
  std::vector<std::string> lines(200, kGood);
  lines[100] = "garbage";
  const std::vector<json> found = answers(run({"batch"}, lines));
  REQUIRE(found.size() == lines.size());
  CHECK(found[100].contains("error"));
  CHECK(found[199]["id"] == "good");
}
