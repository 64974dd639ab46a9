#include "catch.hpp"
#include "report_fixture.hpp"

using namespace r1fit;
using test::contains;
using test::plain;
using test::ReportFixture;
using test::text_fault;

TEST_CASE("every text for people is printable and keeps to the width", "[report_table]") {
  ReportFixture fixture;
  const bool two = GENERATE(false, true);
  if (two) fixture.machine.devices.push_back(fixture.named());
  const Recommendations some = fixture.some();
  const Recommendations none = fixture.none();
  Check check;
  check.estimate = fixture.estimate();
  Check failed;
  failed.estimate = fixture.too_large();
  failed.failed = {"fit", "min_tps", "min_ctx"};
  failed.required.min_tps = tok_per_s(30);
  failed.required.min_context = tokens(32768);
  failed.ways = {"--ctx 4096", "--kv q8_0", "--quant Q2_K"};
  for (const int width : {40, 60, 80, 120, 200}) {
    PrintOptions options = plain(width);
    const auto limit = static_cast<std::size_t>(width);
    for (const bool more : {false, true}) {
      options.verbose = more;
      options.explain = more;
      CHECK(text_fault(table_of(some, fixture.request, fixture.machine, options), limit) == "");
      CHECK(text_fault(table_of(none, fixture.request, fixture.machine, options), limit) == "");
      CHECK(text_fault(table_of(some.ranked[0].estimate, fixture.machine, options), limit) == "");
      CHECK(text_fault(table_of(check, fixture.machine, options), limit) == "");
      CHECK(text_fault(table_of(failed, fixture.machine, options), limit) == "");
    }
  }
}

TEST_CASE("colour adds escape codes and nothing else", "[report_table]") {
  const ReportFixture fixture;
  PrintOptions options = plain();
  const std::string without = table_of(fixture.some(), fixture.request, fixture.machine, options);
  options.style.color = true;
  std::string with = table_of(fixture.some(), fixture.request, fixture.machine, options);
  CHECK(with.size() > without.size());
  for (std::size_t at = with.find('\x1b'); at != std::string::npos; at = with.find('\x1b')) {
    with.erase(at, with.find('m', at) + 1 - at);
  }
  CHECK(with == without);
}

TEST_CASE("the first screen says hardware, pick, arithmetic, speed, commands and what is out of reach",
          "[report_table]") {
  const ReportFixture fixture;
  const std::string text = table_of(fixture.some(), fixture.request, fixture.machine, plain());
  CHECK(text.starts_with("24 GiB card, not named; RAM not stated.\n"));
  CHECK_THAT(text, contains("Slow Card (432 GB/s) to GeForce RTX 4090"));
  CHECK_THAT(text, contains("name yours with --gpu."));
  CHECK_THAT(text, contains("Best answers: R1-Distill-Qwen-32B, Q4_K_M"));
  CHECK_THAT(text, contains("20.7 of 23.5 GiB\n"));
  CHECK_THAT(text, contains("19,456"));
  CHECK_THAT(text, contains("17-41 tok/s, usable to comfortable"));
  CHECK_THAT(text, contains("AIME 2024 72.6, GPQA Diamond 62.1 at 16 bits"));
  CHECK_THAT(text,
             contains("OLLAMA_CONTEXT_LENGTH=8192 ollama serve\n           ollama run deepseek-r1:32b\n"));
  CHECK_THAT(text, contains("-c 8192 -ngl 99 --a-flag-that-makes-it-longer-than-a-line-of-120-columns\n"));
  CHECK_THAT(text, contains("19.9 GB (decimal GB; 18.5 GiB)"));
  CHECK_THAT(text, contains("354.1 GiB short, runs with --kv q8_0; as asked"));
  CHECK_THAT(text, contains("\n    = fastest that is still good, longest context that is still good\n"));
  CHECK(text.find("Rejected") == std::string::npos);
}

TEST_CASE("the parts printed add up to the total printed", "[report_table]") {
  const ReportFixture fixture;
  const std::string text = table_of(fixture.estimate(), fixture.machine, plain());
  // 18.14 + 2.04 + 0.23 + 0.24 = 20.65, printed 20.7: one part has to go up.
  CHECK_THAT(text, contains("weights 18.1 + KV cache 2.1 + buffers 0.2 + runtime 0.3; 2.8 left") ||
                       contains("weights 18.2 + KV cache 2.0 + buffers 0.2 + runtime 0.3; 2.8 left") ||
                       contains("weights 18.2 + KV cache 2.1 + buffers 0.2 + runtime 0.2; 2.8 left"));
}

TEST_CASE("three remarks at most, all of them with -v", "[report_table]") {
  const ReportFixture fixture;
  PrintOptions options = plain();
  const std::string brief = table_of(fixture.estimate(), fixture.machine, options);
  CHECK(brief.find("The fourth remark") == std::string::npos);
  CHECK_THAT(brief, contains("1 more with -v"));
  options.verbose = true;
  CHECK_THAT(table_of(fixture.estimate(), fixture.machine, options), contains("The fourth remark"));
}

TEST_CASE("a model that strains says what makes it comfortable", "[report_table]") {
  ReportFixture fixture;
  Estimate estimate = fixture.estimate();
  estimate.placement.verdict = Verdict::tight;
  estimate.placement.strain = Strain::inside_margin;
  estimate.comfortable_with = {"--ctx 7168", "--kv q8_0"};
  fixture.machine.devices[0].budget = gib(21);
  CHECK_THAT(table_of(estimate, fixture.machine, plain()), contains("--kv q8_0"));
  CHECK_THAT(table_of(estimate, fixture.machine, plain()), contains("Comfortable with --ctx 7168 or"));
  estimate.placement.strain = Strain::raised_limit;
  fixture.machine.devices[0].budget = gib(16);
  fixture.machine.devices[0].stretched = gib(22);
  fixture.machine.devices[0].stretch = "sudo sysctl iogpu.wired_limit_mb=22528";
  const std::string raised = table_of(estimate, fixture.machine, plain());
  CHECK_THAT(raised, contains("20.7 of 22.0 GiB"));
  CHECK_THAT(raised, contains("           sudo sysctl iogpu.wired_limit_mb=22528\n"));
}

TEST_CASE("with several cards the fullest is shown and named", "[report_table]") {
  ReportFixture fixture;
  fixture.machine.devices.push_back(fixture.nameless());
  Estimate estimate = fixture.estimate();
  estimate.placement.devices[1].weights = gib(19);
  const std::string text = table_of(estimate, fixture.machine, plain(120));
  CHECK(text.starts_with("2 x 24 GiB cards, not named; "));
  CHECK_THAT(text, contains("of the fullest, card 2 of 2"));
  CHECK_THAT(text, contains("of 47.0 GiB"));
}

TEST_CASE("the memory bar marks the budget where the need goes beyond it", "[report_table]") {
  ReportFixture fixture;
  fixture.machine.devices[0].budget = gib(16);
  Estimate estimate = fixture.estimate();
  estimate.placement.verdict = Verdict::does_not_fit;
  const std::string text = table_of(estimate, fixture.machine, plain(120));
  CHECK_THAT(text, contains("w|w"));
  CHECK_THAT(text, contains("kbr]"));
  CHECK_THAT(text, contains("runtime 0.3; 4.7 GiB short"));
}

TEST_CASE("nothing fits: said plainly, with the nearest miss and the reasons", "[report_table]") {
  const ReportFixture fixture;
  const std::string text = table_of(fixture.none(), fixture.request, fixture.machine, plain());
  CHECK_THAT(text, contains("Nothing fits.\n"));
  CHECK_THAT(text, contains("Nearest: R1-0528 671B, Q4_K_M"));
  CHECK_THAT(text, contains("Just out of reach"));
  CHECK_THAT(text, contains("1 more with -v"));
  PrintOptions options = plain();
  options.verbose = true;
  CHECK_THAT(table_of(fixture.none(), fixture.request, fixture.machine, options),
             contains("supports at most 131,072 tokens"));
  CHECK_THAT(table_of(Recommendations{}, fixture.request, Machine{}, plain()),
             contains("No GPU; RAM not stated."));
}

TEST_CASE("an unknown speed is said, not shown as 0", "[report_table]") {
  const ReportFixture fixture;
  Estimate estimate = fixture.estimate();
  estimate.speed = {};
  estimate.speed.unknown = "no card of this size is known";
  CHECK_THAT(table_of(estimate, fixture.machine, plain()),
             contains("not known: no card of this size is known"));
}

TEST_CASE("cards that were not named are told by what is known of them", "[report_table]") {
  ReportFixture fixture;
  const auto text = [&] { return table_of(fixture.some(), fixture.request, fixture.machine, plain(200)); };
  CHECK_THAT(text(), contains("Speeds span the cards of this size, ") && contains("1,008 GB/s)"));
  fixture.machine.devices.push_back(fixture.nameless());
  CHECK_THAT(text(), contains("Speeds span the cards of this size, "));
  fixture.machine.devices.back().capacity = gib(12);
  CHECK_THAT(text(), contains("Speeds span the cards of these sizes, "));
  // A stated bandwidth counts in place of theirs.
  fixture.machine.devices.pop_back();
  fixture.machine.devices.front().bandwidth = gb_per_s(900);
  CHECK_THAT(text(), contains("900 GB/s") &&
                         contains("Speeds span the kinds of card of this size at this bandwidth, ") &&
                         !contains("1,008 GB/s"));
}

TEST_CASE("a stated bandwidth of RAM counts in place of those of PCs", "[report_table]") {
  ReportFixture fixture;
  fixture.machine.devices.clear();
  fixture.machine.host.bandwidth = gb_per_s(50);
  CHECK_THAT(table_of(fixture.some(), fixture.request, fixture.machine, plain(200)),
             contains("Speeds span the kinds of CPU it may be at this bandwidth: name yours with --cpu."));
}

TEST_CASE("check answers in the first word", "[report_table]") {
  const ReportFixture fixture;
  Check check;
  check.estimate = fixture.estimate();
  CHECK(table_of(check, fixture.machine, plain())
            .starts_with("yes: R1-Distill-Qwen-32B Q4_K_M at 8,192 tokens needs "));
  check.failed = {"min_tps"};
  check.required.min_tps = tok_per_s(60);
  const std::string no = table_of(check, fixture.machine, plain());
  CHECK(no.starts_with("no: "));
  CHECK_THAT(no, contains("60 tok/s wanted; typically 28 (17-41)."));
}

TEST_CASE("what a check lacks is said with the digits that show it", "[report_table]") {
  const ReportFixture fixture;
  Check check;
  check.estimate = fixture.estimate();
  check.estimate.speed.decode = Range<TokensPerSecond>{tok_per_s(36.98), tok_per_s(41.96), tok_per_s(48)};
  check.estimate.speed.answer = Range<Seconds>{seconds(30), seconds(36.4), seconds(125.2)};
  check.estimate.waits.length.thinking = {tokens(500), tokens(1000), tokens(2000)};
  check.failed = {"min_tps", "max_answer_s"};
  check.required.min_tps = tok_per_s(42);
  check.required.max_answer = seconds(36);
  const std::string typical = table_of(check, fixture.machine, plain());
  CHECK_THAT(typical, contains("42 tok/s wanted; typically 41.96 (37-48)."));
  CHECK_THAT(typical, contains("An answer in 36 s wanted; typically 36.4 s (30-125 s)."));
  check.required.pessimistic = true;
  check.required.min_tps = tok_per_s(37);
  check.required.max_answer = seconds(125);
  const std::string slow = table_of(check, fixture.machine, plain());
  CHECK_THAT(slow, contains("37 tok/s wanted at the slow end; typically 42 (36.98-48)."));
  CHECK_THAT(slow, contains("125 s wanted at the slow end; typically 36 s (30-125.2 s)."));
}

TEST_CASE("a list is cut by --top", "[report_table]") {
  const ReportFixture fixture;
  PrintOptions options = plain();
  options.top = 1;
  CHECK(table_of(fixture.some(), fixture.request, fixture.machine, options).find("Also good") ==
        std::string::npos);
}
