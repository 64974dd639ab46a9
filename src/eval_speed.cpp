#include <algorithm>
#include <cmath>
#include <map>

#include "eval.hpp"
#include "r1fit/catalog_export.hpp"
#include "r1fit/units_text.hpp"
#include "speed_spread.hpp"

namespace r1fit {
namespace {

std::string percent(double share) { return fixed_text(100 * share, 1) + " %"; }

/// predicted / measured - 1, of speeds.
double error_of(double residual) { return std::exp(-residual) - 1.0; }

/// Errors of one group of rows. A device of twenty runs counts as much as one of a single run.
struct Group {
  struct One {
    double model;
    double roofline;
    double flat;
    bool inside;
    std::string hardware;
  };
  std::vector<One> ones;
  std::map<std::string, int> hardware;

  [[nodiscard]] double weight(const One& one) const {
    return 1.0 / static_cast<double>(hardware.at(one.hardware));
  }
  [[nodiscard]] double quantile(double One::*error, double share) const {
    std::vector<std::pair<double, double>> values;
    for (const One& one : ones) values.emplace_back(one.*error, weight(one));
    std::ranges::sort(values);
    double below = 0;
    for (const auto& [value, part] : values) {
      below += part;
      if (below >= share * static_cast<double>(hardware.size()) - 1e-9) return value;
    }
    return 0;
  }
  [[nodiscard]] double covered() const {
    double sum = 0;
    for (const One& one : ones) sum += one.inside ? weight(one) : 0.0;
    return sum / static_cast<double>(hardware.size());
  }
  /// The same two with each run counted once.
  [[nodiscard]] double run_covered() const {
    const auto inside = std::ranges::count(ones, true, &One::inside);
    return static_cast<double>(inside) / static_cast<double>(ones.size());
  }
  [[nodiscard]] double run_quantile(double share) const {
    std::vector<double> values;
    for (const One& one : ones) values.push_back(one.model);
    std::ranges::sort(values);
    return values[static_cast<std::size_t>(std::ceil(share * static_cast<double>(values.size() - 1) - 1e-9))];
  }
};

void add(Group& group, const SpeedRow& row, double residual, const Constants& constants) {
  constexpr double flat_share = 0.7;
  const double roofline = 1.0 / (row.measurement->decode.count() * bandwidth_time(row).count());
  const Interval range = interval(row, constants);
  group.ones.push_back({std::abs(error_of(residual)), std::abs(roofline - 1.0),
                        std::abs(flat_share * roofline - 1.0),
                        residual >= range.low && residual <= range.high, row.key});
  ++group.hardware[row.key];
}

std::string name_of_class(const Catalog& catalog, const SpeedRow& row) {
  return std::string(catalog.speed_fits[row.parts.front().fit].id);
}

std::string one_run(const SpeedRow& row) {
  const Measurement& run = *row.measurement;
  return std::string(run.hardware) + ", " + std::string(run.model->id) + " " + std::string(run.quant->id) +
         ", " + std::string(run.engine);
}

MarkdownTable table_of(const std::vector<std::pair<std::string, Group>>& groups) {
  using One = Group::One;
  MarkdownTable table({"runs", ">number", ">devices", ">median error", ">90 % within", ">in range",
                       ">by run: median", ">90 % within", ">in range", ">bandwidth alone", ">90 % within",
                       ">0.7 of it", ">90 % within"});
  for (const auto& [name, group] : groups) {
    if (group.ones.empty()) continue;
    table.add({name, count_text(static_cast<std::int64_t>(group.ones.size())),
               count_text(static_cast<std::int64_t>(group.hardware.size())),
               percent(group.quantile(&One::model, 0.5)), percent(group.quantile(&One::model, 0.9)),
               percent(group.covered()), percent(group.run_quantile(0.5)), percent(group.run_quantile(0.9)),
               percent(group.run_covered()), percent(group.quantile(&One::roofline, 0.5)),
               percent(group.quantile(&One::roofline, 0.9)), percent(group.quantile(&One::flat, 0.5)),
               percent(group.quantile(&One::flat, 0.9))});
  }
  return table;
}

/// The text of data/speed.json with what was fitted.
std::string text_of(Fitted all) {
  const Catalog& built_in = builtin_catalog();
  std::vector<std::string> texts;
  texts.reserve(all.constants.fits.size() + all.constants.families.size() + all.constants.engines.size());
  const auto runs = [](int number) { return count_text(number) + (number == 1 ? " run" : " runs"); };
  const auto devices = [](int number) { return count_text(number) + (number == 1 ? " device" : " devices"); };
  for (SpeedFamily& family : all.constants.families) {
    texts.push_back("fitted to " + runs(family.measurements) +
                    " of data/measurements.json by r1fit-eval fit");
    family.source = texts.back();
  }
  for (SpeedFit& fit : all.constants.fits) {
    const int number = fit.measurements + fit.expert_measurements;
    texts.push_back(number == 0 ? "no published run: what its family has in common, with a wide range"
                                : "fitted to " + runs(number) + " on " + devices(fit.devices) +
                                      " of data/measurements.json by r1fit-eval fit");
    fit.source = texts.back();
  }
  for (EngineSpeed& engine : all.constants.engines) {
    texts.push_back("fitted to " + runs(engine.measurements) + " on " + devices(engine.devices) +
                    " of data/measurements.json by r1fit-eval fit");
    engine.source = texts.back();
  }
  for (std::size_t c = 0; c < all.constants.fits.size(); ++c)
    all.constants.fits[c].family = &all.constants.families[all.constants.family_of[c]];
  Catalog catalog = built_in;
  catalog.speed_families = all.constants.families;
  catalog.engine_speeds = all.constants.engines;
  catalog.speed_fits = all.constants.fits;
  catalog.measured_devices = all.devices;
  return export_catalog(catalog).speed;
}

}  // namespace

std::string fitted_speed() { return text_of(fitted(builtin_catalog())); }

Evaluation evaluate_speed() {
  const Catalog& catalog = builtin_catalog();
  const Fitted all = fitted(catalog);
  std::vector<std::pair<std::string, Group>> groups{{"one GPU, all resident, 2025 and later", {}},
                                                    {"one GPU, all resident, not older", {}},
                                                    {"several GPUs, layer split, not older", {}},
                                                    {"several GPUs, layer split, all years", {}},
                                                    {"CPU only", {}},
                                                    {"671B, experts in host memory", {}},
                                                    {"671B, experts in host memory, one socket", {}},
                                                    {"671B on GPUs or Apple alone", {}},
                                                    {"builds of before 2025, with the stated factors", {}}};
  std::map<std::string, Group> classes;
  Group everything;
  std::vector<std::pair<double, std::string>> worst;
  for (std::size_t r = 0; r < all.found.rows.size(); ++r) {
    const SpeedRow& row = all.found.rows[r];
    const double residual = all.left_out[r];
    const auto to = [&](std::size_t place) { add(groups[place].second, row, residual, all.constants); };
    const bool several = row.parts.size() > 1;
    const bool resident = !uses_cpu(row);
    if (resident && several && !has_experts(row)) to(3);
    if (row.older) {
      to(8);
      continue;
    }
    if (resident && !several && !has_experts(row)) {
      to(1);
      if (row.measurement->year) to(0);
    }
    if (resident && several) to(2);
    if (row.measurement->placement == PlacementMode::cpu) to(4);
    if (row.measurement->placement == PlacementMode::experts_on_host) {
      to(5);
      if (row.measurement->host->sockets == 1) to(6);
    }
    if (resident && has_experts(row)) to(7);
    add(everything, row, residual, all.constants);
    if (!has_experts(row)) add(classes[name_of_class(catalog, row)], row, residual, all.constants);
    worst.emplace_back(std::abs(residual),
                       one_run(row) + ": " + fixed_text(row.measurement->decode.count(), 1) + " measured, " +
                           fixed_text(row.measurement->decode.count() * std::exp(-residual), 1) +
                           " predicted without it");
  }
  groups.emplace_back("all of these that are not older", everything);

  Evaluation result;
  result.text =
      "Each run predicted by constants fitted without its hardware; errors are of speeds. A device counts\n"
      "once, however many runs there are of it, but in the columns \"by run\".\n\n" +
      table_of(groups).text();
  std::vector<std::pair<std::string, Group>> by_class(classes.begin(), classes.end());
  result.text += "By class, dense models, recent software:\n\n" + table_of(by_class).text();
  std::ranges::sort(worst, std::greater<>());
  constexpr std::size_t shown = 12;
  result.text += "The runs furthest off:\n\n";
  for (std::size_t i = 0; i < std::min(shown, worst.size()); ++i)
    result.text += "- " + worst[i].second + "\n";
  result.text += "\nLeft out of the fit:\n\n";
  for (const std::string& reason : all.found.left_out) result.text += "- " + reason + "\n";

  if (text_of(all) != export_catalog(catalog).speed)
    result.faults.emplace_back(
        "data/speed.json is not what `r1fit-eval fit` makes of data/measurements.json");
  const auto hold = [&](std::size_t place, double median, double high) {
    const auto& [name, group] = groups[place];
    const double middle = group.quantile(&Group::One::model, 0.5);
    const double most = group.quantile(&Group::One::model, 0.9);
    if (middle > median)
      result.faults.push_back(name + ": median error " + percent(middle) + ", allowed " + percent(median));
    if (most > high)
      result.faults.push_back(name + ": 90 % within " + percent(most) + ", allowed " + percent(high));
  };
  constexpr double any = 1e9;
  hold(0, 0.08, 0.25);
  hold(2, 0.12, any);
  hold(3, 0.12, any);
  hold(4, 0.20, any);
  hold(5, 0.12, any);
  for (const double covered : {everything.covered(), everything.run_covered()}) {
    if (covered < 0.75 || covered > 0.88)
      result.faults.push_back("ranges hold " + percent(covered) + " of all runs, allowed 75 to 88 %");
  }
  constexpr std::size_t enough = 10;
  constexpr std::size_t enough_devices = 5;
  for (const auto& [name, group] : by_class) {
    if (group.ones.size() >= enough && group.hardware.size() >= enough_devices &&
        (group.covered() < 0.65 || group.covered() > 0.95))
      result.faults.push_back(name + ": ranges hold " + percent(group.covered()) + ", allowed 65 to 95 %");
  }
  return result;
}

}  // namespace r1fit
