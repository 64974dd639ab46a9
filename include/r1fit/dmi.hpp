// The memory modules of a computer as its firmware lists them (SMBIOS, DSP0134, structures of type 17).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "r1fit/units.hpp"

namespace r1fit {

/// A module in its socket.
struct MemoryModule {
  Bytes size;
  std::string type;  ///< "DDR5"; empty: a type that the standard names otherwise or not at all
  std::optional<int> mega_transfers;  ///< as configured, in 10^6 a second
  std::optional<int> width;           ///< data bits, without those for ECC
  std::string channel;                ///< what the firmware calls it; empty: it does not say
};

/// The populated sockets among the structures of /sys/firmware/dmi/tables/DMI. Reads no byte beyond `table`,
/// whatever it holds: a structure that is cut off or makes no sense ends the list.
std::vector<MemoryModule> memory_modules(std::string_view table);

/// The modules together.
struct MemoryLayout {
  int modules = 0;
  Bytes size;
  std::string type;                         ///< where all are of one
  std::optional<int> mega_transfers;        ///< where all run at one
  std::optional<int> channels;              ///< of 64 bits, populated; where the firmware tells them apart
  std::optional<BytesPerSecond> bandwidth;  ///< peak of the populated channels
};
MemoryLayout memory_layout(const std::vector<MemoryModule>& modules);

}  // namespace r1fit
