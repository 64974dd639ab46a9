// The nearest known names to a mistyped one.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace r1fit {

/// A way to write something, and the name to propose for it. Several spellings may have one answer.
struct Spelling {
  std::string_view written;
  std::string_view answer;
};

/// Steps from one text to the other: insert, delete, replace a character, swap two neighbours. Compares
/// letters and digits alone, without regard to case.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// At most `most` answers within a few steps of `asked` (about a third of its length), nearest first; a
/// spelling that `asked` begins counts as one step away. Equals are ordered by the length of the common
/// beginning, then as they come in `known`. Each answer once.
std::vector<std::string_view> nearest(std::string_view asked, std::span<const Spelling> known,
                                      std::size_t most = 3);
/// The same where every name is its own answer.
std::vector<std::string_view> nearest(std::string_view asked, std::span<const std::string_view> known,
                                      std::size_t most = 3);

/// "; nearest: a, b, c", or nothing where the list is empty: the end of an error sentence.
std::string nearest_clause(std::span<const std::string_view> names);

}  // namespace r1fit
