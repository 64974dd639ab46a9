#include "r1fit/flag_values.hpp"

#include <array>
#include <string>

#include "catch.hpp"

using namespace r1fit;
using r1fit::test::error_of;

namespace {

// What no flag takes for a number.
constexpr std::array kNoNumbers{"",   "abc", "nan", "inf", "-inf", "1e99", " 5",
                                "5 ", "5x",  "+5",  "--5", "0x5",  "1,5",  "5.5.5",
                                "-",  ".",   "é",   "5\n", "-1",   "1e1",  "99999999999999999999999"};

}  // namespace

TEST_CASE("whole numbers lie within their limits", "[flag_values]") {
  CHECK(parse_whole("--ngl", "0", 0, 1000) == 0);
  CHECK(parse_whole("--ngl", "1000", 0, 1000) == 1000);
  CHECK(parse_whole("--ngl", "007", 0, 1000) == 7);
  CHECK(error_of([] { parse_whole("--ngl", "1001", 0, 1000); }) ==
        "--ngl takes a whole number from 0 to 1,000, not \"1001\"");
  CHECK(error_of([] { parse_whole("--top", "0", 1, 1000); }) ==
        "--top takes a whole number from 1 to 1,000, not \"0\"");
  CHECK(error_of([] { parse_whole("--top", "3.5", 1, 1000); }) != "(no error)");
  for (const char* text : kNoNumbers) {
    CAPTURE(text);
    CHECK_THAT(error_of([&] { parse_whole("--ngl", text, 0, 1000); }),
               r1fit::test::contains("--ngl takes a whole number"));
  }
}

TEST_CASE("positive numbers have no sign, no exponent and a limit", "[flag_values]") {
  CHECK(parse_positive("--min-tps", "7.5", 100) == 7.5);
  CHECK(parse_positive("--min-tps", ".5", 100) == 0.5);
  CHECK(parse_positive("--min-tps", "100", 100) == 100);
  CHECK(error_of([] { parse_positive("--min-tps", "0", 1e6); }) ==
        "--min-tps takes a number above 0 and at most 1,000,000, not \"0\"");
  CHECK(error_of([] { parse_positive("--min-tps", "100.1", 100); }) != "(no error)");
  for (const char* text : kNoNumbers) {
    CAPTURE(text);
    CHECK_THAT(error_of([&] { parse_positive("--min-tps", text, 1e6); }),
               r1fit::test::contains("--min-tps takes a number"));
  }
}

TEST_CASE("tokens are counted, k is 1024 of them", "[flag_values]") {
  CHECK(parse_tokens("--ctx", "8192") == tokens(8192));
  CHECK(parse_tokens("--ctx", "8k") == tokens(8192));
  CHECK(parse_tokens("--ctx", "128K") == tokens(131072));
  CHECK(parse_tokens("--ctx", "1") == tokens(1));
  CHECK(parse_tokens("--ctx", "16777216") == tokens(1 << 24));
  CHECK(parse_tokens("--ctx", "16384k") == tokens(1 << 24));
  for (const char* text : {"0", "0k", "k", "16777217", "16385k", "8kk", "8 k", "8m", "1.5k", "max",
                           "9223372036854775807k", "9223372036854775808"}) {
    CAPTURE(text);
    CHECK_THAT(error_of([&] { parse_tokens("--ctx", text); }),
               r1fit::test::contains("--ctx takes a number of tokens such as 8192 or 8k"));
  }
  for (const char* text : kNoNumbers) {
    CAPTURE(text);
    CHECK(error_of([&] { parse_tokens("--ctx", text); }) != "(no error)");
  }
}

TEST_CASE("a bandwidth is in GB/s unless it names its unit", "[flag_values]") {
  CHECK(parse_bandwidth("--bandwidth", "936") == gb_per_s(936));
  CHECK(parse_bandwidth("--bandwidth", "936.2") == gb_per_s(936.2));
  CHECK(parse_bandwidth("--bandwidth", "936 GB/s") == gb_per_s(936));
  CHECK(error_of([] { parse_bandwidth("--bandwidth", "0"); }) ==
        "--bandwidth takes a bandwidth in GB/s such as 936, not \"0\"");
  for (const char* text : {"100001", "936 Gb/s", "936 GB", "0 GB/s", "1000000 GB/s"}) {
    CAPTURE(text);
    CHECK(error_of([&] { parse_bandwidth("--bandwidth", text); }) != "(no error)");
  }
  for (const char* text : kNoNumbers) {
    CAPTURE(text);
    CHECK(error_of([&] { parse_bandwidth("--bandwidth", text); }) != "(no error)");
  }
}

TEST_CASE("a word is one of its list, as written there", "[flag_values]") {
  static constexpr std::array<std::string_view, 3> words{"on", "off", "auto"};
  CHECK(parse_word("--flash-attn", "on", words) == 0);
  CHECK(parse_word("--flash-attn", "auto", words) == 2);
  CHECK(error_of([] { parse_word("--flash-attn", "yes", words); }) ==
        "--flash-attn takes on, off or auto, not \"yes\"");
  for (const char* text : {"", "ON", "on ", "onoff", "o"}) {
    CAPTURE(text);
    CHECK(error_of([&] { parse_word("--flash-attn", text, words); }) != "(no error)");
  }
}
