// The buffer of a GPU worked by hand where a formula holds, and llama.cpp's own figures where none does.
#include "r1fit/graph_walk.hpp"

#include <cmath>

#include "catch.hpp"
#include "r1fit/lookup.hpp"

using namespace r1fit;

namespace {

const Model& model(Text name) { return model_named(builtin_catalog(), name); }

Workload with(std::int64_t context) {
  Workload workload;
  workload.context = tokens(context);
  workload.imatrix = false;
  return workload;
}

Bytes walked(const Model& of, Text quant, const Workload& workload, Backend backend, const WalkedPart& part) {
  const Catalog& catalog = builtin_catalog();
  const Weights weights = weights_of(catalog, of, quant_named(catalog, quant), workload);
  return walked_compute(*of.shape, workload, backend, weights, part);
}

/// Everything on one device.
WalkedPart whole(const Model& of) {
  WalkedPart part;
  part.count = of.shape->layers;
  part.head = true;
  return part;
}
/// The output and the last blocks on it, as -ngl counts.
WalkedPart offloaded(const Model& of, int n_gpu_layers, int n_cpu_moe = 0) {
  WalkedPart part = whole(of);
  part.count = std::max(0, n_gpu_layers - 1);
  part.first = part.host_layers = of.shape->layers - part.count;
  part.output_on_host = n_gpu_layers == 0;
  part.n_cpu_moe = n_cpu_moe;
  return part;
}

}  // namespace

// 7B at 4,096 tokens: u = 512, T = 2 KiB, E = 3584 T = 7 MiB, F = 18944 T = 37 MiB, mask 2 * 4096 * 512 = 4
// MiB, 20 bytes of inputs a row.
TEST_CASE("a model that lies on the device takes what its widest moment does") {
  const Model& of = model("r1-distill-qwen-7b");
  const auto takes = [&](const Workload& workload, Backend backend) {
    // A row of ids that are asked for is padded to 128 bytes.
    return in_mib(walked(of, "Q4_K_M", workload, backend, whole(of)) - bytes(20 * 512));
  };
  const auto about = [](double mebibytes) { return Approx(mebibytes).margin(0.005); };
  CHECK(takes(with(4096), Backend::cuda) == about(3 * 37 + 3 * 7 + 4));
  CHECK(takes(with(4096), Backend::rocm) == about(3 * 37 + 3 * 7 + 4));
  CHECK(takes(with(4096), Backend::vulkan) == about(3 * 37 + 2 * 7 + 4));
  // Without flash attention the scores of 28 heads: 4 * 28 * 4096 * 512 = 224 MiB, a mask of f32 (8 MiB) and
  // 8 * 512 * 512 = 2 MiB of indices.
  Workload off = with(4096);
  off.flash_attention = FlashAttention::off;
  CHECK(takes(off, Backend::cuda) == about(224 + 8 + 4 * 7 + 2));
  CHECK(takes(off, Backend::vulkan) == about(224 + 8 + 2 * 7 + 2));
  // The bare library keeps a row of logits for every token of the micro-batch: 4 * 152064 * 512 = 297 MiB.
  Workload bare = with(4096);
  bare.logits_rows = LogitsRows::ubatch;
  CHECK(in_mib(walked(of, "Q4_K_M", bare, Backend::cuda, whole(of))) == about(297 + 7));
}

TEST_CASE("what llama.cpp takes") {
  struct Row {
    const char* model;
    const char* quant;
    Backend backend;
    int n_gpu_layers;
    int n_cpu_moe;
    std::int64_t context;
    std::int64_t ubatch;
    bool flash;
    KvType cache;
    bool whole_logits;
    double mebibytes;  ///< as its dry run prints it
  };
  const Row rows[] = {
      {"r1-distill-qwen-1.5b", "Q4_K_M", Backend::cuda, 7, 0, 32768, 512, true, KvType::f16, false, 112.2656},
      {"r1-distill-qwen-1.5b", "Q4_K_M", Backend::cuda, 28, 0, 32768, 512, true, KvType::q8_0, true, 299.75},
      {"r1-distill-qwen-1.5b", "Q4_K_M", Backend::cuda, 0, 0, 4096, 512, false, KvType::f16, true, 496.0876},
      {"r1-distill-qwen-1.5b", "Q4_K_M", Backend::cuda, 29, 0, 8192, 256, true, KvType::q4_0, false, 34.8331},
      {"r1-distill-qwen-7b", "Q4_K_M", Backend::cuda, 28, 0, 32768, 512, true, KvType::f16, false, 204.8906},
      {"r1-distill-qwen-7b", "Q8_0", Backend::cuda, 14, 0, 131072, 512, true, KvType::q8_0, true, 623.0796},
      {"r1-distill-qwen-7b", "Q4_K_M", Backend::cuda, 0, 0, 32768, 512, false, KvType::f16, true, 1954.8906},
      {"r1-distill-qwen-7b", "Q8_0", Backend::cuda, 29, 0, 32768, 512, true, KvType::q8_0, false, 164.088},
      {"r1-distill-qwen-14b", "Q8_0", Backend::cuda, 48, 0, 4096, 512, true, KvType::f16, true, 307.0000},
      {"r1-distill-qwen-14b", "Q8_0", Backend::cuda, 12, 0, 8192, 512, true, KvType::q4_0, true, 347.0840},
      {"r1-distill-qwen-14b", "Q4_K_M", Backend::cuda, 0, 0, 8192, 512, false, KvType::f16, true, 916.0820},
      {"r1-distill-qwen-14b", "Q4_K_M", Backend::cuda, 49, 0, 131072, 512, true, KvType::q8_0, false,
       680.0880},
      {"r1-distill-qwen-32b", "Q4_K_M", Backend::cuda, 32, 0, 32768, 512, true, KvType::f16, false, 300.7637},
      {"r1-distill-qwen-32b", "Q4_K_M", Backend::cuda, 32, 0, 4096, 512, true, KvType::q8_0, true, 307.0},
      {"r1-distill-qwen-32b", "Q4_K_M", Backend::cuda, 0, 0, 4096, 512, false, KvType::f16, false, 368.0215},
      {"r1-distill-qwen-32b", "Q4_K_M", Backend::cuda, 65, 0, 8192, 256, true, KvType::q4_0, true, 153.5},
      {"r1-distill-llama-8b", "Q4_K_M", Backend::cuda, 32, 0, 4096, 512, true, KvType::f16, true, 258.5},
      {"r1-distill-llama-8b", "Q4_K_M", Backend::cuda, 32, 0, 131072, 512, true, KvType::q8_0, false,
       952.0657},
      {"r1-distill-llama-8b", "Q4_K_M", Backend::cuda, 0, 0, 32768, 512, false, KvType::f16, false,
       2328.0022},
      {"r1-distill-llama-8b", "Q4_K_M", Backend::cuda, 33, 0, 2048, 512, true, KvType::q8_0, false, 110.088},
      {"r1-distill-llama-70b", "Q4_K_M", Backend::cuda, 80, 0, 32768, 512, true, KvType::f16, true, 447.7522},
      {"r1-distill-llama-70b", "Q4_K_M", Backend::cuda, 80, 0, 131072, 512, true, KvType::q8_0, false,
       992.0657},
      {"r1-distill-llama-70b", "Q4_K_M", Backend::cuda, 0, 0, 4096, 512, false, KvType::f16, true, 1088.4531},
      {"r1-distill-llama-70b", "Q4_K_M", Backend::cuda, 81, 0, 4096, 1024, true, KvType::q8_0, false,
       440.0978},
      {"r1-0528-qwen3-8b", "F16", Backend::cuda, 35, 0, 131072, 512, true, KvType::f16, false, 920.0024},
      {"r1-0528-qwen3-8b", "Q8_0", Backend::cuda, 1, 0, 4096, 512, true, KvType::q8_0, true, 304.7500},
      {"r1-0528-qwen3-8b", "Q8_0", Backend::cuda, 0, 0, 4096, 512, false, KvType::f16, false, 296.0024},
      {"r1-0528-qwen3-8b", "Q8_0", Backend::cuda, 37, 0, 2048, 512, true, KvType::q8_0, false, 98.0880},
      {"r1-671b", "Q4_K_M", Backend::cuda, 30, 0, 32768, 512, true, KvType::f16, true, 3221.5022},
      {"r1-671b", "Q4_K_M", Backend::cuda, 61, 0, 32768, 512, true, KvType::q8_0, false, 573.1562},
      {"r1-671b", "Q4_K_M", Backend::cuda, 0, 0, 4096, 512, false, KvType::f16, true, 3226.5023},
      {"r1-671b", "Q4_K_M", Backend::cuda, 62, 0, 131072, 1024, true, KvType::q8_0, false, 1412.0118},
      {"r1-671b", "Q4_K_M", Backend::cuda, 62, 33, 4096, 512, true, KvType::f16, true, 3148.0059},
      {"r1-671b", "Q4_K_M", Backend::cuda, 62, 61, 4096, 512, true, KvType::f16, true, 3148.0059},
      {"r1-distill-qwen-14b", "Q4_K_M", Backend::vulkan, 48, 0, 4096, 512, true, KvType::f16, false,
       133.9902},
      {"r1-0528-qwen3-8b", "Q4_K_M", Backend::vulkan, 1, 0, 32768, 512, true, KvType::f16, false, 248.0024},
      {"r1-distill-qwen-14b", "Q4_K_M", Backend::vulkan, 12, 0, 131072, 512, true, KvType::f16, false,
       926.0215},
      {"r1-0528-qwen3-8b", "Q4_K_M", Backend::vulkan, 9, 0, 4096, 512, true, KvType::q4_0, true, 304.7500},
      {"r1-distill-qwen-14b", "Q4_K_M", Backend::vulkan, 12, 0, 4096, 512, true, KvType::q8_0, false,
       146.3027},
      {"r1-0528-qwen3-8b", "Q8_0", Backend::vulkan, 18, 0, 8192, 512, true, KvType::q8_0, false, 147.5649},
      {"r1-0528-qwen3-8b", "Q4_K_M", Backend::vulkan, 0, 0, 8192, 512, true, KvType::q4_0, false, 123.0649},
      {"r1-0528-qwen3-8b", "Q4_K_M", Backend::vulkan, 0, 0, 8192, 512, true, KvType::f16, false, 116.0024},
      {"r1-distill-qwen-14b", "Q4_K_M", Backend::vulkan, 49, 0, 32768, 512, true, KvType::q8_0, false,
       133.0880},
      {"r1-0528-qwen3-8b", "Q8_0", Backend::vulkan, 37, 0, 8192, 512, true, KvType::q4_0, false, 96.0880},
  };
  for (const Row& row : rows) {
    CAPTURE(row.model, row.quant, word(row.backend), row.n_gpu_layers, row.context, row.flash,
            word(row.cache));
    Workload workload = with(row.context);
    workload.ubatch = tokens(row.ubatch);
    workload.kv_k = workload.kv_v = row.cache;
    if (!row.flash) workload.flash_attention = FlashAttention::off;
    if (row.whole_logits) workload.logits_rows = LogitsRows::ubatch;
    const Model& of = model(row.model);
    const WalkedPart part = offloaded(of, row.n_gpu_layers, row.n_cpu_moe);
    CHECK(std::abs(in_mib(walked(of, row.quant, workload, row.backend, part)) - row.mebibytes) < 0.006);
  }
}

// Logs: Ollama of May 2026, llama.cpp of July 2025 and May 2024 (tests/data/gpu_logs.csv).
TEST_CASE("what older builds took") {
  const auto takes = [](Text name, const Workload& workload, Backend backend) {
    return in_mib(walked(model(name), "Q4_K_M", workload, backend, whole(model(name))));
  };
  const auto about = [](double mebibytes) { return Approx(mebibytes).margin(0.006); };
  Workload then = with(32768);
  then.logits_rows = LogitsRows::ubatch;
  then.graph.f16_mask = false;
  CHECK(takes("r1-distill-qwen-7b", then, Backend::cuda) == about(382.01));

  then = with(16384);
  then.ubatch = tokens(1024);
  then.logits_rows = LogitsRows::ubatch;
  then.graph = {.kv_by_index = false, .f16_mask = false, .both_inputs = false, .vulkan_reorders = false};
  CHECK(takes("r1-distill-llama-8b", then, Backend::vulkan) == about(613.01));

  then = with(8192);
  then.flash_attention = FlashAttention::off;
  then.graph.kv_by_index = false;
  CHECK(takes("r1-distill-llama-8b", then, Backend::cuda) == about(560.00));

  // Made f16 on the first of two devices, handed to the second as f16: 16,384 x 512 x 2 bytes.
  then = with(16384);
  then.graph.f16_mask = false;
  const Model& of = model("r1-distill-llama-8b");
  WalkedPart second = whole(of);
  second.first = second.count = 16;
  const Bytes before = walked(of, "Q4_K_M", then, Backend::cuda, second);
  CHECK(before == walked(of, "Q4_K_M", with(16384), Backend::cuda, second));
}

TEST_CASE("of several devices each keeps four copies of what it is handed") {
  const Model& of = model("r1-distill-qwen-7b");
  WalkedPart half = whole(of);
  half.count = 14;
  half.head = false;
  const Bytes alone = walked(of, "Q4_K_M", with(4096), Backend::cuda, half);
  half.pipelined = true;
  // Three more masks and indices, and four activations that are never given back.
  CHECK(in_mib(walked(of, "Q4_K_M", with(4096), Backend::cuda, half) - alone) ==
        Approx(3 * 4 + 4 * 7).margin(0.1));
}

TEST_CASE("a device without any block computes the output alone") {
  const Model& of = model("r1-distill-qwen-7b");
  WalkedPart part;
  part.first = of.shape->layers;
  part.head = true;
  const Bytes logits = walked(of, "Q4_K_M", with(4096), Backend::cuda, part);
  CHECK(logits > bytes(4 * 152064));
  CHECK(logits < bytes(4 * 152064) + mib(1));
  part.head = false;
  CHECK(walked(of, "Q4_K_M", with(4096), Backend::cuda, part) == Bytes{});
}

TEST_CASE("every offered model in every quantisation can be walked at any split") {
  const Catalog& catalog = builtin_catalog();
  for (const Model& of : catalog.models) {
    for (const Quant& quant : catalog.quants) {
      if (!has_weights(catalog, of, quant)) continue;
      const Workload workload = with(4096);
      const Weights weights = weights_of(catalog, of, quant, workload);
      for (int n = 0; n <= of.shape->layers + 1; n += 7) {
        CAPTURE(of.id, quant.id, n);
        for (const Backend backend : {Backend::cuda, Backend::vulkan}) {
          CHECK(walked_compute(*of.shape, workload, backend, weights, offloaded(of, n)) > Bytes{});
        }
      }
    }
  }
}
