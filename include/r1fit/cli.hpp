// The program without its main(): arguments and streams in, exit status out.
#pragma once

#include <cstddef>
#include <cstdio>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "r1fit/bench_output.hpp"
#include "r1fit/memory_rate.hpp"
#include "r1fit/probe.hpp"
#include "r1fit/terminal.hpp"

namespace r1fit {

/// No line of stdin is longer: the output of a benchmark may be one line, a request never comes near it.
inline constexpr std::size_t kLongestLine = kLargestBench;

/// The outside world as the program sees it, so that tests can hand in their own.
struct World {
  /// Writes to stdout; false where that failed.
  std::function<bool(std::string_view)> out;
  /// Writes to stderr.
  std::function<void(std::string_view)> err;
  /// The next line of stdin without its end; nothing at the end. Of a line that is too long the first
  /// kLongestLine + 1 bytes: its end may never come.
  std::function<std::optional<std::string>()> line;
  /// Where stdout goes.
  Environment environment;
  /// The machine that answers where no hardware is named; null: none that can be looked at.
  const Probe* probe = nullptr;
  /// `detect --measure`.
  std::function<std::optional<MemoryRate>(const MemoryRateRequest&, const std::function<void(double)>&)>
      measure;
  /// The folder that r1fit keeps what the user measured in; empty: nowhere.
  std::string data_folder;
  /// "2026-11-22".
  std::function<std::string()> today;
};

/// Runs one command; the exit status is that of docs/cli.md. Never throws.
int run(const std::vector<std::string>& args, const World& world);

}  // namespace r1fit
