#include "catch.hpp"
#include "r1fit/lookup.hpp"
#include "report_fixture.hpp"
#include "tiny_catalog.hpp"

using namespace r1fit;
using test::contains;
using test::plain;
using test::text_fault;

namespace {

/// Commands of an engine's record stand alone on lines that may be longer.
std::string without_commands(const std::string& text) {
  std::string kept;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at) + 1;
    if (text.compare(at, 4, "    ") != 0 || text[at + 4] == ' ') kept += text.substr(at, end - at);
    at = end;
  }
  return kept;
}

}  // namespace

TEST_CASE("lists keep to the width and name every record", "[report_catalog]") {
  const Catalog& catalog = test::tiny_catalog();
  for (const int width : {40, 80, 120}) {
    for (const Listing listing : {Listing::models, Listing::quants, Listing::hardware, Listing::engines}) {
      CHECK(text_fault(report_list(Format::table, listing, catalog, plain(width)),
                       static_cast<std::size_t>(width)) == "");
    }
  }
  const std::string hardware = report_list(Format::table, Listing::hardware, catalog, plain());
  for (const Gpu& gpu : catalog.gpus) CHECK_THAT(hardware, contains(std::string(gpu.id)));
  for (const Host& host : catalog.hosts) CHECK_THAT(hardware, contains(std::string(host.id)));
}

TEST_CASE("records keep to the width in every kind", "[report_catalog]") {
  const Catalog& catalog = test::tiny_catalog();
  const auto check = [&](const auto& records) {
    for (const auto& record : records) {
      for (const int width : {40, 80, 120}) {
        const std::string text = report_record(Format::table, record, catalog, plain(width));
        CHECK(text_fault(without_commands(text), static_cast<std::size_t>(width)) == "");
        CHECK_THAT(text, contains(std::string(record.id)));
      }
    }
  };
  check(catalog.models);
  check(catalog.quants);
  check(catalog.gpus);
  check(catalog.hosts);
  check(catalog.engines);
}

TEST_CASE("a figure names its source, and its doubt", "[report_catalog]") {
  const test::ReportFixture fixture;
  const std::array<Text, 1> bandwidth{"bandwidth"};
  const std::array<Source, 1> sources{Source{"a datasheet", bandwidth, Confidence::medium}};
  Gpu gpu = fixture.fast;
  gpu.sources = sources;
  const std::string text = report_record(Format::table, gpu, test::tiny_catalog(), plain());
  CHECK_THAT(text, contains("1,008 GB/s [1] (medium confidence)"));
  CHECK_THAT(text, contains("[1] a datasheet (medium confidence)"));
}

TEST_CASE("one record in the formats of rows is its row of the list", "[report_catalog]") {
  const Catalog& catalog = test::tiny_catalog();
  const std::string csv = report_record(Format::csv, catalog.gpus.front(), catalog, plain());
  CHECK(std::ranges::count(csv, '\n') == 2);
  CHECK_THAT(csv, contains(std::string(catalog.gpus.front().id)));
  CHECK_THAT(report_record(Format::json, catalog.models.front(), catalog, plain()), contains("r1fit.list/1"));
  CHECK_THAT(report_record(Format::md, catalog.quants.front(), catalog, plain()), contains("| --- |"));
}

TEST_CASE("a device is shown with the speeds measured on it", "[report_catalog]") {
  const Catalog& catalog = test::tiny_catalog();
  const std::string text = report_record(Format::table, catalog.gpus.front(), catalog, plain(120));
  CHECK_THAT(text, contains("Measured\n"));
  CHECK_THAT(text, contains("  2 cards"));
  CHECK_THAT(text, contains("https://example.org/4090x2"));
  CHECK_THAT(text, contains("a forum (low confidence)"));
  // Small models first.
  CHECK(text.find("  131  ") < text.find("  44.5  "));
  const Gpu& odd = *gpu_named(catalog, "rtx-3090").gpu;
  CHECK_THAT(report_record(Format::table, odd, catalog, plain(120)), contains(" outlier\n"));
  const std::string markdown = report_record(Format::md, odd, catalog, plain());
  CHECK_THAT(markdown, contains("| ran | quant | tok/s |"));
  CHECK_THAT(markdown, contains("| a tenth of its peers |"));
  const Gpu& unmeasured = *gpu_named(catalog, "rtx-4070").gpu;
  CHECK_THAT(report_record(Format::table, unmeasured, catalog, plain()), !contains("Measured\n"));
}
