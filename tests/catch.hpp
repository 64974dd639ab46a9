// The only place that includes Catch2: hides the differences of versions 2 and 3 (R1FIT_CATCH_V3) and
// prints quantities by their exact count, since none of them has an operator<<.
#pragma once

#ifdef R1FIT_CATCH_V3
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif

#include <string>

#include "r1fit/error.hpp"
#include "r1fit/units.hpp"

namespace r1fit::test {

#ifdef R1FIT_CATCH_V3
inline auto contains(const std::string& part) { return Catch::Matchers::ContainsSubstring(part); }
inline auto starts_with(const std::string& part) { return Catch::Matchers::StartsWith(part); }
#else
inline auto contains(const std::string& part) { return Catch::Matchers::Contains(part); }
inline auto starts_with(const std::string& part) { return Catch::Matchers::StartsWith(part); }
#endif
inline auto within_rel(double target, double margin) { return Catch::Matchers::WithinRel(target, margin); }

/// The sentence of the Error that the call throws; "(no error)" where it throws none.
template <class Call>
std::string error_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "(no error)";
}

}  // namespace r1fit::test

#define R1FIT_STRING_MAKER(Type, unit)                                     \
  template <>                                                              \
  struct Catch::StringMaker<r1fit::Type> {                                 \
    static std::string convert(r1fit::Type q) {                            \
      return StringMaker<r1fit::Type::rep>::convert(q.count()) + " " unit; \
    }                                                                      \
  }
R1FIT_STRING_MAKER(Bytes, "B");
R1FIT_STRING_MAKER(Tokens, "tokens");
R1FIT_STRING_MAKER(Seconds, "s");
R1FIT_STRING_MAKER(BytesPerSecond, "B/s");
R1FIT_STRING_MAKER(BytesPerToken, "B/token");
R1FIT_STRING_MAKER(TokensPerSecond, "tok/s");
R1FIT_STRING_MAKER(SecondsPerToken, "s/token");
R1FIT_STRING_MAKER(FlopsPerSecond, "FLOPS");
R1FIT_STRING_MAKER(FlopsPerToken, "FLOP/token");
R1FIT_STRING_MAKER(Watts, "W");
#undef R1FIT_STRING_MAKER
