// A machine in a few words, as one word of the shell: "2x rtx 3090 + 64 ram".
#pragma once

#include <string_view>

#include "r1fit/query.hpp"

namespace r1fit {

/// The hardware of which `text` names the parts, with commas between them, or '+' with a space on each side:
///
///   rtx 4090 | 2x rtx 3090 | m4-max 64   cards and chips by name as --gpu takes them; a size behind the name
///                                        says which memory it has
///   24 | 2x24 | 24 vram                  nameless cards by size
///   64 ram | ram 64                      system memory
///   ddr5-5600-dual | epyc-genoa 512      a platform as --cpu takes it, with its memory behind the name
///
/// Sizes are GiB, with or without the unit. What is a name is never read as a size: "4090" is a card. Throws
/// Error where a part is neither or no single thing, or where parts contradict each other.
HardwareQuery parse_machine(const Catalog& catalog, std::string_view text);

}  // namespace r1fit
