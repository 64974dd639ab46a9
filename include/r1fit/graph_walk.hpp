// The compute buffer of one GPU whose graph runs in the order in which it was built: CUDA and ROCm.
//
// llama.cpp lays its buffer out before anything runs: a best-fit allocator is led through the operations,
// takes room for each result and gives it back after its last use. What a layer needs follows a formula; what
// is left between layers does not: a gap holds the next tensor or misses it by a row. Where weights lie in
// host memory and pass through the GPU, each copied for its operation and given up after it, gaps are most of
// the buffer. So the walk is done: every tensor is taken and given back as the engine does it. Sizes come out
// to the byte.
#pragma once

#include "r1fit/weights.hpp"
#include "r1fit/workload.hpp"

namespace r1fit {

/// What of a model one GPU computes.
struct WalkedPart {
  int host_layers = 0;          ///< blocks 0 .. n-1 lie in host memory and pass through this GPU
  int first = 0;                ///< the first block it holds
  int count = 0;                ///< how many
  int n_cpu_moe = 0;            ///< experts of blocks below this number lie in host memory
  bool head = false;            ///< the output layer is computed here
  bool output_on_host = false;  ///< its weight lies in host memory
  bool pipelined = false;       ///< one of several GPUs with everything offloaded: four copies of every input
};

/// Batches of fewer rows are computed where their weights lie.
inline constexpr std::int64_t kLeastOffloadedRows = 32;

/// Compute buffer in bytes. Not for 671B files made before the MLA cache.
Bytes walked_compute(const Shape& shape, const Workload& workload, Backend backend, const Weights& weights,
                     const WalkedPart& part);

}  // namespace r1fit
