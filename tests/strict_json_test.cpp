#include "strict_json.hpp"

#include <string>

#include "catch.hpp"

using namespace r1fit;
using r1fit::test::contains;
using r1fit::test::error_of;

TEST_CASE("text that is no JSON is refused with its line") {
  const auto fault_of = [](const std::string& text) {
    return error_of([&] { parse_strictly("hosts.json", text); });
  };
  CHECK(fault_of("") ==
        "hosts.json: line 1, column 1: unexpected end of input; expected '[', '{', or a literal");
  CHECK_THAT(fault_of("{\n  \"a\": }\n"), contains("hosts.json: line 2, column 8: unexpected '}'"));
  CHECK_THAT(fault_of("{\"a\": \"\xff\xfe\"}"),
             contains("hosts.json: line 1, column 8: invalid string: ill-formed UTF-8"));
  CHECK_THAT(fault_of("{\"a\": 1e999}"), contains("hosts.json: line 1"));
  CHECK_THAT(fault_of("{\"a\": 1} x"), contains("hosts.json: line 1, column 10"));
  CHECK(fault_of("[]") == "(no error)");
  CHECK_THAT(fault_of(std::string(200000, '[')), contains("nested too deeply"));
  std::string objects;
  for (int i = 0; i < 100000; ++i) objects += "{\"a\":";
  CHECK_THAT(fault_of(objects), contains("nested too deeply"));
}

TEST_CASE("a key that stands twice is found at any depth") {
  const auto fault_of = [](const std::string& text) {
    return error_of([&] { parse_strictly("x.json", text); });
  };
  CHECK(fault_of(R"({"a": 1, "a": 1})") == "x.json: /a: this key stands twice in the same object");
  CHECK(fault_of(R"({"l": [0, [1, {"a": 1}], {"b": {"c": 1, "d": [], "c": 2}}]})") ==
        "x.json: /l/2/b/c: this key stands twice in the same object");
  CHECK(fault_of(R"([{"a": 1}, {"a": 1}])") == "(no error)");
}

TEST_CASE("places are JSON pointers") {
  const Place place = Place{"x.json", ""}.at("a/b").at(3).at("c~d");
  CHECK(place.path == "/a~1b/3/c~0d");
  CHECK(error_of([&] { refuse(place, "is wrong"); }) == "x.json: /a~1b/3/c~0d: is wrong");
  CHECK(error_of([&] { refuse({"x.json", ""}, "is wrong"); }) == "x.json: is wrong");
}

TEST_CASE("values are described by kind, and numbers by themselves") {
  const auto of = [](const char* text) { return described(parse_strictly("x", text)); };
  CHECK(of("{}") == "an object");
  CHECK(of("[]") == "a list");
  CHECK(of("\"x\"") == "a string");
  CHECK(of("null") == "null");
  CHECK(of("true") == "true");
  CHECK(of("-3") == "-3");
  CHECK(of("1.5") == "1.5");
}
