#include "r1fit/graph_walk.hpp"

#include <algorithm>
#include <vector>

#include "r1fit/best_fit.hpp"
#include "r1fit/kv_cache.hpp"

namespace r1fit {
namespace {

constexpr std::int64_t kF32 = 4;
constexpr std::int64_t kIndex = 8;  ///< bytes of a row index
/// The matrices by which K and V are rotated before they are quantised: 128 and 64 elements square.
constexpr std::int64_t kKRotation = kF32 * 128 * 128;
constexpr std::int64_t kVRotation = kF32 * 64 * 64;
constexpr std::int64_t kCacheBlock = 32;  ///< elements of a q8_0 or q4_0 block
constexpr int kPipelineCopies = 4;

/// The walk through the graph. Names are those of llama.cpp's tensors; sizes are bytes.
class Walk {
 public:
  Walk(const Shape& shape, const Workload& workload, Backend backend, const Weights& weights,
       const WalkedPart& part)
      : shape_(shape),
        weights_(weights),
        part_(part),
        kv_(kv_tensors(shape, workload)),
        reorders_((backend == Backend::vulkan || backend == Backend::sycl) && workload.graph.vulkan_reorders),
        converts_(backend == Backend::cuda || backend == Backend::rocm),
        flash_(workload.flash()),
        by_index_(workload.graph.kv_by_index),
        converts_mask_(flash_ && !workload.graph.f16_mask),
        quantised_k_(workload.kv_k != KvType::f16),
        quantised_v_(workload.kv_v != KvType::f16),
        rotated_k_(!shape.mla && quantised_k_),
        rotated_v_(!shape.mla && quantised_v_),
        rows_(std::min(workload.ubatch.count(), workload.context.count())),
        outputs_(workload.logits_rows == LogitsRows::ubatch
                     ? rows_
                     : std::min<std::int64_t>(workload.parallel, rows_)),
        cells_(kv_cells(workload).per_stream.count()),
        all_cells_(kv_cells(workload).total.count()) {}

  Bytes run() {
    if (part_.host_layers == 0 && part_.count == 0) {
      only_head();
      return bytes(buffer_.peak());
    }
    const std::int64_t activation = kF32 * shape_.hidden * rows_;
    if (part_.first > 0 && part_.host_layers == 0 && !part_.pipelined) {
      // Unless everything is offloaded the first norm is done where the block before lies.
      normed_before_ = input(activation);
      device_inputs();
      current_ = input(activation);
    } else {
      current_ = input(activation);
      if (part_.host_layers == 0) device_inputs();
    }
    if (part_.first + part_.count == shape_.layers && part_.host_layers == 0) need_output_ids();
    inputs_there_ = part_.pipelined;
    blocks(0, part_.host_layers, true);
    blocks(part_.first, part_.first + part_.count, false);
    return bytes(buffer_.peak());
  }

 private:
  // ---- blocks ---------------------------------------------------------------------------------------

  /// Blocks `begin` .. `end` - 1. A block of a kind does the same to the same buffer, so that one whose
  /// effect is known is not walked again; only the last one may end otherwise.
  void blocks(int begin, int end, bool on_host) {
    known_.clear();
    known_.reserve(8);
    std::uint64_t now = state();
    bool is_behind = false;  // `now` is known and the buffer has not been brought there
    for (int i = begin; i < end; ++i) {
      const int kind = kind_of(i, on_host);
      const auto effect = i + 1 == end ? known_.end() : std::ranges::find_if(known_, [&](const Effect& one) {
        return one.before == now && one.kind == kind;
      });
      if (effect != known_.end()) {
        now = effect->after;
        is_behind = true;
        continue;
      }
      if (is_behind) restore(now);
      is_behind = false;
      block(i, on_host);
      const std::uint64_t after = state();
      known_.push_back({now, kind, after, buffer_, current_});
      now = after;
    }
  }

  /// What a block of one kind makes of a buffer.
  struct Effect {
    std::uint64_t before;
    int kind;
    std::uint64_t after;
    BestFit buffer;
    Held current;
  };
  [[nodiscard]] std::uint64_t state() const {
    return buffer_.fingerprint() * 31 + static_cast<std::uint64_t>(current_.offset);
  }
  void restore(std::uint64_t state) {
    const auto effect = std::ranges::find(known_, state, &Effect::after);
    buffer_ = effect->buffer;
    current_ = effect->current;
  }
  /// Blocks alike in all that is taken for them: what lies on the device is the same for all but the experts.
  [[nodiscard]] int kind_of(int index, bool on_host) const {
    const int dense = shape_.moe && index >= shape_.moe->first_dense_layers ? 1 : 0;
    if (on_host || index < part_.n_cpu_moe) return 2 + weights_.layers[static_cast<std::size_t>(index)].kind;
    return dense;
  }

  void block(int index, bool on_host) {
    layer_ = &weights_.layers[static_cast<std::size_t>(index)];
    on_host_ = on_host;
    experts_on_host_ = on_host || index < part_.n_cpu_moe;
    opens_device_ = on_host && index + 1 == part_.host_layers;
    is_last_ = index + 1 == shape_.layers;
    attention();
    // A batch of few rows is computed where its weights lie.
    if (is_last_ && on_host_ && outputs_ < kLeastOffloadedRows) return;
    feed_forward();
    if (is_last_ && part_.head) head();
  }

  // ---- tensors --------------------------------------------------------------------------------------

  /// An f32 activation of `width` for each row of the batch.
  Held column(std::int64_t width) { return buffer_.take(kF32 * width * rows_); }
  void drop(Held& held) { buffer_.give_back(held); }

  /// A weight of the layer at hand passes through where it lies in host memory.
  void pass(Bytes weight) {
    Held copy = copy_of(weight);
    drop(copy);
  }
  Held copy_of(Bytes weight) { return on_host_ ? buffer_.take(weight.count()) : Held{}; }
  Held copy_of(TensorRole role) { return copy_of(layer_->tensor(role)); }
  void pass_f32(std::int64_t elements) { pass(bytes(kF32 * elements)); }

  /// Multiplies `input` by the weight `role`.
  Held product(TensorRole role, std::int64_t width) {
    Held weight = copy_of(role);
    const Held result = column(width);
    drop(weight);
    return result;
  }
  /// The result of an operation that cannot be done in place.
  void renew(Held& held, std::int64_t width) {
    const Held result = column(width);
    drop(held);
    held = result;
  }

  /// A copy of what comes from elsewhere. Of several GPUs each keeps four, for the batches under way, and
  /// never gives them back.
  Held input(std::int64_t size) {
    if (!part_.pipelined) return buffer_.take(size);
    for (int i = 0; i < kPipelineCopies; ++i) static_cast<void>(buffer_.take(size));
    return {};
  }
  /// Inputs are copied once, when the first operation of a run of operations needs them.
  void need(Held& held, std::int64_t size) {
    if (held.size == 0 && !inputs_there_) held = input(size);
  }
  void need_positions() {
    need(positions_, kF32 * rows_);
    // Layers on the device have factors of their own there.
    if (shape_.rope_factors && on_host_) need(rope_factors_, kF32 * shape_.head_dim / 2);
    if (rotated_k_) need(k_rotation_, kKRotation);
  }
  void need_v_rotation() {
    if (rotated_v_) need(v_rotation_, kVRotation);
  }
  /// Turned into f16, if it has to be, where the first block is; the others are given the result.
  void need_mask() { need(mask_, (flash_ && !makes_mask() ? 2 : 4) * cells_ * rows_); }
  [[nodiscard]] bool makes_mask() const {
    return converts_mask_ && (part_.host_layers > 0 || part_.first == 0);
  }
  void convert_mask() {
    if (!makes_mask() || mask_is_f16_) return;
    mask_is_f16_ = true;
    const Held converted = buffer_.take(2 * cells_ * rows_);
    drop(mask_);
    mask_ = converted;
  }
  /// All that a run of layers without host weights needs is copied at its start.
  void device_inputs() {
    if (part_.count == 0) return;
    need(positions_, kF32 * rows_);
    if (rotated_k_) need(k_rotation_, kKRotation);
    need_v_rotation();
    if (by_index_) need(k_indices_, kIndex * rows_);
    if (by_index_ && !shape_.mla) need(v_indices_, flash_ ? kIndex * rows_ : kIndex * rows_ * kv_width());
    need_mask();
  }
  void need_output_ids() { need(output_ids_, kF32 * outputs_); }

  [[nodiscard]] std::int64_t q_width() const {
    return static_cast<std::int64_t>(shape_.heads) * shape_.head_dim;
  }
  [[nodiscard]] std::int64_t kv_width() const {
    return static_cast<std::int64_t>(shape_.kv_heads) * shape_.head_dim;
  }

  /// The cache of a layer as it is copied: head by head (MLA: the latent row), so that CUDA pads a quantised
  /// one by what its last row lacks of 512 elements.
  [[nodiscard]] std::int64_t cache_copy(Bytes cache, std::int64_t width, std::int64_t row,
                                        bool quantised) const {
    constexpr std::int64_t step = 512;
    if (!converts_ || !quantised || row % step == 0) return cache.count();
    return cache.count() + block_bytes(cache, width) * ((step - row % step) / kCacheBlock);
  }
  /// Bytes of 32 elements of a cache of `width` elements a token.
  [[nodiscard]] std::int64_t block_bytes(Bytes cache, std::int64_t width) const {
    return cache.count() / (all_cells_ * width / kCacheBlock);
  }
  [[nodiscard]] std::int64_t k_copy() const {
    if (!shape_.mla) return cache_copy(kv_.k, kv_width(), shape_.head_dim, quantised_k_);
    return cache_copy(kv_.k, latent_width(), latent_width(), quantised_k_);
  }
  [[nodiscard]] std::int64_t v_copy() const {
    if (!shape_.mla) return cache_copy(kv_.v, kv_width(), shape_.head_dim, quantised_v_);
    // Copied apart from K, V is no longer a part of it; its last row ends before the rotated elements.
    return kv_.k.count() - block_bytes(kv_.k, latent_width()) * (shape_.mla->qk_rope_head_dim / kCacheBlock);
  }

  // ---- attention ------------------------------------------------------------------------------------

  void attention() {
    Held normed = normed_before_.size != 0 ? normed_before_ : column(shape_.hidden);
    normed_before_ = {};
    pass_f32(shape_.hidden);
    Held attended = shape_.mla ? latent_attention(normed) : grouped_attention(normed);
    Held weight = copy_of(TensorRole::attn_output);
    if (is_last_ && on_host_) need_output_ids();
    Held projected = column(shape_.hidden);
    drop(weight);
    drop(attended);
    if (is_last_) keep_outputs(projected);
    drop(residual_after(projected));
  }

  /// The sum with what the block began with is written over `projected`.
  Held& residual_after(Held& projected) {
    std::swap(current_, projected);
    return projected;
  }

  /// The same on a device of a backend that puts products before what depends on them.
  Held reordered_attention(Held& normed) {
    const std::int64_t wide = q_width();
    const std::int64_t narrow = kv_width();
    Held q = column(wide);
    Held v = column(narrow);
    Held k = column(narrow);
    drop(normed);
    renew(q, wide);  // RoPE, or the norm before it
    if (rotated_v_) renew(v, narrow);
    if (!rotated_k_) drop(v);
    renew(k, narrow);
    if (rotated_k_) {
      renew(q, wide);
      renew(k, narrow);
    }
    drop_positions();
    drop(k);
    drop(v);
    return grouped_result(q);
  }

  Held grouped_attention(Held& normed) {
    if (reorders_ && !on_host_) return reordered_attention(normed);
    const std::int64_t wide = q_width();
    const std::int64_t narrow = kv_width();
    Held q = product(TensorRole::attn_q, wide);
    if (shape_.attention_bias) {
      Held bias = copy_of(bytes(kF32 * wide));
      need_positions();
      drop(bias);
    } else if (shape_.qk_norm) {
      renew(q, wide);
      Held weight = copy_of(bytes(kF32 * shape_.head_dim));
      need_positions();
      drop(weight);
    }
    // RoPE works in place behind a norm only; before a quantised cache comes the rotation.
    // Where RoPE has factors they are a host weight as well: it begins a run of its own, into which V's
    // weight is copied once the factors are there.
    const bool joined = shape_.rope_factors && rope_factors_.size != 0;
    Held v_weight = joined ? copy_of(TensorRole::attn_v) : Held{};
    need_positions();
    if (!shape_.qk_norm) renew(q, wide);
    const bool product_first = joined && reorders_;
    if (rotated_k_ && !product_first) renew(q, wide);

    if (!joined) v_weight = copy_of(TensorRole::attn_v);
    if (!shape_.attention_bias) need_v_rotation();
    Held v = column(narrow);
    drop(v_weight);
    if (rotated_k_ && product_first) renew(q, wide);
    if (shape_.attention_bias) {
      Held bias = copy_of(bytes(kF32 * narrow));
      need_v_rotation();
      drop(bias);
    }
    if (rotated_v_) renew(v, narrow);

    Held k = product(TensorRole::attn_k, narrow);
    drop(normed);
    if (shape_.attention_bias) pass_f32(narrow);
    if (shape_.qk_norm) {
      renew(k, narrow);
      pass_f32(shape_.head_dim);
    }
    if (!shape_.qk_norm) renew(k, narrow);
    if (rotated_k_) renew(k, narrow);
    drop_positions();
    drop(k);
    drop(v);
    return grouped_result(q);
  }

  Held grouped_result(Held& q) {
    if (is_last_ && reorders_ && !on_host_) keep_current();
    Held out = flash_ ? flash_attention(q, q_width(), 2 * kv_width()) : scores(q, q_width());
    if (flash_ && rotated_v_) renew(out, q_width());
    if (is_last_) drop(v_rotation_);
    return out;
  }

  Held latent_attention(Held& normed) {
    const MlaShape& mla = *shape_.mla;
    Held q = reorders_ && !on_host_ ? reordered_latent_query(normed) : latent_query(normed);
    const std::int64_t wide = static_cast<std::int64_t>(shape_.heads) * mla.kv_lora_rank;
    // Apart from K, V is turned into f16 once more.
    const std::int64_t converted = on_host_ ? latent_width() + mla.kv_lora_rank : latent_width();
    Held out = flash_ ? flash_attention(q, wide, converted) : scores(q, wide);
    const std::int64_t values = static_cast<std::int64_t>(shape_.heads) * mla.v_head_dim;
    Held expanded = product(TensorRole::attn_v_b, values);
    drop(out);
    renew(expanded, values);
    return expanded;
  }

  /// Elements of a token in the MLA cache.
  [[nodiscard]] std::int64_t latent_width() const {
    return shape_.mla->kv_lora_rank + shape_.mla->qk_rope_head_dim;
  }

  Held latent_query(Held& normed) {
    const MlaShape& mla = *shape_.mla;
    const std::int64_t heads = shape_.heads;
    Held low = product(TensorRole::attn_q_a, mla.q_lora_rank);
    pass_f32(mla.q_lora_rank);
    Held q = product(TensorRole::attn_q_b, heads * (mla.qk_nope_head_dim + mla.qk_rope_head_dim));
    drop(low);
    Held k_b = copy_of(TensorRole::attn_k_b);
    need_positions();
    Held absorbed = column(heads * mla.kv_lora_rank);
    drop(k_b);
    Held rope = column(heads * mla.qk_rope_head_dim);
    drop(q);
    q = column(heads * latent_width());
    drop(absorbed);
    drop(rope);

    Held kv = product(TensorRole::attn_kv_a, latent_width());
    drop(normed);
    Held compressed = column(mla.kv_lora_rank);
    pass_f32(mla.kv_lora_rank);
    rope = column(mla.qk_rope_head_dim);
    drop(kv);
    drop_positions();
    Held k = column(latent_width());
    drop(compressed);
    drop(rope);
    drop(k);
    return q;
  }

  Held reordered_latent_query(Held& normed) {
    const MlaShape& mla = *shape_.mla;
    const std::int64_t heads = shape_.heads;
    Held low = column(mla.q_lora_rank);
    Held kv = column(latent_width());
    drop(normed);
    Held compressed = column(mla.kv_lora_rank);
    Held k_rope = column(mla.qk_rope_head_dim);
    drop(kv);
    Held q = column(heads * (mla.qk_nope_head_dim + mla.qk_rope_head_dim));
    drop(low);
    Held k = column(latent_width());
    drop(compressed);
    drop(k_rope);
    Held absorbed = column(heads * mla.kv_lora_rank);
    Held rope = column(heads * mla.qk_rope_head_dim);
    drop(q);
    drop_positions();
    drop(k);
    q = column(heads * latent_width());
    drop(absorbed);
    drop(rope);
    return q;
  }

  /// `converted`: elements of a cell that a quantised cache is turned into f16 of beside the result.
  Held flash_attention(Held& q, std::int64_t wide, std::int64_t converted) {
    Held k = copy_of(bytes(k_copy()));
    Held v = copy_of(bytes(v_copy()));
    need_mask();
    convert_mask();
    const std::int64_t extra = converts_ && (quantised_k_ || quantised_v_) ? 2 * cells_ * converted : 0;
    const Held out = buffer_.take(kF32 * wide * rows_ + extra);
    drop(q);
    drop(k);
    drop(v);
    if (is_last_) drop(mask_);
    return out;
  }

  Held scores(Held& q, std::int64_t wide) {
    Held k = copy_of(bytes(k_copy()));
    need_mask();
    Held v = copy_of(bytes(v_copy()));
    Held kq = buffer_.take(kF32 * shape_.heads * cells_ * rows_);
    drop(k);
    drop(q);
    if (is_last_) drop(mask_);
    Held kqv = column(wide);
    drop(v);
    drop(kq);
    if (!shape_.mla) renew(kqv, wide);
    return kqv;
  }

  // ---- feed forward ---------------------------------------------------------------------------------

  void feed_forward() {
    Held normed = column(shape_.hidden);
    pass_f32(shape_.hidden);
    Held out = layer_->experts == Bytes{} ? dense(normed, shape_.ffn) : experts(normed);
    drop(residual_after(out));
  }

  Held dense(Held& normed, std::int64_t width) {
    Held gate = product(TensorRole::ffn_gate, width);
    Held up = product(TensorRole::ffn_up, width);
    drop(normed);
    Held gated = column(width);
    drop(gate);
    drop(up);
    Held weight = copy_of(TensorRole::ffn_down);
    if (opens_device_) {
      device_inputs();
      if (part_.count > 0 && part_.first + part_.count == shape_.layers) need_output_ids();
    }
    const Held out = column(shape_.hidden);
    drop(weight);
    drop(gated);
    return out;
  }

  /// Router, experts and shared expert where all lie on a device whose operations are put into another order:
  /// the router is fused and keeps what it began with, the shared expert is begun before the experts end.
  Held reordered_experts(Held& normed) {
    const MoeShape& moe = *shape_.moe;
    const std::int64_t used = moe.experts_per_token;
    const std::int64_t shared_width = static_cast<std::int64_t>(moe.expert_ffn) * moe.shared_experts;
    Held logits = column(moe.routed_experts);
    Held order = column(moe.routed_experts);
    Held shares = route(order);
    drop(logits);
    Held gate = column(used * moe.expert_ffn);
    Held up = column(used * moe.expert_ffn);
    Held gated = column(used * moe.expert_ffn);
    drop(gate);
    drop(up);
    Held shared_gate = column(shared_width);
    Held shared_up = column(shared_width);
    drop(normed);
    Held down = column(used * shape_.hidden);
    drop(gated);
    drop(order);
    drop(shares);
    Held shared = column(shared_width);
    drop(shared_gate);
    drop(shared_up);
    const Held sum = column(shape_.hidden);
    drop(down);
    renew(shared, shape_.hidden);
    drop(shared);
    return sum;
  }

  /// From the probabilities of all experts, held in `held`, to the order of them, which takes their place
  /// there, and the shares of the chosen.
  Held route(Held& held) {
    const MoeShape& moe = *shape_.moe;
    Held bias = copy_of(bytes(kF32 * moe.routed_experts));
    Held biased = column(moe.routed_experts);
    drop(bias);
    const Held order = column(moe.routed_experts);
    drop(biased);
    Held chosen = column(moe.experts_per_token);
    drop(held);
    held = order;
    Held sum = column(1);
    Held shares = column(moe.experts_per_token);
    drop(chosen);
    drop(sum);
    renew(shares, moe.experts_per_token);
    return shares;
  }

  Held experts(Held& normed) {
    if (reorders_ && !on_host_ && !experts_on_host_) return reordered_experts(normed);
    const MoeShape& moe = *shape_.moe;
    const std::int64_t used = moe.experts_per_token;
    Held router = copy_of(bytes(kF32 * shape_.hidden * moe.routed_experts));
    Held order = column(moe.routed_experts);
    drop(router);
    Held shares = route(order);

    Held gate = expert_product(0, used * moe.expert_ffn);
    Held up = expert_product(1, used * moe.expert_ffn);
    Held gated = column(used * moe.expert_ffn);
    drop(gate);
    drop(up);
    Held down = expert_product(2, used * shape_.hidden);
    drop(gated);
    drop(order);
    drop(shares);
    Held sum_of_experts = column(shape_.hidden);
    drop(down);
    Held shared = dense(normed, static_cast<std::int64_t>(moe.expert_ffn) * moe.shared_experts);
    drop(shared);
    return sum_of_experts;
  }

  Held expert_product(std::size_t which, std::int64_t width) {
    Held weight = experts_on_host_ ? buffer_.take(layer_->expert_tensors.at(which).count()) : Held{};
    const Held result = column(width);
    drop(weight);
    return result;
  }

  // ---- the end --------------------------------------------------------------------------------------

  /// From here on only the rows are kept that logits are asked of.
  void keep_outputs(Held& projected) {
    rows_ = outputs_;
    if (reorders_ && on_host_) keep_current();
    renew(projected, shape_.hidden);
    if (!reorders_) keep_current();
    drop(output_ids_);
  }
  void keep_current() {
    const Held kept = buffer_.take(kF32 * shape_.hidden * outputs_);
    drop(current_);
    current_ = kept;
  }

  /// Given back by the last operation that needs them.
  void drop_positions() {
    if (opens_device_) drop(rope_factors_);
    if (!is_last_) return;
    drop(positions_);
    drop(rope_factors_);
    drop(k_rotation_);
    drop(k_indices_);
    drop(v_indices_);
  }

  /// The output layer alone on a device.
  void only_head() {
    if (!part_.head) return;
    rows_ = outputs_;
    current_ = input(kF32 * shape_.hidden * rows_);
    // Here the norm has another reader: what was copied stays.
    if (!part_.pipelined) renew(current_, shape_.hidden);
    head();
  }

  void head() {
    // Nothing else reads the last block's result, so that the norm is written over it.
    on_host_ = part_.output_on_host;
    pass_f32(shape_.hidden);
    Held weight = copy_of(weights_.output_tensor);
    Held logits = buffer_.take(kF32 * shape_.vocab * rows_);
    drop(weight);
    drop(current_);
    drop(logits);
  }

  const Shape& shape_;
  const Weights& weights_;
  const WalkedPart& part_;
  const KvTensors kv_;
  const bool reorders_;  ///< operations on the device are put into another order
  const bool
      converts_;  ///< a quantised cache is turned into f16 in the buffer, and quantised rows are padded
  const bool flash_;
  const bool by_index_;       ///< rows of the cache are written by index
  const bool converts_mask_;  ///< the mask comes in f32 and is made f16 on the device of the first block
  const bool quantised_k_;
  const bool quantised_v_;
  const bool rotated_k_;  ///< K is rotated before it is quantised, and Q with it
  const bool rotated_v_;
  std::int64_t rows_;
  const std::int64_t outputs_;
  const std::int64_t cells_;  ///< of one attention row
  const std::int64_t all_cells_;

  BestFit buffer_;
  std::vector<Effect> known_;
  const LayerWeights* layer_ = nullptr;
  bool on_host_ = false;
  bool experts_on_host_ = false;
  bool is_last_ = false;
  bool mask_is_f16_ = false;
  bool inputs_there_ = false;  ///< nothing that is needed has to be copied any more
  bool opens_device_ = false;  ///< the last host weight of this layer begins a run that ends on the device
  Held normed_before_;         ///< the first norm, done elsewhere
  Held current_;               ///< what flows from block to block
  Held positions_, rope_factors_, k_rotation_, v_rotation_, k_indices_, v_indices_, mask_, output_ids_;
};

}  // namespace

Bytes walked_compute(const Shape& shape, const Workload& workload, Backend backend, const Weights& weights,
                     const WalkedPart& part) {
  return Walk(shape, workload, backend, weights, part).run();
}

}  // namespace r1fit
