// How llama.cpp cuts a model over several cards that work on every layer at once: --split row and tensor.
//
// Both cut each matrix in parts by a list of proportions, rounded down to whole granules, the last card
// taking what is left. Established from the source of llama.cpp (docs/model.md), not from logs.
#pragma once

#include <vector>

#include "r1fit/weights.hpp"
#include "r1fit/workload.hpp"

namespace r1fit {

/// What one card holds of a model, bytes.
struct CardShare {
  Bytes weights;
  Bytes kv_cache;
};

struct CardShares {
  std::vector<CardShare> cards;
  /// The others wait in every layer for the card whose part was rounded up: how much longer that takes than
  /// parts that divide exactly would, 1 or more.
  double lag = 1;
};

/// Sizes of the parts of `size` elements, each but the last a multiple of `granule`. Card (i + rotation)
/// modulo the number of cards takes the i-th part. `parts` are proportions, all above 0.
std::vector<std::int64_t> cut(std::int64_t size, std::int64_t granule, const std::vector<int>& parts,
                              std::size_t rotation);

/// Split by tensor: attention goes by groups of heads that share keys and values, with their cache; the FFN
/// by columns; norms and biases lie whole on every card. Dense models.
CardShares tensor_shares(const Shape& shape, const Workload& workload, const Weights& weights,
                         const std::vector<int>& parts);

/// Split by row: what each card holds of the matrices, which are cut by rows. All else lies where a split by
/// layer puts it. Dense models.
std::vector<Bytes> row_shares(const Shape& shape, const Weights& weights, const std::vector<int>& parts);

/// The matrices of one layer, which a split by row takes from it.
Bytes matrices(const LayerWeights& layer);

}  // namespace r1fit
