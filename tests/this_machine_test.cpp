#include "r1fit/this_machine.hpp"

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "catch.hpp"
#include "folder_probe.hpp"
#include "r1fit/detect.hpp"
#include "run.hpp"
#include "schema.hpp"

using namespace r1fit;
using nlohmann::json;
using r1fit::test::contains;
using r1fit::test::machine_probe;
using r1fit::test::Ran;
using r1fit::test::refusal_fault;
using r1fit::test::run;

namespace {

Ran on(const std::string& machine, const std::vector<std::string>& args) {
  const auto probe = machine_probe(machine);
  return run(args, {}, {}, &probe);
}

json hardware_on(const std::string& machine, std::vector<std::string> args = {}) {
  args.emplace_back("--json");
  const Ran ran = on(machine, args);
  CAPTURE(machine, ran.err);
  REQUIRE(ran.err.empty());
  CHECK(test::schema_fault("recommendation", ran.out) == "");
  return json::parse(ran.out)["hardware"];
}

std::vector<std::string> flags_on(const std::string& machine) {
  return flags_of(query_of(builtin_catalog(), detect(builtin_catalog(), machine_probe(machine))));
}

const std::string kTinyFile = R1FIT_SOURCE_DIR "/tests/data/gguf/tiny_llama.gguf";

/// Says nothing and holds it against whoever asks.
class Forbidden : public Probe {
 public:
  [[nodiscard]] std::optional<std::string> read(std::string_view path) const override {
    FAIL_CHECK("read " << path);
    return std::nullopt;
  }
  [[nodiscard]] std::vector<std::string> list(std::string_view folder) const override {
    FAIL_CHECK("listed " << folder);
    return {};
  }
  [[nodiscard]] std::optional<std::string> sysctl(std::string_view name) const override {
    FAIL_CHECK("asked for " << name);
    return std::nullopt;
  }
  [[nodiscard]] NvmlAnswer nvml() const override {
    FAIL_CHECK("asked NVML");
    return {};
  }
  [[nodiscard]] std::optional<Bytes> free_space(std::string_view folder) const override {
    FAIL_CHECK("asked for the space at " << folder);
    return std::nullopt;
  }
  [[nodiscard]] std::string home() const override {
    FAIL_CHECK("asked for the user's folder");
    return "";
  }
};

}  // namespace

TEST_CASE("a file is inspected for this machine where that is asked", "[this_machine]") {
  const Ran here = on("rtx-4090", {"inspect", kTinyFile, "--here", "--ctx", "2048"});
  CHECK(here.status == 0);
  CHECK_THAT(here.out, contains("RTX 4090"));
  CHECK_THAT(here.out, contains("llama-server -m "));
  CHECK_THAT(on("rtx-4090", {"inspect", kTinyFile}).out, !contains("RTX 4090"));
  CHECK(refusal_fault(run({"inspect", kTinyFile, "--here"}), "name the hardware") == "");
}

TEST_CASE("where hardware is named the machine is not looked at", "[this_machine]") {
  const Forbidden probe;
  for (const std::vector<std::string>& args :
       std::vector<std::vector<std::string>>{{"--vram", "24"},
                                             {"--ram", "16"},
                                             {"check", "32b", "--gpu", "4090"},
                                             {"list", "models"},
                                             {"claim", "32b", "--needs", "24GB"},
                                             {"--version"}}) {
    CHECK_FALSE(run(args, {}, {}, &probe).out.empty());
  }
}

TEST_CASE("without a hardware flag this machine is answered for", "[this_machine]") {
  const json hardware = hardware_on("rtx-4090");
  CHECK(hardware["detected"] == true);
  REQUIRE(hardware["devices"].size() == 1);
  const json& card = hardware["devices"][0];
  CHECK(card["name"] == "rtx-4090");
  CHECK(card["capacity_bytes"] == mib(24564).count());
  CHECK(card["budget_bytes"] == mib(24564 - 1187).count());
  CHECK(hardware["host"]["ram_bytes"] == 65582120LL * 1024);
  CHECK_THAT(on("rtx-4090", {}).out, contains("This machine as `r1fit detect` sees it: "));
  CHECK(on("rtx-4090", {"check", "7b", "-q"}).status == 0);
  CHECK(on("rtx-4090", {"estimate", "7b"}).status == 0);
}

TEST_CASE("hardware flags describe the whole machine", "[this_machine]") {
  const json hardware = hardware_on("rtx-4090", {"--ram", "64"});
  CHECK(hardware["detected"] == false);
  CHECK(hardware["devices"].empty());
  CHECK(on("rtx-4090", {"--gpu", "rtx 3090"}).out == run({"--gpu", "rtx 3090"}).out);
}

TEST_CASE("with --here stays what no flag says otherwise", "[this_machine]") {
  const json more = hardware_on("rtx-4090", {"--here", "--ram", "128"});
  CHECK(more["detected"] == true);
  CHECK(more["devices"][0]["name"] == "rtx-4090");
  CHECK(more["host"]["ram_bytes"] == gib(128).count());

  const json other = hardware_on("rtx-4090", {"--here", "--gpu", "2x rtx 3090"});
  CHECK(other["devices"].size() == 2);
  CHECK(other["devices"][0]["name"] == "rtx-3090");
  CHECK(other["host"]["ram_bytes"] == 65582120LL * 1024);

  const json free = hardware_on("rtx-4090", {"--here", "--reserve", "0"});
  CHECK(free["devices"][0]["budget_bytes"] == free["devices"][0]["capacity_bytes"]);

  const json platform = hardware_on("epyc-half-populated", {"--here", "--cpu", "epyc-genoa"});
  CHECK(platform["host"]["bandwidth_gbps"].get<double>() > 400);
  CHECK(hardware_on("epyc-half-populated")["host"]["bandwidth_gbps"].get<double>() < 300);
}

TEST_CASE("flags that name no hardware speak of this machine", "[this_machine]") {
  CHECK(hardware_on("rtx-4090", {"--backend", "cpu"})["devices"].empty());
  const json raised = hardware_on("mac-m4-max", {"--wired-limit", "56"});
  CHECK(raised["devices"][0]["budget_bytes"] == gib(56).count());
}

TEST_CASE("unified memory is the GPU's, up to what its driver lets it take", "[this_machine]") {
  const json halo = hardware_on("strix-halo");
  CHECK(halo["devices"][0]["unified_memory"] == true);
  CHECK(halo["devices"][0]["budget_bytes"] == gib(96).count());
  CHECK(halo["host"]["ram_bytes"].is_null());
  CHECK(hardware_on("mac-m2-ultra-raised")["devices"][0]["budget_bytes"] == gib(176).count());
  // A card beside it would be another machine; its memory is not counted twice.
  CHECK(hardware_on("rtx-4090", {"--here", "--gpu", "m4-max", "--memory", "64"})["host"]["ram_bytes"]
            .is_null());
}

TEST_CASE("a card without a record is answered for by its memory", "[this_machine]") {
  const json card = hardware_on("unknown-card")["devices"][0];
  CHECK(card["name"] == "NVIDIA RTX 5880 Ada Generation");
  CHECK(card["capacity_bytes"] == mib(49140).count());
  CHECK_FALSE(card["stand_ins"].empty());
  CHECK_THAT(on("unknown-card", {}).out, contains("not in the catalogue"));
}

TEST_CASE("without a GPU RAM answers, and without anything flags are asked for", "[this_machine]") {
  CHECK(hardware_on("raspberry-pi-5")["devices"].empty());
  CHECK(refusal_fault(on("nothing", {}), "nothing can be read of this machine") == "");
  CHECK(refusal_fault(on("nothing", {}), "--gpu") == "");
  CHECK(on("nothing", {"--here", "--ram", "16"}).status == 0);
  CHECK(refusal_fault(run({}), "name the hardware") == "");
}

TEST_CASE("a claim is about this machine only where that is said", "[this_machine]") {
  const std::vector<std::string> claim{"claim", "32b", "--needs", "24GB"};
  CHECK(on("rtx-4090", claim).out == run(claim).out);
  CHECK_THAT(on("rtx-4090", {"claim", "70b", "--fits", "--here", "--json"}).out,
             contains("\"detected\": true"));
}

TEST_CASE("the flags that describe it elsewhere give the same machine", "[this_machine]") {
  using Flags = std::vector<std::string>;
  CHECK(flags_on("two-rtx-3090") ==
        Flags{"--gpu", "2x rtx-3090", "--ram", "125.7", "--cpu", "tr-3000-ddr4", "--cores", "32"});
  CHECK(flags_on("mac-m4-max") == Flags{"--gpu", "m4-max-40", "--memory", "64"});
  CHECK(flags_on("nothing").empty());
  for (const std::string name :
       {"rtx-4090", "two-rtx-3090", "mixed-nvidia", "laptop-rtx-4060", "mi300x", "arc-b580", "raspberry-pi-5",
        "mac-m4-max", "unknown-card", "wsl2", "epyc-half-populated"}) {
    CAPTURE(name);
    const json said = hardware_on(name, flags_on(name));
    const json here = hardware_on(name);
    REQUIRE(said["devices"].size() == here["devices"].size());
    for (std::size_t i = 0; i < said["devices"].size(); ++i) {
      CHECK(said["devices"][i]["unified_memory"] == here["devices"][i]["unified_memory"]);
      CHECK(said["devices"][i]["bandwidth_gbps"] == here["devices"][i]["bandwidth_gbps"]);
    }
    CHECK(said["host"]["cpu"] == here["host"]["cpu"]);
  }
}
