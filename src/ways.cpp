#include "r1fit/ways.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

namespace r1fit {
namespace {

/// Nothing shorter is worth proposing to a model that thinks before it answers.
constexpr std::int64_t kLeastContext = 1024;
constexpr std::int64_t kStep = 256;

class Trials {
 public:
  Trials(Verdict wanted, const Catalog& catalog, const Candidate& candidate, const Workload& workload,
         const Machine& machine, const PlacementRequest& request)
      : wanted_(wanted),
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
    return place(candidate, workload, machine_, request_).verdict <= wanted_;
  }

  /// Apple: what the limit may be raised to, in whole GiB.
  [[nodiscard]] std::optional<Bytes> raised_limit() const {
    Machine raised = machine_;
    std::optional<Bytes> limit;
    for (Device& device : raised.devices) {
      if (device.stretch.empty()) continue;
      // What is reserved is taken out of the limit, as it will be once that is stated.
      limit = gib(std::floor(in_gib(device.stretched + device.reserved)));
      device.budget = device.stretched = *limit - device.reserved;
    }
    if (!limit || place(candidate_, workload_, raised, request_).verdict > wanted_) return std::nullopt;
    return limit;
  }

  [[nodiscard]] std::optional<Tokens> longest_context() const {
    const auto at = [this](std::int64_t steps) {
      Workload shorter = workload_;
      shorter.context = tokens(steps * kStep);
      return reaches(candidate_, shorter);
    };
    std::int64_t low = kLeastContext / kStep;
    std::int64_t high = workload_.context.count() / kStep;
    if (high <= low || !at(low)) return std::nullopt;
    while (low + 1 < high) {
      const std::int64_t middle = (low + high) / 2;
      (at(middle) ? low : high) = middle;
    }
    return tokens(low * kStep);
  }

  /// The largest offered quantisation smaller than the one asked for that does it as asked.
  [[nodiscard]] const Quant* next_smaller() const {
    const Bytes asked = candidate_.weights->total();
    const Quant* best = nullptr;
    Bytes best_size;
    for (const Quant& quant : catalog_.quants) {
      if (!quant.offered || !published(catalog_, *candidate_.model, quant)) continue;
      const Weights weights = weights_of(catalog_, *candidate_.model, quant, workload_);
      const Bytes size = weights.total();
      if (size >= asked || size <= best_size) continue;
      if (!reaches({candidate_.model, &quant, &weights}, workload_)) continue;
      best = &quant;
      best_size = size;
    }
    return best;
  }

  Verdict wanted_;
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
  return Trials(wanted, catalog, candidate, workload, machine, request).run();
}

}  // namespace r1fit
