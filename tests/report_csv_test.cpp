#include <algorithm>

#include "catch.hpp"
#include "report_fixture.hpp"
#include "tiny_catalog.hpp"

using namespace r1fit;
using test::contains;
using test::plain;
using test::ReportFixture;

namespace {

/// The rows of RFC 4180 text.
std::vector<std::vector<std::string>> parse_csv(const std::string& text) {
  std::vector<std::vector<std::string>> rows;
  std::vector<std::string> row{""};
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c != '"') {
        row.back() += c;
      } else if (i + 1 < text.size() && text[i + 1] == '"') {
        row.back() += text[++i];
      } else {
        quoted = false;
      }
    } else if (c == '"') {
      quoted = true;
    } else if (c == ',') {
      row.emplace_back();
    } else if (c == '\n') {
      rows.push_back(row);
      row = {""};
    } else if (c != '\r') {
      row.back() += c;
    }
  }
  return rows;
}

}  // namespace

TEST_CASE("cells are quoted where they must be", "[report_csv]") {
  CHECK(csv_row({"a", "b c", ""}) == "a,b c,\r\n");
  CHECK(csv_row({"a,b", "say \"x\"", "two\nlines"}) == "\"a,b\",\"say \"\"x\"\"\",\"two\nlines\"\r\n");
}

TEST_CASE("the rows of a recommendation are as wide as their head", "[report_csv]") {
  const ReportFixture fixture;
  Recommendations result = fixture.some();
  result.ranked[0].why = "because, \"as said\"";
  PrintOptions options = plain();
  auto rows = parse_csv(csv_of(result, fixture.machine, options));
  REQUIRE(rows.size() == 3);
  for (const auto& row : rows) CHECK(row.size() == rows[0].size());
  CHECK(rows[0][0] == "rank");
  CHECK(rows[1].back() == "because, \"as said\"");
  const auto at = [&rows](std::size_t row, const std::string& name) {
    const auto column = std::ranges::find(rows[0], name) - rows[0].begin();
    return rows[row][static_cast<std::size_t>(column)];
  };
  CHECK(at(1, "model") == "r1-distill-qwen-32b");
  CHECK(at(1, "decode_tps_low") == "17.13");
  CHECK(at(1, "prefill_tps_low").empty());
  CHECK(at(1, "download_bytes") == "19900000000");
  options.verbose = true;
  rows = parse_csv(csv_of(result, fixture.machine, options));
  REQUIRE(rows.size() == 5);
  CHECK(at(3, "rank").empty());
  CHECK(at(3, "decode_tps_low").empty());
  options.top = 1;
  options.verbose = false;
  CHECK(parse_csv(csv_of(result, fixture.machine, options)).size() == 2);
}

TEST_CASE("check says yes or no in the first cell", "[report_csv]") {
  const ReportFixture fixture;
  Check check;
  check.estimate = fixture.estimate();
  check.failed = {"min_tps", "min_ctx"};
  const auto rows = parse_csv(csv_of(check, fixture.machine));
  REQUIRE(rows.size() == 2);
  CHECK(rows[1][0] == "no");
  CHECK(rows[1][1] == "min_tps min_ctx");
  CHECK(rows[0].size() == rows[1].size());
}

TEST_CASE("Markdown tables are whole and escape their bars", "[report_csv]") {
  CHECK(markdown_table({"a", "b"}, {{"x|y", "2"}}, {false, true}) ==
        "| a | b |\n| --- | ---: |\n| x\\|y | 2 |\n");
  const ReportFixture fixture;
  const std::string text = markdown_of(fixture.some(), fixture.request, fixture.machine, plain());
  CHECK_THAT(text, contains("| rank | model | quant |"));
  CHECK_THAT(text,
             contains("| 1 | R1-Distill-Qwen-32B | Q4_K_M | 20.7 | 19,456 | 17-41 | fits | 62.1 | 19.9 |"));
  CHECK_THAT(text, contains("```sh\nOLLAMA_CONTEXT_LENGTH=8192 ollama serve\n"));
  CHECK_THAT(text, contains("```\n\nor\n\n```sh\nllama-server"));
  CHECK_THAT(markdown_of(fixture.none(), fixture.request, fixture.machine, plain()),
             contains("Nothing fits."));
  CHECK_THAT(markdown_of(fixture.estimate(), fixture.machine), contains("| GiB | weights | KV cache |"));
}

TEST_CASE("lists have one row a record", "[report_csv]") {
  const Catalog& catalog = test::tiny_catalog();
  const auto models = parse_csv(csv_of(Listing::models, catalog));
  CHECK(models.size() == catalog.models.size() + 1);
  const auto hardware = parse_csv(csv_of(Listing::hardware, catalog));
  CHECK(hardware.size() == catalog.gpus.size() + catalog.hosts.size() + 1);
  for (const auto& row : hardware) CHECK(row.size() == hardware[0].size());
}
