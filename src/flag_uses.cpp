#include "flag_uses.hpp"

#include <algorithm>

namespace r1fit {
namespace {

/// The heading may differ: it is a matter of the command's help.
bool same(const FlagDoc& a, const FlagDoc& b) {
  return a.name == b.name && a.type == b.type && a.help == b.help && a.repeatable == b.repeatable &&
         a.words == b.words;
}

}  // namespace

std::vector<FlagUse> flag_uses(const std::vector<CommandDoc>& commands) {
  std::vector<FlagUse> uses;
  for (const CommandDoc& command : commands) {
    for (const FlagDoc& flag : command.flags) {
      const auto known =
          std::ranges::find_if(uses, [&](const FlagUse& use) { return same(*use.flag, flag); });
      if (known == uses.end()) {
        uses.push_back({&flag, {command.word}});
      } else {
        known->commands.push_back(command.word);
      }
    }
  }
  return uses;
}

std::vector<std::string_view> names_of(const FlagDoc& flag) {
  std::vector<std::string_view> names;
  std::string_view rest = flag.name;
  for (std::size_t comma = rest.find(','); comma != std::string_view::npos; comma = rest.find(',')) {
    names.push_back(rest.substr(0, comma));
    rest.remove_prefix(comma + 1);
  }
  names.push_back(rest);
  return names;
}

}  // namespace r1fit
