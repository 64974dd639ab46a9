// JSON text to a value, with the place of every fault.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace r1fit {

/// A place in a JSON document: the file's name and the JSON pointer in it.
struct Place {
  std::string file;
  std::string path;

  [[nodiscard]] Place at(std::string_view key) const;
  [[nodiscard]] Place at(std::size_t index) const;
};

/// Throws Error "models.json: /models/3/max_context: <what>".
[[noreturn]] void refuse(const Place& place, const std::string& what);

/// What the value is, for "must be ..., is ...": "a string", "an object", "-3", "1.5".
std::string described(const nlohmann::json& value);

/// Parses the text. Throws Error with line and column where it is no JSON (or no UTF-8, or a number no
/// double holds), and with the path where an object has a key twice or the nesting is deeper than any
/// catalogue's.
nlohmann::json parse_strictly(std::string_view file, std::string_view text);

}  // namespace r1fit
