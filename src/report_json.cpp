#include <cmath>

#include "compare_text.hpp"
#include "json_text.hpp"
#include "r1fit/report.hpp"
#include "report_parts.hpp"

namespace r1fit {
namespace {

// ---- values -------------------------------------------------------------------------------------------

Json text(std::string_view value) { return value.empty() ? Json(nullptr) : Json(value); }
Json count(Bytes value) { return value.count(); }
Json count(Tokens value) { return value.count(); }
template <class Q>
Json count(const std::optional<Q>& value) {
  return value ? Json(value->count()) : Json(nullptr);
}

/// Two decimals, or two significant digits where those would leave nothing; what is no number is unknown.
Json rounded(double value) {
  if (!std::isfinite(value)) return nullptr;
  double scale = 100.0;
  while (value != 0 && std::abs(value) * scale < 9.5 && scale < 1e9) scale *= 10.0;
  return std::round(value * scale) / scale;
}
Json figure(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }
Json rounded(TokensPerSecond value) { return rounded(value.count()); }
Json gigabytes_per_second(const std::optional<BytesPerSecond>& rate) {
  return rate ? rounded(in_gb_per_s(*rate)) : Json(nullptr);
}

template <class T>
Json low_to_high(const T& low, const T& typical, const T& high) {
  return {{"low", low}, {"typical", typical}, {"high", high}};
}

template <class Q>
Json range(const std::optional<Range<Q>>& value) {
  if (!value) return nullptr;
  return low_to_high(rounded(value->low.count()), rounded(value->typical.count()),
                     rounded(value->high.count()));
}
Json range(const std::optional<Range<Tokens>>& value) {
  if (!value) return nullptr;
  return low_to_high(value->low.count(), value->typical.count(), value->high.count());
}

Json notes_json(const std::vector<Note>& notes) {
  Json list = Json::array();
  for (const Note& note : notes) {
    Json one = Json::object();
    one.add("code", note.code);
    one.add("text", note.text);
    list.push_back(one);
  }
  return list;
}

template <class Texts>
Json texts(const Texts& values) {
  Json list = Json::array();
  for (const auto& value : values) list.push_back(std::string_view(value));
  return list;
}

Json numbers(const std::vector<int>& values) {
  Json list = Json::array();
  for (const int value : values) list.push_back(value);
  return list;
}

std::string_view strain_word(Strain strain) {
  switch (strain) {
    case Strain::inside_margin:
      return "inside_margin";
    case Strain::raised_limit:
      return "raised_limit";
    case Strain::tensors_by_hand:
      return "tensors_by_hand";
    case Strain::none:
      break;
  }
  return "";
}

std::string pretty(const Json& document) { return document.pretty() + "\n"; }

// ---- an estimate --------------------------------------------------------------------------------------

Json placement_json(const Placement& placement) {
  return {
      {"n_gpu_layers", placement.n_gpu_layers},
      {"n_cpu_moe", placement.n_cpu_moe},
      {"mode", word(placement.mode)},
      {"strain", text(strain_word(placement.strain))},
      {"split", word(placement.split)},
      {"tensor_split", placement.tensor_split.empty() ? Json(nullptr) : numbers(placement.tensor_split)},
      {"shortfall_bytes", count(placement.shortfall)},
      {"engine_n_gpu_layers", placement.engine_layers == 0 ? Json(nullptr) : Json(placement.engine_layers)},
      {"host_memory_unknown", placement.host_unknown}};
}

Json device_name(const Device& device) {
  return device.gpu != nullptr ? text(device.gpu->id) : text(device.name);
}

Json memory_json(const Estimate& estimate, const Machine& machine) {
  const Placement& placement = estimate.placement;
  Json devices = Json::array();
  for (std::size_t i = 0; i < placement.devices.size() && i < machine.devices.size(); ++i) {
    const Device& device = machine.devices[i];
    const DeviceUse& use = placement.devices[i];
    Json one = Json::object();
    one.add("name", device_name(device));
    one.add("capacity_bytes", count(device.capacity));
    one.add("budget_bytes", count(parts::budget_of(placement, device)));
    one.add("weights_bytes", count(use.weights));
    one.add("kv_cache_bytes", count(use.kv_cache));
    one.add("compute_bytes", count(use.compute));
    one.add("pool_bytes", count(use.pool));
    one.add("runtime_bytes", count(use.runtime));
    one.add("total_bytes", count(use.total()));
    one.add("margin_bytes", count(device.margin));
    devices.push_back(one);
  }
  const HostUse& host = placement.host;
  return {{"devices", std::move(devices)},
          {"host",
           {{"budget_bytes", machine.host.ram ? count(machine.host.budget) : Json(nullptr)},
            {"weights_bytes", count(host.weights)},
            {"kv_cache_bytes", count(host.kv_cache)},
            {"compute_bytes", count(host.compute)},
            {"output_bytes", count(host.output)},
            {"total_bytes", count(host.total())},
            {"repacked_bytes", count(host.repacked)}}},
          {"disk_streamed_bytes", count(placement.disk_streamed)},
          {"download_bytes", count(estimate.download.size)},
          {"download_uncertainty_bytes", count(estimate.download.uncertainty)},
          {"weights_exact", estimate.weights.exact},
          {"max_context", count(estimate.max_context)}};
}

Json run_json(const Measurement& run) {
  Json gpus = Json::array();
  for (const MeasuredGpu& one : run.gpus) gpus.push_back({{"gpu", one.gpu->id}, {"count", one.count}});
  return {{"hardware", run.hardware},
          {"gpus", std::move(gpus)},
          {"cpu", run.host != nullptr ? Json(run.host->id) : Json(nullptr)},
          {"model", run.model->id},
          {"ran", run.ran},
          {"quant", run.quant->id},
          {"ran_quant", text(run.ran_quant)},
          {"engine", run.engine},
          {"backend", run.backend ? Json(word(*run.backend)) : Json(nullptr)},
          {"mode", word(run.placement)},
          {"n_gpu_layers", run.layers_on_gpu ? Json(*run.layers_on_gpu) : Json(nullptr)},
          {"depth", run.depth_assumed ? Json(nullptr) : count(run.depth)},
          {"decode_tps", figure(run.decode.count())},
          {"prefill_tps", run.prefill ? figure(run.prefill->count()) : Json(nullptr)},
          {"prompt", count(run.prompt)},
          {"year", run.year ? Json(*run.year) : Json(nullptr)},
          {"grade", word(run.grade)},
          {"source", run.source},
          {"note", text(run.note)},
          {"outlier", text(run.outlier)}};
}

Json speed_json(const Estimate& estimate) {
  const Speed& speed = estimate.speed;
  const Waits& waits = estimate.waits;
  Json json = Json::object();
  json.add("decode_tps", range(speed.decode));
  json.add("limit_tps", speed.limit ? rounded(*speed.limit) : Json(nullptr));
  json.add("prefill_tps", range(speed.prefill));
  json.add("prefill_extrapolated", waits.prefill_extrapolated);
  json.add("prefill_unknown", text(waits.prefill_unknown));
  json.add("ttft_s", range(speed.ttft));
  json.add("answer_s", range(speed.answer));
  json.add("prompt_tokens", count(estimate.workload.prompt));
  json.add("thinking_tokens", range(waits.length.thinking));
  json.add("thinking_source", text(waits.length.source));
  json.add("answer_tokens", count(waits.length.answer));
  json.add("context_holds_answer", waits.holds_answer);
  json.add("load_s", range(waits.load));
  json.add("download_s", waits.download ? rounded(waits.download->count()) : Json(nullptr));
  json.add("disk_bytes_per_token", std::llround(speed.from_disk.count()));
  json.add("extrapolated", speed.extrapolated);
  json.add("slowest", text(speed.slowest));
  json.add("fastest", text(speed.fastest));
  json.add("unknown", text(speed.unknown));
  json.add("basis", texts(speed.basis));
  if (estimate.measured) {
    Json runs = Json::array();
    for (const NearRun& near : *estimate.measured) {
      Json run = run_json(*near.run);
      run.add("differs", near.differs);
      runs.push_back(run);
    }
    json.add("measured", runs);
  }
  return json;
}

Json score_of(const Model& model, std::string_view benchmark) {
  const Score* score = find_score(model, benchmark);
  return score == nullptr ? Json(nullptr) : figure(score->value);
}

Json scores_json(const Model& model) {
  Json scores = Json::array();
  for (const Score& score : model.scores) {
    Json one = Json::object();
    one.add("benchmark", score.benchmark);
    one.add("split", score.split);
    one.add("value", figure(score.value));
    one.add("source", score.source);
    one.add("confidence", word(score.confidence));
    scores.push_back(one);
  }
  return scores;
}

Json loss_json(const QuantLoss& loss) {
  return {{"metric", loss.metric},
          {"value", figure(loss.value)},
          {"source", loss.source},
          {"unit", loss.unit},
          {"measured_on", loss.measured_on}};
}

Json quality_json(const Estimate& estimate) {
  const QuantLoss* loss = measured_loss(*estimate.model, *estimate.quant);
  if (loss == nullptr) loss = estimate.loss.basis;
  Json json = Json::object();
  json.add("aime2024_pass1", score_of(*estimate.model, "aime2024_pass1"));
  json.add("gpqa_diamond_pass1", score_of(*estimate.model, "gpqa_diamond_pass1"));
  json.add("math500_pass1", score_of(*estimate.model, "math500_pass1"));
  json.add("quant_loss", loss == nullptr ? Json(nullptr) : loss_json(*loss));
  json.add("loss_points", estimate.loss.known ? rounded(estimate.loss.points) : Json(nullptr));
  json.add("scores", scores_json(*estimate.model));
  return json;
}

/// Whether the arithmetic was done at all; a model ruled out beforehand has nothing to show for it.
bool worked_out(const Estimate& estimate) { return !estimate.weights.layers.empty(); }

/// The release that the memory is reckoned for; null where releases of the engine are not told apart.
Json release_json(const EngineChoice& engine) {
  if (engine.release == nullptr) return nullptr;
  return {{"asked", text(engine.asked)},
          {"since_version", text(engine.release->version)},
          {"since", engine.release->from},
          {"current", !engine.is_past()}};
}

/// What was asked, where it lies and what it takes, after the members that `document` has already.
void add_memory(Json& document, const Estimate& estimate, const Machine& machine) {
  const Workload& workload = estimate.workload;
  document.add("model", estimate.model->id);
  document.add("quant", estimate.quant->id);
  document.add("engine", parts::engine_id(estimate));
  document.add("engine_release", release_json(estimate.engine));
  document.add("backend", word(estimate.backend));
  document.add("context", count(workload.context));
  document.add("kv_type_k", word(workload.kv_k));
  document.add("kv_type_v", word(workload.kv_v));
  document.add("flash_attn", workload.flash() ? "on" : "off");
  document.add("ubatch", count(workload.ubatch));
  document.add("parallel", workload.parallel);
  document.add("depth", count(workload.depth));
  document.add("verdict", word(estimate.placement.verdict));
  document.add("placement", worked_out(estimate) ? placement_json(estimate.placement) : Json(nullptr));
  document.add("memory", worked_out(estimate) ? memory_json(estimate, machine) : Json(nullptr));
}

/// The members of an estimate, after those that `document` has already.
void add_estimate(Json& document, const Estimate& estimate, const Machine& machine) {
  add_memory(document, estimate, machine);
  document.add("speed", speed_json(estimate));
  document.add("quality", quality_json(estimate));
  Json commands = Json::array();
  for (const Command& command : estimate.commands) {
    Json one = Json::object();
    one.add("engine", command.engine);
    one.add("command", command.command);
    commands.push_back(one);
  }
  document.add("comfortable_with", texts(estimate.comfortable_with));
  document.add("commands", commands);
  document.add("notes", notes_json(estimate.notes));
}

Json estimate_json(const Estimate& estimate, const Machine& machine) {
  Json document{{"schema", "r1fit.estimate/1"}};
  add_estimate(document, estimate, machine);
  return document;
}

// ---- hardware as understood -----------------------------------------------------------------------------

Json hardware_json(const Machine& machine) {
  Json devices = Json::array();
  for (const Device& device : machine.devices) {
    Json stand_ins = Json::array();
    for (const Gpu* gpu : device.stand_ins) stand_ins.push_back(gpu->id);
    devices.push_back(
        {{"name", device_name(device)},
         {"title", parts::device_title(device)},
         {"capacity_bytes", count(device.capacity)},
         {"budget_bytes", count(device.budget)},
         {"raised_budget_bytes", device.stretch.empty() ? Json(nullptr) : count(device.stretched)},
         {"raise_with", text(device.stretch)},
         {"margin_bytes", count(device.margin)},
         {"runtime_bytes", count(device.runtime)},
         {"backend", word(device.backend)},
         {"unified_memory", device.unified},
         {"bandwidth_gbps", gigabytes_per_second(device.bandwidth)},
         {"speed_class", device.speed != nullptr ? Json(device.speed->id) : Json(nullptr)},
         {"stand_ins", std::move(stand_ins)}});
  }
  const HostMemory& host = machine.host;
  Json stand_ins = Json::array();
  for (const Host* platform : host.stand_ins) stand_ins.push_back(platform->id);
  return {{"devices", std::move(devices)},
          {"host",
           {{"ram_bytes", count(host.ram)},
            {"budget_bytes", host.ram ? count(host.budget) : Json(nullptr)},
            {"cpu", host.platform != nullptr ? Json(host.platform->id) : Json(nullptr)},
            {"cores", host.cores ? Json(*host.cores) : Json(nullptr)},
            {"bandwidth_gbps", gigabytes_per_second(host.bandwidth)},
            {"speed_class", host.speed != nullptr ? Json(host.speed->id) : Json(nullptr)},
            {"stand_ins", std::move(stand_ins)}}},
          {"disk_bandwidth_gbps", gigabytes_per_second(machine.disk)},
          {"downlink_mbps", machine.downlink ? rounded(machine.downlink->count() * 8e-6) : Json(nullptr)},
          {"desktop", text(machine.desktop)},
          {"detected", machine.detected}};
}

// ---- the catalogue ----------------------------------------------------------------------------------------

Json sources_json(List<Source> sources) {
  Json list = Json::array();
  for (const Source& source : sources) {
    list.push_back(
        {{"text", source.text}, {"covers", texts(source.covers)}, {"confidence", word(source.confidence)}});
  }
  return list;
}

Json thinking_json(const Model& model) {
  if (!model.thinking) return nullptr;
  const Thinking& thinking = *model.thinking;
  return {{"low", count(thinking.low)},
          {"typical", count(thinking.typical)},
          {"high", count(thinking.high)},
          {"source", thinking.source},
          {"hard", count(thinking.hard)},
          {"hard_source", text(thinking.hard_source)},
          {"confidence", word(thinking.confidence)}};
}

Json item(const Model& model, const Catalog& catalog) {
  const Shape& shape = *model.shape;
  Json files = Json::array();
  for (const PublishedFile& file : catalog.files) {
    if (file.model != &model) continue;
    files.push_back({{"quant", file.quant->id},
                     {"publisher", text(file.publisher)},
                     {"repo", text(file.repo)},
                     {"size_bytes", count(file.size)},
                     {"uncertainty_bytes", count(file.uncertainty)},
                     {"ollama", file.ollama},
                     {"source", file.source},
                     {"confidence", word(file.confidence)}});
  }
  return {{"kind", "model"},
          {"id", model.id},
          {"name", model.name},
          {"aliases", texts(model.aliases)},
          {"hf_repo", text(model.hf_repo)},
          {"base_model", text(model.base_model)},
          {"licence", text(model.licence)},
          {"released", text(model.released)},
          {"max_context", count(model.max_context)},
          {"thinking", thinking_json(model)},
          {"offered", model.offered},
          {"why_not_offered", text(model.why_not_offered)},
          {"parameters", shape.parameters},
          {"active_parameters", active_parameters(shape)},
          {"shape", shape.id},
          {"layers", shape.layers},
          {"hidden", shape.hidden},
          {"heads", shape.heads},
          {"kv_heads", shape.kv_heads},
          {"vocab", shape.vocab},
          {"scores", scores_json(model)},
          {"files", std::move(files)},
          {"notes", text(model.notes)},
          {"shape_sources", sources_json(shape.sources)},
          {"sources", sources_json(model.sources)}};
}

Json item(const Quant& quant) {
  Json losses = Json::array();
  for (const QuantLoss& loss : quant.losses) losses.push_back(loss_json(loss));
  return {{"kind", "quant"},
          {"id", quant.id},
          {"base", quant.base != nullptr ? Json(quant.base->id) : Json(nullptr)},
          {"bits_per_weight", quant.base != nullptr
                                  ? rounded(8.0 * quant.base->block_bytes / quant.base->block_weights)
                                  : Json(nullptr)},
          {"shared_bits", quant.shared ? Json(quant.shared->bits) : Json(nullptr)},
          {"imatrix", quant.imatrix},
          {"offered", quant.offered},
          {"engine", text(quant.engine)},
          {"note", text(quant.note)},
          {"losses", std::move(losses)},
          {"sources", sources_json(quant.sources)}};
}

Json item(const Gpu& gpu) {
  Json memory = Json::array();
  for (const Bytes size : gpu.memory) memory.push_back(size.count());
  Json withdrawn = Json::array();
  for (const Bytes size : gpu.withdrawn) withdrawn.push_back(size.count());
  return {{"kind", "gpu"},
          {"id", gpu.id},
          {"name", gpu.name},
          {"aliases", texts(gpu.aliases)},
          {"vendor", word(gpu.vendor)},
          {"device_class", word(gpu.device_class)},
          {"architecture", text(gpu.architecture)},
          {"memory_bytes", std::move(memory)},
          {"withdrawn_bytes", std::move(withdrawn)},
          {"real_total_bytes", count(gpu.real_total)},
          {"bandwidth_gbps", rounded(in_gb_per_s(gpu.bandwidth))},
          {"memory_type", text(gpu.memory_type)},
          {"fp16_tflops", gpu.fp16 ? rounded(in_tflops(*gpu.fp16)) : Json(nullptr)},
          {"fp32_tflops", rounded(in_tflops(gpu.fp32))},
          {"board_power_w", gpu.board_power ? rounded(gpu.board_power->count()) : Json(nullptr)},
          {"launch_year", gpu.launch_year > 0 ? Json(gpu.launch_year) : Json(nullptr)},
          {"msrp_usd", gpu.msrp_usd ? Json(*gpu.msrp_usd) : Json(nullptr)},
          {"unified_memory", gpu.unified_memory},
          {"backend", word(gpu.backend)},
          {"speed_class", gpu.speed != nullptr ? Json(gpu.speed->id) : Json(nullptr)},
          {"runtime_class", gpu.runtime != nullptr ? Json(gpu.runtime->id) : Json(nullptr)},
          {"pci_ids", texts(gpu.pci_ids)},
          {"notes", text(gpu.notes)},
          {"sources", sources_json(gpu.sources)}};
}

Json item(const Host& host) {
  return {{"kind", "cpu"},
          {"id", host.id},
          {"name", host.name},
          {"aliases", texts(host.aliases)},
          {"channels", host.channels},
          {"mega_transfers", host.mega_transfers},
          {"sockets", host.sockets},
          {"bandwidth_gbps", rounded(in_gb_per_s(host.bandwidth))},
          {"max_memory_bytes", count(host.max_memory)},
          {"speed_class", host.speed != nullptr ? Json(host.speed->id) : Json(nullptr)},
          {"desktop", host.desktop},
          {"notes", text(host.notes)},
          {"sources", sources_json(host.sources)}};
}

Json release_item(const EngineRelease& release) {
  Json steps = Json::array();
  for (const ContextStep& step : release.default_context) {
    steps.push_back({{"gpu_memory_bytes", count(step.gpu_memory)}, {"context", count(step.context)}});
  }
  Json splits = Json::array();
  splits.push_back(word(SplitMode::layer));
  for (const SplitMode split : release.splits) splits.push_back(word(split));
  return {{"version", text(release.version)},
          {"from", release.from},
          {"default_context", std::move(steps)},
          {"slots", release.slots},
          {"kv_unified", release.kv_unified},
          {"flash_attention_off", texts(release.flash_attention_off)},
          {"logits_per_token", release.logits_per_token},
          {"output_last", release.output_last},
          {"pool_reserved", release.pool_reserved},
          {"plans_scores", release.plans_scores},
          {"graph",
           {{"kv_by_index", release.graph.kv_by_index},
            {"f16_mask", release.graph.f16_mask},
            {"both_inputs", release.graph.both_inputs},
            {"embeddings", release.graph.embeddings},
            {"vulkan_reorders", release.graph.vulkan_reorders},
            {"cells_without_flash", release.graph.cells_without_flash}}},
          {"mla_cache", release.mla_cache},
          {"splits", std::move(splits)},
          {"sources", sources_json(release.sources)}};
}

Json item(const Engine& engine, const Catalog& catalog) {
  const EngineSpeed* speed = engine_speed(catalog, engine);
  Json backends = Json::array();
  for (const Backend backend : engine.backends) backends.push_back(word(backend));
  Json commands = Json::array();
  for (const CommandTemplate& command : engine.commands) {
    commands.push_back({{"use", command.use},
                        {"command", command.command},
                        {"source", command.source},
                        {"confidence", word(command.confidence)}});
  }
  Json releases = Json::array();
  for (const EngineRelease& release : engine.releases) releases.push_back(release_item(release));
  return {{"kind", "engine"},
          {"id", engine.id},
          {"name", engine.name},
          {"aliases", texts(engine.aliases)},
          {"reads_gguf", engine.reads_gguf},
          {"backends", std::move(backends)},
          {"default_context", text(engine.default_context)},
          {"memory_rule", text(engine.memory_rule)},
          {"host_time", speed != nullptr ? Json(speed->host_time) : Json(nullptr)},
          {"releases", std::move(releases)},
          {"commands", std::move(commands)},
          {"notes", text(engine.notes)},
          {"sources", sources_json(engine.sources)}};
}

std::string list_json(Listing listing, Json items) {
  return pretty(Json{{"schema", "r1fit.list/1"}, {"list", word(listing)}, {"items", std::move(items)}});
}

}  // namespace

std::string json_of(const Estimate& estimate, const Machine& machine) {
  return pretty(estimate_json(estimate, machine));
}

std::string json_of(const Check& check, const Machine& machine) {
  Json document{{"schema", "r1fit.check/1"}};
  document.add("ok", check.ok());
  document.add("failed", texts(check.failed));
  document.add("ways", texts(check.ways));
  document.add("step_up", texts(check.step_up));
  document.add("min_tps", check.required.min_tps ? rounded(*check.required.min_tps) : Json(nullptr));
  document.add("min_ctx", count(check.required.min_context));
  document.add("max_answer_s",
               check.required.max_answer ? figure(check.required.max_answer->count()) : Json(nullptr));
  document.add("pessimistic", check.required.pessimistic);
  add_estimate(document, check.estimate, machine);
  return pretty(document);
}

namespace {

Json claimed_json(const Claimed& claimed) {
  const bool of_speed = claimed.kind == ClaimKind::decode_tps;
  const bool of_size = claimed.kind == ClaimKind::needs || claimed.kind == ClaimKind::file_size;
  return {{"text", text(claimed.text)},
          {"low_tps", of_speed ? figure(claimed.speed.low.count()) : Json(nullptr)},
          {"high_tps", of_speed ? figure(claimed.speed.high.count()) : Json(nullptr)},
          {"bytes", of_size ? count(claimed.size.size) : Json(nullptr)}};
}

Json unsold_json(const std::vector<Unsold>& all) {
  Json list = Json::array();
  for (const Unsold& unsold : all) {
    Json sizes = Json::array();
    for (const Bytes size : unsold.sizes) sizes.push_back(count(size));
    list.push_back({{"why", unsold.why},
                    {"gpu", unsold.gpu != nullptr ? Json(unsold.gpu->id) : Json(nullptr)},
                    {"claimed_memory_bytes", count(unsold.memory)},
                    {"sold_memory_bytes", std::move(sizes)}});
  }
  return list;
}

Json reads_json(const std::vector<LimitStep>& steps) {
  Json list = Json::array();
  for (const LimitStep& step : steps) {
    list.push_back({{"where", step.where},
                    {"bytes_per_token", std::llround(step.read.count())},
                    {"bandwidth_gbps", rounded(in_gb_per_s(step.bandwidth))}});
  }
  return list;
}

Json instead_json(const Claim& claim) {
  if (!claim.sought) return nullptr;
  Json list = Json::array();
  for (const Alternative& one : claim.instead) {
    list.push_back({{"kind", one.kind},
                    {"gpu", one.gpu->id},
                    {"count", one.count},
                    {"memory_bytes", count(one.memory)},
                    {"tight", one.tight},
                    {"decode_tps", range(one.decode)}});
  }
  return list;
}

}  // namespace

std::string json_of(const Claim& claim) {
  const Estimate& estimate = claim.estimate;
  const Workload& workload = estimate.workload;
  // Of sizes nothing is placed on the hardware.
  const bool placed =
      claim.machine && (claim.claimed.kind == ClaimKind::decode_tps || claim.claimed.kind == ClaimKind::fits);
  BytesPerToken read;
  for (const LimitStep& step : claim.limit_steps) read += step.read;
  Json document{{"schema", "r1fit.claim/1"}};
  document.add("verdict", word(claim.verdict));
  document.add("kind", word(claim.claimed.kind));
  document.add("claimed", claimed_json(claim.claimed));
  document.add("model", estimate.model->id);
  document.add("quant", estimate.quant->id);
  document.add("engine", parts::engine_id(estimate));
  document.add("context", count(workload.context));
  document.add("kv_type_k", word(workload.kv_k));
  document.add("kv_type_v", word(workload.kv_v));
  document.add("depth", count(workload.depth));
  document.add("hardware", claim.machine ? hardware_json(*claim.machine) : Json(nullptr));
  document.add("no_such_hardware", unsold_json(claim.unsold));
  document.add("assumed_ram_bytes", count(claim.assumed_ram));
  document.add("fit", placed ? Json(word(estimate.placement.verdict)) : Json(nullptr));
  document.add("limit_tps", claim.limit ? rounded(*claim.limit) : Json(nullptr));
  document.add("realistic_tps", claim.realistic ? rounded(*claim.realistic) : Json(nullptr));
  document.add("decode_tps", range(claim.speed.decode));
  document.add("bytes_per_token",
               claim.limit_steps.empty() ? Json(nullptr) : Json(std::llround(read.count())));
  document.add("bandwidth_gbps", claim.limit_steps.size() == 1
                                     ? rounded(in_gb_per_s(claim.limit_steps.front().bandwidth))
                                     : Json(nullptr));
  document.add("reads", reads_json(claim.limit_steps));
  document.add("extrapolated", claim.limit ? Json(claim.speed.extrapolated) : Json(nullptr));
  document.add("slowest", text(claim.speed.slowest));
  document.add("fastest", text(claim.speed.fastest));
  document.add("weights_bytes", count(estimate.weights.total()));
  document.add("download_bytes", count(estimate.download.size));
  document.add("needs_bytes", count(claim.needed));
  document.add("usable_bytes", count(claim.usable));
  document.add("shortfall_bytes", count(claim.shortfall));
  document.add("truth_bytes", count(claim.truth));
  document.add("instead", instead_json(claim));
  document.add("notes", notes_json(claim.notes));
  return pretty(document);
}

// ---- a plan -------------------------------------------------------------------------------------------

namespace {

Json figure_or_null(const std::optional<double>& value) { return value ? rounded(*value) : Json(nullptr); }

Json planned_json(const PlannedMachine& machine) {
  const bool device = machine.device.gpu != nullptr;
  const Price& price = machine.price;
  return {{"kind", word(machine.kind)},
          {"gpu", device ? Json(machine.device.gpu->id) : Json(nullptr)},
          {"memory_bytes", device ? count(machine.device.memory) : Json(nullptr)},
          {"count", device ? Json(machine.count) : Json(nullptr)},
          {"cpu", machine.host != nullptr ? Json(machine.host->id) : Json(nullptr)},
          {"ram_bytes", count(machine.ram)},
          {"verdict", word(machine.placement.verdict)},
          {"wired_limit_bytes", count(machine.wired_limit)},
          {"placement", placement_json(machine.placement)},
          {"max_context", count(machine.max_context)},
          {"decode_tps", range(machine.decode)},
          {"price",
           {{"usd", figure_or_null(price.usd)},
            {"launch_year", price.year > 0 ? Json(price.year) : Json(nullptr)},
            {"own", price.own},
            {"platform", price.platform}}},
          {"board_power_w", machine.power ? rounded(machine.power->count()) : Json(nullptr)},
          {"electricity_usd_per_million_tokens", figure_or_null(machine.usd_per_million)}};
}

Json plan_needs_json(const PlanNeeds& needs) {
  return {{"require", word(needs.verdict)},
          {"min_tps", needs.min_tps ? rounded(*needs.min_tps) : Json(nullptr)},
          {"pessimistic", needs.pessimistic},
          {"budget_usd", figure_or_null(needs.budget_usd)},
          {"max_watts", needs.max_watts ? rounded(needs.max_watts->count()) : Json(nullptr)},
          {"new_only", needs.new_only},
          {"backend", needs.backend ? Json(word(*needs.backend)) : Json(nullptr)},
          {"kwh_usd", figure_or_null(needs.kwh_usd)},
          {"sort", word(needs.sort)}};
}

Json short_of_json(const PlannedMachine& row) {
  Json machine = planned_json(row);
  Json lacks = Json::array();
  for (const Lack lack : row.lacks) lacks.push_back(word(lack));
  machine.add("lacks", lacks);
  return machine;
}

}  // namespace

std::string json_of(const Plan& plan) {
  const Workload& workload = plan.question.workload;
  Json document{{"schema", "r1fit.plan/1"}};
  document.add("model", plan.question.model->id);
  document.add("quant", plan.question.quant->id);
  document.add("engine", plan.question.engine ? Json(plan.question.engine->id) : Json("llama.cpp"));
  document.add("context", count(workload.context));
  document.add("kv_type_k", word(workload.kv_k));
  document.add("kv_type_v", word(workload.kv_v));
  document.add("depth", count(workload.depth));
  document.add("weights_bytes", count(plan.weights.total()));
  document.add("needs", plan_needs_json(plan.needs));
  document.add("found", plan.found);
  document.add("front", plan.front);
  Json machines = Json::array();
  for (const PlannedMachine& row : plan.rows) {
    Json machine = planned_json(row);
    machine.add("front", row.front);
    machines.push_back(machine);
  }
  document.add("machines", machines);
  document.add("left_out", {{"price_unknown", plan.left_out.price_unknown},
                            {"power_unknown", plan.left_out.power_unknown},
                            {"withdrawn", plan.left_out.withdrawn},
                            {"sale_unknown", plan.left_out.sale_unknown}});
  Json nearly = Json::array();
  for (const PlannedMachine& near : plan.nearly) nearly.push_back(short_of_json(near));
  document.add("nearly", nearly);
  document.add("nearest", plan.nearest ? short_of_json(*plan.nearest) : Json(nullptr));
  return pretty(document);
}

namespace {

Json share_json(std::string_view key, Json name, const WeightShare& share) {
  return {{key, std::move(name)},
          {"tensors", share.tensors},
          {"weights", share.elements},
          {"bytes", count(share.size)}};
}

Json whole(const std::optional<std::int64_t>& value) { return value ? Json(*value) : Json(nullptr); }

Json imatrix_json(const std::optional<Imatrix>& imatrix) {
  if (!imatrix) return nullptr;
  return {{"file", text(imatrix->file)},
          {"dataset", text(imatrix->dataset)},
          {"entries", whole(imatrix->entries)},
          {"chunks", whole(imatrix->chunks)}};
}

}  // namespace

std::string json_of(const InspectionResult& result) {
  const Inspection& file = *result.inspection;
  Json document{{"schema", "r1fit.inspect/1"}};
  document.add("file", file.path);
  document.add("parts", file.parts);
  document.add("gguf_version", file.version);
  document.add("byte_order", file.big_endian ? "big" : "little");
  document.add("file_bytes", count(file.file_size));
  document.add("header_bytes", count(file.header_size));
  document.add("metadata_keys", file.keys);
  document.add("architecture", text(file.architecture));
  document.add("name", text(file.name));
  document.add("basename", text(file.basename));
  document.add("size_label", text(file.size_label));
  document.add("kinship", word(file.kinship));
  document.add("model", file.relative != nullptr ? Json(file.relative->id) : Json(nullptr));
  document.add("file_type", whole(file.file_type));
  document.add("file_type_name", file.file_type ? text(file_type_name(*file.file_type)) : Json(nullptr));
  document.add("quant", file.quant != nullptr ? Json(file.quant->id) : Json(nullptr));
  const std::optional<double> bits = file.bits_per_weight();
  document.add("bits_per_weight", bits ? rounded(*bits) : Json(nullptr));
  document.add("imatrix", imatrix_json(file.imatrix));
  document.add("layers", whole(file.layers));
  document.add("context_length", whole(file.context));
  document.add("hidden", whole(file.hidden));
  document.add("heads", whole(file.heads));
  document.add("kv_heads", whole(file.kv_heads));
  document.add("routed_experts", whole(file.routed_experts));
  document.add("experts_per_token", whole(file.experts_per_token));
  document.add("vocabulary", whole(file.vocabulary));
  document.add("attention", file.attention ? Json(word(*file.attention)) : Json(nullptr));
  document.add("tied_embedding", file.tied);
  document.add("tensors", file.all.tensors);
  document.add("weights", file.all.elements);
  document.add("weights_bytes", count(file.all.size));
  Json types = Json::array();
  for (const TypeShare& one : file.types) {
    Json share = share_json("type", one.type != nullptr ? Json(one.type->id) : Json(nullptr), one.share);
    share.add("number", one.number);
    types.push_back(share);
  }
  document.add("types", types);
  Json groups = Json::array();
  for (int i = 0; i < kWeightGroups; ++i) {
    const auto group = static_cast<WeightGroup>(i);
    groups.push_back(share_json("group", word(group), file.group(group)));
  }
  document.add("groups", groups);
  const Json no_ways = result.refused() ? Json::array() : Json(nullptr);
  document.add("why_no_estimate", text(result.refused() ? runs_nowhere(file) : file.why_not));
  document.add("fits",
               result.machine != nullptr ? Json(!result.refused() && result.check->ok()) : Json(nullptr));
  document.add("ways", result.check != nullptr ? texts(result.check->ways) : no_ways);
  document.add("step_up", result.check != nullptr ? texts(result.check->step_up) : no_ways);
  document.add("estimate", result.check != nullptr ? estimate_json(result.check->estimate, *result.machine)
                                                   : Json(nullptr));
  return pretty(document);
}

// ---- a comparison -------------------------------------------------------------------------------------

namespace {

Json compared_same_json(const ComparedMachine& one) {
  if (!one.same) return nullptr;
  const std::optional<double> per_100 = tok_per_s_per_100_watts(*one.same, one.outlay);
  return {{"lacks", text(one.same_lacks)},
          {"usable_bytes", count(parts::usable(*one.same, one.named.machine))},
          {"tps_per_100_w", per_100 ? rounded(*per_100) : Json(nullptr)},
          {"estimate", estimate_json(*one.same, one.named.machine)}};
}

Json compared_pick_json(const ComparedMachine& one) {
  if (!one.pick) return nullptr;
  return {{"score", one.pick->score ? rounded(*one.pick->score) : Json(nullptr)},
          {"roles", texts(parts::role_words(one.pick->roles))},
          {"why", one.pick->why},
          {"estimate", estimate_json(one.pick->estimate, one.named.machine)}};
}

Json missed_json(const ComparedMachine& one) {
  if (!one.missed) return nullptr;
  Json runs_on = Json::array();
  for (const std::size_t other : one.missed->runs_on) runs_on.push_back(static_cast<int>(other + 1));
  return {{"why", one.missed->why},
          {"runs_on", std::move(runs_on)},
          {"estimate", estimate_json(one.missed->estimate, one.named.machine)}};
}

Json outlay_json(const Outlay& outlay) {
  const auto year = [&](int value) { return outlay.price_usd ? Json(value) : Json(nullptr); };
  return {{"board_power_w", outlay.board_power ? rounded(outlay.board_power->count()) : Json(nullptr)},
          {"price_usd", outlay.price_usd ? rounded(*outlay.price_usd) : Json(nullptr)},
          {"price_first_year", year(outlay.first_year)},
          {"price_last_year", year(outlay.last_year)}};
}

}  // namespace

std::string json_of(const Comparison& comparison, const RecommendRequest& request) {
  Json machines = Json::array();
  int number = 0;
  for (const ComparedMachine& one : comparison.machines) {
    machines.push_back({{"number", ++number},
                        {"asked", one.named.asked},
                        {"hardware", hardware_json(one.named.machine)},
                        {"cards", outlay_json(one.outlay)},
                        {"pick", compared_pick_json(one)},
                        {"same", compared_same_json(one)},
                        {"cannot", missed_json(one)}});
  }
  const bool same = comparison.model != nullptr;
  return pretty({{"schema", "r1fit.compare/1"},
                 {"use", word(request.use)},
                 {"prefer", word(request.prefer)},
                 {"same_model", same ? Json(comparison.model->id) : Json(nullptr)},
                 {"same_quant", same ? Json(comparison.quant->id) : Json(nullptr)},
                 {"machines", std::move(machines)}});
}

std::string json_of(const Recommendations& result, const RecommendRequest& request, const Machine& machine,
                    const PrintOptions& options) {
  Json document{{"schema", "r1fit.recommendation/1"}};
  document.add("hardware", hardware_json(machine));
  document.add("use", word(request.use));
  document.add("prefer", word(request.prefer));
  Json ranked = Json::array();
  for (std::size_t i = 0; i < parts::shown(result.ranked.size(), options); ++i) {
    const Recommendation& row = result.ranked[i];
    Json one = estimate_json(row.estimate, machine);
    one.add("rank", row.rank);
    one.add("score", row.score ? rounded(*row.score) : Json(nullptr));
    one.add("roles", texts(parts::role_words(row.roles)));
    one.add("why", row.why);
    ranked.push_back(one);
  }
  document.add("recommendations", ranked);
  Json rejected = Json::array();
  for (const Recommendation& row : result.rejected) {
    Json one = estimate_json(row.estimate, machine);
    one.add("why", row.why);
    rejected.push_back(one);
  }
  document.add("rejected", rejected);
  Json steps = Json::array();
  for (const StepUp& step : result.step_ups) {
    steps.push_back({{"model", step.estimate.model->id},
                     {"quant", step.estimate.quant->id},
                     {"missing_bytes", count(step.missing)},
                     {"flags", texts(step.flags)},
                     {"ways", texts(step.ways)}});
  }
  document.add("step_ups", steps);
  document.add("notes", notes_json(result.notes));
  return pretty(document);
}

namespace {

std::string line_of(std::string_view id_json, const Json& answer) {
  const std::string& document = answer.compact();
  std::string line = "{";
  line.reserve(document.size() + id_json.size() + 8);
  // Spliced rather than parsed: the id is JSON already and comes back to the byte.
  if (!id_json.empty()) {
    line += "\"id\":";
    line += id_json;
    line += ',';
  }
  line.append(document, 1);
  line += '\n';
  return line;
}

}  // namespace

std::string batch_line(std::string_view id_json, const Estimate& estimate, const Machine& machine) {
  return line_of(id_json, estimate_json(estimate, machine));
}

std::string batch_memory_line(std::string_view id_json, const Estimate& estimate, const Machine& machine) {
  Json document{{"schema", "r1fit.memory/1"}};
  add_memory(document, estimate, machine);
  return line_of(id_json, document);
}

std::string batch_error_line(std::string_view id_json, std::string_view sentence) {
  std::string line = "{\"id\":";
  line += id_json.empty() ? "null" : id_json;
  line += ",\"error\":";
  line += Json(sentence).compact();
  line += "}\n";
  return line;
}

std::string json_of(Listing listing, const Catalog& catalog) {
  Json items = Json::array();
  switch (listing) {
    case Listing::models:
      for (const Model& model : catalog.models) items.push_back(item(model, catalog));
      break;
    case Listing::quants:
      for (const Quant& quant : catalog.quants) items.push_back(item(quant));
      break;
    case Listing::hardware:
      for (const Gpu& gpu : catalog.gpus) items.push_back(item(gpu));
      for (const Host& host : catalog.hosts) items.push_back(item(host));
      break;
    case Listing::engines:
      for (const Engine& engine : catalog.engines) items.push_back(item(engine, catalog));
      break;
  }
  return list_json(listing, std::move(items));
}

namespace {

Json only(const Json& item) {
  Json list = Json::array();
  list.push_back(item);
  return list;
}

/// The record with its runs, which a list leaves out.
Json with_runs(Json record, const std::vector<const Measurement*>& runs) {
  Json list = Json::array();
  for (const Measurement* run : runs) list.push_back(run_json(*run));
  record.add("measurements", list);
  return only(record);
}

}  // namespace

std::string json_of(const Model& model, const Catalog& catalog) {
  return list_json(Listing::models, with_runs(item(model, catalog), parts::runs_of(catalog, model)));
}
std::string json_of(const Quant& quant) { return list_json(Listing::quants, only(item(quant))); }
std::string json_of(const Gpu& gpu, const Catalog& catalog) {
  return list_json(Listing::hardware, with_runs(item(gpu), parts::runs_of(catalog, gpu)));
}
std::string json_of(const Host& host, const Catalog& catalog) {
  return list_json(Listing::hardware, with_runs(item(host), parts::runs_of(catalog, host)));
}
std::string json_of(const Engine& engine, const Catalog& catalog) {
  return list_json(Listing::engines, only(item(engine, catalog)));
}

}  // namespace r1fit
