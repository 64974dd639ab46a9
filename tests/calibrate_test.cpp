#include "r1fit/calibrate.hpp"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "catch.hpp"
#include "run.hpp"
#include "schema.hpp"
#include "temp_folder.hpp"

using namespace r1fit;
using namespace r1fit::test;
using nlohmann::json;

namespace {

using Args = std::vector<std::string>;

std::string bench(const std::string& name) {
  return (std::filesystem::path(R1FIT_SOURCE_DIR) / "tests" / "data" / "bench" / name).string();
}

/// The program with a home of its own, on a day of its own.
Ran run_in(const TempFolder& home, const Args& args, const Args& lines = {}) {
  World world;
  world.data_folder = (home.path() / "r1fit").string();
  world.today = [] { return "2026-11-23"; };
  return test::run_in(std::move(world), args, lines);
}

json json_in(const TempFolder& home, Args args) {
  args.emplace_back("--json");
  const Ran ran = run_in(home, args);
  CAPTURE(args, ran.err);
  REQUIRE(ran.status == 0);
  return json::parse(ran.out);
}

/// One result of llama-bench: 14B on a card, and `more` in place of what it says.
Args lines_with(const std::string& more) {
  return {R"({"gpu_info":"NVIDIA GeForce RTX 3090","backends":"CUDA","model_type":"qwen2 14B Q4_K - Medium",)"
          R"("model_n_params":14770033664,"n_prompt":0,"n_gen":128,"n_depth":0)" +
          more + "}"};
}

double typical(const json& estimate) { return estimate["speed"]["decode_tps"]["typical"]; }
double width(const json& estimate) {
  const json& speed = estimate["speed"]["decode_tps"];
  return speed["high"].get<double>() / speed["low"].get<double>();
}

}  // namespace

TEST_CASE("model, quantisation and card are found in the catalogue", "[calibrate]") {
  const TempFolder home;
  const json all = json_in(home, {"calibrate", bench("rtx4090_qwen32b.json")});
  REQUIRE(all["runs"].size() == 2);
  const json& run = all["runs"][0];
  CHECK(run["gpus"] == json::array({"rtx-4090"}));
  CHECK(run["host"].is_null());
  CHECK(run["backend"] == "cuda");
  CHECK(run["model"] == "r1-distill-qwen-32b");
  CHECK(run["quant"] == "Q4_K_M");
  CHECK(run["depth"] == 64);
  CHECK(run["decode_tps"] == 38.41);
  CHECK(run["date"] == "2026-11-22");
  CHECK(run["source"] == "rtx4090_qwen32b.json");
  REQUIRE(all["devices"].size() == 1);
  CHECK(all["devices"][0]["runs"] == 2);

  CHECK(json_in(home, {"calibrate", bench("two_rtx3090_llama70b.csv")})["runs"][0]["gpus"] ==
        json::array({"rtx-3090", "rtx-3090"}));
  // What the output does not say the flags do, and they win over what it says.
  const json radeon = json_in(home, {"calibrate", bench("rx7900xtx_llama8b.md"), "--gpu", "rx 7900 xtx"});
  CHECK(radeon["runs"][0]["gpus"] == json::array({"rx-7900-xtx"}));
  CHECK(radeon["runs"][0]["backend"] == "vulkan");
  CHECK(radeon["runs"][0]["date"] == "2026-11-23");  // the day it was read: it has none
  const json cpu = json_in(home, {"calibrate", bench("ddr5_llama8b_cpu.json"), "--cpu", "ddr5-5600-dual"});
  CHECK(cpu["runs"][0]["host"] == "ddr5-5600-dual");
  CHECK(cpu["runs"][0]["backend"] == "cpu");
  const json ollama = json_in(home, {"calibrate", bench("ollama_verbose.txt"), "--gpu", "rtx 4090", "--model",
                                     "32b", "--kv", "q8_0"});
  CHECK(ollama["runs"][0]["engine"] == "ollama");
  CHECK(ollama["runs"][0]["kv_type_k"] == "q8_0");
  CHECK(json_in(home, {"calibrate", bench("rtx4090_qwen32b.json"), "--gpu", "rtx 3090"})["runs"][0]["gpus"] ==
        json::array({"rtx-3090"}));
}

TEST_CASE("what is kept and cannot be read is told with what helps there", "[calibrate]") {
  const TempFolder home;
  std::filesystem::create_directories(home.path() / "r1fit");
  home.write("r1fit/calibration.json", "{");
  const Ran list = run_in(home, {"calibrate", "--list"});
  CHECK(refusal_fault(list, "calibration.json' forgets it", 3) == "");
  CHECK_THAT(list.err, !contains("--no-calibration"));  // a flag of the answers alone
  const Args answer{"estimate", "32b", "--vram", "24"};
  CHECK(refusal_fault(run_in(home, answer), "forgets it; --no-calibration answers without it", 3) == "");
  std::filesystem::remove(home.path() / "r1fit" / "calibration.json");
  std::filesystem::create_directories(home.path() / "r1fit" / "calibration.json");
  CHECK(refusal_fault(run_in(home, {"calibrate", "--list"}), "calibration.json: Is a directory\n", 3) == "");
  CHECK(refusal_fault(run_in(home, answer), "Is a directory; --no-calibration answers without it", 3) == "");
}

TEST_CASE("a model that is no R1 counts as the R1 of its shapes", "[calibrate]") {
  const TempFolder home;
  // Llama 3.1 8B and Qwen2.5 14B have them, Qwen3 14B of nearly as many parameters has not.
  CHECK(run_in(home, {"calibrate", "-"}, lines_with(R"(,"avg_ts":60)")).status == 0);
  Args qwen3 = lines_with(R"(,"avg_ts":60)");
  qwen3.front().replace(qwen3.front().find("qwen2"), 5, "qwen3");
  CHECK(refusal_fault(run_in(home, {"calibrate", "-"}, qwen3), "has the tensor shapes of no R1") == "");
  Args other = lines_with(R"(,"avg_ts":60)");
  other.front().replace(other.front().find("14770033664"), 11, "14768307200");
  CHECK(refusal_fault(run_in(home, {"calibrate", "-"}, other), "name that with --model") == "");
}

TEST_CASE("what cannot be told is one sentence that names the flag", "[calibrate]") {
  struct Case {
    std::string file;
    std::string part;
  };
  const TempFolder home;
  for (const Case& one : {Case{"rx7900xtx_llama8b.md", "name it with --gpu"},
                          Case{"ddr5_llama8b_cpu.json", "name the platform with --cpu"},
                          Case{"ollama_verbose.txt", "name it with --model"}}) {
    CHECK(refusal_fault(run_in(home, {"calibrate", bench(one.file)}), one.part) == "");
  }
  struct Line {
    std::string more;
    std::string part;
  };
  const std::vector<Line> lines{
      {R"(,"avg_ts":200)", "GB/s, above the card's 936 GB/s"},
      {R"(,"avg_ts":3)", "is less than a tenth of the"},
      {R"(,"avg_ts":60,"model_size":9999999999)", "which --quant tells"},
      {R"(,"avg_ts":60,"test_time":"2024-05-01T00:00:00Z")", "software of before 2025"},
      {R"(,"avg_ts":60,"n_gpu_layers":20)", "only 20 of 49 layers on the GPU"},
      {R"(,"avg_ts":60,"n_cpu_moe":5)", "experts in host memory"},
  };
  for (const Line& one : lines) {
    CAPTURE(one.more);
    CHECK(refusal_fault(run_in(home, {"calibrate", "-"}, lines_with(one.more)), one.part) == "");
  }
  Args cards = lines_with(R"(,"avg_ts":60)");
  cards.front().replace(cards.front().find("RTX 3090"), 8, "RTX 3060");
  CHECK(refusal_fault(run_in(home, {"calibrate", "-"}, cards), "say which with --gpu") == "");
  CHECK(refusal_fault(run_in(home, {"calibrate", "-", "--model", "70b"}, lines_with(R"(,"avg_ts":60)")),
                      "of --model has 70,553,706,496") == "");
  CHECK(refusal_fault(run_in(home, {"calibrate", "-", "--backend", "metal"}, lines_with(R"(,"avg_ts":60)")),
                      "does not run on GeForce RTX 3090") == "");
  CHECK(refusal_fault(run_in(home, {"calibrate", "-", "--memory", "24"}, lines_with(R"(,"avg_ts":60)")),
                      "--memory says which size of a --gpu is meant") == "");
  Args quant = lines_with(R"(,"avg_ts":60)");
  quant.front().replace(quant.front().find("Q4_K - Medium"), 13, "MXFP4 MoE");
  CHECK(refusal_fault(run_in(home, {"calibrate", "-"}, quant), "say it with --quant") == "");
  // Ollama puts what does not fit into host memory by itself.
  CHECK(refusal_fault(
            run_in(home, {"calibrate", bench("ollama_verbose.txt"), "--gpu", "rtx 4090", "--model", "70b"}),
            "does not fit the memory of rtx-4090") == "");
  CHECK(refusal_fault(run_in(home, {"calibrate"}), "one of FILE ..., --list and --forget") == "");
  CHECK(refusal_fault(run_in(home, {"calibrate", "--list", "--forget", "all"}), "one of FILE") == "");
  CHECK(refusal_fault(run_in(home, {"calibrate", "/no/such/file"}), "/no/such/file: ") == "");
  CHECK(refusal_fault(run_in(home, {"calibrate", "/"}), "is a folder") == "");
  CHECK(refusal_fault(run({"calibrate", "--list"}), "XDG_DATA_HOME", 3) == "");
  // Nothing was kept of all that.
  CHECK(json_in(home, {"calibrate", "--list"})["runs"].empty());
}

TEST_CASE("of a file with layers on the CPU the other runs are kept", "[calibrate]") {
  const TempFolder home;
  const Ran ran = run_in(home, {"calibrate", bench("layers_partly.jsonl")});
  CHECK(ran.status == 0);
  CHECK_THAT(ran.err, contains("left aside") && contains("line 1: only 20 of 65 layers on the GPU"));
  CHECK(json_in(home, {"calibrate", "--list"})["runs"].size() == 1);
}

TEST_CASE("a file with the runs of another replaces them", "[calibrate]") {
  const TempFolder home;
  const json once = json_in(home, {"calibrate", bench("rtx4090_qwen32b.json")});
  const json again =
      json_in(home, {"calibrate", bench("rtx4090_qwen32b.json"), bench("rtx4090_qwen32b.json")});
  CHECK(again["runs"].size() == once["runs"].size());
}

TEST_CASE("a fault in one file keeps nothing of the others", "[calibrate]") {
  const TempFolder home;
  CHECK(run_in(home, {"calibrate", bench("rtx4090_qwen32b.json"), bench("ollama_verbose.txt")}).status == 2);
  CHECK(json_in(home, {"calibrate", "--list"})["runs"].empty());
}

TEST_CASE("later answers are centred on the runs, and narrower", "[calibrate]") {
  const TempFolder home;
  const Args estimate{"estimate", "32b", "--gpu", "rtx 4090"};
  const json before = json_in(home, estimate);
  const json plain = json::parse(run(Args{"estimate", "32b", "--gpu", "rtx 4090", "--json"}).out);
  CHECK(before == plain);
  REQUIRE(run_in(home, {"calibrate", bench("rtx4090_qwen32b.json")}).status == 0);
  const json after = json_in(home, estimate);
  CHECK(typical(after) < typical(before));
  CHECK(width(after) < width(before));
  CHECK(after["speed"]["limit_tps"] == before["speed"]["limit_tps"]);
  CHECK_THAT(after["speed"]["basis"].dump(), contains("centred on 2 runs of yours of 2026-11-22"));
  CHECK(schema_fault("estimate", after.dump()) == "");
  CHECK(json_in(home, {"check", "32b", "--gpu", "rtx 4090"})["speed"] == after["speed"]);
  const json list = json_in(home, {"--gpu", "rtx 4090"});
  CHECK_THAT(list["recommendations"][0]["speed"]["basis"].dump(), contains("centred on"));
  const Ran table = run_in(home, {"estimate", "32b", "--gpu", "rtx 4090"});
  CHECK_THAT(table.out, contains("centred on 2"));
  CHECK_THAT(run_in(home, {"estimate", "32b", "--gpu", "rtx 4090", "--explain"}).out, contains("yours"));

  // Not other hardware, not batch and claim, and not where it is not wanted.
  const json other = json_in(home, {"estimate", "32b", "--gpu", "rtx 3090"});
  CHECK(other == json::parse(run(Args{"estimate", "32b", "--gpu", "rtx 3090", "--json"}).out));
  Args without = estimate;
  without.emplace_back("--no-calibration");
  CHECK(json_in(home, without) == before);
  const std::string request = R"({"model": "32b", "gpus": [{"name": "rtx-4090"}]})";
  CHECK(run_in(home, {"batch"}, {request}).out == run({"batch"}, {request}).out);
}

TEST_CASE("what is kept is listed in every format, and forgotten", "[calibrate]") {
  const TempFolder home;
  CHECK_THAT(run_in(home, {"calibrate", "--list"}).out, contains("No run of yours is kept"));
  CHECK(refusal_fault(run_in(home, {"calibrate", "--forget", "rtx 4090"}), "no run of yours is kept") == "");
  REQUIRE(run_in(home, {"calibrate", bench("rtx4090_qwen32b.json")}).status == 0);
  REQUIRE(run_in(home, {"calibrate", bench("ddr5_llama8b_cpu.json"), "--cpu", "ddr5-5600-dual"}).status == 0);
  CHECK(schema_fault("calibration", run_in(home, {"calibrate", "--list", "--json"}).out) == "");
  CHECK(schema_fault("calibration",
                     run_in(home, {"calibrate", "--json", bench("rtx4090_qwen32b.json")}).out) == "");
  const Ran table = run_in(home, {"calibrate", "--list"});
  CHECK_THAT(table.out, contains("rtx-4090 (cuda): other models x 0.") && contains("ddr5-5600-dual (cpu)"));
  CHECK_THAT(run_in(home, {"calibrate", "--list", "--format", "csv"}).out,
             starts_with("hardware,model,quant,depth,decode_tps,") && contains(",4160,36.02,"));
  CHECK_THAT(run_in(home, {"calibrate", "--list", "--format", "md"}).out, starts_with("| hardware"));

  CHECK(refusal_fault(run_in(home, {"calibrate", "--forget", "rtx 3090"}),
                      "there are some on: ddr5-5600-dual, rtx-4090") == "");
  CHECK(run_in(home, {"calibrate", "--forget", "NVIDIA RTX 4090"}).out == "forgotten: 2 runs\n");
  CHECK(json_in(home, {"calibrate", "--list"})["runs"].size() == 1);
  CHECK(run_in(home, {"calibrate", "--forget", "all"}).out == "forgotten: 1 run\n");
  CHECK(json_in(home, {"calibrate", "--list"})["runs"].empty());
}

TEST_CASE("a damaged store is said, whatever is asked, and left alone", "[calibrate]") {
  const TempFolder home;
  std::filesystem::create_directory(home.path() / "r1fit");
  home.write("r1fit/calibration.json", "{");
  const Args estimate{"estimate", "32b", "--gpu", "rtx 4090"};
  for (const Args& args : {estimate, Args{"calibrate", "--list"}, Args{"calibrate", "--forget", "all"},
                           Args{"calibrate", bench("rtx4090_qwen32b.json")}}) {
    CHECK(refusal_fault(run_in(home, args), "calibration.json: line 1", 3) == "");
  }
  Args without = estimate;
  without.emplace_back("--no-calibration");
  CHECK(run_in(home, without).status == 0);
  CHECK(home.read("r1fit/calibration.json") == "{");
}
