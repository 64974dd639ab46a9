// Fits the constants of the decode model to the published measurements of a catalogue: the formula that
// estimates use, least squares of logarithms with stated priors. Part of r1fit-eval, not of the program.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "r1fit/catalog.hpp"
#include "r1fit/decode.hpp"

namespace r1fit {

/// One measurement as the model sees it.
struct SpeedRow {
  /// One processor's part of a token.
  struct Part {
    Work work;
    BytesPerSecond bandwidth;
    FlopsPerSecond fp32;
    int cores;
    std::size_t fit;  ///< place in Constants::fits
  };
  const Measurement* measurement;
  std::vector<Part> parts;
  std::optional<std::size_t> engine;  ///< place in Constants::engines of one with CPU code of its own
  bool older;                         ///< software of before 2025
  std::string key;                    ///< the hardware that is left out together
  std::vector<std::string> hardware;  ///< ids of its devices and its host
};

/// The rows that can be used, and for each that cannot the reason.
struct SpeedRows {
  std::vector<SpeedRow> rows;
  std::vector<std::string> left_out;
};
SpeedRows speed_rows(const Catalog& catalog);

/// What is fitted.
struct Constants {
  std::vector<SpeedFamily> families;
  std::vector<SpeedFit> fits;  ///< `family` points into the catalogue; see `family_of`
  std::vector<EngineSpeed> engines;
  std::vector<std::size_t> family_of;  ///< place in `families` of each fit
  std::vector<double> parameters;      ///< where the search ended
};

/// The constants most likely given the rows and the priors, the search beginning at `start` where it is not
/// empty and ending where a step gains less than `enough` of the loss.
Constants fit_speed(const Catalog& catalog, const std::vector<const SpeedRow*>& rows,
                    const std::vector<double>& start = {}, double enough = 1e-6);

/// Seconds a token; rows of older software with the factors for it.
SecondsPerToken predicted(const SpeedRow& row, const Constants& constants);

/// ln(measured speed / predicted speed).
double residual(const SpeedRow& row, const Constants& constants);

/// The residual of each row against constants fitted without its hardware.
std::vector<double> leave_hardware_out(const Catalog& catalog, const std::vector<SpeedRow>& rows,
                                       const Constants& all);

/// Seconds a token if every memory were read at its full bandwidth.
SecondsPerToken bandwidth_time(const SpeedRow& row);

bool has_experts(const SpeedRow& row);
/// Whether part of it ran on a CPU.
bool uses_cpu(const SpeedRow& row);
/// Recent software, and more than a claim.
bool counts(const SpeedRow& row);

/// Seconds a token of the part of a row with the number `at`.
SecondsPerToken part_time(const SpeedRow& row, std::size_t at, const Constants& constants);

/// Sets how many runs are behind each class, family and engine.
void count_runs(const std::vector<SpeedRow>& rows, Constants& constants);

/// Three digits: no more is known, and compilers agree on them.
double rounded(double value);
SecondsPerToken rounded(SecondsPerToken value);
Constants rounded_constants(Constants constants);

}  // namespace r1fit
