// What a given layout takes of each memory: the sum the placement solver weighs.
#pragma once

#include <vector>

#include "r1fit/machine.hpp"
#include "r1fit/weights.hpp"
#include "r1fit/workload.hpp"

namespace r1fit {

/// Where every block, its experts and the output layer lie.
struct Layout {
  std::vector<int> layer_device;       ///< device of each block; -1: host
  int output_device = -1;              ///< -1: host
  int n_cpu_moe = 0;                   ///< experts of blocks below this number lie in host memory
  SplitMode split = SplitMode::layer;  ///< tensor: all blocks are said to lie on the first device
  std::vector<int> parts;              ///< row and tensor: the proportions in which devices share a matrix
};

/// One model in one quantisation with its weights.
struct Candidate {
  const Model* model = nullptr;
  const Quant* quant = nullptr;
  const Weights* weights = nullptr;
  bool at_hand = false;  ///< the weights are those of a file at hand: no other quantisation of it is meant
};

/// What a layout takes of one device, bytes.
struct DeviceUse {
  Bytes weights;
  Bytes kv_cache;
  Bytes compute;
  Bytes pool;     ///< of CUDA and ROCm: see flash_off_pool and expert_pool
  Bytes runtime;  ///< driver and libraries
  [[nodiscard]] Bytes total() const { return weights + kv_cache + compute + pool + runtime; }
};

/// What it takes of host memory, bytes.
struct HostUse {
  Bytes weights;
  Bytes kv_cache;
  Bytes compute;
  Bytes output;
  Bytes repacked;  ///< CPU only: tensors copied into another layout; their mapped original can be evicted
  [[nodiscard]] Bytes total() const { return weights + kv_cache + compute + output; }
};

struct MemoryUse {
  std::vector<DeviceUse> devices;
  HostUse host;
};

/// Bytes taken of each device and of host memory. Pure arithmetic; nothing is checked against budgets.
MemoryUse memory_of(const Candidate& candidate, const Workload& workload, const Machine& machine,
                    const Layout& layout);

/// The same in two steps, because the first takes a fraction of the time and may be enough to rule a layout
/// out: weights, cache, runtime and logits, then compute buffers and pools added to these.
MemoryUse before_buffers(const Candidate& candidate, const Workload& workload, const Machine& machine,
                         const Layout& layout);
void add_buffers(const Candidate& candidate, const Workload& workload, const Machine& machine,
                 const Layout& layout, MemoryUse& use);

/// Whether any block, expert or the output layer lies in host memory.
bool uses_host(const Shape& shape, const Layout& layout);

}  // namespace r1fit
