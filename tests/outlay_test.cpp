#include "r1fit/outlay.hpp"

#include "catch.hpp"
#include "shipped.hpp"

using namespace r1fit;

namespace {

const Gpu& card(std::string_view name) { return *gpu_named(builtin_catalog(), name).gpu; }

Machine both(std::string_view one, std::string_view other) {
  Machine machine = machine_with(one);
  machine.devices.push_back(machine_with(other).devices.front());
  return machine;
}

}  // namespace

TEST_CASE("cards add up in power and price", "[outlay]") {
  const Outlay one = outlay_of(machine_with("rtx 3090"));
  const Outlay two = outlay_of(machine_with("2x rtx 3090"));
  CHECK(one.board_power == card("rtx 3090").board_power);
  CHECK(two.board_power == *one.board_power * 2);
  CHECK(one.price_usd == *card("rtx 3090").msrp_usd);
  CHECK(two.price_usd == *one.price_usd * 2);
  CHECK(two.first_year == card("rtx 3090").launch_year);
  CHECK(two.last_year == two.first_year);
}

TEST_CASE("the years of a price are those of all its cards", "[outlay]") {
  for (const Machine& machine : {both("rtx 3090", "rtx 5090"), both("rtx 5090", "rtx 3090")}) {
    const Outlay outlay = outlay_of(machine);
    CHECK(outlay.first_year == card("rtx 3090").launch_year);
    CHECK(outlay.last_year == card("rtx 5090").launch_year);
  }
}

TEST_CASE("what is not known of one card is not known of all, and no price is a part of one", "[outlay]") {
  REQUIRE(!card("rtx 4090 laptop").msrp_usd);
  const Outlay outlay = outlay_of(both("rtx 3090", "rtx 4090 laptop"));
  CHECK(!outlay.price_usd);
  CHECK(outlay.first_year == 0);
  CHECK(outlay.last_year == 0);
  const Outlay none = outlay_of(nameless({24}));
  CHECK(!none.board_power);
  CHECK(!none.price_usd);
}

TEST_CASE("a platform has no cards to draw power", "[outlay]") {
  const Outlay outlay = outlay_of(cpu_only(gib(64), "epyc-genoa"));
  CHECK(!outlay.board_power);
  CHECK(!outlay.price_usd);
}

TEST_CASE("of a device sold in several sizes it is not known which was so priced", "[outlay]") {
  Gpu gpu = card("rtx 3090");
  CHECK(launch_price_usd(gpu));
  static constexpr std::array<Bytes, 2> sizes{gib(24), gib(48)};
  gpu.memory = sizes;
  CHECK(!launch_price_usd(gpu));
}
