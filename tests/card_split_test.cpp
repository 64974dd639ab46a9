// How matrices and caches are cut over cards: by hand, and what must hold for every model.
#include "r1fit/card_split.hpp"

#include <numeric>

#include "catch.hpp"
#include "r1fit/kv_cache.hpp"
#include "r1fit/memory.hpp"
#include "shipped.hpp"

using namespace r1fit;
using namespace r1fit::test;

namespace {

using Sizes = std::vector<std::int64_t>;

struct Pair {
  const Model* model;
  Weights weights;
  [[nodiscard]] const Shape& shape() const { return *model->shape; }
};

Pair pair_of(Text name, Text quant) {
  const Catalog& catalog = builtin_catalog();
  const Model& model = model_named(catalog, name);
  return {&model, weights_of(catalog, model, quant_named(catalog, quant), {})};
}

std::vector<int> even(int cards) { return std::vector<int>(static_cast<std::size_t>(cards), 1); }

/// Every card holds all norms, biases and the output's norm.
Bytes held_whole(const Pair& pair) {
  Bytes whole = pair.weights.output - pair.weights.output_tensor;
  for (const LayerWeights& layer : pair.weights.layers)
    whole += layer.attention + layer.ffn + layer.row_padding - matrices(layer);
  return whole;
}

}  // namespace

TEST_CASE("parts are rounded down to granules and the last takes the rest") {
  CHECK(cut(8192, 1024, {1, 1}, 0) == Sizes{4096, 4096});
  CHECK(cut(8192, 1024, {1, 1, 1}, 0) == Sizes{2048, 3072, 3072});
  CHECK(cut(8192, 1024, {1, 1, 1}, 1) == Sizes{3072, 2048, 3072});
  CHECK(cut(8192, 1024, {3, 1}, 0) == Sizes{6144, 2048});
  // 70B's proportions go with the card, whichever part it takes.
  CHECK(cut(8192, 1024, {3, 1}, 1) == Sizes{6144, 2048});
  // Two groups of heads leave two of four cards without any.
  CHECK(cut(1536, 768, {1, 1, 1, 1}, 0) == Sizes{0, 768, 0, 768});
}

TEST_CASE("70B divides evenly over two, four and eight cards") {
  const Pair pair = pair_of("70b", "Q4_K_M");
  for (const int cards : {2, 4, 8}) {
    const CardShares shares = tensor_shares(pair.shape(), {}, pair.weights, even(cards));
    CHECK_THAT(shares.lag, within_rel(1.0, 0.02));
    for (const CardShare& share : shares.cards)
      CHECK(share.kv_cache == kv_layer(pair.shape(), {}) * pair.shape().layers / cards);
  }
}

TEST_CASE("heads that do not divide make the others wait") {
  // 40 heads in 8 groups of 5, two groups to a block of 256: four granules over three cards.
  const Pair pair = pair_of("32b", "Q4_K_M");
  const double three = tensor_shares(pair.shape(), {}, pair.weights, even(3)).lag;
  CHECK(three > 1.02);
  CHECK(three > tensor_shares(pair.shape(), {}, pair.weights, even(4)).lag);
}

TEST_CASE("the parts of all cards are the whole, whatever the proportions") {
  const Workload workload;
  for (const char* name : {"1.5b", "7b", "r1-distill-llama-8b", "r1-0528-qwen3-8b", "14b", "32b", "70b"}) {
    for (const char* quant : {"Q4_K_M", "Q8_0", "IQ3_M", "F16"}) {
      const Pair pair = pair_of(name, quant);
      for (const std::vector<int>& parts :
           {even(2), even(3), even(5), even(16), std::vector<int>{3, 1}, {24, 12, 8}}) {
        CAPTURE(name, quant, parts);
        const auto cards = static_cast<std::int64_t>(parts.size());
        Bytes matrix_bytes = pair.weights.output_tensor;
        for (const LayerWeights& layer : pair.weights.layers) matrix_bytes += matrices(layer);
        const Bytes kv =
            (kv_layer(pair.shape(), workload) + kv_row_padding(pair.shape(), workload)) * pair.shape().layers;

        const CardShares tensor = tensor_shares(pair.shape(), workload, pair.weights, parts);
        Bytes weights;
        Bytes cache;
        for (const CardShare& share : tensor.cards) {
          weights += share.weights;
          cache += share.kv_cache;
        }
        // A part of a matrix is rounded down to a byte.
        const Bytes slack = bytes(cards * 9 * (pair.shape().layers + 1));
        const Bytes expected = matrix_bytes + held_whole(pair) * cards;
        CHECK(weights <= expected);
        CHECK(weights + slack >= expected);
        CHECK(cache <= kv);
        CHECK(cache + slack >= kv);
        CHECK(tensor.lag >= 1.0);

        const std::vector<Bytes> rows = row_shares(pair.shape(), pair.weights, parts);
        const Bytes dealt = std::accumulate(rows.begin(), rows.end(), Bytes{});
        CHECK(dealt <= matrix_bytes);
        CHECK(dealt + slack >= matrix_bytes);
      }
    }
  }
}
