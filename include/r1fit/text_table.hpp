// Aligned columns, elision and wrapping of plain text; no knowledge of models.
//
// A byte is a column: text is printable ASCII, and whatever else a catalogue or a command line brings in is
// shown as '?', which also keeps escape codes in names from reaching a terminal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace r1fit {

/// `text` with everything that is not printable ASCII replaced by '?', line breaks and tabs by a space.
std::string printable(std::string_view text);

/// `text` cut to `width` bytes, the cut marked by "..".
std::string elide(std::string_view text, std::size_t width);

/// `text` in lines of at most `width` bytes, broken at spaces; the first line follows `lead`, the others are
/// indented as deep. A figure keeps its unit, a flag its value. A word longer than a line is cut across
/// lines. Ends in a line break.
std::string wrap(std::string_view lead, std::string_view text, std::size_t width);

enum class Align : std::uint8_t { left, right };

struct Column {
  std::string head;
  Align align = Align::left;
  /// Where the table is too wide: 0 stays, others leave from the largest number on.
  int drop = 0;
  /// May be elided, down to eight bytes, after everything that may leave has left.
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
