#include "r1fit/units_text.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <initializer_list>
#include <span>
#include <system_error>

#include "r1fit/error.hpp"

namespace r1fit {
namespace {

constexpr double kLargestSize = 1152921504606846976.0;  // 1 EiB, far inside std::int64_t

struct Unit {
  std::string_view name;
  double factor;  // base units in one of it
};

constexpr std::array kSizeUnits{
    Unit{"B", 1.0},         Unit{"kB", 1e3},           Unit{"MB", 1e6},
    Unit{"GB", 1e9},        Unit{"TB", 1e12},          Unit{"KiB", 1024.0},
    Unit{"MiB", 1048576.0}, Unit{"GiB", 1073741824.0}, Unit{"TiB", 1099511627776.0}};
constexpr std::array kBandwidthUnits{Unit{"B/s", 1.0}, Unit{"MB/s", 1e6}, Unit{"GB/s", 1e9},
                                     Unit{"TB/s", 1e12}};
constexpr std::array kFlopsUnits{Unit{"FLOPS", 1.0}, Unit{"GFLOPS", 1e9}, Unit{"TFLOPS", 1e12},
                                 Unit{"PFLOPS", 1e15}};
constexpr std::array kPowerUnits{Unit{"W", 1.0}, Unit{"kW", 1e3}};
constexpr std::array kTimeUnits{Unit{"s", 1.0}, Unit{"ms", 1e-3}, Unit{"us", 1e-6}};
constexpr std::array kSpeedUnits{Unit{"tok/s", 1.0}};
// On the command line every spelling is binary, because that is what the boxes of cards and DIMMs mean.
constexpr std::array kMemoryFlagUnits{Unit{"", 1073741824.0},      Unit{"M", 1048576.0},
                                      Unit{"MB", 1048576.0},       Unit{"MiB", 1048576.0},
                                      Unit{"G", 1073741824.0},     Unit{"GB", 1073741824.0},
                                      Unit{"GiB", 1073741824.0},   Unit{"T", 1099511627776.0},
                                      Unit{"TB", 1099511627776.0}, Unit{"TiB", 1099511627776.0}};

struct Measured {
  std::string_view digits;
  double number;
  const Unit* unit;
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// "24 GiB" in its two halves; the unit is one of `units`.
std::optional<Measured> split(std::string_view text, std::span<const Unit> units) {
  // from_chars would take "-1", "inf" and "nan"; no quantity begins with anything but a digit.
  if (text.empty() || !is_digit(text.front())) return std::nullopt;
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, fault] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  if (fault != std::errc{} || !std::isfinite(number)) return std::nullopt;
  const auto length = static_cast<std::size_t>(rest - text.data());
  std::string_view name = text.substr(length);
  while (!name.empty() && name.front() == ' ') name.remove_prefix(1);
  if (name.empty() && length != text.size()) return std::nullopt;
  for (const Unit& unit : units) {
    if (unit.name == name) return Measured{text.substr(0, length), number, &unit};
  }
  return std::nullopt;
}

// To the nearest byte, halves up, as the constructors of units.hpp round.
std::optional<Bytes> whole_bytes(const Measured& size) {
  const double count = size.number * size.unit->factor;
  if (!(count <= kLargestSize)) return std::nullopt;
  if (size.unit->factor == 1.0) {
    // Not through double, which ends at 2^53.
    std::int64_t exact = 0;
    const char* const end = size.digits.data() + size.digits.size();
    const auto [rest, fault] = std::from_chars(size.digits.data(), end, exact);
    if (fault != std::errc{} || rest != end) return std::nullopt;
    return bytes(exact);
  }
  return bytes(std::llround(count));
}

template <class Q>
std::optional<Q> parse(std::string_view text, std::span<const Unit> units) {
  const auto found = split(text, units);
  if (!found) return std::nullopt;
  const double count = found->number * found->unit->factor;
  if (!std::isfinite(count)) return std::nullopt;
  return Q::of(count);
}

std::string shortest(double number) {
  // Room for the 309 digits of the largest double.
  std::array<char, 400> buffer{};
  const auto [end, fault] =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, std::chars_format::fixed);
  if (fault != std::errc{}) return "0";
  return {buffer.data(), end};
}

// The shortest figure in the wanted unit that reads back as exactly the same count. A figure divided and
// multiplied again by 1e9 need not come back, so the digits are tried from few to many; the base unit,
// which always comes back, is the last resort.
template <class Q>
std::string exact(Q value, const Unit& wanted, const Unit& base) {
  for (int digits = 1; digits <= 17; ++digits) {
    const std::string rounded = fmt::format("{:.{}e}", value.count() / wanted.factor, digits - 1);
    double number = 0;
    std::from_chars(rounded.data(), rounded.data() + rounded.size(), number);
    if (number * wanted.factor == value.count()) return shortest(number) + ' ' + std::string(wanted.name);
  }
  return shortest(value.count()) + ' ' + std::string(base.name);
}

}  // namespace

std::optional<Bytes> parse_bytes(std::string_view text) {
  const auto found = split(text, kSizeUnits);
  return found ? whole_bytes(*found) : std::nullopt;
}

std::optional<BytesPerSecond> parse_bytes_per_second(std::string_view text) {
  return parse<BytesPerSecond>(text, kBandwidthUnits);
}

std::optional<FlopsPerSecond> parse_flops(std::string_view text) {
  return parse<FlopsPerSecond>(text, kFlopsUnits);
}

std::optional<Watts> parse_watts(std::string_view text) { return parse<Watts>(text, kPowerUnits); }

std::optional<SecondsPerToken> parse_milliseconds_per_token(std::string_view text) {
  return parse<SecondsPerToken>(text, kTimeUnits);
}

std::optional<TokensPerSecond> parse_tokens_per_second(std::string_view text) {
  return parse<TokensPerSecond>(text, kSpeedUnits);
}

Bytes parse_memory_flag(std::string_view flag, std::string_view text) {
  const auto found = split(text, kMemoryFlagUnits);
  const auto size = found ? whole_bytes(*found) : std::nullopt;
  if (!size || *size <= bytes(0)) {
    throw Error(fmt::format("{}: {} is no memory size; write 24, 24G or \"24 GiB\", all of which are GiB",
                            flag, in_quotes(text)));
  }
  return *size;
}

std::string fixed_text(double number, int decimals) {
  std::string text = fmt::format("{:.{}f}", number, decimals);
  const std::size_t first = text.starts_with('-') ? 1 : 0;
  std::size_t at = std::min(text.find('.'), text.size());
  while (at > first + 3) {
    at -= 3;
    text.insert(at, 1, ',');
  }
  return text;
}

std::string mib_text(Bytes size, int decimals) { return fixed_text(in_mib(size), decimals) + " MiB"; }
std::string gib_text(Bytes size, int decimals) { return fixed_text(in_gib(size), decimals) + " GiB"; }
std::string gb_text(Bytes size, int decimals) { return fixed_text(in_gb(size), decimals) + " GB"; }
std::string gb_text(BytesPerToken amount, int decimals) {
  return fixed_text(in_gb(amount), decimals) + " GB";
}

std::string capacity_text(Bytes size) {
  std::string text = fixed_text(in_gib(size), 1);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text + " GiB";
}

std::string rate_text(BytesPerSecond rate) {
  const double number = in_gb_per_s(rate);
  return fixed_text(number, number < 100 && std::round(number) != number ? 1 : 0) + " GB/s";
}

std::string rate_text(FlopsPerSecond rate) {
  const double number = in_tflops(rate);
  return fixed_text(number, number < 100 && std::round(number) != number ? 1 : 0) + " TFLOPS";
}

std::string tok_per_s_text(TokensPerSecond rate) {
  const double number = rate.count();
  // The limits are where the next coarser form would round to the same digits: 9.96 is "10", not "10.0".
  if (number >= 9.95) return fixed_text(number, 0);
  if (number >= 0.995) return fixed_text(number, 1);
  return fixed_text(number, 2);
}

std::string tok_per_s_text(TokensPerSecond low, TokensPerSecond high) {
  const std::string from = tok_per_s_text(low);
  const std::string to = tok_per_s_text(high);
  return from == to ? from : from + "-" + to;
}

std::string power_text(Watts power) { return fixed_text(power.count(), 0) + " W"; }
std::string ms3_text(SecondsPerToken time) { return fixed_text(in_ms(time), 3) + " ms"; }
std::string ms_text(SecondsPerToken time) { return fixed_text(in_ms(time), 1) + " ms"; }
std::string count_text(std::int64_t count) {
  // Not through fixed_text: a double has no room for the largest counts.
  std::string text = std::to_string(count);
  const std::size_t first = count < 0 ? 1 : 0;
  for (std::size_t at = text.size(); at > first + 3;) text.insert(at -= 3, 1, ',');
  return text;
}
std::string count_text(Tokens count) { return count_text(count.count()); }

std::string exact_text(Bytes size) {
  constexpr std::int64_t mebi = 1048576;
  constexpr std::int64_t gibi = 1073741824;
  const std::int64_t count = size.count();
  if (count != 0 && count % gibi == 0) return fmt::format("{} GiB", count / gibi);
  if (count != 0 && count % mebi == 0) return fmt::format("{} MiB", count / mebi);
  return fmt::format("{} B", count);
}

std::string exact_text(BytesPerSecond rate) { return exact(rate, kBandwidthUnits[2], kBandwidthUnits[0]); }
std::string exact_text(FlopsPerSecond rate) { return exact(rate, kFlopsUnits[2], kFlopsUnits[0]); }
std::string exact_text(Watts power) { return exact(power, kPowerUnits[0], kPowerUnits[0]); }
std::string exact_text(SecondsPerToken time) { return exact(time, kTimeUnits[1], kTimeUnits[0]); }
std::string exact_text(TokensPerSecond rate) { return exact(rate, kSpeedUnits[0], kSpeedUnits[0]); }

std::string duration_text(Seconds low, Seconds high) {
  constexpr double minute = 60;
  constexpr double hour = 3600;
  // A hundred of a unit is still read more easily than 1.7 of the next.
  double unit = 1;
  std::string_view name = " s";
  if (high.count() >= 100 * minute) {
    unit = hour;
    name = " h";
  } else if (high.count() >= 100) {
    unit = minute;
    name = " min";
  }
  const auto figure = [unit](Seconds time) {
    const double number = time.count() / unit;
    std::string text = fixed_text(number, number < 9.95 ? 1 : 0);
    if (text.ends_with(".0")) text.resize(text.size() - 2);
    return text;
  };
  const std::string from = figure(low);
  const std::string to = figure(high);
  return (from == to ? to : from + "-" + to) + std::string(name);
}

}  // namespace r1fit
