#include "r1fit/units.hpp"

#include "catch.hpp"

using namespace r1fit;
using r1fit::test::within_rel;

TEST_CASE("a size enters by its unit and leaves by any") {
  CHECK(gib(24) == bytes(25769803776));
  CHECK(mib(10922.67) == bytes(11453249618));
  CHECK(gb(4.4) == bytes(4400000000));
  CHECK(in_gib(gib(24)) == 24.0);
  CHECK_THAT(in_gb(gib(24)), within_rel(25.769803776, 1e-12));
  CHECK_THAT(in_gib(gb(24)), within_rel(22.351741790771484, 1e-12));
}

TEST_CASE("fractions of a byte are rounded to the nearest") {
  CHECK(mb(0.0000014) == bytes(1));
  CHECK(mb(0.0000016) == bytes(2));
  CHECK(share(bytes(10), 0.11) == bytes(2));
}

TEST_CASE("bandwidth over bytes a token is tokens a second, and back") {
  const BytesPerToken read = read_per_token(gb(20));
  const TokensPerSecond speed = gb_per_s(1000) / read;
  CHECK(speed == tok_per_s(50));
  CHECK_THAT((read / gb_per_s(1000)).count(), within_rel(0.02, 1e-12));
  CHECK_THAT(pace(speed).count(), within_rel(0.02, 1e-12));
  CHECK_THAT(rate(milliseconds_per_token(20)).count(), within_rel(50, 1e-12));
}

TEST_CASE("times follow from counts and rates") {
  CHECK(tokens(100) / tok_per_s(50) == seconds(2));
  CHECK_THAT((tokens(100) * milliseconds_per_token(20)).count(), within_rel(2, 1e-12));
  CHECK(gb(20) / gb_per_s(5) == seconds(4));
  CHECK(tflops(100) / FlopsPerToken::of(1e11) == tok_per_s(1000));
}

TEST_CASE("sums, scaling and order are those of the counts") {
  Bytes sum = gib(1);
  sum += gib(2);
  sum -= mib(1024);
  CHECK(sum == gib(2));
  CHECK(sum * 3 == gib(6));
  CHECK(3 * sum / 2 == gib(3));
  CHECK(gib(1) > gb(1));
  CHECK(ratio(gib(1), gib(4)) == 0.25);
}
