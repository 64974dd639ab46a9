#include "r1fit/engine_release.hpp"

#include <algorithm>

#include "r1fit/error.hpp"
#include "r1fit/lookup.hpp"
#include "r1fit/release_number.hpp"
#include "r1fit/units_text.hpp"

namespace r1fit {
namespace {

/// The last release for which `begun` holds; null where there is none.
template <class Predicate>
const EngineRelease* last_begun(const Engine& engine, Predicate begun) {
  const EngineRelease* found = nullptr;
  for (const EngineRelease& release : engine.releases) {
    if (begun(release)) found = &release;
  }
  return found;
}

const EngineRelease& release_named(const Engine& engine, Text asked) {
  const std::string flag = "--engine " + std::string(engine.id) + "@" + std::string(asked);
  if (engine.releases.empty())
    throw Error(flag + ": no releases of " + std::string(engine.name) + " are known apart");
  const bool numbered = !engine.releases.front().version.empty();
  const EngineRelease* found = nullptr;
  const Text number = asked.starts_with('v') ? asked.substr(1) : asked;
  if (is_month(asked)) {
    found = last_begun(engine, [&](const EngineRelease& release) { return release.from <= asked; });
  } else if (const auto version = release_number(number); version && numbered) {
    found = last_begun(
        engine, [&](const EngineRelease& release) { return *release_number(release.version) <= *version; });
  } else {
    const EngineRelease& last = engine.releases.back();
    throw Error(flag +
                (numbered
                     ? ": a release is a version or a month, such as " + std::string(last.version) + " or "
                     : ": its releases are told apart by month, such as ") +
                std::string(last.from));
  }
  if (found == nullptr) {
    const EngineRelease& first = engine.releases.front();
    throw Error(flag + " is older than what is known: " +
                (numbered ? std::string(first.version) + ", " : std::string()) + std::string(first.from) +
                " and later");
  }
  return *found;
}

bool flash_by_default(const EngineRelease& release, const Model& model) {
  return std::ranges::find(release.flash_attention_off, model.shape->gguf_architecture) ==
         release.flash_attention_off.end();
}

}  // namespace

bool flash_by_default(const EngineChoice& choice, const Model& model) {
  return choice.release == nullptr || flash_by_default(*choice.release, model);
}

const EngineSpeed* engine_speed(const Catalog& catalog, const Engine& engine) {
  const auto found = std::ranges::find(catalog.engine_speeds, engine.id, &EngineSpeed::engine);
  return found == catalog.engine_speeds.end() ? nullptr : &*found;
}

EngineChoice engine_choice(const Catalog& catalog, Text text) {
  EngineChoice choice;
  if (text.empty()) return choice;
  const std::size_t at = text.find('@');
  choice.engine = &engine_named(catalog, text.substr(0, at));
  if (at != Text::npos) {
    choice.asked = text.substr(at + 1);
    choice.release = &release_named(*choice.engine, choice.asked);
  } else if (!choice.engine->releases.empty()) {
    choice.release = &choice.engine->releases.back();
  }
  choice.speed = engine_speed(catalog, *choice.engine);
  return choice;
}

Workload as_released(const EngineChoice& choice, const Said& said, const Workload& workload,
                     const Model& model) {
  Workload out = workload;
  out.engine_speed = choice.speed;
  if (choice.release == nullptr) return out;
  const EngineRelease& release = *choice.release;
  if (!said.parallel) out.parallel = release.slots;
  if (!said.kv_unified) out.kv_unified = release.kv_unified;
  if (!said.logits_rows)
    out.logits_rows = release.logits_per_token ? LogitsRows::ubatch : LogitsRows::parallel;
  if (out.flash_attention == FlashAttention::automatic && !flash_by_default(release, model))
    out.flash_attention = FlashAttention::off;
  out.output_last = release.output_last;
  out.plans_scores = release.plans_scores;
  out.pool_unplanned = release.plans_scores && !release.pool_reserved;
  out.graph = release.graph;
  out.legacy_gguf = out.legacy_gguf || (!release.mla_cache && model.shape->mla);
  return out;
}

Tokens default_context(const EngineRelease& release, Bytes gpu_memory, const Model& model) {
  Tokens slot = model.max_context;
  for (const ContextStep& step : release.default_context) {
    if (gpu_memory >= step.gpu_memory) slot = step.context;
  }
  return tokens(std::min(slot.count() * release.slots, model.max_context.count()));
}

std::vector<std::string> differences(const EngineChoice& choice, const Model& model, bool partial) {
  std::vector<std::string> found;
  if (!choice.is_past()) return found;
  const EngineRelease& then = *choice.release;
  const EngineRelease& now = choice.engine->releases.back();
  if (flash_by_default(now, model) && !flash_by_default(then, model))
    found.emplace_back("no flash attention by default");
  if (then.slots != now.slots)
    found.push_back(count_text(then.slots) + (then.slots == 1 ? " slot" : " slots"));
  if (then.logits_per_token && !now.logits_per_token)
    found.emplace_back("logits set aside for the whole micro-batch");
  if (then.plans_scores && !now.plans_scores) found.emplace_back("a plan that counts attention scores");
  if (partial && then.output_last && !now.output_last) found.emplace_back("the output layer last in -ngl");
  if (now.mla_cache && !then.mla_cache && model.shape->mla) found.emplace_back("no MLA cache");
  return found;
}

std::string engine_title(const EngineChoice& choice) {
  if (choice.engine == nullptr) return "llama.cpp";
  std::string title(choice.engine->name);
  if (!choice.asked.empty()) title += (is_month(choice.asked) ? " of " : " ") + choice.asked;
  return title;
}

}  // namespace r1fit
