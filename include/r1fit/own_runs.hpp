// What runs of the user's own say of the processor they ran on, beyond what is published of its kind.
#pragma once

#include <span>
#include <string>

#include "r1fit/spread.hpp"

namespace r1fit {

/// A run of one's own beside what was expected of it.
struct OwnRun {
  const Shape* shape;
  const Quant* quant;
  double deviation;       ///< ln(measured speed / typical speed without any such run)
  std::string date = {};  ///< "2026-11-22"
};

/// What runs make of a typical speed and of its spread.
struct OwnFactor {
  double factor;
  Spread spread;  ///< around the typical speed times the factor; never wider than without the runs
  int runs;
  std::string from;  ///< date of the first ...
  std::string to;    ///< ... and of the last
};

/// "2 runs of yours of 2026-11-22", "3 runs of yours of 2026-11-20 to 2026-11-22".
std::string own_text(const OwnFactor& own);

/// What `runs` say of a model of `shape` as `quant` (null: as one that none of them is of) on the same
/// processor, whose kind has the spread `kind` for a usual model. At least one run.
///
/// A machine differs from its kind, and on each machine the runs differ from one another (`run_low` and
/// `run_high` of the family). Runs of other models tell of the machine alone, so they are drawn towards the
/// kind, the less the more models ran; runs of the very model and quantisation tell of both. Several of one
/// model count as one: what the formula gets wrong of it they share.
OwnFactor own_factor(std::span<const OwnRun> runs, const Shape& shape, const Quant* quant, Spread kind,
                     const SpeedFamily& family, bool gpu);

}  // namespace r1fit
