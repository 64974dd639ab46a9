// The only place where a unit meets text: reads "24 GiB" or "936 GB/s", prints sizes, rates and counts.
//
// No locale anywhere: the decimal point is '.', digits are grouped by ','.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "r1fit/units.hpp"

namespace r1fit {

// ---- reading -----------------------------------------------------------------------------------------
// One non-negative decimal number, spaces or none, and one unit, case-sensitive ("Gb" would be a bit).
// Nothing where the text is anything else: no unit, a sign, an exponent, something left over, or a figure
// too large for the type.

/// B, kB, MB, GB, TB (decimal) and KiB, MiB, GiB, TiB (binary); a number of B must be whole. At most 1 EiB.
std::optional<Bytes> parse_bytes(std::string_view text);
/// B/s, MB/s, GB/s, TB/s.
std::optional<BytesPerSecond> parse_bytes_per_second(std::string_view text);
/// FLOPS, GFLOPS, TFLOPS, PFLOPS.
std::optional<FlopsPerSecond> parse_flops(std::string_view text);
/// W, kW.
std::optional<Watts> parse_watts(std::string_view text);
/// s, ms or us: the time one token costs.
std::optional<SecondsPerToken> parse_milliseconds_per_token(std::string_view text);

/// tok/s.
std::optional<TokensPerSecond> parse_tokens_per_second(std::string_view text);

/// A memory size as cards and DIMMs are named: "24", "24G", "24GB" and "24 GiB" are all 24 GiB; M and T
/// alike. Throws Error naming `flag` unless the size is above zero and at most 1 EiB.
Bytes parse_memory_flag(std::string_view flag, std::string_view text);

// ---- printing for people: rounded ---------------------------------------------------------------------

std::string mib_text(Bytes size, int decimals = 0);  ///< "10,922 MiB"
std::string gib_text(Bytes size, int decimals = 1);  ///< "20.6 GiB"
std::string gb_text(Bytes size, int decimals = 1);   ///< "19.9 GB"
/// "24 GiB", "10.7 GiB": a capacity, without decimals where there is nothing behind the point.
std::string capacity_text(Bytes size);
std::string gb_text(BytesPerToken amount, int decimals = 1);  ///< "19.9 GB"
std::string rate_text(BytesPerSecond rate);                   ///< "1,008 GB/s", "76.8 GB/s"
std::string rate_text(FlopsPerSecond rate);                   ///< "142 TFLOPS"
/// The bare number of tokens a second, two significant digits and whole from 10 on: "0.45", "3.4", "17".
std::string tok_per_s_text(TokensPerSecond rate);
/// "3.4-17", from low to high; one number where they read the same.
std::string tok_per_s_text(TokensPerSecond low, TokensPerSecond high);
std::string power_text(Watts power);                  ///< "350 W"
std::string ms_text(SecondsPerToken time);            ///< "1.4 ms"
std::string ms3_text(SecondsPerToken time);           ///< "0.033 ms"
std::string count_text(std::int64_t count);           ///< "131,072"
std::string count_text(Tokens count);                 ///< "131,072"
std::string fixed_text(double number, int decimals);  ///< "1,234.5"

// ---- printing for files: parse(exact_text(x)) == x ------------------------------------------------------

std::string exact_text(
    Bytes size);  ///< "24 GiB" where whole, else "10922 MiB" where whole, else "4683075271 B"
std::string exact_text(BytesPerSecond rate);   ///< "936 GB/s"
std::string exact_text(FlopsPerSecond rate);   ///< "142 TFLOPS"
std::string exact_text(Watts power);           ///< "350 W"
std::string exact_text(SecondsPerToken time);  ///< "1.4 ms"
std::string exact_text(TokensPerSecond rate);  ///< "38.2 tok/s"

// ---- times for people ---------------------------------------------------------------------------------

/// A span of time in the unit that suits its longer end: "0.3-0.9 s", "1.2-2.5 min", "2-3 h"; one figure
/// where both read the same. Below 10 with one decimal.
std::string duration_text(Seconds low, Seconds high);

}  // namespace r1fit
