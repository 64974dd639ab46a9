#include <limits>
#include <nlohmann/json.hpp>

#include "catch.hpp"
#include "r1fit/lookup.hpp"
#include "report_fixture.hpp"
#include "schema.hpp"
#include "tiny_catalog.hpp"

using namespace r1fit;
using nlohmann::json;
using nlohmann::ordered_json;
using test::plain;
using test::ReportFixture;
using test::schema_fault;
using test::schema_json;

namespace {

std::string keys_of(const ordered_json& object) {
  std::string keys;
  for (const auto& [key, value] : object.items()) keys += (keys.empty() ? "" : " ") + key;
  return keys;
}

}  // namespace

TEST_CASE("every document keeps to its schema", "[report_json]") {
  ReportFixture fixture;
  const bool named = GENERATE(false, true);
  if (named) {
    fixture.machine.devices = {fixture.named(), fixture.named()};
    fixture.machine.host.ram = gib(64);
    fixture.machine.host.budget = gib(60.8);
    fixture.machine.disk = gb_per_s(5);
  }
  CHECK(schema_fault("estimate", json_of(fixture.estimate(), fixture.machine)) == "");
  CHECK(schema_fault("estimate", json_of(fixture.too_large(), fixture.machine)) == "");
  CHECK(schema_fault("estimate", batch_line("{\"any\": [1]}", fixture.estimate(), fixture.machine)) == "");
  CHECK(schema_fault("recommendation", json_of(fixture.some(), fixture.request, fixture.machine, plain())) ==
        "");
  CHECK(schema_fault("recommendation", json_of(fixture.none(), fixture.request, fixture.machine, plain())) ==
        "");
  CHECK(schema_fault("recommendation", json_of(Recommendations{}, fixture.request, Machine{}, plain())) ==
        "");
  CHECK(schema_fault("memory", batch_memory_line("7", fixture.estimate(), fixture.machine)) == "");
  CHECK(schema_fault("batch_error", batch_error_line("7", "no such \"model\"")) == "");
  Check check;
  check.estimate = fixture.estimate();
  check.failed = {"fit"};
  check.ways = {"--ctx 4096"};
  check.step_up = {"a 64 GiB Mac"};
  check.required.min_tps = tok_per_s(30);
  CHECK(schema_fault("check", json_of(check, fixture.machine)) == "");
  for (const Listing listing : {Listing::models, Listing::quants, Listing::hardware, Listing::engines}) {
    CHECK(schema_fault("list", json_of(listing, test::tiny_catalog())) == "");
  }
}

TEST_CASE("measurements nearby come with what they are and how they differ", "[report_json]") {
  const ReportFixture fixture;
  const Catalog& catalog = test::tiny_catalog();
  Estimate estimate = fixture.estimate();
  CHECK_FALSE(json::parse(json_of(estimate, fixture.machine))["speed"].contains("measured"));
  estimate.measured.emplace();
  CHECK(json::parse(json_of(estimate, fixture.machine))["speed"]["measured"].empty());
  for (const Measurement& run : catalog.measurements) {
    estimate.measured = std::vector<NearRun>{{&run, "an engine", "same card", ""}};
    const std::string text = json_of(estimate, fixture.machine);
    CHECK(schema_fault("estimate", text) == "");
    const json measured = json::parse(text)["speed"]["measured"][0];
    CHECK(measured["differs"] == "same card");
    CHECK(measured["decode_tps"] == run.decode.count());
    CHECK(measured["depth"].is_null() == run.depth_assumed);
    CHECK(measured["year"].is_null() == !run.year);
  }
}

TEST_CASE("a record shown has the speeds measured of it", "[report_json]") {
  const Catalog& catalog = test::tiny_catalog();
  const json card = json::parse(json_of(catalog.gpus[0], catalog))["items"][0]["measurements"];
  REQUIRE(card.size() == 6);
  for (std::size_t i = 1; i < card.size(); ++i) {
    CHECK(model_named(catalog, card[i - 1]["model"].get<std::string>()).shape->parameters <=
          model_named(catalog, card[i]["model"].get<std::string>()).shape->parameters);
  }
  const json platform = json::parse(json_of(host_named(catalog, "epyc-genoa"), catalog))["items"][0];
  CHECK(platform["measurements"][0]["decode_tps"] == 9);
  CHECK(json::parse(json_of(model_named(catalog, "r1-zero-671b"), catalog))["items"][0]["measurements"]
            .size() == 1);
  for (const Gpu& gpu : catalog.gpus) CHECK(schema_fault("list", json_of(gpu, catalog)) == "");
  for (const Host& host : catalog.hosts) CHECK(schema_fault("list", json_of(host, catalog)) == "");
  for (const Model& model : catalog.models) CHECK(schema_fault("list", json_of(model, catalog)) == "");
}

TEST_CASE("a schema refuses what is not promised", "[report_json]") {
  const ReportFixture fixture;
  json document = json::parse(json_of(fixture.estimate(), fixture.machine));
  document["surprise"] = 1;
  CHECK(schema_fault("estimate", document.dump()) != "");
  document.erase("surprise");
  document["verdict"] = "maybe";
  CHECK(schema_fault("estimate", document.dump()) != "");
}

TEST_CASE("the schemas describe shared parts alike", "[report_json]") {
  const json estimate = schema_json("estimate")["definitions"];
  for (const char* other : {"check", "recommendation"}) {
    const json definitions = schema_json(other)["definitions"];
    for (const auto& [name, definition] : estimate.items()) CHECK(definitions.at(name) == definition);
  }
  // A claim has some of them.
  const json all = schema_json("recommendation")["definitions"];
  const json claim = schema_json("claim")["definitions"];
  for (const auto& [name, definition] : claim.items()) {
    CAPTURE(name);
    CHECK(all.at(name) == definition);
  }
}

TEST_CASE("the keys of an estimate come in the promised order", "[report_json]") {
  const ReportFixture fixture;
  const ordered_json document = ordered_json::parse(json_of(fixture.estimate(), fixture.machine));
  CHECK(keys_of(document) ==
        "schema model quant engine engine_release backend context kv_type_k kv_type_v flash_attn ubatch "
        "parallel depth "
        "verdict "
        "placement memory speed quality comfortable_with commands notes");
  CHECK(document["schema"] == "r1fit.estimate/1");
  CHECK(document["flash_attn"] == "on");
  Estimate no_engine = fixture.estimate();
  no_engine.engine = {};
  CHECK(ordered_json::parse(json_of(no_engine, fixture.machine))["engine"] == "llama.cpp");
  CHECK(keys_of(document["memory"]["host"]).starts_with("budget_bytes weights_bytes kv_cache_bytes"));
}

TEST_CASE("bytes are integers and the parts are the total", "[report_json]") {
  const ReportFixture fixture;
  Estimate estimate = fixture.estimate();
  estimate.placement.devices[0].pool = mib(77);
  const json memory = json::parse(json_of(estimate, fixture.machine))["memory"];
  const json& device = memory["devices"][0];
  std::int64_t sum = 0;
  for (const char* part :
       {"weights_bytes", "kv_cache_bytes", "compute_bytes", "pool_bytes", "runtime_bytes"}) {
    REQUIRE(device[part].is_number_integer());
    sum += device[part].get<std::int64_t>();
  }
  CHECK(device["total_bytes"] == sum);
  CHECK(device["weights_bytes"] == gib(18.14).count());
  const json& host = memory["host"];
  CHECK(host["total_bytes"] ==
        host["weights_bytes"].get<std::int64_t>() + host["kv_cache_bytes"].get<std::int64_t>() +
            host["compute_bytes"].get<std::int64_t>() + host["output_bytes"].get<std::int64_t>());
}

TEST_CASE("what is not known is null", "[report_json]") {
  const ReportFixture fixture;
  const json large = json::parse(json_of(fixture.too_large(), fixture.machine));
  CHECK(large["speed"]["decode_tps"].is_null());
  CHECK(large["speed"]["limit_tps"].is_null());
  CHECK(large["memory"]["max_context"].is_null());
  CHECK(large["memory"]["devices"][0]["name"].is_null());
  CHECK(large["memory"]["host"]["budget_bytes"].is_null());
  CHECK(large["quality"]["aime2024_pass1"].is_null());
  CHECK(large["quality"]["gpqa_diamond_pass1"] == 81.0);
  const json all = json::parse(json_of(fixture.some(), fixture.request, fixture.machine, plain()));
  CHECK(all["hardware"]["devices"][0]["bandwidth_gbps"].is_null());
  CHECK(all["hardware"]["host"]["ram_bytes"].is_null());
  CHECK(all["rejected"][1]["memory"].is_null());
  CHECK(all["recommendations"][0]["rank"] == 1);
}

TEST_CASE("speeds have two decimals and are never NaN or infinite", "[report_json]") {
  const ReportFixture fixture;
  Estimate estimate = fixture.estimate();
  CHECK(json::parse(json_of(estimate, fixture.machine))["speed"]["decode_tps"]["low"] == 17.13);
  estimate.speed.decode->low = tok_per_s(std::numeric_limits<double>::quiet_NaN());
  estimate.speed.decode->high = tok_per_s(std::numeric_limits<double>::infinity());
  estimate.speed.decode->typical = tok_per_s(0.00432);
  const json speed = json::parse(json_of(estimate, fixture.machine))["speed"]["decode_tps"];
  CHECK(speed["low"].is_null());
  CHECK(speed["high"].is_null());
  CHECK(speed["typical"] > 0.0);
}

TEST_CASE("batch answers are one line each with the id first, as it came", "[report_json]") {
  const ReportFixture fixture;
  const std::string line = batch_line("\"x\"", fixture.estimate(), fixture.machine);
  CHECK(line.starts_with("{\"id\":\"x\",\"schema\":\"r1fit.estimate/1\","));
  CHECK(line.find('\n') == line.size() - 1);
  CHECK(json::accept(line));
  CHECK(batch_line("", fixture.estimate(), fixture.machine).starts_with("{\"schema\":"));
  CHECK(batch_error_line("12", "a \"bad\"\nline") == "{\"id\":12,\"error\":\"a \\\"bad\\\"\\nline\"}\n");
  CHECK(batch_error_line("", "x") == "{\"id\":null,\"error\":\"x\"}\n");
}

TEST_CASE("a name that is no UTF-8 does not break the document", "[report_json]") {
  ReportFixture fixture;
  fixture.model.id = "bad\xff";
  CHECK(json::accept(json_of(fixture.estimate(), fixture.machine)));
}
