#include "json_text.hpp"

#include <limits>
#include <nlohmann/json.hpp>
#include <random>

#include "catch.hpp"

using namespace r1fit;

namespace {

/// What the library that parses JSON here writes of the same value.
std::string by_library(const nlohmann::ordered_json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

TEST_CASE("values are written as JSON", "[json_text]") {
  CHECK(Json(nullptr).compact() == "null");
  CHECK(Json(true).compact() == "true");
  CHECK(Json(-7).compact() == "-7");
  CHECK(Json(std::numeric_limits<std::int64_t>::min()).compact() == "-9223372036854775808");
  CHECK(Json(std::numeric_limits<std::uint64_t>::max()).compact() == "18446744073709551615");
  CHECK(Json("a text").compact() == "\"a text\"");
  CHECK(Json(std::string_view()).compact() == "\"\"");
}

TEST_CASE("a number keeps its value in the fewest digits, and what is none is null", "[json_text]") {
  for (const double number : {0.0, -0.0, 1.0, 0.1, 12.34, -2.5, 1e-4, 9.9e-5, 1e15, 999999999999999.0, 1e22,
                              5e-324, std::numeric_limits<double>::max()}) {
    CHECK(Json(number).compact() == by_library(number));
  }
  std::mt19937_64 random(1);
  for (int i = 0; i < 10000; ++i) {
    const double number =
        std::ldexp(static_cast<double>(random() >> 11U), static_cast<int>(random() % 100) - 80);
    CHECK(std::stod(Json(number).compact()) == number);
  }
  CHECK(Json(std::numeric_limits<double>::infinity()).compact() == "null");
  CHECK(Json(std::numeric_limits<double>::quiet_NaN()).compact() == "null");
}

TEST_CASE("any text comes back", "[json_text]") {
  for (int c = 0; c < 256; ++c) {
    const std::string text = "a" + std::string(1, static_cast<char>(c)) + "b";
    CAPTURE(c);
    CHECK(Json(text).compact() == by_library(text));
  }
  for (const std::string text :
       {"\xc3\xa9", "\xe2\x82\xac 5", "\xf0\x9f\x98\x80", "\xed\xa0\x80", "\"\\\"", "\\"}) {
    CHECK(Json(text).compact() == by_library(text));
  }
}

TEST_CASE("objects and lists keep the order they are filled in", "[json_text]") {
  Json list = Json::array();
  CHECK(list.compact() == "[]");
  list.push_back(1);
  list.push_back("two");
  list.push_back({{"three", 3.5}});
  Json object = Json::object();
  CHECK(object.compact() == "{}");
  object.add("z", list);
  object.add("a", nullptr);
  CHECK(object.compact() == R"({"z":[1,"two",{"three":3.5}],"a":null})");
}

TEST_CASE("pretty text is laid out as the library does", "[json_text]") {
  Json empty = Json::array();
  empty.push_back(Json::array());
  empty.push_back(Json::object());
  const Json object{{"a", {{"b", "{,:}\\"}, {"c", "\"[:"}, {"d", Json::object()}}}, {"e", empty}, {"f", 1.5}};
  for (const Json& value : {Json("[]"), Json::object(), empty, object}) {
    CHECK(value.pretty() == nlohmann::ordered_json::parse(value.compact()).dump(2));
  }
}
