#include "catch.hpp"
#include "report_fixture.hpp"

using namespace r1fit;
using test::contains;
using test::ReportFixture;
using test::text_fault;

namespace {

/// Tenths of a MiB of every "  name  1,234.5 MiB ..." line from `title` to its "in all", and that total.
std::pair<std::int64_t, std::int64_t> sums_of(const std::string& text, const std::string& title) {
  std::pair<std::int64_t, std::int64_t> sums{0, -1};
  std::size_t at = text.find(title);
  REQUIRE(at != std::string::npos);
  while (sums.second < 0) {
    at = text.find('\n', at) + 1;
    const std::string line = text.substr(at, text.find('\n', at) - at);
    const std::size_t unit = line.find(" MiB  ");
    if (unit == std::string::npos || line[unit - 1] < '0' || line[unit - 1] > '9') continue;
    std::int64_t tenths = 0;
    for (std::size_t i = line.rfind(' ', unit - 1) + 1; i < unit; ++i) {
      if (line[i] >= '0' && line[i] <= '9') tenths = tenths * 10 + (line[i] - '0');
    }
    if (line.starts_with("  in all")) {
      sums.second = tenths;
    } else {
      sums.first += tenths;
    }
  }
  return sums;
}

}  // namespace

TEST_CASE("the addends of every memory sum up to its total", "[explain]") {
  ReportFixture fixture;
  fixture.machine.devices.push_back(fixture.named());
  const std::string text = explain(fixture.estimate(), fixture.machine, {false, 120});
  for (const char* title :
       {"Memory of 24 GiB card, card 1", "Memory of GeForce RTX 4090, card 2", "Host memory"}) {
    const auto [parts, total] = sums_of(text, title);
    CHECK(parts == total);
  }
}

TEST_CASE("the formula of the KV cache has the figures of the model", "[explain]") {
  const ReportFixture fixture;
  Estimate estimate = fixture.estimate();
  CHECK_THAT(explain(estimate, fixture.machine, {false, 200}),
             contains("64 layers x 8,192 cells x 8 KV heads x 128 x (2 B K + 2 B V)"));
  estimate.workload.kv_k = estimate.workload.kv_v = KvType::q8_0;
  CHECK_THAT(explain(estimate, fixture.machine, {false, 200}), contains("(34/32 B K + 34/32 B V)"));
  CHECK_THAT(explain(fixture.too_large(), fixture.machine, {false, 200}),
             contains("61 layers x 8,192 cells x (512 + 64) x 2 B, no V cache under MLA"));
}

TEST_CASE("the speed is bytes over bandwidth, with its sources", "[explain]") {
  const ReportFixture fixture;
  const std::string text = explain(fixture.estimate(), fixture.machine, {false, 200});
  CHECK_THAT(text, contains("19.40 GB / (720 GB/s x 0.84"));
  CHECK_THAT(text, contains("= 32.1 ms"));
  CHECK_THAT(text, contains("launches 64 layers x 0.030 ms = 1.9 ms"));
  CHECK_THAT(text, contains("fitted to many runs"));
  CHECK_THAT(text, contains("config.json of the model"));
  CHECK_THAT(explain(fixture.too_large(), fixture.machine, {false, 200}),
             contains("Not known: it does not fit."));
}

TEST_CASE("a model that was never placed is no trouble", "[explain]") {
  const ReportFixture fixture;
  CHECK(text_fault(explain(fixture.dropped(), fixture.machine, {false, 80}), 80) == "");
}

TEST_CASE("the measurements nearby are told with their sources", "[explain]") {
  const ReportFixture fixture;
  Estimate estimate = fixture.estimate();
  CHECK_THAT(explain(estimate, fixture.machine, {false, 80}), !contains("Measured nearby"));
  Measurement run{};
  run.model = &fixture.model;
  run.quant = &fixture.quant;
  run.ran = "Some-32B";
  run.decode = tok_per_s(38.2);
  run.depth_assumed = true;
  run.year = 2026;
  run.grade = Grade::B;
  run.source = "https://example.org/run";
  estimate.measured = std::vector<NearRun>{{&run, "Ollama", "same card and quant, another model", ""}};
  const std::string text = explain(estimate, fixture.machine, {false, 80});
  CHECK(text_fault(text, 80) == "");
  CHECK_THAT(text,
             contains("Measured nearby\n  same card and quant, another model: 38.2 tok/s with Some-32B"));
  CHECK_THAT(text, contains("https://example.org/run (medium confidence)"));
}
