#include "r1fit/own_runs.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace r1fit {
namespace {

/// No speed is said to be known better than this, as for published devices (speed_spread.cpp).
constexpr double kLeast = 0.04;
/// Where the runs of one machine scatter as far as those of all its kind do, so much of the kind's variance
/// is that of machines all the same: a judgement, for classes of few runs.
constexpr double kLeastOfMachine = 0.5;

/// All runs of one model and quantisation: what one of them gets wrong the others do as well.
struct Group {
  const Shape* shape;
  const Quant* quant;
  double sum = 0;
  int runs = 0;

  [[nodiscard]] double mean() const { return sum / runs; }
};

std::vector<Group> groups_of(std::span<const OwnRun> runs) {
  std::vector<Group> groups;
  for (const OwnRun& run : runs) {
    auto known = std::ranges::find_if(
        groups, [&](const Group& one) { return one.shape == run.shape && one.quant == run.quant; });
    if (known == groups.end()) known = groups.insert(groups.end(), {run.shape, run.quant});
    known->sum += run.deviation;
    ++known->runs;
  }
  return groups;
}

double square(double x) { return x * x; }

/// What `expected` of the scatter between models becomes where runs of several show more of it; it counts as
/// much as three of them, since most machines have no more. Runs that agree make none smaller: few do so by
/// chance.
double seen_scatter(const std::vector<Group>& groups, double expected) {
  constexpr double expected_counts = 3;
  if (groups.size() < 2) return expected;
  double mean = 0;
  for (const Group& group : groups) mean += group.mean() / static_cast<double>(groups.size());
  double squares = 0;
  for (const Group& group : groups) squares += square(group.mean() - mean);
  const double seen =
      (expected_counts * expected + squares) / (expected_counts + static_cast<double>(groups.size() - 1));
  return std::max(expected, seen);
}

/// A value that is not known exactly.
struct Belief {
  double mean;
  double variance;

  /// After it was seen to be `value`, give or take.
  [[nodiscard]] Belief after(double value, double noise) const {
    const double weight = variance / (variance + noise);
    return {mean + weight * (value - mean), variance * (1.0 - weight)};
  }
};

}  // namespace

std::string own_text(const OwnFactor& own) {
  std::string text =
      std::to_string(own.runs) + (own.runs == 1 ? " run" : " runs") + " of yours of " + own.from;
  if (own.to != own.from) text += " to " + own.to;
  return text;
}

OwnFactor own_factor(std::span<const OwnRun> runs, const Shape& shape, const Quant* quant, Spread kind,
                     const SpeedFamily& family, bool gpu) {
  const double of_kind = square(scale_of(kind));
  const Spread run{family.run_low, family.run_high};
  const double of_run = square(scale_of(run));
  const double machines = std::max(of_kind - of_run, kLeastOfMachine * of_kind);
  const double scatter = of_kind - machines;  // of one machine's runs
  const std::vector<Group> groups = groups_of(runs);
  const double between = seen_scatter(groups, scatter);
  const auto scatter_of = [&](const Shape& of) {
    return between + square(scale_of(spread_on(run, of, family, gpu))) - of_run;
  };
  Belief machine{0, machines};
  const Group* same = nullptr;
  for (const Group& group : groups) {
    if (group.shape == &shape && group.quant == quant) {
      same = &group;
    } else {
      machine = machine.after(group.mean(), scatter_of(*group.shape));
    }
  }
  Belief speed{machine.mean, machine.variance + scatter_of(shape)};
  // It may have run at another depth.
  if (same != nullptr) speed = speed.after(same->mean(), scatter);
  const double before = square(scale_of(spread_on(kind, shape, family, gpu)));
  const double after = std::min(before, std::max(speed.variance, square(kLeast)));
  const auto [first, last] = std::ranges::minmax(runs, {}, &OwnRun::date);
  return {std::exp(speed.mean), spread_of(std::sqrt(after)), static_cast<int>(runs.size()), first.date,
          last.date};
}

}  // namespace r1fit
