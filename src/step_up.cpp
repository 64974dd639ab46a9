#include "r1fit/step_up.hpp"

#include <algorithm>
#include <optional>

#include "r1fit/candidate_machines.hpp"
#include "r1fit/throughput.hpp"
#include "r1fit/units_text.hpp"

namespace r1fit {
namespace {

class Trials {
 public:
  Trials(const Catalog& catalog, const Candidate& candidate, const Workload& workload, const Machine& machine)
      : catalog_(catalog), candidate_(candidate), workload_(workload), machine_(machine) {}

  [[nodiscard]] std::string fewest_cards() const {
    const Device& card = machine_.devices.front();
    for (const int count : kCardCounts) {
      if (count <= std::ssize(machine_.devices)) continue;
      Machine more = machine_;
      more.devices.assign(static_cast<std::size_t>(count), card);
      more.host = HostMemory{};
      const Placement placement = place(candidate_, workload_, more);
      if (placement.verdict > Verdict::tight || placement.strain == Strain::tensors_by_hand) continue;
      return std::to_string(count) + " x " +
             (card.gpu != nullptr ? std::string(card.gpu->name) : capacity_text(card.capacity) + " cards");
    }
    return {};
  }

  [[nodiscard]] std::string smallest_mac() const {
    std::optional<Bytes> least;
    for (const SoldDevice& device : sold_devices(catalog_)) {
      if (device.gpu->vendor != Vendor::apple || (least && device.memory >= *least)) continue;
      // Weights alone rule out most sizes without a placement.
      if (device.memory < candidate_.weights->total()) continue;
      const Placement placement = place(candidate_, workload_, machine_of(catalog_, device, 1));
      if (placement.verdict <= Verdict::tight && placement.strain != Strain::raised_limit)
        least = device.memory;
    }
    if (!least) return {};
    const std::string size = capacity_text(*least);
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
      const Placement placement = place(candidate_, workload_, more);
      if (placement.verdict > Verdict::offload) continue;
      const Speed speed = speed_of(candidate_, workload_, more, placement);
      std::string text = capacity_text(ram) + " of RAM";
      if (!machine_.devices.empty()) text += " beside the card";
      if (speed.decode) text += " (" + tok_per_s_text(speed.decode->low, speed.decode->high) + " tok/s)";
      return text;
    }
    return {};
  }

 private:
  const Catalog& catalog_;
  const Candidate& candidate_;
  const Workload& workload_;
  const Machine& machine_;
};

}  // namespace

std::vector<std::string> hardware_for(const Catalog& catalog, const Candidate& candidate,
                                      const Workload& workload, const Machine& machine) {
  // Of what nothing is known nothing is said.
  if (machine.devices.empty() && !machine.host.ram) return {};
  const bool cards = !machine.devices.empty() && !machine.devices.front().unified;
  const Trials trials(catalog, candidate, workload, machine);
  std::vector<std::string> found;
  if (cards) found.push_back(trials.fewest_cards());
  found.push_back(trials.smallest_mac());
  if (cards || machine.devices.empty()) found.push_back(trials.least_ram());
  std::erase(found, std::string());
  return found;
}

}  // namespace r1fit
