#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
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
    if (line.size() > r1fit::kLongestLine) return line;
  }
  if (line.empty()) return std::nullopt;
  return line;
}

/// Where programs keep data of the user: XDG_DATA_HOME where it is an absolute path, else ~/.local/share.
std::string data_folder() {
  const char* const data = std::getenv("XDG_DATA_HOME");
  if (data != nullptr && *data == '/') return std::string(data) + "/r1fit";
  const char* const home = std::getenv("HOME");
  if (home != nullptr && *home == '/') return std::string(home) + "/.local/share/r1fit";
  return {};
}

std::string today() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  ::localtime_r(&now, &local);
  char text[16];
  const std::size_t size = std::strftime(text, sizeof text, "%Y-%m-%d", &local);
  return {text, size};
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
  world.data_folder = data_folder();
  world.today = today;
  return r1fit::run(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc), world);
}
