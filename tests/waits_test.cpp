#include "r1fit/waits.hpp"

#include "catch.hpp"
#include "r1fit/estimate.hpp"
#include "r1fit/report.hpp"
#include "r1fit/units_text.hpp"
#include "shipped.hpp"

using namespace r1fit;
using namespace r1fit::test;

namespace {

Estimate on(const char* gpu, const char* model = "32b", const Workload& workload = {},
            const char* quant = "Q4_K_M") {
  return shipped_estimate(model, quant, machine_with(gpu), workload);
}

Workload with_context(int context) {
  Workload workload;
  workload.context = tokens(context);
  return workload;
}

Machine with_host(const char* gpu, double ram, const char* cpu) {
  Machine machine = machine_with(gpu);
  machine.host = make_host(builtin_catalog(), gib(ram), &host_named(builtin_catalog(), cpu), {});
  return machine;
}

bool holds(const std::optional<Range<TokensPerSecond>>& prefill, double measured) {
  return prefill && prefill->low <= tok_per_s(measured) && tok_per_s(measured) <= prefill->high;
}

bool has_note(const Estimate& estimate, std::string_view code) {
  return std::ranges::any_of(estimate.notes, [&](const Note& note) { return note.code == code; });
}

std::string note_text(const Estimate& estimate, std::string_view code) {
  for (const Note& note : estimate.notes) {
    if (note.code == code) return note.text;
  }
  return "";
}

const std::vector<const char*> kModels{"1.5b", "7b", "r1-distill-llama-8b", "14b", "32b", "70b", "r1-671b"};

}  // namespace

// ---- the prompt -----------------------------------------------------------------------------------------

TEST_CASE("a token of a short prompt takes two FLOPs for each weight but those of its words", "[waits]") {
  Workload workload;
  workload.prompt = tokens(1);
  for (const char* model : kModels) {
    const Shape& shape = *model_named(builtin_catalog(), model).shape;
    const double weights =
        static_cast<double>(active_parameters(shape) - std::int64_t{shape.hidden} * shape.vocab);
    CHECK_THAT(prefill_work(shape, workload).count(), within_rel(2 * weights, 2e-3));
  }
}

TEST_CASE("attention's share of a prompt grows with its length", "[waits]") {
  const Shape& shape = *model_named(builtin_catalog(), "32b").shape;
  Workload workload;
  workload.prompt = tokens(1000);
  const double short_one = prefill_work(shape, workload).count();
  workload.prompt = tokens(33000);
  const double long_one = prefill_work(shape, workload).count();
  // 64 layers x 40 heads x 128 x 4 FLOPs, for half of 32,000 tokens more.
  CHECK_THAT(long_one - short_one, within_rel(64.0 * 40 * 128 * 4 * 16000, 1e-9));
}

TEST_CASE("MLA looks at its compressed cache, files of before it at full heads", "[waits]") {
  const Shape& shape = *model_named(builtin_catalog(), "r1-671b").shape;
  const auto growth = [&](bool legacy) {
    Workload workload;
    workload.legacy_gguf = legacy;
    workload.prompt = tokens(2);
    const double less = prefill_work(shape, workload).count();
    workload.prompt = tokens(1002);
    return prefill_work(shape, workload).count() - less;
  };
  CHECK_THAT(growth(false), within_rel(61.0 * 128 * (2 * 512 + 64) * 2 * 500, 1e-9));
  CHECK_THAT(growth(true), within_rel(61.0 * 128 * (192 + 128) * 2 * 500, 1e-9));
}

TEST_CASE("the steps of a prefill sum up to it", "[waits]") {
  struct Case {
    const char* model;
    Machine machine;
  };
  Machine streaming = with_host("rtx 4090", 256, "epyc-genoa");
  streaming.disk = gb_per_s(5);
  for (const auto& [model, machine] :
       {Case{"32b", machine_with("rtx 4090")}, Case{"70b", machine_with("2x rtx 3090")},
        Case{"70b", with_host("rtx 4090", 64, "ddr5-5600-dual")},
        Case{"r1-671b", with_host("rtx 4090", 512, "epyc-genoa")}, Case{"r1-671b", streaming},
        Case{"8b-0528", cpu_only(gib(32), "ddr5-5600-dual")}}) {
    const std::string name = std::string(model) == "8b-0528" ? "r1-0528-qwen3-8b" : model;
    const Estimate estimate = shipped_estimate(name, "Q4_K_M", machine);
    CAPTURE(name);
    REQUIRE(estimate.speed.prefill);
    SecondsPerToken sum;
    for (const PrefillStep& step :
         prefill_steps(candidate_of(estimate), estimate.workload, machine, estimate.placement)) {
      sum += step.time;
    }
    CHECK_THAT(sum.count(), within_rel(1.0 / estimate.speed.prefill->typical.count(), 1e-9));
  }
}

TEST_CASE("prefill ranges hold what was measured", "[waits]") {
  // Runs of 2025 and 2026 from data/measurements.json and elsewhere, and 671B wherever it ran.
  CHECK(holds(on("rtx 3090", "r1-distill-llama-8b").speed.prefill, 4448));
  CHECK(holds(on("rtx 3090", "14b").speed.prefill, 2370));
  CHECK(holds(on("rtx-pro-6000-bw", "70b").speed.prefill, 1794));
  CHECK(holds(on("rx 7900 xtx", "r1-distill-llama-8b").speed.prefill, 3227));
  CHECK(holds(on("tesla p40", "32b").speed.prefill, 204));
  CHECK(holds(shipped_estimate("r1-671b", "Q4_K_M", machine_with("m3-ultra", gib(512))).speed.prefill, 169));
  CHECK(holds(on("8x mi300x", "r1-671b").speed.prefill, 514));
  CHECK(holds(on("16x rtx 3090", "r1-671b", {}, "Q3_K_M").speed.prefill, 297));
  CHECK(holds(
      shipped_estimate("r1-671b", "Q4_K_M", with_host("rtx 4090", 768, "epyc-turin-6400")).speed.prefill,
      115));
  CHECK(
      holds(shipped_estimate("r1-671b", "Q4_K_M", cpu_only(gib(768), "xeon-gnr-mrdimm")).speed.prefill, 85));
  CHECK(
      holds(shipped_estimate("r1-671b", "Q4_K_M", cpu_only(gib(768), "epyc-genoa-2s")).speed.prefill, 27.9));
  CHECK(holds(
      shipped_estimate("r1-distill-llama-8b", "Q4_K_M", cpu_only(gib(32), "lpddr5-6400-128")).speed.prefill,
      49.8));
  CHECK(holds(shipped_estimate("7b", "Q4_K_M", cpu_only(gib(8), "raspberry-pi-5")).speed.prefill, 2.8));
}

TEST_CASE("the experts of 671B cost data-centre cards most of their peak", "[waits]") {
  const Estimate hopper = on("8x h100-sxm-80gb", "r1-671b");
  REQUIRE(hopper.speed.prefill);
  // By the dense share alone it would be thousands of tokens a second; 290 were measured.
  CHECK(hopper.speed.prefill->typical < tok_per_s(1000));
  CHECK(holds(hopper.speed.prefill, 290));
}

TEST_CASE("cards of a layer split read a prompt one after the other", "[waits]") {
  const Speed one = on("rtx 3090", "14b").speed;
  Workload workload;
  const Speed two = on("2x rtx 3090", "14b", workload).speed;
  CHECK_THAT(two.prefill->typical.count(), within_rel(one.prefill->typical.count(), 1e-9));
  CHECK_THAT(two.prefill->high.count(), within_rel(one.prefill->high.count(), 1e-9));
  // Several micro-batches may follow each other through the cards: that is the high end.
  workload.prompt = tokens(4096);
  const Speed long_one = on("rtx 3090", "14b", workload).speed;
  const Speed long_two = on("2x rtx 3090", "14b", workload).speed;
  CHECK_THAT(long_two.prefill->typical.count(), within_rel(long_one.prefill->typical.count(), 1e-9));
  CHECK_THAT(long_two.prefill->high.count() / long_one.prefill->high.count(), within_rel(16.0 / 9, 1e-9));
}

TEST_CASE("a prompt is read more slowly the more of the model lies in host memory", "[waits]") {
  const Machine machine = with_host("rtx-pro-6000-bw", 96, "ddr5-5600-dual");
  double last = 1e9;
  for (const int layers : {81, 60, 40, 20}) {
    Question question = shipped_question("70b", "Q4_K_M");
    question.placement.n_gpu_layers = layers;
    const Estimate result = estimate(builtin_catalog(), question, machine);
    CAPTURE(layers);
    REQUIRE(result.speed.prefill);
    CHECK(result.speed.prefill->typical.count() < last);
    last = result.speed.prefill->typical.count();
    CHECK(result.speed.prefill->low < result.speed.prefill->typical);
  }
}

TEST_CASE("weights on disk are read for each micro-batch", "[waits]") {
  Machine machine = with_host("rtx 4090", 192, "epyc-genoa");
  const Estimate unknown = shipped_estimate("r1-671b", "Q4_K_M", machine);
  REQUIRE(unknown.placement.verdict == Verdict::streams);
  CHECK_FALSE(unknown.speed.prefill);
  CHECK_THAT(std::string(unknown.waits.prefill_unknown), contains("--disk-bandwidth"));
  machine.disk = gb_per_s(5);
  const Estimate known = shipped_estimate("r1-671b", "Q4_K_M", machine);
  REQUIRE(known.speed.ttft);
  CHECK(known.speed.ttft->typical > known.placement.disk_streamed / gb_per_s(5));
  Workload large;
  large.ubatch = tokens(256);
  CHECK(shipped_estimate("r1-671b", "Q4_K_M", machine, large).speed.ttft->typical >
        known.speed.ttft->typical);
}

TEST_CASE("a short prompt takes no less than reading the weights once", "[waits]") {
  Workload workload;
  workload.prompt = tokens(1);
  const Estimate estimate = on("rtx 4090", "32b", workload);
  const Seconds once = estimate.weights.total() / gb_per_s(1008);
  CHECK(estimate.speed.ttft->low > seconds(0.9 * once.count()));
}

TEST_CASE("the prefill of nameless cards spans those of their size", "[waits]") {
  const Estimate estimate = shipped_estimate("14b", "Q4_K_M", nameless({24}));
  REQUIRE(estimate.speed.prefill);
  const auto typical = [](const char* gpu) { return on(gpu, "14b").speed.prefill->typical.count(); };
  CHECK(estimate.speed.prefill->high.count() >= typical("rtx 4090") * 0.999);
  CHECK(estimate.speed.prefill->low.count() <= typical("tesla p40") * 1.001);
}

TEST_CASE("prefill says where it is extrapolated", "[waits]") {
  CHECK_FALSE(on("rtx 4090").waits.prefill_extrapolated);
  Machine vulkan = machine_with("rtx 4090");
  vulkan.devices.front().backend = Backend::vulkan;
  CHECK(shipped_estimate("32b", "Q4_K_M", vulkan).waits.prefill_extrapolated);
  CHECK(shipped_estimate("r1-671b", "UD-Q2_K_XL", with_host("rtx 4090", 256, "ddr5-5600-dual"))
            .waits.prefill_extrapolated);
  CHECK_FALSE(shipped_estimate("r1-671b", "Q4_K_M", with_host("rtx 4090", 512, "epyc-genoa"))
                  .waits.prefill_extrapolated);
}

TEST_CASE("prefill ranges are in order on every card and platform", "[waits]") {
  const Catalog& catalog = builtin_catalog();
  for (const Gpu& gpu : catalog.gpus) {
    Machine machine;
    machine.devices.push_back(make_device(catalog, gpu, gpu.memory.back(), {}, {}, {}));
    const Estimate estimate = shipped_estimate("1.5b", "Q4_K_M", machine);
    if (!estimate.speed.prefill) continue;
    CAPTURE(gpu.id);
    CHECK(estimate.speed.prefill->low <= estimate.speed.prefill->typical);
    CHECK(estimate.speed.prefill->typical <= estimate.speed.prefill->high);
  }
  for (const Host& host : catalog.hosts) {
    const Estimate estimate = shipped_estimate("1.5b", "Q4_K_M", cpu_only(gib(16), host.id));
    CAPTURE(host.id);
    REQUIRE(estimate.speed.prefill);
    CHECK(estimate.speed.prefill->low < estimate.speed.prefill->typical);
    CHECK(estimate.speed.prefill->typical < estimate.speed.prefill->high);
  }
}

// ---- the answer -----------------------------------------------------------------------------------------

TEST_CASE("an answer takes the prompt and then token after token at falling speed", "[waits]") {
  Workload workload = with_context(16384);
  workload.thinking = tokens(7500);
  const Speed speed = on("rtx 4090", "14b", workload).speed;
  REQUIRE(speed.answer);
  const Seconds at_start = tokens(8000) / speed.decode->typical;
  CHECK(speed.answer->typical > at_start + speed.ttft->typical);
  CHECK(speed.answer->typical < 1.5 * (at_start + speed.ttft->typical));
  CHECK(speed.answer->low < speed.answer->high);
}

TEST_CASE("the token in the middle stands for all of an answer", "[waits]") {
  Workload workload = with_context(16384);
  workload.thinking = tokens(4000);
  const Machine machine = machine_with("rtx 4090");
  const Estimate estimate = shipped_estimate("14b", "Q4_K_M", machine, workload);
  double sum = estimate.speed.ttft->typical.count();
  for (int i = 0; i < 4500; ++i) {
    const auto speed =
        decode_at_depth(candidate_of(estimate), workload, machine, estimate.placement, tokens(512 + i));
    sum += 1.0 / speed->typical.count();
  }
  CHECK_THAT(estimate.speed.answer->typical.count(), within_rel(sum, 1e-3));
}

TEST_CASE("without --think the model's own record says how long it thinks", "[waits]") {
  const Estimate estimate = on("rtx 4090");
  REQUIRE(estimate.waits.length.thinking);
  CHECK(estimate.waits.length.thinking->typical == estimate.model->thinking->typical);
  CHECK(estimate.waits.length.answer == kAnswerTokens);
  CHECK_FALSE(estimate.waits.length.stated());
  CHECK_FALSE(estimate.waits.length.source.empty());
  REQUIRE(estimate.speed.answer);
  // Not knowing the length widens the range beyond that of the speed.
  Workload workload;
  workload.thinking = estimate.waits.length.thinking->typical;
  const Estimate stated = on("rtx 4090", "32b", workload);
  CHECK(stated.waits.length.stated());
  CHECK_THAT(stated.speed.answer->typical.count(), within_rel(estimate.speed.answer->typical.count(), 1e-9));
  CHECK(estimate.speed.answer->low < stated.speed.answer->low);
  CHECK(estimate.speed.answer->high > stated.speed.answer->high);
  // Yet by less than the longest answer at the lowest speed.
  const double longest = 2500.0 / stated.speed.decode->low.count() * 1.1;
  CHECK(estimate.speed.answer->high.count() < longest);
}

TEST_CASE("a stated length leaves the spread of the speed alone", "[waits]") {
  Workload workload;
  workload.thinking = tokens(1000);
  workload.answer = tokens(200);
  const Machine machine = machine_with("rtx 4090");
  const Estimate estimate = shipped_estimate("32b", "Q4_K_M", machine, workload);
  const auto middle =
      decode_at_depth(candidate_of(estimate), workload, machine, estimate.placement, tokens(1112));
  CHECK_THAT(estimate.speed.answer->high.count(),
             within_rel(estimate.speed.ttft->high.count() + 1200 / middle->low.count(), 1e-9));
  CHECK_THAT(estimate.speed.answer->low.count(),
             within_rel(estimate.speed.ttft->low.count() + 1200 / middle->high.count(), 1e-9));
}

TEST_CASE("R1-0528 thinks longer than R1, and every model says how long", "[waits]") {
  const Catalog& catalog = builtin_catalog();
  for (const Model& model : catalog.models) {
    CAPTURE(model.id);
    REQUIRE(model.thinking);
    CHECK_FALSE(model.thinking->source.empty());
    CHECK(*model.thinking->hard > model.thinking->high);
  }
  CHECK(model_named(catalog, "r1-0528-671b").thinking->typical >
        model_named(catalog, "r1-671b").thinking->typical);
}

// ---- does the context hold it ---------------------------------------------------------------------------

TEST_CASE("no time is stated for an answer that the context cannot hold", "[waits]") {
  const Estimate estimate = on("rtx 4090", "32b", with_context(1536));
  CHECK_FALSE(estimate.waits.holds_answer);
  CHECK_FALSE(estimate.speed.answer);
  CHECK(estimate.speed.ttft);
  CHECK_THAT(note_text(estimate, "answer_too_long"), contains("2,012 tokens"));
  CHECK_THAT(note_text(estimate, "answer_too_long"), contains("--ctx 2048"));
  CHECK_FALSE(has_note(estimate, "hard_problem"));
  CHECK(on("rtx 4090", "32b", with_context(2048)).speed.answer);
}

TEST_CASE("slots share the context unless the cache is unified", "[waits]") {
  Workload workload = with_context(4096);
  workload.parallel = 4;
  CHECK_FALSE(on("rtx 4090", "14b", workload).speed.answer);
  CHECK_THAT(note_text(on("rtx 4090", "14b", workload), "answer_too_long"), contains("--ctx 8192"));
  workload.kv_unified = true;
  CHECK(on("rtx 4090", "14b", workload).speed.answer);
}

TEST_CASE("a prompt longer than the context has no first token", "[waits]") {
  Workload workload = with_context(4096);
  workload.prompt = tokens(5000);
  const Estimate estimate = on("rtx 4090", "14b", workload);
  CHECK(estimate.speed.prefill);
  CHECK_FALSE(estimate.speed.ttft);
  CHECK_FALSE(estimate.speed.answer);
  CHECK_THAT(note_text(estimate, "prompt_too_long"), contains("--ctx 5120"));
  CHECK_FALSE(has_note(estimate, "answer_too_long"));
}

TEST_CASE("a hard problem needs more context than an everyday question", "[waits]") {
  CHECK_THAT(note_text(on("rtx 4090"), "hard_problem"), contains("12,000 tokens"));
  CHECK_THAT(note_text(on("rtx 4090"), "hard_problem"), contains("--ctx 13056"));
  CHECK_FALSE(has_note(on("rtx 4090", "14b", with_context(16384)), "hard_problem"));
  CHECK_THAT(note_text(on("rtx 4070", "r1-0528-qwen3-8b"), "hard_problem"), contains("23,000"));
  // Who states the length knows it.
  Workload workload;
  workload.thinking = tokens(1000);
  CHECK_FALSE(has_note(on("rtx 4090", "32b", workload), "hard_problem"));
}

TEST_CASE("the longest answer is one that the context holds", "[waits]") {
  // 512 + 1,000 + 500 fit, 512 + 2,000 + 500 do not.
  const Speed tight = on("rtx 4090", "32b", with_context(2048)).speed;
  const Speed roomy = on("rtx 4090", "32b", with_context(8192)).speed;
  CHECK(tight.answer->high < roomy.answer->high);
  CHECK_THAT(tight.answer->low.count(), within_rel(roomy.answer->low.count(), 1e-9));
}

// ---- download and load ----------------------------------------------------------------------------------

TEST_CASE("download and load take the file's bytes at the rates stated", "[waits]") {
  Machine machine = machine_with("rtx 4090");
  const Estimate plain = shipped_estimate("32b", "Q4_K_M", machine);
  CHECK_FALSE(plain.waits.download);
  REQUIRE(plain.waits.load);
  CHECK(plain.waits.load->low == plain.download.size / kFastDisk.rate);
  CHECK(plain.waits.load->high == plain.download.size / kSlowDisk.rate);
  machine.downlink = mbit_per_s(100);
  machine.disk = gb_per_s(2);
  const Estimate stated = shipped_estimate("32b", "Q4_K_M", machine);
  CHECK_THAT(stated.waits.download->count(),
             within_rel(8e-8 * static_cast<double>(stated.download.size.count()), 1e-9));
  CHECK(stated.waits.load->low == stated.waits.load->high);
  CHECK(stated.waits.load->typical == stated.download.size / gb_per_s(2));
  // The disk's rate keeps its meaning: nothing is streamed here, so the speed is the same.
  CHECK(stated.speed.decode->typical == plain.speed.decode->typical);
}

TEST_CASE("what does not fit is downloaded and not waited for", "[waits]") {
  Machine machine = machine_with("rtx 4060");
  machine.downlink = mbit_per_s(100);
  const Estimate estimate = shipped_estimate("70b", "Q4_K_M", machine);
  REQUIRE(estimate.placement.verdict == Verdict::does_not_fit);
  CHECK(estimate.waits.download);
  CHECK_FALSE(estimate.waits.load);
  CHECK_FALSE(estimate.speed.prefill);
  CHECK_FALSE(estimate.speed.ttft);
  CHECK_FALSE(estimate.speed.answer);
}

// ---- what is printed of it ------------------------------------------------------------------------------

TEST_CASE("the explanation shows how a wait comes about and how speed falls with the context", "[waits]") {
  Machine machine = machine_with("rtx 4090");
  machine.downlink = mbit_per_s(100);
  const Estimate estimate = shipped_estimate("32b", "Q4_K_M", machine);
  const std::string text = explain(estimate, machine, {false, 80});
  for (const char* expected :
       {"\nPrompt\n", "GFLOP / (330 TFLOPS", "\nAnswer\n", "in\n  the middle, at 1,262",
        "/ 100 Mbit/s = 26 min", "from a SATA SSD", "\nSpeed as the context fills\n"}) {
    CHECK_THAT(text, contains(expected));
  }
  // The chart: depth 0 has the longest bar, the longest context the shortest and its own row.
  const auto bar_at = [&](const std::string& depth) {
    const std::size_t row = text.find("  " + depth + "  ", text.find("depth  tok/s"));
    REQUIRE(row != std::string::npos);
    const std::string line = text.substr(row, text.find('\n', row) - row);
    return std::ranges::count(line, '#');
  };
  CHECK(bar_at("0") == 40);
  CHECK(bar_at(count_text(*estimate.max_context)) < 40);
}

TEST_CASE("a download line has its time where the downlink is stated", "[waits]") {
  Machine machine = machine_with("rtx 4090");
  const PrintOptions options{{false, 80}, false, false};
  CHECK(report(Format::table, shipped_estimate("32b", "Q4_K_M", machine), machine, options).find("min") ==
        std::string::npos);
  machine.downlink = mbit_per_s(1000);
  CHECK_THAT(report(Format::table, shipped_estimate("32b", "Q4_K_M", machine), machine, options),
             contains("18.5 GiB), 2.6 min"));
  const std::string json = report(Format::json, shipped_estimate("32b", "Q4_K_M", machine), machine, options);
  for (const char* key :
       {"\"download_s\": 158", "\"load_s\": {", "\"thinking_tokens\": {", "\"answer_tokens\": 500",
        "\"context_holds_answer\": true", "\"prefill_extrapolated\": false"}) {
    CHECK_THAT(json, contains(key));
  }
}
