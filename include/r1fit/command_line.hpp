// The command line as plain values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "r1fit/plan.hpp"
#include "r1fit/query.hpp"
#include "r1fit/report.hpp"
#include "r1fit/terminal.hpp"

namespace r1fit {

enum class Action : std::uint8_t {
  recommend,
  check,
  estimate,
  claim,
  compare,
  plan,
  inspect,
  detect,
  calibrate,
  batch,
  list,
  show,
  catalog_check,
  catalog_export,
  completion,
  print
};

enum class Shell : std::uint8_t { bash, zsh, fish };
inline constexpr std::string_view kShellWords[] = {"bash", "zsh", "fish"};

/// What was typed, with defaults.
struct CommandLine {
  Action action = Action::recommend;
  HardwareQuery hardware;
  NeedsQuery needs;
  Verdict required = Verdict::tight;  ///< --require of check
  Claimed claimed;                    ///< of claim
  std::vector<std::string> machines;  ///< of compare: a machine in each; see parse_machine()
  PlanNeeds plan;                     ///< of plan
  std::string prices;                 ///< --prices of plan; empty: none
  Format format = Format::table;
  ColorChoice color = ColorChoice::automatic;
  std::optional<int> top;  ///< rows at most
  bool explain = false;
  bool quiet = false;
  bool verbose = false;
  bool measure = false;            ///< of detect
  bool no_calibration = false;     ///< what the user measured is left aside
  std::vector<std::string> files;  ///< of calibrate; "-" is stdin
  bool list_runs = false;          ///< calibrate --list
  std::string forget;              ///< calibrate --forget; empty: not given
  std::optional<KvType> ran_kv;    ///< calibrate --kv
  std::string catalog;             ///< --catalog DIR; empty: built in
  std::string name;                ///< of show and list, file of inspect, folder of catalog check and export
  Shell shell = Shell::bash;       ///< of completion
  std::string text;                ///< of Action::print: help or version, for stdout
};

/// Reads the arguments after the program's name. Throws Error for whatever is wrong with them.
CommandLine parse_command_line(const std::vector<std::string>& args);

/// A flag as help, manual page and completion show it.
struct FlagDoc {
  std::string name;  ///< "--vram", or "-q,--quiet"
  std::string type;  ///< "GIB"; empty: takes no value
  std::string help;
  std::string heading;
  bool repeatable = false;
  std::vector<std::string> words;  ///< what the value may be, where that is a closed list
};

/// The words of a command that belong to no flag.
struct ArgumentDoc {
  std::string name;  ///< "MODEL"; empty: the command takes none
  std::string help;
  bool required = false;
  std::vector<std::string> words;
  std::string then;  ///< "DIR": what follows the word; empty: nothing
};

struct CommandDoc {
  std::string_view word;
  std::string_view summary;
  ArgumentDoc argument;
  std::vector<FlagDoc> flags;
};

/// Every command with every flag it takes, in the order of the help; `recommend`, the default, first.
std::vector<CommandDoc> command_docs();

/// What the program says of itself, to its help, the manual page and completion alike.
struct ProgramDoc {
  std::string_view version;  ///< "0.1.0"
  std::string_view summary;
  std::vector<std::string_view> examples;
  std::vector<std::string_view> statuses;  ///< what the exit statuses mean, from 0 on
  FlagDoc version_flag;                    ///< only without a command
  std::vector<CommandDoc> commands;
};

ProgramDoc program_doc();

}  // namespace r1fit
