// Machines that the catalogue's hardware can make: what a search for the least, the cheapest or the fastest
// hardware walks over.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "r1fit/machine.hpp"

namespace r1fit {

/// RAM that a machine may have, ascending.
inline constexpr std::array kRamSizes{gib(16),  gib(32),  gib(64),  gib(96),  gib(128),  gib(192),
                                      gib(256), gib(384), gib(512), gib(768), gib(1024), gib(2048)};

/// Equal cards that one machine may have, ascending.
inline constexpr std::array kCardCounts{1, 2, 3, 4, 6, 8};

/// A device of the catalogue with one of the memory sizes it was sold with.
struct SoldDevice {
  const Gpu* gpu = nullptr;
  Bytes memory;
};

/// Every device with every size, in the catalogue's order.
std::vector<SoldDevice> sold_devices(const Catalog& catalog);

/// What comes alone: a laptop's GPU, a system on a chip.
bool comes_alone(const Gpu& gpu);

/// Whether cards of this maker run under `backend`: CUDA, ROCm and Metal are one maker's own.
bool runs_on(Backend backend, Vendor vendor);

/// `count` equal devices and nothing said of the machine around them.
Machine machine_of(const Catalog& catalog, const SoldDevice& device, int count,
                   std::optional<Backend> backend = {}, const Engine* engine = nullptr,
                   const WiredLimit& wired = {});

/// What `engine` keeps free on each GPU, added to its margin.
void keep_free(Machine& machine, const Engine* engine);

}  // namespace r1fit
