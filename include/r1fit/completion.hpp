// What a shell needs to complete the command line: a script of every command, flag and name.
#pragma once

#include <string>

#include "r1fit/catalog.hpp"
#include "r1fit/command_line.hpp"

namespace r1fit {

/// The script for `shell`; it needs nothing but that shell. The names of `catalog` are part of it, those
/// aside that a shell would not read as one plain word.
std::string completion_script(Shell shell, const ProgramDoc& program, const Catalog& catalog);

}  // namespace r1fit
