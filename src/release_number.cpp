#include "r1fit/release_number.hpp"

#include <charconv>
#include <cstddef>
#include <system_error>

namespace r1fit {

std::optional<ReleaseNumber> release_number(std::string_view text) {
  ReleaseNumber number;
  for (int& part : number.parts) {
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), part);
    if (fault != std::errc{} || part < 0) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (text.empty()) return number;
    if (text.front() != '.') return std::nullopt;
    text.remove_prefix(1);
  }
  return std::nullopt;
}

bool is_month(std::string_view text) {
  constexpr std::string_view shape = "dddd-dd";
  if (text.size() != shape.size()) return false;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (shape[i] == 'd' ? !digit : text[i] != '-') return false;
  }
  const int month = (text[5] - '0') * 10 + (text[6] - '0');
  return month >= 1 && month <= 12;
}

}  // namespace r1fit
