// The user's own measurements as text, and what they make of later answers.
#pragma once

#include <string>
#include <vector>

#include "r1fit/calibration_store.hpp"
#include "r1fit/report.hpp"

namespace r1fit {

/// What `calibrate` prints.
struct CalibrationReport {
  std::string store;          ///< path of the file
  std::vector<KeptRun> runs;  ///< those just added, or all
  std::vector<KeptRun> kept;  ///< all
};

/// The runs, each beside what is expected of it without any; and for their hardware what the runs kept make
/// of another model there.
std::string report(Format format, const CalibrationReport& calibration, const Catalog& catalog,
                   const PrintOptions& options);

}  // namespace r1fit
