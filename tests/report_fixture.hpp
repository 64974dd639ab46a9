// Small results made by hand, for the tests of the writers: no arithmetic of r1fit is behind their figures.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "r1fit/report.hpp"
#include "r1fit/text_table.hpp"

namespace r1fit::test {

inline const std::array<Text, 1> kAllFigures{"layers"};
inline const std::array<Source, 1> kShapeSources{
    Source{"config.json of the model", kAllFigures, Confidence::high}};
inline const std::array<Text, 1> kEfficiency{"efficiency"};
inline const std::array<Source, 1> kSpeedSources{
    Source{"fitted to many runs", kEfficiency, Confidence::medium}};
inline const std::array<Score, 3> kScores{
    Score{"aime2024_pass1", "AIME 2024", 72.6, "model card", Confidence::high},
    Score{"aime2024_cons64", "AIME 2024", 83.3, "model card", Confidence::high},
    Score{"gpqa_diamond_pass1", "GPQA Diamond", 62.1, "model card", Confidence::high}};
inline const std::array<Score, 1> kFewScores{
    Score{"gpqa_diamond_pass1", "GPQA Diamond", 81.0, "model card", Confidence::medium}};
inline const std::array<QuantLoss, 1> kLosses{
    QuantLoss{"mean_kl_divergence", "nats", 0.0282, "Llama-3-8B", "perplexity README"}};

struct ReportFixture {
  Shape shape{};
  Shape moe_shape{};
  Model model{};
  Model big_model{};
  TensorType type{"Q4_K", 256, 144, Kernel::k_quant, ""};
  Quant quant{};
  Engine engine{};
  SpeedFamily family{};
  SpeedFit fit{};
  SpeedClass speed_class{};
  RuntimeClass runtime_class{};
  Gpu slow{};
  Gpu fast{};
  Machine machine;
  RecommendRequest request;

  ReportFixture() {
    shape = {"qwen2-32b", "qwen2", 64,    5120,  27648,       40, 8,  128,
             152064,      true,    false, false, 32763876352, {}, {}, kShapeSources};
    moe_shape = shape;
    moe_shape.id = "deepseek-v3-671b";
    moe_shape.layers = 61;
    moe_shape.head_dim = 0;
    moe_shape.mla = MlaShape{1536, 512, 128, 64, 128};
    moe_shape.moe = MoeShape{256, 8, 1, 2048, 3};
    model.id = "r1-distill-qwen-32b";
    model.name = "R1-Distill-Qwen-32B";
    model.shape = &shape;
    model.max_context = tokens(131072);
    model.scores = kScores;
    big_model = model;
    big_model.id = "r1-0528-671b";
    big_model.name = "R1-0528 671B";
    big_model.shape = &moe_shape;
    big_model.scores = kFewScores;
    quant.id = "Q4_K_M";
    quant.base = &type;
    quant.losses = kLosses;
    engine.id = "llama.cpp";
    engine.name = "llama.cpp";
    speed_class.id = "some-cards";
    speed_class.name = "some cards";
    family.id = "some";
    family.name = "some interface";
    family.sharpness = 4;
    family.experts = 1;
    family.narrow = 1;
    family.attention = 1;
    fit.id = "some-cards";
    fit.family = &family;
    fit.efficiency = 0.84;
    fit.operations = 15;
    fit.per_layer = milliseconds_per_token(0.03);
    fit.low = 0.8;
    fit.high = 1.2;
    fit.measurements = 3;
    fit.devices = 2;
    fit.source = "fitted to many runs";
    speed_class.fit = &fit;
    speed_class.sources = kSpeedSources;
    runtime_class.id = "cuda-ada";
    runtime_class.name = "CUDA on Ada";
    slow.id = "slow-card";
    slow.name = "Slow Card";
    slow.bandwidth = gb_per_s(432);
    slow.fp32 = tflops(20);
    slow.speed = &speed_class;
    slow.runtime = &runtime_class;
    fast = slow;
    fast.id = "rtx-4090";
    fast.name = "GeForce RTX 4090";
    fast.bandwidth = gb_per_s(1008);
    machine.devices.push_back(nameless());
  }
  // Results point into this object.
  ReportFixture(const ReportFixture&) = delete;
  ReportFixture& operator=(const ReportFixture&) = delete;

  [[nodiscard]] Device nameless() const {
    Device device;
    device.capacity = gib(24);
    device.budget = gib(23.5);
    device.stretched = device.budget;
    device.margin = gib(0.6);
    device.stand_ins = {&slow, &fast};
    return device;
  }

  [[nodiscard]] Device named() const {
    Device device = nameless();
    device.name = fast.id;
    device.gpu = &fast;
    device.bandwidth = fast.bandwidth;
    device.speed = &speed_class;
    device.stand_ins.clear();
    return device;
  }

  /// 20.65 of 23.5 GiB on each device of the machine: the parts are 18.14 + 2.04 + 0.23 + 0.24, so that
  /// rounding each by itself would not give the rounded total.
  [[nodiscard]] Estimate estimate() const {
    Estimate estimate;
    estimate.model = &model;
    estimate.quant = &quant;
    estimate.engine.engine = &engine;
    estimate.backend = Backend::cuda;
    LayerWeights layer{};
    layer.attention = mib(50);
    layer.ffn = mib(230);
    estimate.weights.layers.assign(64, layer);
    estimate.weights.output = gib(0.64);
    estimate.weights.token_embd = gib(0.41);
    estimate.download.size = gb(19.9);
    estimate.placement.mode = PlacementMode::gpu;
    estimate.placement.verdict = Verdict::fits;
    estimate.placement.n_gpu_layers = 65;
    estimate.placement.layer_device.assign(64, 0);
    estimate.placement.output_device = 0;
    for (std::size_t i = 0; i < machine.devices.size(); ++i) {
      estimate.placement.devices.push_back({gib(18.14), gib(2.04), gib(0.23), Bytes{}, gib(0.24)});
    }
    estimate.placement.host = {gib(0.41), Bytes{}, mib(20), mib(1), Bytes{}};
    estimate.max_context = tokens(19456);
    estimate.speed.decode = Range<TokensPerSecond>{tok_per_s(17.126), tok_per_s(28), tok_per_s(41.4)};
    estimate.speed.limit = tok_per_s(52);
    estimate.speed.slowest = "slow-card";
    estimate.speed.fastest = "rtx-4090";
    DecodeStep step;
    step.where = "slow-card";
    step.work.weights = read_per_token(gb(19.4));
    step.work.unpacked = {0, 0, 32e9, 0, 0};
    step.work.layers = 64;
    step.processor = {gb_per_s(720), tflops(20), 0, &fit};
    step.time = token_time(step.work, step.processor);
    step.speed = &speed_class;
    estimate.speed.steps.push_back(step);
    estimate.speed.basis = {"fitted to many runs"};
    estimate.loss = {0.34, true, kLosses.data()};
    estimate.commands = {
        {"ollama", "OLLAMA_CONTEXT_LENGTH=8192 ollama serve\nollama run deepseek-r1:32b"},
        {"llama.cpp",
         "llama-server -hf bartowski/DeepSeek-R1-Distill-Qwen-32B-GGUF:Q4_K_M -c 8192 -ngl 99 "
         "--a-flag-that-makes-it-longer-than-a-line-of-120-columns"}};
    estimate.notes = {
        {"ollama_default_context", "Ollama's own default is 32,768 tokens, and that spills out of it."},
        {"desktop", "A desktop drawn by the same card takes more of it."},
        {"layer_split", "The cards work one after the other."},
        {"host_memory", "The fourth remark."}};
    return estimate;
  }

  /// The 671B, far too large.
  [[nodiscard]] Estimate too_large() const {
    Estimate large = estimate();
    large.model = &big_model;
    large.placement.verdict = Verdict::does_not_fit;
    large.placement.layer_device.assign(61, 0);
    for (DeviceUse& use : large.placement.devices) use.weights = gib(376);
    large.placement.shortfall = gib(354.1);
    large.max_context.reset();
    large.speed = {};
    large.speed.unknown = "it does not fit";
    large.commands.clear();
    large.notes.clear();
    return large;
  }

  /// One that was ruled out before anything was worked out.
  [[nodiscard]] Estimate dropped() const {
    Estimate dropped;
    dropped.model = &model;
    dropped.quant = &quant;
    dropped.workload.context = tokens(163840);
    return dropped;
  }

  [[nodiscard]] Recommendations some() const {
    Recommendations result;
    result.ranked.push_back({estimate(), 1, 61.8, {Role::best_answers}, "the highest score of what fits"});
    result.ranked.push_back({estimate(), 2, 60.1, {Role::fastest, Role::longest_context}, "second"});
    result.rejected.push_back({too_large(), 0, 80.0, {}, "354.1 GiB short"});
    result.rejected.push_back({dropped(), 0, {}, {}, "supports at most 131,072 tokens of context"});
    result.step_ups.push_back(
        {too_large(), gib(354.1), {"--kv q8_0"}, {"a 512 GiB Mac", "384 GiB of RAM beside the card"}});
    return result;
  }

  [[nodiscard]] Recommendations none() const {
    Recommendations result = some();
    result.ranked.clear();
    return result;
  }
};

inline PrintOptions plain(int width = 80) {
  PrintOptions options;
  options.style = {false, width};
  return options;
}

/// The faults of a text for people: no UTF-8, escape codes, trailing spaces, lines beyond the width that are
/// no command to paste.
inline std::string text_fault(std::string_view text, std::size_t width) {
  if (text.empty() || text.back() != '\n') return "does not end in a line break";
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    const std::string_view line = text.substr(at, end - at);
    at = end + 1;
    if (printable(line) != line) return "not printable: " + std::string(line);
    const bool command = line.find("llama-server") != std::string_view::npos ||
                         line.find("sysctl") != std::string_view::npos ||
                         line.find("ollama ") != std::string_view::npos;
    if (columns_of(line) > width && !command) return "too wide: " + std::string(line);
    if (line.ends_with(' ')) return "ends in a space: " + std::string(line);
  }
  return "";
}

}  // namespace r1fit::test
