#include "r1fit/machine_words.hpp"

#include <string>

#include "catch.hpp"
#include "r1fit/catalog.hpp"

using namespace r1fit;
using r1fit::test::contains;
using r1fit::test::error_of;

// The shipped catalogue: what is a name and what is a size depends on all of its names.

namespace {

HardwareQuery read(std::string_view text) { return parse_machine(builtin_catalog(), text); }

std::string refusal(std::string_view text) {
  return error_of([&] { read(text); });
}

/// "1 x rtx 4090; 2 x 24; ram 64; cpu epyc-genoa": what was understood.
std::string understood(std::string_view text) {
  const HardwareQuery query = read(text);
  std::string out;
  const auto add = [&out](const std::string& part) { out += (out.empty() ? "" : "; ") + part; };
  const auto size = [](Bytes memory) { return std::to_string(static_cast<int>(in_gib(memory))); };
  for (const GpuQuery& gpu : query.gpus) {
    std::string part = std::to_string(gpu.count) + " x " + gpu.name;
    if (gpu.memory) part += (gpu.name.empty() ? "" : " ") + size(*gpu.memory);
    add(part);
  }
  if (query.ram) add("ram " + size(*query.ram));
  if (!query.cpu.empty()) add("cpu " + query.cpu);
  return out;
}

}  // namespace

TEST_CASE("parts of a machine stand between commas or '+' with spaces", "[machine_words]") {
  CHECK(understood("rtx 4090") == "1 x rtx 4090");
  CHECK(understood("2x rtx 3090 + 64 ram") == "1 x 2x rtx 3090; ram 64");
  CHECK(understood("rtx 4090, rtx 3090,64 ram") == "1 x rtx 4090; 1 x rtx 3090; ram 64");
  CHECK(understood("rtx 4090 + ddr5-5600-dual 64") == "1 x rtx 4090; ram 64; cpu ddr5-5600-dual");
  CHECK(understood("rtx 4090 + 64 ram + ddr5-5600-dual") == "1 x rtx 4090; ram 64; cpu ddr5-5600-dual");
  CHECK(understood("  24 ,  16  ") == "1 x 24; 1 x 16");
}

TEST_CASE("a '+' without spaces belongs to a name", "[machine_words]") {
  CHECK(understood("xeon 8592+ + 512 ram") == understood("xeon 8592+, 512 ram"));
  CHECK(understood("xeon 8592+ 512") == understood("xeon 8592+, 512 ram"));
  CHECK_THAT(refusal("rtx 4090+rtx 3090"), contains("space on each side"));
}

TEST_CASE("sizes are GiB with or without the unit", "[machine_words]") {
  for (const char* text : {"24", "24g", "24GB", "24 GiB", "24 vram", "24GB VRAM", "vram 24"}) {
    CAPTURE(text);
    CHECK(understood(text) == "1 x 24");
  }
  for (const char* text : {"2x24", "2 x 24", "2X24GB", "2x24 vram"}) {
    CAPTURE(text);
    CHECK(understood(text) == "2 x 24");
  }
  for (const char* text : {"64 ram", "64GB RAM", "64 GiB ram", "ram 64", "RAM 64 GB", "64ram"}) {
    CAPTURE(text);
    CHECK(understood(text) == "ram 64");
  }
}

TEST_CASE("a size behind a name is that of the thing named", "[machine_words]") {
  CHECK(understood("m4-max 64") == "1 x m4-max 64");
  CHECK(understood("m4-max-40 64 gb") == "1 x m4-max-40 64 gb 64");
  CHECK(understood("2x a100-80gb-pcie 80") == "1 x 2x a100-80gb-pcie 80");
  CHECK(understood("rtx 3060 12") == "1 x rtx 3060 12");
  CHECK(understood("epyc-genoa 1152") == "ram 1152; cpu epyc-genoa");
  CHECK(understood("epyc-genoa") == "cpu epyc-genoa");
}

TEST_CASE("what is a name is no size, and what is none is not guessed", "[machine_words]") {
  CHECK(understood("4090") == "1 x 4090");
  CHECK(understood("2x4090") == "1 x 2x4090");
  CHECK(understood("2x epyc 9654") == "cpu epyc-genoa-2s");
  CHECK(understood("rpi 5") == "cpu raspberry-pi-5");
  CHECK_THAT(refusal("4900"), contains("no hardware named \"4900\"; nearest: rtx-4090"));
  CHECK_THAT(refusal("rtx 4900"), contains("nearest: rtx-4090"));
  CHECK_THAT(refusal("epyc-geno 512"), contains("nearest: epyc-genoa"));
  CHECK_THAT(refusal("m4-mx 64"), contains("m4-max-40"));
  CHECK_THAT(refusal("rtx 3060"), contains("more than one device: rtx-3060-12gb, rtx-3060-8gb"));
  CHECK_THAT(refusal("rtx 4090 48GB"), contains("never 48"));
  CHECK_THAT(refusal("m4 ultra 256"), contains("does not exist"));
}

TEST_CASE("parts that say nothing, or the same thing twice, are refused", "[machine_words]") {
  CHECK_THAT(refusal(""), contains("names no hardware"));
  CHECK_THAT(refusal("rtx 4090 + "), contains("empty part"));
  CHECK_THAT(refusal("rtx 4090,,24"), contains("empty part"));
  CHECK_THAT(refusal("64 ram + 32 ram"), contains("twice how much RAM"));
  CHECK_THAT(refusal("epyc-genoa 512 + 64 ram"), contains("twice how much RAM"));
  CHECK_THAT(refusal("epyc-genoa + ddr5-5600-dual"), contains("two platforms"));
  CHECK_THAT(refusal("ram"), contains("no size of memory"));
  CHECK_THAT(refusal("rtx 4090 64 ram"), contains("parts stand between"));
  CHECK_THAT(refusal("0 ram"), contains("no memory size"));
  CHECK_THAT(refusal("65x24"), contains("1 to 64"));
}

TEST_CASE("a chip sold with several sizes is asked for its own, in the words of the machine",
          "[machine_words]") {
  CHECK_THAT(refusal("m4-max-40"), contains("48, 64 or 128 GiB"));
  CHECK_THAT(refusal("m4-max-40"), contains("\"m4-max-40 48\""));
  CHECK_THAT(refusal("m4-max-40 64 + 64 ram"), contains("no RAM"));
}
