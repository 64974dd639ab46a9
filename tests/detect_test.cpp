#include "r1fit/detect.hpp"

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "catch.hpp"
#include "folder_probe.hpp"
#include "golden.hpp"
#include "r1fit/query.hpp"
#include "r1fit/report.hpp"
#include "r1fit/this_machine.hpp"
#include "run.hpp"
#include "schema.hpp"

using namespace r1fit;
using nlohmann::json;
using r1fit::test::contains;
using r1fit::test::golden_fault;
using r1fit::test::machine_probe;
using r1fit::test::Ran;
using r1fit::test::refusal_fault;
using r1fit::test::run;
using r1fit::test::schema_fault;

namespace {

const std::vector<std::string> kMachines{"arc-a770-8gb",
                                         "arc-b580",
                                         "broken",
                                         "container-cgroup-v1",
                                         "container-without-gpu",
                                         "epyc-half-populated",
                                         "epyc-two-sockets",
                                         "jetson-agx-orin",
                                         "laptop-rtx-4060",
                                         "mac-m2-ultra-raised",
                                         "mac-m4-max",
                                         "mi300x",
                                         "mi50-or-mi60",
                                         "mig-a100",
                                         "mixed-nvidia",
                                         "nothing",
                                         "nouveau",
                                         "nvidia-without-library",
                                         "radeon-780m",
                                         "radeon-7900-xtx",
                                         "raspberry-pi-5",
                                         "rtx-4090",
                                         "rtx-4090-48gb",
                                         "strix-halo",
                                         "two-makers",
                                         "two-rtx-3090",
                                         "unknown-card",
                                         "virtual-machine",
                                         "wsl2"};

Detected detected(const std::string& machine) { return detect(builtin_catalog(), machine_probe(machine)); }

Ran on(const std::string& machine, const std::vector<std::string>& args) {
  const auto probe = machine_probe(machine);
  return run(args, {}, {}, &probe);
}

std::string shown(const std::string& machine) { return on(machine, {"detect"}).out; }

std::vector<std::string> used(const Detected& machine) {
  std::vector<std::string> ids;
  for (const DetectedGpu& gpu : machine.gpus) {
    if (gpu.used) ids.emplace_back(gpu.gpu != nullptr ? gpu.gpu->id : "?");
  }
  return ids;
}

}  // namespace

TEST_CASE("every machine is described as approved", "[detect][golden]") {
  for (const std::string& name : kMachines) {
    const Ran ran = on(name, {"detect", "--json"});
    CAPTURE(name, ran.err);
    CHECK(ran.status == 0);
    CHECK(golden_fault("detect/" + name + ".json", ran.out) == "");
    CHECK(schema_fault("detect", ran.out) == "");
  }
}

TEST_CASE("the table of a machine is as approved", "[detect][golden]") {
  for (const std::string name : {"rtx-4090", "mig-a100", "container-without-gpu", "nothing"}) {
    CHECK(golden_fault("detect/" + name + ".txt", shown(name)) == "");
  }
}

// ---- which GPUs there are, and what they are
// ---------------------------------------------------------------

TEST_CASE("cards are found by PCI id, by name where ids do not decide, and memory tells sizes apart",
          "[detect]") {
  const auto ids = [](const std::string& name) { return used(detected(name)); };
  using Ids = std::vector<std::string>;
  CHECK(ids("rtx-4090") == Ids{"rtx-4090"});
  CHECK(ids("two-rtx-3090") == Ids{"rtx-3090", "rtx-3090"});
  CHECK(ids("mixed-nvidia") == Ids{"rtx-4090", "rtx-3060-12gb"});
  CHECK(ids("laptop-rtx-4060") == Ids{"rtx-4060-laptop"});
  CHECK(ids("radeon-7900-xtx") == Ids{"rx-7900-xtx"});
  CHECK(ids("mi300x") == Ids(8, "mi300x"));
  CHECK(ids("arc-b580") == Ids{"arc-b580"});
  CHECK(ids("wsl2") == Ids{"rtx-4070-laptop"});
  CHECK(ids("nouveau") == Ids{"rtx-3080-10gb"});
  CHECK(ids("nvidia-without-library") == Ids{"rtx-3060-12gb"});
  CHECK(ids("strix-halo") == Ids{"strix-halo-395"});
  CHECK(ids("radeon-780m") == Ids{"radeon-780m"});
  CHECK(ids("jetson-agx-orin") == Ids{"jetson-agx-orin-64gb"});
  CHECK(ids("mac-m4-max") == Ids{"m4-max-40"});
  CHECK(ids("raspberry-pi-5").empty());
  CHECK(ids("epyc-two-sockets").empty());  // the board's own VGA is none
}

TEST_CASE("a card that is not in the catalogue, or not with such memory, counts by its memory", "[detect]") {
  for (const std::string name : {"unknown-card", "rtx-4090-48gb", "arc-a770-8gb"}) {
    const Detected machine = detected(name);
    CAPTURE(name);
    REQUIRE(machine.gpus.size() == 1);
    CHECK(machine.gpus[0].used);
    CHECK(machine.gpus[0].gpu == nullptr);
    CHECK(machine.gpus[0].memory.has_value());
    CHECK_FALSE(machine.remarks.empty());
  }
  CHECK_THAT(shown("arc-a770-8gb"), contains("Intel Arc A770"));  // from pci.ids
}

TEST_CASE("a card that may be one of several is not guessed", "[detect]") {
  const Detected machine = detected("mi50-or-mi60");
  REQUIRE(machine.gpus.size() == 1);
  CHECK(machine.gpus[0].gpu == nullptr);
  CHECK(machine.gpus[0].candidates.size() == 2);
  CHECK_THAT(shown("mi50-or-mi60"), contains("one of mi50-32gb, mi60"));
}

TEST_CASE("what is built into the processor is listed and used only where the catalogue knows it",
          "[detect]") {
  const Detected laptop = detected("laptop-rtx-4060");
  REQUIRE(laptop.gpus.size() == 2);
  const auto built_in = std::ranges::find(laptop.gpus, true, &DetectedGpu::integrated);
  REQUIRE(built_in != laptop.gpus.end());
  CHECK_FALSE(built_in->used);
  CHECK_FALSE(built_in->why_not.empty());
}

TEST_CASE("of cards of two makers those with more memory are used", "[detect]") {
  CHECK(used(detected("two-makers")) == std::vector<std::string>{"rx-7900-xtx"});
  CHECK_THAT(shown("two-makers"), contains("not used: of another maker"));
}

TEST_CASE("of a partitioned card one instance is used, with its share of the bandwidth", "[detect]") {
  const Detected machine = detected("mig-a100");
  std::vector<const DetectedGpu*> parts;
  for (const DetectedGpu& gpu : machine.gpus) {
    if (gpu.used) parts.push_back(&gpu);
  }
  REQUIRE(parts.size() == 1);
  CHECK(parts[0]->instance);
  CHECK(parts[0]->memory->value == mib(19968));
  REQUIRE(parts[0]->bandwidth);
  const BytesPerSecond whole = machine.gpus[0].gpu->bandwidth;
  CHECK(parts[0]->bandwidth->count() == Approx(whole.count() / 2));
}

TEST_CASE("what else uses a card is told apart from what the driver keeps", "[detect]") {
  const Detected machine = detected("rtx-4090");
  REQUIRE(machine.gpus[0].in_use);
  CHECK(machine.gpus[0].in_use->value == mib(1187));
}

TEST_CASE("a container does not use cards that were not handed in", "[detect]") {
  const Detected none = detected("container-without-gpu");
  CHECK(used(none).empty());
  REQUIRE(none.gpus.size() == 1);
  CHECK_THAT(none.gpus[0].why_not, contains("container"));
  // One of two was handed in.
  const Detected one = detected("container-cgroup-v1");
  CHECK(used(one) == std::vector<std::string>{"l40s"});
  CHECK(one.gpus.size() == 2);
}

// ---- memory, processor, disk
// -------------------------------------------------------------------------------

TEST_CASE("processors are those that this process may use", "[detect]") {
  CHECK(detected("container-without-gpu").cpu.limit->value == 8);  // by affinity; no quota
  CHECK(detected("container-cgroup-v1").cpu.limit->value == 4);    // 4.5 by quota
  CHECK_FALSE(detected("rtx-4090").cpu.limit.has_value());
}

TEST_CASE("the limit of a container is that of either kind of control group", "[detect]") {
  CHECK(detected("container-without-gpu").ram.usable() == gib(16));
  CHECK(detected("container-cgroup-v1").ram.usable() == gib(64));
  const Detected desktop = detected("rtx-4090");
  CHECK_FALSE(desktop.ram.limit.has_value());
  CHECK(desktop.ram.usable() == desktop.ram.total->value);
}

TEST_CASE("the platform is that of the board, the processor or the modules, else unknown", "[detect]") {
  const auto platform = [](const std::string& name) {
    const Host* found = detected(name).cpu.platform;
    return found != nullptr ? std::string(found->id) : "";
  };
  CHECK(platform("raspberry-pi-5") == "raspberry-pi-5");
  CHECK(platform("epyc-two-sockets") == "epyc-genoa-2s");
  CHECK(platform("two-rtx-3090") == "tr-3000-ddr4");
  CHECK(platform("mixed-nvidia") == "ddr5-5600-dual");
  CHECK(platform("mi50-or-mi60") == "xeon-e5-v4");
  CHECK(platform("rtx-4090").empty());  // DMI is for root alone
  CHECK(platform("wsl2").empty());
  CHECK(platform("virtual-machine").empty());
}

TEST_CASE("the populated channels decide the bandwidth, not what the platform could have", "[detect]") {
  const HardwareQuery query = query_of(builtin_catalog(), detected("epyc-half-populated"));
  CHECK(query.cpu == "epyc-genoa");
  REQUIRE(query.ram_bandwidth);
  CHECK(in_gb_per_s(*query.ram_bandwidth) == Approx(6 * 38.4));
  CHECK_FALSE(query_of(builtin_catalog(), detected("epyc-two-sockets")).ram_bandwidth.has_value());
}

TEST_CASE("a file system behind a network is not asked", "[detect]") {
  const Detected machine = detected("mi50-or-mi60");
  CHECK_FALSE(machine.disk.free.has_value());
  CHECK_THAT(machine.disk.problem, contains("nfs4"));
}

TEST_CASE("of broken files nothing is believed", "[detect]") {
  const Detected machine = detected("broken");
  CHECK_FALSE(machine.ram.total.has_value());
  CHECK_FALSE(machine.cpu.name.has_value());
  CHECK_FALSE(machine.cpu.sockets.has_value());
  CHECK_FALSE(machine.ram.modules.has_value());
  for (const DetectedGpu& gpu : machine.gpus) {
    if (gpu.used) CHECK(gpu.memory->value == gib(24));  // the one whose memory can be
  }
  CHECK_THAT(shown("broken"), !contains("\x1b[31m"));
}

TEST_CASE("a machine with nothing is an answer", "[detect]") {
  const Ran ran = on("nothing", {"detect"});
  CHECK(ran.status == 0);
  CHECK_THAT(ran.out, contains("not known"));
  CHECK(run({"detect"}).status == 3);  // there is nothing to look at
}

TEST_CASE("every line of the table says where it was read", "[detect]") {
  for (const std::string& name : kMachines) {
    const Ran ran = on(name, {"detect", "--format", "csv"});
    CAPTURE(name, ran.out);
    CHECK_THAT(ran.out, contains("what,value,source"));
    CHECK_THAT(on(name, {"detect", "--format", "md"}).out, contains("| what |"));
  }
}
