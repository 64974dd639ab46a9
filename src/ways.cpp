#include "r1fit/ways.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "last_good.hpp"

namespace r1fit {
namespace {

/// Nothing shorter is worth proposing to a model that thinks before it answers.
constexpr std::int64_t kLeastContext = 1024;
constexpr std::int64_t kStep = 256;

class Trials {
 public:
  Trials(const GoodEnough& good, Tokens least, const Catalog& catalog, const Candidate& candidate,
         const Workload& workload, const Machine& machine, const PlacementRequest& request)
      : good_(good),
        least_(std::max(least, tokens(kLeastContext))),
        catalog_(catalog),
        candidate_(candidate),
        workload_(workload),
        machine_(machine),
        request_(request) {}

  std::vector<std::string> run() {
    std::vector<std::string> found;
    if (!workload_.flash()) {
      Workload with = workload_;
      with.flash_attention = FlashAttention::on;
      if (reaches(candidate_, with)) found.emplace_back("--flash-attn on");
    }
    if (const std::optional<Bytes> limit = raised_limit())
      found.push_back("--wired-limit " + std::to_string(static_cast<std::int64_t>(in_gib(*limit))));
    if (const std::optional<Tokens> context = longest_context()) {
      found.push_back("--ctx " + std::to_string(context->count()));
    }
    if (workload_.kv_k == KvType::f16 && workload_.kv_v == KvType::f16 && workload_.flash()) {
      Workload cached = workload_;
      cached.kv_k = cached.kv_v = KvType::q8_0;
      if (reaches(candidate_, cached)) found.emplace_back("--kv q8_0");
    }
    if (workload_.ubatch > tokens(128)) {
      Workload smaller = workload_;
      smaller.ubatch = tokens(128);
      if (reaches(candidate_, smaller)) found.emplace_back("--ubatch 128");
    }
    if (const Quant* quant = next_smaller()) found.push_back("--quant " + std::string(quant->id));
    return found;
  }

 private:
  [[nodiscard]] bool reaches(const Candidate& candidate, const Workload& workload) const {
    return good_(candidate, workload, machine_);
  }

  /// Apple: what the limit may be raised to, in whole GiB.
  [[nodiscard]] std::optional<Bytes> raised_limit() const {
    if (std::ranges::all_of(machine_.devices, [](const Device& one) { return one.stretch.empty(); }))
      return std::nullopt;
    Machine raised = machine_;
    std::optional<Bytes> limit;
    for (Device& device : raised.devices) {
      if (device.stretch.empty()) continue;
      // What is reserved is taken out of the limit, as it will be once that is stated.
      limit = gib(std::floor(in_gib(device.stretched + device.reserved)));
      device.budget = device.stretched = *limit - device.reserved;
    }
    if (!good_(candidate_, workload_, raised)) return std::nullopt;
    return limit;
  }

  [[nodiscard]] Workload with_context(int steps) const {
    Workload with = workload_;
    with.context = tokens(steps * kStep);
    return with;
  }

  /// The longest context that does it and is shorter than the one asked for, unless that is too short.
  [[nodiscard]] std::optional<Tokens> longest_context() const {
    const auto least = static_cast<int>((least_.count() + kStep - 1) / kStep);
    if (least * kStep > candidate_.model->max_context.count()) return std::nullopt;
    const auto shorter = static_cast<int>(workload_.context.count() / kStep) - 1;
    const bool too_short = workload_.context < least_ && least_ > tokens(kLeastContext);
    const int most = too_short ? least : shorter;
    if (most < least || !reaches(candidate_, with_context(least))) return std::nullopt;
    const Placement shortest = place(candidate_, with_context(least), machine_, request_);
    const int guess = least + static_cast<int>((most - least) * share_of_room(shortest));
    const int steps = last_good_near(least, most, guess,
                                     [&](int tried) { return reaches(candidate_, with_context(tried)); });
    return tokens(steps * kStep);
  }

  /// Where between the shortest context and the one asked for the devices are about full: what they take
  /// grows nearly in step with the context.
  [[nodiscard]] double share_of_room(const Placement& shortest) const {
    const Placement asked = place(candidate_, workload_, machine_, request_);
    double share = 1;
    for (std::size_t i = 0; i < std::min(shortest.devices.size(), asked.devices.size()); ++i) {
      const Device& device = machine_.devices[i];
      const Bytes room = device.budget - device.margin - shortest.devices[i].total();
      const Bytes growth = asked.devices[i].total() - shortest.devices[i].total();
      if (growth > Bytes{})
        share = std::min(share, static_cast<double>(room.count()) / static_cast<double>(growth.count()));
    }
    return std::max(share, 0.0);
  }

  /// The largest offered quantisation smaller than the one asked for that does it as asked.
  [[nodiscard]] const Quant* next_smaller() const {
    if (candidate_.at_hand) return nullptr;
    const Bytes asked = candidate_.weights->total();
    const Quant* best = nullptr;
    Bytes best_size;
    for (const Quant& quant : catalog_.quants) {
      if (!quant.offered || !published(catalog_, *candidate_.model, quant)) continue;
      const Bytes size = total_weights(catalog_, *candidate_.model, quant, workload_);
      if (size >= asked || size <= best_size) continue;
      const Weights weights = weights_of(catalog_, *candidate_.model, quant, workload_);
      if (!reaches({candidate_.model, &quant, &weights}, workload_)) continue;
      best = &quant;
      best_size = size;
    }
    return best;
  }

  const GoodEnough& good_;
  Tokens least_;
  const Catalog& catalog_;
  const Candidate& candidate_;
  const Workload& workload_;
  const Machine& machine_;
  const PlacementRequest& request_;
};

}  // namespace

std::vector<std::string> ways_to(Verdict wanted, const Catalog& catalog, const Candidate& candidate,
                                 const Workload& workload, const Machine& machine,
                                 const PlacementRequest& request) {
  const auto good = [&](const Candidate& tried, const Workload& with, const Machine& on) {
    return place(tried, with, on, request).verdict <= wanted;
  };
  return ways_to(good, {}, catalog, candidate, workload, machine, request);
}

std::vector<std::string> ways_to(const GoodEnough& good, Tokens least, const Catalog& catalog,
                                 const Candidate& candidate, const Workload& workload, const Machine& machine,
                                 const PlacementRequest& request) {
  return Trials(good, least, catalog, candidate, workload, machine, request).run();
}

}  // namespace r1fit
