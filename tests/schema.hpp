// Holds JSON documents against docs/schema/.
#pragma once

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include "catch.hpp"

namespace r1fit::test {

inline nlohmann::json schema_json(const std::string& name) {
  std::ifstream file(std::filesystem::path(R1FIT_SOURCE_DIR) / "docs" / "schema" / (name + ".schema.json"));
  REQUIRE(file);
  return nlohmann::json::parse(file);
}

/// Where `text` breaks the schema; empty: nowhere.
inline std::string schema_fault(const std::string& name, const std::string& text) {
  using Adapter = valijson::adapters::NlohmannJsonAdapter;
  const nlohmann::json rules = schema_json(name);
  valijson::Schema schema;
  valijson::SchemaParser().populateSchema(Adapter(rules), schema);
  const nlohmann::json document = nlohmann::json::parse(text);
  valijson::Validator validator;
  valijson::ValidationResults results;
  if (validator.validate(schema, Adapter(document), &results)) return "";
  std::string fault = "invalid";
  valijson::ValidationResults::Error error;
  while (results.popError(error)) {
    fault += "\n";
    for (const std::string& step : error.context) fault += step;
    fault += ": " + error.description;
  }
  return fault;
}

}  // namespace r1fit::test
