// Reading the small texts of /proc and /sys. Private to the detect_*.cpp files.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace r1fit::proc {

/// Without white space and zero bytes at both ends.
std::string_view trimmed(std::string_view text);
std::vector<std::string_view> lines(std::string_view text);
/// The words between white space.
std::vector<std::string_view> words(std::string_view text);
/// The text behind "key:" or "key=" of the first line that begins so; nothing where there is none.
std::optional<std::string_view> value(std::string_view text, std::string_view key);

/// A whole decimal number and nothing else.
std::optional<std::int64_t> whole(std::string_view text);
/// The same in hexadecimal, with or without 0x; at most eight digits.
std::optional<std::uint32_t> hexadecimal(std::string_view text);
/// How many numbers stand in a list as the kernel prints it: "0-3,8" has five.
std::optional<int> count_of_list(std::string_view text);

std::string lower(std::string_view text);
/// `text` without every `part`.
std::string without(std::string text, std::string_view part);

}  // namespace r1fit::proc
