#include "speed_spread.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <string>
#include <tuple>
#include <utility>

#include "r1fit/spread.hpp"

namespace r1fit {
namespace {

/// 80 % of a normal distribution lie within so many standard deviations.
constexpr double kNormal = 1.2816;
/// No class and no device is said to be known better than this.
constexpr double kLeast = 0.04;
/// What all classes together say of one counts as so many devices of it.
constexpr double kBorrowedByNarrow = 1.0;
constexpr double kBorrowedByWide = 0.5;
/// A class without runs is as much wider than the widest it may be like.
constexpr double kUnmeasured = 1.5;

/// A residual, and how much it counts.
struct Weighed {
  double value;
  double weight;
};

/// How many devices they are of.
double devices_of(const std::vector<Weighed>& residuals) {
  return std::accumulate(residuals.begin(), residuals.end(), 0.0,
                         [](double sum, const Weighed& one) { return sum + one.weight; });
}

/// The value below which `share` of the weight lies.
double quantile(std::vector<Weighed> values, double share) {
  std::ranges::sort(values, {}, &Weighed::value);
  const double all = devices_of(values);
  double below = 0;
  for (const Weighed& one : values) {
    below += one.weight;
    if (below >= share * all) return one.value;
  }
  return values.empty() ? 0.0 : values.back().value;
}

/// The standard deviation of a normal distribution that has as much within the same distance of 0.
double scale_of(const std::vector<Weighed>& residuals) {
  std::vector<Weighed> sizes = residuals;
  for (Weighed& one : sizes) one.value = std::abs(one.value);
  return quantile(sizes, 0.8) / kNormal;
}

double low_of(double scale) { return rounded(std::exp(-kNormal * std::max(scale, kLeast))); }
double high_of(double scale) { return rounded(std::exp(kNormal * std::max(scale, kLeast))); }

/// A device under one class: a card has one under CUDA and one under Vulkan.
using DeviceKey = std::pair<std::size_t, std::string>;

/// Residuals of rows that count; each device has the weight 1, however many runs there are of it.
class Residuals {
 public:
  Residuals(const std::vector<SpeedRow>& rows, const std::vector<double>& left_out)
      : rows_(rows), left_out_(left_out) {
    for (const SpeedRow& row : rows) {
      if (counts(row)) ++runs_[key_of(row)];
    }
  }

  /// Those of the rows that `chosen` says yes to.
  template <class Chosen>
  [[nodiscard]] std::vector<Weighed> of(const Chosen& chosen) const {
    std::vector<Weighed> residuals;
    residuals.reserve(rows_.size());
    for (std::size_t r = 0; r < rows_.size(); ++r) {
      if (!counts(rows_[r]) || !chosen(rows_[r])) continue;
      residuals.push_back({left_out_[r], 1.0 / static_cast<double>(runs_.at(key_of(rows_[r])))});
    }
    return residuals;
  }

  /// The share of their weight that lies within the range of its row.
  template <class Chosen>
  [[nodiscard]] double inside(const Chosen& chosen, const Constants& constants) const {
    double all = 0;
    double within = 0;
    for (std::size_t r = 0; r < rows_.size(); ++r) {
      if (!counts(rows_[r]) || !chosen(rows_[r])) continue;
      const double weight = 1.0 / static_cast<double>(runs_.at(key_of(rows_[r])));
      const Interval range = interval(rows_[r], constants);
      all += weight;
      if (left_out_[r] >= range.low && left_out_[r] <= range.high) within += weight;
    }
    return all > 0 ? within / all : 1.0;
  }

 private:
  static DeviceKey key_of(const SpeedRow& row) { return {row.parts.front().fit, row.key}; }

  const std::vector<SpeedRow>& rows_;
  const std::vector<double>& left_out_;
  std::map<DeviceKey, int> runs_;
};

/// The scale of each class, dense models.
std::vector<double> class_scales(const Residuals& residuals, std::size_t classes) {
  const double pooled = scale_of(residuals.of([](const SpeedRow& row) { return !has_experts(row); }));
  std::vector<double> scales;
  std::vector<std::size_t> without;
  scales.reserve(classes);
  for (std::size_t c = 0; c < classes; ++c) {
    std::vector<Weighed> own =
        residuals.of([c](const SpeedRow& row) { return !has_experts(row) && row.parts.front().fit == c; });
    // Two sockets are hardly known by dense models, and what varies there are the sockets.
    constexpr double more_than_one = 1.5;
    if (devices_of(own) < more_than_one) {
      const auto all = residuals.of([c](const SpeedRow& row) { return row.parts.back().fit == c; });
      if (devices_of(all) > more_than_one) own = all;
    }
    if (own.empty()) without.push_back(c);
    const double devices = devices_of(own);
    // A class of few devices borrows from all. That it is wide is believed sooner than that it is narrow.
    const double spread = own.empty() ? pooled : std::max(scale_of(own), kLeast);
    const double borrowed = spread > pooled ? kBorrowedByWide : kBorrowedByNarrow;
    scales.push_back(
        std::exp((borrowed * std::log(pooled) + devices * std::log(spread)) / (borrowed + devices)));
  }
  const double widest = *std::ranges::max_element(scales);
  for (const std::size_t c : without) scales[c] = kUnmeasured * std::min(widest, kUnmeasured * pooled);
  return scales;
}

/// Residuals of one device by where they were published. Runs of one report share its machine: what counts
/// is how far reports lie from one another.
struct Reports {
  std::map<std::string, std::vector<Weighed>> by_source;
  int runs = 0;

  [[nodiscard]] double count() const { return static_cast<double>(by_source.size()); }
  [[nodiscard]] double mean() const {
    double sum = 0;
    for (const auto& [source, residuals] : by_source) sum += quantile(residuals, 0.5);
    return sum / count();
  }
};

std::map<DeviceKey, Reports> reports_of(const std::vector<SpeedRow>& rows, const Constants& constants) {
  std::map<DeviceKey, Reports> devices;
  for (const SpeedRow& row : rows) {
    if (!counts(row) || row.parts.size() != 1 || row.hardware.size() != 1) continue;
    // A memory platform is no device: another processor on it is as good as another machine.
    if (uses_cpu(row) && !row.measurement->host->fp32) continue;
    Reports& reports = devices[{row.parts.front().fit, row.hardware.front()}];
    reports.by_source[std::string(row.measurement->source)].push_back({residual(row, constants), 1.0});
    ++reports.runs;
  }
  return devices;
}

/// How far a report lies from the mean of all of its device.
double scale_of_reports(const std::map<DeviceKey, Reports>& devices) {
  std::vector<Weighed> between;
  for (const auto& [key, reports] : devices) {
    if (reports.by_source.size() < 2) continue;
    const double few = std::sqrt(reports.count() / (reports.count() - 1));
    for (const auto& [source, residuals] : reports.by_source)
      between.push_back({(quantile(residuals, 0.5) - reports.mean()) * few, 1.0});
  }
  return std::max(kLeast, scale_of(between));
}

/// How far the runs of one report lie from the mean of all of them on its machine, by family of classes. A
/// family of few reports borrows from all, and none is taken to be steadier than all are together: what is
/// seen of it may be one model at one depth.
std::vector<double> scales_within_reports(const std::vector<SpeedRow>& rows,
                                          const std::vector<double>& left_out, const Constants& constants) {
  using Report = std::tuple<std::size_t, std::string, std::string>;  // class, hardware, source
  std::map<Report, std::vector<double>> reports;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const SpeedRow& row = rows[r];
    const SpeedRow::Part& part = row.parts.front();
    // Mixtures of experts and 1.5B on GPUs have a further spread of their own.
    const bool usual = !has_experts(row) && !(part.work.narrow && part.cores == 0);
    if (!counts(row) || row.hardware.size() != 1 || !usual) continue;
    reports[{part.fit, row.key, std::string(row.measurement->source)}].push_back(left_out[r]);
  }
  std::vector<Weighed> all;
  std::vector<std::vector<Weighed>> own(constants.families.size());
  std::vector<double> number(constants.families.size());
  for (const auto& [report, residuals] : reports) {
    if (residuals.size() < 2) continue;
    const auto runs = static_cast<double>(residuals.size());
    const double mean = std::accumulate(residuals.begin(), residuals.end(), 0.0) / runs;
    const std::size_t family = constants.family_of[std::get<0>(report)];
    number[family] += 1;
    for (const double one : residuals) {
      const Weighed deviation{(one - mean) * std::sqrt(runs / (runs - 1)), 1.0 / runs};
      all.push_back(deviation);
      own[family].push_back(deviation);
    }
  }
  const double pooled = std::max(scale_of(all), kLeast);
  std::vector<double> scales;
  scales.reserve(own.size());
  for (std::size_t f = 0; f < own.size(); ++f) {
    const double of_own = own[f].empty() ? pooled : std::max(scale_of(own[f]), pooled);
    scales.push_back(std::exp((std::log(pooled) + number[f] * std::log(of_own)) / (1.0 + number[f])));
  }
  return scales;
}

MeasuredDevice device_of(const Catalog& catalog, const DeviceKey& key) {
  MeasuredDevice device{};
  for (const Gpu& gpu : catalog.gpus) {
    if (gpu.id == key.second) device.gpu = &gpu;
  }
  for (const Host& host : catalog.hosts) {
    if (host.id == key.second) device.host = &host;
  }
  for (const SpeedClass& speed : catalog.speed_classes) {
    if (speed.fit == &catalog.speed_fits[key.first]) device.speed = &speed;
  }
  return device;
}

}  // namespace

Interval interval(const SpeedRow& row, const Constants& constants) {
  // As throughput.cpp does: the spread of each part's class, and of experts on top of it, over the parts'
  // shares of the time.
  Interval whole{0, 0};
  SecondsPerToken all;
  SecondsPerToken slow;
  SecondsPerToken fast;
  for (std::size_t i = 0; i < row.parts.size(); ++i) {
    const SpeedRow::Part& part = row.parts[i];
    const SpeedFit& fit = constants.fits[part.fit];
    const SpeedFamily& family = constants.families[constants.family_of[part.fit]];
    const SecondsPerToken time = part_time(row, i, constants);
    const Spread spread =
        spread_on({fit.low, fit.high}, *row.measurement->model->shape, family, part.cores == 0);
    all += time;
    slow += time / spread.low;
    fast += time / spread.high;
  }
  whole.low = std::log(all.count() / slow.count());
  whole.high = std::log(all.count() / fast.count());
  // Nothing is said to be faster than the bandwidth allows.
  const double limit = std::log(predicted(row, constants).count() / bandwidth_time(row).count());
  whole.high = std::min(whole.high, limit);
  return whole;
}

Fitted fitted(const Catalog& catalog) {
  Fitted all;
  all.found = speed_rows(catalog);
  std::vector<const SpeedRow*> rows;
  rows.reserve(all.found.rows.size());
  for (const SpeedRow& row : all.found.rows) rows.push_back(&row);
  const Constants exact = fit_speed(catalog, rows);
  all.left_out = leave_hardware_out(catalog, all.found.rows, exact);
  all.constants = rounded_constants(exact);
  count_runs(all.found.rows, all.constants);
  all.devices = calibrate_spreads(catalog, all.found.rows, all.left_out, all.constants);
  return all;
}

namespace {

/// Sets the further spread of a mixture of experts: the least with which 80 % of their runs, on GPUs alone or
/// with a CPU, are in range.
void spread_experts(const Residuals& residuals, bool cpu, Constants& constants) {
  const auto ranged = [&](double scale) {
    for (SpeedFamily& family : constants.families) {
      if ((family.id == "cpu") != cpu) continue;
      family.experts_low = low_of(scale);
      family.experts_high = high_of(scale);
    }
    return residuals.inside([cpu](const SpeedRow& row) { return has_experts(row) && uses_cpu(row) == cpu; },
                            constants);
  };
  constexpr double meant = 0.8;
  constexpr double step = 0.01;
  double scale = kLeast;
  while (scale < 1 && ranged(scale) < meant) scale += step;
}

}  // namespace

std::vector<MeasuredDevice> calibrate_spreads(const Catalog& catalog, const std::vector<SpeedRow>& rows,
                                              const std::vector<double>& left_out, Constants& constants) {
  const Residuals residuals(rows, left_out);
  const std::vector<double> scales = class_scales(residuals, constants.fits.size());
  for (std::size_t c = 0; c < scales.size(); ++c) {
    constants.fits[c].low = low_of(scales[c]);
    constants.fits[c].high = high_of(scales[c]);
  }
  spread_experts(residuals, false, constants);
  spread_experts(residuals, true, constants);

  const std::vector<double> within = scales_within_reports(rows, left_out, constants);
  for (std::size_t f = 0; f < within.size(); ++f) {
    constants.families[f].run_low = low_of(within[f]);
    constants.families[f].run_high = high_of(within[f]);
  }

  const std::map<DeviceKey, Reports> devices = reports_of(rows, constants);
  const double single = scale_of_reports(devices);
  std::vector<MeasuredDevice> measured;
  measured.reserve(devices.size());
  for (const auto& [key, reports] : devices) {
    MeasuredDevice device = device_of(catalog, key);
    // Its mean is drawn towards the class, the less the more reports there are.
    const double of_class = scales[key.first];
    const double own = reports.count() / (reports.count() + single * single / (of_class * of_class));
    const double wide = std::min(of_class, std::sqrt(single * single + of_class * of_class * (1.0 - own)));
    device.factor = rounded(std::exp(own * reports.mean()));
    device.low = low_of(wide);
    device.high = high_of(wide);
    device.measurements = reports.runs;
    measured.push_back(device);
  }
  return measured;
}

}  // namespace r1fit
