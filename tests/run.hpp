// The program run inside the test: arguments and stdin in; exit status, stdout and stderr out.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "r1fit/cli.hpp"

namespace r1fit::test {

struct Ran {
  int status = -1;
  std::string out;
  std::string err;
};

/// In a world whose streams are these: what it writes is kept, what it reads are `lines`.
inline Ran run_in(World world, const std::vector<std::string>& args,
                  const std::vector<std::string>& lines = {}) {
  Ran ran;
  std::size_t next = 0;
  world.out = [&](std::string_view text) {
    ran.out += text;
    return true;
  };
  world.err = [&](std::string_view text) { ran.err += text; };
  world.line = [&]() -> std::optional<std::string> {
    if (next == lines.size()) return std::nullopt;
    return lines[next++];
  };
  ran.status = r1fit::run(args, world);
  return ran;
}

/// Without a terminal, so in black and white and 80 columns wide, unless `environment` says otherwise.
inline Ran run(const std::vector<std::string>& args, const std::vector<std::string>& lines = {},
               const Environment& environment = {}, const Probe* probe = nullptr) {
  World world;
  world.environment = environment;
  world.probe = probe;
  return run_in(std::move(world), args, lines);
}

/// Empty where that was a refusal as docs/cli.md has it: the status, nothing on stdout and one sentence on
/// stderr that contains `part`. Otherwise what it was.
inline std::string refusal_fault(const Ran& ran, std::string_view part, int status = 2) {
  const std::string_view err = ran.err;
  const bool one_line = err.find('\n') == err.size() - 1;
  if (ran.status == status && ran.out.empty() && one_line && err.starts_with("r1fit: ") &&
      err.find(part) != std::string_view::npos) {
    return "";
  }
  return "status " + std::to_string(ran.status) + ", " + std::to_string(ran.out.size()) +
         " bytes on stdout, wanted \"" + std::string(part) + "\" in: " + ran.err;
}

}  // namespace r1fit::test
