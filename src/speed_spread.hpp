// How far measurements lie from predictions, by class of hardware, and what is known beyond its class of a
// device that was measured. Part of r1fit-eval, not of the program.
#pragma once

#include <vector>

#include "speed_fit.hpp"

namespace r1fit {

/// Where 80 % of such residuals are meant to lie for hardware without runs of its own.
struct Interval {
  double low;
  double high;
};
Interval interval(const SpeedRow& row, const Constants& constants);

/// Sets the spreads of `constants` from residuals of leave_hardware_out(); returns what is known beyond its
/// class of each device with runs of its own.
std::vector<MeasuredDevice> calibrate_spreads(const Catalog& catalog, const std::vector<SpeedRow>& rows,
                                              const std::vector<double>& left_out, Constants& constants);

/// All of data/speed.json made anew of the measurements of a catalogue.
struct Fitted {
  SpeedRows found;
  Constants constants;
  std::vector<double> left_out;  ///< residuals, see leave_hardware_out()
  std::vector<MeasuredDevice> devices;
};
Fitted fitted(const Catalog& catalog);

}  // namespace r1fit
