#include "r1fit/step_up.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "r1fit/candidate_machines.hpp"
#include "r1fit/units_text.hpp"
#include "r1fit/waits.hpp"

namespace r1fit {
namespace {

class Trials {
 public:
  Trials(const Catalog& catalog, const Estimate& found, const Machine& machine, const Requirements& required)
      : catalog_(catalog),
        found_(found),
        machine_(machine),
        required_(required),
        candidate_(candidate_of(found)),
        workload_(found.workload) {}

  [[nodiscard]] std::string fewest_cards() const {
    const Device& card = machine_.devices.front();
    for (const int count : kCardCounts) {
      if (count <= std::ssize(machine_.devices)) continue;
      Machine more = machine_;
      more.devices.assign(static_cast<std::size_t>(count), card);
      more.host = HostMemory{};
      const Placement placement = place(candidate_, workload_, more);
      if (placement.strain == Strain::tensors_by_hand || !does(more, placement)) continue;
      return std::to_string(count) + " x " +
             (card.gpu != nullptr ? std::string(card.gpu->name) : capacity_text(card.capacity) + " cards");
    }
    return {};
  }

  [[nodiscard]] std::string smallest_mac() const {
    std::optional<SoldDevice> least;
    for (const SoldDevice& device : sold_devices(catalog_)) {
      if (device.gpu->vendor != Vendor::apple || (least && device.memory >= least->memory)) continue;
      // Weights alone rule out most sizes without a placement.
      if (device.memory < candidate_.weights->total()) continue;
      const Machine mac = machine_of(catalog_, device, 1, {}, found_.engine.engine);
      const Placement placement = place(candidate_, workload_, mac);
      if (placement.strain != Strain::raised_limit && does(mac, placement)) least = device;
    }
    if (!least) return {};
    const std::string size = capacity_text(least->memory);
    // Of one size some are fast enough and others are not.
    if (speed_counts()) return "an " + std::string(least->gpu->name) + " with " + size;
    const bool vowel = size.starts_with("8 ") || size.starts_with("18 ");
    return (vowel ? "an " : "a ") + size + " Mac";
  }

  [[nodiscard]] std::string least_ram() const {
    for (const Bytes ram : kRamSizes) {
      if (machine_.host.ram && ram <= *machine_.host.ram) continue;
      const Host* platform = machine_.host.platform;
      if (platform != nullptr && platform->max_memory && ram > *platform->max_memory) break;
      Machine more = machine_;
      more.host = make_host(catalog_, ram, platform, machine_.host.bandwidth);
      more.host.cores = machine_.host.cores;
      more.host.own = machine_.host.own;
      Placement placement = place(candidate_, workload_, more);
      if (placement.verdict > Verdict::offload) continue;
      const Estimate tried = with_speed(more, std::move(placement));
      const std::vector<std::string> failed = unmet_but_fit(more, tried);
      // More of it is not faster, and who asks for a speed means no server around the same card.
      if (failed == std::vector<std::string>{"min_ctx"}) continue;
      if (!failed.empty()) return {};
      std::string text = capacity_text(ram) + " of RAM";
      if (!machine_.devices.empty()) text += " beside the card";
      if (tried.placement.verdict > required_.verdict) text += " with --require offload";
      if (const auto& speed = tried.speed.decode)
        text += " (" + tok_per_s_text(speed->low, speed->high) + " tok/s)";
      return text;
    }
    return {};
  }

 private:
  [[nodiscard]] bool speed_counts() const { return required_.min_tps || required_.max_answer; }

  [[nodiscard]] Estimate with_speed(const Machine& machine, Placement placement) const {
    Estimate tried;
    tried.placement = std::move(placement);
    tried.speed = speed_of(candidate_, workload_, machine, tried.placement);
    add_waits(candidate_, workload_, machine, tried.placement, found_.download.size, tried.speed);
    return tried;
  }

  /// What is required of `tried` and does not hold, where it lies aside.
  [[nodiscard]] std::vector<std::string> unmet_but_fit(const Machine& machine, const Estimate& tried) const {
    Requirements others = required_;
    others.verdict = Verdict::does_not_fit;
    std::optional<Tokens> most;
    if (others.min_context) most = max_context(candidate_, workload_, machine, tried.placement);
    return unmet(others, tried, most);
  }

  /// Whether devices that lie as `placement` says hold all of it and meet what else is required.
  [[nodiscard]] bool does(const Machine& machine, const Placement& placement) const {
    if (placement.verdict > std::min(Verdict::tight, required_.verdict)) return false;
    const Question question{found_.model, found_.quant, found_.engine, workload_, {}, found_.file};
    if (!split_objection(catalog_, question, machine).empty()) return false;
    Estimate tried;
    if (speed_counts()) {
      tried = with_speed(machine, placement);
    } else {
      tried.placement = placement;
    }
    return unmet_but_fit(machine, tried).empty();
  }

  const Catalog& catalog_;
  const Estimate& found_;
  const Machine& machine_;
  const Requirements& required_;
  Candidate candidate_;
  const Workload& workload_;
};

}  // namespace

std::vector<std::string> hardware_for(const Catalog& catalog, const Estimate& found, const Machine& machine,
                                      const Requirements& required) {
  // Of what nothing is known nothing is said.
  if (machine.devices.empty() && !machine.host.ram) return {};
  const bool cards = !machine.devices.empty() && !machine.devices.front().unified;
  const Trials trials(catalog, found, machine, required);
  std::vector<std::string> texts;
  if (cards) texts.push_back(trials.fewest_cards());
  texts.push_back(trials.smallest_mac());
  if (cards || machine.devices.empty()) texts.push_back(trials.least_ram());
  std::erase(texts, std::string());
  return texts;
}

}  // namespace r1fit
