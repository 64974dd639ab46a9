#include "r1fit/prices.hpp"

#include "catch.hpp"
#include "shipped.hpp"

using namespace r1fit;
using namespace r1fit::test;

namespace {

std::vector<OwnPrice> prices(const std::string& text) {
  return parse_prices(builtin_catalog(), text, "mine.csv");
}

}  // namespace

TEST_CASE("names are looked up as the flags do") {
  const std::vector<OwnPrice> found =
      prices("name,price\nRTX 3090,700\n\"m3 ultra 512GB\", 9499.50\r\nepyc-genoa,3000\n");
  REQUIRE(found.size() == 3);
  CHECK(found[0].gpu->id == "rtx-3090");
  CHECK_FALSE(found[0].memory);
  CHECK(found[0].usd == 700);
  CHECK(found[1].gpu->id == "m3-ultra");
  CHECK(found[1].memory == gib(512));
  CHECK(found[1].usd == 9499.5);
  CHECK(found[2].gpu == nullptr);
  CHECK(found[2].host->id == "epyc-genoa");
}

TEST_CASE("other columns may be there, in any order") {
  const std::vector<OwnPrice> found = prices("shop,price,name\nhere,1599,4090\n");
  REQUIRE(found.size() == 1);
  CHECK(found[0].gpu->id == "rtx-4090");
}

TEST_CASE("a bad line is one sentence with its place") {
  CHECK_THROWS_WITH(prices("name,price\n4090,1599\nrtx 4900,1\n"),
                    contains("mine.csv:3: ") && contains("rtx 4900") && contains("nearest"));
  CHECK_THROWS_WITH(prices("name,price\n4090,cheap\n"),
                    contains("mine.csv:2: price takes a number above 0") && contains("cheap"));
  CHECK_THROWS_WITH(prices("name,price\n4090,-5\n"), contains("mine.csv:2: "));
  CHECK_THROWS_WITH(prices("name,price\n4090\n"), contains("mine.csv:2: 1 cells"));
  CHECK_THROWS_WITH(prices("name,price\nrtx 3060,300\n"),
                    contains("mine.csv:2: ") && contains("more than one device"));
  CHECK_THROWS_WITH(prices("name,price\n4090,1\nrtx-4090,2\n"),
                    contains("mine.csv:3: ") && contains("has a price already"));
  CHECK_THROWS_WITH(prices("name,price\n,2\n"), contains("mine.csv:2: the name is empty"));
  CHECK_THROWS_WITH(prices("name,price\nm3 ultra 128GB,2\n"), contains("mine.csv:2: "));
  CHECK_THROWS_WITH(prices("card,price\n4090,1\n"), contains("mine.csv:1: ") && contains("name,price"));
  CHECK_THROWS_WITH(prices(""), contains("mine.csv:1: "));
  CHECK_THROWS_WITH(read_prices(builtin_catalog(), "/nothing/here.csv"),
                    "/nothing/here.csv: cannot be read: No such file or directory");
}
