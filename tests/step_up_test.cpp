#include "r1fit/step_up.hpp"

#include <algorithm>

#include "catch.hpp"
#include "shipped.hpp"

using namespace r1fit;
using namespace r1fit::test;

namespace {

std::vector<std::string> hardware(const char* model, const char* quant, const Machine& machine,
                                  const Requirements& required = {.verdict = Verdict::offload}) {
  const Catalog& catalog = builtin_catalog();
  const Workload workload;
  const Estimate found = evaluate(catalog, shipped_question(model, quant, workload), machine);
  return hardware_for(catalog, found, machine, required);
}

Verdict verdict(const char* model, const Machine& machine) {
  return shipped_estimate(model, "Q4_K_M", machine).placement.verdict;
}

Machine with_ram(const char* gpu, double size) {
  Machine machine = machine_with(gpu);
  machine.host = make_host(builtin_catalog(), gib(size), nullptr, {});
  return machine;
}

}  // namespace

TEST_CASE("the least hardware of each kind is named, and less of it does not do") {
  const std::vector<std::string> found = hardware("70b", "Q4_K_M", machine_with("rtx 4090"));
  REQUIRE(found.size() == 3);
  CHECK(found[0] == "2 x GeForce RTX 4090");
  CHECK(verdict("70b", machine_with("2x rtx 4090")) <= Verdict::tight);
  CHECK(found[1] == "a 64 GiB Mac");
  CHECK(verdict("70b", machine_with("m4-max", gib(64))) <= Verdict::tight);
  CHECK(verdict("70b", machine_with("m4-max", gib(48))) > Verdict::fits);
  CHECK_THAT(found[2], contains("32 GiB of RAM beside the card (") && contains(" tok/s)"));
  CHECK(verdict("70b", with_ram("rtx 4090", 32)) == Verdict::offload);
  CHECK(verdict("70b", with_ram("rtx 4090", 16)) > Verdict::offload);
}

TEST_CASE("three cards are proposed where two do not do") {
  const Catalog& catalog = builtin_catalog();
  Workload workload;
  workload.context = model_named(catalog, "r1-distill-qwen-32b").max_context;
  const Question question = shipped_question("32b", "Q4_K_M", workload);
  const std::vector<std::string> found = hardware_for(
      catalog, evaluate(catalog, question, machine_with("rtx 4090")), machine_with("rtx 4090"), {});
  REQUIRE_FALSE(found.empty());
  CHECK(found.front() == "3 x GeForce RTX 4090");
  CHECK(evaluate(catalog, question, machine_with("2x rtx 4090")).placement.verdict > Verdict::tight);
}

TEST_CASE("a Mac has no second card and no RAM beside it") {
  const std::vector<std::string> found = hardware("70b", "Q4_K_M", machine_with("m4-max", gib(36)));
  REQUIRE(found.size() == 1);
  CHECK_THAT(found.front(), contains(" Mac"));
}

TEST_CASE("no more than eight cards are proposed") {
  for (const std::string& one : hardware("r1-671b", "Q4_K_M", machine_with("rtx 4090"))) {
    CHECK_THAT(one, !contains(" x GeForce"));
  }
}

TEST_CASE("where there is no GPU a Mac and more RAM are proposed") {
  Machine machine;
  machine.host = make_host(builtin_catalog(), gib(16), nullptr, {});
  const std::vector<std::string> found = hardware("70b", "Q4_K_M", machine);
  REQUIRE(found.size() == 2);
  CHECK(found[0] == "a 64 GiB Mac");
  CHECK_THAT(found[1], contains("64 GiB of RAM (") && !contains("card"));
  machine.host = make_host(builtin_catalog(), gib(64), nullptr, {});
  CHECK(verdict("70b", machine) <= Verdict::tight);
  machine.host = make_host(builtin_catalog(), gib(32), nullptr, {});
  CHECK(verdict("70b", machine) > Verdict::offload);
  CHECK(hardware("70b", "Q4_K_M", Machine{}).empty());
}

TEST_CASE("no more RAM is proposed than the platform takes") {
  const Machine machine = cpu_only(gib(64), "ddr4-3200-dual");
  REQUIRE(machine.host.platform->max_memory);
  for (const std::string& one : hardware("r1-671b", "Q4_K_M", machine)) CHECK_THAT(one, !contains("RAM"));
}

TEST_CASE("what is proposed meets the needs") {
  // RAM beside a card is another way to run it than what fits or is tight.
  CHECK_THAT(hardware("70b", "Q4_K_M", machine_with("rtx 4090"), {}).back(),
             contains("32 GiB of RAM beside the card with --require offload (") && contains(" tok/s)"));
  // Four of these are tight.
  Requirements required;
  CHECK(hardware("70b", "Q4_K_M", machine_with("rtx 4070 ti"), required).front() ==
        "4 x GeForce RTX 4070 Ti");
  required.verdict = Verdict::fits;
  CHECK(verdict("70b", machine_with("4x rtx 4070 ti")) == Verdict::tight);
  CHECK(hardware("70b", "Q4_K_M", machine_with("rtx 4070 ti"), required).front() ==
        "6 x GeForce RTX 4070 Ti");
  CHECK(verdict("70b", machine_with("6x rtx 4070 ti")) == Verdict::fits);
}

TEST_CASE("what is too slow is not proposed and a Mac that is fast enough is named") {
  Requirements required;
  required.min_tps = tok_per_s(10);
  const std::vector<std::string> found = hardware("70b", "Q4_K_M", machine_with("rtx 4090"), required);
  REQUIRE(found.size() == 2);
  CHECK(found[0] == "2 x GeForce RTX 4090");
  CHECK_THAT(found[1], contains("an Apple M") && contains(" with "));
  required.min_tps = tok_per_s(1000);
  CHECK(hardware("70b", "Q4_K_M", machine_with("rtx 4090"), required).empty());
  required = {};
  required.min_context = tokens(65536);
  for (const std::string& one : hardware("70b", "Q4_K_M", machine_with("rtx 4090"), required))
    CHECK(one != "2 x GeForce RTX 4090");
}
