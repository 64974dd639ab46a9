#include "r1fit/error.hpp"

#include <string>

#include "catch.hpp"

using namespace r1fit;

TEST_CASE("an error is bad input unless it says otherwise", "[error]") {
  CHECK(Error("no such card").status() == ExitStatus::usage);
  CHECK(Error("the disk is full", ExitStatus::broken).status() == ExitStatus::broken);
  CHECK(std::string(Error("no such card").what()) == "no such card");
  CHECK(static_cast<int>(ExitStatus::yes) == 0);
  CHECK(static_cast<int>(ExitStatus::no) == 1);
  CHECK(static_cast<int>(ExitStatus::usage) == 2);
  CHECK(static_cast<int>(ExitStatus::broken) == 3);
}

TEST_CASE("what was typed is quoted on one line", "[error]") {
  CHECK(in_quotes("rtx 4090") == "\"rtx 4090\"");
  CHECK(in_quotes("") == "\"\"");
  CHECK(in_quotes("a\nb\tc\x1b[31m\x7f") == "\"a?b?c?[31m?\"");
  CHECK(in_quotes(std::string("a\0b", 3)) == "\"a?b\"");
  CHECK(in_quotes("grün") == "\"grün\"");
}

TEST_CASE("long text is cut between characters", "[error]") {
  const std::string sixty(60, 'x');
  CHECK(in_quotes(sixty) == "\"" + sixty + "\"");
  CHECK(in_quotes(sixty + "y") == "\"" + sixty + "...\"");
  const std::string before(59, 'x');
  CHECK(in_quotes(before + "üüü") == "\"" + before + "...\"");  // byte 60 is inside the first one
  CHECK(in_quotes(before.substr(1) + "üüü") == "\"" + before.substr(1) + "ü...\"");
  // No character begins anywhere: nothing is left, but nothing breaks either.
  CHECK(in_quotes(std::string(100, '\x80')) == "\"...\"");
}
