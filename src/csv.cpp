#include "csv.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <sstream>

#include "r1fit/error.hpp"

namespace r1fit {
namespace {

std::vector<std::string> split_line(std::string_view line, const std::string& where) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"' && quoted && i + 1 < line.size() && line[i + 1] == '"') {
      cells.back() += '"';
      ++i;
    } else if (line[i] == '"') {
      quoted = !quoted;
    } else if (line[i] == ',' && !quoted) {
      cells.emplace_back();
    } else {
      cells.back() += line[i];
    }
  }
  if (quoted) throw Error(where + ": a quote is left open");
  return cells;
}

}  // namespace

CsvTable CsvTable::read(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  // An empty file fails `text`, too.
  if (!file || errno != 0) throw Error(path + ": cannot be read: " + std::strerror(errno));
  return parse(text.str(), path);
}

CsvTable CsvTable::parse(std::string_view text, std::string_view name) {
  CsvTable table;
  table.name_ = name;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    const std::string where = table.where(table.cells_.size());
    std::vector<std::string> cells = split_line(line, where);
    if (table.head_.empty()) {
      table.head_ = std::move(cells);
    } else if (cells.size() == table.head_.size()) {
      table.cells_.push_back(std::move(cells));
    } else {
      throw Error(where + ": " + std::to_string(cells.size()) + " cells, and the head has " +
                  std::to_string(table.head_.size()));
    }
  }
  return table;
}

bool CsvTable::has(std::string_view column) const { return std::ranges::find(head_, column) != head_.end(); }

std::string_view CsvTable::cell(std::size_t row, std::initializer_list<std::string_view> columns) const {
  for (const std::string_view column : columns) {
    const auto found = std::ranges::find(head_, column);
    if (found != head_.end()) return cells_[row][static_cast<std::size_t>(found - head_.begin())];
  }
  return {};
}

double CsvTable::number(std::size_t row, std::initializer_list<std::string_view> columns,
                        double missing) const {
  const std::string_view text = cell(row, columns);
  if (text.empty()) return missing;
  double value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc{} || end != text.data() + text.size())
    throw Error(where(row) + ": " + std::string(*columns.begin()) + " is no number: " + in_quotes(text));
  return value;
}

int CsvTable::whole(std::size_t row, std::initializer_list<std::string_view> columns, int missing) const {
  return static_cast<int>(number(row, columns, missing));
}

std::string CsvTable::where(std::size_t row) const {
  return name_ + ":" + std::to_string(row + (head_.empty() ? 1 : 2));
}

}  // namespace r1fit
