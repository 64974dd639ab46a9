#include "r1fit/waits.hpp"

namespace r1fit {
namespace {

std::optional<Range<TokensPerSecond>> prefill_of(const Candidate& candidate, const Machine& machine,
                                                 const Placement& placement) {
  if (placement.mode != PlacementMode::gpu || machine.devices.empty()) return std::nullopt;
  const Device& device = machine.devices.front();
  if (device.gpu == nullptr || !device.gpu->fp16 || device.speed == nullptr || !device.speed->mfu)
    return std::nullopt;
  const double active = static_cast<double>(active_parameters(*candidate.model->shape));
  const TokensPerSecond peak = *device.gpu->fp16 / FlopsPerToken::of(2.0 * active);
  const double typical = *device.speed->mfu;
  return Range<TokensPerSecond>{peak * device.speed->mfu_low.value_or(typical), peak * typical,
                                peak * device.speed->mfu_high.value_or(typical)};
}

}  // namespace

void add_waits(const Candidate& candidate, const Workload& workload, const Machine& machine,
               const Placement& placement, Speed& speed) {
  if (placement.verdict == Verdict::does_not_fit) return;
  speed.prefill = prefill_of(candidate, machine, placement);
  if (speed.prefill) {
    const Tokens prompt = workload.prompt;
    speed.ttft = {prompt / speed.prefill->high, prompt / speed.prefill->typical, prompt / speed.prefill->low};
  }
  if (!speed.decode || !workload.answer || workload.answer->count() == 0) return;
  // A token takes longer in step with the depth, so the middle of the answer stands for all of it.
  const Tokens half = tokens(workload.prompt.count() + workload.answer->count() / 2);
  const auto mid = decode_at_depth(candidate, workload, machine, placement, half);
  if (!mid) return;
  const Range<Seconds> first = speed.ttft.value_or(Range<Seconds>{});
  speed.answer = {first.low + *workload.answer / mid->high, first.typical + *workload.answer / mid->typical,
                  first.high + *workload.answer / mid->low};
}

}  // namespace r1fit
