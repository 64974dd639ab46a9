#include "r1fit/flag_values.hpp"

#include <charconv>
#include <cmath>

#include "r1fit/error.hpp"
#include "r1fit/suggest.hpp"
#include "r1fit/units_text.hpp"

namespace r1fit {
namespace {

constexpr std::int64_t kMostTokens = std::int64_t{1} << 24;
/// Above anything that is built: a stack of HBM4 on one package stays below 100 TB/s.
constexpr double kMostGigabytesPerSecond = 1e5;

[[noreturn]] void refuse(std::string_view flag, std::string_view text, const std::string& wanted) {
  throw Error(std::string(flag) + " takes " + wanted + ", not " + in_quotes(text));
}

}  // namespace

std::int64_t parse_whole(std::string_view flag, std::string_view text, std::int64_t least,
                         std::int64_t most) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < least || value > most) {
    refuse(flag, text, "a whole number from " + count_text(least) + " to " + count_text(most));
  }
  return value;
}

double parse_positive(std::string_view flag, std::string_view text, double most) {
  double value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  const bool whole_text = error == std::errc{} && end == text.data() + text.size();
  if (!whole_text || !std::isfinite(value) || value <= 0 || value > most) {
    refuse(flag, text, "a number above 0 and at most " + count_text(static_cast<std::int64_t>(most)));
  }
  return value;
}

Tokens parse_tokens(std::string_view flag, std::string_view text) {
  const bool thousands = !text.empty() && (text.back() == 'k' || text.back() == 'K');
  const std::string_view digits = thousands ? text.substr(0, text.size() - 1) : text;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  const bool whole_text = error == std::errc{} && end == digits.data() + digits.size();
  if (!whole_text || value < 1 || value > (thousands ? kMostTokens / 1024 : kMostTokens)) {
    refuse(flag, text, "a number of tokens such as 8192 or 8k");
  }
  return tokens(thousands ? value * 1024 : value);
}

BytesPerSecond parse_bandwidth(std::string_view flag, std::string_view text) {
  if (const std::optional<BytesPerSecond> rate = parse_bytes_per_second(text);
      rate && *rate > BytesPerSecond{} && *rate <= gb_per_s(kMostGigabytesPerSecond)) {
    return *rate;
  }
  double value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  const bool whole_text = error == std::errc{} && end == text.data() + text.size();
  if (!whole_text || !std::isfinite(value) || value <= 0 || value > kMostGigabytesPerSecond) {
    refuse(flag, text, "a bandwidth in GB/s such as 936");
  }
  return gb_per_s(value);
}

std::size_t parse_word(std::string_view flag, std::string_view text,
                       std::span<const std::string_view> words) {
  std::string list;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == text) return i;
    list += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + std::string(words[i]);
  }
  refuse(flag, text, list);
}

}  // namespace r1fit
