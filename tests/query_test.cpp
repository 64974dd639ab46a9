#include "r1fit/query.hpp"

#include <string>

#include "catch.hpp"
#include "tiny_catalog.hpp"

using namespace r1fit;
using r1fit::test::contains;
using r1fit::test::error_of;
using r1fit::test::starts_with;
using r1fit::test::tiny_catalog;

namespace {

GpuQuery named(const char* name, std::optional<Bytes> memory = {}) {
  GpuQuery query;
  query.name = name;
  query.memory = memory;
  return query;
}

GpuQuery nameless(double size, int count = 1) {
  GpuQuery query;
  query.memory = gib(size);
  query.count = count;
  return query;
}

HardwareQuery hardware(std::vector<GpuQuery> gpus) {
  HardwareQuery query;
  query.gpus = std::move(gpus);
  return query;
}

Machine built(const HardwareQuery& query) { return build_machine(tiny_catalog(), query); }
std::string refusal(const HardwareQuery& query) {
  return error_of([&] { built(query); });
}

// "model:quant", or the sentence.
std::string question(const NeedsQuery& query) {
  std::string text;
  const std::string error = error_of([&] {
    const Question built = build_question(tiny_catalog(), query);
    text = std::string(built.model->id) + ":" + std::string(built.quant->id);
  });
  return text.empty() ? error : text;
}

NeedsQuery about(const char* model, const char* quant = nullptr, const char* engine = "") {
  NeedsQuery query;
  query.models = {model};
  if (quant != nullptr) query.quants = {quant};
  query.engine = engine;
  return query;
}

}  // namespace

TEST_CASE("a machine has the cards that were asked for, in order", "[query]") {
  HardwareQuery query = hardware({named("2x rtx 3090"), named("4090")});
  query.ram = gib(64);
  query.cpu = "epyc-genoa";
  const Machine machine = built(query);
  REQUIRE(machine.devices.size() == 3);
  CHECK(machine.devices[0].gpu->id == "rtx-3090");
  CHECK(machine.devices[1].gpu->id == "rtx-3090");
  CHECK(machine.devices[2].gpu->id == "rtx-4090");
  CHECK(machine.host.ram == gib(64));
  CHECK(machine.host.platform->id == "epyc-genoa");
}

TEST_CASE("nameless cards have a size and nothing else", "[query]") {
  const Machine machine = built(hardware({nameless(24, 2), nameless(16)}));
  REQUIRE(machine.devices.size() == 3);
  CHECK(machine.devices[0].gpu == nullptr);
  CHECK(machine.devices[1].capacity == gib(24));
  CHECK(machine.devices[2].capacity == gib(16));
  CHECK_FALSE(machine.devices[2].bandwidth);
}

TEST_CASE("what is reserved is reserved once, on the first card", "[query]") {
  HardwareQuery query = hardware({named("2x 3090")});
  const Bytes whole = built(query).devices[0].budget;
  query.reserve = gib(2);
  const Machine machine = built(query);
  CHECK(machine.devices[0].budget == whole - gib(2));
  CHECK(machine.devices[1].budget == whole);
  query.reserve = Bytes{};
  CHECK(built(query).devices[0].budget == whole);
}

TEST_CASE("at most 64 cards", "[query]") {
  CHECK(built(hardware({named("64x 4090")})).devices.size() == 64);
  CHECK(refusal(hardware({named("64x 4090"), named("t4")})) == "at most 64 cards can be planned");
  CHECK(refusal(hardware({nameless(24, 40), nameless(24, 40)})) == "at most 64 cards can be planned");
  // Counted as they come, not once there are millions.
  CHECK(refusal(hardware(std::vector<GpuQuery>(100'000, nameless(24, 64)))) ==
        "at most 64 cards can be planned");
}

TEST_CASE("the device that shares its memory is named wherever it stands", "[query]") {
  CHECK_THAT(refusal(hardware({named("rtx 4090"), named("m4-max", gib(64))})),
             starts_with("m4-max-40 shares its memory"));
}

TEST_CASE("hardware has to be named", "[query]") {
  CHECK_THAT(refusal({}), contains("name the hardware: --gpu NAME, --vram GIB or --ram GIB"));
  HardwareQuery only_ram;
  only_ram.ram = gib(16);
  CHECK(built(only_ram).devices.empty());
  only_ram.cpu = "threadripper";
  CHECK_THAT(refusal(only_ram), contains("no CPU platform named \"threadripper\""));
  CHECK_THAT(refusal(hardware({named("rtx 4900")})), contains("no hardware named \"rtx 4900\"; nearest:"));
}

TEST_CASE("an Apple chip is the machine", "[query]") {
  HardwareQuery query = hardware({named("m4-max", gib(64))});
  CHECK(built(query).devices[0].unified);
  query.wired_limit = gib(60);
  CHECK(built(query).devices[0].budget == gib(60));
  query.wired_limit.reset();
  query.wired_limit_share = 0.5;
  CHECK(built(query).devices[0].budget == gib(32));
  query.wired_limit_share.reset();
  query.wired_limit = gib(65);
  CHECK(refusal(query) != "(no error)");
  query.wired_limit.reset();
  query.ram = gib(64);
  CHECK_THAT(refusal(query), contains("--ram does not go with"));
  query.ram.reset();
  query.gpus.push_back(named("4090"));
  CHECK_THAT(refusal(query), contains("cannot be combined with other cards"));
  HardwareQuery card = hardware({named("4090")});
  card.wired_limit = gib(20);
  CHECK(refusal(card) == "--wired-limit is about Apple chips");
}

TEST_CASE("the CPU backend leaves the cards out", "[query]") {
  HardwareQuery query = hardware({named("4090")});
  query.ram = gib(64);
  query.backend = Backend::cpu;
  const Machine machine = built(query);
  CHECK(machine.devices.empty());
  CHECK(machine.host.ram == gib(64));
  HardwareQuery apple = hardware({named("m4-max", gib(64))});
  apple.backend = Backend::cpu;
  CHECK(built(apple).devices.empty());
  CHECK(built(apple).host.ram == gib(64));
}

TEST_CASE("a maker's own backend runs on its cards alone", "[query]") {
  const auto under = [](const char* name, Backend backend) {
    HardwareQuery query =
        hardware({named(name, name == std::string("m4-max") ? std::optional(gib(64)) : std::nullopt)});
    query.backend = backend;
    return refusal(query);
  };
  CHECK(under("rtx 4090", Backend::cuda) == "(no error)");
  CHECK(under("rtx 4090", Backend::vulkan) == "(no error)");
  CHECK(under("7900 xtx", Backend::rocm) == "(no error)");
  CHECK(under("m4-max", Backend::metal) == "(no error)");
  CHECK(under("rtx 4090", Backend::metal) == "--backend metal does not run on GeForce RTX 4090");
  CHECK(under("rtx 4090", Backend::rocm) == "--backend rocm does not run on GeForce RTX 4090");
  CHECK_THAT(under("7900 xtx", Backend::cuda), contains("--backend cuda does not run on"));
  CHECK_THAT(under("m4-max", Backend::cuda), contains("--backend cuda does not run on Apple M4 Max"));
}

TEST_CASE("a question is one model and one quantisation", "[query]") {
  CHECK(question(about("32b")) == "r1-distill-qwen-32b:Q4_K_M");
  CHECK(question(about("32b:Q8_0")) == "r1-distill-qwen-32b:Q8_0");
  CHECK(question(about("32b", "q8_0")) == "r1-distill-qwen-32b:Q8_0");
  CHECK(question(about("32b:Q8_0", "Q8_0")) == "r1-distill-qwen-32b:Q8_0");
  CHECK(question(about("32b:Q8_0", "Q4_K_M")) == "MODEL says Q8_0 and --quant Q4_K_M");
  CHECK_THAT(question(about("8b")), contains("more than one model: r1-distill-llama-8b, r1-0528-qwen3-8b"));
  CHECK(question(about("deepseek-r1:8b")) == "r1-0528-qwen3-8b:Q4_K_M");
  CHECK(question({}) == "name one model");
  CHECK_THAT(question(about("32b", nullptr, "olama")), contains("no engine named \"olama\""));
  NeedsQuery longest = about("32b");
  longest.context = ContextChoice::longest;
  CHECK(build_question(tiny_catalog(), longest).workload.context == tokens(131072));
}

TEST_CASE("the engine's own context needs an engine whose default is known", "[query]") {
  const auto with = [](const char* engine) {
    NeedsQuery query = about("32b", nullptr, engine);
    query.context = ContextChoice::by_engine;
    return query;
  };
  CHECK(question(with("")) == "--ctx default needs --engine: the default is the engine's own");
  CHECK(question(with("ollama")) == "--ctx default: what Ollama takes by itself is not known");
  NeedsQuery query = with("llama.cpp@2024-05");
  Question asked = build_question(tiny_catalog(), query);
  CHECK(asked.workload.parallel == 4);
  settle_context(asked, query, built(hardware({nameless(24)})));
  CHECK(asked.workload.context == tokens(4 * 4096));
  query.context = ContextChoice::stated;
  Question stated = build_question(tiny_catalog(), query);
  settle_context(stated, query, built(hardware({nameless(24)})));
  CHECK(stated.workload.context == tokens(8192));
}

TEST_CASE("a request holds each candidate once", "[query]") {
  NeedsQuery query;
  query.models = {"32b", "r1:32b", "deepseek-r1:8b"};
  query.quants = {"Q8_0", "q8-0"};
  const RecommendRequest request = build_request(tiny_catalog(), query);
  CHECK(request.models.size() == 2);
  CHECK(request.quants.size() == 1);
  CHECK_FALSE(request.engine);
  query.models = {"32b:Q8_0"};
  CHECK_THAT(error_of([&] { build_request(tiny_catalog(), query); }), contains("--model 32b:Q8_0"));
}

TEST_CASE("hardware that was never sold is an answer to a claim alone", "[query]") {
  const Catalog& catalog = builtin_catalog();
  const auto claimed = [&](const char* name, std::optional<Bytes> memory = {}) {
    return build_claimed_hardware(catalog, hardware({named(name, memory)}));
  };
  for (const ClaimedHardware& card : {claimed("2x rtx 4080 24gb"), claimed("2x rtx 4080", gib(24))}) {
    REQUIRE(card.machine);
    REQUIRE(card.machine->devices.size() == 2);
    CHECK(card.machine->devices.front().capacity == gib(24));
    REQUIRE(card.unsold.size() == 1);
    CHECK(card.unsold.front().sizes == std::vector<Bytes>{gib(16)});
    CHECK_THAT(card.unsold.front().why, contains("was sold with 16 GiB, never 24"));
  }
  const ClaimedHardware mac = claimed("m4 max", gib(192));
  REQUIRE(mac.machine);
  CHECK(mac.machine->devices.front().gpu->id == "m4-max-40");
  CHECK(mac.unsold.front().sizes.size() == 4);
  const ClaimedHardware never = claimed("m4 ultra", gib(192));
  CHECK_FALSE(never.machine);
  REQUIRE(never.unsold.size() == 1);
  CHECK(never.unsold.front().memory == gib(192));
  CHECK(claimed("rtx 4090").unsold.empty());
  CHECK_FALSE(build_claimed_hardware(catalog, {}).machine);
  // Everything else stays wrong.
  CHECK_THAT(error_of([&] { claimed("rtx 4900"); }), contains("nearest: rtx-4090"));
  CHECK_THAT(error_of([&] { claimed("m3 ultra"); }), contains("say which with --memory"));
  CHECK_THAT(error_of([&] { build_machine(catalog, hardware({named("rtx 4080 24gb")})); }),
             contains("never 24"));
}
