// r1fit-generate-manual: the manual page r1fit(1) on stdout, in roff. What the help says is taken from where
// the help has it; the prose that only the page has stands here.
#include <algorithm>
#include <exception>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "flag_uses.hpp"
#include "r1fit/command_line.hpp"
#include "r1fit/error.hpp"

namespace r1fit {
namespace {

/// Paragraphs, with an empty line between them.
constexpr std::string_view kDescription = R"(r1fit says which of the DeepSeek-R1 models,
the 671B files and their distills, fit into the memory of given hardware,
how fast they answer there, and which command of Ollama or llama.cpp runs them.
It computes that from a catalogue of models, quantisations, cards and processors
in which each figure has its source; it needs no network, no GPU and no model
file. What is not known is said to be unknown.

Without a command it is recommend. A command comes before all flags.

Memory is in GiB, as cards are sold: 24, 24G, 24GB and 24GiB are all 24 GiB for
the flags of hardware. Files and downloads are in decimal GB, as Ollama and
Hugging Face print them. A speed is a range meant to hold 80 % of what people
measure, for one request at a time.

Names are compared whole: 4090, rtx4090 and "RTX 4090" are one card,
"rtx 4090 laptop" is another. A name that stands for several records is refused
with all of them. Models are named by their ids or by what they are called in
short (32b), at Ollama (deepseek-r1:32b) or at Hugging Face.

System memory that is not stated is not assumed: what would need it does not fit
until --ram says how much there is.
)";

constexpr std::string_view kStatusNote =
    "With 2 and 3 there is one sentence on standard error and nothing on standard output.";

struct Variable {
  std::string_view name;
  std::string_view meaning;
};

constexpr Variable kVariables[] = {
    {"NO_COLOR", "Where it is set and not empty there is no colour, unless --color always asks for it."},
    {"TERM", "Where it is dumb or not set there is no colour either."},
    {"COLUMNS",
     "The width of tables, from 40 to 200. Otherwise it is that of the terminal, and 80 in a pipe."},
};

constexpr std::string_view kSeeAlso =
    "r1fit COMMAND --help lists the flags of one command, r1fit list what the catalogue holds. In the "
    "sources "
    "docs/cli.md describes the command line, docs/model.md the formulas and their evidence, docs/accuracy.md "
    "how "
    "far the figures can be trusted.";

// ---- roff ----------------------------------------------------------------------------------------------

/// `text` as it is: every hyphen can be pasted into a shell, and nothing begins a request.
std::string plain(std::string_view text) {
  std::string roff;
  for (const char c : text) {
    switch (c) {
      case '\\':
        roff += "\\e";
        break;
      case '-':
        roff += "\\-";
        break;
      case '\'':
        roff += "\\(aq";
        break;
      case '`':
        roff += "\\(ga";
        break;
      case '^':
        roff += "\\(ha";
        break;
      case '~':
        roff += "\\(ti";
        break;
      default:
        roff += c;
    }
  }
  return roff.starts_with('.') ? "\\&" + roff : roff;
}

std::string bold(std::string_view text) { return "\\fB" + plain(text) + "\\fR"; }
std::string italic(std::string_view text) { return "\\fI" + plain(text) + "\\fR"; }

std::string section(std::string_view title) { return ".SH " + std::string(title) + "\n"; }
/// A heading within a section; its words are put into quotes, since it is one argument of the request.
std::string heading(std::string_view title) { return ".SS \"" + plain(title) + "\"\n"; }
std::string entry(const std::string& term, std::string_view text) {
  return ".TP\n" + term + "\n" + plain(text) + "\n";
}

std::string paragraphs(std::string_view text) {
  std::string roff;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    roff += (line.empty() ? ".PP" : plain(line)) + "\n";
    text.remove_prefix(line.size() + 1);
  }
  return roff;
}

std::string listed(const std::vector<std::string>& parts) {
  std::string text;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) text += i + 1 == parts.size() ? " and " : ", ";
    text += parts[i];
  }
  return text;
}

// ---- flags and commands -----------------------------------------------------------------------------------

std::string flag_term(const FlagDoc& flag) {
  std::string term;
  for (const std::string_view name : names_of(flag)) term += (term.empty() ? "" : ", ") + bold(name);
  return flag.type.empty() ? term : term + " " + italic(flag.type);
}

std::string flag_entry(const FlagDoc& flag) { return entry(flag_term(flag), flag.help); }

/// The flags that several commands take, under the headings of the help; those of every command first.
class SharedFlags {
 public:
  SharedFlags(std::size_t commands, const std::vector<FlagUse>& uses) {
    for (const FlagUse& use : uses) {
      if (use.commands.size() == commands) {
        everywhere_.push_back(&use);
      } else if (use.commands.size() > 1) {
        group(use.flag->heading).uses.push_back(&use);
      }
    }
  }

  /// All of them; runs of flags that the same commands take are introduced by the names of these.
  [[nodiscard]] std::string text() const {
    std::string text = heading("Every command");
    for (const FlagUse* use : everywhere_) text += flag_entry(*use->flag);
    for (const Group& group : groups_) {
      text += heading(group.heading);
      const std::vector<std::string_view>* before = nullptr;
      for (const FlagUse* use : group.uses) {
        if (before == nullptr || *before != use->commands) text += ".PP\n" + taken_by(use->commands) + ":\n";
        before = &use->commands;
        text += flag_entry(*use->flag);
      }
    }
    return text;
  }

  /// "the flags of Hardware and Output; --quant and --min-tps": what `command` takes, besides those of every
  /// command; empty where it is nothing.
  [[nodiscard]] std::string of(std::string_view command) const {
    std::vector<std::string> whole;
    std::vector<std::string> single;
    for (const Group& group : groups_) {
      std::vector<std::string> own;
      for (const FlagUse* use : group.uses) {
        if (std::ranges::find(use->commands, command) == use->commands.end()) continue;
        own.push_back(bold(names_of(*use->flag).back()));
      }
      if (own.size() == group.uses.size()) {
        whole.push_back(italic(group.heading));
      } else {
        single.insert(single.end(), own.begin(), own.end());
      }
    }
    std::string text = whole.empty() ? "" : "the flags of " + listed(whole);
    if (!single.empty()) text += (text.empty() ? "" : "; ") + listed(single);
    return text;
  }

 private:
  struct Group {
    std::string heading;
    std::vector<const FlagUse*> uses;
  };

  Group& group(const std::string& heading) {
    const auto known = std::ranges::find(groups_, heading, &Group::heading);
    return known != groups_.end() ? *known : groups_.emplace_back(Group{heading, {}});
  }

  static std::string taken_by(const std::vector<std::string_view>& commands) {
    std::vector<std::string> names;
    names.reserve(commands.size());
    for (const std::string_view command : commands) names.push_back(bold(command));
    return listed(names);
  }

  std::vector<const FlagUse*> everywhere_;
  std::vector<Group> groups_;
};

std::string command_text(const CommandDoc& command, const std::vector<FlagUse>& uses,
                         const SharedFlags& shared) {
  const ArgumentDoc& argument = command.argument;
  std::string usage = argument.name + (argument.then.empty() ? "" : " " + argument.then);
  if (!argument.required && !usage.empty()) usage = "[" + usage + "]";
  std::string text = heading("r1fit " + std::string(command.word) + (usage.empty() ? "" : " " + usage));
  text += plain(command.summary) + "\n";
  if (!argument.name.empty()) text += entry(italic(argument.name), argument.help);
  for (const FlagUse& use : uses) {
    if (use.commands.size() == 1 && use.commands.front() == command.word) text += flag_entry(*use.flag);
  }
  const std::string besides = shared.of(command.word);
  return besides.empty() ? text : text + ".PP\nBesides: " + besides + ".\n";
}

std::string manual_page(const ProgramDoc& program) {
  const std::vector<FlagUse> uses = flag_uses(program.commands);
  const SharedFlags shared(program.commands.size(), uses);
  // Without a date: the page is of the version, whenever it was built.
  std::string text = ".\\\" Generated by r1fit-generate-manual from the tables of the help; edit those.\n";
  text += ".TH R1FIT 1 \"\" \"r1fit " + std::string(program.version) + "\" \"User Commands\"\n";
  text += ".nh\n.ad l\n";  // flags and names are not broken, nor lines stretched
  text += section("NAME") + "r1fit \\- " + plain(program.summary) + "\n";
  text += section("SYNOPSIS") + ".B r1fit\n[" + italic("COMMAND") + "] [" + italic("FLAGS") + "]\n";
  text += section("DESCRIPTION");
  text += paragraphs(kDescription);
  text += section("COMMANDS");
  for (const CommandDoc& command : program.commands) text += command_text(command, uses, shared);
  text += section("FLAGS OF SEVERAL COMMANDS") + shared.text();
  text += heading("Without a command") + flag_entry(program.version_flag);
  text += section("EXIT STATUS");
  for (std::size_t status = 0; status < program.statuses.size(); ++status)
    text += entry(bold(std::to_string(status)), program.statuses[status]);
  text += ".PP\n" + plain(kStatusNote) + "\n";
  text += section("ENVIRONMENT");
  for (const Variable& variable : kVariables) text += entry(bold(variable.name), variable.meaning);
  text += section("EXAMPLES") + ".EX\n";
  for (const std::string_view example : program.examples) text += plain(example) + "\n";
  text += ".EE\n";
  return text + section("SEE ALSO") + plain(kSeeAlso) + "\n";
}

}  // namespace
}  // namespace r1fit

int main() {
  try {
    std::cout << r1fit::manual_page(r1fit::program_doc()) << std::flush;
    if (std::cout) return 0;
    std::cerr << "r1fit-generate-manual: cannot write\n";
  } catch (const std::exception& fault) {
    std::cerr << "r1fit-generate-manual: " << fault.what() << '\n';
  }
  return static_cast<int>(r1fit::ExitStatus::broken);
}
