#include "r1fit/error.hpp"

namespace r1fit {
namespace {

constexpr std::size_t kLongestQuote = 60;

}  // namespace

std::string in_quotes(std::string_view text) {
  std::string result = "\"";
  bool shortened = false;
  if (text.size() > kLongestQuote) {
    std::size_t end = kLongestQuote;
    // Not inside a character of several bytes.
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
    text = text.substr(0, end);
    shortened = true;
  }
  for (const char c : text) result += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
  return result + (shortened ? "...\"" : "\"");
}

}  // namespace r1fit
