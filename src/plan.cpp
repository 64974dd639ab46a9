#include "r1fit/plan.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <tuple>

#include "r1fit/error.hpp"
#include "r1fit/outlay.hpp"
#include "r1fit/throughput.hpp"

namespace r1fit {
namespace {

/// A card beside which the rest of a model lies in RAM: smaller ones are left out, which hold little.
constexpr Bytes kLeastBesideMemory = gib(16);
/// What is not known is further away than whatever is: nothing can be made of it.
constexpr double kUnknownGap = 1e9;

/// The speed that counts.
std::optional<double> counted(const PlannedMachine& machine, const PlanNeeds& needs) {
  if (!machine.decode) return std::nullopt;
  return (needs.pessimistic ? machine.decode->low : machine.decode->typical).count();
}

std::optional<double> watts_of(const PlannedMachine& machine) {
  return machine.power ? std::optional(machine.power->count()) : std::nullopt;
}

Bytes memory_of(const PlannedMachine& machine) {
  return machine.device.memory * machine.count + machine.ram.value_or(Bytes{});
}

// ---- what it costs -------------------------------------------------------------------------------------

const OwnPrice* own_price(const PlanNeeds& needs, const SoldDevice& device) {
  const OwnPrice* found = nullptr;
  for (const OwnPrice& price : needs.prices) {
    if (price.gpu != device.gpu || device.gpu == nullptr) continue;
    if (price.memory == device.memory) return &price;
    if (!price.memory) found = &price;
  }
  return found;
}

Price price_of(const PlannedMachine& machine, const PlanNeeds& needs) {
  Price price;
  const auto platform = std::ranges::find_if(
      needs.prices, [&](const OwnPrice& own) { return own.host != nullptr && own.host == machine.host; });
  if (platform != needs.prices.end()) {
    price.platform = true;
    price.own = true;
  }
  const double around = price.platform ? platform->usd : 0;
  if (machine.kind == MachineKind::cpu) {
    if (price.platform) price.usd = around;
    return price;
  }
  const Gpu& gpu = *machine.device.gpu;
  if (const OwnPrice* own = own_price(needs, machine.device)) {
    price.own = true;
    price.usd = own->usd * machine.count + around;
  } else if (const std::optional<double> each = launch_price_usd(gpu)) {
    price.usd = *each * machine.count + around;
    price.year = gpu.launch_year;
  }
  return price;
}

// ---- what is better ------------------------------------------------------------------------------------

/// A total order that does not know the catalogue's: by what was asked for, then by all the rest.
auto order_of(const PlannedMachine& machine, const PlanNeeds& needs) {
  constexpr double most = std::numeric_limits<double>::infinity();
  const double price = machine.price.usd.value_or(most);
  const double power = watts_of(machine).value_or(most);
  const double slowness = -counted(machine, needs).value_or(0);
  std::array<double, 3> figures{price, power, slowness};
  if (needs.sort == PlanSort::power) figures = {power, price, slowness};
  if (needs.sort == PlanSort::speed) figures = {slowness, price, power};
  const Text gpu = machine.device.gpu != nullptr ? machine.device.gpu->id : Text();
  const Text host = machine.host != nullptr ? machine.host->id : Text();
  return std::tuple(figures, memory_of(machine), machine.count, machine.kind, gpu, host);
}

/// Whether `a` is no worse than `b` in anything, as far as both are known, and better in something or first
/// in the order: of equals one stands for all. Machines of two kinds are never held against each other, since
/// their prices leave out different things.
bool beats(const PlannedMachine& a, const PlannedMachine& b, const PlanNeeds& needs) {
  if (a.kind != b.kind || a.price.platform != b.price.platform) return false;
  bool better = false;
  const auto no_more = [&better](std::optional<double> x, std::optional<double> y) {
    if (x.has_value() != y.has_value()) return false;
    if (!x) return true;
    better = better || *x < *y;
    return *x <= *y;
  };
  const auto slowness = [&needs](const PlannedMachine& machine) {
    const std::optional<double> speed = counted(machine, needs);
    return speed ? std::optional(-std::floor(std::log(*speed) / std::log(kSpeedStep))) : std::nullopt;
  };
  const auto as_number = [](Bytes size) { return static_cast<double>(size.count()); };
  if (!no_more(a.price.usd, b.price.usd) || !no_more(watts_of(a), watts_of(b)) ||
      !no_more(slowness(a), slowness(b))) {
    return false;
  }
  // What has no price is the cheaper the less of it there is: memory, and channels of a platform.
  const bool priced = a.price.usd.has_value();
  if (!priced && !no_more(as_number(memory_of(a)), as_number(memory_of(b)))) return false;
  const auto first = [&] { return better || order_of(a, needs) < order_of(b, needs); };
  if (a.host == nullptr) return first();
  if (!a.price.platform && !no_more(a.host->channels, b.host->channels)) return false;
  return no_more(as_number(*a.ram), as_number(*b.ram)) && first();
}

// ---- the search ----------------------------------------------------------------------------------------

class Search {
 public:
  Search(const Catalog& catalog, const Question& question, const PlanNeeds& needs)
      : catalog_(catalog), question_(question), needs_(needs) {
    result_.question = question;
    result_.needs = needs;
    result_.weights = weights_of(catalog, *question.model, *question.quant, question.workload);
    candidate_ = {question.model, question.quant, &result_.weights};
    int newest = 0;
    for (const Gpu& gpu : catalog.gpus) newest = std::max(newest, gpu.launch_year);
    result_.new_since = newest - kYearsSold + 1;
  }

  Plan run() {
    const bool with_memory = question_.model->shape->moe.has_value() || needs_.verdict == Verdict::offload;
    for (const SoldDevice& device : sold_devices(catalog_)) {
      if (needs_.backend == Backend::cpu) break;
      if (needs_.backend && !runs_on(*needs_.backend, device.gpu->vendor)) continue;
      devices(device);
      if (with_memory && holds_a_part(device)) beside_memory(device);
    }
    if (!needs_.backend || needs_.backend == Backend::cpu) platforms();
    rank();
    return std::move(result_);
  }

 private:
  [[nodiscard]] const Engine* engine() const { return question_.engine.engine; }

  [[nodiscard]] Placement placed(const Machine& machine) const {
    return place(candidate_, question_.workload, machine, question_.placement);
  }

  /// Weights alone rule out most machines without a placement. The embedding may lie in host memory.
  bool large_enough(Bytes memory) {
    result_.most_memory = std::max(result_.most_memory, memory);
    return memory >= result_.weights.total() - result_.weights.token_embd;
  }

  static MachineKind kind_of(const Gpu& gpu) {
    if (gpu.unified_memory) return MachineKind::unified;
    return gpu.device_class == DeviceClass::laptop ? MachineKind::laptop : MachineKind::cards;
  }

  /// As few devices of one kind as do it.
  void devices(const SoldDevice& device) {
    for (const int count : kCardCounts) {
      if (count > 1 && comes_alone(*device.gpu)) return;
      if (!large_enough(device.memory * count)) continue;
      Machine machine = machine_of(catalog_, device, count, needs_.backend, engine());
      PlannedMachine planned;
      planned.kind = kind_of(*device.gpu);
      planned.device = device;
      planned.count = count;
      planned.placement = placed(machine);
      if (planned.placement.verdict > needs_.verdict) machine = raised(planned, std::move(machine));
      const bool enough = planned.placement.verdict <= needs_.verdict;
      judge(std::move(planned), machine);
      // More of them are dearer, hotter and no faster.
      if (enough) return;
    }
  }

  /// The machine with the limit on what its GPU may use raised, where that meets the needs; else as it is.
  Machine raised(PlannedMachine& planned, Machine machine) const {
    const Device& device = machine.devices.front();
    if (device.stretched <= device.budget) return machine;
    Machine other = machine_of(catalog_, planned.device, 1, needs_.backend, engine(), {device.stretched});
    Placement placement = placed(other);
    if (placement.verdict > needs_.verdict) return machine;
    planned.placement = std::move(placement);
    planned.wired_limit = device.stretched;
    return other;
  }

  static bool holds_a_part(const SoldDevice& device) {
    const DeviceClass device_class = device.gpu->device_class;
    return !comes_alone(*device.gpu) && device.memory >= kLeastBesideMemory &&
           (device_class == DeviceClass::desktop || device_class == DeviceClass::workstation);
  }

  /// One card and as little RAM as does it, on every platform that takes so much: where things lie does not
  /// depend on the platform.
  void beside_memory(const SoldDevice& device) {
    Machine machine = machine_of(catalog_, device, 1, needs_.backend, engine());
    PlannedMachine planned;
    planned.kind = MachineKind::card_and_memory;
    planned.device = device;
    planned.count = 1;
    for (const Bytes ram : kRamSizes) {
      if (!large_enough(device.memory + ram)) continue;
      machine.host = make_host(catalog_, ram, nullptr, {});
      planned.placement = placed(machine);
      if (planned.placement.verdict < Verdict::offload) return;
      if (planned.placement.verdict > Verdict::offload) continue;
      if (planned.placement.mode != PlacementMode::experts_on_host && needs_.verdict != Verdict::offload)
        return;
      planned.ram = ram;
      for (const Host& host : catalog_.hosts) {
        if (!host.max_memory || *host.max_memory < ram) continue;
        machine.host = make_host(catalog_, ram, &host, {});
        planned.host = &host;
        judge(planned, machine);
      }
      return;
    }
  }

  /// Platforms alone, the same way.
  void platforms() {
    Machine machine;
    PlannedMachine planned;
    planned.kind = MachineKind::cpu;
    std::vector<const Host*> left;
    for (const Host& host : catalog_.hosts) {
      if (host.max_memory) left.push_back(&host);
    }
    for (const Bytes ram : kRamSizes) {
      if (!large_enough(ram)) continue;
      machine.host = make_host(catalog_, ram, nullptr, {});
      planned.placement = placed(machine);
      planned.ram = ram;
      const bool enough = planned.placement.verdict <= needs_.verdict;
      for (const Host* host : left) {
        if (*host->max_memory < ram) continue;
        machine.host = make_host(catalog_, ram, host, {});
        planned.host = host;
        judge(planned, machine);
      }
      if (enough) return;
    }
  }

  /// What `planned` lacks, and how far the worst of it is from enough, as a share.
  double held_against_needs(PlannedMachine& planned) const {
    double gap = 0;
    const auto lack = [&](Lack what, double by) {
      planned.lacks.push_back(what);
      gap = std::max(gap, by);
    };
    // Experts in host memory are how 671B is run; to name them is the point.
    const bool offloaded = planned.kind == MachineKind::card_and_memory;
    if (planned.placement.verdict > needs_.verdict && !offloaded)
      lack(Lack::memory, ratio(planned.placement.shortfall, result_.weights.total()));
    if (const std::optional<double> speed = counted(planned, needs_);
        needs_.min_tps && !(speed && *speed >= needs_.min_tps->count())) {
      lack(Lack::speed, 1 - speed.value_or(0) / needs_.min_tps->count());
    }
    if (needs_.budget_usd) {
      // Of a server that is not priced the card is the least part.
      const bool whole = planned.host == nullptr || planned.price.platform;
      const std::optional<double> price = whole ? planned.price.usd : std::nullopt;
      if (!price) lack(Lack::price_unknown, kUnknownGap);
      if (price && *price > *needs_.budget_usd) lack(Lack::price, *price / *needs_.budget_usd - 1);
    }
    if (needs_.max_watts) {
      if (!planned.power) lack(Lack::power_unknown, kUnknownGap);
      if (planned.power && *planned.power > *needs_.max_watts)
        lack(Lack::power, planned.power->count() / needs_.max_watts->count() - 1);
    }
    if (needs_.new_only && planned.device.gpu != nullptr) {
      const Gpu& gpu = *planned.device.gpu;
      if (std::ranges::find(gpu.withdrawn, planned.device.memory) != gpu.withdrawn.end()) {
        lack(Lack::withdrawn, kUnknownGap);
      } else if (gpu.launch_year < result_.new_since) {
        lack(Lack::sale_unknown, kUnknownGap);
      }
    }
    return gap;
  }

  void judge(PlannedMachine planned, const Machine& machine) {
    planned.decode = decode_at_depth(candidate_, question_.workload, machine, planned.placement,
                                     std::min(question_.workload.depth, question_.workload.context));
    planned.price = price_of(planned, needs_);
    if (planned.host == nullptr && planned.device.gpu->board_power)
      planned.power = *planned.device.gpu->board_power * planned.count;
    if (needs_.kwh_usd && planned.power && planned.decode) {
      constexpr double joules_per_kwh = 3.6e6;
      const Seconds million = tokens(1'000'000) / planned.decode->typical;
      planned.usd_per_million = planned.power->count() * million.count() / joules_per_kwh * *needs_.kwh_usd;
    }
    const double gap = held_against_needs(planned);
    if (planned.lacks.empty()) {
      result_.rows.push_back(std::move(planned));
      return;
    }
    if (planned.lacks.size() == 1) {
      const Lack lack = planned.lacks.front();
      result_.left_out.price_unknown += lack == Lack::price_unknown ? 1 : 0;
      result_.left_out.power_unknown += lack == Lack::power_unknown ? 1 : 0;
      result_.left_out.withdrawn += lack == Lack::withdrawn ? 1 : 0;
      result_.left_out.sale_unknown += lack == Lack::sale_unknown ? 1 : 0;
      if (lack == Lack::speed) keep_if_near(planned);
    }
    // Once something meets the needs nobody asks what came near.
    if (!result_.rows.empty()) return;
    const auto order = [&](const PlannedMachine& one, double by) {
      return std::tuple(one.lacks.size(), by, order_of(one, needs_));
    };
    if (!result_.nearest || order(planned, gap) < order(*result_.nearest, nearest_gap_)) {
      result_.nearest = std::move(planned);
      nearest_gap_ = gap;
    }
  }

  void keep_if_near(const PlannedMachine& planned) {
    const std::optional<double> speed = counted(planned, needs_);
    if (!speed || *speed < kNearly * needs_.min_tps->count()) return;
    const auto same_kind = std::ranges::find(result_.nearly, planned.kind, &PlannedMachine::kind);
    if (same_kind == result_.nearly.end()) {
      result_.nearly.push_back(planned);
    } else if (std::pair(-*speed, order_of(planned, needs_)) <
               std::pair(-*counted(*same_kind, needs_), order_of(*same_kind, needs_))) {
      *same_kind = planned;
    }
  }

  void rank() {
    std::vector<PlannedMachine>& rows = result_.rows;
    if (rows.empty()) {
      result_.nearly.clear();  // the nearest says more
    } else {
      result_.nearest.reset();
    }
    std::erase_if(result_.nearly, [&rows](const PlannedMachine& near) {
      return std::ranges::find(rows, near.kind, &PlannedMachine::kind) != rows.end();
    });
    std::ranges::sort(result_.nearly, {}, &PlannedMachine::kind);
    // Sorted first: what beats a row mostly comes before it, which keeps the comparisons few.
    std::ranges::sort(rows, [&](const PlannedMachine& a, const PlannedMachine& b) {
      return order_of(a, needs_) < order_of(b, needs_);
    });
    std::vector<PlannedMachine*> front;
    for (PlannedMachine& row : rows) {
      const auto beaten = [&](const PlannedMachine* other) { return beats(*other, row, needs_); };
      if (std::ranges::any_of(front, beaten)) continue;
      std::erase_if(front, [&](const PlannedMachine* other) { return beats(row, *other, needs_); });
      front.push_back(&row);
    }
    for (PlannedMachine* row : front) row->front = true;
    result_.found = rows.size();
    result_.front = front.size();
    std::stable_partition(rows.begin(), rows.end(), [](const PlannedMachine& row) { return row.front; });
    std::size_t shown = needs_.all ? rows.size() : front.size();
    if (needs_.top > 0) shown = std::min(shown, static_cast<std::size_t>(needs_.top));
    rows.erase(rows.begin() + static_cast<std::ptrdiff_t>(shown), rows.end());
    // A platform changes nothing of it, only how much RAM there is.
    std::map<std::tuple<const Gpu*, Bytes, int, std::optional<Bytes>>, std::optional<Tokens>> known;
    for (PlannedMachine& row : rows) {
      const auto [context, fresh] =
          known.try_emplace({row.device.gpu, row.device.memory, row.count, row.ram});
      if (fresh) {
        context->second = max_context(candidate_, question_.workload,
                                      machine_of(catalog_, row, needs_, engine()), row.placement);
      }
      row.max_context = context->second;
    }
  }

  const Catalog& catalog_;
  const Question& question_;
  const PlanNeeds& needs_;
  Candidate candidate_;
  Plan result_;
  double nearest_gap_ = 0;
};

}  // namespace

Plan plan(const Catalog& catalog, const Question& question, const PlanNeeds& needs) {
  if (const std::string problem = objection(question); !problem.empty()) throw Error(problem);
  return Search(catalog, question, needs).run();
}

Machine machine_of(const Catalog& catalog, const PlannedMachine& planned, const PlanNeeds& needs,
                   const Engine* engine) {
  Machine machine;
  if (planned.device.gpu != nullptr)
    machine =
        machine_of(catalog, planned.device, planned.count, needs.backend, engine, {planned.wired_limit});
  if (planned.host != nullptr) machine.host = make_host(catalog, planned.ram, planned.host, {});
  return machine;
}

}  // namespace r1fit
