// Where the parts of a model go and whether they fit: cases worked by hand, llama.cpp's own layer split, and
// what must hold for every offered model in every offered quantisation.
#include "r1fit/placement.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <string>
#include <vector>

#include "catch.hpp"
#include "r1fit/kv_cache.hpp"
#include "r1fit/lookup.hpp"
#include "r1fit/memory.hpp"
#include "shipped.hpp"

using namespace r1fit;

namespace {

const Catalog& catalog() { return builtin_catalog(); }

// ---- machines ---------------------------------------------------------------------------------------

std::optional<Bytes> ram(double gibibytes) { return gibibytes < 0 ? std::optional<Bytes>{} : gib(gibibytes); }
constexpr double kUnknown = -1;

Machine cards(int count, Text name, double memory, double host = kUnknown) {
  Machine machine;
  const Gpu& gpu = *gpu_named(catalog(), name).gpu;
  machine.devices.assign(static_cast<std::size_t>(count),
                         make_device(catalog(), gpu, gib(memory), {}, {}, {}));
  machine.host = make_host(catalog(), ram(host), nullptr, {});
  return machine;
}

/// Cards of which only the sizes are known.
Machine nameless(const std::vector<double>& sizes, double host = kUnknown) {
  Machine machine;
  for (const double size : sizes) {
    machine.devices.push_back(make_nameless_device(catalog(), gib(size), {}, {}, {}));
  }
  machine.host = make_host(catalog(), ram(host), nullptr, {});
  return machine;
}

Machine cpu_only(double host) { return nameless({}, host); }

struct Named {
  std::string name;
  Machine machine;
};

/// One of each kind.
const std::vector<Named>& machines() {
  static const std::vector<Named> all{
      {"8 GiB + 32", nameless({8}, 32)},
      {"24 GiB", nameless({24})},
      {"24 GiB + 64", nameless({24}, 64)},
      {"24 GiB + 512", nameless({24}, 512)},
      {"2 x 24 GiB + 128", nameless({24, 24}, 128)},
      {"12 and 24 GiB + 64", nameless({12, 24}, 64)},
      {"8 x A100 80GB + 1024", cards(8, "a100-80gb-sxm", 80, 1024)},
      {"M2 Max 96", cards(1, "m2 max", 96)},
      {"M2 Ultra 192", cards(1, "m2 ultra", 192)},
      {"Strix Halo 128", cards(1, "strix halo", 128)},
      {"CPU with 64", cpu_only(64)},
      {"CPU with 768", cpu_only(768)},
  };
  return all;
}

// ---- candidates -------------------------------------------------------------------------------------

struct Pair {
  const Model* model;
  const Quant* quant;
  Weights weights;
  [[nodiscard]] Candidate candidate() const { return {model, quant, &weights}; }
};

/// Every offered model in every offered quantisation there is of it.
const std::vector<Pair>& pairs() {
  static const std::vector<Pair> all = [] {
    std::vector<Pair> found;
    for (const Model& model : catalog().models) {
      for (const Quant& quant : catalog().quants) {
        if (!model.offered || !quant.offered || !has_weights(catalog(), model, quant)) continue;
        found.push_back({&model, &quant, weights_of(catalog(), model, quant, {})});
      }
    }
    return found;
  }();
  return all;
}

Workload at(std::int64_t context) {
  Workload workload;
  workload.context = tokens(context);
  return workload;
}

Placement placed(Text model, Text quant, std::int64_t context, const Machine& machine,
                 const PlacementRequest& request = {}) {
  const Model& of = model_named(catalog(), model);
  const Quant& as = quant_named(catalog(), quant);
  const Weights weights = weights_of(catalog(), of, as, {});
  return place({&of, &as, &weights}, at(context), machine, request);
}

PlacementRequest layers(int n_gpu_layers) {
  PlacementRequest request;
  request.n_gpu_layers = n_gpu_layers;
  return request;
}

// ---- sums -------------------------------------------------------------------------------------------

template <class Part>
Bytes sum(const Placement& placement, Part part) {
  Bytes total;
  for (const DeviceUse& use : placement.devices) total += use.*part;
  return total;
}

Bytes fullest(const Placement& placement) {
  Bytes most;
  for (const DeviceUse& use : placement.devices) most = std::max(most, use.total());
  return most;
}

/// Blocks, and the output as one more, on each device.
std::vector<int> blocks(const Placement& placement) {
  std::vector<int> count(placement.devices.size(), 0);
  for (const int device : placement.layer_device) {
    if (device >= 0) ++count[static_cast<std::size_t>(device)];
  }
  if (placement.output_device >= 0) ++count[static_cast<std::size_t>(placement.output_device)];
  return count;
}

bool pads_rows(const Device& device) {
  return device.backend == Backend::cuda || device.backend == Backend::rocm;
}

std::string text_of(const Placement& placement) {
  return std::string(word(placement.verdict)) + " " + std::string(word(placement.mode)) + " " +
         std::to_string(placement.n_gpu_layers) + "/" + std::to_string(placement.n_cpu_moe);
}

}  // namespace

// ---- worked by hand ---------------------------------------------------------------------------------

// 32B at Q4_K_M: 18.07 GiB on the card and 256 KiB a token of KV cache, 2 GiB at 8,192 tokens and 8 at
// 32,768; about 0.9 GiB of buffers and runtime on top.
TEST_CASE("32B on a card of 24 GiB") {
  const Placement fits = placed("32b", "Q4_K_M", 8192, nameless({24}));
  CHECK(fits.verdict == Verdict::fits);
  CHECK(fits.mode == PlacementMode::gpu);
  CHECK(fits.strain == Strain::none);
  CHECK(fits.n_gpu_layers == 65);
  CHECK(fits.shortfall == Bytes{});
  CHECK_FALSE(fits.host_unknown);
  CHECK(fits.devices.front().kv_cache == gib(2));
  CHECK_THAT(in_gib(fits.devices.front().weights), test::within_rel(18.07, 0.001));

  const Placement long_context = placed("32b", "Q4_K_M", 32768, nameless({24}));
  CHECK(long_context.verdict == Verdict::does_not_fit);
  CHECK(long_context.devices.front().kv_cache == gib(8));
  CHECK(long_context.shortfall == fullest(long_context) - gib(24));
  CHECK(long_context.host_unknown);

  const Placement beside_ram = placed("32b", "Q4_K_M", 32768, nameless({24}, 64));
  CHECK(beside_ram.verdict == Verdict::offload);
  CHECK(beside_ram.mode == PlacementMode::partial);
  CHECK(beside_ram.n_gpu_layers > 48);
  CHECK(beside_ram.n_gpu_layers < 65);
  CHECK_FALSE(beside_ram.host_unknown);
}

// 70B at Q4_K_M: 39 GiB over two cards, 41 of 81 layers on the first.
TEST_CASE("70B on two cards of 24 GiB") {
  for (const Machine& machine : {nameless({24, 24}), cards(2, "rtx 3090", 24), cards(2, "rtx 4090", 24)}) {
    const Placement placement = placed("70b", "Q4_K_M", 8192, machine);
    CHECK(placement.verdict == Verdict::fits);
    CHECK(placement.mode == PlacementMode::gpu);
    CHECK(blocks(placement) == std::vector<int>{41, 40});
    CHECK(placement.output_device == 1);
    CHECK(placement.tensor_split.empty());
    CHECK(std::ranges::is_sorted(placement.layer_device));
  }
  CHECK(placed("70b", "Q4_K_M", 8192, nameless({24})).verdict == Verdict::does_not_fit);
}

// A Mac of 96 GB lets the GPU have 72 GiB; 68.8 of weights and 1.5 of the rest leave less than the margin.
TEST_CASE("70B on Macs") {
  const Placement tight = placed("70b", "Q8_0", 4096, cards(1, "m2 max", 96));
  CHECK(tight.verdict == Verdict::tight);
  CHECK(tight.strain == Strain::inside_margin);
  CHECK(tight.mode == PlacementMode::gpu);
  CHECK(placed("70b", "F16", 4096, cards(1, "m2 ultra", 192)).verdict == Verdict::fits);
  // 64 GB: 48 GiB by default, 56 when raised; Q5_K_M at 32,768 tokens takes 46.2 + 10 and does not, Q4_K_M
  // does.
  const Placement raised = placed("70b", "Q4_K_M", 32768, cards(1, "m2 max", 64));
  CHECK(raised.verdict == Verdict::tight);
  CHECK(raised.strain == Strain::raised_limit);
  CHECK(fullest(raised) > gib(48));
  CHECK(fullest(raised) <= gib(56));
  const Placement too_much = placed("70b", "Q5_K_M", 32768, cards(1, "m2 max", 64));
  CHECK(too_much.verdict == Verdict::does_not_fit);
  // One memory: what the GPU may not have is nowhere else.
  CHECK_FALSE(too_much.host_unknown);
}

// 671B at Q4_K_M: 9.3 GiB outside the routed experts and 6.4 GiB of experts a layer.
TEST_CASE("671B on a card of 24 GiB and 512 GiB of host memory") {
  const Placement placement = placed("r1-671b", "Q4_K_M", 8192, nameless({24}, 512));
  CHECK(placement.verdict == Verdict::offload);
  CHECK(placement.mode == PlacementMode::experts_on_host);
  CHECK(placement.n_gpu_layers == 62);
  CHECK(placement.output_device == 0);
  CHECK(std::ranges::all_of(placement.layer_device, [](int device) { return device == 0; }));
  CHECK(placement.n_cpu_moe == 60);  // the experts of one layer still have room
  CHECK(placement.host.kv_cache == Bytes{});
  CHECK(placement.host.weights > gib(350));
  const Placement no_more = placed("r1-671b", "Q4_K_M", 8192, nameless({16}, 512));
  CHECK(no_more.mode == PlacementMode::experts_on_host);
  CHECK(no_more.n_cpu_moe == 61);
}

// 7.7 GiB are left beside a full layer with its experts: what every token reads goes there instead.
TEST_CASE("671B on a card too small for all that every token reads") {
  const Placement placement = placed("r1-671b", "Q4_K_M", 8192, cards(1, "rtx 3060 12gb", 12, 384));
  CHECK(placement.verdict == Verdict::offload);
  CHECK(placement.mode == PlacementMode::partial);
  CHECK(placement.n_gpu_layers > 40);
  CHECK(placement.n_gpu_layers < 62);
  CHECK(placement.n_cpu_moe == 61);
  CHECK(placement.host.weights > gib(368));  // the experts
  CHECK(placement.host.weights < gib(372));
}

TEST_CASE("host memory that is not stated is not counted on") {
  const Placement placement = placed("r1-671b", "Q4_K_M", 8192, nameless({24}));
  CHECK(placement.verdict == Verdict::does_not_fit);
  CHECK(placement.host_unknown);
  CHECK(placement.shortfall > gib(350));
  const Placement asked = placed("32b", "Q4_K_M", 8192, nameless({24}), layers(30));
  CHECK(asked.verdict == Verdict::does_not_fit);
  CHECK(asked.host_unknown);
  CHECK(asked.n_gpu_layers == 30);
  const Placement cpu = placed("7b", "Q4_K_M", 8192, cpu_only(kUnknown));
  CHECK(cpu.verdict == Verdict::does_not_fit);
  CHECK(cpu.host_unknown);
}

// 61 layers of up to 21 GiB (F16) or 4 GiB (Q2_K) do not divide over the cards, their tensors do.
TEST_CASE("671B on cards that only single tensors fill") {
  for (const auto& [quant, machine] : {std::pair<Text, Machine>{"F16", cards(16, "a100-80gb-sxm", 80)},
                                       std::pair<Text, Machine>{"Q2_K", cards(10, "rtx 3090", 24)}}) {
    CAPTURE(quant);
    const Placement placement = placed("r1-671b", quant, 4096, machine);
    CHECK(placement.verdict == Verdict::tight);
    CHECK(placement.strain == Strain::tensors_by_hand);
    CHECK(placement.mode == PlacementMode::gpu);
    for (std::size_t i = 0; i < machine.devices.size(); ++i) {
      CHECK(placement.devices[i].total() <= machine.devices[i].budget);
    }
  }
}

// 376 GiB of weights on 192 or 320 GiB.
TEST_CASE("671B on cards too few") {
  for (const Machine& machine : {cards(8, "rtx 4090", 24), cards(4, "h100-sxm", 80)}) {
    const Placement placement = placed("r1-671b", "Q4_K_M", 8192, machine);
    CHECK(placement.verdict == Verdict::does_not_fit);
    CHECK(placement.shortfall > Bytes{});
  }
}

// 16 GiB keep 2 for the system. 14B at Q4_K_M: 8.4 GiB of weights and 1.5 of KV cache; 32B: 18.5 and 2.
TEST_CASE("a CPU alone") {
  for (const Text model : {"7b", "r1-distill-llama-8b", "14b"}) {
    const Placement placement = placed(model, "Q4_K_M", 8192, cpu_only(16));
    CAPTURE(model);
    CHECK(placement.verdict == Verdict::fits);
    CHECK(placement.mode == PlacementMode::cpu);
    CHECK(placement.n_gpu_layers == 0);
    CHECK(placement.devices.empty());
    CHECK(placement.output_device == -1);
  }
  const Placement streams = placed("32b", "Q4_K_M", 8192, cpu_only(16));
  CHECK(streams.verdict == Verdict::streams);
  CHECK(streams.disk_streamed == streams.host.total() - gib(14));
  // The KV cache cannot be read again from disk: 8 GiB at 32,768 tokens fit, 32 at 131,072 do not.
  CHECK(placed("32b", "Q4_K_M", 32768, cpu_only(16)).verdict == Verdict::streams);
  const Placement too_long = placed("32b", "Q4_K_M", 131072, cpu_only(16));
  CHECK(too_long.verdict == Verdict::does_not_fit);
  CHECK(too_long.shortfall > gib(32));
}

TEST_CASE("weights beyond host memory stream from disk beside a card too") {
  const Placement placement = placed("r1-671b", "Q4_K_M", 8192, nameless({24}, 128));
  CHECK(placement.verdict == Verdict::streams);
  CHECK(placement.mode == PlacementMode::experts_on_host);
  CHECK(placement.disk_streamed > gib(200));
}

TEST_CASE("a request is obeyed even where it does not fit") {
  const Placement whole = placed("70b", "F16", 4096, nameless({8}, 256), layers(81));
  CHECK(whole.verdict == Verdict::does_not_fit);
  CHECK(whole.n_gpu_layers == 81);
  const Placement none = placed("7b", "Q4_K_M", 8192, nameless({24}, 64), layers(0));
  CHECK(none.mode == PlacementMode::cpu);
  CHECK(none.output_device == -1);
  CHECK(none.devices.front().weights == Bytes{});
  const Placement output = placed("7b", "Q4_K_M", 8192, nameless({24}, 64), layers(1));
  CHECK(output.mode == PlacementMode::partial);
  CHECK(output.output_device == 0);
  CHECK(std::ranges::all_of(output.layer_device, [](int device) { return device < 0; }));
  PlacementRequest experts;
  experts.cpu_moe = true;
  const Placement all_experts = placed("r1-671b", "Q4_K_M", 4096, nameless({24}, 512), experts);
  CHECK(all_experts.n_cpu_moe == 61);
  CHECK(all_experts.mode == PlacementMode::experts_on_host);
  PlacementRequest some;
  some.n_cpu_moe = 3;  // the three dense layers: no expert moves
  CHECK(placed("r1-671b", "Q4_K_M", 4096, cards(8, "a100-80gb-sxm", 80, 64), some).mode ==
        PlacementMode::gpu);
}

TEST_CASE("a release that counts the output last leaves it out of all but everything") {
  Workload workload;
  workload.output_last = true;
  const Machine machine = nameless({24}, 64);
  const auto with = [&](int n) {
    const Question question = shipped_question("7b", "Q4_K_M", workload);
    return evaluate(catalog(), {question.model, question.quant, {}, workload, layers(n)}, machine).placement;
  };
  const Placement one = with(1);
  CHECK(one.output_device == -1);
  CHECK(one.layer_device.back() == 0);
  CHECK(one.layer_device.front() == -1);
  const Placement blocks_only = with(28);
  CHECK(blocks_only.output_device == -1);
  CHECK(blocks_only.mode == PlacementMode::partial);
  CHECK(std::ranges::count(blocks_only.layer_device, 0) == 28);
  const Placement whole = with(29);
  CHECK(whole.output_device == 0);
  CHECK(whole.mode == PlacementMode::gpu);
}

// ---- every layer on several cards ------------------------------------------------------------------

TEST_CASE("split by tensor puts half of weights and cache on each of two cards") {
  Workload workload;
  workload.split = SplitMode::tensor;
  const Estimate both = shipped_estimate("70b", "Q4_K_M", cards(2, "rtx 3090", 24), workload);
  CHECK(both.placement.mode == PlacementMode::gpu);
  CHECK(both.placement.split == SplitMode::tensor);
  CHECK(both.placement.tensor_split.empty());
  const DeviceUse& first = both.placement.devices.front();
  const DeviceUse& second = both.placement.devices.back();
  CHECK(first.kv_cache == second.kv_cache);
  CHECK(first.kv_cache == kv_layer(*both.model->shape, workload) * 40);
  CHECK_THAT(ratio(first.weights, second.weights), test::within_rel(1.0, 0.01));
  CHECK_THAT(ratio(first.weights + second.weights, both.weights.total() - both.weights.token_embd),
             test::within_rel(1.0, 0.001));
  // The buffer is not divided, nor is there a pipeline.
  const Estimate alone = shipped_estimate("70b", "Q4_K_M", cards(1, "a100-80gb-sxm", 80));
  CHECK(first.compute > alone.placement.devices.front().compute);
  CHECK(first.compute < alone.placement.devices.front().compute + mib(32));
}

TEST_CASE("cards of unequal size are given parts in proportion where equal ones do not fit") {
  Workload workload;
  workload.split = SplitMode::tensor;
  const Machine machine = nameless({24, 12});
  const Placement small = shipped_estimate("14b", "Q4_K_M", machine, workload).placement;
  CHECK(small.verdict == Verdict::fits);
  CHECK(small.tensor_split.empty());
  const Placement large = shipped_estimate("32b", "Q6_K", machine, workload).placement;
  CHECK(large.verdict == Verdict::fits);
  CHECK(large.tensor_split == std::vector<int>{24, 12});
  CHECK(large.devices.front().weights > large.devices.back().weights * 3 / 2);
}

TEST_CASE("what a split of every layer has no room for is not put into RAM") {
  Workload workload;
  workload.split = SplitMode::tensor;
  const Placement placement =
      shipped_estimate("70b", "Q8_0", cards(2, "rtx 3090", 24, 256), workload).placement;
  CHECK(placement.verdict == Verdict::does_not_fit);
  CHECK(placement.shortfall > Bytes{});
}

TEST_CASE("a longer context of cards that share every layer keeps the verdict and one step more does not") {
  Workload workload;
  workload.split = SplitMode::tensor;
  const Machine machine = cards(2, "rtx 3090", 24);
  const Estimate estimate = shipped_estimate("70b", "Q4_K_M", machine, workload);
  REQUIRE(estimate.max_context);
  workload.context = *estimate.max_context;
  CHECK(shipped_estimate("70b", "Q4_K_M", machine, workload).placement.verdict == Verdict::fits);
  workload.context += tokens(256);
  CHECK(shipped_estimate("70b", "Q4_K_M", machine, workload).placement.verdict > Verdict::fits);
}

TEST_CASE("split by row deals out the matrices and leaves caches with their layers") {
  const Catalog& all = catalog();
  Question question = shipped_question("70b", "Q4_K_M");
  question.engine = engine_choice(all, "llama.cpp@2026-06");
  const Machine machine = cards(2, "tesla p40", 24);
  const Placement by_layer = evaluate(all, question, machine).placement;
  question.workload.split = SplitMode::row;
  const Placement by_row = evaluate(all, question, machine).placement;
  CHECK(by_row.split == SplitMode::row);
  Bytes layers;
  Bytes rows;
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(by_row.devices[i].kv_cache == by_layer.devices[i].kv_cache);
    CHECK(by_row.devices[i].compute < by_layer.devices[i].compute);  // no pipeline
    layers += by_layer.devices[i].weights;
    rows += by_row.devices[i].weights;
  }
  CHECK_THAT(ratio(rows, layers), test::within_rel(1.0, 1e-6));
  CHECK_THAT(ratio(by_row.devices.front().weights, by_row.devices.back().weights),
             test::within_rel(1.0, 0.02));
}

// ---- llama.cpp's layer split ------------------------------------------------------------------------

// Of N layers (the output is the last) over n equal devices, layer i goes to device i * n / N.
TEST_CASE("layers over equal devices") {
  const auto split = [](Text model, int devices) {
    return blocks(placed(model, "Q4_K_M", 4096, cards(devices, "b300", 288)));
  };
  CHECK(split("7b", 2) == std::vector<int>{15, 14});
  CHECK(split("7b", 4) == std::vector<int>{8, 7, 7, 7});
  CHECK(split("7b", 8) == std::vector<int>{4, 4, 3, 4, 4, 3, 4, 3});
  CHECK(split("32b", 2) == std::vector<int>{33, 32});
  CHECK(split("32b", 4) == std::vector<int>{17, 16, 16, 16});
  CHECK(split("70b", 2) == std::vector<int>{41, 40});
  CHECK(split("70b", 4) == std::vector<int>{21, 20, 20, 20});
  CHECK(split("r1-671b", 2) == std::vector<int>{31, 31});
  CHECK(split("r1-671b", 4) == std::vector<int>{16, 15, 16, 15});
  CHECK(split("r1-671b", 8) == std::vector<int>{8, 8, 8, 7, 8, 8, 8, 7});
}

TEST_CASE("layers over unequal devices follow their free memory") {
  // Less the runtime: 11.8 of 35.2 GiB on the first, a third of 65 layers.
  const Placement placement = placed("32b", "Q4_K_M", 4096, nameless({12, 24}));
  CHECK(placement.verdict == Verdict::fits);
  const std::vector<int> on = blocks(placement);
  CHECK(on[0] >= 20);
  CHECK(on[0] <= 23);
  CHECK(on[0] + on[1] == 65);
}

// ---- for every model in every quantisation ----------------------------------------------------------

TEST_CASE("the parts sum to the whole") {
  REQUIRE(pairs().size() > 60);
  for (const Named& on : machines()) {
    for (const Pair& pair : pairs()) {
      const Workload workload = at(8192);
      const Placement placement = place(pair.candidate(), workload, on.machine);
      CAPTURE(on.name, pair.model->id, pair.quant->id, text_of(placement));
      Bytes padding;
      Bytes kv = kv_layer(*pair.model->shape, workload) * pair.model->shape->layers;
      if (!on.machine.devices.empty() && pads_rows(on.machine.devices.front())) {
        for (std::size_t i = 0; i < pair.weights.layers.size(); ++i) {
          if (placement.layer_device[i] < 0) continue;
          padding += pair.weights.layers[i].row_padding;
          kv += kv_row_padding(*pair.model->shape, workload);
        }
      }
      // rope_freqs (256 bytes) is counted on the CPU alone.
      const Bytes rope = placement.devices.empty() ? Bytes{} : pair.weights.rope;
      CHECK(sum(placement, &DeviceUse::weights) + placement.host.weights ==
            pair.weights.total() - rope + padding);
      CHECK(sum(placement, &DeviceUse::kv_cache) + placement.host.kv_cache == kv);
      const std::vector<int> on_devices = blocks(placement);
      CHECK(std::accumulate(on_devices.begin(), on_devices.end(), 0) == placement.n_gpu_layers);
      if (!placement.tensor_split.empty()) CHECK(placement.tensor_split == on_devices);
      CHECK((placement.devices.empty() || placement.devices.size() == on.machine.devices.size()));
      CHECK(placement.layer_device.size() == pair.weights.layers.size());
    }
  }
}

TEST_CASE("what is said to fit keeps within every budget") {
  for (const Named& on : machines()) {
    for (const Pair& pair : pairs()) {
      for (const std::int64_t context : {2048, 32768}) {
        const Placement placement = place(pair.candidate(), at(context), on.machine);
        CAPTURE(on.name, pair.model->id, pair.quant->id, context, text_of(placement));
        if (placement.verdict == Verdict::does_not_fit) {
          CHECK(placement.shortfall > Bytes{});
          continue;
        }
        for (std::size_t i = 0; i < placement.devices.size(); ++i) {
          const Device& device = on.machine.devices[i];
          const Bytes total = placement.devices[i].total();
          CHECK(total <= (placement.strain == Strain::raised_limit ? device.stretched : device.budget));
          if (placement.verdict == Verdict::fits) CHECK(total + device.margin <= device.budget);
        }
        const bool on_disk = placement.verdict == Verdict::streams;
        CHECK((placement.shortfall > Bytes{}) == on_disk);
        CHECK((placement.disk_streamed > Bytes{}) == on_disk);
        CHECK((placement.strain == Strain::none) == (placement.verdict != Verdict::tight));
        CHECK_FALSE(placement.host_unknown);
        if (placement.mode == PlacementMode::gpu) continue;
        const Bytes budget = on.machine.host.budget;
        if (placement.verdict == Verdict::streams) {
          CHECK(placement.host.total() - placement.disk_streamed == budget);
          CHECK(placement.host.total() - placement.host.weights <= budget);
        } else {
          CHECK(placement.host.total() <= budget);
        }
      }
    }
  }
}

TEST_CASE("more context, wider cache types and more shared slots never need less") {
  // Devices beyond any need, so that the layers stay where they are.
  Machine roomy = cards(1, "b300", 288, 8192);
  roomy.devices.front().budget = roomy.devices.front().stretched = gib(4096);
  Machine four = roomy;
  four.devices.assign(4, roomy.devices.front());
  for (const Machine& machine : {roomy, four, cpu_only(8192)}) {
    for (const Pair& pair : pairs()) {
      const int all = pair.model->shape->layers + 1;
      for (const int n : {all, all / 2, 0}) {
        if (machine.devices.empty() && n != 0) continue;
        const auto use = [&](const Workload& workload) {
          return place(pair.candidate(), workload, machine, layers(n));
        };
        // A buffer through which weights pass has gaps that come and go, in llama.cpp as here: up to a fifth
        // of it.
        const double gaps = n == all ? 0.0 : 0.2;
        const auto grows = [gaps](const Placement& less, const Placement& more) {
          for (std::size_t i = 0; i < less.devices.size(); ++i) {
            if (more.devices[i].total() + share(less.devices[i].compute, gaps) < less.devices[i].total())
              return false;
          }
          return more.host.total() >= less.host.total();
        };
        CAPTURE(machine.devices.size(), pair.model->id, pair.quant->id, n);
        Placement last = use(at(2048));
        for (const std::int64_t context : {2304, 8192, 32768, 131072}) {
          Placement now = use(at(context));
          CHECK(grows(last, now));
          Workload slots = at(context);
          slots.parallel = 4;
          slots.kv_unified = true;
          CHECK(grows(now, use(slots)));
          last = std::move(now);
        }
        // In host memory a quantised cache passes through the device, and again as f16: more than it spares.
        if (n != all && !machine.devices.empty()) continue;
        Workload q4 = at(32768);
        q4.kv_k = q4.kv_v = KvType::q4_0;
        Workload q8 = at(32768);
        q8.kv_k = q8.kv_v = KvType::q8_0;
        const Placement narrow = use(q4);
        const Placement wider = use(q8);
        CHECK(grows(narrow, wider));
        CHECK(grows(wider, use(at(32768))));
      }
    }
  }
}

TEST_CASE("fewer layers on a device never weigh more there") {
  const Machine machine = cards(2, "b300", 288, 2048);
  for (const Pair& pair : pairs()) {
    Bytes last;
    for (int n = 0; n <= pair.model->shape->layers + 1; ++n) {
      const Placement placement = place(pair.candidate(), at(4096), machine, layers(n));
      const Bytes now = sum(placement, &DeviceUse::weights);
      CAPTURE(pair.model->id, pair.quant->id, n);
      CHECK(placement.n_gpu_layers == n);
      CHECK((n == 0 ? now == Bytes{} : now > last));
      last = now;
    }
  }
}

TEST_CASE("more host memory never worsens the verdict") {
  for (const std::vector<double>& sizes : {std::vector<double>{}, {8}, {24}, {24, 24}}) {
    for (const Pair& pair : pairs()) {
      Verdict last = Verdict::does_not_fit;
      for (const double host : {kUnknown, 4.0, 8.0, 16.0, 32.0, 64.0, 96.0, 128.0, 256.0, 512.0, 1024.0}) {
        const Verdict now = place(pair.candidate(), at(8192), nameless(sizes, host)).verdict;
        CAPTURE(sizes, pair.model->id, pair.quant->id, host);
        CHECK(now <= last);
        last = now;
      }
    }
  }
}

TEST_CASE("more memory on a card never worsens the verdict") {
  for (const double host : {kUnknown, 32.0, 512.0}) {
    for (const Pair& pair : pairs()) {
      Verdict last = Verdict::does_not_fit;
      Verdict last_of_two = Verdict::does_not_fit;
      for (const double size : {4, 6, 8, 10, 12, 16, 20, 24, 32, 48, 64, 80, 96, 288}) {
        CAPTURE(host, pair.model->id, pair.quant->id, size);
        const Verdict now = place(pair.candidate(), at(8192), nameless({size}, host)).verdict;
        CHECK(now <= last);
        last = now;
        const Verdict of_two = place(pair.candidate(), at(8192), nameless({12, size}, host)).verdict;
        CHECK(of_two <= last_of_two);
        last_of_two = of_two;
      }
    }
  }
}

// What the CPU alone can do with this host memory, it can beside a card that is too small to help.
TEST_CASE("a card does not take away what the CPU can do") {
  for (const double host : {32.0, 512.0}) {
    for (const Pair& pair : pairs()) {
      if (place(pair.candidate(), at(8192), cpu_only(host)).verdict == Verdict::does_not_fit) continue;
      for (const double size : {2, 4, 8, 24}) {
        CAPTURE(host, pair.model->id, pair.quant->id, size);
        CHECK(place(pair.candidate(), at(8192), nameless({size}, host)).verdict != Verdict::does_not_fit);
      }
    }
  }
}

namespace {

Machine ordered(Machine machine) {
  order_devices(machine);
  return machine;
}

/// Calls check(first, other) with the verdicts of unequal cards in their first and in every other order.
template <class Check>
void in_every_order(Check check) {
  for (const double host : {kUnknown, 64.0, 512.0}) {
    for (const std::vector<double>& sizes : {std::vector<double>{12, 24}, {8, 16, 24}}) {
      for (const Pair& pair : pairs()) {
        std::vector<double> order = sizes;
        const Verdict first = place(pair.candidate(), at(8192), ordered(nameless(order, host))).verdict;
        while (std::ranges::next_permutation(order).found) {
          CAPTURE(host, order, pair.model->id, pair.quant->id);
          check(first, place(pair.candidate(), at(8192), ordered(nameless(order, host))).verdict);
        }
      }
    }
  }
}

}  // namespace

TEST_CASE("the order in which cards are named does not change the verdict") {
  in_every_order([](Verdict first, Verdict other) { CHECK(first == other); });
}

TEST_CASE("as much as has room goes onto the device") {
  for (const Named& on : machines()) {
    if (on.machine.devices.size() != 1 || on.machine.devices.front().unified) continue;
    for (const Pair& pair : pairs()) {
      const Placement placement = place(pair.candidate(), at(8192), on.machine);
      CAPTURE(on.name, pair.model->id, pair.quant->id, text_of(placement));
      PlacementRequest more;
      if (placement.mode == PlacementMode::partial) {
        more.n_gpu_layers = placement.n_gpu_layers + 1;
        more.n_cpu_moe = placement.n_cpu_moe;
      } else if (placement.mode == PlacementMode::experts_on_host) {
        more.n_cpu_moe = placement.n_cpu_moe - 1;
      } else {
        continue;
      }
      const Device& device = on.machine.devices.front();
      CHECK(fullest(placement) + device.margin <= device.budget);
      const Placement fuller = place(pair.candidate(), at(8192), on.machine, more);
      CHECK(fullest(fuller) + device.margin > device.budget);
    }
  }
}

namespace {

/// Whether a margin that `before` kept on the one device is gone in `after`.
bool lost_margin(const Placement& before, const Placement& after, const Machine& machine) {
  if (machine.devices.empty()) return false;
  const Device& device = machine.devices.front();
  return fullest(before) + device.margin <= device.budget && fullest(after) + device.margin > device.budget;
}

}  // namespace

// On one device at most, where flags alone name the same layout again.
TEST_CASE("the largest context keeps the verdict and the next step does not") {
  for (const Named& on : machines()) {
    if (on.machine.devices.size() > 1) continue;
    for (const Pair& pair : pairs()) {
      const Placement placement = place(pair.candidate(), at(4096), on.machine);
      const std::optional<Tokens> most = max_context(pair.candidate(), at(4096), on.machine, placement);
      CAPTURE(on.name, pair.model->id, pair.quant->id, text_of(placement));
      CHECK(most.has_value() == (placement.verdict != Verdict::does_not_fit));
      if (!most) continue;
      CAPTURE(*most);
      CHECK(*most >= tokens(4096));
      CHECK(*most <= pair.model->max_context);
      CHECK(most->count() % 256 == 0);
      if (placement.devices.empty() && !on.machine.devices.empty()) continue;  // no flag of ours asks for it
      PlacementRequest same;
      same.n_gpu_layers = placement.n_gpu_layers;
      if (pair.model->shape->moe) same.n_cpu_moe = placement.n_cpu_moe;
      CHECK(place(pair.candidate(), at(most->count()), on.machine, same).verdict <= placement.verdict);
      if (*most == pair.model->max_context) continue;
      const Placement beyond = place(pair.candidate(), at(most->count() + 256), on.machine, same);
      CHECK((beyond.verdict > placement.verdict || lost_margin(placement, beyond, on.machine)));
    }
  }
}

TEST_CASE("several devices have a largest context too") {
  for (const Named& on : machines()) {
    if (on.machine.devices.size() < 2) continue;
    for (const Pair& pair : pairs()) {
      const Placement placement = place(pair.candidate(), at(4096), on.machine);
      const std::optional<Tokens> most = max_context(pair.candidate(), at(4096), on.machine, placement);
      CAPTURE(on.name, pair.model->id, pair.quant->id, text_of(placement));
      const bool by_hand = placement.strain == Strain::tensors_by_hand;
      CHECK(most.has_value() == (placement.verdict != Verdict::does_not_fit && !by_hand));
      if (!most) continue;
      CHECK(*most >= tokens(4096));
      CHECK(*most <= pair.model->max_context);
    }
  }
}

// Who asks for the largest context that was named must not get a worse answer than was promised.
TEST_CASE("the largest context asked for keeps the verdict") {
  for (const Named& on : machines()) {
    for (const Pair& pair : pairs()) {
      for (const std::int64_t context : {4096, 16384}) {
        const Placement placement = place(pair.candidate(), at(context), on.machine);
        const std::optional<Tokens> most = max_context(pair.candidate(), at(context), on.machine, placement);
        if (!most) continue;
        CAPTURE(on.name, pair.model->id, pair.quant->id, context, text_of(placement), *most);
        CHECK(place(pair.candidate(), at(most->count()), on.machine).verdict <= placement.verdict);
      }
    }
  }
}

TEST_CASE("tensors dealt out by hand keep to every budget and say what whole layers lack") {
  const Machine machine = cards(16, "a100-80gb-sxm", 80);
  const Placement placement = placed("r1-671b", "F16", 4096, machine);
  REQUIRE(placement.strain == Strain::tensors_by_hand);
  CHECK(placement.shortfall > Bytes{});
  for (std::size_t i = 0; i < placement.devices.size(); ++i) {
    CHECK(placement.devices[i].total() <= machine.devices[i].budget);
  }
}

TEST_CASE("an engine with a plan of its own fills no device beyond it") {
  const Catalog& all = catalog();
  const auto placed_by = [&](Text engine, std::int64_t context) {
    Question question = shipped_question("70b", "Q4_K_M");
    question.workload.context = tokens(context);
    question.engine = engine_choice(all, engine);
    question.workload = as_released(question.engine, {}, question.workload, *question.model);
    return evaluate(all, question, cards(2, "rtx-a6000", 48)).placement;
  };
  // 40 GiB of cache and 39 of weights over two cards of 45 GiB that can be used: it fits, but 16 GiB of
  // scores a card are planned with.
  const Placement now = placed_by("ollama", 131072);
  CHECK(now.verdict <= Verdict::tight);
  CHECK(now.planned == Bytes{});
  const Placement then = placed_by("ollama@0.15.5", 131072);
  CHECK(then.verdict == Verdict::does_not_fit);
  CHECK(in_gib(then.planned) == Approx(4.0 * 512 * (1 + 4 * 8192 + 131072.0 * 65) / 1073741824.0));
  CHECK(placed_by("ollama@0.15.5", 8192).verdict == Verdict::fits);
}
