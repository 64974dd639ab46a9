#include "r1fit/plan.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <set>
#include <string>
#include <tuple>

#include "catch.hpp"
#include "shipped.hpp"

using namespace r1fit;

namespace {

using Key = std::tuple<std::string, std::int64_t, int, std::string, std::int64_t>;

Key key(const PlannedMachine& row) {
  return {row.device.gpu != nullptr ? std::string(row.device.gpu->id) : "", row.device.memory.count(),
          row.count, row.host != nullptr ? std::string(row.host->id) : "", row.ram.value_or(Bytes{}).count()};
}

std::vector<Key> keys(const Plan& plan) {
  std::vector<Key> all;
  for (const PlannedMachine& row : plan.rows) all.push_back(key(row));
  return all;
}

std::set<Key> set_of(const Plan& plan) {
  const std::vector<Key> all = keys(plan);
  return {all.begin(), all.end()};
}

PlanNeeds every() {
  PlanNeeds needs;
  needs.all = true;
  return needs;
}

Plan planned(std::string_view model, const PlanNeeds& needs, Tokens context = tokens(8192)) {
  Workload workload;
  workload.context = context;
  return plan(builtin_catalog(), shipped_question(model, "Q4_K_M", workload), needs);
}

bool has(const Plan& plan, std::string_view gpu, int count, Bytes memory = {}) {
  return std::ranges::any_of(plan.rows, [&](const PlannedMachine& row) {
    return row.device.gpu != nullptr && row.device.gpu->id == gpu && row.count == count &&
           row.host == nullptr && (memory == Bytes{} || row.device.memory == memory);
  });
}

bool is_mac(const PlannedMachine& row) {
  return row.device.gpu != nullptr && row.device.gpu->vendor == Vendor::apple;
}

}  // namespace

// ---- what people look for ------------------------------------------------------------------------------

TEST_CASE("70B at a reading pace: two cards of 24 GiB, cards of 48 GiB") {
  PlanNeeds needs = every();
  needs.min_tps = tok_per_s(15);
  const Plan found = planned("70b", needs, tokens(16384));
  CHECK(has(found, "rtx-3090", 2));
  CHECK(has(found, "rtx-6000-ada", 1));
  CHECK_FALSE(has(found, "rtx-3090", 1));
  CHECK_FALSE(has(found, "rtx-3090", 4));
}

TEST_CASE("a kind of machine that is only a little too slow is named") {
  PlanNeeds needs = every();
  needs.min_tps = tok_per_s(15);
  const Plan found = planned("70b", needs, tokens(16384));
  REQUIRE_FALSE(found.nearly.empty());
  for (const PlannedMachine& near : found.nearly) {
    CHECK(near.lacks == std::vector{Lack::speed});
    CHECK(near.decode->typical < *needs.min_tps);
    CHECK(near.decode->typical.count() >= kNearly * needs.min_tps->count());
    CHECK(std::ranges::find(found.rows, near.kind, &PlannedMachine::kind) == found.rows.end());
  }
  CHECK(std::ranges::any_of(found.nearly, is_mac));
  needs.min_tps = tok_per_s(1e5);
  CHECK(planned("70b", needs).nearly.empty());
}

TEST_CASE("70B at half of it: Macs, too") {
  PlanNeeds needs = every();
  needs.min_tps = tok_per_s(7);
  const Plan found = planned("70b", needs, tokens(16384));
  CHECK(has(found, "m3-ultra", 1, gib(96)));
  CHECK(has(found, "m2-ultra", 1, gib(64)));
  CHECK_FALSE(has(found, "m4", 1));
}

TEST_CASE("671B: the Mac of 512 GiB, a card beside twelve channels, no eight cards of 24 GiB") {
  PlanNeeds needs = every();
  needs.min_tps = tok_per_s(10);
  const Plan found = planned("r1-671b", needs);
  CHECK(has(found, "m3-ultra", 1, gib(512)));
  CHECK(std::ranges::any_of(found.rows, [](const PlannedMachine& row) {
    return row.kind == MachineKind::card_and_memory && row.host->channels == 12 &&
           row.placement.mode == PlacementMode::experts_on_host;
  }));
  for (const PlannedMachine& row : found.rows) {
    if (row.kind == MachineKind::cards) CHECK(row.device.memory * row.count > gib(380));
  }
}

TEST_CASE("a limit on power leaves out what exceeds it and what is not known") {
  PlanNeeds needs = every();
  needs.max_watts = watts(100);
  const Plan found = planned("32b", needs);
  REQUIRE_FALSE(found.rows.empty());
  for (const PlannedMachine& row : found.rows) {
    REQUIRE(row.power);
    CHECK(*row.power <= watts(100));
  }
  CHECK(found.left_out.power_unknown > 0);
}

TEST_CASE("a budget leaves out what exceeds it and what has no known price") {
  PlanNeeds needs = every();
  needs.budget_usd = 1500;
  const Plan found = planned("32b", needs);
  REQUIRE_FALSE(found.rows.empty());
  for (const PlannedMachine& row : found.rows) CHECK(row.price.usd.value_or(1e9) <= 1500);
  CHECK(found.left_out.price_unknown > 0);
}

TEST_CASE("a budget is not met by the card where the server beside it has no price") {
  PlanNeeds needs = every();
  needs.budget_usd = 5000;
  CHECK(planned("r1-671b", needs).found == 0);
  needs.prices = {{nullptr, {}, &host_named(builtin_catalog(), "epyc-genoa"), 3000}};
  const Plan found = planned("r1-671b", needs);
  REQUIRE_FALSE(found.rows.empty());
  for (const PlannedMachine& row : found.rows) {
    CHECK(row.host->id == "epyc-genoa");
    CHECK(row.price.platform);
    CHECK(*row.price.usd <= 5000);
  }
}

TEST_CASE("sold new: neither what was withdrawn nor what is old") {
  PlanNeeds needs = every();
  needs.new_only = true;
  const Plan found = planned("70b", needs);
  REQUIRE_FALSE(found.rows.empty());
  CHECK_FALSE(has(found, "rtx-3090", 2));
  CHECK_FALSE(has(found, "m3-ultra", 1, gib(256)));
  CHECK(has(found, "m3-ultra", 1, gib(96)));
  for (const PlannedMachine& row : found.rows) {
    if (row.device.gpu != nullptr) CHECK(row.device.gpu->launch_year >= found.new_since);
  }
  CHECK(found.left_out.sale_unknown > 0);
  CHECK(found.left_out.withdrawn > 0);
}

TEST_CASE("the user's price goes before that at launch") {
  const Catalog& catalog = builtin_catalog();
  PlanNeeds needs = every();
  needs.prices = {{gpu_named(catalog, "rtx 3090").gpu, {}, nullptr, 700},
                  {gpu_named(catalog, "m3-ultra").gpu, gib(96), nullptr, 4000},
                  {nullptr, {}, &host_named(catalog, "epyc-genoa"), 3000}};
  for (const PlannedMachine& row : planned("70b", needs).rows) {
    const std::string_view id = row.device.gpu != nullptr ? row.device.gpu->id : "";
    if (id == "rtx-3090") {
      CHECK(row.price.own);
      CHECK(row.price.usd == 700.0 * row.count);
      CHECK(row.price.year == 0);
    } else if (id == "m3-ultra") {
      CHECK(row.price.usd.has_value() == (row.device.memory == gib(96)));
    } else if (id == "rtx-4090") {
      CHECK_FALSE(row.price.own);
      CHECK(row.price.year == 2022);
    }
  }
  for (const PlannedMachine& row : planned("r1-671b", needs).rows) {
    if (row.kind != MachineKind::card_and_memory || row.device.gpu->id != "rtx-4090") continue;
    const bool priced = row.host->id == "epyc-genoa";
    CHECK(row.price.platform == priced);
    CHECK(row.price.usd == (priced ? 4599 : 1599));
  }
}

TEST_CASE("the launch price of a device sold in several sizes is nobody's") {
  for (const PlannedMachine& row : planned("32b", every()).rows) {
    if (row.device.gpu != nullptr && row.device.gpu->memory.size() > 1) CHECK_FALSE(row.price.usd);
  }
}

TEST_CASE("where nothing does it, what lacks least is named") {
  PlanNeeds needs = every();
  needs.min_tps = tok_per_s(100'000);
  const Plan found = planned("32b", needs);
  CHECK(found.rows.empty());
  CHECK(found.found == 0);
  REQUIRE(found.nearest);
  CHECK(found.nearest->lacks == std::vector<Lack>{Lack::speed});
  CHECK_FALSE(planned("32b", every()).nearest);
}

TEST_CASE("electricity is what the power and the typical speed make of it") {
  PlanNeeds needs = every();
  needs.kwh_usd = 0.25;
  for (const PlannedMachine& row : planned("32b", needs).rows) {
    CHECK(row.usd_per_million.has_value() == row.power.has_value());
    if (!row.power) continue;
    const double hours = 1e6 / row.decode->typical.count() / 3600;
    CHECK(*row.usd_per_million == Approx(row.power->count() / 1000 * hours * 0.25));
  }
  for (const PlannedMachine& row : planned("32b", every()).rows) CHECK_FALSE(row.usd_per_million);
}

TEST_CASE("a backend leaves the cards that it runs on") {
  PlanNeeds needs = every();
  needs.backend = Backend::rocm;
  for (const PlannedMachine& row : planned("32b", needs).rows) {
    REQUIRE(row.device.gpu != nullptr);
    CHECK(row.device.gpu->vendor == Vendor::amd);
  }
  needs.backend = Backend::cpu;
  const Plan platforms = planned("32b", needs);
  REQUIRE_FALSE(platforms.rows.empty());
  for (const PlannedMachine& row : platforms.rows) CHECK(row.kind == MachineKind::cpu);
}

// ---- what holds of every plan
// ------------------------------------------------------------------------------

TEST_CASE("every machine listed does it when asked about alone") {
  struct Case {
    const char* model;
    PlanNeeds needs;
    Tokens context;
  };
  PlanNeeds fast = every();
  fast.min_tps = tok_per_s(8);
  PlanNeeds tight = fast;
  tight.verdict = Verdict::tight;
  PlanNeeds offload = every();
  offload.verdict = Verdict::offload;
  offload.pessimistic = true;
  offload.min_tps = tok_per_s(2);
  for (const Case& one : {Case{"32b", fast, tokens(8192)}, Case{"70b", tight, tokens(16384)},
                          Case{"70b", offload, tokens(8192)}, Case{"r1-671b", fast, tokens(8192)}}) {
    const Plan found = planned(one.model, one.needs, one.context);
    INFO(one.model);
    REQUIRE_FALSE(found.rows.empty());
    for (const PlannedMachine& row : found.rows) {
      const Machine machine = machine_of(builtin_catalog(), row, one.needs, nullptr);
      const Estimate alone = evaluate(builtin_catalog(), found.question, machine);
      const bool offloaded = row.kind == MachineKind::card_and_memory;
      CHECK(alone.placement.verdict == row.placement.verdict);
      CHECK(alone.placement.verdict <= (offloaded ? Verdict::offload : one.needs.verdict));
      REQUIRE(alone.speed.decode);
      CHECK(alone.speed.decode->typical == row.decode->typical);
      const TokensPerSecond speed =
          one.needs.pessimistic ? alone.speed.decode->low : alone.speed.decode->typical;
      CHECK(speed >= *one.needs.min_tps);
      REQUIRE(row.max_context);
      CHECK(*row.max_context >= one.context);
    }
  }
}

TEST_CASE("no machine is listed twice, and those that are not beaten come first") {
  for (const char* model : {"32b", "70b", "r1-671b"}) {
    const Plan found = planned(model, every());
    CHECK(set_of(found).size() == found.rows.size());
    CHECK(found.rows.size() == found.found);
    CHECK(std::ranges::is_partitioned(found.rows, &PlannedMachine::front));
    CHECK(static_cast<std::size_t>(std::ranges::count_if(found.rows, &PlannedMachine::front)) == found.front);
    PlanNeeds front;
    CHECK(planned(model, front).rows.size() == found.front);
    front.top = 3;
    CHECK(planned(model, front).rows.size() == std::min<std::size_t>(3, found.front));
  }
}

TEST_CASE("each row beyond the front is beaten by one of the front") {
  const Plan found = planned("70b", every());
  const auto step = [](const PlannedMachine& row) {
    return std::floor(std::log(row.decode->typical.count()) / std::log(kSpeedStep));
  };
  for (const PlannedMachine& row : found.rows) {
    const bool beaten = std::ranges::any_of(found.rows, [&](const PlannedMachine& other) {
      if (!other.front || other.kind != row.kind) return false;
      if (other.price.usd.has_value() != row.price.usd.has_value()) return false;
      if (other.power.has_value() != row.power.has_value()) return false;
      const bool cheaper = !row.price.usd || *other.price.usd <= *row.price.usd;
      const bool cooler = !row.power || *other.power <= *row.power;
      return cheaper && cooler && step(other) >= step(row) && key(other) != key(row);
    });
    if (!row.front) CHECK(beaten);
  }
}

TEST_CASE("the order asked for holds within the front and beyond it") {
  const auto figure = [](const PlannedMachine& row, PlanSort sort) {
    constexpr double unknown = 1e12;
    if (sort == PlanSort::price) return row.price.usd.value_or(unknown);
    if (sort == PlanSort::power) return row.power ? row.power->count() : unknown;
    return -row.decode->typical.count();
  };
  for (const PlanSort sort : {PlanSort::price, PlanSort::power, PlanSort::speed}) {
    PlanNeeds needs = every();
    needs.sort = sort;
    const Plan found = planned("32b", needs);
    const auto middle = found.rows.begin() + static_cast<std::ptrdiff_t>(found.front);
    const auto ordered = [&](const PlannedMachine& a, const PlannedMachine& b) {
      return figure(a, sort) < figure(b, sort);
    };
    CHECK(std::is_sorted(found.rows.begin(), middle, ordered));
    CHECK(std::is_sorted(middle, found.rows.end(), ordered));
  }
}

TEST_CASE("the order of the catalogue changes nothing") {
  const Plan straight = planned("70b", every());
  PlanNeeds none = every();
  none.min_tps = tok_per_s(100'000);
  std::mt19937 random(7);
  for (int round = 0; round < 3; ++round) {
    Catalog shuffled = builtin_catalog();
    // Records are pointed at by others, so the same objects have to be walked in another order: measured
    // devices are copied with them.
    std::vector<Gpu> gpus(shuffled.gpus.begin(), shuffled.gpus.end());
    std::vector<Host> hosts(shuffled.hosts.begin(), shuffled.hosts.end());
    std::ranges::shuffle(gpus, random);
    std::ranges::shuffle(hosts, random);
    std::vector<MeasuredDevice> measured(shuffled.measured_devices.begin(), shuffled.measured_devices.end());
    for (MeasuredDevice& one : measured) {
      if (one.gpu != nullptr) one.gpu = &*std::ranges::find(gpus, one.gpu->id, &Gpu::id);
      if (one.host != nullptr) one.host = &*std::ranges::find(hosts, one.host->id, &Host::id);
    }
    shuffled.gpus = gpus;
    shuffled.hosts = hosts;
    shuffled.measured_devices = measured;
    const Question question = straight.question;
    CHECK(keys(plan(shuffled, question, every())) == keys(straight));
    CHECK(key(*plan(shuffled, question, none).nearest) == key(*planned("70b", none).nearest));
  }
}

TEST_CASE("to need more never adds a machine") {
  for (const char* model : {"32b", "r1-671b"}) {
    const std::set<Key> before = set_of(planned(model, every()));
    std::vector<PlanNeeds> tighter(5, every());
    tighter[0].min_tps = tok_per_s(12);
    tighter[1].budget_usd = 2000;
    tighter[2].max_watts = watts(300);
    tighter[3].new_only = true;
    tighter[4].min_tps = tok_per_s(12);
    tighter[4].pessimistic = true;
    for (const PlanNeeds& needs : tighter) {
      const std::set<Key> after = set_of(planned(model, needs));
      CHECK(after.size() < before.size());
      CHECK(std::ranges::includes(before, after));
    }
  }
}

TEST_CASE("a longer context never takes less of a kind, nor another kind") {
  const std::vector<Key> before = keys(planned("70b", every(), tokens(8192)));
  for (const Key& longer : keys(planned("70b", every(), tokens(65536)))) {
    const bool covered = std::ranges::any_of(before, [&longer](const Key& one) {
      return std::get<0>(one) == std::get<0>(longer) && std::get<1>(one) == std::get<1>(longer) &&
             std::get<2>(one) <= std::get<2>(longer) && std::get<3>(one) == std::get<3>(longer) &&
             std::get<4>(one) <= std::get<4>(longer);
    });
    CHECK(covered);
  }
}

TEST_CASE("a Mac whose limit has to be raised says so") {
  PlanNeeds needs = every();
  const Plan found = planned("r1-671b", needs);
  const auto mac = std::ranges::find_if(found.rows, is_mac);
  REQUIRE(mac != found.rows.end());
  CHECK(mac->device.memory == gib(512));
  REQUIRE(mac->wired_limit);
  CHECK(*mac->wired_limit == gib(504));
  CHECK(mac->placement.verdict == Verdict::fits);
}
