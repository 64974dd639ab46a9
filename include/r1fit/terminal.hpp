// Colour and width of the output, decided once from the flag, the environment and the terminal.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace r1fit {

/// --color auto|always|never.
enum class ColorChoice : std::uint8_t { automatic, always, never };

/// What the outside says about where the output goes.
struct Environment {
  bool is_tty = false;
  std::optional<std::string> no_color;  ///< NO_COLOR
  std::optional<std::string> term;      ///< TERM
  std::optional<std::string> columns;   ///< COLUMNS
  std::optional<int> tty_columns;       ///< what the terminal driver answers
  bool err_is_tty = false;              ///< whether somebody watches stderr
};

inline constexpr int kUsualWidth = 80;
inline constexpr int kNarrowest = 40;
inline constexpr int kWidest = 200;

/// How text for people is laid out and marked.
struct Style {
  bool color = false;
  int width = kUsualWidth;
};

/// The flag wins over NO_COLOR (set and not empty), NO_COLOR over TERM ("dumb" or unset), TERM over the tty.
/// The width is COLUMNS, else the terminal's, within kNarrowest..kWidest; kUsualWidth where the output is no
/// terminal. Shells do not export COLUMNS, so a pipe gets the same text everywhere unless somebody asks.
Style decide_style(ColorChoice choice, const Environment& environment);

/// The real environment of file descriptor `fd`.
Environment read_environment(int fd);

/// The few ways in which text is marked; none of them carries information of its own.
enum class Tone : std::uint8_t { plain, bold, dim, green, yellow, red };

/// `text` in `tone`, or as it is where the style has no colour.
std::string paint(const Style& style, Tone tone, std::string_view text);

}  // namespace r1fit
