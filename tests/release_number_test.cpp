#include "r1fit/release_number.hpp"

#include "catch.hpp"

using namespace r1fit;

TEST_CASE("release numbers are compared number by number, what is left out being 0") {
  CHECK(*release_number("0.13") == *release_number("0.13.0.0"));
  CHECK(*release_number("0.13.4") > *release_number("0.13"));
  CHECK(*release_number("0.9.6") < *release_number("0.10"));
  CHECK(*release_number("1") > *release_number("0.99.99"));
}

TEST_CASE("what is no release number is none") {
  for (const char* text : {"", ".", "0.", ".1", "0..1", "b2824", "v0.13", "0.1.2.3.4", "-1", "0.-1", "0.13 ",
                           "+1", "99999999999"}) {
    CAPTURE(text);
    CHECK_FALSE(release_number(text));
  }
}

TEST_CASE("a month is a year and one of twelve") {
  CHECK(is_month("2025-03"));
  for (const char* text : {"", "2025", "2025-3", "2025-13", "2025-00", "2025-03-01", "20a5-03", "2025/03"}) {
    CAPTURE(text);
    CHECK_FALSE(is_month(text));
  }
}
