// Weights tensor by tensor: hand-worked tensors, and published file sizes (tests/data/file_sizes.csv). What
// llama.cpp holds of them on devices and host is in memory_test.
#include "r1fit/weights.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "catch.hpp"
#include "r1fit/lookup.hpp"
#include "tiny_catalog.hpp"

using namespace r1fit;

namespace {

const Model& model(Text id) { return model_named(builtin_catalog(), id); }
const Quant& quant(Text id) { return quant_named(builtin_catalog(), id); }

Weights weights(Text model_id, Text quant_id, const Workload& workload = {}) {
  return weights_of(builtin_catalog(), model(model_id), quant(quant_id), workload);
}

/// One published file.
struct Row {
  std::string text;
  std::string model, quant, publisher;
  Bytes size;
  Bytes half_digit;  ///< 0 where `size` is exact
};

Row row_of(const std::string& line) {
  Row row;
  row.text = line;
  std::istringstream in(line);
  std::string size;
  std::string unit;
  for (std::string* field : {&row.model, &row.quant, &row.publisher, &size, &unit}) {
    std::getline(in, *field, ',');
  }
  if (unit == "B") {
    row.size = bytes(std::stoll(size));
    return row;
  }
  const std::size_t point = size.find('.');
  const auto digits = point == std::string::npos ? 0.0 : static_cast<double>(size.size() - point - 1);
  const double half = 0.5 * std::pow(10.0, -digits);
  row.size = unit == "GiB" ? gib(std::stod(size)) : gb(std::stod(size));
  row.half_digit = unit == "GiB" ? gib(half) : gb(half);
  return row;
}

const std::vector<Row>& rows() {
  static const std::vector<Row> all = [] {
    std::vector<Row> read;
    std::ifstream in(test::data_folder() / "file_sizes.csv");
    std::string line;
    std::getline(in, line);
    REQUIRE(line == "model,quant,publisher,size,unit,source");
    while (std::getline(in, line)) read.push_back(row_of(line));
    return read;
  }();
  return all;
}

/// The quantisation behind a row; for Ollama the one that its tag of this size serves.
const Quant& quant_of(const Row& row) {
  if (row.publisher != "ollama") return quant(row.quant);
  const auto served = std::ranges::find_if(builtin_catalog().files, [&row](const PublishedFile& file) {
    return file.ollama && file.model->id == row.model && file.size == row.size;
  });
  REQUIRE(served != builtin_catalog().files.end());
  return *served->quant;
}

/// The published margin: 0.2 %, and half the last digit of a rounded figure.
bool agrees(Bytes ours, const Row& row) {
  const Bytes margin = share(row.size, 0.002) + row.half_digit;
  return ours <= row.size + margin && row.size <= ours + margin;
}

}  // namespace

TEST_CASE("downloads are as large as published") {
  CHECK(rows().size() == 90);
  for (const Row& row : rows()) {
    CAPTURE(row.text);
    const Quant& served = quant_of(row);
    const Weights sum = weights_of(builtin_catalog(), model(row.model), served, {});
    const Download download = download_of(builtin_catalog(), model(row.model), served, sum);
    CAPTURE(download.size);
    CHECK(agrees(download.size, row));
  }
}

// Where the catalogue holds the published size the test above only reads it back; this one does not.
TEST_CASE("tensors and tokenizer add up to the published files") {
  int summed = 0;
  for (const Row& row : rows()) {
    const Quant& served = quant_of(row);
    if (served.base == nullptr) continue;  // known from its published size alone
    // unsloth keeps the embedding table of this one at 4.5 bits: 19.4 MB more than the plain mixture.
    if (row.model == "r1-0528-qwen3-8b" && row.quant == "IQ4_XS") continue;
    CAPTURE(row.text);
    const Weights sum = weights_of(builtin_catalog(), model(row.model), served, {});
    const Bytes file = sum.total() + model(row.model).file_overhead;
    CAPTURE(file);
    CHECK(sum.exact);
    CHECK(agrees(file, row));
    ++summed;
  }
  CHECK(summed >= 60);
}

// 7B: 28 layers, hidden 3584, FFN 18944, 28 heads and 4 KV heads of 128, vocabulary 152064, bias on Q, K, V.
TEST_CASE("the tensors of 7B in F16 and Q8_0") {
  constexpr std::int64_t embedding = 3584LL * 152064;
  constexpr std::int64_t attention = 3584LL * 3584 * 2 + 3584LL * 512 * 2;
  constexpr std::int64_t ffn = 3LL * 3584 * 18944;
  constexpr std::int64_t norms_and_bias = 4 * (2 * 3584 + 3584 + 512 + 512);
  const Weights f16 = weights("r1-distill-qwen-7b", "F16");
  REQUIRE(f16.layers.size() == 28);
  CHECK(f16.token_embd == bytes(2 * embedding));
  CHECK(f16.output_tensor == bytes(2 * embedding));
  CHECK(f16.output == bytes(2 * embedding + 4 * 3584));
  CHECK(f16.rope == Bytes{});
  for (const LayerWeights& layer : f16.layers) {
    CHECK(layer.attention == bytes(2 * attention + norms_and_bias));
    CHECK(layer.ffn == bytes(2 * ffn));
    CHECK(layer.experts == Bytes{});
    CHECK(layer.largest_ffn_tensor == bytes(2 * 3584 * 18944));
    CHECK(layer.row_padding == Bytes{});
  }
  const Weights q8 = weights("r1-distill-qwen-7b", "Q8_0");
  CHECK(q8.layers.front().ffn == bytes(ffn / 32 * 34));
  CHECK(q8.token_embd == bytes(embedding / 32 * 34));
}

// 8B: hidden 4096, vocabulary 128256. Q4_K_M: output in Q6_K (210 bytes of 256), attn_v and ffn_down in Q6_K
// in the first and last eighth and every third layer between, all else in Q4_K (144 bytes of 256).
TEST_CASE("the mixture of Q4_K_M on 8B") {
  constexpr std::int64_t q4 = 144;
  constexpr std::int64_t q6 = 210;
  constexpr std::int64_t ffn = 4096LL * 14336 / 256;
  const Weights sum = weights("r1-distill-llama-8b", "Q4_K_M");
  CHECK(sum.token_embd == bytes(4096LL * 128256 / 256 * q4));
  CHECK(sum.output_tensor == bytes(4096LL * 128256 / 256 * q6));
  CHECK(sum.rope == bytes(4 * 64));
  const std::set<int> more{0, 1, 2, 3, 6, 9, 12, 15, 18, 21, 24, 27, 28, 29, 30, 31};
  for (int i = 0; i < 32; ++i) {
    CAPTURE(i);
    const LayerWeights& layer = sum.layers[static_cast<std::size_t>(i)];
    const std::int64_t down = more.contains(i) ? q6 : q4;
    CHECK(layer.ffn == bytes(ffn * (2 * q4 + down)));
    CHECK(layer.attention ==
          bytes(4096LL * (4096 * 2 + 1024) / 256 * q4 + 4096LL * 1024 / 256 * down + 4 * 2 * 4096));
  }
}

// 671B: 61 layers of 7168, three dense; 256 experts of 2048, 3 tensors each.
TEST_CASE("the experts of 671B") {
  const Weights f16 = weights("r1-671b", "F16");
  REQUIRE(f16.layers.size() == 61);
  for (std::size_t i = 0; i < f16.layers.size(); ++i) {
    const LayerWeights& layer = f16.layers[i];
    CAPTURE(i);
    CHECK(layer.experts == (i < 3 ? Bytes{} : bytes(2 * 3LL * 256 * 2048 * 7168)));
    CHECK(layer.largest_expert_tensor == (i < 3 ? Bytes{} : bytes(2 * 256LL * 2048 * 7168)));
    CHECK(layer.total() == layer.attention + layer.ffn + layer.experts);
  }
  // attn_k_b has rows of 128, no multiple of a K-quant's 256: it falls back, and files stay readable.
  const LayerWeights q8 = weights("r1-671b", "Q8_0").layers.front();
  const LayerWeights q6 = weights("r1-671b", "Q6_K").layers.front();
  constexpr std::int64_t k_b = 128LL * 128 * 512;
  constexpr std::int64_t attention_rest =
      7168LL * 576 + 512LL * 128 * 128 + 128LL * 128 * 7168 + 7168LL * 1536 + 1536LL * 128 * 192;
  constexpr std::int64_t norms = 4 * (2 * 7168 + 512 + 1536);
  CHECK(q8.attention == bytes((k_b + attention_rest) / 32 * 34 + norms));
  CHECK(q6.attention == bytes(k_b / 32 * 34 + attention_rest / 256 * 210 + norms));
}

TEST_CASE("files of before the MLA cache differ in attention alone") {
  Workload legacy;
  legacy.legacy_gguf = true;
  const Weights now = weights("r1-671b", "F16");
  const Weights then = weights("r1-671b", "F16", legacy);
  // attn_kv_b holds the elements of attn_k_b and attn_v_b.
  CHECK(then.total() == now.total());
  CHECK(weights("r1-671b", "Q4_K_M", legacy).total() != weights("r1-671b", "Q4_K_M").total());
  CHECK(weights("r1-671b", "Q4_K_M", legacy).layers.back().experts ==
        weights("r1-671b", "Q4_K_M").layers.back().experts);
}

TEST_CASE("an importance matrix changes some mixtures") {
  Workload with;
  with.imatrix = true;
  Workload without;
  without.imatrix = false;
  bool any_differs = false;
  for (const Quant& each : builtin_catalog().quants) {
    if (each.base == nullptr) continue;
    CAPTURE(each.id);
    const Bytes made_with = weights("r1-distill-qwen-7b", each.id, with).total();
    const Bytes made_without = weights("r1-distill-qwen-7b", each.id, without).total();
    any_differs = any_differs || made_with != made_without;
    CHECK(weights("r1-distill-qwen-7b", each.id).total() == (each.imatrix ? made_with : made_without));
  }
  CHECK(any_differs);
}

// Q4_K and Q2_K alone are copied into another layout on a CPU with AVX-512.
TEST_CASE("what a CPU repacks") {
  for (const Text none : {"F16", "Q8_0", "Q6_K", "Q5_K_M", "IQ4_XS"}) {
    CAPTURE(none);
    CHECK(weights("r1-distill-qwen-7b", none).repacked == Bytes{});
  }
  const Weights q4 = weights("r1-distill-qwen-7b", "Q4_K_M");
  CHECK(std::abs(in_mib(q4.repacked) - 2976.75) < 0.01);  // llama.cpp's own figure
  CHECK(q4.repacked < q4.total());
}

// CUDA allocates quantised rows up to a multiple of 512 elements: 18944 is one, attn_k_b's 128 is none.
TEST_CASE("rows that CUDA pads") {
  const Weights dense = weights("r1-distill-qwen-7b", "Q4_K_M");
  for (const LayerWeights& layer : dense.layers) CHECK(layer.row_padding == Bytes{});
  const Weights mla = weights("r1-671b", "Q4_K_M");
  for (const LayerWeights& layer : mla.layers) {
    CHECK(layer.row_padding > Bytes{});
    CHECK(layer.row_padding < bytes(4096));
  }
  const Weights f16 = weights("r1-671b", "F16");
  for (const LayerWeights& layer : f16.layers) CHECK(layer.row_padding == Bytes{});
}

TEST_CASE("a dynamic file is spread over its tensors without losing a byte to speak of") {
  int spread = 0;
  for (const PublishedFile& file : builtin_catalog().files) {
    if (file.quant->base != nullptr || file.ollama) continue;
    const Weights sum = weights_of(builtin_catalog(), *file.model, *file.quant, {});
    const Download download = download_of(builtin_catalog(), *file.model, *file.quant, sum);
    CAPTURE(file.model->id, file.quant->id);
    CHECK_FALSE(sum.exact);
    CHECK(download.file != nullptr);
    CHECK_THAT(in_gb(sum.total() + file.model->file_overhead), test::within_rel(in_gb(download.size), 1e-6));
    for (const LayerWeights& layer : sum.layers) {
      CHECK(layer.attention > Bytes{});
      CHECK(layer.ffn > Bytes{});
      CHECK(layer.experts >= Bytes{});
    }
    ++spread;
  }
  CHECK(spread >= 15);
}

TEST_CASE("a dynamic file leaves on the GPU what logs show of it") {
  // "CUDA0 buffer size" with all routed experts in host memory: github ikawrakow/ik_llama.cpp discussion 258
  // and pull request 259. The UD files differ by model and by a percent in bits.
  struct Log {
    const char* model;
    const char* quant;
    double mib;
    double within;
  };
  for (const Log& log :
       {Log{"r1-0528-671b", "IQ4_KS_R4", 17744.02, 1e-4}, Log{"r1-0528-671b", "UD-Q4_K_XL", 9996.68, 0.001},
        Log{"r1-671b", "UD-Q2_K_XL", 9885.95, 0.015}}) {
    const Weights all = weights(log.model, log.quant);
    Bytes shared = all.output;
    for (const LayerWeights& layer : all.layers) shared += layer.attention + layer.ffn;
    CAPTURE(log.quant);
    CHECK_THAT(static_cast<double>(shared.count()) / (1 << 20), test::within_rel(log.mib, log.within));
  }
}

TEST_CASE("what a file carries twice is read once") {
  const Weights twice = weights("r1-0528-671b", "IQ4_KS_R4");
  // 61 x 512 x 128 x (128 + 128) weights of attn_kv_b at 8.5 bits.
  Bytes unread;
  for (const LayerWeights& layer : twice.layers) unread += layer.unread;
  CHECK_THAT(in_gb(unread), test::within_rel(61.0 * 512 * 128 * 256 * 8.5 / 8 / 1e9, 1e-6));
  for (const LayerWeights& layer : weights("r1-0528-671b", "UD-Q4_K_XL").layers)
    CHECK(layer.unread == Bytes{});
}

TEST_CASE("a pair without mixture or published size is refused") {
  for (const Model& each : builtin_catalog().models) {
    for (const Quant& one : builtin_catalog().quants) {
      CAPTURE(each.id, one.id);
      const std::string error =
          test::error_of([&] { static_cast<void>(weights_of(builtin_catalog(), each, one, {})); });
      CHECK((error == "(no error)") == has_weights(builtin_catalog(), each, one));
      if (published(builtin_catalog(), each, one)) CHECK(has_weights(builtin_catalog(), each, one));
    }
  }
  CHECK(test::error_of([] { weights("r1-distill-qwen-32b", "UD-IQ1_S"); }) ==
        "no UD-IQ1_S file of r1-distill-qwen-32b is known; `r1fit show r1-distill-qwen-32b` lists those that "
        "are");
}

TEST_CASE("fewer bits never weigh more") {
  for (const Model& each : builtin_catalog().models) {
    Bytes last = bytes(INT64_MAX);
    for (const Text id : {"F16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "IQ4_XS", "Q3_K_M", "IQ3_XS", "Q2_K",
                          "IQ2_XXS", "IQ1_S"}) {
      const Bytes now = weights_of(builtin_catalog(), each, quant(id), {}).total();
      CAPTURE(each.id, id);
      CHECK(now < last);
      last = now;
    }
  }
}

// 671B: 37.5 billion with the head and without the embedding table (16.2 shared, 20.4 routed, 0.9 head in
// it).
TEST_CASE("the parameters of one token") {
  CHECK_THAT(static_cast<double>(active_parameters(*model("r1-671b").shape)), test::within_rel(36.6e9, 0.01));
  for (const Model& each : builtin_catalog().models) {
    const Shape& shape = *each.shape;
    if (shape.moe) continue;
    const std::int64_t embedding = static_cast<std::int64_t>(shape.hidden) * shape.vocab;
    CAPTURE(each.id);
    CHECK(active_parameters(shape) == shape.parameters - embedding);
  }
}
