#include "r1fit/catalog.hpp"

#include <array>
#include <set>

#include "catch.hpp"

using namespace r1fit;

namespace {

template <class Values>
bool words_are_distinct(const Values& values) {
  std::set<Text> words;
  for (const auto value : values) words.insert(word(value));
  return words.size() == values.size() && !words.contains("");
}

}  // namespace

TEST_CASE("every enumerator has a word of its own") {
  CHECK(words_are_distinct(kConfidences));
  CHECK(words_are_distinct(kVendors));
  CHECK(words_are_distinct(kDeviceClasses));
  CHECK(words_are_distinct(kBackends));
  CHECK(words_are_distinct(kLayerSets));
  CHECK(words_are_distinct(kImatrixCases));
  std::array<TensorRole, kTensorRoles> roles{};
  for (int i = 0; i < kTensorRoles; ++i) roles[static_cast<std::size_t>(i)] = static_cast<TensorRole>(i);
  CHECK(words_are_distinct(roles));
}
