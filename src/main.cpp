#include <unistd.h>

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "r1fit/cli.hpp"
#include "r1fit/real_probe.hpp"

namespace {

bool write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

std::optional<std::string> read_line() {
  std::string line;
  for (int c = std::getc(stdin); c != EOF; c = std::getc(stdin)) {
    if (c == '\n') return line;
    line += static_cast<char>(c);
  }
  if (line.empty()) return std::nullopt;
  return line;
}

}  // namespace

int main(int argc, char** argv) {
  r1fit::World world;
  world.out = [](std::string_view text) { return write_all(STDOUT_FILENO, text); };
  world.err = [](std::string_view text) { write_all(STDERR_FILENO, text); };
  world.line = read_line;
  world.environment = r1fit::read_environment(STDOUT_FILENO);
  const r1fit::RealProbe probe;
  world.probe = &probe;
  world.measure = r1fit::measure_memory_rate;
  return r1fit::run(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc), world);
}
