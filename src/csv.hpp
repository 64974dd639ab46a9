// Comma-separated tables with a head line, as the evaluation reads them.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace r1fit {

/// A table as text. Cells may be quoted, a quote in them doubled; a cell holds no line break.
class CsvTable {
 public:
  /// Reads a file. Throws Error naming file and line where it cannot be read, a row has another number of
  /// cells than the head, or a quote is left open.
  static CsvTable read(const std::string& path);
  /// The same from text; `name` stands for the file in errors.
  static CsvTable parse(std::string_view text, std::string_view name);

  [[nodiscard]] std::size_t rows() const { return cells_.size(); }
  [[nodiscard]] bool has(std::string_view column) const;
  /// The cell in the first of `columns` that the table has; empty where it has none of them.
  [[nodiscard]] std::string_view cell(std::size_t row, std::initializer_list<std::string_view> columns) const;
  [[nodiscard]] std::string_view cell(std::size_t row, std::string_view column) const {
    return cell(row, {column});
  }
  /// A decimal number; `missing` where the cell is empty. Throws Error naming file, line and column.
  [[nodiscard]] double number(std::size_t row, std::initializer_list<std::string_view> columns,
                              double missing = 0) const;
  [[nodiscard]] int whole(std::size_t row, std::initializer_list<std::string_view> columns,
                          int missing = 0) const;
  /// "FILE:LINE" of a row, for sentences.
  [[nodiscard]] std::string where(std::size_t row) const;

 private:
  std::string name_;
  std::vector<std::string> head_;
  std::vector<std::vector<std::string>> cells_;
};

}  // namespace r1fit
