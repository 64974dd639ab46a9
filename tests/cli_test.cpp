#include "r1fit/cli.hpp"

#include <unistd.h>
#include <random>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "claims.hpp"
#include "golden.hpp"
#include "r1fit/catalog_json.hpp"
#include "run.hpp"
#include "schema.hpp"
#include "tiny_catalog.hpp"

using namespace r1fit;
using nlohmann::json;
using r1fit::test::contains;
using r1fit::test::golden_fault;
using r1fit::test::Ran;
using r1fit::test::refusal_fault;
using r1fit::test::run;
using r1fit::test::schema_fault;
using r1fit::test::starts_with;

namespace fs = std::filesystem;

namespace {

using Args = std::vector<std::string>;

Args operator+(Args args, const Args& more) {
  args.insert(args.end(), more.begin(), more.end());
  return args;
}

json json_of_run(const Args& args) {
  const Ran ran = run(args + Args{"--json"});
  CAPTURE(args, ran.err);
  REQUIRE(ran.err.empty());
  return json::parse(ran.out);
}

// ---- claims -------------------------------------------------------------------------------------------

/// A figure written for people: half of its last digit, or 5 %, which is less than GiB called GB is off.
double tolerance_of(const std::string& figure) {
  const std::size_t point = figure.find('.');
  const double decimals = point == std::string::npos ? 0 : static_cast<double>(figure.size() - point - 1);
  return std::max(0.5 * std::pow(10.0, -decimals), 0.05 * std::stod(figure));
}

double download_gb(const std::string& model, const std::string& quant, const Args& more = {}) {
  const json answer = json_of_run(Args{"estimate", model + ":" + quant, "--vram", "24"} + more);
  return answer["memory"]["download_bytes"].get<double>() / 1e9;
}

// ---- a folder with a damaged catalogue ----------------------------------------------------------------

class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / ("r1fit_cli_test." + std::to_string(::getpid()))) {
    fs::create_directories(path_);
    for (const CatalogFile& file : kCatalogFiles) write(file.name, test::tiny_texts().*file.text);
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  void write(std::string_view name, const std::string& text) const {
    std::ofstream(path_ / name, std::ios::binary) << text;
  }
  void remove(std::string_view name) const { fs::remove(path_ / name); }
  [[nodiscard]] std::string path() const { return path_.string(); }

 private:
  fs::path path_;
};

int widest_line(const std::string& text) {
  std::istringstream lines(text);
  std::size_t widest = 0;
  for (std::string line; std::getline(lines, line);) {
    // Commands are to be pasted, so they are not broken.
    const bool command = line.find("llama-server ") != std::string::npos ||
                         line.find("ollama ") != std::string::npos ||
                         line.find("sysctl ") != std::string::npos;
    if (!command) widest = std::max(widest, line.size());
  }
  return static_cast<int>(widest);
}

}  // namespace

// ---- what it answers ----------------------------------------------------------------------------------

TEST_CASE("the first pick is what one would choose", "[cli]") {
  struct Case {
    Args hardware;
    std::vector<std::string> models;  // any of them
    Args quants;                      // any of them; empty: whichever
  };
  const Args from_4_bits{"Q4_K_M", "Q4_K_L", "Q5_K_S", "Q5_K_M", "Q6_K", "Q6_K_L", "Q8_0"};
  const std::vector<Case> cases{
      {{"--vram", "8"}, {"r1-distill-qwen-7b", "r1-distill-llama-8b", "r1-0528-qwen3-8b"}, {}},
      {{"--gpu", "rtx 4060"}, {"r1-distill-qwen-7b", "r1-distill-llama-8b", "r1-0528-qwen3-8b"}, {}},
      {{"--vram", "12"}, {"r1-distill-qwen-14b", "r1-0528-qwen3-8b"}, {}},
      {{"--vram", "16"}, {"r1-distill-qwen-14b", "r1-0528-qwen3-8b"}, {}},
      {{"--vram", "24"}, {"r1-distill-qwen-32b"}, from_4_bits},
      {{"--gpu", "rtx 3090"}, {"r1-distill-qwen-32b"}, from_4_bits},
      {{"--gpu", "rtx 4090"}, {"r1-distill-qwen-32b"}, from_4_bits},
      {{"--gpu", "2x rtx 3090"}, {"r1-distill-llama-70b"}, from_4_bits},
      {{"--gpu", "m4-max", "--memory", "64"}, {"r1-distill-llama-70b", "r1-distill-qwen-32b"}, {}},
      {{"--gpu", "m1-max", "--memory", "64"}, {"r1-distill-llama-70b", "r1-distill-qwen-32b"}, {}},
      {{"--gpu", "m2-max", "--memory", "64"}, {"r1-distill-llama-70b", "r1-distill-qwen-32b"}, {}},
      {{"--gpu", "m3-ultra", "--memory", "512"},
       {"r1-671b", "r1-0528-671b"},
       {"Q4_K_M", "Q4_K_S", "IQ4_XS", "UD-Q4_K_XL"}},
  };
  for (const Case& one : cases) {
    const json first = json_of_run(one.hardware)["recommendations"].at(0);
    const std::string model = first["model"];
    const std::string quant = first["quant"];
    CAPTURE(one.hardware, model, quant);
    CHECK(std::ranges::find(one.models, model) != one.models.end());
    CHECK((one.quants.empty() || std::ranges::find(one.quants, quant) != one.quants.end()));
    CHECK(first["verdict"] == "fits");
    CHECK(first["rank"] == 1);
  }
}

TEST_CASE("much host memory offers the whole R1 with its experts there", "[cli]") {
  for (const Args& card : {Args{"--gpu", "rtx 4090"}, Args{"--vram", "24"}}) {
    const json answer = json_of_run(card + Args{"--ram", "512", "--cpu", "epyc-genoa"});
    const json& rows = answer["recommendations"];
    CAPTURE(card);
    CHECK(std::ranges::any_of(rows, [](const json& row) {
      return row["model"].get<std::string>().ends_with("-671b") &&
             row["placement"]["mode"] == "experts_on_host";
    }));
  }
}

TEST_CASE("a machine without a card gets small models at a CPU's speed", "[cli]") {
  const json answer = json_of_run({"--ram", "16"});
  const json& first = answer["recommendations"].at(0);
  CHECK((first["model"] == "r1-0528-qwen3-8b" || first["model"] == "r1-distill-qwen-7b" ||
         first["model"] == "r1-distill-llama-8b"));
  for (const json& row : answer["recommendations"]) {
    CAPTURE(row["model"]);
    CHECK(row["backend"] == "cpu");
    CHECK(row["placement"]["mode"] == "cpu");
    CHECK(row["memory"]["host"]["total_bytes"] < gib(16).count());
    CHECK(row["speed"]["decode_tps"]["typical"] < 60);
  }
}

TEST_CASE("claims of the web come out as they should", "[cli]") {
  for (const test::ClaimRow& claim : test::claim_rows()) {
    CAPTURE(claim.id, claim.model, claim.quant, claim.hardware, claim.claimed, claim.why);
    if (claim.kind == "fits") {
      const Args question{"check",
                          claim.model + ":" + claim.quant,
                          claim.nameless() ? "--vram" : "--gpu",
                          claim.hardware,
                          "--ctx",
                          claim.context};
      const Ran ran = run(question + Args{"--json"});
      if (claim.expected == "no_such_memory") {
        CHECK(refusal_fault(ran, "was sold with 16 GiB, never 24") == "");
        continue;
      }
      REQUIRE(ran.err.empty());
      const std::string verdict = json::parse(ran.out)["verdict"];
      CAPTURE(verdict);
      if (claim.expected == "yes") CHECK(ran.status == 0);
      if (claim.expected == "tight") CHECK(verdict == "tight");
      if (claim.expected == "no") CHECK(ran.status == 1);
      CHECK((claim.expected == "no") == (verdict == "does_not_fit"));
    } else if (claim.kind == "file_size") {
      const double claimed = std::stod(claim.claimed);
      const double tolerance = tolerance_of(claim.claimed);
      const double download = download_gb(claim.model, claim.quant);
      CAPTURE(download);
      if (claim.expected == "ok") CHECK(std::abs(claimed - download) <= tolerance);
      if (claim.expected == "understated") CHECK(download > claimed + tolerance);
      if (claim.expected == "wrong_model") {
        CHECK(std::abs(claimed - download) > tolerance);
        CHECK(std::abs(claimed - download_gb("r1-0528-qwen3-8b", "Q4_K_M", {"--engine", "ollama"})) <=
              tolerance);
      }
    }
  }
}

TEST_CASE("a claim is answered by exit status and verdict", "[cli]") {
  const Args mac{"claim", "--gpu", "m4-max", "--memory", "48", "--model", "70b", "--quant", "Q4_K_M"};
  const Ran fast = run(mac + Args{"--tps", "100"});
  CHECK(fast.status == 1);
  CHECK(fast.err.empty());
  CHECK_THAT(fast.out, starts_with("impossible: 546 GB/s / 42") && contains("tok/s at most") &&
                           contains("36.0 GiB can be used") && contains("speculative decoding"));
  CHECK(run({"claim", "32b", "--gpu", "rtx 4090", "--tps", "30-35"}).status == 0);
  CHECK(run({"claim", "32b", "--gpu", "rtx 4090", "--fits", "-q"}).out.empty());
  CHECK(run({"claim", "70b", "--gpu", "rtx 4090", "--fits", "-q"}).status == 1);
  CHECK(json_of_run({"claim", "32b", "--gpu", "rtx 4080", "--memory", "24", "--fits"})["verdict"] ==
        "no_such_hardware");
  CHECK(json_of_run({"claim", "32b:Q4_K_M", "--file-size", "18.5"})["truth_bytes"] > gb(19.8).count());
}

TEST_CASE("a claim that says too little or too much is refused", "[cli]") {
  const auto refused = [](const Args& more, std::string_view part) {
    CAPTURE(more);
    CHECK(refusal_fault(run(Args{"claim"} + more), part) == "");
  };
  refused({"32b", "--gpu", "4090"},
          "claim takes one of --tps N[-M], --needs SIZE, --file-size SIZE and --fits");
  refused({"32b", "--gpu", "4090", "--tps", "5", "--fits"}, "--tps and --fits exclude each other");
  refused({"32b", "--tps", "5", "--needs", "24GB"}, "--tps and --needs exclude each other");
  refused({"--gpu", "4090", "--fits"}, "--model");
  refused({"32b", "--model", "70b", "--fits"}, "one MODEL at a time");
  refused({"32b", "--fits"}, "name it with --gpu");
  refused({"32b", "--tps", "40"}, "name it with --gpu");
  refused({"32b", "--gpu", "4090", "--tps", "fast"}, "--tps takes tok/s such as");
  refused({"32b", "--gpu", "4090", "--tps", "50-40"}, "--tps runs from low to high");
  refused({"32b", "--needs", "24Gb"}, "--needs takes a size such as");
  refused({"32b", "--gpu", "rtx 4900", "--fits"}, "nearest: rtx-4090");
  refused({"32b", "--gpu", "m3 ultra", "--fits"}, "say which with --memory");
  refused({"32b", "--needs", "24GB", "--engine", "ollama", "--ctx", "default"}, "--ctx default depends on");
}

TEST_CASE("names are matched, never guessed", "[cli]") {
  CHECK(refusal_fault(run({"--gpu", "RTX A1000"}), "no hardware named \"RTX A1000\"") == "");
  CHECK(refusal_fault(run({"--gpu", "T400"}), "no hardware named \"T400\"") == "");
  CHECK(refusal_fault(run({"--gpu", "rtx 4900"}), "nearest: rtx-4090") == "");
  CHECK(refusal_fault(run({"--gpu", "rtx 3060"}), "rtx-3060-12gb, rtx-3060-8gb") == "");
  const json laptop = json_of_run({"check", "7b", "--gpu", "rtx 4090 laptop"})["memory"]["devices"].at(0);
  CHECK(laptop["name"] == "rtx-4090-laptop");
  CHECK(laptop["capacity_bytes"] <= gib(16).count());
  for (const char* name : {"4090", "rtx4090", "RTX 4090", "rtx-4090"}) {
    const json card = json_of_run({"check", "7b", "--gpu", name})["memory"]["devices"].at(0);
    CHECK(card["name"] == "rtx-4090");
    CHECK(card["capacity_bytes"] > gib(23.9).count());
  }
  CHECK(refusal_fault(run({"check", "8b", "--gpu", "rtx 4090"}), "r1-distill-llama-8b, r1-0528-qwen3-8b") ==
        "");
  CHECK(json_of_run({"check", "deepseek-r1:8b", "--gpu", "rtx 4090"})["model"] == "r1-0528-qwen3-8b");
  CHECK(refusal_fault(run({"--gpu", "m3 ultra", "--memory", "192"}), "96, 256 or 512 GiB, never 192") == "");
  CHECK(refusal_fault(run({"--gpu", "m3 ultra"}), "96, 256 or 512 GiB; say which with --memory") == "");
  CHECK(refusal_fault(run({"show", "rtx 4900"}), "rtx-4090") == "");
}

TEST_CASE("needs that contradict each other are refused", "[cli]") {
  const Args big{"--vram", "24", "--ram", "512"};
  const auto refused = [&](const Args& needs, std::string_view part) {
    CAPTURE(needs);
    CHECK(refusal_fault(run(Args{"check"} + needs + big), part) == "");
    CHECK(refusal_fault(run(Args{"estimate"} + needs + big), part) == "");
  };
  refused({"32b", "--kv-v", "q8_0", "--flash-attn", "off"}, "--kv-v q8_0 needs flash attention");
  refused({"671b", "--ngl", "90"}, "--ngl 90 is more than r1-671b has: 61 layers and the output");
  refused({"32b", "--n-cpu-moe", "5"}, "--n-cpu-moe is about experts, and r1-distill-qwen-32b has none");
  refused({"32b", "--cpu-moe"}, "--cpu-moe is about experts, and r1-distill-qwen-32b has none");
  refused({"671b", "--n-cpu-moe", "62"}, "--n-cpu-moe 62 is more than the 61 layers");
  refused({"671b", "--kv-k", "q8_0", "--kv-v", "f16"}, "--kv-k and --kv-v must be the same for r1-671b");
  refused({"32b", "--legacy-gguf"}, "--legacy-gguf is about 671B files");
  refused({"32b", "--ctx", "200k"}, "--ctx 204800 is more than r1-distill-qwen-32b supports: 131,072 tokens");
  refused({"32b", "--ctx", "100", "--parallel", "101"}, "--parallel 101 leaves no context");
  refused({"32b:Q8_0", "--quant", "Q4_K_M"}, "MODEL says Q8_0 and --quant Q4_K_M");
  refused({"32b", "--engine", "vllm"}, "--engine vllm");
  CHECK(refusal_fault(run(Args{"--kv-v", "q8_0", "--flash-attn", "off"} + big), "--kv-v q8_0") == "");
  CHECK(refusal_fault(run(Args{"--ctx", "1000k"} + big), "--ctx 1024000") == "");
}

TEST_CASE("the exit status is the answer", "[cli]") {
  CHECK(run({"check", "32b", "--vram", "24"}).status == 0);
  CHECK(run({"check", "70b", "--vram", "24"}).status == 1);
  CHECK(run({"check", "32b", "--gpu", "rtx 4090", "--min-tps", "30"}).status == 0);
  CHECK(run({"check", "32b", "--gpu", "rtx 4090", "--min-tps", "300"}).status == 1);
  CHECK(run({"check", "32b", "--gpu", "rtx 4090", "--min-ctx", "8k"}).status == 0);
  CHECK(run({"check", "32b", "--gpu", "rtx 4090", "--min-ctx", "128k"}).status == 1);
  CHECK(run({"check", "70b", "--vram", "24", "--ram", "64"}).status == 1);
  CHECK(run({"check", "70b", "--vram", "24", "--ram", "64", "--require", "offload"}).status == 0);
  CHECK(run({"--vram", "0.5"}).status == 1);
  CHECK(run({"estimate", "70b", "--vram", "24"}).status == 0);
  CHECK(json_of_run({"check", "32b", "--gpu", "rtx 4090", "--min-tps", "300"})["failed"] == json{"min_tps"});
}

TEST_CASE("the benchmark of --use comes first in the quality of the pick", "[cli]") {
  CHECK_THAT(run({"--gpu", "rtx 4090", "--use", "code"}).out, contains("  quality  LiveCodeBench "));
  CHECK_THAT(run({"--gpu", "rtx 4090"}).out, contains("  quality  AIME 2024 "));
}

TEST_CASE("a name of hardware that means nothing is told by its flag", "[cli]") {
  CHECK(refusal_fault(run({"--gpu", "0x rtx 4090"}), "r1fit: --gpu: \"0x rtx 4090\": a count is") == "");
  CHECK(refusal_fault(run({"--gpu", "rtx 4090 ti super"}), "r1fit: --gpu: no hardware named") == "");
  CHECK(refusal_fault(run({"--gpu", "3060"}), "r1fit: --gpu: \"3060\" is more than one device") == "");
  CHECK(refusal_fault(run({"--gpu", "rtx 4080 24gb"}), "r1fit: --gpu: GeForce RTX 4080 was sold") == "");
  CHECK(refusal_fault(run({"--gpu", "rtx 4090", "--memory", "48"}),
                      "r1fit: --memory: GeForce RTX 4090 was sold with 24 GiB, never 48") == "");
  CHECK(refusal_fault(run({"--gpu", "m3 ultra"}), "r1fit: --gpu: Apple M3 Ultra was sold with") == "");
  CHECK(refusal_fault(run({"--ram", "64", "--cpu", "threadripper"}), "r1fit: --cpu: no CPU platform") == "");
  CHECK(refusal_fault(run({"claim", "32b", "--fits", "--gpu", "rtx 4900"}), "r1fit: --gpu: no hardware") ==
        "");
  // Hardware that was never sold is no mistake there.
  CHECK(run({"claim", "32b", "--fits", "--gpu", "m4 ultra 128gb"}).status == 1);
  CHECK(run({"claim", "32b", "--fits", "--gpu", "rtx 4080", "--memory", "24"}).status == 1);
}

TEST_CASE("quiet says nothing but keeps the status", "[cli]") {
  for (const Args& question :
       {Args{"--vram", "24"}, Args{"check", "32b", "--vram", "24", "--json"},
        Args{"check", "70b", "--vram", "24"}, Args{"estimate", "70b", "--vram", "24"}}) {
    CAPTURE(question);
    const Ran quiet = run(question + Args{"-q"});
    CHECK(quiet.out.empty());
    CHECK(quiet.err.empty());
    CHECK(quiet.status == run(question).status);
  }
  CHECK(refusal_fault(run({"--gpu", "rtx 4900", "-q"}), "no hardware named") == "");
}

TEST_CASE("an answer that cannot be written is status 3", "[cli]") {
  std::string err;
  World full;
  full.out = [](std::string_view) { return false; };
  full.err = [&](std::string_view text) { err += text; };
  full.line = [given = false]() mutable -> std::optional<std::string> {
    if (std::exchange(given, true)) return std::nullopt;
    return "{}";
  };
  for (const Args& args : {Args{"--vram", "24"}, Args{"check", "32b", "--vram", "24", "--json"},
                           Args{"list", "models"}, Args{"--help"}, Args{"--version"}, Args{"batch"}}) {
    CAPTURE(args);
    err.clear();
    CHECK(r1fit::run(args, full) == 3);
    CHECK(err.starts_with("r1fit: cannot write the answer"));
    CHECK(err.find('\n') == err.size() - 1);
  }
}

TEST_CASE("a line without an end is refused as too large", "[cli]") {
  World endless;
  std::string out;
  std::string err;
  int pieces = 0;
  endless.out = [&](std::string_view text) {
    out += text;
    return true;
  };
  endless.err = [&](std::string_view text) { err += text; };
  endless.line = [&]() -> std::optional<std::string> {
    if (++pieces > 2) return std::nullopt;
    return pieces == 1 ? "{}" : std::string(kLongestLine + 1, '\0');
  };
  endless.data_folder = "/nonexistent";
  CHECK(r1fit::run({"batch"}, endless) == 2);
  CHECK(out == "{\"id\":null,\"error\":\"model is missing\"}\n");
  CHECK(err == "r1fit: stdin: a line too large for a request\n");
  CHECK(pieces == 2);
  err.clear();
  pieces = 1;
  CHECK(r1fit::run({"calibrate", "-"}, endless) == 2);
  CHECK(err == "r1fit: stdin: too large for the output of a benchmark\n");
  CHECK(pieces == 2);
}

// ---- the catalogue ------------------------------------------------------------------------------------

TEST_CASE("a damaged catalogue is told by its file", "[cli]") {
  const Folder folder;
  const auto fault = [&](std::string_view file) {
    return refusal_fault(run({"--vram", "24", "--catalog", folder.path()}), file) +
           refusal_fault(run({"list", "models", "--catalog", folder.path()}), file) +
           refusal_fault(run({"catalog", "check", folder.path()}), file, 1);
  };
  CHECK(run({"list", "models", "--catalog", folder.path()}).status == 0);
  CHECK(run({"catalog", "check", folder.path()}).status == 0);
  CHECK_THAT(run({"catalog", "check", folder.path()}).out, contains("valid; 5 models"));
  for (const CatalogFile& file : kCatalogFiles) {
    const std::string good = test::tiny_texts().*file.text;
    CAPTURE(file.name);
    folder.remove(file.name);
    CHECK(fault(file.name) == "");
    for (const std::string& bad :
         {std::string(), std::string(" \n"), good.substr(0, good.size() / 2), good.substr(0, good.size() - 3),
          std::string("[]"), std::string("3"), std::string("null"), std::string("{}"), good + good,
          std::string("\x7f"
                      "ELF\x02\x01\x01\0\0\xff\xfe\x80",
                      12),
          std::string(1000, '\0'), std::string(100'000, '[')}) {
      CAPTURE(bad.substr(0, 20), bad.size());
      folder.write(file.name, bad);
      CHECK(fault(file.name) == "");
    }
    folder.remove(file.name);
    fs::create_directory(fs::path(folder.path()) / file.name);
    CHECK(fault(file.name) == "");
    folder.remove(file.name);
    folder.write(file.name, good);
  }
  CHECK(refusal_fault(run({"list", "models", "--catalog", folder.path() + "/models.json"}), "not a folder") ==
        "");
  CHECK(refusal_fault(run({"--vram", "24", "--catalog", "no\nsuch\x1b[31m"}), "no?such?[31m: no such") == "");
}

TEST_CASE("what was exported is the catalogue", "[cli]") {
  const Folder folder;
  const std::string there = folder.path() + "/own";
  CHECK(run({"catalog", "export", there}).status == 0);
  CHECK(run({"catalog", "check", there}).status == 0);
  for (const Args& args : {Args{"--vram", "24", "--json"}, Args{"list", "hardware"}, Args{"show", "32b"}}) {
    CHECK(run(args).out == run(args + Args{"--catalog", there}).out);
  }
  CHECK(refusal_fault(run({"catalog", "export", there}), "models.json: already there") == "");
}

// ---- how it looks -------------------------------------------------------------------------------------

TEST_CASE("colour and width follow the terminal", "[cli]") {
  Environment terminal;
  terminal.is_tty = true;
  terminal.term = "xterm";
  terminal.tty_columns = 100;
  const Args question{"--vram", "24", "--ram", "64"};
  CHECK_THAT(run(question, {}, terminal).out, contains("\x1b["));
  CHECK(run(question).out.find('\x1b') == std::string::npos);
  CHECK_THAT(run(question + Args{"--color", "always"}).out, contains("\x1b["));
  CHECK(run(question + Args{"--color", "never"}, {}, terminal).out.find('\x1b') == std::string::npos);
  terminal.no_color = "1";
  CHECK(run(question, {}, terminal).out.find('\x1b') == std::string::npos);
  CHECK_THAT(run(question + Args{"--color", "always"}, {}, terminal).out, contains("\x1b["));
}

TEST_CASE("nothing is wider than it may be but commands to paste", "[cli]") {
  for (const int columns : {40, 60, 80, 120}) {
    Environment terminal;
    terminal.is_tty = true;
    terminal.columns = std::to_string(columns);
    for (const Args& question :
         {Args{"--vram", "24"}, Args{"--gpu", "2x rtx 3090", "--ram", "64"},
          Args{"--gpu", "rtx 4090", "--ram", "512", "--cpu", "epyc-genoa"},
          Args{"--gpu", "m2-max", "--memory", "64"}, Args{"--ram", "16"}, Args{"--vram", "1"},
          Args{"check", "32b", "--gpu", "rtx 4090", "--ctx", "32k"},
          Args{"check", "671b", "--gpu", "8x rtx 4090"},
          Args{"estimate", "70b", "--vram", "24", "--ram", "64"},
          Args{"estimate", "32b", "--gpu", "rtx 4090", "--explain"}, Args{"list", "models"},
          Args{"list", "hardware"}, Args{"show", "32b"}, Args{"show", "rtx 4090"},
          Args{"compare", "rtx 4090 + 512 ram + epyc-genoa", "m3-ultra 512", "epyc-turin-6400 768",
               "8x h100-sxm", "strix halo 128", "12,8"}}) {
      CAPTURE(columns, question);
      CHECK(widest_line(run(question, {}, terminal).out) <= columns);
    }
  }
}

const std::string kTinyFile = R1FIT_SOURCE_DIR "/tests/data/gguf/tiny_llama.gguf";
const std::string kTinyPart = R1FIT_SOURCE_DIR "/tests/data/gguf/tiny_split-00002-of-00003.gguf";

TEST_CASE("inspect tells a file and with hardware whether it runs", "[cli]") {
  const Ran alone = run({"inspect", kTinyFile});
  CHECK(alone.status == 0);
  CHECK(alone.err.empty());
  for (const char* part : {"\"Tiny Llama\", architecture llama", "the tensors are just that",
                           "made with one, \"imatrix.dat\"", "an R1     no", "feed-forward", "Q8_0"}) {
    CHECK_THAT(alone.out, contains(part));
  }
  CHECK_THAT(alone.out, !contains("tok/s"));
  const Ran held = run({"inspect", kTinyPart, "--gpu", "rtx 4090", "--ctx", "2048"});
  CHECK(held.status == 0);
  CHECK_THAT(held.out, contains("in 3 parts"));
  CHECK_THAT(held.out, contains("fits"));
  CHECK_THAT(held.out, contains("tiny_split-00001-of-00003.gguf -c 2048"));
  CHECK_THAT(held.out, !contains("download"));
  CHECK(run({"inspect", kTinyFile, "-q"}).out.empty());
  // No context has room on a card so small.
  const Ran none = run({"inspect", kTinyFile, "--vram", "0.1", "--ctx", "2048"});
  CHECK(none.status == 1);
  CHECK_THAT(none.out, contains("no: "));
}

TEST_CASE("a file of the other byte order runs on no hardware", "[cli]") {
  const std::string big = R1FIT_SOURCE_DIR "/tests/data/gguf/tiny_llama_big_endian.gguf";
  CHECK(run({"inspect", big}).status == 0);
  const Args asked{"inspect", big, "--ram", "8", "--ctx", "2048"};
  for (const char* format : {"table", "md"}) {
    const Ran ran = run(asked + Args{"--format", format});
    CHECK(ran.status == 1);
    CHECK_THAT(ran.out, contains("\nno: the file is big endian, and all hardware known here is little"));
    for (const char* part : {"tok/s", "llama-server", "fits"}) CHECK_THAT(ran.out, !contains(part));
  }
  CHECK(run(asked + Args{"--format", "csv"}).out == run({"inspect", big, "--format", "csv"}).out);
  CHECK(run(asked + Args{"--format", "csv"}).status == 1);
  const Ran ran = run(asked + Args{"--json"});
  CHECK(ran.status == 1);
  CHECK(schema_fault("inspect", ran.out) == "");
  const auto document = nlohmann::json::parse(ran.out);
  CHECK(document["fits"] == false);
  CHECK(document["estimate"].is_null());
  CHECK(document["ways"].empty());
  CHECK_THAT(document["why_no_estimate"].get<std::string>(), contains("big endian"));
  CHECK(nlohmann::json::parse(run({"inspect", big, "--json"}).out)["why_no_estimate"].is_null());
}

TEST_CASE("a no for want of a figure says which is not stated", "[cli]") {
  const Ran none = run({"check", "7b", "--cpu", "epyc-genoa"});
  CHECK(none.status == 1);
  CHECK_THAT(none.out, starts_with("no: the RAM is not stated (--ram). R1-Distill-Qwen-7B "));
  CHECK_THAT(run({"check", "7b", "--cpu", "epyc-genoa", "--ram", "1"}).out, !contains("not stated (--ram)"));
  const Ran file = run({"inspect", kTinyFile, "--cpu", "epyc-genoa", "--ctx", "2048"});
  CHECK(file.status == 1);
  CHECK_THAT(file.out, contains("\nno: the RAM is not stated (--ram). Tiny Llama "));
  CHECK_THAT(file.out, contains("needs 3 MiB"));
  CHECK_THAT(file.out, !contains("needs 0.0 GiB"));
}

TEST_CASE("inspect refuses in one sentence what it cannot answer", "[cli]") {
  CHECK(refusal_fault(run({"inspect", "absent.gguf"}), "absent.gguf: there is no such file") == "");
  CHECK(refusal_fault(run({"inspect", R1FIT_SOURCE_DIR "/README.md"}), "this is no GGUF file") == "");
  CHECK(refusal_fault(run({"inspect", kTinyFile, "--vram", "8", "--ctx", "8k"}), "2,048 tokens") == "");
  CHECK(refusal_fault(run({"inspect", kTinyFile, "--vram", "8", "--legacy-gguf"}), "--legacy-gguf") == "");
  CHECK(refusal_fault(run({"inspect", kTinyFile, "--vram", "8", "--no-imatrix"}), "--no-imatrix") == "");
}

TEST_CASE("every format of inspect has its rows", "[cli]") {
  for (const std::string& file : {kTinyFile, kTinyPart}) {
    const Ran bare = run({"inspect", file, "--json"});
    CHECK(schema_fault("inspect", bare.out) == "");
    CHECK(json::parse(bare.out)["estimate"].is_null());
    const Ran full = run({"inspect", file, "--json", "--vram", "24", "--ctx", "2048"});
    CHECK(schema_fault("inspect", full.out) == "");
    const json document = json::parse(full.out);
    CHECK(document["fits"] == true);
    CHECK(schema_fault("estimate", document["estimate"].dump()) == "");
    CHECK(document["estimate"]["memory"]["download_bytes"] == document["file_bytes"]);
  }
  const std::string csv = run({"inspect", kTinyFile, "--format", "csv"}).out;
  CHECK_THAT(csv, starts_with("kind,name,tensors,weights,bytes\r\n"));
  CHECK_THAT(csv, contains("group,feed_forward,6,6144,6528\r\n"));
  CHECK_THAT(csv, contains("type,Q8_0,16,"));
  const std::string row = run({"inspect", kTinyFile, "--format", "csv", "--ram", "8", "--ctx", "2048"}).out;
  CHECK_THAT(row, starts_with("model,quant,"));
  CHECK_THAT(run({"inspect", kTinyFile, "--format", "md"}).out, contains("| Q8_0 | 16 |"));
}

TEST_CASE("the answers keep to their schemas", "[cli]") {
  const std::vector<Args> hardware{
      {"--vram", "24"},
      {"--vram", "2x24,16", "--bandwidth", "900"},
      {"--gpu", "rtx 4090"},
      {"--gpu", "2x rtx 3090", "--ram", "64", "--cpu", "ddr5-5600-dual"},
      {"--gpu", "rtx 4090", "--ram", "512", "--cpu", "epyc-genoa", "--think", "4000"},
      {"--gpu", "m3-ultra", "--memory", "512", "--ctx", "32k", "--kv", "q8_0"},
      {"--gpu", "rx 7900 xtx", "--backend", "vulkan", "--desktop", "linux"},
      {"--ram", "16"},
      {"--vram", "8", "--ram", "16", "--disk-bandwidth", "5"},
      {"--vram", "1", "--ctx", "max"}};
  for (const Args& machine : hardware) {
    CAPTURE(machine);
    CHECK(schema_fault("recommendation", run(machine + Args{"--json"}).out) == "");
    CHECK(schema_fault("recommendation", run(machine + Args{"--json", "-v", "--use", "math"}).out) == "");
    for (const char* model : {"32b", "r1-671b:UD-Q2_K_XL", "deepseek-r1:8b"}) {
      CAPTURE(model);
      CHECK(schema_fault("estimate", run(Args{"estimate", model, "--json"} + machine).out) == "");
      CHECK(schema_fault("check", run(Args{"check", model, "--json", "--min-tps", "20"} + machine).out) ==
            "");
    }
  }
  for (const Args& claim :
       {Args{"--gpu", "m4-max", "--memory", "48", "--tps", "100"}, Args{"--gpu", "rtx 4090", "--tps", "11.4"},
        Args{"--gpu", "m4 ultra", "--memory", "192", "--tps", "3"}, Args{"--vram", "25", "--tps", "20-30"},
        Args{"--gpu", "rtx 4080 24gb", "--fits"}, Args{"--ram", "64", "--fits"}, Args{"--needs", "40"},
        Args{"--file-size", "39.6GB"}, Args{"--file-size", "39.6GiB"}}) {
    CAPTURE(claim);
    CHECK(schema_fault("claim", run(Args{"claim", "70b", "--json"} + claim).out) == "");
  }
  for (const Args& compare :
       {Args{"rtx 4090 + 64 ram", "2x rtx 3090", "m4-max-40 64"}, Args{"24", "16 ram", "--model", "70b"},
        Args{"rtx 4090, rtx 3090", "1", "--use", "code"}, Args{"1", "0.5"},
        Args{"rtx 4090 + epyc-genoa 512", "8x h100-sxm", "--ctx", "max", "--engine", "ollama"}}) {
    CAPTURE(compare);
    CHECK(schema_fault("compare", run(Args{"compare", "--json"} + compare).out) == "");
  }
  const Ran batch =
      run({"batch"}, {R"({"id": 1, "model": "32b", "gpus": [{"name": "rtx 4090"}]})",
                      R"({"id": {"x": []}, "model": "671b", "ram_gib": 512, "ngl": 0})",
                      R"({"id": 2, "model": "70b", "ram_gib": 64, "answer": "memory"})", "garbage"});
  std::istringstream lines(batch.out);
  for (const char* schema : {"estimate", "estimate", "memory", "batch_error"}) {
    std::string line;
    REQUIRE(std::getline(lines, line));
    CHECK(schema_fault(schema, line) == "");
  }
}

TEST_CASE("compare says what is wrong with which machine", "[cli]") {
  CHECK(refusal_fault(run({"compare", "rtx 4090", "rtx 4900"}),
                      "machine 2, \"rtx 4900\": no hardware named") == "");
  CHECK(refusal_fault(run({"compare", "m4-max-40", "24"}), "machine 1, \"m4-max-40\": ") == "");
  CHECK(refusal_fault(run({"compare", "24", "m4-max-40 64 + 64 ram"}), "machine 2") == "");
  CHECK(refusal_fault(run({"compare", "24", "m4-max-40 64 + rtx 4090"}), "machine 2") == "");
  CHECK(refusal_fault(run({"compare", "24", "rtx 4090 48"}), "never 48") == "");
  CHECK(refusal_fault(run({"compare", "rtx", "4090", "rtx", "3090"}),
                      "write \"rtx 4090\" as one word, in quotes") == "");
  CHECK(refusal_fault(run({"compare", "24"}), "two to six machines") == "");
  CHECK(refusal_fault(run({"compare", "24", "24", "24", "24", "24", "24", "24"}), "two to six") == "");
  CHECK(refusal_fault(run({"compare", "24", "16", "--model", "8b"}), "more than one model") == "");
  CHECK(refusal_fault(run({"compare", "24", "16", "--model", "32b:Q4_K_M", "--quant", "Q8_0"}),
                      "--model says Q4_K_M and --quant Q8_0") == "");
}

TEST_CASE("compare answers with status 0, whatever runs", "[cli]") {
  for (const Args& machines : {Args{"24", "16"}, Args{"1", "0.5"}, Args{"24", "1"}}) {
    const Ran ran = run(Args{"compare"} + machines);
    CAPTURE(machines);
    CHECK(ran.status == 0);
    CHECK(ran.err.empty());
  }
}

TEST_CASE("all formats of compare have the same rows", "[cli]") {
  const Args question{"compare", "rtx 4090", "2x rtx 3090", "m4-max-40 64"};
  const json document = json_of_run(question);
  const std::string csv = run(question + Args{"--format", "csv"}).out;
  const std::string markdown = run(question + Args{"--format", "md"}).out;
  const std::string table = run(question).out;
  std::ptrdiff_t rows = 0;
  for (const json& machine : document["machines"]) {
    const std::string number = std::to_string(machine["number"].get<int>());
    for (const char* part : {"pick", "same", "cannot"}) {
      if (machine[part].is_null()) continue;
      ++rows;
      const json& estimate = machine[part]["estimate"];
      CHECK_THAT(csv, contains(number + "," + machine["asked"].get<std::string>() + "," + part + "," +
                               estimate["model"].get<std::string>() + "," +
                               estimate["quant"].get<std::string>() + ","));
    }
    CHECK_THAT(markdown, contains("\n| " + number + " | R1-"));
    CHECK_THAT(table, contains("\n  " + number + "  R1-"));
  }
  CHECK(std::ranges::count(csv, '\n') == rows + 1);
  CHECK_THAT(markdown, contains("which 2 and 3 run: "));
  CHECK_THAT(table, contains("which 2 and 3 run: "));
}

TEST_CASE("compare prices nothing that it does not know", "[cli]") {
  const json document = json_of_run({"compare", "rtx 4090", "m4-max-40 64", "16 ram", "24"});
  CHECK(document["machines"][0]["cards"]["price_usd"].is_number());
  for (const std::size_t i : {1U, 2U, 3U}) {
    for (const json& figure : document["machines"][i]["cards"]) CHECK(figure.is_null());
  }
  // Columns of which nothing is known do not stand there.
  const std::string table = run({"compare", "16 ram", "24"}).out;
  CHECK(table.find("USD (year)") == std::string::npos);
  CHECK_THAT(table, contains("Neither power nor price"));
}

TEST_CASE("csv and Markdown carry the rows of the table", "[cli]") {
  const json rows = json_of_run({"--vram", "24"})["recommendations"];
  const std::string csv = run({"--vram", "24", "--format", "csv"}).out;
  const std::string markdown = run({"--vram", "24", "--format", "md"}).out;
  CHECK(std::ranges::count(csv, '\n') == std::ssize(rows) + 1);
  for (const json& row : rows) {
    const std::string rank = std::to_string(row["rank"].get<int>());
    CHECK_THAT(csv, contains(rank + "," + row["model"].get<std::string>() + ","));
    CHECK_THAT(markdown, contains("| " + rank + " | "));
  }
}

// ---- what is approved ---------------------------------------------------------------------------------

TEST_CASE("the first screen", "[cli][golden]") {
  CHECK(golden_fault("recommend_vram_24.txt", run({"--vram", "24"}).out) == "");
  CHECK(golden_fault("compare_three.txt",
                     run({"compare", "rtx 4090 + 64 ram", "2x rtx 3090", "m4-max-40 64"}).out) == "");
  CHECK(golden_fault("compare_six.txt", run({"compare", "rtx 4090 + epyc-genoa 512", "m3-ultra 512",
                                             "epyc-turin-6400 768", "8x h100-sxm", "strix halo 128", "2x24"})
                                            .out) == "");
  CHECK(golden_fault("recommend_rtx_3090.txt", run({"--gpu", "rtx 3090"}).out) == "");
  CHECK(golden_fault("claim_32b_needs_20gb.txt", run({"claim", "32b:Q4_K_M", "--needs", "20GB"}).out) == "");
  CHECK(golden_fault("claim_r1_file_size.txt", run({"claim", "671b:UD-IQ1_S", "--file-size", "131GB"}).out) ==
        "");
  CHECK(golden_fault("check_32b_rtx_4090_32k.txt",
                     run({"check", "32b:Q4_K_M", "--gpu", "rtx 4090", "--ctx", "32k"}).out) == "");
}

TEST_CASE("the order of the flags does not matter", "[cli]") {
  std::vector<Args> flags{{"--gpu", "rtx 4090"},
                          {"--ram", "192"},
                          {"--cpu", "ddr5-5600-dual"},
                          {"--ctx", "16k"},
                          {"--prefer", "speed"},
                          {"--use", "math"},
                          {"--all"},
                          {"--top", "7"},
                          {"--json"}};
  const auto answer = [&flags] {
    Args args;
    for (const Args& flag : flags) args.insert(args.end(), flag.begin(), flag.end());
    return run(args).out;
  };
  const std::string first = answer();
  CHECK_FALSE(first.empty());
  std::mt19937 random(11);
  for (int i = 0; i < 8; ++i) {
    std::ranges::shuffle(flags, random);
    CHECK(answer() == first);
  }
}

TEST_CASE("the ranking over a handful of machines", "[cli][golden]") {
  std::string text;
  for (const Args& machine :
       {Args{"--gpu", "rtx 4060"}, Args{"--gpu", "rtx 4090"}, Args{"--gpu", "2x rtx 3090", "--ram", "64"},
        Args{"--gpu", "m4-max", "--memory", "64"}, Args{"--ram", "16", "--cpu", "ddr5-5600-dual"},
        Args{"--gpu", "rtx 4090", "--ram", "512", "--cpu", "epyc-genoa"}}) {
    text += "#";
    for (const std::string& word : machine) text += " " + word;
    text += "\n";
    text += run(machine + Args{"--format", "csv"}).out;
  }
  std::erase(text, '\r');
  CHECK(golden_fault("ranking.csv", text) == "");
}

TEST_CASE("what else takes memory of a card is said", "[cli]") {
  const auto text = [](const Args& args) {
    std::string out = run(Args{"check", "32b"} + args).out;
    std::ranges::replace(out, '\n', ' ');
    return out;
  };
  CHECK_THAT(text({"--gpu", "rtx 4090", "--desktop", "windows"}),
             contains("1.8 GiB of the GPU memory for the desktop (windows)"));
  CHECK_THAT(text({"--gpu", "rtx 4090", "--reserve", "1.5"}),
             contains("1.5 GiB of the GPU memory for other uses"));
  CHECK_THAT(text({"--vram", "24,16", "--desktop", "linux"}),
             contains("0.3 GiB of one card's memory for the desktop (linux)"));
  CHECK(text({"--gpu", "rtx 4090", "--desktop", "none"}).find("for the desktop") == std::string::npos);
}
