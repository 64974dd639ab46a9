#include "r1fit/memory_rate.hpp"

#include <vector>

#include "catch.hpp"

using namespace r1fit;

TEST_CASE("the buffer is far larger than the caches and a quarter of what is available", "[memory_rate]") {
  CHECK(memory_rate_buffer({gib(16), mib(32), 8}) == mib(256));
  CHECK(memory_rate_buffer({gib(16), mib(256), 8}) == gib(1));
  CHECK_FALSE(memory_rate_buffer({gib(1) - bytes(1), mib(1), 8}).has_value());
  CHECK_FALSE(memory_rate_buffer({gib(8), gib(1), 8}).has_value());
  CHECK_FALSE(memory_rate_buffer({std::nullopt, mib(32), 8}).has_value());
}

TEST_CASE("a measurement gives a spread and says how far it is", "[memory_rate]") {
  std::vector<double> shares;
  const auto rate =
      measure_memory_rate({gib(1), std::nullopt, 2}, [&](double share) { shares.push_back(share); });
  REQUIRE(rate);
  CHECK(rate->low <= rate->typical);
  CHECK(rate->typical <= rate->high);
  CHECK(in_gb_per_s(rate->low) > 0);
  CHECK(rate->passes >= 3);
  CHECK(shares.front() == 0);
  CHECK(shares.back() == 1);
}

TEST_CASE("without room nothing is measured", "[memory_rate]") {
  CHECK_FALSE(measure_memory_rate({mib(512), std::nullopt, 2}, [](double) {}).has_value());
}
