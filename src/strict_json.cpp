#include "strict_json.hpp"

#include <algorithm>
#include <set>
#include <vector>

#include "r1fit/error.hpp"

namespace r1fit {
namespace {

using nlohmann::json;

constexpr std::size_t kDeepest = 32;

// "line 3, column 7: unexpected end of input" out of the library's sentence, without the text read last,
// which may be anything at all.
std::string syntax_fault(std::string_view text, std::size_t byte, std::string_view message) {
  const std::size_t end = std::min(byte, text.size());
  const std::string_view before = text.substr(0, end > 0 ? end - 1 : 0);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::size_t start = before.rfind('\n');
  const std::size_t column = before.size() - (start == std::string_view::npos ? 0 : start + 1) + 1;
  std::string_view reason = message;
  if (const auto at = reason.find(" - "); at != std::string_view::npos) {
    reason.remove_prefix(at + 3);
  } else if (const auto bracket = reason.find("] "); bracket != std::string_view::npos) {
    reason.remove_prefix(bracket + 2);
  }
  reason = reason.substr(0, reason.find("; last read"));
  return "line " + std::to_string(line) + ", column " + std::to_string(column) + ": " + std::string(reason);
}

// Walks the document once before it is built, for what the built value no longer shows: keys that were
// there twice.
class Examiner : public nlohmann::json_sax<json> {
 public:
  Examiner(std::string_view file, std::string_view text) : file_(file), text_(text) {}

  bool null() override { return scalar(); }
  bool boolean(bool /*value*/) override { return scalar(); }
  bool number_integer(number_integer_t /*value*/) override { return scalar(); }
  bool number_unsigned(number_unsigned_t /*value*/) override { return scalar(); }
  bool number_float(number_float_t /*value*/, const string_t& /*text*/) override { return scalar(); }
  bool string(string_t& /*value*/) override { return scalar(); }
  bool binary(binary_t& /*value*/) override { return scalar(); }
  bool start_object(std::size_t /*size*/) override { return open(false); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t /*size*/) override { return open(true); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    Level& level = levels_.back();
    level.key = name;
    if (!level.keys.insert(name).second) refuse(here(), "this key stands twice in the same object");
    return true;
  }
  bool parse_error(std::size_t byte, const std::string& /*token*/,
                   const nlohmann::detail::exception& fault) override {
    refuse({std::string(file_), ""}, syntax_fault(text_, byte, fault.what()));
  }

 private:
  struct Level {
    bool is_array;
    std::size_t index;
    std::string key;
    std::set<std::string> keys;
  };

  [[nodiscard]] Place here() const {
    Place place{std::string(file_), ""};
    for (const Level& level : levels_) place = level.is_array ? place.at(level.index) : place.at(level.key);
    return place;
  }
  bool scalar() {
    if (!levels_.empty()) ++levels_.back().index;
    return true;
  }
  bool open(bool is_array) {
    if (levels_.size() == kDeepest) refuse(here(), "nested too deeply");
    levels_.push_back({is_array, 0, "", {}});
    return true;
  }
  bool close() {
    levels_.pop_back();
    return scalar();
  }

  std::string_view file_;
  std::string_view text_;
  std::vector<Level> levels_;
};

}  // namespace

Place Place::at(std::string_view key) const {
  Place place = *this;
  place.path += '/';
  // A known key is short and plain; what else stands there is shown as it can be.
  const std::string shown = in_quotes(key);
  for (const char c : std::string_view(shown).substr(1, shown.size() - 2)) {
    if (c == '~') {
      place.path += "~0";
    } else if (c == '/') {
      place.path += "~1";
    } else {
      place.path += c;
    }
  }
  return place;
}

Place Place::at(std::size_t index) const { return {file, path + '/' + std::to_string(index)}; }

void refuse(const Place& place, const std::string& what) {
  throw Error(place.file + ": " + (place.path.empty() ? "" : place.path + ": ") + what);
}

std::string described(const json& value) {
  switch (value.type()) {
    case json::value_t::null:
      return "null";
    case json::value_t::object:
      return "an object";
    case json::value_t::array:
      return "a list";
    case json::value_t::string:
      return "a string";
    case json::value_t::boolean:
      return value.get<bool>() ? "true" : "false";
    default:
      return value.dump();
  }
}

json parse_strictly(std::string_view file, std::string_view text) {
  Examiner examiner(file, text);
  json::sax_parse(text, &examiner);
  return json::parse(text);
}

}  // namespace r1fit
