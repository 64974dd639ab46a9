#include "r1fit/dmi.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>

namespace r1fit {
namespace {

// Offsets and codes of the SMBIOS reference specification (DMTF DSP0134, 3.7), 7.18 "Memory Device".
constexpr std::size_t kHeader = 4;
constexpr int kMemoryDevice = 17;
constexpr int kEndOfTable = 127;
constexpr std::size_t kDataWidth = 0x0A;
constexpr std::size_t kSize = 0x0C;
constexpr std::size_t kDeviceLocator = 0x10;
constexpr std::size_t kBankLocator = 0x11;
constexpr std::size_t kType = 0x12;
constexpr std::size_t kExtendedSize = 0x1C;
constexpr std::size_t kConfiguredSpeed = 0x20;
constexpr std::size_t kExtendedConfiguredSpeed = 0x58;

/// More sockets than any machine has.
constexpr std::size_t kMostModules = 512;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return c >= 'a' && c <= 'z'; }

/// A structure: its fields and the strings behind them.
struct Structure {
  std::string_view fields;
  std::string_view strings;

  /// Little endian; nothing where the structure is of an older, shorter form.
  [[nodiscard]] std::optional<std::uint32_t> number(std::size_t at, std::size_t size) const {
    if (at + size > fields.size()) return std::nullopt;
    std::uint32_t value = 0;
    for (std::size_t i = size; i-- > 0;) value = value << 8U | static_cast<std::uint8_t>(fields[at + i]);
    return value;
  }
  /// The string whose number stands at `at`; in lower case.
  [[nodiscard]] std::string text(std::size_t at) const {
    std::uint32_t index = number(at, 1).value_or(0);
    std::string_view rest = strings;
    while (index > 1 && !rest.empty()) {
      rest.remove_prefix(std::min(rest.find('\0'), rest.size() - 1) + 1);
      --index;
    }
    std::string found(index == 0 ? std::string_view{} : rest.substr(0, rest.find('\0')));
    std::ranges::transform(found, found.begin(), lower);
    return found;
  }
};

/// Takes the structure off the front of `table`; nothing at its end or where it is damaged.
std::optional<Structure> next_structure(std::string_view& table) {
  if (table.size() < kHeader) return std::nullopt;
  const std::size_t length = static_cast<std::uint8_t>(table[1]);
  if (length < kHeader || length > table.size()) return std::nullopt;
  Structure found{table.substr(0, length), {}};
  const std::string_view behind = table.substr(length);
  const std::size_t end = behind.find(std::string_view("\0\0", 2));
  if (end == std::string_view::npos) return std::nullopt;
  found.strings = behind.substr(0, end + 1);
  table = behind.substr(end + 2);
  return found;
}

std::string type_name(std::uint32_t code) {
  switch (code) {
    case 0x18:
      return "DDR3";
    case 0x1A:
      return "DDR4";
    case 0x1D:
      return "LPDDR3";
    case 0x1E:
      return "LPDDR4";
    case 0x20:
      return "HBM";
    case 0x21:
      return "HBM2";
    case 0x22:
      return "DDR5";
    case 0x23:
      return "LPDDR5";
    default:
      return "";
  }
}

/// 0 is unknown, all ones refers to the wider field that later versions have.
std::optional<int> speed(const Structure& device) {
  std::optional<std::uint32_t> value = device.number(kConfiguredSpeed, 2);
  if (value == 0xFFFFU) value = device.number(kExtendedConfiguredSpeed, 4);
  constexpr std::uint32_t most = 100'000;
  if (!value || *value == 0 || *value > most) return std::nullopt;
  return static_cast<int>(*value);
}

Bytes size_of(const Structure& device) {
  constexpr std::uint32_t unknown = 0xFFFF;
  constexpr std::uint32_t extended = 0x7FFF;
  constexpr std::uint32_t in_kib = 0x8000;
  const std::uint32_t value = device.number(kSize, 2).value_or(0);
  if (value == unknown) return {};
  if (value == extended) return mib(device.number(kExtendedSize, 4).value_or(0) & 0x7FFFFFFFU);
  if ((value & in_kib) != 0) return bytes(std::int64_t{value & extended} * 1024);
  return mib(value);
}

/// Where a locator says "channel": all up to and with what follows the word, so that channels of different
/// sockets and controllers stay apart: "p0 channel a", "controller0-channela-dimm1" ->
/// "controller0-channela".
std::string channel_by_word(const std::string& locator) {
  constexpr std::string_view word = "channel";
  const std::size_t found = locator.find(word);
  if (found == std::string::npos) return "";
  std::size_t end = found + word.size();
  while (end < locator.size() && !is_letter(locator[end]) && !is_digit(locator[end])) ++end;
  if (end == locator.size()) return "";
  if (is_digit(locator[end])) {
    while (end < locator.size() && is_digit(locator[end])) ++end;
  } else {
    ++end;
  }
  return locator.substr(0, end);
}

/// Boards that print "DIMM_A2", "DIMMB1" or "P1-DIMMC1": the letter is the channel.
std::string channel_by_letter(const std::string& locator) {
  constexpr std::string_view word = "dimm";
  const std::size_t found = locator.find(word);
  if (found == std::string::npos) return "";
  std::size_t at = found + word.size();
  while (at < locator.size() && (locator[at] == '_' || locator[at] == '-' || locator[at] == ' ')) ++at;
  const bool letter_and_number =
      at + 1 < locator.size() && is_letter(locator[at]) && is_digit(locator[at + 1]);
  return letter_and_number ? locator.substr(0, at + 1) : "";
}

std::string channel_of(const Structure& device) {
  const std::string bank = device.text(kBankLocator);
  const std::string socket = device.text(kDeviceLocator);
  for (const std::string& found :
       {channel_by_word(bank), channel_by_word(socket), channel_by_letter(socket), channel_by_letter(bank)}) {
    if (!found.empty()) return found;
  }
  return "";
}

}  // namespace

std::vector<MemoryModule> memory_modules(std::string_view table) {
  std::vector<MemoryModule> modules;
  while (const std::optional<Structure> found = next_structure(table)) {
    const int type = static_cast<std::uint8_t>(found->fields[0]);
    if (type == kEndOfTable || modules.size() == kMostModules) break;
    if (type != kMemoryDevice) continue;
    MemoryModule module;
    module.size = size_of(*found);
    if (module.size == Bytes{}) continue;
    module.type = type_name(found->number(kType, 1).value_or(0));
    module.mega_transfers = speed(*found);
    const std::uint32_t width = found->number(kDataWidth, 2).value_or(0);
    if (width >= 8 && width <= 1024) module.width = static_cast<int>(width);
    module.channel = channel_of(*found);
    modules.push_back(std::move(module));
  }
  return modules;
}

MemoryLayout memory_layout(const std::vector<MemoryModule>& modules) {
  MemoryLayout layout;
  if (modules.empty()) return layout;
  layout.modules = static_cast<int>(modules.size());
  const MemoryModule& first = modules.front();
  const auto alike = [&](auto member) {
    return std::ranges::all_of(modules, [&](const MemoryModule& m) { return m.*member == first.*member; });
  };
  for (const MemoryModule& module : modules) layout.size += module.size;
  if (alike(&MemoryModule::type)) layout.type = first.type;
  if (alike(&MemoryModule::mega_transfers)) layout.mega_transfers = first.mega_transfers;
  std::map<std::string, int> widths;  // of each channel, in bits
  for (const MemoryModule& module : modules) {
    if (module.channel.empty() || !module.width) return layout;
    widths[module.channel] = *module.width;
  }
  int bits = 0;
  for (const auto& [channel, width] : widths) bits += width;
  constexpr int channel_bits = 64;
  if (bits % channel_bits == 0) layout.channels = bits / channel_bits;
  if (layout.mega_transfers) layout.bandwidth = gb_per_s(*layout.mega_transfers * 1e-3 * bits / 8);
  return layout;
}

}  // namespace r1fit
