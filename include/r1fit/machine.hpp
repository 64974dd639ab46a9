// The hardware a question is about: devices, host memory, disk, with what is known and what is not.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "r1fit/catalog.hpp"
#include "r1fit/own_runs.hpp"

namespace r1fit {

/// One GPU (or the GPU of a system on a chip).
struct Device {
  std::string name;          ///< catalogue id, or what the driver of this machine says; empty: nameless
  const Gpu* gpu = nullptr;  ///< null: a nameless card
  Bytes capacity;            ///< total memory; of the whole machine where it is unified
  Bytes budget;              ///< what an engine may use of it
  Bytes stretched;           ///< the same after the change `stretch` names; equal to budget without one
  std::string stretch;       ///< "sudo sysctl iogpu.wired_limit_mb=..."; empty: nothing can be raised
  const WorkingSetRegime* working_set = nullptr;  ///< Apple: the macOS whose limit the budget is
  std::optional<Bytes> wired;                     ///< Apple: the limit that the user stated
  Bytes reserved;        ///< for a desktop or for what else the user named; not in the budget
  Bytes margin;          ///< left free before "fits" is said
  Bytes engine_reserve;  ///< of it, what the engine itself keeps free
  Bytes runtime;         ///< driver and libraries, taken beside the engine's buffers
  Backend backend = Backend::cuda;
  bool unified = false;
  std::optional<BytesPerSecond> bandwidth;
  const SpeedClass* speed = nullptr;         ///< null: unknown card
  const MeasuredDevice* measured = nullptr;  ///< what its own measurements say beyond the class
  List<CardSplit> splits;             ///< what it costs to share every layer with other cards, by the way to
  std::vector<OwnRun> own;            ///< what the user measured on it
  std::vector<const Gpu*> stand_ins;  ///< of a nameless card: the catalogue's cards of its size, slow to fast
};

struct HostMemory {
  std::optional<Bytes> ram;  ///< unset: not known
  Bytes budget;              ///< what is left of `ram` for an engine
  const Host* platform = nullptr;
  std::optional<BytesPerSecond> bandwidth;
  std::optional<int> cores;  ///< of all sockets, where they were counted
  const SpeedClass* speed = nullptr;
  const MeasuredDevice* measured = nullptr;
  std::vector<OwnRun> own;             ///< what the user measured on its CPU
  std::vector<const Host*> stand_ins;  ///< of an unnamed platform, slow to fast
};

struct Machine {
  std::vector<Device> devices;
  HostMemory host;
  std::optional<BytesPerSecond> disk;
  std::optional<BytesPerSecond> downlink;  ///< of the network, for the download
  std::string desktop;                     ///< id of the desktop reserve in force; empty: none was named
  bool detected = false;                   ///< this very machine, as far as flags do not say otherwise
};

/// What the driver of this very machine says of a device.
struct Reported {
  Bytes total;                 ///< its memory; of the whole machine where it is unified
  std::optional<Bytes> limit;  ///< unified: the most that the GPU may take of it
  std::string name;
};

/// What else uses a card, as the user said it.
struct Reserve {
  bool stated = false;                      ///< the user said something of it, if only that there is nothing
  std::optional<Bytes> fixed;               ///< --reserve
  const DesktopReserve* desktop = nullptr;  ///< --desktop; on the first card only
};

/// Apple's limit on what the GPU may use: unset (both regimes are considered), bytes or a share.
struct WiredLimit {
  std::optional<Bytes> size;
};

/// Left free on a discrete card before "fits" is said: what llama.cpp itself leaves (--fit-target, 1,024 MiB
/// a device), since nothing is known of what else uses the card.
inline constexpr Bytes kDeviceMargin = gib(1.0);
/// The same where the user said what else uses it. With the pool of compute_buffer.hpp and 0.75 GiB a card,
/// 0.15 of it the smallest runtime, none of nine edge pairs on real cards was called a fit that failed.
inline constexpr Bytes kStatedMargin = gib(0.6);

/// The command that lets the GPU of a Mac use so much until the next start.
std::string wired_limit_command(Bytes limit);

/// A catalogue card with `memory` bytes. Throws Error where a wired limit exceeds the memory.
Device make_device(const Catalog& catalog, const Gpu& gpu, Bytes memory, std::optional<Backend> backend,
                   const Reserve& reserve, const WiredLimit& wired);

/// A card of which only the size is known, and perhaps its bandwidth.
Device make_nameless_device(const Catalog& catalog, Bytes memory, std::optional<BytesPerSecond> bandwidth,
                            std::optional<Backend> backend, const Reserve& reserve);

/// Lets what the driver says stand in place of what cards of that name have.
void apply_reported(const Reported& reported, Device& device);

/// Puts the devices in one order, largest first, so that an answer does not depend on the order in
/// which they were named.
void order_devices(Machine& machine);

/// What the engines can count on of all cards together.
Bytes gpu_memory(const Machine& machine);

/// What it costs the devices to share every layer so; null by layer, and where nothing is known of it.
const CardSplit* split_cost(const Machine& machine, SplitMode split);

/// Host memory. `ram`, platform and bandwidth may each be unknown; nothing is assumed for them.
HostMemory make_host(const Catalog& catalog, std::optional<Bytes> ram, const Host* platform,
                     std::optional<BytesPerSecond> bandwidth);

}  // namespace r1fit
