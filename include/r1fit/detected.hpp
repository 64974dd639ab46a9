// This machine as detection sees it, as plain values.
//
// A fact that cannot be read is unset; none is assumed. Every fact says where it was read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "r1fit/catalog.hpp"
#include "r1fit/dmi.hpp"

namespace r1fit {

/// A fact and where it was read: "/proc/meminfo", "NVML".
template <class T>
struct Read {
  T value;
  std::string from;
};

/// What kind of machine Linux runs on.
enum class Hosting : std::uint8_t { bare, virtual_machine, wsl };

struct DetectedSystem {
  std::optional<Read<std::string>> os;      ///< "Debian GNU/Linux 12 (bookworm)"
  std::optional<Read<std::string>> kernel;  ///< "6.1.0-18-amd64"
  std::optional<Read<std::string>> board;   ///< of a single-board computer: "Raspberry Pi 5 Model B Rev 1.0"
  Hosting hosting = Hosting::bare;
  std::string hosting_from;
  std::optional<Read<bool>> container;
};

struct DetectedCpu {
  std::optional<Read<std::string>> name;
  std::optional<Read<int>> sockets;
  std::optional<Read<int>> numa_nodes;
  std::optional<Read<int>> cores;
  std::optional<Read<int>> threads;
  std::optional<Read<int>> limit;  ///< processors this process may use, where they are fewer than the threads
  std::optional<Read<std::vector<std::string>>> features;  ///< instruction sets that engines use: "avx2"
  const Host* platform = nullptr;                          ///< of the catalogue, where only one is possible
  std::string platform_from;                               ///< why that one; where there is none, why not
};

struct DetectedRam {
  std::optional<Read<Bytes>> total;      ///< what the kernel manages
  std::optional<Read<Bytes>> available;  ///< without swapping, at this moment
  std::optional<Read<Bytes>> limit;      ///< of the container, where below the total
  std::optional<Read<MemoryLayout>> modules;
  std::string modules_problem;  ///< why the modules are not known

  /// What programs of this machine or container can have.
  [[nodiscard]] std::optional<Bytes> usable() const {
    if (limit) return limit->value;
    return total ? std::optional(total->value) : std::nullopt;
  }
};

struct DetectedGpu {
  std::string name;                   ///< as the driver calls it, else as the databases do
  std::string pci_address;            ///< "0000:01:00.0"; empty: none
  std::string pci_id;                 ///< "10de:2684"; empty: none
  std::string driver;                 ///< "NVIDIA 550.54.14", "amdgpu"; empty: none
  std::string from;                   ///< where it was found
  std::optional<Read<Bytes>> memory;  ///< its own, or of the whole machine where it is unified
  std::optional<Read<Bytes>> in_use;  ///< of its own memory, by other programs, at this moment
  std::optional<Read<Bytes>> limit;   ///< unified: the most that the GPU may take
  bool integrated = false;
  bool instance = false;                    ///< a part of a partitioned card
  const Gpu* gpu = nullptr;                 ///< the record of the catalogue
  std::string matched_by;                   ///< "PCI id 10de:2684", "its name"
  std::vector<const Gpu*> candidates;       ///< what it may be where it could not be decided
  std::optional<BytesPerSecond> bandwidth;  ///< of a part of a card; otherwise that of `gpu`
  bool used = false;                        ///< counts for the answers
  std::string why_not;                      ///< why it does not
};

struct DetectedDisk {
  std::string folder;
  std::optional<Read<Bytes>> free;
  std::string problem;  ///< why that is not known
};

struct Detected {
  DetectedSystem system;
  DetectedCpu cpu;
  DetectedRam ram;
  std::vector<DetectedGpu> gpus;
  DetectedDisk disk;
  std::optional<Read<Bytes>> wired_limit;  ///< Apple: where the user has set one
  std::string nvml_problem;                ///< why NVIDIA's library did not answer, where that matters
  std::vector<std::string> remarks;        ///< what the reader should know beside the facts
};

}  // namespace r1fit
