#include "r1fit/evidence.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdlib>

#include "r1fit/units_text.hpp"

namespace r1fit {
namespace {

constexpr std::size_t kMost = 3;

/// The hardware of a run beside that of the question.
enum class Kin : std::uint8_t { none, same, of_the_class };

/// The named hardware of the question.
struct Hardware {
  std::vector<MeasuredGpu> gpus;      // empty where a card has no name
  const SpeedClass* cards = nullptr;  // the class of all cards, where it is one
  const Host* host = nullptr;
  const SpeedClass* host_class = nullptr;
  std::optional<Backend> backend;
};

Hardware hardware_of(const Machine& machine) {
  Hardware hardware;
  hardware.host = machine.host.platform;
  hardware.host_class = machine.host.speed;
  for (const Device& device : machine.devices) {
    if (device.gpu == nullptr) {
      hardware.gpus.clear();
      break;
    }
    hardware.backend = device.backend;
    const auto known =
        std::ranges::find_if(hardware.gpus, [&](const MeasuredGpu& one) { return one.gpu == device.gpu; });
    if (known == hardware.gpus.end()) {
      hardware.gpus.push_back({device.gpu, 1});
    } else {
      ++known->count;
    }
  }
  if (!hardware.gpus.empty()) hardware.cards = hardware.gpus.front().gpu->speed;
  for (const MeasuredGpu& one : hardware.gpus) {
    if (one.gpu->speed != hardware.cards) hardware.cards = nullptr;
  }
  return hardware;
}

int cards_in(List<MeasuredGpu> gpus) {
  int count = 0;
  for (const MeasuredGpu& one : gpus) count += one.count;
  return count;
}

bool same_cards(List<MeasuredGpu> run, List<MeasuredGpu> asked) {
  return !run.empty() && run.size() == asked.size() && std::ranges::all_of(run, [&](const MeasuredGpu& one) {
    return std::ranges::any_of(asked, [&](const MeasuredGpu& other) { return one.gpu == other.gpu; });
  });
}

bool cards_of_class(List<MeasuredGpu> run, const SpeedClass* cards) {
  return cards != nullptr && !run.empty() &&
         std::ranges::all_of(run, [&](const MeasuredGpu& one) { return one.gpu->speed == cards; });
}

/// How one run stands to the question.
struct Match {
  Kin kin = Kin::none;
  bool cards = false;  // the same cards
  bool host = false;   // the same platform
  bool shape = false;
  bool quant = false;
  bool laid_out = false;  // over the same memories
  bool backend = false;
  int cards_more = 0;
};

Match match_of(const Measurement& run, const Sought& sought, const Hardware& asked) {
  Match match;
  match.cards = same_cards(run.gpus, asked.gpus);
  match.host = run.host != nullptr && run.host == asked.host;
  match.shape = run.model->shape == sought.shape;
  match.quant = run.quant == sought.quant && run.ran_quant.empty();
  match.laid_out = run.placement == sought.mode;
  match.backend =
      !run.backend || !asked.backend || run.backend == asked.backend || sought.mode == PlacementMode::cpu;
  const bool host_of_class =
      run.host != nullptr && asked.host_class != nullptr && run.host->speed == asked.host_class;
  switch (sought.mode) {
    case PlacementMode::gpu:
    case PlacementMode::partial:
      if (match.cards) {
        match.kin = Kin::same;
      } else if (cards_of_class(run.gpus, asked.cards)) {
        match.kin = Kin::of_the_class;
      }
      break;
    case PlacementMode::experts_on_host:
      // Host memory decides, and a card alone says little.
      if (match.host) {
        match.kin = Kin::same;
      } else if (match.cards || host_of_class) {
        match.kin = Kin::of_the_class;
      }
      break;
    case PlacementMode::cpu:
      if (match.host) {
        match.kin = Kin::same;
      } else if (host_of_class) {
        match.kin = Kin::of_the_class;
      }
      break;
  }
  // Laid out otherwise a run reads other memories: worth a word where all else is the same, or nearly.
  if (!match.laid_out && !(match.cards && match.kin == Kin::same && match.shape)) match.kin = Kin::none;
  if (match.kin == Kin::of_the_class && !(match.shape && match.quant)) match.kin = Kin::none;
  match.cards_more = cards_in(run.gpus) - cards_in(asked.gpus);
  return match;
}

/// How far two bandwidths are apart, in steps of 7 %.
std::int64_t steps_apart(BytesPerSecond a, BytesPerSecond b) {
  constexpr double steps_per_octave = 10;
  return std::llround(steps_per_octave * std::abs(std::log2(a.count() / b.count())));
}

/// From near to far by the first figure that differs.
using Distance = std::array<std::int64_t, 11>;

Distance distance_of(const Measurement& run, const Match& match, const Sought& sought,
                     const Hardware& asked) {
  std::int64_t tier = match.shape && match.quant ? 0 : match.quant ? 1 : match.shape ? 2 : 3;
  // Within a class that of the nearest bandwidth says most.
  std::int64_t apart = 0;
  if (match.kin == Kin::of_the_class) {
    tier = 4;
    const bool by_cards = sought.mode == PlacementMode::gpu || sought.mode == PlacementMode::partial;
    if (by_cards) {
      apart = steps_apart(run.gpus.front().gpu->bandwidth, asked.gpus.front().gpu->bandwidth);
    } else if (run.host != nullptr && asked.host != nullptr) {
      apart = steps_apart(run.host->bandwidth, asked.host->bandwidth);
    }
  }
  return {run.outlier.empty() ? 0 : 1,
          match.laid_out ? 0 : 1,
          tier,
          sought.mode == PlacementMode::cpu ? 0 : std::abs(match.cards_more),
          match.cards ? 0 : 1,
          match.host ? 0 : 1,
          match.backend ? 0 : 1,
          apart,
          -run.year.value_or(0),
          std::abs(run.depth.count() - sought.depth.count()),
          static_cast<std::int64_t>(run.grade)};
}

std::string_view layout(PlacementMode mode) {
  switch (mode) {
    case PlacementMode::gpu:
      return "nothing in host memory";
    case PlacementMode::experts_on_host:
      return "experts in host memory";
    case PlacementMode::partial:
      return "layers in host memory";
    case PlacementMode::cpu:
      return "on the CPU";
  }
  return "";
}

/// "a", "a and b", "a, b and c".
std::string joined(const std::vector<std::string_view>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " and " : ", ";
    text += words[i];
  }
  return text;
}

std::string differs(const Measurement& run, const Match& match, const Sought& sought) {
  const bool on_cards = sought.mode != PlacementMode::cpu && !run.gpus.empty();
  const bool chip = on_cards && run.gpus.front().gpu->unified_memory;
  const bool several = on_cards && match.cards_more == 0 && cards_in(run.gpus) > 1;
  const std::string card = std::string(chip ? "chip" : "card") + (several ? "s" : "");
  const bool by_host = sought.mode == PlacementMode::cpu || sought.mode == PlacementMode::experts_on_host;
  std::vector<std::string_view> same;
  if (on_cards && match.cards) same.emplace_back(card);
  if (by_host && match.host) same.emplace_back("platform");
  if (match.quant) same.emplace_back("quant");
  if (match.shape) same.emplace_back("shapes");
  std::string text = "same " + joined(same);
  if (on_cards && !match.cards) {
    text += ", " + std::string(several ? "other " : "another ") + card;
    if (!by_host) text += " of the class";
  }
  if (by_host && !match.host) text += match.cards ? ", another platform" : ", another platform of the class";
  std::vector<std::string_view> other;
  if (!match.shape) other.emplace_back("model");
  if (!match.quant) other.emplace_back("quant");
  if (!other.empty()) text += ", another " + joined(other);
  if (on_cards && match.cards_more != 0) {
    const int count = cards_in(run.gpus);
    text += ", " + count_text(count) + (chip ? " chip" : " card") + (count == 1 ? "" : "s");
  }
  if (!match.backend) text += ", with " + std::string(title(*run.backend));
  if (!match.laid_out) text += ", " + std::string(layout(run.placement));
  return text;
}

Text engine_name(const Catalog& catalog, Text id) {
  const auto found = std::ranges::find_if(catalog.engines, [&](const Engine& one) { return one.id == id; });
  return found == catalog.engines.end() ? id : found->name;
}

}  // namespace

std::vector<NearRun> nearest_runs(const Catalog& catalog, const Sought& sought, const Machine& machine) {
  struct Found {
    const Measurement* run;
    Match match;
    Distance distance;
  };
  const Hardware asked = hardware_of(machine);
  std::vector<Found> nearest;
  nearest.reserve(kMost + 1);
  for (const Measurement& run : catalog.measurements) {
    const Match match = match_of(run, sought, asked);
    if (match.kin == Kin::none) continue;
    const Found found{&run, match, distance_of(run, match, sought, asked)};
    // Behind those as near: of equals the first of the catalogue.
    const auto at = std::ranges::upper_bound(nearest, found.distance, std::ranges::less(), &Found::distance);
    nearest.insert(at, found);
    if (nearest.size() > kMost) nearest.pop_back();
  }
  std::vector<NearRun> result;
  for (const Found& found : nearest) {
    const Measurement& run = *found.run;
    const bool elsewhere =
        found.match.kin != Kin::same || found.match.cards_more != 0 || run.placement != PlacementMode::gpu;
    result.push_back({&run, engine_name(catalog, run.engine), differs(run, found.match, sought),
                      elsewhere ? std::string(run.hardware) : ""});
  }
  return result;
}

std::string measured_text(const Measurement& run) {
  const double number = run.decode.count();
  if (number >= 100) return fixed_text(number, 0);
  return fixed_text(number, number < 10 ? 2 : 1);
}

Text measured_quant(const Measurement& run) { return run.ran_quant.empty() ? run.quant->id : run.ran_quant; }

std::string said(const NearRun& near) {
  const Measurement& run = *near.run;
  std::string text = near.differs + ": " + measured_text(run) + " tok/s with " + std::string(run.ran) + " " +
                     std::string(measured_quant(run));
  if (!near.on.empty()) text += " on " + near.on;
  text += ", " + std::string(near.engine);
  if (!run.depth_assumed) text += ", at " + count_text(run.depth) + " tokens of context";
  if (run.year) text += ", " + std::to_string(*run.year);
  if (!run.outlier.empty()) text += "; an outlier: " + std::string(run.outlier);
  return text;
}

std::string sentence(const NearRun& near) { return said(near) + " (" + std::string(near.run->source) + ")"; }

}  // namespace r1fit
