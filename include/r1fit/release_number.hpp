// How releases of engines are named: by version number or by month.
#pragma once

#include <array>
#include <compare>
#include <optional>
#include <string_view>

namespace r1fit {

/// "0.13.4"; what is left out is 0, so that "0.13" is 0.13.0.
struct ReleaseNumber {
  std::array<int, 4> parts{};
  auto operator<=>(const ReleaseNumber&) const = default;
};

/// Nothing where `text` is not one to four numbers with dots between.
std::optional<ReleaseNumber> release_number(std::string_view text);

/// Whether `text` is a month, "2025-03".
bool is_month(std::string_view text);

}  // namespace r1fit
