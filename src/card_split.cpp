#include "r1fit/card_split.hpp"

#include <algorithm>
#include <numeric>

#include "r1fit/kv_cache.hpp"

namespace r1fit {
namespace {

/// Rows of a part under a split by row, on all GPUs since Volta (get_row_rounding in ggml-cuda).
constexpr std::int64_t kRowGranule = 128;
/// Columns of a part of the FFN are a multiple of this and of a block.
constexpr std::int64_t kColumnGranule = 128;

Bytes part_of(Bytes whole, std::int64_t part, std::int64_t size) {
  return bytes(static_cast<std::int64_t>(static_cast<double>(whole.count()) * static_cast<double>(part) /
                                         static_cast<double>(size)));
}

/// How much the fullest card is above its proportion.
double excess(const std::vector<std::int64_t>& sizes, const std::vector<int>& parts) {
  const auto size = static_cast<double>(std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0}));
  const double all = std::accumulate(parts.begin(), parts.end(), 0.0);
  double most = 1;
  for (std::size_t i = 0; i < sizes.size(); ++i)
    most = std::max(most, static_cast<double>(sizes[i]) / size * all / parts[i]);
  return most;
}

std::int64_t rows_of(const Shape& shape, TensorRole role) {
  switch (role) {
    case TensorRole::attn_q:
      return static_cast<std::int64_t>(shape.heads) * shape.head_dim;
    case TensorRole::attn_k:
    case TensorRole::attn_v:
      return static_cast<std::int64_t>(shape.kv_heads) * shape.head_dim;
    case TensorRole::ffn_gate:
    case TensorRole::ffn_up:
      return shape.ffn;
    default:
      return shape.hidden;
  }
}

}  // namespace

std::vector<std::int64_t> cut(std::int64_t size, std::int64_t granule, const std::vector<int>& parts,
                              std::size_t rotation) {
  const std::size_t cards = parts.size();
  const std::int64_t all = std::accumulate(parts.begin(), parts.end(), std::int64_t{0});
  std::vector<std::int64_t> sizes(cards, 0);
  std::int64_t low = 0;
  std::int64_t before = 0;
  for (std::size_t i = 0; i < cards; ++i) {
    const std::size_t card = (i + rotation) % cards;
    before += parts[card];
    std::int64_t high = size * before / all;
    if (i + 1 < cards) high -= high % granule;
    sizes[card] = high - low;
    low = high;
  }
  return sizes;
}

Bytes matrices(const LayerWeights& layer) {
  return std::accumulate(layer.tensors.begin(), layer.tensors.end(), Bytes{});
}

CardShares tensor_shares(const Shape& shape, const Workload& workload, const Weights& weights,
                         const std::vector<int>& parts) {
  CardShares shares;
  const std::size_t cards = parts.size();
  shares.cards.resize(cards);
  const Bytes kv = kv_layer(shape, workload) + kv_row_padding(shape, workload);
  const std::int64_t width = static_cast<std::int64_t>(shape.heads) * shape.head_dim;
  double held = 0;
  double waited = 0;
  for (std::size_t i = 0; i < weights.layers.size(); ++i) {
    const LayerWeights& layer = weights.layers[i];
    const std::int64_t group = width / shape.kv_heads;
    const auto heads = cut(width, std::lcm(group, std::int64_t{layer.output_block}), parts, i % cards);
    const auto columns =
        cut(shape.ffn, std::lcm(kColumnGranule, std::int64_t{layer.down_block}), parts, i % cards);
    Bytes attention;
    for (const TensorRole role :
         {TensorRole::attn_q, TensorRole::attn_k, TensorRole::attn_v, TensorRole::attn_output})
      attention += layer.tensor(role);
    const Bytes ffn = matrices(layer) - attention;
    const Bytes whole = layer.attention + layer.ffn + layer.row_padding - attention - ffn;
    for (std::size_t card = 0; card < cards; ++card) {
      CardShare& share = shares.cards[card];
      share.weights +=
          part_of(attention, heads[card], width) + part_of(ffn, columns[card], shape.ffn) + whole;
      share.kv_cache += part_of(kv, heads[card], width);
    }
    const auto attention_size = static_cast<double>(attention.count());
    const auto ffn_size = static_cast<double>(ffn.count());
    held += attention_size + ffn_size;
    waited += attention_size * excess(heads, parts) + ffn_size * excess(columns, parts);
  }
  const auto words = cut(shape.vocab, 1, parts, weights.layers.size() % cards);
  for (std::size_t card = 0; card < cards; ++card) {
    shares.cards[card].weights +=
        part_of(weights.output_tensor, words[card], shape.vocab) + weights.output - weights.output_tensor;
  }
  shares.lag = waited / held;
  return shares;
}

std::vector<Bytes> row_shares(const Shape& shape, const Weights& weights, const std::vector<int>& parts) {
  std::vector<Bytes> shares(parts.size());
  const auto deal = [&](Bytes matrix, std::int64_t rows) {
    if (matrix == Bytes{}) return;
    const auto sizes = cut(rows, kRowGranule, parts, 0);
    for (std::size_t card = 0; card < shares.size(); ++card)
      shares[card] += part_of(matrix, sizes[card], rows);
  };
  for (const LayerWeights& layer : weights.layers) {
    for (int role = 0; role < kTensorRoles; ++role)
      deal(layer.tensor(static_cast<TensorRole>(role)), rows_of(shape, static_cast<TensorRole>(role)));
  }
  deal(weights.output_tensor, shape.vocab);
  return shares;
}

}  // namespace r1fit
