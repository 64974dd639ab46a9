#include "r1fit/dmi.hpp"

#include <string>

#include "catch.hpp"
#include "folder_probe.hpp"

using namespace r1fit;

namespace {

std::string table_of(const std::string& machine) {
  return test::machine_probe(machine).read("/sys/firmware/dmi/tables/DMI").value();
}

/// A structure of type 17 as SMBIOS 2.7 has it, with its two strings.
std::string device(int mib, int mega_transfers, const std::string& locator, const std::string& bank) {
  std::string fields(0x22, '\0');
  const auto put = [&](std::size_t at, int value) {
    fields[at] = static_cast<char>(value & 0xFF);
    fields[at + 1] = static_cast<char>(value >> 8);
  };
  fields[0] = 17;
  fields[1] = 0x22;
  put(0x08, 72);
  put(0x0A, 64);
  put(0x0C, mib);
  fields[0x10] = locator.empty() ? 0 : 1;
  fields[0x11] = bank.empty() ? 0 : 2;
  fields[0x12] = 0x1A;
  put(0x20, mega_transfers);
  // There are no empty strings: two zero bytes end the structure.
  std::string strings;
  for (const std::string& text : {locator, bank}) {
    if (!text.empty()) strings += text + '\0';
  }
  return fields + (strings.empty() ? std::string(1, '\0') : strings) + '\0';
}

}  // namespace

TEST_CASE("populated sockets are read, empty ones left out", "[dmi]") {
  const std::vector<MemoryModule> modules = memory_modules(table_of("mixed-nvidia"));
  REQUIRE(modules.size() == 2);
  CHECK(modules[0].size == gib(32));
  CHECK(modules[0].type == "DDR5");
  CHECK(modules[0].mega_transfers == 5600);
  CHECK(modules[0].channel != modules[1].channel);
}

TEST_CASE("two modules in one channel count once", "[dmi]") {
  const MemoryLayout layout = memory_layout(memory_modules(table_of("two-rtx-3090")));
  CHECK(layout.modules == 8);
  CHECK(layout.channels == 4);
  REQUIRE(layout.bandwidth);
  CHECK(in_gb_per_s(*layout.bandwidth) == Approx(4 * 25.6));
}

TEST_CASE("channels of two sockets stay apart", "[dmi]") {
  CHECK(memory_layout(memory_modules(table_of("epyc-two-sockets"))).channels == 24);
}

TEST_CASE("boards name channels in several ways", "[dmi]") {
  const auto channels = [](const std::string& a, const std::string& b, const std::string& bank = "") {
    return memory_layout(memory_modules(device(8192, 3200, a, bank) + device(8192, 3200, b, bank))).channels;
  };
  CHECK(channels("DIMM_A1", "DIMM_B1") == 2);
  CHECK(channels("DIMM_A1", "DIMM_A2") == 1);
  CHECK(channels("ChannelA-DIMM0", "ChannelB-DIMM0", "BANK 0") == 2);
  CHECK(channels("Controller0-ChannelA", "Controller1-ChannelA") == 2);
  CHECK_FALSE(channels("DIMM 0", "DIMM 1").has_value());
  CHECK_FALSE(channels("", "").has_value());
}

TEST_CASE("what is not told is unknown", "[dmi]") {
  const MemoryLayout layout = memory_layout(memory_modules(device(8192, 0, "DIMM_A1", "")));
  CHECK(layout.channels == 1);
  CHECK_FALSE(layout.mega_transfers.has_value());
  CHECK_FALSE(layout.bandwidth.has_value());
  CHECK(memory_layout({}).modules == 0);
}

TEST_CASE("modules of different speeds have no common one", "[dmi]") {
  const MemoryLayout layout =
      memory_layout(memory_modules(device(8192, 3200, "DIMM_A1", "") + device(8192, 2666, "DIMM_B1", "")));
  CHECK(layout.channels == 2);
  CHECK_FALSE(layout.bandwidth.has_value());
}

TEST_CASE("a table cut anywhere or filled with anything is read without harm", "[dmi]") {
  const std::string whole = table_of("epyc-two-sockets");
  const std::size_t all = memory_modules(whole).size();
  for (std::size_t size = 0; size < whole.size(); size += 7) {
    CHECK(memory_modules(std::string_view(whole).substr(0, size)).size() <= all);
  }
  for (int value = 0; value < 256; ++value) {
    CHECK(memory_modules(std::string(200, static_cast<char>(value))).size() <= 200);
    std::string damaged = whole;
    for (std::size_t at = static_cast<std::size_t>(value); at < damaged.size(); at += 97) {
      damaged[at] = static_cast<char>(value);
    }
    CHECK(memory_modules(damaged).size() <= 512);
  }
}
