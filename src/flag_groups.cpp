#include "flag_groups.hpp"

#include <algorithm>
#include <array>

#include "r1fit/error.hpp"
#include "r1fit/flag_values.hpp"
#include "r1fit/suggest.hpp"
#include "r1fit/units_text.hpp"

namespace r1fit {
namespace {

/// A terabit a second: beyond any line.
constexpr double kMostMegabitsPerSecond = 1e6;

constexpr int kMostCards = 64;
constexpr int kMostCores = 1024;

constexpr std::array<std::string_view, 3> kDesktopWords{"none", "linux", "windows"};
constexpr std::array<std::string_view, 3> kUseWords{"general", "math", "code"};
constexpr std::array<std::string_view, 4> kFormatWords{"table", "json", "csv", "md"};
constexpr std::array<std::string_view, 3> kColorWords{"auto", "always", "never"};

/// "24", "2x24", "24,16": nameless cards by size.
void read_vram(std::string_view text, std::vector<GpuQuery>& gpus) {
  int total = 0;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t comma = std::min(text.find(',', begin), text.size());
    std::string_view part = text.substr(begin, comma - begin);
    GpuQuery query;
    if (const std::size_t x = part.find_first_of("xX"); x != std::string_view::npos) {
      query.count = static_cast<int>(parse_whole("the count in --vram", part.substr(0, x), 1, kMostCards));
      part = part.substr(x + 1);
    }
    query.memory = parse_memory_flag("--vram", part);
    total += query.count;
    gpus.push_back(std::move(query));
    begin = comma + 1;
  }
  if (total > kMostCards) throw Error("--vram takes at most " + std::to_string(kMostCards) + " cards");
}

void read_wired_limit(std::string_view text, HardwareQuery& hardware) {
  if (!text.empty() && text.back() == '%') {
    hardware.wired_limit_share =
        parse_positive("--wired-limit", text.substr(0, text.size() - 1), 100) / 100.0;
    return;
  }
  hardware.wired_limit = parse_memory_flag("--wired-limit", text);
}

GpuQuery read_gpu(std::string_view text) {
  if (text.find_first_not_of(' ') == std::string_view::npos)
    throw Error("--gpu takes a name, not " + in_quotes(text));
  GpuQuery query;
  query.name = text;  // a count in front is split off when the name is looked up
  return query;
}

void read_context(std::string_view text, NeedsQuery& needs) {
  needs.context_said = true;
  if (text == "max") {
    needs.context = ContextChoice::longest;
  } else if (text == "default") {
    needs.context = ContextChoice::by_engine;
  } else {
    needs.workload.context = parse_tokens("--ctx", text);
    needs.said.context = true;
  }
}

}  // namespace

void add_hardware(Flags& flags, HardwareQuery& hardware, HardwareRest& rest) {
  flags.heading("Hardware");
  flags.values("--gpu",
               "a card or Apple chip, or several: \"rtx 4090\", \"2x rtx 3090\", m4-max (repeatable)", "NAME",
               [&](std::string_view text) { hardware.gpus.push_back(read_gpu(text)); });
  flags.value("--memory", "which memory size of a chip sold with several, GiB", "GIB",
              [&](std::string_view text) { rest.memory = parse_memory_flag("--memory", text); });
  flags.value("--vram", "nameless cards by size in GiB: 24, 2x24, or 24,16", "GIB",
              [&](std::string_view text) {
                rest.vram = true;
                if (!hardware.gpus.empty()) throw Error("--gpu and --vram exclude each other");
                read_vram(text, hardware.gpus);
              });
  flags.value("--bandwidth", "memory bandwidth of the nameless cards, GB/s", "GB/s",
              [&](std::string_view text) { rest.bandwidth = parse_bandwidth("--bandwidth", text); });
  flags.value("--ram", "system memory, GiB", "GIB",
              [&](std::string_view text) { hardware.ram = parse_memory_flag("--ram", text); });
  flags.value("--cpu", "the platform of that memory: ddr5-5600-dual, epyc-genoa (see: r1fit list hardware)",
              "NAME", [&](std::string_view text) { hardware.cpu = text; });
  flags.value("--cores", "cores of the CPU, all sockets, where --cpu does not name a processor", "N",
              [&](std::string_view text) {
                hardware.cores = static_cast<int>(parse_whole("--cores", text, 1, kMostCores));
              });
  flags.value("--ram-bandwidth", "bandwidth of system memory, GB/s", "GB/s", [&](std::string_view text) {
    hardware.ram_bandwidth = parse_bandwidth("--ram-bandwidth", text);
  });
  flags.value(
      "--disk-bandwidth", "rate of the disk that weights load and stream from, GB/s", "GB/s",
      [&](std::string_view text) { hardware.disk_bandwidth = parse_bandwidth("--disk-bandwidth", text); });
  flags.value("--downlink", "rate of the network, Mbit/s: adds the time of the download", "MBIT",
              [&](std::string_view text) {
                hardware.downlink = mbit_per_s(parse_positive("--downlink", text, kMostMegabitsPerSecond));
              });
  flags.value("--wired-limit", "Apple: what the GPU may use, GiB or percent of the memory", "GIB|%",
              [&](std::string_view text) { read_wired_limit(text, hardware); });
  flags.value("--reserve", "memory of the first card that something else uses, GiB", "GIB",
              [&](std::string_view text) {
                hardware.reserve = text == "0" ? Bytes{} : parse_memory_flag("--reserve", text);
              });
  flags.choice("--desktop", "what draws on the first card: none, linux or windows", "WHAT", kDesktopWords,
               [&](std::size_t word) { hardware.desktop = kDesktopWords.at(word); });
  static const auto backends = backend_words();
  flags.choice("--backend", "cuda, rocm, metal, vulkan, sycl or cpu; otherwise the card's usual one", "NAME",
               backends, [&](std::size_t word) { hardware.backend = kBackends.at(word); });
  flags.flag("--here", "this machine as `r1fit detect` sees it, but for what the other flags say",
             hardware.here);
}

void settle_hardware(HardwareQuery& hardware, const HardwareRest& rest) {
  if (rest.bandwidth && !rest.vram)
    throw Error("--bandwidth is about nameless cards: give their size with --vram");
  if (rest.memory && (rest.vram || hardware.gpus.empty())) {
    throw Error(
        "--memory says which size of a --gpu is meant; system memory is --ram, a nameless card --vram");
  }
  if (hardware.reserve && !hardware.desktop.empty())
    throw Error("--reserve and --desktop exclude each other");
  for (GpuQuery& gpu : hardware.gpus) {
    if (rest.memory) gpu.memory = rest.memory;
    if (rest.bandwidth) gpu.bandwidth = rest.bandwidth;
  }
}

// ---- needs --------------------------------------------------------------------------------------------

void add_needs(Flags& flags, NeedsQuery& needs, NeedsRest& rest) {
  flags.heading("Context and engine");
  Workload& work = needs.workload;
  constexpr std::int64_t most = 1'000'000;
  flags.value("--ctx",
              "context in tokens: 8192, 32k, max, or default, what the engine takes by itself (default 8192)",
              "TOKENS", [&](std::string_view text) { read_context(text, needs); });
  flags.choice("--kv", "type of the KV cache: f16, q8_0 or q4_0 (default f16)", "TYPE", kKvTypeWords,
               [&](std::size_t word) { work.kv_k = work.kv_v = static_cast<KvType>(word); });
  flags.choice("--kv-k", "the same for K alone", "TYPE", kKvTypeWords,
               [&](std::size_t word) { work.kv_k = static_cast<KvType>(word); });
  flags.choice("--kv-v", "the same for V alone", "TYPE", kKvTypeWords,
               [&](std::size_t word) { work.kv_v = static_cast<KvType>(word); });
  flags.value("--parallel", "slots that share the context (default 1)", "N", [&](std::string_view text) {
    work.parallel = static_cast<int>(parse_whole("--parallel", text, 1, 256));
    needs.said.parallel = true;
  });
  flags.flag("--kv-unified", "the slots share one cache instead of a part each", work.kv_unified);
  flags.value("--ubatch", "micro-batch in tokens (default 512)", "N",
              [&](std::string_view text) { work.ubatch = tokens(parse_whole("--ubatch", text, 1, 65536)); });
  flags.choice("--flash-attn", "on, off or auto (default auto, which is on)", "WHEN", kFlashAttentionWords,
               [&](std::size_t word) { work.flash_attention = static_cast<FlashAttention>(word); });
  flags.value("--ngl", "layers on the GPU as llama.cpp counts them, the output first", "N",
              [&](std::string_view text) {
                needs.placement.n_gpu_layers = static_cast<int>(parse_whole("--ngl", text, 0, 1000));
              });
  flags.value("--n-cpu-moe", "experts of the first N layers stay in system memory", "N",
              [&](std::string_view text) {
                needs.placement.n_cpu_moe = static_cast<int>(parse_whole("--n-cpu-moe", text, 0, 1000));
              });
  flags.flag("--cpu-moe", "experts of every layer stay in system memory", needs.placement.cpu_moe);
  flags.choice(
      "--split",
      "how several GPUs share the model: layer (default), tensor, or row (llama.cpp until June 2026)", "MODE",
      kSplitModeWords, [&](std::size_t word) { work.split = static_cast<SplitMode>(word); });
  flags.value(
      "--engine",
      "ollama, llama.cpp or lm-studio, an older release as ollama@0.13 or llama.cpp@2024-05 (default: "
      "the current ones; commands for the first two)",
      "NAME", [&](std::string_view text) { needs.engine = text; });
  flags.value("--think", "tokens thought before the answer (default: what the model's record says)", "TOKENS",
              [&](std::string_view text) { work.thinking = tokens(parse_whole("--think", text, 0, most)); });
  flags.value("--answer", "tokens of the answer after the thinking (default 500)", "TOKENS",
              [&](std::string_view text) { work.answer = tokens(parse_whole("--answer", text, 1, most)); });
  flags.value("--prompt", "tokens of the prompt (default 512)", "TOKENS",
              [&](std::string_view text) { work.prompt = tokens(parse_whole("--prompt", text, 1, most)); });
  flags.value("--depth", "tokens already in the context where the speed is stated (default 512)", "TOKENS",
              [&](std::string_view text) { work.depth = tokens(parse_whole("--depth", text, 0, most)); });
  flags.choice("--logits-rows", "what is reserved: parallel (a server) or ubatch (the bare library)", "WHAT",
               kLogitsRowsWords, [&](std::size_t word) {
                 work.logits_rows = static_cast<LogitsRows>(word);
                 needs.said.logits_rows = true;
               });
  flags.flag("--legacy-gguf", "a 671B file made before the MLA cache (early 2025)", work.legacy_gguf);
  flags.flag("--no-imatrix", "a file quantised without importance matrix", rest.no_imatrix);
}

void settle_needs(NeedsQuery& needs, const NeedsRest& rest) {
  if (rest.no_imatrix) needs.workload.imatrix = false;
  needs.said.kv_unified = needs.workload.kv_unified;
}

namespace {

/// --min-tps and --min-ctx.
void add_least(Flags& flags, NeedsQuery& needs) {
  flags.value("--min-tps", "least typical decode speed, tok/s", "TPS", [&](std::string_view text) {
    needs.min_tps = tok_per_s(parse_positive("--min-tps", text, 1e6));
  });
  flags.value("--min-ctx", "least context that must fit", "TOKENS",
              [&](std::string_view text) { needs.min_context = parse_tokens("--min-ctx", text); });
}

}  // namespace

void add_minima(Flags& flags, NeedsQuery& needs) {
  add_least(flags, needs);
  flags.value("--max-answer-s", "most seconds to an answer to an everyday question", "SECONDS",
              [&](std::string_view text) {
                needs.max_answer = seconds(parse_positive("--max-answer-s", text, 1e7));
              });
  flags.flag("--pessimistic", "these must hold at the slow end of the range, not typically",
             needs.pessimistic);
}

void add_plan(Flags& flags, CommandLine& line) {
  constexpr double most = 1e9;
  static constexpr std::array<std::string_view, 3> verdicts{"fits", "tight", "offload"};
  static const auto backends = backend_words();
  PlanNeeds& plan = line.plan;
  flags.heading("Needs");
  add_least(flags, line.needs);
  flags.flag("--pessimistic", "the low end of a speed counts, not the typical one", plan.pessimistic);
  flags.choice("--require",
               "what must hold of the memory: fits (default), tight, or offload; a card with experts of 671B "
               "in system memory always will do",
               "VERDICT", verdicts, [&plan](std::size_t word) { plan.verdict = static_cast<Verdict>(word); });
  flags.value(
      "--budget",
      "most that may be spent, USD; what has no known price is left out, and with it what needs a platform "
      "that --prices does not price",
      "USD", [&plan](auto text) { plan.budget_usd = parse_positive("--budget", text, most); });
  flags.value("--max-watts", "most that may be drawn, W; what has no known power is left out", "W",
              [&plan](auto text) { plan.max_watts = watts(parse_positive("--max-watts", text, most)); });
  flags.flag("--new-only", "without what is no longer sold, or is old and not known to be sold",
             plan.new_only);
  flags.choice("--backend", "cuda, rocm, metal, vulkan, sycl or cpu; otherwise each card's usual one", "NAME",
               backends, [&plan](std::size_t word) { plan.backend = kBackends.at(word); });
  flags.value("--prices", "your own prices in USD: a CSV file with the columns name and price", "FILE",
              [&line](auto text) { line.prices = text; });
  flags.value("--kwh", "price of electricity, USD a kWh: adds what a million tokens of output cost", "USD",
              [&plan](auto text) { plan.kwh_usd = parse_positive("--kwh", text, most); });
}

void add_plan_answer(Flags& flags, CommandLine& line) {
  PlanNeeds& plan = line.plan;
  flags.choice("--sort", "price (default), power or speed", "BY", kPlanSortWords,
               [&plan](std::size_t word) { plan.sort = static_cast<PlanSort>(word); });
  flags.flag("--all", "with what another of its kind beats in price, power and speed", plan.all);
  flags.value("--top", "at most so many rows", "N",
              [&plan](auto text) { plan.top = static_cast<int>(parse_whole("--top", text, 1, 100'000)); });
}

namespace {

/// All but --model.
void add_choice(Flags& flags, NeedsQuery& needs) {
  flags.values("--quant", "only this quantisation (repeatable)", "NAME",
               [&](std::string_view text) { needs.quants.emplace_back(text); });
  flags.choice("--use", "what it is for: general, math or code; decides the benchmark that ranks", "WHAT",
               kUseWords, [&](std::size_t word) { needs.use = static_cast<Use>(word); });
  flags.choice("--prefer", "what leads the list: quality (default), or of what is as good speed or context",
               "WHAT", kPreferWords, [&](std::size_t word) { needs.prefer = static_cast<Prefer>(word); });
}

}  // namespace

void add_candidates(Flags& flags, NeedsQuery& needs) {
  flags.values("--model", "only this model (repeatable)", "NAME",
               [&](std::string_view text) { needs.models.emplace_back(text); });
  add_choice(flags, needs);
  flags.flag("--all", "also what another row makes pointless", needs.all);
}

void add_compared(Flags& flags, NeedsQuery& needs) {
  flags.value(
      "--model",
      "the model to compare on all of them: 32b, 32b:Q4_K_M (default: the best that runs on every one)",
      "MODEL", [&](std::string_view text) { needs.models = {std::string(text)}; });
  add_choice(flags, needs);
}

void add_quant(Flags& flags, NeedsQuery& needs) {
  flags.value("--quant", "the quantisation, where MODEL does not say it", "NAME",
              [&](std::string_view text) { needs.quants.emplace_back(text); });
}

/// One claim at a time, so the second one is refused.
void add_claimed(Flags& flags, Claimed& claimed, ClaimedRest& rest) {
  flags.heading("Claim");
  const auto claim = [&claimed, &said = rest.flag](ClaimKind kind, std::string_view flag,
                                                   std::string_view text) {
    if (!said.empty())
      throw Error(said + " and " + std::string(flag) + " exclude each other: one claim at a time");
    said = flag;
    claimed.kind = kind;
    claimed.text = text;
  };
  flags.value("--tps", "claimed decode speed in tok/s: 45, or 28-34", "N[-M]",
              [&claimed, claim](std::string_view text) {
                claim(ClaimKind::decode_tps, "--tps", text);
                claimed.speed = parse_claimed_speed("--tps", text);
              });
  flags.value("--needs", "claimed memory need: 24GB (decimal, as a bare number is) or 24GiB", "SIZE",
              [&claimed, claim](std::string_view text) {
                claim(ClaimKind::needs, "--needs", text);
                claimed.size = parse_claimed_size("--needs", text);
              });
  flags.value("--file-size", "claimed size of the file: 131GB (decimal, as a bare number is) or 131GiB",
              "SIZE", [&claimed, claim](std::string_view text) {
                claim(ClaimKind::file_size, "--file-size", text);
                claimed.size = parse_claimed_size("--file-size", text);
              });
  flags.flag("--fits", "claimed to fit: all of it in the memory of the GPUs, or in RAM where there are none",
             rest.fits);
}

void settle_claimed(const ClaimedRest& rest) {
  if (rest.fits && !rest.flag.empty())
    throw Error(rest.flag + " and --fits exclude each other: one claim at a time");
  if (!rest.fits && rest.flag.empty())
    throw Error("claim takes one of --tps N[-M], --needs SIZE, --file-size SIZE and --fits");
}

// ---- output -------------------------------------------------------------------------------------------

void add_output(Flags& flags, CommandLine& line, OutputRest& rest) {
  flags.heading("Output");
  flags.choice("--format", "table, json, csv or md", "FORMAT", kFormatWords, [&](std::size_t word) {
    line.format = static_cast<Format>(word);
    rest.format = line.format;
  });
  flags.flag("--json", "the same as --format json", rest.json);
  flags.choice("--color", "auto, always or never", "WHEN", kColorWords,
               [&](std::size_t word) { line.color = static_cast<ColorChoice>(word); });
}

void settle_output(CommandLine& line, const OutputRest& rest) {
  if (!rest.json) return;
  if (rest.format.value_or(Format::json) != Format::json)
    throw Error("--json and --format exclude each other");
  line.format = Format::json;
}

void add_common(Flags& flags, CommandLine& line) {
  flags.heading("Options");
  flags.value("--catalog", "use the catalogue in this folder instead of the built-in one", "DIR",
              [&](std::string_view text) { line.catalog = text; });
  flags.flag("-v,--verbose", "say more: the rejected, every note, what is done", line.verbose);
}

}  // namespace r1fit
