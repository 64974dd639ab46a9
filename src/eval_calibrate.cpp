// What one run of one's own is worth: each measured device left out of the fit, calibrated with one of its
// runs, and held against the others.
#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "eval.hpp"
#include "r1fit/own_runs.hpp"
#include "r1fit/units_text.hpp"
#include "speed_spread.hpp"

namespace r1fit {
namespace {

/// Devices of fewer runs say little of how one run stands to the others.
constexpr std::size_t kFewest = 4;

std::string percent(double share) { return fixed_text(100 * share, 1) + " %"; }

/// One run predicted before and after another of the device was taken for the user's own.
struct Trial {
  double before;  ///< size of the error of the speed
  double after;
  bool in_before;
  bool in_after;
  double width_before;  ///< high end of the range over its low end
  double width_after;
};

double error_of(double residual) { return std::abs(std::exp(-residual) - 1.0); }

bool inside(double residual, Spread spread) {
  return residual >= std::log(spread.low) && residual <= std::log(spread.high);
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

/// How trials of all devices went; a device counts once, however many runs there are of it.
struct Outcome {
  std::map<std::string, std::vector<Trial>> devices;

  [[nodiscard]] std::vector<double> medians(double Trial::*figure) const {
    std::vector<double> medians;
    for (const auto& [device, trials] : devices) {
      std::vector<double> values;
      for (const Trial& trial : trials) values.push_back(trial.*figure);
      medians.push_back(median(values));
    }
    return medians;
  }
  [[nodiscard]] double of(double Trial::*figure) const { return median(medians(figure)); }
  /// The mean of the devices' medians.
  [[nodiscard]] double mean(double Trial::*figure) const {
    const std::vector<double> each = medians(figure);
    return each.empty() ? 0
                        : std::accumulate(each.begin(), each.end(), 0.0) / static_cast<double>(each.size());
  }
  [[nodiscard]] double share(bool Trial::*flag) const {
    if (devices.empty()) return 0;
    double sum = 0;
    for (const auto& [device, trials] : devices)
      sum += static_cast<double>(std::ranges::count(trials, true, flag)) / static_cast<double>(trials.size());
    return sum / static_cast<double>(devices.size());
  }
  [[nodiscard]] std::size_t number() const {
    std::size_t sum = 0;
    for (const auto& [device, trials] : devices) sum += trials.size();
    return sum;
  }
};

Trial trial_of(const Fitted& all, std::size_t own, std::size_t other) {
  const SpeedRow& row = all.found.rows[other];
  const Measurement& run = *row.measurement;
  const SpeedRow::Part& part = row.parts.front();
  const SpeedFit& fit = all.constants.fits[part.fit];
  const SpeedFamily& family = all.constants.families[all.constants.family_of[part.fit]];
  const Spread kind{fit.low, fit.high};
  const bool gpu = part.cores == 0;
  const Measurement& mine = *all.found.rows[own].measurement;
  const std::array runs{OwnRun{mine.model->shape, mine.quant, all.left_out[own]}};
  const OwnFactor with = own_factor(runs, *run.model->shape, run.quant, kind, family, gpu);
  const Spread without = spread_on(kind, *run.model->shape, family, gpu);
  const double residual = all.left_out[other];
  const double rest = residual - std::log(with.factor);
  return {error_of(residual),         error_of(rest),
          inside(residual, without),  inside(rest, with.spread),
          without.high / without.low, with.spread.high / with.spread.low};
}

}  // namespace

Evaluation evaluate_calibration() {
  const Fitted all = fitted(builtin_catalog());
  // A card under CUDA and under Vulkan is two devices, as it is to the store.
  std::map<std::string, std::vector<std::size_t>> devices;
  for (std::size_t r = 0; r < all.found.rows.size(); ++r) {
    const SpeedRow& row = all.found.rows[r];
    if (!counts(row) || row.hardware.size() != 1) continue;
    devices[row.hardware.front() + ", " + std::string(all.constants.fits[row.parts.front().fit].id)]
        .push_back(r);
  }
  std::array<std::pair<std::string, Outcome>, 5> groups{{{"all other runs of the device", {}},
                                                         {"runs of the same report", {}},
                                                         {"... the same model and quantisation", {}},
                                                         {"... another of them", {}},
                                                         {"runs of another report", {}}}};
  MarkdownTable table({"device", ">runs", ">others: median error before", ">after",
                       ">same report: median error before", ">after", ">in range before", ">after"});
  for (const auto& one_device : devices) {
    // clang 14 captures no parts of it.
    const std::string& device = one_device.first;
    const std::vector<std::size_t>& rows = one_device.second;
    if (rows.size() < kFewest) continue;
    for (const std::size_t own : rows) {
      for (const std::size_t other : rows) {
        if (own == other) continue;
        const Measurement& mine = *all.found.rows[own].measurement;
        const Measurement& run = *all.found.rows[other].measurement;
        const Trial trial = trial_of(all, own, other);
        const bool same_report = mine.source == run.source;
        const bool same_model = mine.model->shape == run.model->shape && mine.quant == run.quant;
        const auto to = [&](std::size_t group) { groups.at(group).second.devices[device].push_back(trial); };
        to(0);
        if (same_report) to(1);
        if (same_report) to(same_model ? 2 : 3);
        if (!same_report) to(4);
      }
    }
    const auto of_device = [&](std::size_t group) {
      Outcome one;
      const auto& known = groups.at(group).second.devices;
      if (const auto found = known.find(device); found != known.end()) one.devices.insert(*found);
      return one;
    };
    const Outcome others = of_device(0);
    const Outcome same = of_device(1);
    table.add({device, count_text(static_cast<std::int64_t>(rows.size())), percent(others.of(&Trial::before)),
               percent(others.of(&Trial::after)), percent(same.of(&Trial::before)),
               percent(same.of(&Trial::after)), percent(same.share(&Trial::in_before)),
               percent(same.share(&Trial::in_after))});
  }
  MarkdownTable summary({"held against", ">devices", ">pairs", ">median error before", ">after",
                         ">mean of the devices' medians before", ">after", ">in range before", ">after",
                         ">high / low before", ">after"});
  for (const auto& [name, outcome] : groups) {
    summary.add({name, count_text(static_cast<std::int64_t>(outcome.devices.size())),
                 count_text(static_cast<std::int64_t>(outcome.number())), percent(outcome.of(&Trial::before)),
                 percent(outcome.of(&Trial::after)), percent(outcome.mean(&Trial::before)),
                 percent(outcome.mean(&Trial::after)), percent(outcome.share(&Trial::in_before)),
                 percent(outcome.share(&Trial::in_after)), fixed_text(outcome.of(&Trial::width_before), 2),
                 fixed_text(outcome.of(&Trial::width_after), 2)});
  }
  Evaluation result;
  result.text =
      "Devices of four runs and more, each left out of the fit, calibrated with one of its runs and held\n"
      "against the others, over every choice of the run. A device counts once. A report is one machine.\n\n" +
      summary.text() + "By device:\n\n" + table.text();
  // The last row is somebody else's machine, which a run of one's own says little of; the first has more of
  // those than of one's own.
  for (std::size_t i = 0; i + 1 < groups.size(); ++i) {
    const auto& [name, outcome] = groups.at(i);
    if (outcome.mean(&Trial::after) > outcome.mean(&Trial::before))
      result.faults.push_back(name + ": calibration raises the error");
    if (i > 0 && outcome.of(&Trial::after) > outcome.of(&Trial::before))
      result.faults.push_back(name + ": calibration raises the median error");
    if (outcome.of(&Trial::width_after) > outcome.of(&Trial::width_before))
      result.faults.push_back(name + ": calibration widens the ranges");
  }
  const double covered = groups.at(1).second.share(&Trial::in_after);
  if (covered < 0.7)
    result.faults.push_back("with calibration ranges hold " + percent(covered) +
                            " of the runs of the same report, allowed 70 % and more");
  return result;
}

}  // namespace r1fit
