// Compute buffers worked by hand and a few of llama.cpp's own figures in full. The rest of those:
// memory_test.
#include "r1fit/compute_buffer.hpp"

#include <cmath>

#include "catch.hpp"
#include "r1fit/kv_cache.hpp"
#include "r1fit/lookup.hpp"

using namespace r1fit;

namespace {

const Shape& shape(Text model) { return *model_named(builtin_catalog(), model).shape; }

Workload with(std::int64_t context) {
  Workload workload;
  workload.context = tokens(context);
  return workload;
}

constexpr GraphPart kAlone{};

/// Whether `ours` is the MiB that llama.cpp printed, to its decimals.
bool prints(Bytes ours, double theirs_mib) { return std::abs(in_mib(ours) - theirs_mib) < 0.02; }

}  // namespace

// 7B at 4,096 tokens: u = 512, T = 2 KiB, E = 3584 T = 7 MiB, F = 18944 T = 37 MiB, mask 2 * 4096 * 512 = 4
// MiB.
TEST_CASE("a dense layer with flash attention on the CPU") {
  const Shape& of = shape("r1-distill-qwen-7b");
  constexpr std::int64_t e = 7 * 1048576;
  constexpr std::int64_t f = 37 * 1048576;
  constexpr std::int64_t mask = 4 * 1048576;
  constexpr std::int64_t inputs = 20 * 512;
  CHECK(device_compute(of, with(4096), Backend::cpu, kAlone) == bytes(3 * f + 4 * e + mask + inputs));
  // On Metal the copy of the cache and partial results for each head are less than the FFN takes.
  CHECK(device_compute(of, with(4096), Backend::metal, kAlone) == bytes(3 * f + 2 * e + mask + inputs));
}

// Flash attention off: the scores of 28 heads, 4 * 28 * 4096 * 512 = 224 MiB, a mask of f32 (8 MiB) and
// x = 8 * 512 * 512 = 2 MiB.
TEST_CASE("a dense layer without flash attention, and the pool") {
  const Shape& of = shape("r1-distill-qwen-7b");
  Workload off = with(4096);
  off.flash_attention = FlashAttention::off;
  constexpr std::int64_t inputs = 20 * 512;
  CHECK(device_compute(of, off, Backend::metal, kAlone) == mib(224 + 8 + 2 * 7 + 2) + bytes(inputs));
  CHECK(device_compute(of, off, Backend::cpu, kAlone) == mib(224 + 8 + 5 * 7 + 2) + bytes(inputs));
  // CUDA's own pool: half the scores again. Nothing with flash attention, nor elsewhere.
  CHECK(flash_off_pool(of, off, Backend::cuda) == mib(112));
  CHECK(flash_off_pool(of, off, Backend::vulkan) == Bytes{});
  CHECK(flash_off_pool(of, with(4096), Backend::cuda) == Bytes{});
  // Experts of a batch: 512 KiB a row.
  const Shape& big = *model_named(builtin_catalog(), "r1-671b").shape;
  CHECK(expert_pool(big, with(4096), Backend::cuda) == mib(256));
  CHECK(expert_pool(big, with(4096), Backend::vulkan) == Bytes{});
  CHECK(expert_pool(of, with(4096), Backend::cuda) == Bytes{});
}

// The bare library keeps a row of logits for every token of the micro-batch: 4 * 152064 * 512 = 297 MiB.
TEST_CASE("rows of logits") {
  const Shape& of = shape("r1-distill-qwen-7b");
  Workload bare = with(4096);
  bare.logits_rows = LogitsRows::ubatch;
  CHECK(device_compute(of, bare, Backend::cpu, kAlone) == mib(297 + 14) + bytes(20 * 512));
  GraphPart elsewhere;
  elsewhere.logits = false;
  CHECK(device_compute(of, bare, Backend::metal, elsewhere) ==
        device_compute(of, with(4096), Backend::metal, elsewhere));
  Workload slots = with(4096);
  slots.parallel = 4;
  CHECK(output_buffer(of, with(4096)) == bytes(4 * 152064));
  CHECK(output_buffer(of, slots) == bytes(4 * 152064 * 4));
}

TEST_CASE("figures of llama.cpp's own") {
  Workload bare = with(2048);
  bare.logits_rows = LogitsRows::ubatch;
  CHECK(prints(device_compute(shape("r1-distill-llama-70b"), bare, Backend::cpu, kAlone), 282.502));
  bare.flash_attention = FlashAttention::off;
  CHECK(prints(device_compute(shape("r1-distill-llama-70b"), bare, Backend::cpu, kAlone), 344.0098));
  CHECK(prints(host_compute(shape("r1-671b"), with(4096), false), 32.0079));
  CHECK(prints(output_buffer(shape("r1-671b"), with(4096)), 0.49));
}

TEST_CASE("the micro-batch is no larger than the context") {
  Workload small = with(256);
  small.ubatch = tokens(2048);
  Workload smaller = small;
  smaller.ubatch = tokens(256);
  for (const Shape& of : builtin_catalog().shapes) {
    CAPTURE(of.id);
    CHECK(device_compute(of, small, Backend::cpu, kAlone) ==
          device_compute(of, smaller, Backend::cpu, kAlone));
    CHECK(host_compute(of, small, false) == host_compute(of, smaller, false));
  }
}

// Four copies of the inputs: three masks more in host memory.
TEST_CASE("several devices in a pipeline") {
  const Shape& of = shape("r1-distill-qwen-7b");
  CHECK(host_compute(of, with(4096), true) - host_compute(of, with(4096), false) == mib(3 * 4));
}

TEST_CASE("compute buffers never shrink with context, micro-batch or slots, nor flash attention off") {
  for (const Shape& of : builtin_catalog().shapes) {
    for (const Backend backend : {Backend::cpu, Backend::metal}) {
      for (const KvType type : {KvType::f16, KvType::q8_0}) {
        CAPTURE(of.id, word(backend), word(type));
        Bytes last;
        for (std::int64_t context = 256; context <= 131072; context *= 2) {
          Workload workload = with(context);
          workload.kv_k = workload.kv_v = type;
          const Bytes now = device_compute(of, workload, backend, kAlone);
          CHECK(now >= last);
          last = now;
          Workload wider = workload;
          wider.ubatch = tokens(1024);
          CHECK(device_compute(of, wider, backend, kAlone) >= now);
          wider = workload;
          wider.parallel = 2;
          wider.kv_unified = true;
          CHECK(device_compute(of, wider, backend, kAlone) >= now);
          CHECK(output_buffer(of, wider) > output_buffer(of, workload));
        }
      }
    }
  }
}

// llama.cpp's plans: 179.01, 180.51 and 182.01 MiB at 2,048, 8,192 and 32,768 tokens.
TEST_CASE("attention that Vulkan leaves to the CPU") {
  const Shape& of = shape("r1-671b");
  const Bytes v_b = mib(4.5);  // as Q4_K_M
  const auto takes = [&](std::int64_t context) {
    Workload workload = with(context);
    workload.parallel = 4;
    return in_mib(host_attention(of, workload, Backend::vulkan, v_b));
  };
  const auto about = [](double mebibytes) { return Approx(mebibytes).margin(0.01); };
  CHECK(takes(2048) == about(179.01));
  CHECK(takes(8192) == about(180.51));
  CHECK(takes(32768) == about(182.01));
  Workload one = with(2048);
  CHECK(host_attention(of, one, Backend::vulkan, v_b) == Bytes{});
  one.parallel = 4;
  CHECK(host_attention(of, one, Backend::cuda, v_b) == Bytes{});
  one.kv_unified = true;
  CHECK(host_attention(of, one, Backend::vulkan, v_b) == Bytes{});
}
