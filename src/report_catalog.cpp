#include <algorithm>

#include "r1fit/evidence.hpp"
#include "r1fit/report.hpp"
#include "r1fit/text_table.hpp"
#include "r1fit/units_text.hpp"
#include "report_parts.hpp"

namespace r1fit {
namespace {

using namespace parts;

std::size_t width_of(const PrintOptions& options) { return static_cast<std::size_t>(options.style.width); }

std::string yes_no(bool value) { return value ? "yes" : "no"; }

std::string joined(const std::vector<std::string>& texts) {
  std::string text;
  for (const std::string& one : texts) {
    if (!text.empty()) text += ", ";
    text += one;
  }
  return text;
}

template <class Texts>
std::string joined_texts(const Texts& texts) {
  std::vector<std::string> words;
  for (const auto& one : texts) words.emplace_back(one);
  return joined(words);
}

/// "671 B", "1.78 B" parameters.
std::string parameters_text(std::int64_t parameters) {
  const double billions = static_cast<double>(parameters) / 1e9;
  return fixed_text(billions, billions < 100 ? 2 : 0) + " B";
}

std::string sizes_text(List<Bytes> sizes) {
  std::vector<std::string> texts;
  for (const Bytes size : sizes) texts.push_back(capacity_text(size));
  return joined(texts);
}

/// The lines of one record: a name, figures with their sources, the list of sources at the end.
class Record {
 public:
  Record(const PrintOptions& options, std::string_view name, std::string_view id) : options_(options) {
    const std::string title = elide(printable(name), width_of(options));
    text_ = paint(options.style, Tone::bold, title) + "\n";
    plain("id", std::string(id));
  }

  void plain(std::string_view label, const std::string& value) {
    if (value.empty()) return;
    constexpr std::size_t label_width = 22;
    std::string lead = "  " + printable(label);
    lead.append(label_width > columns_of(lead) ? label_width - columns_of(lead) : 1, ' ');
    const std::string lines = wrap(lead, printable(value), width_of(options_));
    text_ += paint(options_.style, Tone::dim, std::string_view(lines).substr(0, lead.size()));
    text_.append(lines, lead.size());
  }

  /// A figure with the sources that stand for `field`.
  void sourced(std::string_view label, const std::string& value, List<Source> sources,
               std::string_view field) {
    if (value.empty()) return;
    std::string text = value;
    const std::string references = sources_.refs(sources, field);
    if (!references.empty()) text += " " + references;
    text += doubt(sources, field);
    plain(label, text);
  }

  void scored(std::string_view label, const std::string& value, std::string_view source,
              Confidence confidence) {
    std::string text = value + " " + sources_.ref(source, confidence);
    if (confidence != Confidence::high) text += " (" + std::string(word(confidence)) + " confidence)";
    plain(label, text);
  }

  void section(std::string_view title) {
    text_ += paint(options_.style, Tone::bold, elide(title, width_of(options_))) + "\n";
  }
  void table(const TextTable& table) { text_ += table.text(width_of(options_), 2); }
  std::string ref(std::string_view source, Confidence confidence) { return sources_.ref(source, confidence); }
  /// A command to paste: never wrapped.
  void command(std::string_view text) { text_ += "    " + printable(text) + "\n"; }

  [[nodiscard]] std::string text() const {
    const std::string list = sources_.text(width_of(options_));
    return list.empty() ? text_ : text_ + paint(options_.style, Tone::bold, "Sources") + "\n" + list;
  }

 private:
  /// A figure is as good as the best source that stands for it.
  static std::string doubt(List<Source> sources, std::string_view field) {
    const Source* best = nullptr;
    for (const Source& source : sources) {
      if (std::ranges::find(source.covers, field) == source.covers.end()) continue;
      if (best == nullptr || source.confidence < best->confidence) best = &source;
    }
    if (best == nullptr || best->confidence == Confidence::high) return "";
    return " (" + std::string(word(best->confidence)) + " confidence)";
  }

  const PrintOptions& options_;
  std::string text_;
  SourceList sources_;
};

void speed_class_lines(Record& record, const SpeedClass* speed) {
  if (speed == nullptr) return;
  record.section("How fast such hardware is");
  record.plain("class", std::string(speed->name));
  const SpeedFit& fit = *speed->fit;
  record.plain("share of bandwidth", fixed_text(fit.efficiency, 2) +
                                         ", 80 % of other such devices within x " + fixed_text(fit.low, 2) +
                                         " to x " + fixed_text(fit.high, 2));
  record.plain("operations", fixed_text(fit.operations, 1) + " for each weight of a K-quant");
  record.plain("a layer", ms3_text(fit.per_layer) + ", and " + ms3_text(fit.per_expert_layer) +
                              " more where it has experts");
  if (speed->mfu) {
    record.sourced("share of FP16", fixed_text(*speed->mfu, 2) + " in prefill", speed->sources, "mfu");
  }
  const auto within = [](const PrefillShare& share) {
    return fixed_text(share.typical, 2) + " in prefill, 80 % within " + fixed_text(share.low, 2) + " to " +
           fixed_text(share.high, 2);
  };
  if (speed->fp32_mfu) record.sourced("share of FP32", within(*speed->fp32_mfu), speed->sources, "fp32_mfu");
  if (speed->moe_mfu) record.sourced("the same, 671B", within(*speed->moe_mfu), speed->sources, "moe_mfu");
  const auto rates = [](const PrefillRate& rate) {
    return exact_text(rate.typical) + " in prefill, 80 % within " + exact_text(rate.low) + " to " +
           exact_text(rate.high);
  };
  if (speed->prefill) record.sourced("CPU alone", rates(*speed->prefill), speed->sources, "prefill");
  if (speed->moe_prefill)
    record.sourced("experts beside GPU", rates(*speed->moe_prefill), speed->sources, "moe_prefill");
  record.plain("measurements", fit.measurements > 0
                                   ? count_text(fit.measurements) + " on " + count_text(fit.devices) +
                                         (fit.devices == 1 ? " device" : " devices")
                                   : "none: every estimate is an extrapolation");
}

std::string year_text(const Measurement& run) { return run.year ? std::to_string(*run.year) : ""; }
std::string depth_text(const Measurement& run) { return run.depth_assumed ? "" : count_text(run.depth); }
std::string prefill_text(const Measurement& run) {
  return run.prefill ? fixed_text(run.prefill->count(), 0) : "";
}

/// What a run on a card had beside that one card: "4 cards", "7 cards, mixed", "epyc-genoa".
std::string beside_text(const Measurement& run) {
  int cards = 0;
  for (const MeasuredGpu& one : run.gpus) cards += one.count;
  std::string text;
  if (cards > 1) text = count_text(cards) + " cards";
  if (run.gpus.size() > 1) text += ", mixed";
  if (run.placement == PlacementMode::gpu) return text;
  if (!text.empty()) text += ", ";
  return text + (run.host == nullptr ? "host not named" : std::string(run.host->id));
}

std::string hardware_text(const Measurement& run) { return std::string(run.hardware); }

/// The cards of a run on a host, "4x rtx-3090"; the whole where there were none.
std::string cards_text(const Measurement& run) {
  if (run.gpus.empty()) return hardware_text(run);
  std::vector<std::string> cards;
  for (const MeasuredGpu& one : run.gpus) {
    cards.push_back((one.count > 1 ? count_text(one.count) + "x " : "") + std::string(one.gpu->id));
  }
  return joined(cards);
}

/// The speeds measured, one a line; `with` says what is to be told of the hardware.
void measured_lines(Record& record, const std::vector<const Measurement*>& runs,
                    std::string (*with)(const Measurement&)) {
  if (runs.empty()) return;
  record.section("Measured");
  TextTable table({{"ran", Align::left, 0, true},
                   {"quant"},
                   {"tok/s", Align::right},
                   {"prefill", Align::right, 5},
                   {"depth", Align::right, 2},
                   {"with", Align::left, 1, true},
                   {"engine", Align::left, 4, true},
                   {"year", Align::left, 3},
                   {"source"}});
  // Columns leave a narrow table before others shrink, so long texts are cut here.
  constexpr std::size_t quant_width = 10;
  constexpr std::size_t with_width = 26;
  for (const Measurement* run : runs) {
    table.add({std::string(run->ran), elide(measured_quant(*run), quant_width), measured_text(*run),
               prefill_text(*run), depth_text(*run), elide(with(*run), with_width), std::string(run->engine),
               year_text(*run),
               record.ref(run->source, trust(run->grade)) + (run->outlier.empty() ? "" : " outlier")});
  }
  record.table(table);
}

/// Markdown of the same, with all there is.
std::string measured_markdown(const std::vector<const Measurement*>& runs) {
  if (runs.empty()) return "";
  std::vector<std::vector<std::string>> rows;
  rows.reserve(runs.size());
  for (const Measurement* run : runs) {
    rows.push_back({std::string(run->ran), std::string(measured_quant(*run)), measured_text(*run),
                    prefill_text(*run), depth_text(*run), hardware_text(*run), std::string(run->engine),
                    year_text(*run), std::string(run->source), std::string(run->outlier)});
  }
  return "\n" + markdown_table({"ran", "quant", "tok/s", "prefill tok/s", "depth", "hardware", "engine",
                                "year", "source", "outlier"},
                               rows, {false, false, true, true, true, false, false, true});
}

std::string record_text(const Model& model, const Catalog& catalog, const PrintOptions& options) {
  Record record(options, model.name, model.id);
  const Shape& shape = *model.shape;
  record.plain("also called", joined_texts(model.aliases));
  record.plain("Hugging Face", std::string(model.hf_repo));
  record.plain("made from", std::string(model.base_model));
  record.plain("licence", std::string(model.licence));
  record.plain("released", std::string(model.released));
  record.sourced("context", count_text(model.max_context) + " tokens", model.sources, "max_context");
  if (model.thinking) {
    const Thinking& thinking = *model.thinking;
    record.scored("thinks",
                  count_text(thinking.typical) + " tokens before an everyday answer (" +
                      count_text(thinking.low) + "-" + count_text(thinking.high) + ")",
                  thinking.source, thinking.confidence);
    if (thinking.hard)
      record.scored("", count_text(*thinking.hard) + " before the answer to a hard problem",
                    thinking.hard_source, thinking.confidence);
  }
  record.plain("recommended",
               model.offered ? "yes" : "only when named: " + std::string(model.why_not_offered));
  record.section("Shape");
  record.sourced("parameters", parameters_text(shape.parameters) + " (" + count_text(shape.parameters) + ")",
                 shape.sources, "parameters");
  if (shape.moe) record.plain("active a token", parameters_text(active_parameters(shape)));
  record.sourced("layers", count_text(shape.layers), shape.sources, "layers");
  record.sourced("hidden size", count_text(shape.hidden), shape.sources, "hidden");
  record.sourced("feed-forward", count_text(shape.ffn), shape.sources, "ffn");
  record.sourced("heads", count_text(shape.heads), shape.sources, "heads");
  record.sourced("KV heads", count_text(shape.kv_heads), shape.sources, "kv_heads");
  if (!shape.mla) record.sourced("head size", count_text(shape.head_dim), shape.sources, "head_dim");
  record.sourced("vocabulary", count_text(shape.vocab), shape.sources, "vocab");
  if (shape.mla) {
    record.sourced("cached a token",
                   count_text(shape.mla->kv_lora_rank) + " + " + count_text(shape.mla->qk_rope_head_dim) +
                       " elements a layer (latent attention)",
                   shape.sources, "mla");
  }
  if (shape.moe) {
    record.sourced("experts",
                   count_text(shape.moe->experts_per_token) + " of " + count_text(shape.moe->routed_experts) +
                       " a token, and " + count_text(shape.moe->shared_experts) + " shared",
                   shape.sources, "moe");
  }
  record.plain("notes", std::string(model.notes));
  if (!model.scores.empty()) record.section("Scores of the unquantised model");
  for (const Score& score : model.scores) {
    record.scored(score.split, std::string(score.benchmark) + " " + score_text(score), score.source,
                  score.confidence);
  }
  bool first = true;
  for (const PublishedFile& file : catalog.files) {
    if (file.model != &model) continue;
    if (first) record.section("Published files");
    first = false;
    std::string value = gb_text(file.size);
    if (file.uncertainty != Bytes{}) value += " +/- " + gb_text(file.uncertainty, 2);
    value += " " + std::string(file.repo.empty() ? file.publisher : file.repo);
    record.scored(file.quant->id, value, file.source, file.confidence);
  }
  measured_lines(record, runs_of(catalog, model), hardware_text);
  return record.text();
}

std::string record_text(const Quant& quant, const PrintOptions& options) {
  Record record(options, quant.id, quant.id);
  if (quant.base != nullptr) {
    record.sourced("base type",
                   std::string(quant.base->id) + ", " + count_text(quant.base->block_bytes) + " bytes for " +
                       count_text(quant.base->block_weights) + " weights = " +
                       fixed_text(8.0 * quant.base->block_bytes / quant.base->block_weights, 4) +
                       " bits each",
                   quant.sources, "base");
  } else {
    record.plain("base type", "a dynamic mixture; only published sizes are known");
    if (quant.shared) {
      record.scored(
          "not the experts",
          fixed_text(quant.shared->bits, 2) + " bits a weight on average; routed experts take the rest",
          quant.shared->source, Confidence::high);
    }
  }
  record.plain("importance matrix", yes_no(quant.imatrix));
  record.plain("recommended", quant.offered ? "yes" : "only when named");
  record.plain("engine", quant.engine.empty() ? "every engine that reads GGUF" : std::string(quant.engine));
  record.plain("note", std::string(quant.note));
  if (!quant.rules.empty()) record.section("Tensors of another type; the first rule that holds decides");
  for (const MixtureRule& rule : quant.rules) {
    std::vector<std::string> roles;
    for (int role = 0; role < kTensorRoles; ++role) {
      if ((rule.roles >> role & 1U) != 0) roles.emplace_back(word(static_cast<TensorRole>(role)));
    }
    std::string text = joined(roles);
    if (rule.layers != LayerSet::all) {
      text += "; layers: " + std::string(word(rule.layers));
      if (rule.n > 0) text += " " + count_text(rule.n);
    }
    if (rule.min_gqa > 0) text += "; heads / KV heads at least " + count_text(rule.min_gqa);
    if (rule.exact_layers > 0) text += "; models of " + count_text(rule.exact_layers) + " layers";
    if (!rule.architecture.empty()) text += "; " + std::string(rule.architecture);
    if (rule.imatrix != ImatrixCase::any)
      text += "; " + std::string(word(rule.imatrix)) + " importance matrix";
    record.sourced(rule.type->id, text, quant.sources, "rules");
  }
  if (!quant.losses.empty()) record.section("Measured losses");
  for (const QuantLoss& loss : quant.losses) {
    record.scored(loss.measured_on,
                  std::string(loss.metric) + " " + fixed_text(loss.value, 4) + " " + std::string(loss.unit),
                  loss.source, Confidence::high);
  }
  return record.text();
}

std::string record_text(const Gpu& gpu, const Catalog& catalog, const PrintOptions& options) {
  Record record(options, gpu.name, gpu.id);
  const List<Source> sources = gpu.sources;
  record.plain("also called", joined_texts(gpu.aliases));
  record.plain("kind", std::string(word(gpu.vendor)) + ", " + std::string(word(gpu.device_class)) + ", " +
                           std::string(gpu.architecture));
  record.sourced("memory", sizes_text(gpu.memory) + (gpu.unified_memory ? ", shared with the CPU" : ""),
                 sources, "memory");
  if (!gpu.withdrawn.empty())
    record.sourced("no longer sold", sizes_text(gpu.withdrawn), sources, "withdrawn");
  if (gpu.real_total) record.sourced("seen by the driver", mib_text(*gpu.real_total), sources, "real_total");
  record.sourced("bandwidth", rate_text(gpu.bandwidth), sources, "bandwidth");
  record.plain("memory type", std::string(gpu.memory_type));
  if (gpu.fp16) record.sourced("peak FP16", rate_text(*gpu.fp16), sources, "fp16");
  record.sourced("peak FP32", rate_text(gpu.fp32), sources, "fp32");
  if (gpu.board_power) record.sourced("board power", power_text(*gpu.board_power), sources, "board_power");
  if (gpu.launch_year > 0)
    record.sourced("launched", std::to_string(gpu.launch_year), sources, "launch_year");
  if (gpu.msrp_usd)
    record.sourced("price at launch", count_text(*gpu.msrp_usd) + " USD", sources, "msrp_usd");
  record.plain("backend", std::string(word(gpu.backend)));
  if (!gpu.pci_ids.empty()) record.sourced("PCI ids", joined_texts(gpu.pci_ids), sources, "pci_ids");
  record.plain("notes", std::string(gpu.notes));
  if (gpu.runtime != nullptr) {
    record.section("Taken before the model's first byte");
    record.plain("class", std::string(gpu.runtime->name));
    record.sourced("runtime",
                   mib_text(gpu.runtime->typical) + ", from " + mib_text(gpu.runtime->low) + " to " +
                       mib_text(gpu.runtime->high),
                   gpu.runtime->sources, "typical");
  }
  speed_class_lines(record, gpu.speed);
  measured_lines(record, runs_of(catalog, gpu), beside_text);
  return record.text();
}

std::string record_text(const Host& host, const Catalog& catalog, const PrintOptions& options) {
  Record record(options, host.name, host.id);
  record.plain("also called", joined_texts(host.aliases));
  record.sourced("channels", count_text(host.channels) + " of 64 bits", host.sources, "channels");
  record.sourced("transfers", count_text(host.mega_transfers) + " MT/s", host.sources, "mega_transfers");
  record.plain("sockets", count_text(host.sockets));
  record.sourced("bandwidth", rate_text(host.bandwidth), host.sources, "bandwidth");
  if (host.max_memory)
    record.sourced("memory up to", capacity_text(*host.max_memory), host.sources, "max_memory");
  record.plain("notes", std::string(host.notes));
  speed_class_lines(record, host.speed);
  measured_lines(record, runs_of(catalog, host), cards_text);
  return record.text();
}

/// What of a graph differs from today's, as it shows in the buffers.
std::string graph_text(const GraphBuild& graph) {
  std::vector<std::string> parts;
  if (!graph.f16_mask) parts.emplace_back("the mask in f32 with flash attention, too");
  if (!graph.kv_by_index) parts.emplace_back("cache rows without indices");
  if (!graph.both_inputs) parts.emplace_back("tokens or embeddings as input, not both");
  if (graph.embeddings) parts.emplace_back("the last hidden state kept");
  if (!graph.vulkan_reorders) parts.emplace_back("Vulkan in the order built");
  if (graph.cells_without_flash != GraphBuild{}.cells_without_flash)
    parts.push_back("without flash attention the cache in steps of " + count_text(graph.cells_without_flash));
  if (parts.empty()) return "as measured in release v0.5.0 of llama.cpp";
  return joined(parts);
}

/// What a release and those after it do with memory.
void release_lines(Record& record, const Engine& engine, const EngineRelease& release) {
  const bool is_current = &release == &engine.releases.back();
  std::string title = is_current ? "Current, since " : "Releases since ";
  if (!release.version.empty()) title += std::string(release.version) + ", ";
  record.section(title + std::string(release.from));
  const auto line = [&](std::string_view label, const std::string& value, std::string_view field) {
    record.sourced(label, value, release.sources, field);
  };
  std::string context;
  for (const ContextStep& step : release.default_context) {
    context += (context.empty() ? "" : ", ") + count_text(step.context);
    if (step.gpu_memory != Bytes{}) context += " from " + capacity_text(step.gpu_memory) + " of GPU memory";
  }
  line("default context", context.empty() ? "what the model allows" : context + " a slot", "default_context");
  line("slots", count_text(release.slots), "slots");
  line("KV cache", release.kv_unified ? "one for all slots" : "one for each slot", "kv_unified");
  line("flash attention",
       release.flash_attention_off.empty() ? "on" : "off for " + joined_texts(release.flash_attention_off),
       "flash_attention_off");
  line("logits", release.logits_per_token ? "one row for each token of the micro-batch" : "one row a slot",
       "logits_per_token");
  line("-ngl counts", release.output_last ? "the output layer last" : "the output layer first",
       "output_last");
  line("pool, no flash att.",
       release.pool_reserved ? "set aside when the model is loaded" : "grows as the context fills",
       "pool_reserved");
  line("plan",
       release.plans_scores ? "attention scores of all heads, flash attention or not" : "what is allocated",
       "plans_scores");
  line("graph", graph_text(release.graph), "graph");
  std::string splits = "by layer";
  for (const SplitMode split : release.splits) splits += ", by " + std::string(word(split));
  line("several GPUs", splits, "splits");
  line("671B", release.mla_cache ? "the small MLA cache" : "full heads, 71 times the MLA cache", "mla_cache");
}

std::string record_text(const Engine& engine, const Catalog& catalog, const PrintOptions& options) {
  Record record(options, engine.name, engine.id);
  record.plain("also called", joined_texts(engine.aliases));
  record.plain("reads GGUF", yes_no(engine.reads_gguf));
  std::vector<std::string> backends;
  for (const Backend backend : engine.backends) backends.emplace_back(word(backend));
  record.plain("backends", joined(backends));
  record.sourced("default context", std::string(engine.default_context), engine.sources, "default_context");
  record.sourced("memory", std::string(engine.memory_rule), engine.sources, "memory_rule");
  if (const EngineSpeed* speed = engine_speed(catalog, engine)) {
    record.scored(
        "speed", "what lies in host memory takes " + fixed_text(speed->host_time, 2) + " of llama.cpp's time",
        speed->source, Confidence::medium);
  }
  record.plain("notes", std::string(engine.notes));
  for (const EngineRelease& release : engine.releases) release_lines(record, engine, release);
  if (!engine.commands.empty()) record.section("Commands");
  for (const CommandTemplate& command : engine.commands) {
    record.command(command.command);
    record.scored("", std::string(command.use), command.source, command.confidence);
  }
  return record.text();
}

std::string list_text(Listing listing, const Catalog& catalog, const PrintOptions& options) {
  switch (listing) {
    case Listing::models: {
      TextTable table({{"id"},
                       {"name", Align::left, 1, true},
                       {"parameters", Align::right},
                       {"context", Align::right},
                       {"AIME 2024", Align::right, 2},
                       {"GPQA", Align::right},
                       {"released", Align::left, 3},
                       {"Ollama", Align::left, 4}});
      for (const Model& model : catalog.models) {
        const Score* aime = find_score(model, "aime2024_pass1");
        const Score* gpqa = find_score(model, "gpqa_diamond_pass1");
        std::string tag;
        for (const PublishedFile& file : catalog.files) {
          if (file.model == &model && file.ollama && file.usual && tag.empty()) tag = file.repo;
        }
        table.add({std::string(model.id), std::string(model.name), parameters_text(model.shape->parameters),
                   count_text(model.max_context), aime == nullptr ? "" : fixed_text(aime->value, 1),
                   gpqa == nullptr ? "" : fixed_text(gpqa->value, 1), std::string(model.released), tag});
      }
      return table.text(width_of(options));
    }
    case Listing::quants: {
      TextTable table({{"id"},
                       {"base"},
                       {"bits", Align::right},
                       {"KL nats", Align::right},
                       {"imatrix", Align::left, 1},
                       {"note", Align::left, 2, true}});
      for (const Quant& quant : catalog.quants) {
        std::string loss;
        for (const QuantLoss& one : quant.losses) {
          if (one.metric == "mean_kl_divergence" && loss.empty()) loss = fixed_text(one.value, 4);
        }
        table.add({std::string(quant.id), quant.base != nullptr ? std::string(quant.base->id) : "dynamic",
                   quant.base != nullptr
                       ? fixed_text(8.0 * quant.base->block_bytes / quant.base->block_weights, 2)
                       : "",
                   loss, yes_no(quant.imatrix), std::string(quant.note)});
      }
      return table.text(width_of(options));
    }
    case Listing::hardware: {
      TextTable table({{"id"},
                       {"name", Align::left, 3, true},
                       {"memory GiB", Align::right, 0, true},
                       {"GB/s", Align::right},
                       {"FP16 TFLOPS", Align::right, 5},
                       {"W", Align::right, 2},
                       {"year", Align::right, 1},
                       {"USD new", Align::right, 4}});
      for (const Gpu& gpu : catalog.gpus) {
        std::vector<std::string> sizes;
        for (const Bytes size : gpu.memory) {
          std::string text = capacity_text(size);
          text.resize(text.size() - std::string_view(" GiB").size());
          sizes.push_back(std::move(text));
        }
        table.add({std::string(gpu.id), std::string(gpu.name), joined(sizes),
                   fixed_text(in_gb_per_s(gpu.bandwidth), 0),
                   gpu.fp16 ? fixed_text(in_tflops(*gpu.fp16), 0) : "",
                   gpu.board_power ? fixed_text(gpu.board_power->count(), 0) : "",
                   gpu.launch_year > 0 ? std::to_string(gpu.launch_year) : "",
                   gpu.msrp_usd ? count_text(*gpu.msrp_usd) : ""});
      }
      TextTable hosts({{"id, for --cpu"},
                       {"name", Align::left, 2, true},
                       {"GiB at most", Align::right, 1},
                       {"GB/s", Align::right}});
      for (const Host& host : catalog.hosts) {
        std::string most = host.max_memory ? capacity_text(*host.max_memory) : "";
        if (!most.empty()) most.resize(most.size() - std::string_view(" GiB").size());
        hosts.add({std::string(host.id), std::string(host.name), most,
                   fixed_text(in_gb_per_s(host.bandwidth), in_gb_per_s(host.bandwidth) < 100 ? 1 : 0)});
      }
      return table.text(width_of(options)) + "\n" + hosts.text(width_of(options));
    }
    case Listing::engines:
      break;
  }
  TextTable table({{"id"},
                   {"name"},
                   {"GGUF"},
                   {"backends", Align::left, 2, true},
                   {"default context", Align::left, 1, true}});
  for (const Engine& engine : catalog.engines) {
    std::vector<std::string> backends;
    for (const Backend backend : engine.backends) backends.emplace_back(word(backend));
    table.add({std::string(engine.id), std::string(engine.name), yes_no(engine.reads_gguf), joined(backends),
               std::string(engine.default_context)});
  }
  return table.text(width_of(options));
}

/// The list with this one record, for the formats of rows; Markdown has the runs in a table of their own.
template <class Record>
std::string row_of(Format format, Listing listing, List<Record> Catalog::*records, const Record& record,
                   const Catalog& catalog, const std::vector<const Measurement*>& runs = {}) {
  Catalog one = catalog;
  one.gpus = {};
  one.hosts = {};
  one.*records = List<Record>(&record, 1);
  return format == Format::csv ? csv_of(listing, one) : markdown_of(listing, one) + measured_markdown(runs);
}

}  // namespace

std::string report_list(Format format, Listing listing, const Catalog& catalog, const PrintOptions& options) {
  switch (format) {
    case Format::json:
      return json_of(listing, catalog);
    case Format::csv:
      return csv_of(listing, catalog);
    case Format::md:
      return markdown_of(listing, catalog);
    case Format::table:
      break;
  }
  return list_text(listing, catalog, options);
}

std::string report_record(Format format, const Model& model, const Catalog& catalog,
                          const PrintOptions& options) {
  if (format == Format::json) return json_of(model, catalog);
  if (format == Format::table) return record_text(model, catalog, options);
  return row_of(format, Listing::models, &Catalog::models, model, catalog, runs_of(catalog, model));
}

std::string report_record(Format format, const Quant& quant, const Catalog& catalog,
                          const PrintOptions& options) {
  if (format == Format::json) return json_of(quant);
  if (format == Format::table) return record_text(quant, options);
  return row_of(format, Listing::quants, &Catalog::quants, quant, catalog);
}

std::string report_record(Format format, const Gpu& gpu, const Catalog& catalog,
                          const PrintOptions& options) {
  if (format == Format::json) return json_of(gpu, catalog);
  if (format == Format::table) return record_text(gpu, catalog, options);
  return row_of(format, Listing::hardware, &Catalog::gpus, gpu, catalog, runs_of(catalog, gpu));
}

std::string report_record(Format format, const Host& host, const Catalog& catalog,
                          const PrintOptions& options) {
  if (format == Format::json) return json_of(host, catalog);
  if (format == Format::table) return record_text(host, catalog, options);
  return row_of(format, Listing::hardware, &Catalog::hosts, host, catalog, runs_of(catalog, host));
}

std::string report_record(Format format, const Engine& engine, const Catalog& catalog,
                          const PrintOptions& options) {
  if (format == Format::json) return json_of(engine, catalog);
  if (format == Format::table) return record_text(engine, catalog, options);
  return row_of(format, Listing::engines, &Catalog::engines, engine, catalog);
}

}  // namespace r1fit
