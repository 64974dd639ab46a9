// The KV cache worked by hand. Against llama.cpp's own figures, layout by layout: memory_test.
#include "r1fit/kv_cache.hpp"

#include "catch.hpp"
#include "r1fit/lookup.hpp"

using namespace r1fit;

namespace {

const Shape& shape(Text model) { return *model_named(builtin_catalog(), model).shape; }

Workload with(std::int64_t context, KvType type = KvType::f16) {
  Workload workload;
  workload.context = tokens(context);
  workload.kv_k = workload.kv_v = type;
  return workload;
}

/// Bytes of one token over all layers, from a full cache of 4,096 cells.
Bytes per_token(const Shape& of, const Workload& workload) {
  return kv_layer(of, workload) * of.layers / 4096;
}

}  // namespace

TEST_CASE("cells are padded to 256 per slot") {
  const auto cells = [](std::int64_t context, int parallel, bool unified) {
    Workload workload = with(context);
    workload.parallel = parallel;
    workload.kv_unified = unified;
    return kv_cells(workload);
  };
  CHECK(cells(4096, 1, false).total == tokens(4096));
  CHECK(cells(4097, 1, false).total == tokens(4352));
  CHECK(cells(1, 1, false).total == tokens(256));
  CHECK(cells(4096, 4, false).per_stream == tokens(1024));
  CHECK(cells(4096, 4, false).total == tokens(4096));
  CHECK(cells(1000, 4, false).per_stream == tokens(256));
  CHECK(cells(1000, 4, false).total == tokens(1024));
  CHECK(cells(2000, 3, false).total == tokens(3 * 768));
  CHECK(cells(4096, 4, true).per_stream == tokens(4096));
  CHECK(cells(4096, 4, true).total == tokens(4096));
}

// Layers x KV heads x 128 x (K + V); f16 takes 2 bytes, q8_0 34 and q4_0 18 bytes of 32 elements.
TEST_CASE("older builds padded to 32 without flash attention") {
  Workload workload;
  workload.context = tokens(8280);
  workload.graph.cells_without_flash = 32;
  CHECK(kv_cells(workload).total == tokens(8448));
  workload.flash_attention = FlashAttention::off;
  CHECK(kv_cells(workload).total == tokens(8288));
}

TEST_CASE("one token of the distills") {
  struct Case {
    Text model;
    std::int64_t layers, kv_heads;
  };
  for (const Case& each : {Case{"r1-distill-qwen-1.5b", 28, 2}, Case{"r1-distill-qwen-7b", 28, 4},
                           Case{"r1-distill-llama-8b", 32, 8}, Case{"r1-0528-qwen3-8b", 36, 8},
                           Case{"r1-distill-qwen-14b", 48, 8}, Case{"r1-distill-qwen-32b", 64, 8},
                           Case{"r1-distill-llama-70b", 80, 8}}) {
    CAPTURE(each.model);
    const std::int64_t elements = each.layers * each.kv_heads * 128;
    CHECK(per_token(shape(each.model), with(4096)) == bytes(elements * 4));
    CHECK(per_token(shape(each.model), with(4096, KvType::q8_0)) == bytes(elements * 2 / 32 * 34));
    CHECK(per_token(shape(each.model), with(4096, KvType::q4_0)) == bytes(elements * 2 / 32 * 18));
  }
}

TEST_CASE("K and V have types of their own") {
  Workload mixed = with(8192);
  mixed.kv_k = KvType::q8_0;
  const Bytes half = bytes(8192LL * 8 * 128 * 2);
  CHECK(kv_layer(shape("r1-distill-llama-8b"), mixed) == half / 32 * 17 + half);
  mixed.kv_k = KvType::f16;
  mixed.kv_v = KvType::q4_0;
  CHECK(kv_layer(shape("r1-distill-llama-8b"), mixed) == half + half / 32 * 9);
}

// 61 layers x (512 + 64), no V: 70,272 bytes a token at f16.
TEST_CASE("one token of 671B") {
  CHECK(per_token(shape("r1-671b"), with(4096)) == bytes(70272));
  CHECK(per_token(shape("r1-671b"), with(4096, KvType::q8_0)) == bytes(37332));
  CHECK(per_token(shape("r1-671b"), with(4096, KvType::q4_0)) == bytes(19764));
}

// Files of before the MLA cache: 61 layers x 128 heads x (192 K + 128 V), 71 times as much.
TEST_CASE("one token of 671B in files of before the MLA cache") {
  Workload legacy = with(4096);
  legacy.legacy_gguf = true;
  CHECK(per_token(shape("r1-671b"), legacy) == bytes(4997120));
  legacy.kv_k = KvType::q8_0;
  CHECK(per_token(shape("r1-671b"), legacy) == bytes(61LL * 128 * (192 / 32 * 34 + 128 * 2)));
}

TEST_CASE("reading at a depth takes the tokens in it, not the whole cache") {
  const Shape& of = shape("r1-distill-qwen-32b");
  CHECK(kv_read_per_layer(of, with(32768), tokens(100)).count() == 100.0 * 8 * 128 * 4);
  CHECK(kv_read_per_layer(of, with(32768), tokens(0)).count() == 0);
  CHECK(kv_read_per_layer(of, with(4096), tokens(4096)).count() ==
        static_cast<double>(kv_layer(of, with(4096)).count()));
  CHECK(kv_read_per_layer(shape("r1-671b"), with(4096), tokens(1000)).count() == 1000.0 * 576 * 2);
}

// CUDA allocates quantised rows up to a multiple of 512 elements, tensors at multiples of 128 bytes.
TEST_CASE("quantised rows that CUDA pads") {
  CHECK(kv_row_padding(shape("r1-distill-llama-8b"), with(4096, KvType::q8_0)) == Bytes{});  // 1,024
  CHECK(kv_row_padding(shape("r1-distill-qwen-7b"), with(4096, KvType::q8_0)) == Bytes{});   // 512
  // 1.5B: rows of 256; 8 blocks of 34 bytes missing, 272 to 384, for K and for V.
  CHECK(kv_row_padding(shape("r1-distill-qwen-1.5b"), with(4096, KvType::q8_0)) == bytes(768));
  CHECK(kv_row_padding(shape("r1-distill-qwen-1.5b"), with(4096)) == Bytes{});
  // 671B: rows of 576; 14 blocks missing, 476 to 512, and no V.
  CHECK(kv_row_padding(shape("r1-671b"), with(4096, KvType::q8_0)) == bytes(512));
  CHECK(kv_row_padding(shape("r1-671b"), with(4096)) == Bytes{});
}

TEST_CASE("more context and wider types never take less") {
  for (const Shape& of : builtin_catalog().shapes) {
    CAPTURE(of.id);
    Bytes last;
    for (std::int64_t context = 1; context < 200'000; context += 777) {
      Workload workload = with(context, KvType::q4_0);
      const Bytes narrow = kv_layer(of, workload);
      CHECK(narrow >= last);
      last = narrow;
      workload.kv_k = workload.kv_v = KvType::q8_0;
      const Bytes wider = kv_layer(of, workload);
      CHECK(wider > narrow);
      workload.kv_k = workload.kv_v = KvType::f16;
      CHECK(kv_layer(of, workload) > wider);
    }
  }
}

namespace {

bool slots_never_take_less(std::int64_t step) {
  for (std::int64_t context = step; context < 100'000; context += step) {
    for (const int parallel : {2, 3, 4, 8}) {
      Workload slots = with(context);
      slots.parallel = parallel;
      if (kv_cells(slots).total < kv_cells(with(context)).total) return false;
    }
  }
  return true;
}

}  // namespace

TEST_CASE("more slots never take less") { CHECK(slots_never_take_less(256)); }

// llama.cpp pads the context to 256 before it divides it, and each part again.
TEST_CASE("nor of a context that is padded") {
  CHECK(slots_never_take_less(257));
  Workload thirds = with(769);
  thirds.parallel = 3;
  CHECK(kv_cells(thirds).total == tokens(3 * 512));
}
