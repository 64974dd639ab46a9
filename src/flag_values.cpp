#include "r1fit/flag_values.hpp"

#include <charconv>
#include <cmath>
#include <optional>

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

/// Half of the last digit of the number that `text` begins with, 1.0 being one unit: 0.05 of "9.0 GB".
double half_of_last_digit(std::string_view text) {
  const std::size_t point = text.find('.');
  if (point == std::string_view::npos) return 0.5;
  std::size_t end = point + 1;
  while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
  return 0.5 * std::pow(10.0, -static_cast<double>(end - point - 1));
}

/// A number without sign or exponent; nothing where it is none.
std::optional<double> plain_number(std::string_view text) {
  if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
  double value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
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

ClaimedSpeed parse_claimed_speed(std::string_view flag, std::string_view text) {
  constexpr double most = 1e6;
  constexpr std::string_view wanted = "tok/s such as 45 or 28.5-34";
  const std::size_t dash = text.find('-');
  const std::string_view first = text.substr(0, dash);
  const std::string_view last = dash == std::string_view::npos ? first : text.substr(dash + 1);
  const std::optional<double> low = plain_number(first);
  const std::optional<double> high = plain_number(last);
  if (!low || !high || *high <= 0 || *high > most) refuse(flag, text, std::string(wanted));
  if (*low > *high) throw Error(std::string(flag) + " runs from low to high, not " + in_quotes(text));
  return {tok_per_s(*low), tok_per_s(*high), tok_per_s(half_of_last_digit(first)),
          tok_per_s(half_of_last_digit(last))};
}

ClaimedSize parse_claimed_size(std::string_view flag, std::string_view text) {
  ClaimedSize claimed;
  std::optional<Bytes> size = parse_bytes(text);
  double unit = 1e9;
  if (size) {
    // What one of its units is, by the same reader.
    const std::string_view name = text.substr(text.find_first_not_of("0123456789. "));
    claimed.binary = name.find('i') != std::string_view::npos;
    unit = static_cast<double>(parse_bytes("1" + std::string(name))->count());
  } else if (const std::optional<double> number = plain_number(text); number && *number < 1e9) {
    claimed.stated = false;
    size = gb(*number);
  }
  if (!size || *size <= Bytes{})
    refuse(flag, text, "a size such as 20GB (decimal) or 18.5GiB; a bare number is GB");
  claimed.size = *size;
  if (unit > 1) claimed.half = bytes(std::llround(half_of_last_digit(text) * unit));
  return claimed;
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
