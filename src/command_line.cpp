#include "r1fit/command_line.hpp"

#include <algorithm>
#include <array>

#include "flag_groups.hpp"
#include "r1fit/error.hpp"
#include "r1fit/flag_values.hpp"
#include "r1fit/suggest.hpp"
#include "r1fit/units_text.hpp"

namespace r1fit {
namespace {

/// A command line while it is read: what was declared, and what waits until all of it is known.
struct Parse {
  Flags& flags;
  CommandLine& line;
  std::vector<std::string> words;  ///< positional arguments
  HardwareRest hardware;
  NeedsRest needs;
  ClaimedRest claimed;
  OutputRest output;
};

/// The only word there may be; `one` says so: "one MODEL at a time".
const std::string& single(const std::vector<std::string>& words, std::string_view one) {
  if (words.size() > 1) throw Error("unexpected argument " + in_quotes(words[1]) + "; " + std::string(one));
  return words.front();
}

// ---- what each command takes, and what is done once all of it is read ------------------------------

/// Hardware, needs and how much is said: what every command about a configuration takes.
void add_configuration(Parse& parse) {
  add_hardware(parse.flags, parse.line.hardware, parse.hardware);
  add_needs(parse.flags, parse.line.needs, parse.needs);
  parse.flags.heading("Answer");
  parse.flags.flag("--explain", "the arithmetic line by line", parse.line.explain);
  parse.flags.flag("-q,--quiet", "print nothing: the exit status is the answer", parse.line.quiet);
}

/// For commands about named hardware that is perhaps one's own.
void add_no_calibration(Parse& parse) {
  parse.flags.flag("--no-calibration", "leave aside what you measured yourself (see: r1fit calibrate)",
                   parse.line.no_calibration);
}

void settle_configuration(Parse& parse) {
  settle_output(parse.line, parse.output);
  settle_hardware(parse.line.hardware, parse.hardware);
  settle_needs(parse.line.needs, parse.needs);
}

void add_model(Parse& parse) {
  parse.flags.positional("MODEL", "what to look at: 32b, r1-671b, 32b:Q4_K_M, deepseek-r1:8b", true,
                         parse.words);
}

void settle_model(Parse& parse) {
  settle_configuration(parse);
  parse.line.needs.models.push_back(single(parse.words, "one MODEL at a time"));
}

void declare_recommend(Parse& parse) {
  add_configuration(parse);
  add_no_calibration(parse);
  add_candidates(parse.flags, parse.line.needs);
  parse.flags.value(
      "--top", "at most so many rows (default 5, with --all all)", "N",
      [&line = parse.line](auto text) { line.top = static_cast<int>(parse_whole("--top", text, 1, 1000)); });
  add_minima(parse.flags, parse.line.needs);
  add_output(parse.flags, parse.line, parse.output);
}

void declare_check(Parse& parse) {
  static constexpr std::array<std::string_view, 3> verdicts{"fits", "tight", "offload"};
  add_configuration(parse);
  add_no_calibration(parse);
  add_minima(parse.flags, parse.line.needs);
  add_model(parse);
  parse.flags.choice("--require", "what counts as a yes: fits, tight (default) or offload", "VERDICT",
                     verdicts,
                     [&line = parse.line](std::size_t word) { line.required = static_cast<Verdict>(word); });
  add_quant(parse.flags, parse.line.needs);
  add_output(parse.flags, parse.line, parse.output);
}

void declare_estimate(Parse& parse) {
  add_configuration(parse);
  add_no_calibration(parse);
  add_model(parse);
  add_quant(parse.flags, parse.line.needs);
  add_output(parse.flags, parse.line, parse.output);
}

void declare_claim(Parse& parse) {
  add_claimed(parse.flags, parse.line.claimed, parse.claimed);
  parse.flags.positional("MODEL", "what it is said of: 32b, 32b:Q4_K_M, deepseek-r1:8b; or --model", false,
                         parse.words);
  parse.flags.value("--model", "the same as MODEL", "NAME",
                    [&line = parse.line](auto text) { line.needs.models.emplace_back(text); });
  add_quant(parse.flags, parse.line.needs);
  add_configuration(parse);
  add_output(parse.flags, parse.line, parse.output);
}

void settle_claim(Parse& parse) {
  settle_configuration(parse);
  std::vector<std::string>& models = parse.line.needs.models;
  models.insert(models.end(), parse.words.begin(), parse.words.end());
  if (models.empty()) throw Error("claim takes a model: --model NAME");
  static_cast<void>(single(models, "one MODEL at a time"));
  settle_claimed(parse.claimed);
}

void declare_plan(Parse& parse) {
  add_model(parse);
  add_quant(parse.flags, parse.line.needs);
  add_plan(parse.flags, parse.line);
  add_needs(parse.flags, parse.line.needs, parse.needs);
  parse.flags.heading("Answer");
  add_plan_answer(parse.flags, parse.line);
  parse.flags.flag("-q,--quiet", "print nothing: the exit status is the answer", parse.line.quiet);
  add_output(parse.flags, parse.line, parse.output);
}

void declare_compare(Parse& parse) {
  parse.flags.positional(
      "HW...",
      "two to six machines, each in quotes: \"rtx 4090 + 64 ram\", \"2x rtx 3090\", \"m4-max "
      "64\", 2x24, \"epyc-genoa 512\"",
      true, parse.words);
  add_compared(parse.flags, parse.line.needs);
  add_minima(parse.flags, parse.line.needs);
  add_needs(parse.flags, parse.line.needs, parse.needs);
  add_output(parse.flags, parse.line, parse.output);
}

void settle_compare(Parse& parse) {
  settle_output(parse.line, parse.output);
  settle_needs(parse.line.needs, parse.needs);
  if (parse.words.size() < kLeastCompared || parse.words.size() > kMostCompared) {
    throw Error("compare takes two to six machines, each as one word in quotes, not " +
                std::to_string(parse.words.size()));
  }
  parse.line.machines = parse.words;
}

void declare_inspect(Parse& parse) {
  parse.flags.positional("FILE", "a GGUF file, of a split one any part", true, parse.words);
  add_configuration(parse);
  add_no_calibration(parse);
  add_output(parse.flags, parse.line, parse.output);
}

void settle_inspect(Parse& parse) {
  settle_configuration(parse);
  parse.line.name = single(parse.words, "one FILE at a time");
  if (parse.line.name.empty()) throw Error("inspect takes the path of a GGUF file");
  if (!parse.line.hardware.empty() || parse.line.hardware.here) return;
  std::string idle = parse.flags.given_under("Hardware");
  if (idle.empty()) idle = parse.flags.given_under("Context and engine");
  if (idle.empty() && parse.line.explain) idle = "--explain";
  if (!idle.empty())
    throw Error(idle +
                " is about an estimate of the file: name the hardware with --gpu, --vram, --ram or --here");
}

void declare_detect(Parse& parse) {
  parse.flags.flag("--measure", "measure how fast RAM is read, too: takes part of a second",
                   parse.line.measure);
  add_output(parse.flags, parse.line, parse.output);
}

void settle_detect(Parse& parse) { settle_output(parse.line, parse.output); }

void declare_calibrate(Parse& parse) {
  CommandLine& line = parse.line;
  parse.flags.positional("FILE", "output of llama-bench or of ollama run --verbose; - is stdin", false,
                         parse.words);
  parse.flags.heading("What ran, where the output does not say it");
  parse.flags.value("--model", "the model, as in 32b or 32b:Q4_K_M", "NAME",
                    [&line](auto text) { line.needs.models.emplace_back(text); });
  add_quant(parse.flags, line.needs);
  parse.flags.values("--gpu", "the card or Apple chip, or several: \"rtx 4090\", \"2x rtx 3090\"", "NAME",
                     [&line](std::string_view text) { line.hardware.gpus.emplace_back().name = text; });
  parse.flags.value("--memory", "which memory size of a chip sold with several, GiB", "GIB",
                    [&parse](auto text) { parse.hardware.memory = parse_memory_flag("--memory", text); });
  parse.flags.value("--cpu", "the platform of the memory, where it ran on the CPU", "NAME",
                    [&line](auto text) { line.hardware.cpu = text; });
  static const auto backends = backend_words();
  parse.flags.choice("--backend", "cuda, rocm, metal, vulkan, sycl or cpu", "NAME", backends,
                     [&line](std::size_t word) { line.hardware.backend = kBackends.at(word); });
  parse.flags.choice("--kv", "type of the KV cache: f16, q8_0 or q4_0 (default f16)", "TYPE", kKvTypeWords,
                     [&line](std::size_t word) { line.ran_kv = static_cast<KvType>(word); });
  parse.flags.heading("What is kept");
  parse.flags.flag("--list", "the runs that are kept, and what they make of later answers", line.list_runs);
  parse.flags.value("--forget", "forget the runs on this card or platform, or all", "NAME|all",
                    [&line](auto text) { line.forget = text; });
  parse.flags.heading("Answer");
  parse.flags.flag("-q,--quiet", "print nothing: the exit status is the answer", line.quiet);
  add_output(parse.flags, line, parse.output);
}

void settle_calibrate(Parse& parse) {
  settle_output(parse.line, parse.output);
  if (parse.hardware.memory && parse.line.hardware.gpus.empty())
    throw Error("--memory says which size of a --gpu is meant");
  for (GpuQuery& gpu : parse.line.hardware.gpus) gpu.memory = parse.hardware.memory;
  parse.line.files = parse.words;
  const int asked = (parse.line.files.empty() ? 0 : 1) + (parse.line.list_runs ? 1 : 0) +
                    (parse.line.forget.empty() ? 0 : 1);
  if (asked != 1)
    throw Error("calibrate takes one of FILE ..., --list and --forget; see r1fit calibrate --help");
}

void declare_batch(Parse& /*parse*/) {}
void settle_nothing(Parse& /*parse*/) {}

void declare_list(Parse& parse) {
  parse.flags.positional("WHAT", "models, quants, hardware or engines", true, parse.words,
                         {std::begin(kListingWords), std::end(kListingWords)});
  add_output(parse.flags, parse.line, parse.output);
}

void settle_list(Parse& parse) {
  settle_output(parse.line, parse.output);
  parse.line.name =
      kListingWords[parse_word("list", single(parse.words, "one list at a time"), kListingWords)];
}

void declare_show(Parse& parse) {
  parse.flags.positional("NAME", "a model, quantisation, card, platform or engine", true, parse.words);
  add_output(parse.flags, parse.line, parse.output);
}

void settle_show(Parse& parse) {
  settle_output(parse.line, parse.output);
  for (const std::string& text : parse.words) parse.line.name += (parse.line.name.empty() ? "" : " ") + text;
}

constexpr std::array<std::string_view, 2> kCatalogVerbs{"check", "export"};

void declare_catalog(Parse& parse) {
  parse.flags.positional("WHAT", "check DIR or export DIR", true, parse.words,
                         {kCatalogVerbs.begin(), kCatalogVerbs.end()}, "DIR");
}

void settle_catalog(Parse& parse) {
  const std::vector<std::string>& words = parse.words;
  const std::size_t verb = parse_word("catalog", words.front(), kCatalogVerbs);
  if (words.size() < 2 || words[1].empty()) throw Error("catalog " + words.front() + " takes a folder");
  if (words.size() > 2) throw Error("unexpected argument " + in_quotes(words[2]) + "; one folder at a time");
  parse.line.action = verb == 0 ? Action::catalog_check : Action::catalog_export;
  parse.line.name = words[1];
}

void declare_completion(Parse& parse) {
  parse.flags.positional("SHELL", "bash, zsh or fish", true, parse.words,
                         {std::begin(kShellWords), std::end(kShellWords)});
}

void settle_completion(Parse& parse) {
  parse.line.shell =
      static_cast<Shell>(parse_word("completion", single(parse.words, "one shell at a time"), kShellWords));
}

// ---- the commands ----------------------------------------------------------------------------------

struct Subcommand {
  std::string_view word;
  Action action;
  std::string_view summary;
  void (*declare)(Parse&);  ///< the flags it takes
  void (*settle)(Parse&);   ///< what holds between them, once all are read
};

// Only the command that was asked for is set up, since building forty options for each of them would cost
// more time than the answer.
constexpr std::array kCommands{
    Subcommand{"recommend", Action::recommend, "which R1 for this hardware: ranked, best first (the default)",
               declare_recommend, settle_configuration},
    Subcommand{"check", Action::check, "does exactly this fit, and well enough; the exit status answers",
               declare_check, settle_model},
    Subcommand{"estimate", Action::estimate, "the whole arithmetic of one configuration", declare_estimate,
               settle_model},
    Subcommand{"claim", Action::claim, "is a claimed speed, size or fit possible; the exit status answers",
               declare_claim, settle_claim},
    Subcommand{"plan", Action::plan, "what to buy: hardware of the catalogue that meets the needs",
               declare_plan, settle_model},
    Subcommand{"compare", Action::compare, "several machines side by side for the same needs",
               declare_compare, settle_compare},
    Subcommand{"inspect", Action::inspect,
               "what a GGUF file is; with hardware, the estimate of that very file", declare_inspect,
               settle_inspect},
    Subcommand{"detect", Action::detect, "this machine as r1fit sees it, and where each line was read",
               declare_detect, settle_detect},
    Subcommand{"calibrate", Action::calibrate, "learn from a benchmark of your own for later answers",
               declare_calibrate, settle_calibrate},
    Subcommand{"batch", Action::batch, "NDJSON requests on stdin, NDJSON estimates on stdout", declare_batch,
               settle_nothing},
    Subcommand{"list", Action::list, "what the catalogue holds: models, quants, hardware or engines",
               declare_list, settle_list},
    Subcommand{"show", Action::show, "one record of the catalogue, each figure with its source", declare_show,
               settle_show},
    Subcommand{"catalog", Action::catalog_check,
               "check DIR: validate a catalogue; export DIR: write the built-in", declare_catalog,
               settle_catalog},
    Subcommand{"completion", Action::completion, "a script that completes r1fit in bash, zsh or fish",
               declare_completion, settle_completion},
};

constexpr auto kCommandWords = [] {
  std::array<std::string_view, kCommands.size()> words;
  for (std::size_t i = 0; i < words.size(); ++i) words.at(i) = kCommands.at(i).word;
  return words;
}();

// ---- what the program says of itself -----------------------------------------------------------------

constexpr std::string_view kSummary =
    "which DeepSeek-R1 runs on this hardware, how fast, and with what command";

constexpr std::array<std::string_view, 7> kExamples{
    "r1fit --vram 24",
    "r1fit --gpu \"2x rtx 3090\" --ctx 16k",
    "r1fit check 32b:Q4_K_M --gpu \"rtx 4090\" --min-tps 30 && echo yes",
    "r1fit claim 70b --gpu m4-max --memory 48 --tps 100",
    "r1fit plan 70b --min-tps 15 --min-ctx 16k",
    "r1fit compare \"rtx 4090 + 64 ram\" \"2x rtx 3090\" \"m4-max-40 64\"",
    "r1fit estimate r1-671b --gpu \"rtx 4090\" --ram 512 --cpu epyc-genoa --explain",
};

constexpr std::array<std::string_view, 4> kStatuses{"yes", "no", "wrong usage or bad input",
                                                    "r1fit could not work"};

constexpr std::string_view kVersionFlag = "--version";
constexpr std::string_view kVersionHelp = "the version";

std::string overview() {
  std::string text = "r1fit: " + std::string(kSummary) + ".\n\nUsage: r1fit [COMMAND] [FLAGS]\n\nCommands:\n";
  for (const Subcommand& command : kCommands) {
    std::string name(command.word);
    name.resize(12, ' ');
    text += "  " + name + std::string(command.summary) + "\n";
  }
  text += "\nExamples:\n";
  for (const std::string_view example : kExamples) text += "  " + std::string(example) + "\n";
  text += "\nExit status:";
  for (std::size_t status = 0; status < kStatuses.size(); ++status) {
    text += (status == 0 ? " " : ", ") + std::to_string(status) + " " + std::string(kStatuses.at(status));
  }
  text += ".\n`r1fit COMMAND --help` lists the flags of a command.\n";
  return text;
}

const Subcommand& command_of(const std::vector<std::string>& args, std::size_t& first) {
  first = 0;
  if (args.empty() || args[0].starts_with('-')) return kCommands.front();
  const auto found = std::ranges::find(kCommands, args[0], &Subcommand::word);
  if (found == kCommands.end()) {
    throw Error("no command " + in_quotes(args[0]) + nearest_clause(nearest(args[0], kCommandWords)) +
                "; `r1fit --help` lists them");
  }
  first = 1;
  return *found;
}

}  // namespace

CommandLine parse_command_line(const std::vector<std::string>& args) {
  std::size_t first = 0;
  const Subcommand& command = command_of(args, first);
  const bool bare = first == 0;
  CommandLine line;
  line.action = command.action;
  const auto print = [&line](std::string text) {
    line.action = Action::print;
    line.text = std::move(text);
    return line;
  };

  Flags flags(bare ? "r1fit" : "r1fit " + std::string(command.word), command.summary);
  Parse parse{flags, line, {}, {}, {}, {}, {}};
  bool version = false;
  if (bare) flags.flag(std::string(kVersionFlag), std::string(kVersionHelp), version);
  command.declare(parse);
  add_common(flags, line);

  if (!flags.parse(args, first, kCommandWords)) return print((bare ? overview() + "\n" : "") + flags.help());
  if (version) return print("r1fit " R1FIT_VERSION "\n");
  flags.read_all();
  command.settle(parse);
  return line;
}

std::vector<CommandDoc> command_docs() {
  std::vector<CommandDoc> docs;
  for (const Subcommand& command : kCommands) {
    CommandLine line;
    Flags flags("r1fit " + std::string(command.word), command.summary);
    Parse parse{flags, line, {}, {}, {}, {}, {}};
    command.declare(parse);
    add_common(flags, line);
    docs.push_back(flags.doc());
    docs.back().word = command.word;
    docs.back().summary = command.summary;
  }
  return docs;
}

ProgramDoc program_doc() {
  return {R1FIT_VERSION,
          kSummary,
          {kExamples.begin(), kExamples.end()},
          {kStatuses.begin(), kStatuses.end()},
          {std::string(kVersionFlag), "", std::string(kVersionHelp), "Options", false, {}},
          command_docs()};
}

}  // namespace r1fit
