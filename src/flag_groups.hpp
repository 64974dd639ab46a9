// Groups of flags that several commands take, and what can only be settled once all of them are read.
#pragma once

#include <optional>
#include <string>

#include "flags.hpp"

namespace r1fit {

/// Flags about hardware that only make sense together.
struct HardwareRest {
  bool vram = false;
  std::optional<Bytes> memory;
  std::optional<BytesPerSecond> bandwidth;
};
void add_hardware(Flags& flags, HardwareQuery& hardware, HardwareRest& rest);
/// Throws Error where the flags contradict each other.
void settle_hardware(HardwareQuery& hardware, const HardwareRest& rest);

struct NeedsRest {
  bool no_imatrix = false;
};
void add_needs(Flags& flags, NeedsQuery& needs, NeedsRest& rest);
void settle_needs(NeedsQuery& needs, const NeedsRest& rest);

/// --min-tps and --min-ctx.
void add_minima(Flags& flags, NeedsQuery& needs);
/// What `plan` needs of a machine, and how its rows come.
void add_plan(Flags& flags, CommandLine& line);
void add_plan_answer(Flags& flags, CommandLine& line);
/// --model, --quant, --use and --prefer: what `recommend` chooses from.
void add_candidates(Flags& flags, NeedsQuery& needs);
/// The same for `compare`, to which --model means something else.
void add_compared(Flags& flags, NeedsQuery& needs);
/// --quant beside a MODEL.
void add_quant(Flags& flags, NeedsQuery& needs);

/// What `claim` was told; one claim at a time.
struct ClaimedRest {
  std::string flag;  ///< the one that stated it
  bool fits = false;
};
void add_claimed(Flags& flags, Claimed& claimed, ClaimedRest& rest);
void settle_claimed(const ClaimedRest& rest);

struct OutputRest {
  bool json = false;
  std::optional<Format> format;
};
void add_output(Flags& flags, CommandLine& line, OutputRest& rest);
void settle_output(CommandLine& line, const OutputRest& rest);

/// --catalog and -v, which every command takes.
void add_common(Flags& flags, CommandLine& line);

}  // namespace r1fit
