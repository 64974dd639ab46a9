#include "json_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

namespace r1fit {
namespace {

constexpr std::size_t kUsualObject = 256;  ///< characters: most are no longer

/// Printable ASCII but quote and backslash: nearly all that is ever written.
bool stands_for_itself(char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; }

}  // namespace

Json::Json(double number) {
  if (!std::isfinite(number)) {
    text_ = "null";
    return;
  }
  // The fewest digits that give the number back; as usual in JSON without an exponent while it is readable.
  const double size = std::abs(number);
  const bool plain = size == 0 || (size >= 1e-4 && size < 1e15);
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number,
                                 plain ? std::chars_format::fixed : std::chars_format::scientific);
  text_.assign(digits.data(), end.ptr);
  if (plain && text_.find('.') == std::string::npos) text_ += ".0";
}

Json::Json(std::initializer_list<Member> members) : Json(object()) {
  for (const Member& member : members) add(member.key, member.value);
}

Json Json::object() {
  Json json = nullptr;
  json.text_.reserve(kUsualObject);
  json.text_ = "{}";
  return json;
}

Json Json::array() {
  Json json = nullptr;
  json.text_ = "[]";
  return json;
}

void Json::add(std::string_view key, const Json& value) {
  reopen();
  text_ += '"';
  text_ += key;
  text_ += "\":";
  text_ += value.text_;
  text_ += '}';
}

void Json::push_back(const Json& value) {
  reopen();
  text_ += value.text_;
  text_ += ']';
}

void Json::reopen() {
  text_.pop_back();
  if (text_.size() > 1) text_ += ',';
}

void Json::quote(std::string_view text) {
  if (!std::ranges::all_of(text, stands_for_itself)) {
    text_ = nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    return;
  }
  text_.reserve(text.size() + 2);
  text_ += '"';
  text_ += text;
  text_ += '"';
}

std::string Json::pretty() const {
  constexpr int indent = 2;
  return nlohmann::ordered_json::parse(text_).dump(indent);
}

}  // namespace r1fit
