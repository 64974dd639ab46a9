// A user's own prices: a CSV file with the columns name and price.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "r1fit/plan.hpp"

namespace r1fit {

/// The prices in `text`, USD. A name is looked up as --gpu does, then as --cpu does. Throws Error naming
/// `file` and the line where a name or a price is wrong, or a thing has two prices.
std::vector<OwnPrice> parse_prices(const Catalog& catalog, std::string_view text, std::string_view file);

/// The same from the file. Throws Error where it cannot be read.
std::vector<OwnPrice> read_prices(const Catalog& catalog, const std::string& file);

}  // namespace r1fit
