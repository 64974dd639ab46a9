// JSON that is only ever written: kept as text from the start, so that nothing is built up, copied and walked
// through again where thousands of answers a second are put out.
#pragma once

#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>

namespace r1fit {

/// A JSON value as compact text. Numbers that are none become null, bytes that are no UTF-8 U+FFFD.
class Json {
 public:
  struct Member;

  Json(std::nullptr_t) : text_("null") {}
  Json(double number);
  template <std::integral Number>
  Json(Number number) : text_(std::to_string(number)) {}
  Json(bool truth) : text_(truth ? "true" : "false") {}
  template <std::convertible_to<std::string_view> Text>
  Json(const Text& text) {
    quote(text);
  }
  /// An object. Members stay in the order given and are not looked for: a key must be given once.
  Json(std::initializer_list<Member> members);
  static Json object();
  static Json array();

  /// Adds a member to an object.
  void add(std::string_view key, const Json& value);
  /// Adds an item to an array.
  void push_back(const Json& value);

  [[nodiscard]] const std::string& compact() const { return text_; }
  /// The same over many lines, two spaces a level.
  [[nodiscard]] std::string pretty() const;

 private:
  void quote(std::string_view text);
  /// Makes room behind the last member or item.
  void reopen();

  std::string text_;
};

struct Json::Member {
  std::string_view key;
  Json value;
};

}  // namespace r1fit
