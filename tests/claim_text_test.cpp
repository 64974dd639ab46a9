#include "claim_text.hpp"

#include <string>
#include <vector>

#include "catch.hpp"
#include "r1fit/report.hpp"
#include "report_fixture.hpp"

using namespace r1fit;
using namespace r1fit::parts;
using test::contains;
using test::plain;
using test::ReportFixture;
using test::starts_with;
using test::text_fault;

namespace {

/// A claimed speed on the named card of the fixture: 1,008 GB/s and 20 GB a token.
Claim claim_of(const ReportFixture& fixture, ClaimVerdict verdict, std::string text) {
  Claim claim;
  claim.claimed.kind = ClaimKind::decode_tps;
  claim.claimed.text = std::move(text);
  claim.verdict = verdict;
  claim.estimate = fixture.estimate();
  claim.machine = fixture.machine;
  claim.machine->devices = {fixture.named()};
  claim.speed = claim.estimate.speed;
  claim.speed.slowest.clear();
  claim.speed.fastest.clear();
  claim.limit = tok_per_s(50.4);
  claim.realistic = tok_per_s(40);
  claim.limit_steps = {{"rtx-4090", read_per_token(gb(20)), gb_per_s(1008)}};
  return claim;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

}  // namespace

TEST_CASE("an impossible claim shows the division", "[claim_text]") {
  const ReportFixture fixture;
  Claim claim = claim_of(fixture, ClaimVerdict::impossible, "100");
  CHECK(claim_headline(claim) ==
        "1,008 GB/s / 20.0 GB read per token = 50.4 tok/s at most; 100 tok/s is claimed.");
  CHECK_THAT(joined(claim_lines(claim)), contains("Realistic is 17-40 tok/s, typically 28."));
  claim.limit_steps.push_back({"host memory", read_per_token(gb(5)), gb_per_s(50)});
  CHECK_THAT(claim_headline(claim),
             starts_with("20.0 GB / 1,008 GB/s + 5.00 GB / 50 GB/s = 119.8 ms a token"));
}

TEST_CASE("a claim below what is realistic does not agree with it", "[claim_text]") {
  const ReportFixture fixture;
  Claim claim = claim_of(fixture, ClaimVerdict::plausible, "5");
  claim.claimed.speed = {tok_per_s(5), tok_per_s(5), tok_per_s(0.5), tok_per_s(0.5)};
  CHECK(claim_headline(claim) == "5 tok/s agrees with what is realistic, 17-40 tok/s, typically 28.");
  claim.notes = {{"slow_side", "It is slow."}};
  CHECK(claim_headline(claim) ==
        "5 tok/s is possible, but slower than is realistic, 17-40 tok/s, typically 28.");
  CHECK_THAT(joined(claim_lines(claim)), !contains("It is slow."));
  // The digits show that it is.
  claim.claimed.speed.high = tok_per_s(17.12);
  CHECK_THAT(claim_headline(claim), contains("slower than is realistic, 17.13-40 tok/s"));
}

TEST_CASE("what was not looked for is not mentioned, what was not found is", "[claim_text]") {
  const ReportFixture fixture;
  Claim claim = claim_of(fixture, ClaimVerdict::impossible, "90-100");
  CHECK_THAT(joined(claim_lines(claim)), !contains("catalogue"));
  claim.sought = true;
  CHECK_THAT(joined(claim_lines(claim)),
             contains("Nothing in the catalogue typically reaches 100 tok/s with all of it on the GPU."));
  claim.instead.push_back({"cards", &fixture.fast, 2, gib(24), false, claim.speed.decode});
  CHECK_THAT(joined(claim_lines(claim)), contains("2 x GeForce RTX 4090 (28 tok/s); no Mac does."));
}

TEST_CASE("a verdict of memory has the memory first", "[claim_text]") {
  const ReportFixture fixture;
  Claim claim = claim_of(fixture, ClaimVerdict::does_not_fit, "20");
  claim.shortfall = gib(5);
  claim.notes = {{"no_such_hardware", "Never sold."}, {"does_not_fit", "It needs more."}};
  CHECK(claim_headline(claim) == "it needs more.");
  CHECK_THAT(joined(claim_lines(claim)), contains("Never sold.") &&
                                             contains("The limit with memory enough: ") &&
                                             !contains("It needs more"));
  CHECK(claim_verdict_text(claim.verdict) == "does not fit");
}

TEST_CASE("every format has the verdict", "[claim_text]") {
  const ReportFixture fixture;
  Claim claim = claim_of(fixture, ClaimVerdict::optimistic, "45");
  claim.claimed.speed = {tok_per_s(45), tok_per_s(45), tok_per_s(0.5), tok_per_s(0.5)};
  for (const int width : {40, 80, 120}) {
    const std::string text = report(Format::table, claim, plain(width));
    CHECK(text_fault(text, static_cast<std::size_t>(width)) == "");
    CHECK_THAT(text, starts_with("optimistic: 45 tok/s is above what"));
  }
  CHECK_THAT(report(Format::md, claim, plain()), starts_with("**optimistic**: 45 tok/s"));
  CHECK_THAT(report(Format::json, claim, plain()), contains("\"verdict\": \"optimistic\""));
  const std::string csv = report(Format::csv, claim, plain());
  CHECK_THAT(
      csv, starts_with("verdict,kind,model,") && contains("\r\noptimistic,decode_tps,r1-distill-qwen-32b,"));
}

TEST_CASE("colour tells nothing that words do not", "[claim_text]") {
  const ReportFixture fixture;
  const Claim claim = claim_of(fixture, ClaimVerdict::impossible, "100");
  PrintOptions coloured = plain();
  coloured.style.color = true;
  std::string text = report(Format::table, claim, coloured);
  for (std::size_t at = text.find('\033'); at != std::string::npos; at = text.find('\033')) {
    text.erase(at, text.find('m', at) - at + 1);
  }
  CHECK(text == report(Format::table, claim, plain()));
}
