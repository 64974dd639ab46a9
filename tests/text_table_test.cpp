#include "r1fit/text_table.hpp"

#include <algorithm>

#include "catch.hpp"

using namespace r1fit;

namespace {

std::size_t longest_line(const std::string& text) {
  std::size_t longest = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    longest = std::max(longest, end - at);
    at = end + 1;
  }
  return longest;
}

}  // namespace

TEST_CASE("printable keeps what a terminal shows and nothing that it obeys", "[text_table]") {
  CHECK(printable("RTX 4090 ~") == "RTX 4090 ~");
  CHECK(printable("a\tb\nc") == "a b c");
  CHECK(printable("\x1b[31mred\x7f") == "?[31mred?");
  const std::string name = "j\xc3\xb6rg \xe6\xa8\xa1 \xf0\x9f\x9a\x80";
  CHECK(printable(name) == name);
  CHECK(printable("\xc2\x9b[31mred") == "?[31mred");              // a control character of two bytes
  CHECK(printable("a\xe2\x80\xaehs\xe2\x81\xa9") == "a?hs?");     // writes from right to left
  CHECK(printable("a\xe2\x80\xa8z") == "a?z");                    // a line break
  CHECK(printable("\xc3") == "?");                                // cut short
  CHECK(printable("\xc3q\xb6\xff") == "?q??");                    // bytes of no character
  CHECK(printable("\xc0\xaf\xe0\x80\xaf") == "?????");            // longer than need be
  CHECK(printable("\xed\xa0\x80\xf4\x90\x80\x80") == "???????");  // no code points
}

TEST_CASE("text is cut and aligned by characters instead of bytes", "[text_table]") {
  CHECK(columns_of("j\xc3\xb6rg") == 4);
  CHECK(elide("j\xc3\xb6rgen", 6) == "j\xc3\xb6rgen");
  CHECK(elide("j\xc3\xb6rgen", 4) == "j\xc3\xb6..");
  CHECK(elide("\xc3\xb6\xc3\xa4", 1) == "\xc3\xb6");
  CHECK(wrap("\xc3\xb6: ", "\xc3\xa4\xc3\xa4\xc3\xa4 b", 6) == "\xc3\xb6: \xc3\xa4\xc3\xa4\xc3\xa4\n   b\n");
  CHECK(wrap("", "\xc3\xa4\xc3\xa4\xc3\xa4", 2) == "\xc3\xa4\xc3\xa4\n\xc3\xa4\n");
  TextTable table({{"name"}, {"GiB", Align::right}});
  table.add({"j\xc3\xb6rg", "1"});
  table.add({"anna", "2"});
  CHECK(table.text(80) == "name  GiB\nj\xc3\xb6rg    1\nanna    2\n");
}

TEST_CASE("elide marks what it cuts", "[text_table]") {
  CHECK(elide("abcdef", 6) == "abcdef");
  CHECK(elide("abcdef", 5) == "abc..");
  CHECK(elide("abcdef", 2) == "ab");
  CHECK(elide("abcdef", 0).empty());
}

TEST_CASE("wrap breaks at spaces and indents as deep as the lead", "[text_table]") {
  CHECK(wrap("x: ", "one two three", 10) == "x: one two\n   three\n");
  CHECK(wrap("", "", 10) == "\n");
  CHECK(wrap("label  ", "", 10) == "label\n");
  CHECK(wrap("", "abcdefghijkl", 5) == "abcde\nfghij\nkl\n");
}

TEST_CASE("wrap keeps a figure and its unit, a flag and its value together", "[text_table]") {
  CHECK(wrap("", "takes 24 GiB, and more", 10) == "takes\n24 GiB,\nand more\n");
  CHECK(wrap("", "with --ctx 7168 or --kv q8_0", 14) == "with\n--ctx 7168 or\n--kv q8_0\n");
  CHECK(wrap("", "takes 24 tables", 8) == "takes 24\ntables\n");
}

TEST_CASE("wrap keeps to the width whatever lead and words", "[text_table]") {
  const std::string text = "short aVeryLongWordThatIsLongerThanAnyLine 1,008 GB/s and so on and on and on";
  for (std::size_t width = 4; width < 60; ++width) {
    CHECK(longest_line(wrap("    a lead   ", text, width)) <= width);
  }
}

TEST_CASE("columns are aligned and lines end without spaces", "[text_table]") {
  TextTable table({{"name"}, {"GiB", Align::right}, {"note"}});
  CHECK(table.empty());
  table.add({"a", "1.5", "x"});
  table.add({"longer", "12.0", ""});
  CHECK(table.text(80) ==
        "name     GiB  note\n"
        "a        1.5  x\n"
        "longer  12.0\n");
  CHECK(table.text(80, 2).starts_with("  name"));
}

TEST_CASE("a table too wide drops columns, then elides, and never exceeds the width", "[text_table]") {
  TextTable table(
      {{"id"}, {"a long head", Align::left, 1}, {"other", Align::left, 2}, {"text", Align::left, 0, true}});
  table.add({"1", "middle", "first to go", "a text of some length"});
  CHECK_THAT(table.text(60), test::contains("first to go"));
  const std::string narrower = table.text(42);
  CHECK(narrower.find("first to go") == std::string::npos);
  CHECK_THAT(narrower, test::contains("middle"));
  CHECK_THAT(table.text(14), test::contains(".."));
  for (std::size_t width = 1; width < 70; ++width) CHECK(longest_line(table.text(width)) <= width);
}

TEST_CASE("rows of a wrong length are made to fit", "[text_table]") {
  TextTable table({{"a"}, {"b"}});
  table.add({"1"});
  table.add({"1", "2", "3"});
  CHECK(table.text(20) == "a  b\n1\n1  2\n");
}
