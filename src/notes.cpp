#include "r1fit/notes.hpp"

#include <algorithm>

#include "depth_note.hpp"
#include "r1fit/estimate.hpp"
#include "r1fit/kv_cache.hpp"
#include "r1fit/units_text.hpp"

namespace r1fit {
namespace {

/// What llama-server keeps of earlier prompts in system RAM, at most: --cache-ram 8192 (MiB) by default,
/// since llama.cpp pull request 16391 of October 2025.
constexpr Bytes kPromptCache = gib(8);

Tokens whole_steps(Tokens needed) {
  constexpr std::int64_t step = 256;
  return tokens((needed.count() + step - 1) / step * step);
}

/// The flag for a context of so many tokens, and whether it fits with the layers where they are.
std::string context_for(const Estimate& estimate, Tokens needed) {
  const Tokens context = whole_steps(needed);
  const Tokens most = estimate.model->max_context;
  if (context > most) return "the model has no more than " + count_text(most) + ".";
  const std::string flag = "--ctx " + std::to_string(context.count());
  if (!estimate.max_context || estimate.placement.verdict == Verdict::does_not_fit)
    return flag + " has room for it.";
  if (context <= *estimate.max_context) return flag + " has room for it and fits as well.";
  return flag + " would, and " + count_text(*estimate.max_context) + " is the most that fits like this.";
}

class Remarks {
 public:
  Remarks(const Catalog& catalog, const Candidate& candidate, const Machine& machine,
          const Estimate& estimate)
      : catalog_(catalog), candidate_(candidate), machine_(machine), estimate_(estimate) {}

  std::vector<Note> all() {
    strain();
    wired_limit();
    engine_plan();
    engine_layers();
    unknown_host();
    depth();
    ollama_default();
    engine_release();
    edge();
    desktop();
    flash_off();
    legacy();
    layer_split();
    wrong_model();
    gib_as_gb();
    speed();
    disk();
    host_memory();
    weights();
    answer();
    return std::move(notes_);
  }

 private:
  void add(std::string code, std::string text) { notes_.push_back({std::move(code), std::move(text)}); }

  [[nodiscard]] bool on_gpu() const {
    return estimate_.placement.mode == PlacementMode::gpu && fits_somehow();
  }
  [[nodiscard]] bool fits_somehow() const { return estimate_.placement.verdict != Verdict::does_not_fit; }

  void strain() {
    const Placement& placement = estimate_.placement;
    switch (placement.strain) {
      case Strain::none:
        break;
      case Strain::inside_margin:
        if (placement.planned != Bytes{}) break;
        add("inside_margin",
            "It fits with less than the " + gib_text(tightest_margin()) + " we leave free on a device.");
        break;
      case Strain::raised_limit: {
        const Device& device = machine_.devices.front();
        add("raised_limit",
            "macOS gives the GPU " + gib_text(device.budget + device.reserved) + " of " +
                capacity_text(device.capacity) + " on its older limit (newer systems give more); `" +
                device.stretch + "` raises it until the next start and leaves " +
                gib_text(device.capacity - device.stretched - device.reserved) + " for macOS and programs.");
        break;
      }
      case Strain::tensors_by_hand:
        add("tensors_by_hand",
            "Whole layers do not divide over these cards: the fullest is " + gib_text(placement.shortfall) +
                " short. The sum fits only if expert tensors are placed one by one (llama.cpp -ot).");
        break;
    }
  }

  [[nodiscard]] Bytes tightest_margin() const {
    Bytes margin;
    for (const Device& device : machine_.devices) margin = std::max(margin, device.margin);
    return margin;
  }

  void wired_limit() {
    const auto set =
        std::ranges::find_if(machine_.devices, [](const Device& one) { return one.wired.has_value(); });
    if (set == machine_.devices.end()) return;
    add("wired_limit", "The limit holds until the next start once `" + wired_limit_command(*set->wired) +
                           "` has set it; it leaves " + gib_text(set->capacity - *set->wired) +
                           " for macOS and programs.");
  }

  void engine_plan() {
    const Placement& placement = estimate_.placement;
    if (placement.planned == Bytes{}) return;
    add("engine_plan",
        engine_title(estimate_.engine) + " plans with " + gib_text(placement.planned) +
            " a device for attention scores, flash attention or not: " +
            (placement.verdict == Verdict::tight ? "its plan is all but full, and it may spill."
                                                 : "it spills, though all of it would fit."));
  }

  void engine_layers() {
    const Placement& placement = estimate_.placement;
    if (placement.engine_layers == 0) return;
    add("engine_layers",
        engine_title(estimate_.engine) + " by itself puts " + count_text(placement.engine_layers) +
            " layers on the GPU, and its pool runs out of room as the context fills: hold it to " +
            count_text(placement.n_gpu_layers) + " (num_gpu).");
  }

  void unknown_host() {
    const Placement& placement = estimate_.placement;
    if (!placement.host_unknown || machine_.devices.empty()) return;
    add("ram_unknown",
        "It does not fit the GPU memory alone. With enough system RAM part of it can lie there: say "
        "how much with --ram.");
  }

  void depth() {
    if (std::optional<Note> note = depth_note(estimate_)) notes_.push_back(std::move(*note));
  }

  /// The release of Ollama whose default is to be warned of: the one asked about, else the current one.
  [[nodiscard]] const EngineRelease* ollama_release() const {
    const auto ollama = std::ranges::find(catalog_.engines, Text("ollama"), &Engine::id);
    if (ollama == catalog_.engines.end() || ollama->releases.empty()) return nullptr;
    if (!estimate_.engine) return &ollama->releases.back();
    return estimate_.engine.engine == &*ollama ? estimate_.engine.release : nullptr;
  }

  void ollama_default() {
    if (estimate_.file != nullptr || !on_gpu() || estimate_.placement.strain == Strain::tensors_by_hand ||
        estimate_.placement.split != SplitMode::layer)
      return;
    const EngineRelease* release = ollama_release();
    if (release == nullptr) return;
    if (ollama_file(catalog_, *estimate_.model, *estimate_.quant) == nullptr) return;
    const Tokens by_default = default_context(*release, gpu_memory(machine_), *estimate_.model);
    if (by_default <= estimate_.workload.context) return;
    Workload longer = estimate_.workload;
    longer.context = by_default;
    Machine cards = machine_;
    cards.host = {};  // what host memory could take does not count
    const Placement placement = place(candidate_, longer, cards);
    if (placement.mode == PlacementMode::gpu && placement.verdict <= Verdict::tight) return;
    add("ollama_default_context", "Ollama's own default with this much GPU memory is " +
                                      count_text(by_default) +
                                      " tokens, and that spills out of it: set the context as shown.");
  }

  void engine_release() {
    const EngineChoice& engine = estimate_.engine;
    if (!engine.is_past()) return;
    std::string text = engine_title(engine);
    const std::vector<std::string> differing =
        differences(engine, *estimate_.model, estimate_.placement.mode == PlacementMode::partial);
    for (std::size_t i = 0; i < differing.size(); ++i) text += (i == 0 ? " has " : ", ") + differing[i];
    if (differing.empty())
      text += estimate_.placement.split == SplitMode::row ? " can split by row, which current releases cannot"
                                                          : " takes the memory that current releases take";
    const Tokens by_default = default_context(*engine.release, gpu_memory(machine_), *estimate_.model);
    if (by_default != estimate_.workload.context)
      text += "; by itself it takes a context of " + count_text(by_default) + " (--ctx default)";
    add("engine_release", text + ". The speed is that of current builds.");
  }

  void edge() {
    const Placement& placement = estimate_.placement;
    if (placement.mode != PlacementMode::partial || !fits_somehow()) return;
    const auto on_host = std::ranges::count(placement.layer_device, -1);
    add("partial_offload",
        count_text(on_host) + " of " + count_text(std::ssize(placement.layer_device)) +
            " layers lie in host memory, which sets the pace; the speed depends on the exact split, "
            "so the range is wide.");
  }

  void desktop() {
    if (!on_gpu() || !machine_.desktop.empty() || machine_.devices.front().unified) return;
    const auto windows = std::ranges::find(catalog_.desktops, Text("windows"), &DesktopReserve::id);
    if (windows == catalog_.desktops.end()) return;
    const Device& first = machine_.devices.front();
    const Bytes left = first.budget - estimate_.placement.devices.front().total();
    if (left >= windows->high) return;
    add("desktop", "A desktop drawn by the same card takes more of it: up to " + gib_text(windows->high) +
                       " under Windows (--desktop windows|linux); " + gib_text(std::max(left, Bytes{})) +
                       " are left here.");
  }

  void flash_off() {
    if (estimate_.workload.flash()) return;
    Bytes pool;
    for (const DeviceUse& use : estimate_.placement.devices) pool = std::max(pool, use.pool);
    if (pool == Bytes{}) return;
    add("flash_attention_off",
        "Without flash attention CUDA takes another " + gib_text(pool) +
            (estimate_.engine.release != nullptr && estimate_.engine.release->pool_reserved
                 ? " a card, set aside when the model is loaded."
                 : " a card as the context fills; no log shows it, and a failure comes late."));
  }

  void legacy() {
    if (!estimate_.workload.legacy_gguf) return;
    const Shape& shape = *estimate_.model->shape;
    add("legacy_gguf", "A 671B file made before the MLA cache (early 2025) keeps full heads: " +
                           gib_text(kv_layer(shape, estimate_.workload) * shape.layers) +
                           " of KV cache, 71 times a newer file's. Download a newer conversion.");
  }

  void layer_split() {
    if (machine_.devices.size() < 2 || !on_gpu()) return;
    if (const CardSplit* cost = split_cost(machine_, estimate_.placement.split)) {
      shared_layers(*cost);
      return;
    }
    add("layer_split",
        "The cards work one after the other (layer split): more of them hold more, they are not faster.");
  }

  /// Split by row or tensor.
  void shared_layers(const CardSplit& cost) {
    const std::string id(cost.id);
    add(id + "_split",
        "What a split by " + id + " takes is worked out from llama.cpp's source, with an allowance of " +
            mib_text(cost.memory) + " a card that is in no log: try it before you rely on a tight fit.");
    if (!estimate_.speed.decode) return;
    if (cost.sync) {
      add("best_case",
          "All cards work on every layer at once (experimental in llama.cpp). The high end of the speed is "
          "the "
          "best case, not a measurement; on slow links, or without NCCL, it may be no faster than a split by "
          "layer.");
    } else {
      add("best_case",
          "Row split was measured from a third of the speed of a split by layer to 1.6 times it, mostly "
          "slower: old cards and NVLink gained.");
    }
  }

  void wrong_model() {
    if (estimate_.file == nullptr && estimate_.model->id == "r1-0528-qwen3-8b") {
      add("ollama_8b",
          "`deepseek-r1:8b` is this model, the Qwen3 8B of May 2025; the Llama 8B distill is "
          "`deepseek-r1:8b-llama-distill-q4_K_M`.");
      const PublishedFile* file = ollama_file(catalog_, *estimate_.model, *estimate_.quant);
      if (file != nullptr && file->quant != estimate_.quant) {
        add("ollama_file", "Ollama's file is its own mixture, " + gb_text(file->size, 2) + " instead of " +
                               gb_text(estimate_.download.size, 2) + ".");
      }
    }
  }

  void gib_as_gb() {
    // The first dynamic files were announced in GiB written GB and are still quoted so.
    if (estimate_.weights.exact || estimate_.model->id != "r1-671b") return;
    add("gib_as_gb", "This file is often quoted in GiB written GB: it is " +
                         gb_text(estimate_.download.size) + " or " + gib_text(estimate_.download.size) + ".");
  }

  void speed() {
    if (!fits_somehow()) return;
    if (!estimate_.speed.decode) {
      if (!estimate_.speed.unknown.empty())
        add("speed_unknown", "No speed is stated: " + estimate_.speed.unknown + ".");
      return;
    }
    if (estimate_.speed.extrapolated) {
      add("extrapolated",
          "No published run of this class of hardware and model is behind the speed: it is "
          "extrapolated from related ones.");
    }
    for (const DecodeStep& step : estimate_.speed.steps) {
      if (step.processor.cores == 0) continue;
      const Host* platform = machine_.host.platform;
      if (machine_.host.cores || (platform != nullptr && platform->cores)) continue;
      add("host_cores",
          "How many cores the host has is not known: the speed is that of a usual processor, " +
              std::to_string(step.processor.cores) +
              " cores; with few of them it is lower, and the range allows for that; --cores says it.");
    }
  }

  void disk() {
    const Bytes streamed = estimate_.placement.disk_streamed;
    if (streamed == Bytes{}) return;
    add("streams", gib_text(streamed) +
                       " of the weights do not fit host memory and are read from disk as tokens need them, "
                       "about " +
                       gb_text(estimate_.speed.from_disk) + " a token.");
  }

  /// Whether llama-server as it is today may be what runs.
  [[nodiscard]] bool keeps_prompts() const {
    const EngineChoice& engine = estimate_.engine;
    return engine.engine == nullptr || (engine.engine->id == "llama.cpp" && !engine.is_past());
  }

  void host_memory() {
    const HostMemory& host = machine_.host;
    const Bytes held = estimate_.placement.host.total();
    if (!host.ram && on_gpu()) {
      std::string text = "Beside the GPU the engine holds about " + gib_text(held) + " in system RAM";
      if (keeps_prompts())
        text += "; llama-server keeps up to " + capacity_text(kPromptCache) +
                " of prompts there, too (--cache-ram)";
      add("host_memory", text + ".");
    }
    if (!host.ram || estimate_.placement.verdict > Verdict::offload || !keeps_prompts() ||
        host.budget - held >= kPromptCache)
      return;
    add("prompt_cache",
        "llama-server keeps up to " + capacity_text(kPromptCache) + " of prompts in system RAM, and " +
            gib_text(std::max(host.budget - held, Bytes{})) + " are left: limit it with --cache-ram (MiB).");
  }

  void weights() {
    if (!estimate_.weights.exact) {
      add("published_size",
          "Weights are the published file size spread over the tensors; the split between "
          "experts and the rest is approximate.");
    }
  }

  /// Whether the context holds what a model writes that thinks before it answers.
  void answer() {
    const Workload& workload = estimate_.workload;
    const Waits& waits = estimate_.waits;
    const Tokens room = context_of_a_request(workload);
    if (!waits.holds_prompt) {
      add("prompt_too_long", "The prompt of " + count_text(workload.prompt) + " tokens is more than the " +
                                 count_text(room) +
                                 " that a request has: " + longer_context(workload.prompt));
      return;
    }
    if (!waits.length.thinking) return;
    if (!waits.holds_answer) {
      const Tokens all = workload.prompt + waits.length.thinking->typical + waits.length.answer;
      std::string more = longer_context(all);
      if (more.starts_with("the ")) more.front() = 'T';
      add("answer_too_long", "Prompt, thinking and answer take " + count_text(all) +
                                 " tokens, and a request has " + count_text(room) +
                                 ": it would be cut off or forget its question. " + more);
      return;
    }
    const std::optional<Thinking>& thinking = candidate_.model->thinking;
    if (waits.length.stated() || !thinking || !thinking->hard) return;
    const Tokens hard = workload.prompt + *thinking->hard + waits.length.answer;
    if (hard <= room) return;
    add("hard_problem", "A hard problem (AIME) takes it about " + count_text(*thinking->hard) +
                            " tokens of thinking, more than this context holds: " + longer_context(hard));
  }

  /// The flag that gives a request room for so many tokens.
  [[nodiscard]] std::string longer_context(Tokens needed) const {
    const Workload& workload = estimate_.workload;
    return context_for(estimate_, whole_steps(needed) * (workload.kv_unified ? 1 : workload.parallel));
  }

  const Catalog& catalog_;
  const Candidate& candidate_;
  const Machine& machine_;
  const Estimate& estimate_;
  std::vector<Note> notes_;
};

}  // namespace

std::optional<Note> depth_note(const Estimate& estimate) {
  const Workload& workload = estimate.workload;
  // Nobody asked for the usual depth.
  if (workload.depth <= std::max(workload.context, Workload{}.depth) || !estimate.speed.decode)
    return std::nullopt;
  return Note{"depth_beyond_context", "The speed is that at a depth of " + count_text(workload.context) +
                                          " tokens, all that the context holds, and not at " +
                                          count_text(workload.depth) + ": " +
                                          context_for(estimate, workload.depth)};
}

std::vector<Note> notes_on(const Catalog& catalog, const Candidate& candidate, const Machine& machine,
                           const Estimate& estimate) {
  return Remarks(catalog, candidate, machine, estimate).all();
}

}  // namespace r1fit
