#include "r1fit/command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <functional>
#include <list>
#include <memory>
#include <utility>

#include "r1fit/error.hpp"
#include "r1fit/flag_values.hpp"
#include "r1fit/suggest.hpp"
#include "r1fit/text_table.hpp"
#include "r1fit/units_text.hpp"

namespace r1fit {
namespace {

/// A terabit a second: beyond any line.
constexpr double kMostMegabitsPerSecond = 1e6;

// Every value is read by our own parsers (flag_values.hpp): CLI11 only sorts words into flags, so that its
// number formats and messages never reach the user. Only the command that was asked for is set up, since
// building forty options for each of nine commands would cost more time than the answer.

constexpr int kMostCards = 64;

struct CommandName {
  std::string_view word;
  Action action;
  std::string_view summary;
};
constexpr std::array kCommands{
    CommandName{"recommend", Action::recommend,
                "which R1 for this hardware: ranked, best first (the default)"},
    CommandName{"check", Action::check, "does exactly this fit, and well enough; the exit status answers"},
    CommandName{"estimate", Action::estimate, "the whole arithmetic of one configuration"},
    CommandName{"claim", Action::claim, "is a claimed speed, size or fit possible; the exit status answers"},
    CommandName{"batch", Action::batch, "NDJSON requests on stdin, NDJSON estimates on stdout"},
    CommandName{"list", Action::list, "what the catalogue holds: models, quants, hardware or engines"},
    CommandName{"show", Action::show, "one record of the catalogue, each figure with its source"},
    CommandName{"catalog", Action::catalog_check,
                "check DIR: validate a catalogue; export DIR: write the built-in one"},
};

/// The help of a command in 80 columns; CLI11's own breaks no lines.
class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_option(const CLI::Option* option, bool positional) const override {
    constexpr std::size_t text_column = 26;
    constexpr std::size_t width = 80;
    std::string lead = "  " + make_option_name(option, positional) + make_option_opts(option);
    lead.resize(std::max(text_column, lead.size() + 1), ' ');
    return wrap(lead, option->get_description(), width);
  }
  std::string make_option_opts(const CLI::Option* option) const override {
    return option->get_positional() ? "" : CLI::Formatter::make_option_opts(option);
  }
  std::string make_option_usage(const CLI::Option* option) const override { return option->get_name(true); }
};

std::string help_of(CLI::App& app) {
  app.formatter(std::make_shared<HelpFormatter>());
  std::string text = CLI::detail::find_and_replace(app.help(), "\n\n\n", "\n\n");
  while (text.ends_with("\n\n")) text.pop_back();
  return text;
}

/// A flag with a value, and what reads it. Keeps CLI11 at the edge.
class Flags {
 public:
  explicit Flags(CLI::App& app) : app_(app) {}

  /// The heading under which the help shows the flags that follow.
  void heading(const std::string& text) { app_.option_defaults()->group(text); }

  void value(const std::string& name, const std::string& help, const std::string& type,
             std::function<void(std::string_view)> read) {
    auto& slot = slots_.emplace_back(Slot{name, type, {}, std::move(read)});
    app_.add_option(name, slot.texts, help)
        ->type_name(type)
        ->expected(1)
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }
  void values(const std::string& name, const std::string& help, const std::string& type,
              std::function<void(std::string_view)> read) {
    value(name, help, type, std::move(read));
    slots_.back().repeatable = true;
  }
  void flag(const std::string& name, const std::string& help, bool& target) {
    app_.add_flag(name, target, help);
    const std::size_t comma = name.find(',');  // of "-q,--quiet"
    bare_.push_back(name.substr(0, comma));
    if (comma != std::string::npos) bare_.push_back(name.substr(comma + 1));
  }

  /// The arguments from `first` with every value tied to its flag, "--vram -5" as "--vram=-5": what follows a
  /// flag that takes a value is its value, so that a wrong one is complained about as such. Throws where
  /// there is none.
  [[nodiscard]] std::vector<std::string> tied(const std::vector<std::string>& args, std::size_t first) const {
    std::vector<std::string> out;
    for (std::size_t i = first; i < args.size(); ++i) {
      const std::string_view arg = args[i];
      if (arg == "--") {
        out.insert(out.end(), args.begin() + static_cast<std::ptrdiff_t>(i), args.end());
        break;
      }
      const std::size_t equals = arg.find('=');
      const std::string_view name = arg.substr(0, equals);
      if (equals != std::string_view::npos && std::ranges::find(bare_, name) != bare_.end())
        throw Error(std::string(name) + " takes no value");
      const auto slot = std::ranges::find(slots_, name, &Slot::name);
      if (slot == slots_.end()) {
        out.emplace_back(arg);
        continue;
      }
      const bool apart = equals == std::string_view::npos;
      const bool absent = apart && (i + 1 == args.size() || args[i + 1].starts_with("--"));
      const std::string value = absent ? "" : apart ? args[++i] : std::string(arg.substr(equals + 1));
      if (value.empty()) throw Error(slot->name + " takes a value (" + slot->type + ")");
      out.push_back(slot->name + "=" + value);
    }
    return out;
  }

  /// Reads every value that was given, in the order of the flags' definition.
  void read_all() {
    for (const Slot& slot : slots_) {
      if (slot.texts.size() > 1 && !slot.repeatable) throw Error(slot.name + " was given more than once");
      for (const std::string& text : slot.texts) slot.read(text);
    }
  }

 private:
  struct Slot {
    std::string name;
    std::string type;
    std::vector<std::string> texts;
    std::function<void(std::string_view)> read;
    bool repeatable = false;
  };
  CLI::App& app_;
  std::list<Slot> slots_;
  std::vector<std::string> bare_;  // flags without a value
};

// ---- hardware -----------------------------------------------------------------------------------------

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

/// Flags that only make sense together are checked once all are read.
struct HardwareRest {
  bool vram = false;
  std::optional<Bytes> memory;
  std::optional<BytesPerSecond> bandwidth;
};

GpuQuery read_gpu(std::string_view text) {
  if (text.find_first_not_of(' ') == std::string_view::npos)
    throw Error("--gpu takes a name, not " + in_quotes(text));
  GpuQuery query;
  query.name = text;  // a count in front is split off when the name is looked up
  return query;
}

void add_hardware(Flags& flags, HardwareQuery& hardware, HardwareRest& rest) {
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
  flags.value("--desktop", "what draws on the first card: none, linux or windows", "WHAT",
              [&](std::string_view text) {
                static constexpr std::array<std::string_view, 3> words{"none", "linux", "windows"};
                hardware.desktop = words.at(parse_word("--desktop", text, words));
              });
  flags.value("--backend", "cuda, rocm, metal, vulkan, sycl or cpu; otherwise the card's usual one", "NAME",
              [&](std::string_view text) {
                hardware.backend = kBackends.at(parse_word("--backend", text, backend_words()));
              });
}

void check_hardware(HardwareQuery& hardware, const HardwareRest& rest) {
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

void read_context(std::string_view text, NeedsQuery& needs) {
  if (text == "max") {
    needs.context = ContextChoice::longest;
  } else if (text == "default") {
    needs.context = ContextChoice::by_engine;
  } else {
    needs.workload.context = parse_tokens("--ctx", text);
  }
}

KvType read_kv(std::string_view flag, std::string_view text) {
  return static_cast<KvType>(parse_word(flag, text, kKvTypeWords));
}

struct NeedsRest {
  bool no_imatrix = false;
};

void add_needs(Flags& flags, NeedsQuery& needs, NeedsRest& rest) {
  Workload& work = needs.workload;
  constexpr std::int64_t most = 1'000'000;
  flags.value("--ctx",
              "context in tokens: 8192, 32k, max, or default, what the engine takes by itself (default 8192)",
              "TOKENS", [&](std::string_view text) { read_context(text, needs); });
  flags.value("--kv", "type of the KV cache: f16, q8_0 or q4_0 (default f16)", "TYPE",
              [&](std::string_view text) { work.kv_k = work.kv_v = read_kv("--kv", text); });
  flags.value("--kv-k", "the same for K alone", "TYPE",
              [&](std::string_view text) { work.kv_k = read_kv("--kv-k", text); });
  flags.value("--kv-v", "the same for V alone", "TYPE",
              [&](std::string_view text) { work.kv_v = read_kv("--kv-v", text); });
  flags.value("--parallel", "slots that share the context (default 1)", "N", [&](std::string_view text) {
    work.parallel = static_cast<int>(parse_whole("--parallel", text, 1, 256));
    needs.said.parallel = true;
  });
  flags.flag("--kv-unified", "the slots share one cache instead of a part each", work.kv_unified);
  flags.value("--ubatch", "micro-batch in tokens (default 512)", "N",
              [&](std::string_view text) { work.ubatch = tokens(parse_whole("--ubatch", text, 1, 65536)); });
  flags.value("--flash-attn", "on, off or auto (default auto, which is on)", "WHEN",
              [&](std::string_view text) {
                work.flash_attention =
                    static_cast<FlashAttention>(parse_word("--flash-attn", text, kFlashAttentionWords));
              });
  flags.value("--ngl", "layers on the GPU as llama.cpp counts them, the output first", "N",
              [&](std::string_view text) {
                needs.placement.n_gpu_layers = static_cast<int>(parse_whole("--ngl", text, 0, 1000));
              });
  flags.value("--n-cpu-moe", "experts of the first N layers stay in system memory", "N",
              [&](std::string_view text) {
                needs.placement.n_cpu_moe = static_cast<int>(parse_whole("--n-cpu-moe", text, 0, 1000));
              });
  flags.flag("--cpu-moe", "experts of every layer stay in system memory", needs.placement.cpu_moe);
  flags.value("--split", "how several cards share the model: layer (row and tensor are not modelled)", "MODE",
              [&](std::string_view text) {
                work.split = static_cast<SplitMode>(parse_word("--split", text, kSplitModeWords));
                if (work.split != SplitMode::layer) {
                  throw Error("--split " + std::string(text) + " is not modelled yet; layer is");
                }
              });
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
  flags.value("--logits-rows", "what is reserved: parallel (a server) or ubatch (the bare library)", "WHAT",
              [&](std::string_view text) {
                work.logits_rows =
                    static_cast<LogitsRows>(parse_word("--logits-rows", text, kLogitsRowsWords));
                needs.said.logits_rows = true;
              });
  flags.flag("--legacy-gguf", "a 671B file made before the MLA cache (early 2025)", work.legacy_gguf);
  flags.flag("--no-imatrix", "a file quantised without importance matrix", rest.no_imatrix);
}

void add_minima(Flags& flags, NeedsQuery& needs) {
  flags.value("--min-tps", "least typical decode speed, tok/s", "TPS", [&](std::string_view text) {
    needs.min_tps = tok_per_s(parse_positive("--min-tps", text, 1e6));
  });
  flags.value("--min-ctx", "least context that must fit", "TOKENS",
              [&](std::string_view text) { needs.min_context = parse_tokens("--min-ctx", text); });
}

void add_candidates(Flags& flags, NeedsQuery& needs) {
  flags.values("--model", "only this model (repeatable)", "NAME",
               [&](std::string_view text) { needs.models.emplace_back(text); });
  flags.values("--quant", "only this quantisation (repeatable)", "NAME",
               [&](std::string_view text) { needs.quants.emplace_back(text); });
  flags.value("--use", "what it is for: general, math or code; decides the benchmark that ranks", "WHAT",
              [&](std::string_view text) {
                static constexpr std::array<std::string_view, 3> words{"general", "math", "code"};
                needs.use = static_cast<Use>(parse_word("--use", text, words));
              });
}

/// One claim at a time, so the second one is refused.
void add_claimed(Flags& flags, Claimed& claimed, std::string& said, bool& fits) {
  const auto claim = [&claimed, &said](ClaimKind kind, std::string_view flag, std::string_view text) {
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
             fits);
}

// ---- output -------------------------------------------------------------------------------------------

struct OutputRest {
  bool json = false;
  std::optional<Format> format;
};

void add_output(Flags& flags, CommandLine& line, OutputRest& rest) {
  flags.value("--format", "table, json, csv or md", "FORMAT", [&](std::string_view text) {
    static constexpr std::array<std::string_view, 4> words{"table", "json", "csv", "md"};
    line.format = static_cast<Format>(parse_word("--format", text, words));
    rest.format = line.format;
  });
  flags.flag("--json", "the same as --format json", rest.json);
  flags.value("--color", "auto, always or never", "WHEN", [&](std::string_view text) {
    static constexpr std::array<std::string_view, 3> words{"auto", "always", "never"};
    line.color = static_cast<ColorChoice>(parse_word("--color", text, words));
  });
}

void add_common(Flags& flags, CommandLine& line) {
  flags.value("--catalog", "use the catalogue in this folder instead of the built-in one", "DIR",
              [&](std::string_view text) { line.catalog = text; });
  flags.flag("-v,--verbose", "say more: the rejected, every note, what is done", line.verbose);
}

/// CLI11's complaints in our words.
[[noreturn]] void complain(const CLI::App& app, const CLI::ParseError& error, const std::string& command) {
  // By type: what an error calls itself is the name of the app as often as not.
  if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr) {
    throw Error(std::string(error.what()) + "; see " + command + " --help");
  }
  const std::vector<std::string> extras = app.remaining();
  if (dynamic_cast<const CLI::ExtrasError*>(&error) == nullptr || extras.empty()) throw Error(error.what());
  // A wrong flag before a word that may be its value.
  const auto is_flag = [](const std::string& word) { return word.size() > 1 && word[0] == '-'; };
  const auto flags_end = std::ranges::find(extras, "--");
  const auto wrong = std::find_if(extras.begin(), flags_end, is_flag);
  if (wrong == flags_end) {
    const bool late = std::ranges::find(kCommands, extras.front(), &CommandName::word) != kCommands.end();
    throw Error("unexpected argument " + in_quotes(extras.front()) + (late ? "; a command comes first" : ""));
  }
  const std::string flag = wrong->substr(0, wrong->find('='));
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  const std::vector<std::string_view> known(names.begin(), names.end());
  const std::string near = nearest_clause(nearest(flag, known));
  throw Error("no flag " + in_quotes(flag) + (near.empty() ? "; see " + command + " --help" : near));
}

std::string overview() {
  std::string text =
      "r1fit: which DeepSeek-R1 runs on this hardware, how fast, and with what command.\n\n"
      "Usage: r1fit [COMMAND] [FLAGS]\n\nCommands:\n";
  for (const CommandName& command : kCommands) {
    std::string name(command.word);
    name.resize(11, ' ');
    text += "  " + name + std::string(command.summary) + "\n";
  }
  text +=
      "\nExamples:\n"
      "  r1fit --vram 24\n"
      "  r1fit --gpu \"2x rtx 3090\" --ctx 16k\n"
      "  r1fit check 32b:Q4_K_M --gpu \"rtx 4090\" --min-tps 30 && echo yes\n"
      "  r1fit claim 70b --gpu m4-max --memory 48 --tps 100\n"
      "  r1fit estimate r1-671b --gpu \"rtx 4090\" --ram 512 --cpu epyc-genoa --explain\n\n"
      "Exit status: 0 yes, 1 no, 2 wrong usage or bad input, 3 r1fit could not work.\n"
      "`r1fit COMMAND --help` lists the flags of a command.\n";
  return text;
}

const CommandName& command_of(const std::vector<std::string>& args, std::size_t& first) {
  first = 0;
  if (args.empty() || args[0].starts_with('-')) return kCommands.front();
  const auto found = std::ranges::find(kCommands, args[0], &CommandName::word);
  if (found == kCommands.end()) {
    std::array<std::string_view, kCommands.size()> words;
    std::ranges::transform(kCommands, words.begin(), &CommandName::word);
    throw Error("no command " + in_quotes(args[0]) + nearest_clause(nearest(args[0], words)) +
                "; `r1fit --help` lists them");
  }
  first = 1;
  return *found;
}

}  // namespace

CommandLine parse_command_line(const std::vector<std::string>& args) {
  std::size_t first = 0;
  const CommandName& command = command_of(args, first);
  CommandLine line;
  line.action = command.action;

  CLI::App app(std::string(command.summary), "r1fit " + std::string(command.word));
  app.set_help_flag("-h,--help", "this text");
  bool version = false;
  Flags flags(app);
  HardwareRest hardware_rest;
  NeedsRest needs_rest;
  OutputRest output_rest;
  std::vector<std::string> words;  // positional arguments
  const bool takes_hardware = command.action == Action::recommend || command.action == Action::check ||
                              command.action == Action::estimate || command.action == Action::claim;
  if (first == 0) app.add_flag("--version", version, "the version");
  std::string claim;  // the flag that states one
  bool claims_fit = false;
  if (command.action == Action::claim) {
    flags.heading("Claim");
    add_claimed(flags, line.claimed, claim, claims_fit);
    app.add_option("MODEL", words, "what it is said of: 32b, 32b:Q4_K_M, deepseek-r1:8b; or --model");
    flags.value("--model", "the same as MODEL", "NAME",
                [&](std::string_view text) { line.needs.models.emplace_back(text); });
    flags.value("--quant", "the quantisation, where MODEL does not say it", "NAME",
                [&](std::string_view text) { line.needs.quants.emplace_back(text); });
  }
  if (takes_hardware) {
    flags.heading("Hardware");
    add_hardware(flags, line.hardware, hardware_rest);
    flags.heading("Context and engine");
    add_needs(flags, line.needs, needs_rest);
    flags.heading("Answer");
    flags.flag("--explain", "the arithmetic line by line", line.explain);
    flags.flag("-q,--quiet", "print nothing: the exit status is the answer", line.quiet);
  }
  if (command.action == Action::recommend) {
    add_candidates(flags, line.needs);
    flags.value("--top", "at most so many rows (default 5)", "N", [&](std::string_view text) {
      line.top = static_cast<int>(parse_whole("--top", text, 1, 1000));
    });
  }
  if (command.action == Action::recommend || command.action == Action::check) add_minima(flags, line.needs);
  if (command.action == Action::check || command.action == Action::estimate) {
    app.add_option("MODEL", words, "what to look at: 32b, r1-671b, 32b:Q4_K_M, deepseek-r1:8b")->required();
    if (command.action == Action::check) {
      flags.value("--require", "what counts as a yes: fits, tight (default) or offload", "VERDICT",
                  [&](std::string_view text) {
                    static constexpr std::array<std::string_view, 3> verdicts{"fits", "tight", "offload"};
                    line.required = static_cast<Verdict>(parse_word("--require", text, verdicts));
                  });
    }
    flags.value("--quant", "the quantisation, where MODEL does not say it", "NAME",
                [&](std::string_view text) { line.needs.quants.emplace_back(text); });
  }
  if (command.action == Action::list) {
    app.add_option("WHAT", words, "models, quants, hardware or engines")->required();
  }
  if (command.action == Action::show)
    app.add_option("NAME", words, "a model, quantisation, card, platform or engine")->required();
  if (command.action == Action::catalog_check) {
    app.add_option("WHAT", words, "check DIR or export DIR")->required();
  }
  if (command.action != Action::batch && command.action != Action::catalog_check)
    add_output(flags, line, output_rest);
  add_common(flags, line);

  std::vector<std::string> rest = flags.tied(args, first);
  std::ranges::reverse(rest);  // CLI11 takes them from the back
  try {
    app.parse(rest);
  } catch (const CLI::CallForHelp&) {
    line.action = Action::print;
    line.text = first == 0 ? overview() + "\n" + help_of(app) : help_of(app);
    return line;
  } catch (const CLI::ParseError& error) {
    complain(app, error, first == 0 ? "r1fit" : "r1fit " + std::string(command.word));
  }
  if (version) {
    line.action = Action::print;
    line.text = "r1fit " R1FIT_VERSION "\n";
    return line;
  }
  flags.read_all();
  if (output_rest.json) {
    if (output_rest.format.value_or(Format::json) != Format::json)
      throw Error("--json and --format exclude each other");
    line.format = Format::json;
  }
  check_hardware(line.hardware, hardware_rest);
  if (needs_rest.no_imatrix) line.needs.workload.imatrix = false;
  line.needs.said.kv_unified = line.needs.workload.kv_unified;

  switch (command.action) {
    case Action::check:
    case Action::estimate:
      if (words.size() > 1)
        throw Error("unexpected argument " + in_quotes(words[1]) + "; one MODEL at a time");
      line.needs.models.push_back(words.front());
      break;
    case Action::claim:
      line.needs.models.insert(line.needs.models.end(), words.begin(), words.end());
      if (line.needs.models.size() > 1)
        throw Error("unexpected argument " + in_quotes(line.needs.models[1]) + "; one MODEL at a time");
      if (line.needs.models.empty()) throw Error("claim takes a model: --model NAME");
      if (claims_fit && !claim.empty())
        throw Error(claim + " and --fits exclude each other: one claim at a time");
      if (!claims_fit && claim.empty())
        throw Error("claim takes one of --tps N[-M], --needs SIZE, --file-size SIZE and --fits");
      break;
    case Action::list:
      if (words.size() > 1)
        throw Error("unexpected argument " + in_quotes(words[1]) + "; one list at a time");
      line.name = kListingWords[parse_word("list", words.front(), kListingWords)];
      break;
    case Action::show: {
      for (const std::string& text : words) line.name += (line.name.empty() ? "" : " ") + text;
      break;
    }
    case Action::catalog_check: {
      static constexpr std::array<std::string_view, 2> verbs{"check", "export"};
      const std::size_t verb = parse_word("catalog", words.front(), verbs);
      if (words.size() < 2 || words[1].empty()) throw Error("catalog " + words.front() + " takes a folder");
      if (words.size() > 2)
        throw Error("unexpected argument " + in_quotes(words[2]) + "; one folder at a time");
      line.action = verb == 0 ? Action::catalog_check : Action::catalog_export;
      line.name = words[1];
      break;
    }
    case Action::recommend:
    case Action::batch:
    case Action::catalog_export:
    case Action::print:
      break;
  }
  return line;
}

}  // namespace r1fit
