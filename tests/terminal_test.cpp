#include "r1fit/terminal.hpp"

#include "catch.hpp"

using namespace r1fit;

namespace {

Environment terminal_of(int columns) {
  Environment environment;
  environment.is_tty = true;
  environment.term = "xterm-256color";
  environment.tty_columns = columns;
  return environment;
}

}  // namespace

TEST_CASE("colour: the flag wins, then NO_COLOR, then TERM, then the tty", "[terminal]") {
  Environment tty = terminal_of(100);
  const Environment pipe;
  CHECK(decide_style(ColorChoice::automatic, tty).color);
  CHECK_FALSE(decide_style(ColorChoice::never, tty).color);
  CHECK_FALSE(decide_style(ColorChoice::automatic, pipe).color);
  CHECK(decide_style(ColorChoice::always, pipe).color);
  tty.no_color = "";
  CHECK(decide_style(ColorChoice::automatic, tty).color);
  tty.no_color = "1";
  CHECK_FALSE(decide_style(ColorChoice::automatic, tty).color);
  CHECK(decide_style(ColorChoice::always, tty).color);
  tty.no_color.reset();
  tty.term = "dumb";
  CHECK_FALSE(decide_style(ColorChoice::automatic, tty).color);
  tty.term.reset();
  CHECK_FALSE(decide_style(ColorChoice::automatic, tty).color);
}

TEST_CASE("width: COLUMNS, else the terminal's, within limits; 80 in a pipe that says nothing",
          "[terminal]") {
  const auto width = [](const Environment& environment) {
    return decide_style(ColorChoice::automatic, environment).width;
  };
  CHECK(width(terminal_of(100)) == 100);
  CHECK(width(terminal_of(10)) == kNarrowest);
  CHECK(width(terminal_of(1000)) == kWidest);
  CHECK(width(terminal_of(0)) == kUsualWidth);
  Environment tty = terminal_of(100);
  tty.columns = "120";
  CHECK(width(tty) == 120);
  for (const char* nonsense : {"", "0", "-5", "wide", "12x", "99999999999999"}) {
    tty.columns = nonsense;
    CHECK(width(tty) == 100);
  }
  Environment pipe;
  CHECK(width(pipe) == kUsualWidth);
  pipe.columns = "120";
  CHECK(width(pipe) == 120);
}

TEST_CASE("without colour text is left alone", "[terminal]") {
  CHECK(paint({false, 80}, Tone::red, "no") == "no");
  CHECK(paint({true, 80}, Tone::red, "no") == "\x1b[31mno\x1b[0m");
  CHECK(paint({true, 80}, Tone::plain, "no") == "no");
  CHECK(paint({true, 80}, Tone::bold, "").empty());
}
