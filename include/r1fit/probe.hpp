// What detection may ask of a machine. Behind an interface, so that a test hands in a whole machine as a
// folder of files.
//
// Nothing here throws: what cannot be read is not there. No program is started, no device is opened, and
// nothing leaves the machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "r1fit/units.hpp"

namespace r1fit {

/// A GPU, or an instance of one that is partitioned (MIG), as NVIDIA's management library has it.
struct NvmlDevice {
  std::string name;         ///< "NVIDIA GeForce RTX 4090"; empty: not told
  std::string pci_address;  ///< "00000000:01:00.0"; empty for an instance
  std::string pci_id;       ///< "10de:2684"; empty: not told
  std::optional<Bytes> total;
  std::optional<Bytes> free;
  std::optional<Bytes> kept;  ///< of the total, by the driver for itself
  bool partitioned = false;   ///< MIG is on: only the instances can be used
  std::vector<NvmlDevice> instances;
};

struct NvmlAnswer {
  bool answers = false;  ///< the library was found and works
  std::string problem;   ///< why it does not: "libnvidia-ml.so.1 is not installed"
  std::string driver;    ///< "550.54.14"
  std::vector<NvmlDevice> devices;
};

class Probe {
 public:
  Probe() = default;
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;
  virtual ~Probe() = default;

  /// At most this much of a file is read.
  static constexpr std::size_t kMostBytes = std::size_t{4} << 20;

  /// The beginning of a regular file; nothing where it cannot be read.
  [[nodiscard]] virtual std::optional<std::string> read(std::string_view path) const = 0;
  /// The names in a folder, sorted; none where it cannot be read.
  [[nodiscard]] virtual std::vector<std::string> list(std::string_view folder) const = 0;
  /// A value of macOS's sysctl, numbers in decimal; nothing elsewhere.
  [[nodiscard]] virtual std::optional<std::string> sysctl(std::string_view name) const = 0;
  [[nodiscard]] virtual NvmlAnswer nvml() const = 0;
  /// What a user may still write to the file system of this folder.
  [[nodiscard]] virtual std::optional<Bytes> free_space(std::string_view folder) const = 0;
  /// The user's folder; empty: not known.
  [[nodiscard]] virtual std::string home() const = 0;
};

}  // namespace r1fit
