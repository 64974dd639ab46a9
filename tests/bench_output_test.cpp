#include "r1fit/bench_output.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "catch.hpp"

using namespace r1fit;
using namespace r1fit::test;

namespace {

std::string text_of(const std::string& name) {
  std::ifstream file(std::filesystem::path(R1FIT_SOURCE_DIR) / "tests" / "data" / "bench" / name);
  REQUIRE(file);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<BenchRun> runs_in(const std::string& name) { return parse_bench_output(name, text_of(name)); }

std::string fault_of(const std::string& text) {
  return error_of([&] { parse_bench_output("x", text); });
}

/// One result of llama-bench as JSON, with `more` in place of what it has.
std::string with(const std::string& more) {
  return R"([{"model_type":"qwen2 32B Q8_0","n_prompt":0,"n_gen":128,"n_depth":0,)" + more + "}]";
}

}  // namespace

TEST_CASE("JSON of llama-bench gives the speeds of decoding, at their depth") {
  const std::vector<BenchRun> runs = runs_in("rtx4090_qwen32b.json");
  REQUIRE(runs.size() == 2);  // the prompt's is passed over
  const BenchRun& run = runs.front();
  CHECK(run.where == "rtx4090_qwen32b.json: element 2");
  CHECK(run.engine == "llama.cpp");
  CHECK(run.build == "8cf427ff (5163)");
  CHECK(run.date == "2026-11-22");
  CHECK(run.model == "qwen2 32B Q4_K - Medium");
  CHECK(run.parameters == 32'763'876'352);
  CHECK(run.gpus == std::vector<std::string>{"NVIDIA GeForce RTX 4090"});
  CHECK(run.backends == std::vector<std::string>{"CUDA"});
  CHECK(run.n_gpu_layers == -1);
  CHECK(run.kv_k == KvType::f16);
  CHECK(run.depth == tokens(64));
  CHECK(run.decode == tok_per_s(38.41));
  CHECK(run.unlike.empty());
  CHECK(runs.back().depth == tokens(4096 + 64));
}

TEST_CASE("lines of JSON say the same as one document") {
  const std::vector<BenchRun> whole = runs_in("rtx4090_qwen32b.json");
  const std::vector<BenchRun> lines = runs_in("rtx4090_qwen32b.jsonl");
  REQUIRE(lines.size() == whole.size());
  for (std::size_t i = 0; i < whole.size(); ++i) {
    CHECK(lines[i].decode == whole[i].decode);
    CHECK(lines[i].depth == whole[i].depth);
    CHECK(lines[i].gpus == whole[i].gpus);
    CHECK(lines[i].size == whole[i].size);
  }
  CHECK(lines.front().where == "rtx4090_qwen32b.jsonl: line 2");
}

TEST_CASE("CSV of llama-bench names several cards in one cell") {
  const std::vector<BenchRun> runs = runs_in("two_rtx3090_llama70b.csv");
  REQUIRE(runs.size() == 1);
  CHECK(runs.front().gpus.size() == 2);
  CHECK(runs.front().where == "two_rtx3090_llama70b.csv:3");
}

TEST_CASE("Markdown of llama-bench has figures rounded and no card") {
  const std::vector<BenchRun> runs = runs_in("rx7900xtx_llama8b.md");
  REQUIRE(runs.size() == 2);
  CHECK(runs.front().gpus.empty());
  CHECK(runs.front().parameters == 8'030'000'000);
  CHECK(runs.front().parameters_half == 5'000'000);
  CHECK(runs.front().size == gib(4.58));
  CHECK(runs.front().flash_attention == FlashAttention::on);
  CHECK(runs.front().n_gpu_layers == 99);
  CHECK(runs.front().decode == tok_per_s(112.33));
  CHECK(runs.front().build == "8cf427ff (5163)");
  CHECK(runs.back().depth == tokens(4096 + 64));
  CHECK(runs.back().where == "rx7900xtx_llama8b.md: line 6");
}

TEST_CASE("ollama run --verbose gives a speed at the mean length of its answer") {
  const std::vector<BenchRun> runs = runs_in("ollama_verbose.txt");
  REQUIRE(runs.size() == 1);
  CHECK(runs.front().engine == "ollama");
  CHECK(runs.front().model.empty());
  CHECK(runs.front().depth == tokens(11 + 490));
  CHECK(runs.front().decode == tok_per_s(37.20));
  const std::string answer = "eval count: 100 token(s)\neval duration: 1m40s\neval rate: 1.00 tokens/s\n";
  CHECK(parse_bench_output("x", answer + answer).size() == 2);
  for (const char* duration :
       {"1m40s", "100s", "100000ms", "100000000us", "100000000\xC2\xB5s", "0h1m40.0s"}) {
    CAPTURE(duration);
    CHECK(parse_bench_output("x", "eval count: 100 token(s)\neval duration: " + std::string(duration) +
                                      "\neval rate: 1.00 tokens/s\n")
              .size() == 1);
  }
}

TEST_CASE("what is not modelled about a run is named") {
  const auto unlike = [](const std::string& more) {
    return parse_bench_output("x", with(more + R"(,"avg_ts":30)")).front().unlike;
  };
  CHECK(unlike(R"("n_cpu_moe":0,"split_mode":"layer")").empty());
  CHECK_THAT(unlike(R"("n_cpu_moe":30)"), contains("n_cpu_moe 30"));
  CHECK_THAT(unlike(R"("tensor_buft_overrides":"exps=CPU")"), contains("-ot"));
  CHECK_THAT(unlike(R"("no_kv_offload":true)"), contains("KV cache in host memory"));
  CHECK_THAT(unlike(R"("split_mode":"row")"), contains("row"));
  CHECK_THAT(unlike(R"("fit_target":1024)"), contains("--fit-target"));
  CHECK_THAT(unlike(R"("backends":"CUDA,RPC")"), contains("RPC"));
}

TEST_CASE("which cards were used is read where only some were") {
  const auto run = [](const std::string& more) {
    return parse_bench_output("x", with(more + R"(,"avg_ts":30)")).front();
  };
  CHECK(run(R"("devices":"CUDA1")").devices == 1);
  CHECK(run(R"("devices":"CUDA0/CUDA1")").devices == 2);
  CHECK(run(R"("devices":"auto")").devices == 0);
  CHECK(run(R"("split_mode":"none")").devices == 1);
  CHECK(run(R"("devices":"none")").n_gpu_layers == 0);
}

TEST_CASE("what is no output of a benchmark is refused with its place") {
  struct Case {
    std::string text;
    std::string part;
  };
  const std::string answer = "eval count: 100 token(s)\n";
  const std::vector<Case> cases{
      {"", "x: nothing in it"},
      {"\n \t\n", "x: nothing in it"},
      {"hello", "x: neither the output of llama-bench"},
      {"INSERT INTO llama_bench (a) VALUES (1);", "SQL is not read"},
      {"[", "x: line 1, column 1"},
      {"[]", "no speed of text generation"},
      {"[1]", "x: /0: must be an object, is 1"},
      {"[{}]", "element 1: n_prompt must be a whole number, and there is none"},
      {"{\"n_prompt\":0}\n", "x: line 1: n_gen"},
      {"{\"n_prompt\":512,\"n_gen\":0}\n{", "x: line 2: line 1"},
      {with("\"avg_ts\":\"fast\""), "avg_ts must be a speed in tokens a second, is \"fast\""},
      {with("\"avg_ts\":-3"), "avg_ts must be"},
      {with("\"avg_ts\":1e300"), "avg_ts must be"},
      {with("\"avg_ts\":0"), "avg_ts must be"},
      {with("\"samples_ts\":[1]"), "avg_ts must be a speed in tokens a second, and there is none"},
      {with("\"avg_ts\":30,\"type_k\":\"bf16\""), "type_k must be f16, q8_0 or q4_0"},
      {with("\"avg_ts\":30,\"model_n_params\":\"many\""), "model_n_params must be a number of parameters"},
      {with("\"avg_ts\":30,\"model_size\":1e99"), "model_size must be a number of bytes"},
      {with("\"avg_ts\":30,\"n_gpu_layers\":1.5"), "n_gpu_layers must be a whole number"},
      {with("\"avg_ts\":30,\"test_time\":\"yesterday\""), "test_time must be a time"},
      {with("\"avg_ts\":30,\"flash_attn\":7"), "flash_attn must be 0, 1 or -1"},
      {R"([{"n_prompt":0,"n_gen":128,"avg_ts":30}])", "model_type must be"},
      {R"([{"n_prompt":0,"n_gen":1e99,"avg_ts":30}])", "n_gen must be a whole number"},
      {"build_commit,n_prompt\n\"a", "x:2: a quote is left open"},
      {"build_commit,n_prompt\n1,2,3", "x:2: 3 cells, and the head has 2"},
      {"| model | test | t/s |\n| a | xx128 | 3 |", "x: line 2: test must be one such as tg128"},
      {"| model | test | t/s |\n| a | tg12y | 3 |", "n_gen must be a whole number"},
      {"| model | test | t/s |\n| a | tg128 |", "x: line 2: 2 cells, and the head has 3"},
      {"eval rate: 30 tokens/s", "eval rate stands without an eval count"},
      {answer + "eval rate: fast", "eval rate must be a speed"},
      {answer + "eval duration: 3 days\neval rate: 30 tokens/s", "x: line 2: eval duration must be a time"},
      {answer + "eval duration: 10s\neval rate: 30 tokens/s", "eval count / eval duration is 10.00"},
      {"eval count: 3 token(s)\neval rate: 30 tokens/s", "too short to say anything"},
      {"eval count: 9e9 token(s)\neval rate: 30 tokens/s", "eval count must be a number of tokens"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.text);
    CHECK_THAT(fault_of(one.text), contains(one.part));
    CHECK(fault_of(one.text).find('\n') == std::string::npos);
  }
  CHECK_THAT(fault_of(std::string(kLargestBench + 1, ' ')), contains("too large"));
}
