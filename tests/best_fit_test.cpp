#include "r1fit/best_fit.hpp"

#include "catch.hpp"

using namespace r1fit;

TEST_CASE("what is taken lies one behind the other, in steps of 128 bytes") {
  BestFit buffer;
  CHECK(buffer.take(1000).offset == 0);
  const Held second = buffer.take(1);
  CHECK(second.offset == 1024);
  CHECK(second.size == 128);
  CHECK(buffer.peak() == 1152);
}

TEST_CASE("the smallest gap that holds it is taken, the higher of equals, the end only where none does") {
  BestFit buffer;
  Held a = buffer.take(512);
  static_cast<void>(buffer.take(128));
  Held c = buffer.take(256);
  static_cast<void>(buffer.take(128));
  Held e = buffer.take(256);
  static_cast<void>(buffer.take(128));
  buffer.give_back(a);
  buffer.give_back(c);
  buffer.give_back(e);
  CHECK(a.size == 0);
  // Gaps of 512 at 0, 256 at 640 and 256 at 1024.
  CHECK(buffer.take(200).offset == 1024);
  CHECK(buffer.take(256).offset == 640);
  CHECK(buffer.take(384).offset == 0);
  CHECK(buffer.take(256).offset == 1408);  // 128 are left at 384
  CHECK(buffer.take(128).offset == 384);
  CHECK(buffer.peak() == 1664);
}

TEST_CASE("gaps beside each other merge, and with the end") {
  BestFit buffer;
  Held a = buffer.take(128);
  Held b = buffer.take(128);
  Held c = buffer.take(128);
  Held d = buffer.take(128);
  buffer.give_back(a);
  buffer.give_back(c);
  buffer.give_back(b);
  Held whole = buffer.take(384);
  CHECK(whole.offset == 0);
  buffer.give_back(whole);
  buffer.give_back(d);
  CHECK(buffer.take(4096).offset == 0);
  CHECK(buffer.peak() == 4096);
}

TEST_CASE("nothing is given back twice") {
  BestFit buffer;
  Held a = buffer.take(128);
  buffer.give_back(a);
  buffer.give_back(a);
  CHECK(buffer.take(128).offset == 0);
  CHECK(buffer.take(128).offset == 128);
}

TEST_CASE("the fingerprint tells what is taken, free and was needed") {
  BestFit one;
  BestFit other;
  CHECK(one.fingerprint() == other.fingerprint());
  Held held = one.take(256);
  CHECK(one.fingerprint() != other.fingerprint());
  one.give_back(held);
  CHECK(one.fingerprint() != other.fingerprint());  // the peak stays
  Held same = other.take(256);
  other.give_back(same);
  CHECK(one.fingerprint() == other.fingerprint());
}
