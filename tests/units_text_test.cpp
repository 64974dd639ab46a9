#include "r1fit/units_text.hpp"

#include <limits>
#include <string>

#include "catch.hpp"

using namespace r1fit;
using r1fit::test::error_of;

TEST_CASE("sizes are read with a compulsory, case-sensitive unit") {
  CHECK(parse_bytes("24 GiB") == gib(24));
  CHECK(parse_bytes("24GiB") == gib(24));
  CHECK(parse_bytes("19.85 GB") == gb(19.85));
  CHECK(parse_bytes("10922.67 MiB") == mib(10922.67));
  CHECK(parse_bytes("4683075271 B") == bytes(4683075271));
  CHECK(parse_bytes("0 B") == bytes(0));
  CHECK(parse_bytes("9007199254740993 B") == bytes(9007199254740993));  // no double holds it
  for (const char* bad : {"",
                          " ",
                          "24",
                          "GiB",
                          "24 Gib",
                          "24 gib",
                          "24 Gb",
                          "24 G",
                          "-24 GiB",
                          "+24 GiB",
                          "24 GiB ",
                          " 24 GiB",
                          "24 GiB/s",
                          "24e3 GiB",
                          "0x18 GiB",
                          "inf GiB",
                          "nan GiB",
                          "24,5 GiB",
                          "24. 5 GiB",
                          "1.5 B",
                          "24 ",
                          "1e400 GiB",
                          "99999999999999999999 GiB",
                          "9223372036854775807 B",
                          "2 EiB",
                          "24\tGiB",
                          "24 GiB\n"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_bytes(bad).has_value());
  }
  CHECK_FALSE(parse_bytes(std::string(400, '9') + " B").has_value());
  CHECK_FALSE(parse_bytes(std::string("24 GiB\0", 7)).has_value());
}

TEST_CASE("rates, powers and times have units of their own") {
  CHECK(parse_bytes_per_second("936 GB/s") == gb_per_s(936));
  CHECK(parse_bytes_per_second("3.35 TB/s") == gb_per_s(3350));
  CHECK_FALSE(parse_bytes_per_second("936 GB").has_value());
  CHECK_FALSE(parse_bytes_per_second("936 GiB/s").has_value());
  CHECK(parse_flops("142 TFLOPS") == tflops(142));
  CHECK_FALSE(parse_flops("142").has_value());
  CHECK(parse_watts("350 W") == watts(350));
  CHECK_FALSE(parse_watts("350 w").has_value());
  CHECK(parse_milliseconds_per_token("1.4 ms") == milliseconds_per_token(1.4));
  CHECK_FALSE(parse_milliseconds_per_token("1.4").has_value());
  CHECK(parse_tokens_per_second("38.2 tok/s") == tok_per_s(38.2));
  CHECK_FALSE(parse_tokens_per_second("38.2").has_value());
}

TEST_CASE("memory flags count in GiB whatever the spelling") {
  for (const char* text : {"24", "24G", "24GB", "24GiB", "24 GiB", "24.0", "24576 MiB", "24576MB"}) {
    CAPTURE(text);
    CHECK(parse_memory_flag("--vram", text) == gib(24));
  }
  CHECK(parse_memory_flag("--ram", "1.5T") == gib(1536));
  CHECK(parse_memory_flag("--ram", "0.5") == mib(512));
  for (const char* text : {"", "0", "-1", "24Gb", "24 g", "24 GB/s", "1e3", "24x", "nan", "99999999999"}) {
    CAPTURE(text);
    CHECK(error_of([&] { parse_memory_flag("--vram", text); }) ==
          "--vram: \"" + std::string(text) +
              "\" is no memory size; write 24, 24G or \"24 GiB\", all of which are GiB");
  }
}

TEST_CASE("sizes and rates are printed with their unit") {
  CHECK(gib_text(gib(20.58)) == "20.6 GiB");
  CHECK(gib_text(gib(1536), 0) == "1,536 GiB");
  CHECK(gb_text(gb(19.85)) == "19.9 GB");
  CHECK(mib_text(mib(10922.67)) == "10,923 MiB");
  CHECK(capacity_text(gib(24)) == "24 GiB");
  CHECK(capacity_text(mib(24564)) == "24 GiB");
  CHECK(capacity_text(mib(10922)) == "10.7 GiB");
  CHECK(rate_text(gb_per_s(1008)) == "1,008 GB/s");
  CHECK(rate_text(gb_per_s(76.8)) == "76.8 GB/s");
  CHECK(rate_text(gb_per_s(96)) == "96 GB/s");
  CHECK(rate_text(tflops(142)) == "142 TFLOPS");
  CHECK(power_text(watts(350)) == "350 W");
  CHECK(ms_text(milliseconds_per_token(1.4)) == "1.4 ms");
}

TEST_CASE("speeds keep two significant digits below ten") {
  CHECK(tok_per_s_text(tok_per_s(17.3)) == "17");
  CHECK(tok_per_s_text(tok_per_s(9.96)) == "10");
  CHECK(tok_per_s_text(tok_per_s(3.44)) == "3.4");
  CHECK(tok_per_s_text(tok_per_s(0.996)) == "1.0");
  CHECK(tok_per_s_text(tok_per_s(0.454)) == "0.45");
  CHECK(tok_per_s_text(tok_per_s(2450)) == "2,450");
  CHECK(tok_per_s_text(tok_per_s(3.44), tok_per_s(17)) == "3.4-17");
  CHECK(tok_per_s_text(tok_per_s(16.8), tok_per_s(17.2)) == "17");
}

TEST_CASE("counts are grouped by thousands") {
  CHECK(count_text(0) == "0");
  CHECK(count_text(999) == "999");
  CHECK(count_text(1000) == "1,000");
  CHECK(count_text(tokens(131072)) == "131,072");
  CHECK(count_text(-1234567) == "-1,234,567");
  CHECK(count_text(std::numeric_limits<std::int64_t>::max()) == "9,223,372,036,854,775,807");
  CHECK(fixed_text(-1234.56, 1) == "-1,234.6");
}

TEST_CASE("the exact form reads back as the same quantity") {
  CHECK(exact_text(gib(24)) == "24 GiB");
  CHECK(exact_text(mib(24564)) == "24564 MiB");
  CHECK(exact_text(gb(19.85)) == "19850000000 B");
  CHECK(exact_text(bytes(0)) == "0 B");
  CHECK(exact_text(gb_per_s(936)) == "936 GB/s");
  CHECK(exact_text(gb_per_s(76.8)) == "76.8 GB/s");
  CHECK(exact_text(tflops(330.3)) == "330.3 TFLOPS");
  CHECK(exact_text(watts(28)) == "28 W");
  CHECK(exact_text(milliseconds_per_token(1.4)) == "1.4 ms");
  for (const std::int64_t count : {1LL, 4683075271LL, 9007199254740993LL, 1LL << 60}) {
    CHECK(parse_bytes(exact_text(bytes(count))) == bytes(count));
  }
  // Figures of one and two decimals, and some of no decimal form at all.
  for (int i = 1; i < 20000; i += 7) {
    const double number = i / 100.0;
    CHECK(parse_bytes_per_second(exact_text(gb_per_s(number))) == gb_per_s(number));
    CHECK(parse_tokens_per_second(exact_text(tok_per_s(number))) == tok_per_s(number));
    CHECK(parse_milliseconds_per_token(exact_text(milliseconds_per_token(number))) ==
          milliseconds_per_token(number));
    CHECK(parse_flops(exact_text(FlopsPerSecond::of(1e12 / i))) == FlopsPerSecond::of(1e12 / i));
    CHECK(parse_milliseconds_per_token(exact_text(SecondsPerToken::of(1.0 / i))) ==
          SecondsPerToken::of(1.0 / i));
  }
}
