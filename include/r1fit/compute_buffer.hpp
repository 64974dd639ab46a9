// Compute buffers as closed forms, measured against the library's own dry run (docs/model.md): the CPU,
// Metal, and 671B files of before the MLA cache. What CUDA, ROCm, Vulkan and SYCL take is walked
// (graph_walk.hpp).
#pragma once

#include "r1fit/catalog.hpp"
#include "r1fit/workload.hpp"

namespace r1fit {

/// What of the graph one device computes.
struct GraphPart {
  bool logits = true;            ///< the output layer is on this device
  bool pipelined = false;        ///< one of several GPUs with everything offloaded: four copies of the inputs
  bool streams_weights = false;  ///< layers in host memory are computed here for large batches
  Bytes streamed_tensor;         ///< largest FFN or expert tensor that lies in host memory
  Bytes output_tensor;           ///< output.weight, where it lies in host memory
  bool experts_streamed = false;  ///< `streamed_tensor` holds routed experts
};

/// Compute buffer of one device, bytes.
Bytes device_compute(const Shape& shape, const Workload& workload, Backend backend, const GraphPart& part);

/// What an engine that plans_scores sets aside in its plan for the graph of each device; 0 for the others.
/// Llama, Qwen2 and DeepSeek models; how it plans others is not known.
Bytes planned_graph(const Shape& shape, const Workload& workload);

/// Compute buffer in host memory beside GPUs; `pipelined` with several of them.
Bytes host_compute(const Shape& shape, const Workload& workload, bool pipelined);

/// The same where Vulkan leaves a part of MLA attention to the CPU, which it does once several slots have
/// caches of their own; 0 elsewhere. `attn_v_b`: the tensor of one layer.
Bytes host_attention(const Shape& shape, const Workload& workload, Backend backend, Bytes attn_v_b);

/// Logits kept in host memory: 4 * vocab * slots.
Bytes output_buffer(const Shape& shape, const Workload& workload);

/// What CUDA's pool takes while experts that lie in host memory are computed for a batch; no log shows it.
Bytes expert_pool(const Shape& shape, const Workload& workload, Backend backend);

/// What the pool of CUDA or ROCm takes with flash attention off as the context fills; no log shows it.
Bytes flash_off_pool(const Shape& shape, const Workload& workload, Backend backend);

}  // namespace r1fit
