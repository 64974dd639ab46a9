// Values of flags as typed by a person, read strictly: one clear sentence naming the flag where they are not
// what the flag takes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "r1fit/claim.hpp"
#include "r1fit/units.hpp"

namespace r1fit {

/// A whole number within [least, most].
std::int64_t parse_whole(std::string_view flag, std::string_view text, std::int64_t least, std::int64_t most);

/// A positive decimal number of at most `most`; no sign, no exponent.
double parse_positive(std::string_view flag, std::string_view text, double most);

/// A context length: "8192", "8k" (8,192). Between 1 and 2^24 tokens.
Tokens parse_tokens(std::string_view flag, std::string_view text);

/// A bandwidth in GB/s, with or without the unit.
BytesPerSecond parse_bandwidth(std::string_view flag, std::string_view text);

/// Index of one of `words`; the sentence lists them all.
std::size_t parse_word(std::string_view flag, std::string_view text, std::span<const std::string_view> words);

/// A speed or a range of them in tok/s as people claim it: "45", "28.5-34", "0-5".
ClaimedSpeed parse_claimed_speed(std::string_view flag, std::string_view text);

/// A size as people claim it: "131GB" is decimal, "131GiB" binary, "131" decimal GB.
ClaimedSize parse_claimed_size(std::string_view flag, std::string_view text);

}  // namespace r1fit
