// What the cards of a machine draw and what they cost, as far as the catalogue knows.
#pragma once

#include <optional>

#include "r1fit/machine.hpp"

namespace r1fit {

/// The price of one at launch, USD. Unset where it is not known, or where the device was sold in several
/// memory sizes and the catalogue does not say which of them was so priced.
std::optional<double> launch_price_usd(const Gpu& gpu);

/// The machine around the cards, its RAM and its CPU are in none of it.
struct Outlay {
  std::optional<Watts> board_power;  ///< of all cards together; unset: not known of one of them, or no card
  std::optional<double> price_usd;   ///< of all cards together, each at launch; unset likewise
  int first_year = 0;                ///< of the launches that the price is of; 0: no price
  int last_year = 0;
};

Outlay outlay_of(const Machine& machine);

}  // namespace r1fit
