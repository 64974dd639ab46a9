#include "r1fit/flag_values.hpp"

#include <array>
#include <string>

#include "catch.hpp"

using namespace r1fit;
using r1fit::test::error_of;
using r1fit::test::starts_with;
using r1fit::test::within_rel;

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

TEST_CASE("a claimed speed is a figure or a range, each with half its last digit", "[flag_values]") {
  const ClaimedSpeed one = parse_claimed_speed("--tps", "45");
  CHECK(one.low == tok_per_s(45));
  CHECK(one.high == one.low);
  CHECK(one.low_half == tok_per_s(0.5));
  const ClaimedSpeed range = parse_claimed_speed("--tps", "28.25-34");
  CHECK(range.low == tok_per_s(28.25));
  CHECK(range.high == tok_per_s(34));
  CHECK_THAT(range.low_half.count(), within_rel(0.005, 1e-9));
  CHECK(range.high_half == tok_per_s(0.5));
  CHECK(parse_claimed_speed("--tps", "0-5").low == tok_per_s(0));
  CHECK(error_of([] { parse_claimed_speed("--tps", "5-4"); }) == "--tps runs from low to high, not \"5-4\"");
  for (const char* text :
       {"", "0", "-5", "5-", "-", "1e3", "4..5", "45 tok/s", "2000000", "1-2-3", "nan", "+5"}) {
    CAPTURE(text);
    CHECK_THAT(error_of([&] { parse_claimed_speed("--tps", text); }),
               starts_with("--tps takes tok/s such as"));
  }
}

TEST_CASE("a claimed size is decimal unless it says otherwise", "[flag_values]") {
  const ClaimedSize decimal = parse_claimed_size("--needs", "131GB");
  CHECK(decimal.size == gb(131));
  CHECK(decimal.half == mb(500));
  CHECK_FALSE(decimal.binary);
  CHECK(decimal.stated);
  const ClaimedSize binary = parse_claimed_size("--needs", "18.5 GiB");
  CHECK(binary.size == gib(18.5));
  CHECK(binary.half == gib(0.05));
  CHECK(binary.binary);
  const ClaimedSize bare = parse_claimed_size("--needs", "9.0");
  CHECK(bare.size == gb(9));
  CHECK(bare.half == mb(50));
  CHECK_FALSE(bare.stated);
  CHECK(parse_claimed_size("--needs", "4683075271B").half == bytes(0));
  CHECK(parse_claimed_size("--needs", "1.3TB").half == gb(50));
  for (const char* text :
       {"", "0", "0GB", "-5GB", "24Gb", "24G", "24 GB of VRAM", "1e9", "GB", "99999999999", "nan"}) {
    CAPTURE(text);
    CHECK_THAT(error_of([&] { parse_claimed_size("--needs", text); }),
               starts_with("--needs takes a size such as"));
  }
}
