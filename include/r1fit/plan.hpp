// What to buy: hardware of the catalogue that meets needs, each machine worked out like any other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "r1fit/candidate_machines.hpp"
#include "r1fit/estimate.hpp"

namespace r1fit {

// ---- what is needed ------------------------------------------------------------------------------------

enum class PlanSort : std::uint8_t { price, power, speed };
inline constexpr std::array<std::string_view, 3> kPlanSortWords{"price", "power", "speed"};
constexpr std::string_view word(PlanSort value) { return kPlanSortWords[static_cast<std::size_t>(value)]; }

/// A price that the user states: of a GPU, of one of its memory sizes, or of a platform without its RAM.
struct OwnPrice {
  const Gpu* gpu = nullptr;
  std::optional<Bytes> memory;  ///< unset: of every size
  const Host* host = nullptr;
  double usd = 0;
};

struct PlanNeeds {
  Verdict verdict = Verdict::fits;  ///< this one or a better one
  std::optional<TokensPerSecond> min_tps;
  bool pessimistic = false;  ///< speeds count with their low end, not as they typically are
  std::optional<double> budget_usd;
  std::optional<Watts> max_watts;
  bool new_only = false;  ///< without what is not known to be sold any more
  std::optional<Backend> backend;
  std::vector<OwnPrice> prices;
  std::optional<double> kwh_usd;  ///< price of electricity
  PlanSort sort = PlanSort::price;
  bool all = false;  ///< with what another machine beats in everything
  int top = 0;       ///< at most so many rows; 0: all
};

// ---- the answer ----------------------------------------------------------------------------------------

/// What a machine is, and with it what its price and power leave out: the PC around cards, for one.
enum class MachineKind : std::uint8_t {
  cards,           ///< equal cards that hold all of the model
  laptop,          ///< the GPU of a laptop
  unified,         ///< a system on a chip with memory of its own
  cpu,             ///< a platform without a card
  card_and_memory  ///< a card, and the rest of the model in the memory of a platform
};
inline constexpr std::array<std::string_view, 5> kMachineKindWords{"cards", "laptop", "unified", "cpu",
                                                                   "card_and_memory"};
constexpr std::string_view word(MachineKind value) {
  return kMachineKindWords[static_cast<std::size_t>(value)];
}

struct Price {
  std::optional<double> usd;  ///< of all devices, and of the platform where `platform` says so
  int year = 0;               ///< in which that was asked for; 0: the user's own, or unknown
  bool own = false;           ///< any part of it is the user's
  bool platform = false;      ///< it is in the sum
};

/// What a machine lacks of the needs.
enum class Lack : std::uint8_t {
  memory,
  speed,
  price,
  price_unknown,
  power,
  power_unknown,
  withdrawn,    ///< known to be no longer sold
  sale_unknown  ///< launched long ago, and not known to be sold still
};
inline constexpr std::array<std::string_view, 8> kLackWords{
    "memory", "speed", "price", "price_unknown", "power", "power_unknown", "withdrawn", "sale_unknown"};
constexpr std::string_view word(Lack value) { return kLackWords[static_cast<std::size_t>(value)]; }

struct PlannedMachine {
  MachineKind kind = MachineKind::cards;
  SoldDevice device;  ///< without a GPU in a machine of kind `cpu`
  int count = 0;
  const Host* host = nullptr;
  std::optional<Bytes> ram;  ///< the least of kRamSizes that does; unset: nothing is said of it
  /// Apple: the limit on the GPU's share that has to be set for it; unset: as macOS has it.
  std::optional<Bytes> wired_limit;
  Placement placement;
  std::optional<Range<TokensPerSecond>> decode;
  Price price;
  std::optional<Watts> power;             ///< board power of the devices; unset where a CPU does part of it
  std::optional<double> usd_per_million;  ///< electricity for a million tokens of output, USD
  std::optional<Tokens> max_context;      ///< of the rows alone
  bool front = false;       ///< no other of its kind beats or equals it in price, power and speed
  std::vector<Lack> lacks;  ///< empty: it meets the needs
};

/// How many met every need but one that is not known of them, or are not sold.
struct LeftOut {
  int price_unknown = 0;
  int power_unknown = 0;
  int withdrawn = 0;
  int sale_unknown = 0;
};

struct Plan {
  Question question;
  Weights weights;
  PlanNeeds needs;
  std::vector<PlannedMachine> rows;  ///< the front first, each part in the order asked for
  /// Of each kind that no row is of, the fastest that is a little too slow and lacks nothing else.
  std::vector<PlannedMachine> nearly;
  std::size_t found = 0;  ///< machines that meet the needs
  std::size_t front = 0;  ///< of them, those that none beats
  LeftOut left_out;
  /// Where nothing meets them, what lacks least; unset: all memory of every machine is less than the weights.
  std::optional<PlannedMachine> nearest;
  Bytes most_memory;  ///< of the largest machine
  int new_since = 0;  ///< what was launched in this year or later counts as sold
};

/// Speeds within one step of this ratio count as equal where machines are compared: their ranges overlap far
/// more than that.
inline constexpr double kSpeedStep = 1.1;

/// A machine this close to the speed that is needed is worth a word: the ranges of speeds are as wide.
inline constexpr double kNearly = 0.8;

/// What counts as launched lately enough to be sold still, where nothing says otherwise: a judgement.
inline constexpr int kYearsSold = 3;

/// Hardware that meets `needs` for `question`. Throws Error where the question contradicts itself.
Plan plan(const Catalog& catalog, const Question& question, const PlanNeeds& needs);

/// The machine itself, as plan() worked it out.
Machine machine_of(const Catalog& catalog, const PlannedMachine& planned, const PlanNeeds& needs,
                   const Engine* engine);

}  // namespace r1fit
