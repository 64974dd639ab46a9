// Which part of a model lies in which memory of a machine, or by how much it does not fit.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "r1fit/memory.hpp"

namespace r1fit {

enum class Verdict : std::uint8_t { fits, tight, offload, streams, does_not_fit };
std::string_view word(Verdict verdict);

/// Why "tight", or what would make a thing fit that does not.
enum class Strain : std::uint8_t {
  none,
  inside_margin,    ///< less than the margin is left
  raised_limit,     ///< only with Apple's wired limit raised
  tensors_by_hand,  ///< layer split leaves a card short; placing expert tensors one by one (-ot) does not
};

struct Placement {
  PlacementMode mode = PlacementMode::gpu;
  Verdict verdict = Verdict::does_not_fit;
  Strain strain = Strain::none;
  int n_gpu_layers = 0;  ///< output layer first
  int n_cpu_moe = 0;
  std::vector<int> layer_device;       ///< device of each block; -1: host
  int output_device = -1;              ///< -1: host
  SplitMode split = SplitMode::layer;  ///< row and tensor: devices share every block
  std::vector<int> parts;              ///< row and tensor: the proportions in which they do
  std::vector<int> tensor_split;   ///< blocks (and output) per device where it differs from llama.cpp's own;
                                   ///< split by tensor: proportions
  std::vector<DeviceUse> devices;  ///< one a device; empty where the cards are left unused
  HostUse host;
  Bytes planned;  ///< what the engine's plan sets aside a device, where that and nothing else is too much
  int engine_layers = 0;  ///< what the engine puts on the devices by itself, where its plan leaves out a pool
                          ///< that has no room then; 0: no more than n_gpu_layers
  Bytes disk_streamed;    ///< weights that RAM cannot hold and that are read from disk as needed
  Bytes shortfall;        ///< missing on the fullest device, or in host memory; 0 where it fits
  bool host_unknown = false;  ///< it would need host memory that the question does not state
};

/// The placement llama.cpp would choose, or the better one that flags can ask for; with a request, exactly
/// the one asked for, even when it does not fit.
Placement place(const Candidate& candidate, const Workload& workload, const Machine& machine,
                const PlacementRequest& request = {});

/// The largest context, a multiple of 256 up to the model's own, at which `placement` keeps its verdict
/// with the same layers in the same places; nothing where the verdict is does_not_fit.
std::optional<Tokens> max_context(const Candidate& candidate, const Workload& workload,
                                  const Machine& machine, const Placement& placement);

}  // namespace r1fit
