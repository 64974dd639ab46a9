#include "r1fit/command_line.hpp"

#include <algorithm>
#include <array>
#include <sstream>
#include <string>
#include <vector>

#include "catch.hpp"
#include "run.hpp"

using namespace r1fit;
using r1fit::test::contains;
using r1fit::test::error_of;
using r1fit::test::Ran;
using r1fit::test::refusal_fault;
using r1fit::test::run;
using r1fit::test::starts_with;

namespace {

using Args = std::vector<std::string>;

std::string refusal(const Args& args) {
  return error_of([&] { static_cast<void>(parse_command_line(args)); });
}

Args operator+(Args args, const Args& more) {
  args.insert(args.end(), more.begin(), more.end());
  return args;
}

struct ValueFlag {
  std::string name;
  std::string says;                // what the sentence has to name; a looked-up name is named by its kind
  std::vector<std::string> legal;  // of the bad-looking values
  std::string good;
};

// The flags with a value that recommend, check, estimate and claim share.
const std::vector<ValueFlag> kShared{
    {"--gpu", "hardware named", {}, "t4"},
    {"--memory", "--memory", {}, "24"},
    {"--vram", "--vram", {}, "24"},
    {"--bandwidth", "--bandwidth", {}, "900"},
    {"--ram", "--ram", {}, "64"},
    {"--cpu", "CPU platform named", {}, "epyc-genoa"},
    {"--ram-bandwidth", "--ram-bandwidth", {}, "80"},
    {"--disk-bandwidth", "--disk-bandwidth", {}, "5"},
    {"--wired-limit", "--wired-limit", {}, "60%"},
    {"--reserve", "--reserve", {"0"}, "1"},
    {"--desktop", "--desktop", {}, "linux"},
    {"--backend", "--backend", {}, "cuda"},
    {"--ctx", "--ctx", {}, "4k"},
    {"--kv", "--kv", {}, "f16"},
    {"--kv-k", "--kv-k", {}, "f16"},
    {"--kv-v", "--kv-v", {}, "f16"},
    {"--parallel", "--parallel", {}, "1"},
    {"--ubatch", "--ubatch", {}, "256"},
    {"--flash-attn", "--flash-attn", {}, "on"},
    {"--ngl", "--ngl", {"0"}, "5"},
    {"--n-cpu-moe", "--n-cpu-moe", {"0"}, "1"},
    {"--split", "--split", {}, "layer"},
    {"--engine", "engine named", {}, "ollama"},
    {"--think", "--think", {"0"}, "4000"},
    {"--answer", "--answer", {}, "300"},
    {"--downlink", "--downlink", {}, "100"},
    {"--prompt", "--prompt", {}, "100"},
    {"--depth", "--depth", {"0"}, "0"},
    {"--logits-rows", "--logits-rows", {}, "ubatch"},
    {"--format", "--format", {}, "md"},
    {"--color", "--color", {}, "never"},
    {"--catalog", "no such catalogue folder", {}, "/tmp"},
};
const ValueFlag kMinTps{"--min-tps", "--min-tps", {}, "5"};
const ValueFlag kMinCtx{"--min-ctx", "--min-ctx", {}, "8k"};
const ValueFlag kQuant{"--quant", "quantisation named", {}, "Q8_0"};
const ValueFlag kModel{"--model", "model named", {}, "32b"};
const ValueFlag kTop{"--top", "--top", {}, "3"};
const ValueFlag kUse{"--use", "--use", {}, "math"};
const ValueFlag kRequire{"--require", "--require", {}, "fits"};

struct Asked {
  Args words;
  std::vector<ValueFlag> own;
};
const std::vector<Asked> kAsked{
    {{}, {kMinTps, kMinCtx, kQuant, kModel, kTop, kUse}},
    {{"check", "32b"}, {kMinTps, kMinCtx, kQuant, kRequire}},
    {{"estimate", "32b"}, {kQuant}},
    {{"claim", "32b", "--needs", "24GB"}, {kQuant}},
    {{"inspect", R1FIT_SOURCE_DIR "/tests/data/gguf/tiny_llama.gguf"}, {}},
};

// Some hardware that goes with the flag.
Args hardware_beside(const std::string& flag) {
  if (flag == "--gpu" || flag == "--vram") return {};
  if (flag == "--memory") return {"--gpu", "rtx 4090"};
  return {"--vram", "24"};
}

std::vector<ValueFlag> flags_of(const Asked& command) {
  std::vector<ValueFlag> flags = kShared;
  flags.insert(flags.end(), command.own.begin(), command.own.end());
  return flags;
}

}  // namespace

TEST_CASE("nothing typed is recommend with its defaults", "[command_line]") {
  const CommandLine line = parse_command_line({});
  CHECK(line.action == Action::recommend);
  CHECK(line.hardware.empty());
  CHECK(line.format == Format::table);
  CHECK(line.color == ColorChoice::automatic);
  CHECK_FALSE(line.top);
  CHECK(line.required == Verdict::tight);
  CHECK(line.needs.workload.context == tokens(8192));
  CHECK_FALSE(line.quiet);
  CHECK(parse_command_line({"recommend", "--vram", "24"}).action == Action::recommend);
}

TEST_CASE("flags reach their place", "[command_line]") {
  const CommandLine line = parse_command_line({"check",
                                               "32b:Q8_0",
                                               "--gpu",
                                               "2x rtx 3090",
                                               "--gpu=4090",
                                               "--ram",
                                               "64",
                                               "--cpu",
                                               "epyc-genoa",
                                               "--ram-bandwidth",
                                               "80",
                                               "--disk-bandwidth",
                                               "5",
                                               "--reserve",
                                               "1.5",
                                               "--backend",
                                               "vulkan",
                                               "--ctx",
                                               "16k",
                                               "--kv",
                                               "q8_0",
                                               "--kv-v",
                                               "q4_0",
                                               "--parallel",
                                               "2",
                                               "--kv-unified",
                                               "--ubatch",
                                               "256",
                                               "--flash-attn",
                                               "on",
                                               "--ngl",
                                               "40",
                                               "--n-cpu-moe",
                                               "3",
                                               "--cpu-moe",
                                               "--split",
                                               "layer",
                                               "--engine",
                                               "ollama",
                                               "--think",
                                               "4000",
                                               "--answer",
                                               "300",
                                               "--downlink",
                                               "80",
                                               "--prompt",
                                               "100",
                                               "--depth",
                                               "0",
                                               "--logits-rows",
                                               "ubatch",
                                               "--legacy-gguf",
                                               "--no-imatrix",
                                               "--min-tps",
                                               "7.5",
                                               "--min-ctx",
                                               "8k",
                                               "--require",
                                               "offload",
                                               "--json",
                                               "--color",
                                               "always",
                                               "-qv",
                                               "--explain",
                                               "--catalog",
                                               "somewhere"});
  CHECK(line.action == Action::check);
  CHECK(line.needs.models == Args{"32b:Q8_0"});
  REQUIRE(line.hardware.gpus.size() == 2);
  CHECK(line.hardware.gpus[0].name == "2x rtx 3090");
  CHECK(line.hardware.gpus[1].name == "4090");
  CHECK(line.hardware.ram == gib(64));
  CHECK(line.hardware.cpu == "epyc-genoa");
  CHECK(line.hardware.ram_bandwidth == gb_per_s(80));
  CHECK(line.hardware.disk_bandwidth == gb_per_s(5));
  CHECK(line.hardware.downlink == BytesPerSecond::of(1e7));
  CHECK(line.hardware.reserve == gib(1.5));
  CHECK(line.hardware.backend == Backend::vulkan);
  const Workload& work = line.needs.workload;
  CHECK(work.context == tokens(16384));
  CHECK(work.kv_k == KvType::q8_0);
  CHECK(work.kv_v == KvType::q4_0);
  CHECK(work.parallel == 2);
  CHECK(work.kv_unified);
  CHECK(work.ubatch == tokens(256));
  CHECK(work.flash_attention == FlashAttention::on);
  CHECK(work.thinking == tokens(4000));
  CHECK(work.answer == tokens(300));
  CHECK(work.prompt == tokens(100));
  CHECK(work.depth == tokens(0));
  CHECK(work.logits_rows == LogitsRows::ubatch);
  CHECK(work.legacy_gguf);
  CHECK(work.imatrix == false);
  CHECK(line.needs.placement.n_gpu_layers == 40);
  CHECK(line.needs.placement.n_cpu_moe == 3);
  CHECK(line.needs.placement.cpu_moe);
  CHECK(line.needs.engine == "ollama");
  CHECK(line.needs.min_tps == tok_per_s(7.5));
  CHECK(line.needs.min_context == tokens(8192));
  CHECK(line.required == Verdict::offload);
  CHECK(line.format == Format::json);
  CHECK(line.color == ColorChoice::always);
  CHECK(line.quiet);
  CHECK(line.verbose);
  CHECK(line.explain);
  CHECK(line.catalog == "somewhere");
}

TEST_CASE("nameless cards come by size and number", "[command_line]") {
  const auto sizes = [](const std::string& text) {
    std::string found;
    for (const GpuQuery& gpu : parse_command_line({"--vram", text}).hardware.gpus) {
      found += std::to_string(gpu.count) + "x" + std::to_string(gpu.memory->count() >> 30) + " ";
    }
    return found;
  };
  CHECK(sizes("24") == "1x24 ");
  CHECK(sizes("24G") == "1x24 ");
  CHECK(sizes("24 GiB") == "1x24 ");
  CHECK(sizes("2x24") == "2x24 ");
  CHECK(sizes("2X24,16") == "2x24 1x16 ");
  CHECK(sizes("24,16,8") == "1x24 1x16 1x8 ");
  for (const char* text :
       {"24,", ",24", "x24", "0x24", "65x24", "2x", "2x2x2", "40x24,40x24", "-1x24", "24,,16"}) {
    CAPTURE(text);
    CHECK_THAT(refusal({"--vram", text}), contains("--vram"));
  }
  const CommandLine fast = parse_command_line({"--vram", "2x24", "--bandwidth", "936"});
  CHECK(fast.hardware.gpus[0].bandwidth == gb_per_s(936));
}

TEST_CASE("Apple's limit is a size or a share", "[command_line]") {
  CHECK(parse_command_line({"--wired-limit", "60"}).hardware.wired_limit == gib(60));
  CHECK(parse_command_line({"--wired-limit", "75%"}).hardware.wired_limit_share == 0.75);
  for (const char* text : {"%", "0%", "101%", "-5%", "75 %%"}) {
    CAPTURE(text);
    CHECK_THAT(refusal({"--wired-limit", text}), contains("--wired-limit"));
  }
}

TEST_CASE("the memory of a chip goes to the chip", "[command_line]") {
  CHECK(parse_command_line({"--gpu", "m4-max", "--memory", "64"}).hardware.gpus[0].memory == gib(64));
  CHECK_THAT(refusal({"--memory", "64"}), contains("--memory says which size of a --gpu is meant"));
  CHECK_THAT(refusal({"--vram", "24", "--memory", "24"}), contains("--memory says"));
}

TEST_CASE("every flag refuses what it cannot take", "[command_line]") {
  const Args bad{"", "-1", "0", "1e99", "99999999999999999999999", "abc", "nan", "inf", " 5", "5x"};
  for (const Asked& command : kAsked) {
    for (const ValueFlag& flag : flags_of(command)) {
      const Args before = command.words + hardware_beside(flag.name);
      for (const std::string& value : bad) {
        const Ran apart = run(before + Args{flag.name, value});
        const Ran tied = run(before + Args{flag.name + "=" + value});
        CAPTURE(command.words, flag.name, value);
        CHECK(apart.err == tied.err);
        if (std::ranges::find(flag.legal, value) != flag.legal.end()) {
          // --n-cpu-moe 0 is refused for a model without experts.
          const bool answered = (apart.status == 0 || apart.status == 1) && apart.err.empty();
          CHECK((answered || refusal_fault(apart, flag.name).empty()));
        } else {
          CHECK(refusal_fault(apart, value.empty() ? flag.name + " takes a value" : flag.says) == "");
        }
      }
    }
  }
}

TEST_CASE("every flag needs its value", "[command_line]") {
  for (const Asked& command : kAsked) {
    for (const ValueFlag& flag : flags_of(command)) {
      CAPTURE(command.words, flag.name);
      CHECK(refusal_fault(run(command.words + Args{flag.name}), flag.name + " takes a value (") == "");
      // The next flag is no value.
      CHECK(refusal_fault(run(command.words + Args{flag.name, "--json"}), flag.name + " takes a value (") ==
            "");
    }
  }
}

TEST_CASE("a flag is given once, unless it makes a list", "[command_line]") {
  for (const Asked& command : kAsked) {
    for (const ValueFlag& flag : flags_of(command)) {
      const bool repeatable =
          flag.name == "--gpu" || flag.name == "--model" || (flag.name == "--quant" && command.words.empty());
      const Args twice = command.words + Args{flag.name, flag.good, flag.name, flag.good};
      CAPTURE(command.words, flag.name);
      if (repeatable) {
        CHECK(refusal(twice) == "(no error)");
      } else {
        CHECK(refusal_fault(run(twice), flag.name + " was given more than once") == "");
      }
    }
  }
}

TEST_CASE("flags without a value take none", "[command_line]") {
  for (const char* flag : {"--json", "--explain", "--quiet", "-q", "--verbose", "-v", "--cpu-moe",
                           "--kv-unified", "--legacy-gguf", "--no-imatrix"}) {
    CAPTURE(flag);
    for (const char* value : {"=", "=0", "=true", "=false", "=x"}) {
      CHECK(refusal({"--vram", "24", std::string(flag) + value}) == std::string(flag) + " takes no value");
    }
    CHECK(refusal({"--vram", "24", flag, flag}) == "(no error)");
  }
}

TEST_CASE("what excludes each other is refused", "[command_line]") {
  const std::string cards = "--gpu and --vram exclude each other";
  CHECK(refusal({"--gpu", "4090", "--vram", "24"}) == cards);
  CHECK(refusal({"--vram", "24", "--gpu", "4090"}) == cards);
  CHECK(refusal({"--reserve", "1", "--desktop", "linux"}) == "--reserve and --desktop exclude each other");
  CHECK(refusal({"--json", "--format", "csv"}) == "--json and --format exclude each other");
  CHECK(refusal({"--json", "--format", "json"}) == "(no error)");
  CHECK_THAT(refusal({"--gpu", "4090", "--bandwidth", "900"}),
             contains("--bandwidth is about nameless cards"));
}

TEST_CASE("what is documented of a command is what its help lists", "[command_line]") {
  const std::vector<CommandDoc> docs = command_docs();
  REQUIRE(docs.size() >= 8);
  CHECK(docs.front().word == "recommend");
  for (const CommandDoc& command : docs) {
    const std::string help = parse_command_line({std::string(command.word), "--help"}).text;
    CAPTURE(command.word);
    CHECK_THAT(help, starts_with(std::string(command.summary)));
    if (!command.argument.name.empty()) CHECK_THAT(help, contains("\n  " + command.argument.name + " "));
    for (const FlagDoc& flag : command.flags) {
      CAPTURE(flag.name);
      const std::string lead = flag.type.empty() ? flag.name : flag.name + " " + flag.type;
      CHECK_THAT(help, contains("\n  " + lead + " "));
      if (!flag.heading.empty()) CHECK_THAT(help, contains("\n" + flag.heading + ":\n"));
      for (const std::string& word : flag.words) CHECK_THAT(help, contains(word));
    }
  }
}

TEST_CASE("the help of every command fits 80 columns and names its flags", "[command_line]") {
  const auto help = [](Args args) {
    args.emplace_back("--help");
    const CommandLine line = parse_command_line(args);
    CHECK(line.action == Action::print);
    return line.text;
  };
  for (const std::string command :
       {"", "recommend", "check", "estimate", "claim", "inspect", "batch", "list", "show", "catalog"}) {
    CAPTURE(command);
    const std::string text = help(command.empty() ? Args{} : Args{command});
    CHECK_THAT(text, contains("Usage: r1fit"));
    CHECK_THAT(text, contains("-h,--help"));
    CHECK_THAT(text, !contains("\n\n\n"));
    CHECK(text.ends_with('\n'));
    CHECK(!text.ends_with("\n\n"));
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) CHECK(line.size() <= 80);
  }
  CHECK_THAT(help({}), contains("\n  recommend   which R1"));
  CHECK_THAT(help({"check"}), contains("r1fit check [OPTIONS] MODEL\n"));
  CHECK_THAT(help({"check"}), contains("\nHardware:\n  --gpu NAME "));
  CHECK_THAT(help({"check"}), contains("\n  --require VERDICT "));
  CHECK_THAT(help({"batch"}), !contains("--vram"));
}

TEST_CASE("a claim is of one model and one kind", "[command_line]") {
  const CommandLine speed = parse_command_line({"claim", "--model", "70b", "--tps", "28-34", "-q"});
  CHECK(speed.action == Action::claim);
  CHECK(speed.needs.models == std::vector<std::string>{"70b"});
  CHECK(speed.claimed.kind == ClaimKind::decode_tps);
  CHECK(speed.claimed.text == "28-34");
  CHECK(speed.claimed.speed.high == tok_per_s(34));
  CHECK(speed.quiet);
  CHECK(parse_command_line({"claim", "70b", "--needs", "40GB"}).claimed.kind == ClaimKind::needs);
  CHECK(parse_command_line({"claim", "70b", "--file-size", "40GiB"}).claimed.size.binary);
  CHECK(parse_command_line({"claim", "70b", "--fits"}).claimed.kind == ClaimKind::fits);
  CHECK(refusal({"claim", "70b", "--tps"}) == "--tps takes a value (N[-M])");
  CHECK(refusal({"claim", "70b", "--fit"}) == "no flag \"--fit\"; nearest: --fits");
  CHECK(refusal({"claim", "70b", "--needs", "40GB", "--file-size", "40GB"}) ==
        "--needs and --file-size exclude each other: one claim at a time");
}

TEST_CASE("an unknown flag is told with the nearest", "[command_line]") {
  CHECK(refusal({"--vrma", "24"}) == "no flag \"--vrma\"; nearest: --vram, --ram");
  CHECK(refusal({"check", "32b", "--vrma=24"}) == "no flag \"--vrma\"; nearest: --vram, --ram");
  CHECK(refusal({"check", "--vrma", "24"}) == "no flag \"--vrma\"; nearest: --vram, --ram");
  CHECK(refusal({"--xyzzy"}) == "no flag \"--xyzzy\"; see r1fit --help");
  CHECK(refusal({"-x"}) == "no flag \"-x\"; see r1fit --help");
  CHECK(refusal({"batch", "--vram", "24"}) == "no flag \"--vram\"; see r1fit batch --help");
  CHECK_THAT(refusal({"estimate", "32b", "--min-tps", "5"}), contains("no flag \"--min-tps\""));
}

TEST_CASE("an unknown command is told with the nearest", "[command_line]") {
  CHECK(refusal({"recomend"}) == "no command \"recomend\"; nearest: recommend; `r1fit --help` lists them");
  CHECK(refusal({""}) == "no command \"\"; `r1fit --help` lists them");
  CHECK(refusal({"24"}) == "no command \"24\"; `r1fit --help` lists them");
}

TEST_CASE("words that nothing takes are refused", "[command_line]") {
  CHECK(refusal({"--vram", "24", "extra"}) == "unexpected argument \"extra\"");
  CHECK(refusal({"--vram", "24", "check", "32b"}) == "unexpected argument \"check\"; a command comes first");
  CHECK(refusal({"--", "--vram", "24"}) == "unexpected argument \"--\"");
  CHECK(refusal({"check", "32b", "14b"}) == "unexpected argument \"14b\"; one MODEL at a time");
  CHECK(refusal({"list", "models", "quants"}) == "unexpected argument \"quants\"; one list at a time");
  CHECK(refusal({"catalog", "check", "a", "b"}) == "unexpected argument \"b\"; one folder at a time");
  CHECK(refusal({"batch", "x"}) == "unexpected argument \"x\"");
}

TEST_CASE("words that are missing are asked for", "[command_line]") {
  CHECK(refusal({"check"}) == "MODEL is required; see r1fit check --help");
  CHECK(refusal({"estimate", "--vram", "24"}) == "MODEL is required; see r1fit estimate --help");
  CHECK(refusal({"list"}) == "WHAT is required; see r1fit list --help");
  CHECK(refusal({"show"}) == "NAME is required; see r1fit show --help");
  CHECK(refusal({"catalog", "check"}) == "catalog check takes a folder");
  CHECK(refusal({"catalog", "export", ""}) == "catalog export takes a folder");
  CHECK_THAT(refusal({"catalog", "import", "x"}), contains("catalog takes check or export"));
  CHECK_THAT(refusal({"list", "cards"}), contains("list takes models, quants, hardware or engines"));
}

TEST_CASE("the other commands have their words", "[command_line]") {
  CHECK(parse_command_line({"list", "models"}).name == "models");
  CHECK(parse_command_line({"show", "rtx", "4090"}).name == "rtx 4090");
  CHECK(parse_command_line({"catalog", "check", "d"}).action == Action::catalog_check);
  CHECK(parse_command_line({"catalog", "export", "d"}).action == Action::catalog_export);
  CHECK(parse_command_line({"catalog", "export", "d"}).name == "d");
  CHECK(parse_command_line({"batch"}).action == Action::batch);
}

TEST_CASE("inspect takes one file and with hardware what an estimate takes", "[command_line]") {
  CHECK(parse_command_line({"inspect", "dir/a.gguf"}).action == Action::inspect);
  CHECK(parse_command_line({"inspect", "dir/a.gguf"}).name == "dir/a.gguf");
  CHECK(parse_command_line({"inspect", "a.gguf", "--vram", "24", "--ctx", "16k"}).needs.workload.context ==
        tokens(16384));
  CHECK_THAT(refusal({"inspect"}), contains("FILE is required"));
  CHECK_THAT(refusal({"inspect", "a.gguf", "b.gguf"}), contains("one FILE at a time"));
  CHECK_THAT(refusal({"inspect", "a.gguf", "--ctx", "16k"}),
             contains("--ctx is about an estimate of the file: name the hardware"));
  CHECK_THAT(refusal({"inspect", "a.gguf", "--desktop", "linux"}), contains("--desktop is about"));
  CHECK_THAT(refusal({"inspect", "a.gguf", "--explain"}), contains("--explain is about"));
}

TEST_CASE("help names every flag, version is one line", "[command_line]") {
  for (const Asked& command : kAsked) {
    const CommandLine help = parse_command_line(command.words + Args{"--help"});
    CHECK(help.action == Action::print);
    for (const ValueFlag& flag : flags_of(command)) CHECK_THAT(help.text, contains(flag.name + " "));
  }
  const CommandLine top = parse_command_line({"-h"});
  for (const char* word :
       {"recommend", "check", "estimate", "batch", "list", "show", "catalog", "Exit status"}) {
    CHECK_THAT(top.text, contains(word));
  }
  const std::string version = parse_command_line({"--version"}).text;
  CHECK(version.starts_with("r1fit "));
  CHECK(version.find('\n') == version.size() - 1);
}
