#include "r1fit/check.hpp"

namespace r1fit {
namespace {

class Checker {
 public:
  Checker(const Catalog& catalog, const Question& question, const Machine& machine,
          const Requirements& required)
      : catalog_(catalog), question_(question), machine_(machine), required_(required) {}

  Check run() {
    Check result;
    result.required = required_;
    result.estimate = estimate(catalog_, question_, machine_);
    const Estimate& found = result.estimate;
    if (found.placement.verdict > required_.verdict) {
      result.failed.emplace_back("fit");
      result.ways = ways();
    }
    if (required_.min_tps && !(found.speed.decode && found.speed.decode->typical >= *required_.min_tps)) {
      result.failed.emplace_back("min_tps");
    }
    if (required_.min_context && !(found.max_context && *found.max_context >= *required_.min_context)) {
      result.failed.emplace_back("min_ctx");
    }
    return result;
  }

 private:
  [[nodiscard]] bool fits(const Question& question) const {
    return evaluate(catalog_, question, machine_).placement.verdict <= required_.verdict;
  }

  [[nodiscard]] std::vector<std::string> ways() const {
    std::vector<std::string> found;
    if (const std::optional<Tokens> context = longest_context()) {
      found.push_back("--ctx " + std::to_string(context->count()));
    }
    Question cached = question_;
    cached.workload.kv_k = cached.workload.kv_v = KvType::q8_0;
    if (question_.workload.kv_k == KvType::f16 && cached.workload.flash() && fits(cached)) {
      found.emplace_back("--kv q8_0");
    }
    if (const Quant* quant = next_smaller()) found.push_back("--quant " + std::string(quant->id));
    return found;
  }

  /// The largest context at which it fits; nothing below 1,024 tokens is worth proposing.
  [[nodiscard]] std::optional<Tokens> longest_context() const {
    constexpr std::int64_t step = 256;
    std::int64_t low = 4;
    std::int64_t high = question_.workload.context.count() / step;
    const auto at = [&](std::int64_t steps) {
      Question question = question_;
      question.workload.context = tokens(steps * step);
      question.workload.depth = std::min(question.workload.depth, question.workload.context);
      return question;
    };
    if (high <= low || !fits(at(low))) return std::nullopt;
    while (low + 1 < high) {
      const std::int64_t middle = (low + high) / 2;
      (fits(at(middle)) ? low : high) = middle;
    }
    return tokens(low * step);
  }

  /// The largest offered quantisation smaller than the one asked for that fits as asked.
  [[nodiscard]] const Quant* next_smaller() const {
    const Bytes asked = weights_of(catalog_, *question_.model, *question_.quant, question_.workload).total();
    const Quant* best = nullptr;
    Bytes best_size;
    for (const Quant& quant : catalog_.quants) {
      if (!quant.offered || !published(catalog_, *question_.model, quant)) continue;
      const Bytes size = weights_of(catalog_, *question_.model, quant, question_.workload).total();
      if (size >= asked || size <= best_size) continue;
      Question question = question_;
      question.quant = &quant;
      if (!fits(question)) continue;
      best = &quant;
      best_size = size;
    }
    return best;
  }

  const Catalog& catalog_;
  const Question& question_;
  const Machine& machine_;
  const Requirements& required_;
};

}  // namespace

Check check(const Catalog& catalog, const Question& question, const Machine& machine,
            const Requirements& required) {
  return Checker(catalog, question, machine, required).run();
}

}  // namespace r1fit
