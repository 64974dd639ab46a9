// What ran in a benchmark, found in the catalogue: model, quantisation and hardware.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "r1fit/bench_output.hpp"
#include "r1fit/calibration_store.hpp"
#include "r1fit/query.hpp"

namespace r1fit {

/// What the user says of the runs; it wins over what their output says.
struct CalibrateQuery {
  HardwareQuery hardware;  ///< cards, CPU and backend
  NeedsQuery needs;        ///< model and quantisation
  std::optional<KvType> kv;
};

/// The run as it is kept, from the file `source`, read on the day `today`. Throws Error, naming the flag that
/// helps, where it cannot be told what ran or on what, and with the arithmetic where such a speed cannot be.
KeptRun identified(const Catalog& catalog, const BenchRun& run, const CalibrateQuery& query,
                   const std::string& source, const std::string& today);

/// Why nothing can be learnt of the hardware from a run that is otherwise sound: it is not wholly on the
/// cards or wholly on the CPU, or laid out in a way that is not modelled. Empty where something can.
std::string set_aside(const Catalog& catalog, const BenchRun& run, const CalibrateQuery& query);

}  // namespace r1fit
