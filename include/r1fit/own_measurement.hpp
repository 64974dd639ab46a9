// A decode speed that the user measured, and what it says of the hardware it was measured on.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "r1fit/machine.hpp"
#include "r1fit/workload.hpp"

namespace r1fit {

/// One request at a time, all of the model on the cards or all of it on the CPU.
struct OwnMeasurement {
  std::vector<const Gpu*> gpus;  ///< one a card; empty: on the CPU
  const Host* host = nullptr;    ///< where there are no cards
  Backend backend = Backend::cpu;
  const Model* model = nullptr;  ///< of the tensor shapes that ran
  const Quant* quant = nullptr;
  KvType kv_k = KvType::f16;
  KvType kv_v = KvType::f16;
  FlashAttention flash_attention = FlashAttention::automatic;
  Tokens depth;  ///< mean length of the context while decoding
  TokensPerSecond decode;
  std::string date;  ///< "2026-11-22"
};

/// What the model of this program makes of the same run, knowing nothing of it.
struct Expected {
  TokensPerSecond decode;  ///< typically, published runs of the hardware counted
  TokensPerSecond limit;   ///< what the bandwidth allows at most
  BytesPerToken read;
  std::optional<BytesPerSecond> bandwidth;  ///< of every memory at work; unset: they differ
};
/// Throws Error where the model cannot be laid out so. Of a CPU `known` may say more than its platform does:
/// how many cores there are, how fast its memory is.
Expected expected_of(const Catalog& catalog, const OwnMeasurement& measurement,
                     const HostMemory* known = nullptr);

/// Why no such run can be, or why it is of no use: faster than the bandwidth allows, or an order of magnitude
/// off, with the arithmetic. Empty where it is believed.
std::string disbelief(const OwnMeasurement& measurement, const Expected& expected);

/// Lets the measurements, oldest first, that were made on the hardware of `machine` count: of a card those
/// with cards of its kind alone, or with the very mix of cards, under the same backend; of a CPU those of its
/// platform.
void add_own(const Catalog& catalog, const std::vector<OwnMeasurement>& measurements, Machine& machine);

}  // namespace r1fit
