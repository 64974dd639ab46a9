// Which commands take a flag: manual page and completion name a flag once for all commands that take it.
#pragma once

#include <string_view>
#include <vector>

#include "r1fit/command_line.hpp"

namespace r1fit {

/// A flag and the commands that take it with the same value and meaning; `flag` lies in the commands given.
struct FlagUse {
  const FlagDoc* flag;
  std::vector<std::string_view> commands;  ///< in the order of the help
};

/// Every flag of `commands`, in the order in which they first come.
std::vector<FlagUse> flag_uses(const std::vector<CommandDoc>& commands);

/// "-q,--quiet" taken apart.
std::vector<std::string_view> names_of(const FlagDoc& flag);

}  // namespace r1fit
