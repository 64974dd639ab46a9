#include "r1fit/suggest.hpp"

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "catch.hpp"

using namespace r1fit;
using Names = std::vector<std::string_view>;

TEST_CASE("edits are counted, neighbours swapped being one") {
  CHECK(edit_distance("", "") == 0);
  CHECK(edit_distance("rtx-4090", "RTX 4090") == 0);
  CHECK(edit_distance("4900", "4090") == 1);
  CHECK(edit_distance("4080", "4090") == 1);
  CHECK(edit_distance("abc", "") == 3);
  CHECK(edit_distance("kitten", "sitting") == 3);
  CHECK(edit_distance("ca", "abc") == 3);
}

TEST_CASE("the nearest names come first and ties keep their order") {
  const std::array<std::string_view, 6> cards{"rtx-3090", "rtx-4090",    "rtx-4080",
                                              "rtx-4070", "rx-7900-xtx", "a100"};
  CHECK(nearest("rtx 4900", cards) == Names{"rtx-4090", "rtx-4080", "rtx-4070"});
  CHECK(nearest("rtx 4900", cards, 1) == Names{"rtx-4090"});
}

TEST_CASE("nothing is proposed for what resembles nothing") {
  const std::array<std::string_view, 3> cards{"rtx-4090", "a100", "t4"};
  CHECK(nearest("banana", cards).empty());
  CHECK(nearest("", cards).empty());
  CHECK(nearest("!?", cards).empty());
  CHECK(nearest(std::string(100000, 'a'), cards).empty());
  CHECK(nearest("x", cards).empty());
}

TEST_CASE("the beginning of a name is near it") {
  const std::array<std::string_view, 3> cards{"7600", "7900-xtx-founders", "arc-b580"};
  CHECK(nearest("7900", cards) == Names{"7900-xtx-founders", "7600"});
}

TEST_CASE("several spellings have one answer") {
  const std::array known{Spelling{"rtx-4090", "rtx-4090"}, Spelling{"4090", "rtx-4090"},
                         Spelling{"4080", "rtx-4080"}};
  CHECK(nearest("4900", known) == Names{"rtx-4090", "rtx-4080"});
}

TEST_CASE("the clause ends a sentence") {
  CHECK(nearest_clause(Names{}).empty());
  CHECK(nearest_clause(Names{"a", "b"}) == "; nearest: a, b");
}
