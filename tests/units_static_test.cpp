// What must not compile, as assertions beside what must: the errors this project exists to avoid, such as
// adding GB to GiB as bare numbers or dividing a bandwidth by a file size.
#include <fmt/format.h>

#include <concepts>
#include <ostream>

#include "catch.hpp"
#include "r1fit/units.hpp"

using namespace r1fit;

namespace {

template <class A, class B>
concept Addable = requires(A a, B b) {
  a + b;
};
template <class A, class B>
concept Subtractable = requires(A a, B b) {
  a - b;
};
template <class A, class B>
concept Dividable = requires(A a, B b) {
  a / b;
};
template <class A, class B>
concept Multipliable = requires(A a, B b) {
  a* b;
};
template <class A, class B>
concept Comparable = requires(A a, B b) {
  a < b;
};
template <class A>
concept Streamable = requires(std::ostream& out, A a) {
  out << a;
};

// no bare number is a quantity, no quantity a number
static_assert(!std::convertible_to<double, Bytes>);
static_assert(!std::convertible_to<std::int64_t, Bytes>);
static_assert(!std::constructible_from<Bytes, std::int64_t>);
static_assert(!std::constructible_from<Bytes, double>);
static_assert(!std::convertible_to<Bytes, double>);
static_assert(!std::constructible_from<double, Bytes>);
static_assert(!std::constructible_from<Bytes, Tokens>);
static_assert(!std::convertible_to<SecondsPerToken, TokensPerSecond>);
static_assert(!Comparable<Bytes, int>);

// sums within one kind only
static_assert(Addable<Bytes, Bytes>);
static_assert(!Addable<Bytes, double>);
static_assert(!Addable<Bytes, BytesPerSecond>);
static_assert(!Addable<Bytes, BytesPerToken>);
static_assert(!Addable<Bytes, Tokens>);
static_assert(!Addable<TokensPerSecond, SecondsPerToken>);
static_assert(!Subtractable<Bytes, int>);
static_assert(!Comparable<Bytes, Tokens>);

// a bandwidth divided by a size says nothing until it is said what is read for one token
static_assert(Dividable<BytesPerSecond, BytesPerToken>);
static_assert(!Dividable<BytesPerSecond, Bytes>);
static_assert(!Dividable<Bytes, Bytes>);  // ratio() says it
static_assert(!Dividable<Bytes, Tokens>);
static_assert(!Dividable<FlopsPerSecond, BytesPerToken>);
static_assert(!Multipliable<Bytes, Bytes>);
static_assert(!Multipliable<Tokens, TokensPerSecond>);
static_assert(Multipliable<Tokens, SecondsPerToken>);
static_assert(std::same_as<decltype(gb_per_s(1) / read_per_token(gb(1))), TokensPerSecond>);
static_assert(std::same_as<decltype(read_per_token(gb(1)) / gb_per_s(1)), SecondsPerToken>);

// nothing prints a quantity without naming its unit
static_assert(!Streamable<Bytes>);
static_assert(!Streamable<TokensPerSecond>);
static_assert(!fmt::is_formattable<Bytes>::value);
static_assert(!fmt::is_formattable<BytesPerSecond>::value);

static_assert(gib(24) == bytes(24LL * 1024 * 1024 * 1024));
static_assert(gib(24) > gb(24));

}  // namespace

TEST_CASE("unit errors do not compile") { SUCCEED("asserted at compile time"); }
