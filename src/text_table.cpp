#include "r1fit/text_table.hpp"

#include <algorithm>
#include <array>

namespace r1fit {
namespace {

constexpr std::size_t kGap = 2;
constexpr std::size_t kNarrowestColumn = 8;

void append_padded(std::string& line, std::string_view cell, std::size_t width, Align align) {
  const std::size_t padding = width > columns_of(cell) ? width - columns_of(cell) : 0;
  if (align == Align::right) line.append(padding, ' ');
  line += cell;
  if (align == Align::left) line.append(padding, ' ');
}

constexpr std::array<std::string_view, 12> kUnits{"GiB",  "MiB",   "GB", "MB",  "B", "GB/s",
                                                  "MT/s", "tok/s", "ms", "min", "s", "h"};

/// Whether the word before `rest`, which begins with a space, belongs to what follows: a figure to its unit,
/// a flag to its value. Neither is torn apart.
bool goes_on(std::string_view word, std::string_view rest) {
  if (word.empty() || rest.size() < 2) return false;
  if (word.starts_with("--") && (word.back() >= 'a' && word.back() <= 'z')) return true;
  if (word.back() < '0' || word.back() > '9') return false;
  rest.remove_prefix(1);
  std::string_view next = rest.substr(0, rest.find(' '));
  while (!next.empty() && std::string_view(".,;:)").find(next.back()) != std::string_view::npos) {
    next.remove_suffix(1);
  }
  return std::ranges::find(kUnits, next) != kUnits.end();
}

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

/// The first code point of a text and the bytes that it takes; none where they are no UTF-8.
struct CodePoint {
  char32_t value = 0;
  std::size_t bytes = 0;
};

CodePoint first_of(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  if (lead < 0x80) return {lead, 1};
  const std::size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < bytes) return {};
  char32_t value = lead & (0x7FU >> bytes);
  for (const char c : text.substr(1, bytes - 1)) {
    if (!continues(c)) return {};
    value = value << 6U | (static_cast<unsigned char>(c) & 0x3FU);
  }
  constexpr std::array<char32_t, 5> least{0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (value < least.at(bytes) || value > 0x10FFFF || surrogate) return {};
  return {value, bytes};
}

/// Control characters, the line breaks of Unicode, and what turns the direction of writing, so that a name
/// cannot make a command look like another one.
bool obeyed(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

/// The first `width` columns of printable text.
std::string_view head(std::string_view text, std::size_t width) {
  std::size_t end = 0;
  while (end < text.size() && (width > 0 || continues(text[end]))) {
    if (!continues(text[end])) --width;
    ++end;
  }
  return text.substr(0, end);
}

void end_line(std::string& text) {
  while (!text.empty() && text.back() == ' ') text.pop_back();
  text += '\n';
}

}  // namespace

std::string printable(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  while (!text.empty()) {
    const CodePoint next = first_of(text);
    const std::size_t bytes = std::max<std::size_t>(next.bytes, 1);
    if (next.value == '\n' || next.value == '\r' || next.value == '\t') {
      clean += ' ';
    } else if (next.bytes == 0 || obeyed(next.value)) {
      clean += '?';
    } else {
      clean += text.substr(0, bytes);
    }
    text.remove_prefix(bytes);
  }
  return clean;
}

std::size_t columns_of(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return !continues(c); }));
}

std::string elide(std::string_view text, std::size_t width) {
  constexpr std::string_view mark = "..";
  if (columns_of(text) <= width) return std::string(text);
  if (width <= mark.size()) return std::string(head(text, width));
  return std::string(head(text, width - mark.size())) + std::string(mark);
}

std::string wrap(std::string_view lead, std::string_view text, std::size_t width) {
  // Indenting all lines deeper than half the width would leave columns of single words.
  const std::size_t indent = std::min(columns_of(lead), width / 2);
  std::string result = elide(lead, width);
  std::size_t used = columns_of(result);
  bool fresh = true;  // nothing but the lead or the indent in this line
  const auto new_line = [&] {
    end_line(result);
    result.append(indent, ' ');
    used = indent;
    fresh = true;
  };
  std::size_t at = 0;
  while (at < text.size()) {
    if (text[at] == ' ') {
      ++at;
      continue;
    }
    std::size_t end = std::min(text.find(' ', at), text.size());
    if (goes_on(text.substr(at, end - at), text.substr(end))) {
      end = std::min(text.find(' ', end + 1), text.size());
    }
    std::string_view word = text.substr(at, end - at);
    at = end;
    if (used + (fresh ? 0 : 1) + columns_of(word) > width && used > indent) new_line();
    while (columns_of(word) > width - used) {
      const std::string_view part = head(word, width - used);
      result += part;
      word.remove_prefix(part.size());
      new_line();
    }
    if (!fresh) {
      result += ' ';
      ++used;
    }
    result += word;
    used += columns_of(word);
    fresh = false;
  }
  end_line(result);
  return result;
}

void TextTable::add(std::vector<std::string> cells) {
  cells.resize(columns_.size());
  for (std::string& cell : cells) cell = printable(cell);
  rows_.push_back(std::move(cells));
}

std::string TextTable::text(std::size_t width, std::size_t indent) const {
  std::vector<std::size_t> widths(columns_.size());
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    widths[i] = columns_of(columns_[i].head);
    for (const auto& row : rows_) widths[i] = std::max(widths[i], columns_of(row[i]));
  }
  std::vector<bool> shown(columns_.size(), true);
  const auto total = [&] {
    std::size_t sum = indent;
    bool first = true;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (!shown[i]) continue;
      sum += widths[i] + (first ? 0 : kGap);
      first = false;
    }
    return sum;
  };
  while (total() > width) {
    std::size_t leaves = columns_.size();
    int most = 0;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (shown[i] && columns_[i].drop > most) {
        most = columns_[i].drop;
        leaves = i;
      }
    }
    if (leaves == columns_.size()) break;
    shown[leaves] = false;
  }
  while (total() > width) {
    std::size_t widest = columns_.size();
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (!shown[i] || !columns_[i].elastic || widths[i] <= kNarrowestColumn) continue;
      if (widest == columns_.size() || widths[i] > widths[widest]) widest = i;
    }
    if (widest == columns_.size()) break;
    --widths[widest];
  }

  std::string result;
  result.reserve((rows_.size() + 1) * (std::min(width, total()) + 1));
  const auto append = [&](const auto& cell_of) {
    std::string line(indent, ' ');
    bool first = true;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (!shown[i]) continue;
      if (!first) line.append(kGap, ' ');
      append_padded(line, elide(cell_of(i), widths[i]), widths[i], columns_[i].align);
      first = false;
    }
    while (!line.empty() && line.back() == ' ') line.pop_back();
    result += elide(line, width);
    result += '\n';
  };
  append([&](std::size_t i) -> const std::string& { return columns_[i].head; });
  for (const auto& row : rows_) {
    append([&](std::size_t i) -> const std::string& { return row[i]; });
  }
  return result;
}

}  // namespace r1fit
