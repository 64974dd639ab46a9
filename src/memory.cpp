#include "r1fit/memory.hpp"

#include <algorithm>

#include "r1fit/card_split.hpp"
#include "r1fit/compute_buffer.hpp"
#include "r1fit/graph_walk.hpp"
#include "r1fit/kv_cache.hpp"

namespace r1fit {
namespace {

bool experts_on_host(const Layout& layout, std::size_t layer) {
  return static_cast<int>(layer) < layout.n_cpu_moe || layout.layer_device[layer] < 0;
}

/// The parts of the graph beside one device, before it is known which device.
GraphPart streamed_parts(const Weights& weights, const Layout& layout) {
  GraphPart part;
  Bytes ffn;
  Bytes experts;
  for (std::size_t i = 0; i < weights.layers.size(); ++i) {
    const LayerWeights& layer = weights.layers[i];
    if (layout.layer_device[i] < 0) {
      part.streams_weights = true;
      ffn = std::max(ffn, layer.largest_ffn_tensor);
    }
    if (experts_on_host(layout, i) && layer.largest_expert_tensor != Bytes{}) {
      part.streams_weights = true;
      experts = std::max(experts, layer.largest_expert_tensor);
    }
  }
  part.experts_streamed = experts > ffn;
  part.streamed_tensor = std::max(ffn, experts);
  if (layout.output_device < 0) part.output_tensor = weights.output_tensor;
  return part;
}

/// What of the graph is walked for one device.
WalkedPart walked_part(const Layout& layout, const Workload& workload, int device, bool pipelined) {
  WalkedPart part;
  const std::vector<int>& where = layout.layer_device;
  // Host layers pass through the first device only, and only in batches worth it.
  const bool streams =
      device == 0 && std::min(workload.ubatch, workload.context).count() >= kLeastOffloadedRows;
  if (streams) part.host_layers = static_cast<int>(std::ranges::count(where, -1));
  part.first = static_cast<int>(std::ranges::find(where, device) - where.begin());
  part.count = static_cast<int>(std::ranges::count(where, device));
  part.n_cpu_moe = streams ? layout.n_cpu_moe : 0;
  part.output_on_host = layout.output_device < 0;
  part.head = layout.output_device == device || (part.output_on_host && part.host_layers > 0);
  part.pipelined = pipelined;
  return part;
}

/// Whether the order of its operations is known one by one.
bool is_walked(const Shape& shape, const Workload& workload, Backend backend) {
  return backend != Backend::metal && !(shape.mla && workload.legacy_gguf);
}

bool pads_rows(Backend backend) { return backend == Backend::cuda || backend == Backend::rocm; }

/// What a way to share every layer takes of each card beside what is computed here.
Bytes allowance(const Machine& machine, SplitMode split) {
  const CardSplit* cost = split_cost(machine, split);
  return cost != nullptr ? cost->memory : Bytes{};
}

/// Split by tensor: every device has its part of each matrix and cache.
MemoryUse tensor_parts(const Candidate& candidate, const Workload& workload, const Machine& machine,
                       const Layout& layout) {
  const Shape& shape = *candidate.model->shape;
  const CardShares shares = tensor_shares(shape, workload, *candidate.weights, layout.parts);
  MemoryUse use;
  use.devices.resize(machine.devices.size());
  for (std::size_t i = 0; i < use.devices.size(); ++i) {
    use.devices[i].weights = shares.cards[i].weights;
    use.devices[i].kv_cache = shares.cards[i].kv_cache;
    use.devices[i].runtime = machine.devices[i].runtime + allowance(machine, layout.split);
  }
  use.host.weights = candidate.weights->token_embd;
  use.host.output = output_buffer(shape, workload);
  return use;
}

/// And its buffers: llama.cpp lays the compute buffer out as for one device and takes all of it on each, with
/// room for the result of one exchange.
void add_tensor_buffers(const Candidate& candidate, const Workload& workload, const Machine& machine,
                        MemoryUse& use) {
  const Shape& shape = *candidate.model->shape;
  WalkedPart whole;
  whole.count = shape.layers;
  whole.head = true;
  const Bytes exchanged = bytes(4 * std::min(workload.ubatch, workload.context).count() * shape.hidden);
  for (std::size_t i = 0; i < use.devices.size(); ++i) {
    use.devices[i].compute =
        walked_compute(shape, workload, machine.devices[i].backend, *candidate.weights, whole) + exchanged;
  }
  use.host.compute = host_compute(shape, workload, false);
}

/// Split by row: takes the matrices from the devices of their layers and deals their rows out.
void deal_rows(const Candidate& candidate, const Machine& machine, const Layout& layout, MemoryUse& use) {
  const Weights& weights = *candidate.weights;
  const auto at = [&use](int device) -> DeviceUse& { return use.devices[static_cast<std::size_t>(device)]; };
  for (std::size_t i = 0; i < weights.layers.size(); ++i)
    at(layout.layer_device[i]).weights -= matrices(weights.layers[i]);
  at(layout.output_device).weights -= weights.output_tensor;
  const std::vector<Bytes> shares = row_shares(*candidate.model->shape, weights, layout.parts);
  for (std::size_t i = 0; i < shares.size(); ++i) {
    use.devices[i].weights += shares[i];
    use.devices[i].runtime += allowance(machine, layout.split);
  }
}

}  // namespace

bool uses_host(const Shape& shape, const Layout& layout) {
  if (layout.output_device < 0) return true;
  if (shape.moe && layout.n_cpu_moe > shape.moe->first_dense_layers) return true;
  return std::ranges::any_of(layout.layer_device, [](int device) { return device < 0; });
}

MemoryUse before_buffers(const Candidate& candidate, const Workload& workload, const Machine& machine,
                         const Layout& layout) {
  if (layout.split == SplitMode::tensor) return tensor_parts(candidate, workload, machine, layout);
  const Shape& shape = *candidate.model->shape;
  const Weights& weights = *candidate.weights;
  const Bytes kv = kv_layer(shape, workload);
  const Bytes kv_padding = kv_row_padding(shape, workload);

  MemoryUse use;
  use.devices.resize(machine.devices.size());
  use.host.weights = weights.token_embd;
  if (machine.devices.empty()) use.host.weights += weights.rope;
  for (std::size_t i = 0; i < weights.layers.size(); ++i) {
    const LayerWeights& layer = weights.layers[i];
    const int where = layout.layer_device[i];
    if (where < 0) {
      use.host.weights += layer.total();
      use.host.kv_cache += kv;
      continue;
    }
    DeviceUse& device = use.devices[static_cast<std::size_t>(where)];
    const bool pads = pads_rows(machine.devices[static_cast<std::size_t>(where)].backend);
    device.weights += layer.attention + layer.ffn;
    if (pads) device.weights += layer.row_padding;
    if (experts_on_host(layout, i)) {
      use.host.weights += layer.experts;
    } else {
      device.weights += layer.experts;
    }
    device.kv_cache += kv;
    if (pads) device.kv_cache += kv_padding;
  }
  if (layout.output_device < 0) {
    use.host.weights += weights.output;
  } else {
    use.devices[static_cast<std::size_t>(layout.output_device)].weights += weights.output;
  }
  for (std::size_t i = 0; i < use.devices.size(); ++i) use.devices[i].runtime = machine.devices[i].runtime;
  if (layout.split == SplitMode::row) deal_rows(candidate, machine, layout, use);
  use.host.output = output_buffer(shape, workload);
  return use;
}

void add_buffers(const Candidate& candidate, const Workload& workload, const Machine& machine,
                 const Layout& layout, MemoryUse& use) {
  const Shape& shape = *candidate.model->shape;
  const Weights& weights = *candidate.weights;
  if (machine.devices.empty()) {
    use.host.compute = device_compute(shape, workload, Backend::cpu, GraphPart{});
    use.host.repacked = weights.repacked;
    return;
  }
  if (layout.split == SplitMode::tensor) {
    add_tensor_buffers(candidate, workload, machine, use);
    return;
  }
  const bool whole = !uses_host(shape, layout);
  const bool pipelined = machine.devices.size() > 1 && whole && layout.split == SplitMode::layer;
  use.host.compute = host_compute(shape, workload, pipelined);
  GraphPart part = whole ? GraphPart{} : streamed_parts(weights, layout);
  part.pipelined = pipelined;
  for (std::size_t i = 0; i < use.devices.size(); ++i) {
    const Backend backend = machine.devices[i].backend;
    GraphPart own = i == 0 || !part.streams_weights ? part : GraphPart{};
    own.logits = layout.output_device == static_cast<int>(i) || (layout.output_device < 0 && i == 0);
    const bool holds_weights = use.devices[i].weights != Bytes{};
    if (holds_weights || own.streams_weights) {
      const bool walked = is_walked(shape, workload, backend);
      use.devices[i].compute =
          walked ? walked_compute(shape, workload, backend, weights,
                                  walked_part(layout, workload, static_cast<int>(i), pipelined))
                 : device_compute(shape, workload, backend, own);
      use.devices[i].pool = flash_off_pool(shape, workload, backend);
      if (own.experts_streamed) use.devices[i].pool += expert_pool(shape, workload, backend);
    }
    if (!holds_weights) continue;
    // The last layer stands for all.
    const Bytes v_b = weights.layers.back().tensor(TensorRole::attn_v_b);
    use.host.compute = std::max(use.host.compute, host_attention(shape, workload, backend, v_b));
  }
}

MemoryUse memory_of(const Candidate& candidate, const Workload& workload, const Machine& machine,
                    const Layout& layout) {
  MemoryUse use = before_buffers(candidate, workload, machine, layout);
  add_buffers(candidate, workload, machine, layout, use);
  return use;
}

}  // namespace r1fit
