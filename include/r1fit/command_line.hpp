// The command line as plain values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "r1fit/query.hpp"
#include "r1fit/report.hpp"
#include "r1fit/terminal.hpp"

namespace r1fit {

enum class Action : std::uint8_t {
  recommend,
  check,
  estimate,
  claim,
  batch,
  list,
  show,
  catalog_check,
  catalog_export,
  print
};

/// What was typed, with defaults.
struct CommandLine {
  Action action = Action::recommend;
  HardwareQuery hardware;
  NeedsQuery needs;
  Verdict required = Verdict::tight;  ///< --require of check
  Claimed claimed;                    ///< of claim
  Format format = Format::table;
  ColorChoice color = ColorChoice::automatic;
  int top = 5;
  bool explain = false;
  bool quiet = false;
  bool verbose = false;
  std::string catalog;  ///< --catalog DIR; empty: built in
  std::string name;     ///< of show and list, folder of catalog check and export
  std::string text;     ///< of Action::print: help or version, for stdout
};

/// Reads the arguments after the program's name. Throws Error for whatever is wrong with them.
CommandLine parse_command_line(const std::vector<std::string>& args);

}  // namespace r1fit
