// One description of every catalogue record: the key of each field in data/*.json, what it must be, and
// where it lies. Reading, writing and generating the tables all walk this list, so a new field is added in
// catalog.hpp and here and nowhere else.
//
// A visitor is called as v(Field, member) for each member in the order of the struct; MixtureRule has two
// fields whose JSON form differs from the struct: v.roles(Field, bits) and v.layers(Field, set, n).
// v.only_in_json(key) announces a key that becomes part of other members.
#pragma once

#include <concepts>
#include <limits>
#include <type_traits>

#include "r1fit/catalog.hpp"

namespace r1fit {

/// What a text must look like.
enum class Form : std::uint8_t {
  free,
  id,       ///< [a-z0-9.-]+
  ggml_id,  ///< [A-Za-z0-9._-]+, as llama.cpp spells it
  date,     ///< YYYY-MM-DD
  month,    ///< YYYY-MM
  pci_id,   ///< vvvv:dddd, or vvvv:dddd:rr with a revision; hexadecimal, lower case
};

/// How a field stands in JSON and which values are possible.
struct Field {
  const char* key;
  bool is_figure = false;   ///< must be covered by one of the record's sources
  bool is_omitted = false;  ///< left out where it is empty, zero or the first word
  bool is_filled = false;   ///< a list that must not be empty
  bool from_zero = false;   ///< a quantity that may be 0
  Form form = Form::free;
  double least = kUnset;  ///< inclusive, for counts and ratios; unset: the usual range of the type
  double most = kUnset;

  static constexpr double kUnset = std::numeric_limits<double>::infinity();

  explicit constexpr Field(const char* k) : key(k) {}
  [[nodiscard]] constexpr Field figure() const { return with(&Field::is_figure); }
  [[nodiscard]] constexpr Field omitted() const { return with(&Field::is_omitted); }
  [[nodiscard]] constexpr Field filled() const { return with(&Field::is_filled); }
  [[nodiscard]] constexpr Field or_zero() const { return with(&Field::from_zero); }
  [[nodiscard]] constexpr Field as(Form f) const {
    Field copy = *this;
    copy.form = f;
    return copy;
  }
  [[nodiscard]] constexpr Field within(double low, double high) const {
    Field copy = *this;
    copy.least = low;
    copy.most = high;
    return copy;
  }

 private:
  [[nodiscard]] constexpr Field with(bool Field::*mark) const {
    Field copy = *this;
    copy.*mark = true;
    return copy;
  }
};

/// R is Of or const Of.
template <class R, class Of>
concept As = std::same_as<std::remove_const_t<R>, Of>;

inline constexpr double kSmallestShare = 1e-6;
inline constexpr double kLargestSpread = 20;

template <As<Source> R, class V>
void visit_fields(R& r, V& v) {
  v(Field("text"), r.text);
  v(Field("covers").filled(), r.covers);
  v(Field("confidence"), r.confidence);
}

template <As<MlaShape> R, class V>
void visit_fields(R& r, V& v) {
  v(Field("q_lora_rank").within(1, 1e6), r.q_lora_rank);
  v(Field("kv_lora_rank").within(1, 1e6), r.kv_lora_rank);
  v(Field("qk_nope_head_dim").within(1, 1e6), r.qk_nope_head_dim);
  v(Field("qk_rope_head_dim").within(1, 1e6), r.qk_rope_head_dim);
  v(Field("v_head_dim").within(1, 1e6), r.v_head_dim);
}

template <As<MoeShape> R, class V>
void visit_fields(R& r, V& v) {
  v(Field("routed_experts").within(1, 1e5), r.routed_experts);
  v(Field("experts_per_token").within(1, 1e5), r.experts_per_token);
  v(Field("shared_experts").within(0, 1e5), r.shared_experts);
  v(Field("expert_ffn").within(1, 1e6), r.expert_ffn);
  v(Field("first_dense_layers").within(0, 1e4), r.first_dense_layers);
}

template <As<Shape> R, class V>
void visit_fields(R& r, V& v) {
  v(Field("id").as(Form::id), r.id);
  v(Field("gguf_architecture"), r.gguf_architecture);
  v(Field("layers").figure().within(1, 1e4), r.layers);
  v(Field("hidden").figure().within(1, 1e6), r.hidden);
  v(Field("ffn").figure().within(1, 1e6), r.ffn);
  v(Field("heads").figure().within(1, 1e4), r.heads);
  v(Field("kv_heads").figure().within(1, 1e4), r.kv_heads);
  v(Field("head_dim").figure().within(0, 1e5), r.head_dim);
  v(Field("vocab").figure().within(1, 1e7), r.vocab);
  v(Field("attention_bias"), r.attention_bias);
  v(Field("qk_norm"), r.qk_norm);
  v(Field("rope_factors"), r.rope_factors);
  v(Field("parameters").figure().within(1, 1e14), r.parameters);
  v(Field("mla"), r.mla);
  v(Field("moe"), r.moe);
  v(Field("sources").filled(), r.sources);
}

template <As<Score> R, class V>
void visit_fields(R& r, V& v) {
  v(Field("benchmark"), r.benchmark);
  v(Field("split"), r.split);
  v(Field("value").within(0, 5000), r.value);
  v(Field("source"), r.source);
  v(Field("confidence"), r.confidence);
}

template <As<Thinking> R, class V>
void visit_fields(R& r, V& v) {
  v(Field("typical"), r.typical);
  v(Field("low"), r.low);
  v(Field("high"), r.high);
  v(Field("source"), r.source);
  v(Field("hard"), r.hard);
  v(Field("hard_source").omitted(), r.hard_source);
  v(Field("confidence"), r.confidence);
}

template <As<Model> R, class V>
void visit_fields(R& r, V& v) {
  v(Field("id").as(Form::id), r.id);
  v(Field("name"), r.name);
  v(Field("aliases"), r.aliases);
  v(Field("hf_repo"), r.hf_repo);
  v(Field("base_model"), r.base_model);
  v(Field("licence"), r.licence);
  v(Field("released").as(Form::date), r.released);
  v(Field("shape"), r.shape);
  v(Field("max_context").figure(), r.max_context);
  v(Field("file_overhead").figure(), r.file_overhead);
  v(Field("offered"), r.offered);
  v(Field("why_not_offered").omitted(), r.why_not_offered);
  v(Field("thinking"), r.thinking);
  v(Field("scores"), r.scores);
  v(Field("notes").omitted(), r.notes);
  v(Field("sources").filled(), r.sources);
}

template <As<TensorType> R, class V>
void visit_fields(R& r, V& v) {
  v(Field("id").as(Form::ggml_id), r.id);
  v(Field("block_weights").within(1, 4096), r.block_weights);
  v(Field("block_bytes").within(1, 65536), r.block_bytes);
  v(Field("kernel"), r.kernel);
  v(Field("fallback").omitted().as(Form::ggml_id), r.fallback);
}

template <As<MixtureRule> R, class V>
void visit_fields(R& r, V& v) {
  v.roles(Field("tensors"), r.roles);
  v.layers(Field("layers"), r.layers, r.n);
  v(Field("min_gqa").omitted().within(1, 1000), r.min_gqa);
  v(Field("exact_layers").omitted().within(1, 1e4), r.exact_layers);
  v(Field("architecture").omitted(), r.architecture);
  v(Field("imatrix").omitted(), r.imatrix);
  v(Field("type"), r.type);
}

template <As<QuantLoss> R, class V>
void visit_fields(R& r, V& v) {
  v(Field("metric"), r.metric);
  v(Field("unit"), r.unit);
  v(Field("value").within(-1e4, 1e6), r.value);
  v(Field("measured_on"), r.measured_on);
  v(Field("source"), r.source);
}

template <As<SharedTensors> R, class V>
void visit_fields(R& r, V& v) {
  v(Field("bits").within(1, 32), r.bits);
  v(Field("kernel"), r.kernel);
  v(Field("attn_kv_b").omitted(), r.attn_kv_b);
  v(Field("source"), r.source);
}

template <As<Quant> R, class V>
void visit_fields(R& r, V& v) {
  v(Field("id").as(Form::ggml_id), r.id);
  v.only_in_json("extends");
  v(Field("base").omitted(), r.base);
  v(Field("kernel"), r.kernel);
  v(Field("shared"), r.shared);
  v(Field("rules"), r.rules);
  v(Field("imatrix"), r.imatrix);
  v(Field("offered"), r.offered);
  v(Field("engine").omitted(), r.engine);
  v(Field("note").omitted(), r.note);
  v(Field("losses"), r.losses);
  v(Field("sources").filled(), r.sources);
}

template <As<PublishedFile> R, class V>
void visit_fields(R& r, V& v) {
  v(Field("model"), r.model);
  v(Field("quant"), r.quant);
  v(Field("publisher"), r.publisher);
  v(Field("repo").omitted(), r.repo);
  v(Field("size"), r.size);
  v(Field("uncertainty").or_zero(), r.uncertainty);
  v(Field("ollama"), r.ollama);
  v(Field("usual"), r.usual);
  v(Field("note").omitted(), r.note);
  v(Field("source"), r.source);
  v(Field("confidence"), r.confidence);
}

/// Multiples of one another's operations that kernels may take.
inline constexpr double kLargestMultiple = 100;

template <As<SpeedFamily> R, class V>
void visit_fields(R& r, V& v) {
  v(Field("id").as(Form::id), r.id);
  v(Field("name"), r.name);
  v(Field("sharpness").within(1, kLargestMultiple), r.sharpness);
  v(Field("plain").within(0, kLargestMultiple), r.plain);
  v(Field("simple").within(0, kLargestMultiple), r.simple);
  v(Field("k_low").within(0, kLargestMultiple), r.k_low);
  v(Field("i_quant").within(0, kLargestMultiple), r.i_quant);
  v(Field("narrow").within(kSmallestShare, 1), r.narrow);
  v(Field("experts").within(kSmallestShare, 1), r.experts);
  v(Field("attention").within(kSmallestShare, kLargestMultiple), r.attention);
  v(Field("hand_over").or_zero(), r.hand_over);
  v(Field("per_core").or_zero(), r.per_core);
  v(Field("older_operations").within(kSmallestShare, kLargestMultiple), r.older_operations);
  v(Field("older_per_layer").within(kSmallestShare, kLargestMultiple), r.older_per_layer);
  v(Field("older_kv").within(kSmallestShare, kLargestMultiple), r.older_kv);
  v(Field("experts_low").within(kSmallestShare, 1), r.experts_low);
  v(Field("experts_high").within(1, kLargestSpread), r.experts_high);
  v(Field("run_low").within(kSmallestShare, 1), r.run_low);
  v(Field("run_high").within(1, kLargestSpread), r.run_high);
  v(Field("measurements").within(0, 1e6), r.measurements);
  v(Field("source"), r.source);
}

template <As<EngineSpeed> R, class V>
void visit_fields(R& r, V& v) {
  v(Field("engine"), r.engine);
  v(Field("host_time").within(kSmallestShare, kLargestMultiple), r.host_time);
  v(Field("measurements").within(0, 1e6), r.measurements);
  v(Field("devices").within(0, 1e6), r.devices);
  v(Field("source"), r.source);
}

template <As<SpeedFit> R, class V>
void visit_fields(R& r, V& v) {
  v(Field("id").as(Form::id), r.id);
  v(Field("family"), r.family);
  v(Field("efficiency").within(kSmallestShare, 1), r.efficiency);
  v(Field("operations").within(0, 1e4), r.operations);
  v(Field("per_layer").or_zero(), r.per_layer);
  v(Field("per_expert_layer").or_zero(), r.per_expert_layer);
  v(Field("low").within(kSmallestShare, 1), r.low);
  v(Field("high").within(1, kLargestSpread), r.high);
  v(Field("measurements").within(0, 1e6), r.measurements);
  v(Field("devices").within(0, 1e6), r.devices);
  v(Field("expert_measurements").within(0, 1e6), r.expert_measurements);
  v(Field("source"), r.source);
}

template <As<PrefillShare> R, class V>
void visit_fields(R& r, V& v) {
  v(Field("typical"), r.typical);
  v(Field("low"), r.low);
  v(Field("high"), r.high);
  v(Field("runs").within(0, 1e6), r.runs);
}

template <As<PrefillRate> R, class V>
void visit_fields(R& r, V& v) {
  v(Field("typical"), r.typical);
  v(Field("low"), r.low);
  v(Field("high"), r.high);
  v(Field("runs").within(0, 1e6), r.runs);
}

template <As<SpeedClass> R, class V>
void visit_fields(R& r, V& v) {
  v(Field("id").as(Form::id), r.id);
  v(Field("name"), r.name);
  v(Field("fit"), r.fit);
  v(Field("backends").filled(), r.backends);
  v(Field("of").omitted().as(Form::id), r.of);
  v(Field("fp32").figure(), r.fp32);
  v(Field("cores").figure().within(1, 1e4), r.cores);
  v(Field("mfu").figure(), r.mfu);
  v(Field("mfu_low").figure().within(kSmallestShare, kLargestSpread), r.mfu_low);
  v(Field("mfu_high").figure().within(kSmallestShare, kLargestSpread), r.mfu_high);
  v(Field("moe_mfu").figure(), r.moe_mfu);
  v(Field("fp32_mfu").figure(), r.fp32_mfu);
  v(Field("prefill").figure(), r.prefill);
  v(Field("moe_prefill").figure(), r.moe_prefill);
  v(Field("sources"), r.sources);
}

template <As<MeasuredDevice> R, class V>
void visit_fields(R& r, V& v) {
  v(Field("gpu").omitted(), r.gpu);
  v(Field("host").omitted(), r.host);
  v(Field("speed"), r.speed);
  v(Field("factor").within(kSmallestShare, kLargestSpread), r.factor);
  v(Field("low").within(kSmallestShare, 1), r.low);
  v(Field("high").within(1, kLargestSpread), r.high);
  v(Field("measurements").within(1, 1e6), r.measurements);
}

template <As<RuntimeClass> R, class V>
void visit_fields(R& r, V& v) {
  v(Field("id").as(Form::id), r.id);
  v(Field("name"), r.name);
  v(Field("low").figure().or_zero(), r.low);
  v(Field("typical").figure().or_zero(), r.typical);
  v(Field("high").figure().or_zero(), r.high);
  v(Field("sources").filled(), r.sources);
}

template <As<Gpu> R, class V>
void visit_fields(R& r, V& v) {
  v(Field("id").as(Form::id), r.id);
  v(Field("name"), r.name);
  v(Field("aliases"), r.aliases);
  v(Field("vendor"), r.vendor);
  v(Field("device_class"), r.device_class);
  v(Field("architecture"), r.architecture);
  v(Field("memory").figure().filled(), r.memory);
  v(Field("withdrawn").figure().omitted(), r.withdrawn);
  v(Field("real_total").figure(), r.real_total);
  v(Field("bandwidth").figure(), r.bandwidth);
  v(Field("memory_type"), r.memory_type);
  v(Field("fp16").figure(), r.fp16);
  v(Field("fp32").figure(), r.fp32);
  v(Field("board_power").figure(), r.board_power);
  v(Field("launch_year").figure().within(2000, 2100), r.launch_year);
  v(Field("msrp_usd").figure().within(1, 1e7), r.msrp_usd);
  v(Field("unified_memory"), r.unified_memory);
  v(Field("backend"), r.backend);
  v(Field("speed"), r.speed);
  v(Field("runtime"), r.runtime);
  v(Field("pci_ids").omitted().figure().as(Form::pci_id), r.pci_ids);
  v(Field("notes").omitted(), r.notes);
  v(Field("sources").filled(), r.sources);
}

template <As<Host> R, class V>
void visit_fields(R& r, V& v) {
  v(Field("id").as(Form::id), r.id);
  v(Field("name"), r.name);
  v(Field("aliases"), r.aliases);
  v(Field("channels").figure().within(1, 256), r.channels);
  v(Field("mega_transfers").figure().within(100, 1e5), r.mega_transfers);
  v(Field("sockets").within(1, 16), r.sockets);
  v(Field("bandwidth").figure(), r.bandwidth);
  v(Field("max_memory").figure(), r.max_memory);
  v(Field("fp32").figure(), r.fp32);
  v(Field("cores").figure().within(1, 1e4), r.cores);
  v(Field("speed"), r.speed);
  v(Field("desktop"), r.desktop);
  v(Field("notes").omitted(), r.notes);
  v(Field("sources").filled(), r.sources);
}

template <As<NoSuchHardware> R, class V>
void visit_fields(R& r, V& v) {
  v(Field("name"), r.name);
  v(Field("aliases"), r.aliases);
  v(Field("why"), r.why);
  v(Field("source"), r.source);
}

template <As<OtherFormat> R, class V>
void visit_fields(R& r, V& v) {
  v(Field("name"), r.name);
  v(Field("aliases"), r.aliases);
  v(Field("what"), r.what);
  v(Field("source"), r.source);
}

template <As<WorkingSetStep> R, class V>
void visit_fields(R& r, V& v) {
  v(Field("up_to"), r.up_to);
  v(Field("share").within(kSmallestShare, 1), r.share);
}

template <As<WorkingSetRegime> R, class V>
void visit_fields(R& r, V& v) {
  v(Field("id").as(Form::id), r.id);
  v(Field("name"), r.name);
  v(Field("steps").figure().filled(), r.steps);
  v(Field("sources").filled(), r.sources);
}

template <As<DesktopReserve> R, class V>
void visit_fields(R& r, V& v) {
  v(Field("id").as(Form::id), r.id);
  v(Field("low").or_zero(), r.low);
  v(Field("typical").or_zero(), r.typical);
  v(Field("high").or_zero(), r.high);
  v(Field("source"), r.source);
  v(Field("confidence"), r.confidence);
}

template <As<SplitFactor> R, class V>
void visit_fields(R& r, V& v) {
  v(Field("low").within(kSmallestShare, kLargestSpread), r.low);
  v(Field("typical").within(kSmallestShare, kLargestSpread), r.typical);
  v(Field("high").within(kSmallestShare, kLargestSpread), r.high);
}

template <As<SplitSync> R, class V>
void visit_fields(R& r, V& v) {
  v(Field("low"), r.low);
  v(Field("typical"), r.typical);
  v(Field("high"), r.high);
}

template <As<CardSplit> R, class V>
void visit_fields(R& r, V& v) {
  v(Field("id").as(Form::id), r.id);
  v(Field("memory").figure().or_zero(), r.memory);
  v(Field("sync").figure(), r.sync);
  v(Field("decode").figure(), r.decode);
  v(Field("prefill").figure(), r.prefill);
  v(Field("sources").filled(), r.sources);
}

template <As<CommandTemplate> R, class V>
void visit_fields(R& r, V& v) {
  v(Field("use"), r.use);
  v(Field("command"), r.command);
  v(Field("source"), r.source);
  v(Field("confidence"), r.confidence);
}

template <As<ContextStep> R, class V>
void visit_fields(R& r, V& v) {
  v(Field("gpu_memory").or_zero(), r.gpu_memory);
  v(Field("context"), r.context);
}

template <As<GraphBuild> R, class V>
void visit_fields(R& r, V& v) {
  v(Field("kv_by_index"), r.kv_by_index);
  v(Field("f16_mask"), r.f16_mask);
  v(Field("both_inputs"), r.both_inputs);
  v(Field("embeddings"), r.embeddings);
  v(Field("vulkan_reorders"), r.vulkan_reorders);
  v(Field("cells_without_flash").within(1, 4096), r.cells_without_flash);
}

template <As<EngineRelease> R, class V>
void visit_fields(R& r, V& v) {
  v(Field("version").omitted(), r.version);
  v(Field("from").as(Form::month), r.from);
  v(Field("default_context").omitted().figure(), r.default_context);
  v(Field("slots").within(1, 256).figure(), r.slots);
  v(Field("kv_unified").figure(), r.kv_unified);
  v(Field("flash_attention_off").figure(), r.flash_attention_off);
  v(Field("logits_per_token").figure(), r.logits_per_token);
  v(Field("output_last").figure(), r.output_last);
  v(Field("pool_reserved").figure(), r.pool_reserved);
  v(Field("plans_scores").figure(), r.plans_scores);
  v(Field("graph").figure(), r.graph);
  v(Field("mla_cache").figure(), r.mla_cache);
  v(Field("splits").omitted().figure(), r.splits);
  v(Field("sources").filled(), r.sources);
}

template <As<Engine> R, class V>
void visit_fields(R& r, V& v) {
  v(Field("id").as(Form::id), r.id);
  v(Field("name"), r.name);
  v(Field("aliases"), r.aliases);
  v(Field("reads_gguf"), r.reads_gguf);
  v(Field("backends").filled(), r.backends);
  v(Field("default_context"), r.default_context);
  v(Field("memory_rule"), r.memory_rule);
  v(Field("device_reserve").figure(), r.device_reserve);
  v(Field("releases").omitted(), r.releases);
  v(Field("commands").filled(), r.commands);
  v(Field("notes").omitted(), r.notes);
  v(Field("sources").filled(), r.sources);
}

template <As<MeasuredGpu> R, class V>
void visit_fields(R& r, V& v) {
  v(Field("gpu"), r.gpu);
  v(Field("count").within(1, 1000), r.count);
}

template <As<Measurement> R, class V>
void visit_fields(R& r, V& v) {
  v(Field("model"), r.model);
  v(Field("ran"), r.ran);
  v(Field("quant"), r.quant);
  v(Field("ran_quant").omitted(), r.ran_quant);
  v(Field("ran_size"), r.ran_size);
  v(Field("ran_shared"), r.ran_shared);
  v(Field("gpus").omitted(), r.gpus);
  v(Field("host").omitted(), r.host);
  v(Field("hardware"), r.hardware);
  v(Field("gpu_fp32"), r.gpu_fp32);
  v(Field("host_fp32"), r.host_fp32);
  v(Field("host_cores").within(1, 1e4), r.host_cores);
  v(Field("engine"), r.engine);
  v(Field("backend"), r.backend);
  v(Field("placement"), r.placement);
  v(Field("layers_on_gpu").within(0, 1e4), r.layers_on_gpu);
  v(Field("depth").or_zero(), r.depth);
  v(Field("depth_assumed").omitted(), r.depth_assumed);
  v(Field("decode"), r.decode);
  v(Field("prefill"), r.prefill);
  v(Field("prompt"), r.prompt);
  v(Field("year").within(2022, 2100), r.year);
  v(Field("network").omitted(), r.network);
  v(Field("older_kv_cache").omitted(), r.older_kv_cache);
  v(Field("grade"), r.grade);
  v(Field("source"), r.source);
  v(Field("note").omitted(), r.note);
  v(Field("outlier").omitted(), r.outlier);
}

/// v(file stem, key, list) for every list, each after the lists that its records refer to.
template <As<Catalog> C, class V>
void visit_lists(C& c, V& v) {
  v("models", "shapes", c.shapes);
  v("models", "models", c.models);
  v("quants", "tensor_types", c.tensor_types);
  v("quants", "tensor_type_sources", c.tensor_type_sources);
  v("quants", "quants", c.quants);
  v("quants", "other_formats", c.other_formats);
  v("files", "files", c.files);
  v("speed", "speed_families", c.speed_families);
  v("speed", "engine_speeds", c.engine_speeds);
  v("speed", "speed_fits", c.speed_fits);
  v("constants", "speed_classes", c.speed_classes);
  v("constants", "runtime_classes", c.runtime_classes);
  v("constants", "working_sets", c.working_sets);
  v("constants", "desktops", c.desktops);
  v("constants", "splits", c.splits);
  v("gpus", "gpus", c.gpus);
  v("gpus", "no_such_hardware", c.no_such_hardware);
  v("hosts", "hosts", c.hosts);
  v("speed", "measured_devices", c.measured_devices);
  v("engines", "engines", c.engines);
  v("measurements", "measurements", c.measurements);
}

/// The list that a pointer to T points into.
template <class T>
inline constexpr List<T> Catalog::*kListOf = nullptr;
template <>
inline constexpr List<Shape> Catalog::*kListOf<Shape> = &Catalog::shapes;
template <>
inline constexpr List<Model> Catalog::*kListOf<Model> = &Catalog::models;
template <>
inline constexpr List<TensorType> Catalog::*kListOf<TensorType> = &Catalog::tensor_types;
template <>
inline constexpr List<Quant> Catalog::*kListOf<Quant> = &Catalog::quants;
template <>
inline constexpr List<SpeedFamily> Catalog::*kListOf<SpeedFamily> = &Catalog::speed_families;
template <>
inline constexpr List<SpeedFit> Catalog::*kListOf<SpeedFit> = &Catalog::speed_fits;
template <>
inline constexpr List<SpeedClass> Catalog::*kListOf<SpeedClass> = &Catalog::speed_classes;
template <>
inline constexpr List<RuntimeClass> Catalog::*kListOf<RuntimeClass> = &Catalog::runtime_classes;
template <>
inline constexpr List<Gpu> Catalog::*kListOf<Gpu> = &Catalog::gpus;
template <>
inline constexpr List<Host> Catalog::*kListOf<Host> = &Catalog::hosts;

}  // namespace r1fit
