// Aligned columns, elision and wrapping of plain text; no knowledge of models.
//
// A code point is a column. That is too few for the wide ones of East Asia and too many for combining marks,
// which costs a ragged line at worst; tables of widths would cost more than the names of files are worth.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace r1fit {

/// `text` with line breaks and tabs replaced by a space, and by '?' whatever a terminal would obey or cannot
/// show: other control characters, those that turn the direction of writing, bytes that are no UTF-8.
std::string printable(std::string_view text);

/// How many columns printable text takes.
std::size_t columns_of(std::string_view text);

/// `text` cut to `width` columns, the cut marked by "..".
std::string elide(std::string_view text, std::size_t width);

/// `text` in lines of at most `width` columns, broken at spaces; the first line follows `lead`, the others
/// are indented as deep. A figure keeps its unit, a flag its value. A word longer than a line is cut across
/// lines. Ends in a line break.
std::string wrap(std::string_view lead, std::string_view text, std::size_t width);

enum class Align : std::uint8_t { left, right };

struct Column {
  std::string head;
  Align align = Align::left;
  /// Where the table is too wide: 0 stays, others leave from the largest number on.
  int drop = 0;
  /// May be elided, down to eight columns, after everything that may leave has left.
  bool elastic = false;
};

class TextTable {
 public:
  explicit TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {}

  /// Cells beyond the columns are ignored, missing ones are empty.
  void add(std::vector<std::string> cells);
  [[nodiscard]] bool empty() const { return rows_.empty(); }

  /// Two spaces between columns, `indent` before them, no line longer than `width`, none ending in a space.
  /// The first line is the head.
  [[nodiscard]] std::string text(std::size_t width, std::size_t indent = 0) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace r1fit
