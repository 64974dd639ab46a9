#include "r1fit/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

namespace r1fit {
namespace {

std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) return std::nullopt;
  return std::string(value);
}

std::optional<int> positive(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  int number = 0;
  const char* const end = text->data() + text->size();
  const auto [rest, fault] = std::from_chars(text->data(), end, number);
  if (fault != std::errc{} || rest != end || number <= 0) return std::nullopt;
  return number;
}

bool wants_color(ColorChoice choice, const Environment& environment) {
  if (choice != ColorChoice::automatic) return choice == ColorChoice::always;
  if (environment.no_color && !environment.no_color->empty()) return false;
  if (!environment.term || environment.term->empty() || *environment.term == "dumb") return false;
  return environment.is_tty;
}

}  // namespace

Style decide_style(ColorChoice choice, const Environment& environment) {
  Style style;
  style.color = wants_color(choice, environment);
  if (const auto wanted = positive(environment.columns)) {
    style.width = *wanted;
  } else if (environment.is_tty && environment.tty_columns.value_or(0) > 0) {
    style.width = *environment.tty_columns;
  }
  style.width = std::clamp(style.width, kNarrowest, kWidest);
  return style;
}

Environment read_environment(int fd) {
  Environment environment;
  environment.is_tty = ::isatty(fd) == 1;
  environment.err_is_tty = ::isatty(STDERR_FILENO) == 1;
  environment.no_color = variable("NO_COLOR");
  environment.term = variable("TERM");
  environment.columns = variable("COLUMNS");
  winsize size{};
  if (environment.is_tty && ::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    environment.tty_columns = size.ws_col;
  }
  return environment;
}

std::string paint(const Style& style, Tone tone, std::string_view text) {
  std::string_view code;
  switch (tone) {
    case Tone::plain:
      break;
    case Tone::bold:
      code = "\x1b[1m";
      break;
    case Tone::dim:
      code = "\x1b[2m";
      break;
    case Tone::green:
      code = "\x1b[32m";
      break;
    case Tone::yellow:
      code = "\x1b[33m";
      break;
    case Tone::red:
      code = "\x1b[31m";
      break;
  }
  if (!style.color || code.empty() || text.empty()) return std::string(text);
  std::string painted;
  painted.reserve(text.size() + 9);
  painted += code;
  painted += text;
  painted += "\x1b[0m";
  return painted;
}

}  // namespace r1fit
