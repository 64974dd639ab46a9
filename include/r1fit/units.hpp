// Quantity types and the only products and quotients that mean something.
//
// One representation each, the base unit; a unit of measure exists only at the door: gib(24) and
// gb(4.4) in, in_gib(b) and in_gb(b) out. A plain number never becomes a quantity or the reverse, and
// no quantity can be printed without naming its unit (see units_text.hpp).
//
// BytesPerSecond / Bytes is left out on purpose: "bandwidth / model size" must first say what is read
// for one token, which is where dense formulas go wrong on mixture-of-experts models.
#pragma once

#include <cmath>
#include <compare>
#include <cstdint>

namespace r1fit {

template <class Tag, class Rep>
class Quantity {
 public:
  using rep = Rep;
  constexpr Quantity() = default;
  /// The number of base units (bytes, tokens, seconds ...).
  [[nodiscard]] constexpr Rep count() const { return count_; }
  /// A quantity of that many base units; the one way in for a bare number.
  [[nodiscard]] static constexpr Quantity of(Rep count) { return Quantity(count); }

  friend constexpr auto operator<=>(Quantity, Quantity) = default;
  friend constexpr Quantity operator+(Quantity a, Quantity b) { return Quantity(a.count_ + b.count_); }
  friend constexpr Quantity operator-(Quantity a, Quantity b) { return Quantity(a.count_ - b.count_); }
  friend constexpr Quantity operator*(Quantity a, Rep k) { return Quantity(a.count_ * k); }
  friend constexpr Quantity operator*(Rep k, Quantity a) { return Quantity(k * a.count_); }
  friend constexpr Quantity operator/(Quantity a, Rep k) { return Quantity(a.count_ / k); }
  constexpr Quantity& operator+=(Quantity b) { return *this = *this + b; }
  constexpr Quantity& operator-=(Quantity b) { return *this = *this - b; }

 private:
  explicit constexpr Quantity(Rep count) : count_(count) {}
  Rep count_{};
};

using Bytes = Quantity<struct BytesTag, std::int64_t>;
using Tokens = Quantity<struct TokensTag, std::int64_t>;
using Seconds = Quantity<struct SecondsTag, double>;
using BytesPerSecond = Quantity<struct BytesPerSecondTag, double>;
using BytesPerToken = Quantity<struct BytesPerTokenTag, double>;
using TokensPerSecond = Quantity<struct TokensPerSecondTag, double>;
using SecondsPerToken = Quantity<struct SecondsPerTokenTag, double>;
using FlopsPerSecond = Quantity<struct FlopsPerSecondTag, double>;
using FlopsPerToken = Quantity<struct FlopsPerTokenTag, double>;
using Watts = Quantity<struct WattsTag, double>;

// ---- in through the door -------------------------------------------------------------------------
namespace detail {
constexpr std::int64_t whole(double x) { return static_cast<std::int64_t>(x < 0 ? x - 0.5 : x + 0.5); }
}  // namespace detail

constexpr Bytes bytes(std::int64_t n) { return Bytes::of(n); }
constexpr Bytes mib(double n) { return Bytes::of(detail::whole(n * 1048576.0)); }
constexpr Bytes gib(double n) { return Bytes::of(detail::whole(n * 1073741824.0)); }
constexpr Bytes mb(double n) { return Bytes::of(detail::whole(n * 1e6)); }
constexpr Bytes gb(double n) { return Bytes::of(detail::whole(n * 1e9)); }
constexpr Tokens tokens(std::int64_t n) { return Tokens::of(n); }
constexpr Seconds seconds(double n) { return Seconds::of(n); }
constexpr SecondsPerToken milliseconds_per_token(double n) { return SecondsPerToken::of(n * 1e-3); }
constexpr BytesPerSecond gb_per_s(double n) { return BytesPerSecond::of(n * 1e9); }
constexpr BytesPerSecond mbit_per_s(double n) { return BytesPerSecond::of(n * 1e6 / 8.0); }
constexpr TokensPerSecond tok_per_s(double n) { return TokensPerSecond::of(n); }
constexpr FlopsPerSecond tflops(double n) { return FlopsPerSecond::of(n * 1e12); }
constexpr Watts watts(double n) { return Watts::of(n); }

// ---- out through the door ------------------------------------------------------------------------
constexpr double in_mib(Bytes b) { return static_cast<double>(b.count()) / 1048576.0; }
constexpr double in_gib(Bytes b) { return static_cast<double>(b.count()) / 1073741824.0; }
constexpr double in_gb(Bytes b) { return static_cast<double>(b.count()) / 1e9; }
constexpr double in_gb_per_s(BytesPerSecond r) { return r.count() / 1e9; }
constexpr double in_gb(BytesPerToken r) { return r.count() / 1e9; }
constexpr double in_tflops(FlopsPerSecond r) { return r.count() / 1e12; }
constexpr double in_ms(SecondsPerToken t) { return t.count() * 1e3; }

// ---- what may be multiplied and divided ----------------------------------------------------------
/// Share of a whole, as a plain ratio.
constexpr double ratio(Bytes a, Bytes b) {
  return static_cast<double>(a.count()) / static_cast<double>(b.count());
}
/// A share of some bytes, rounded up to a whole byte.
inline Bytes share(Bytes b, double part) {
  return Bytes::of(static_cast<std::int64_t>(std::ceil(static_cast<double>(b.count()) * part)));
}
/// All of these bytes are read once for each token.
constexpr BytesPerToken read_per_token(Bytes b) { return BytesPerToken::of(static_cast<double>(b.count())); }

constexpr SecondsPerToken operator/(BytesPerToken a, BytesPerSecond b) {
  return SecondsPerToken::of(a.count() / b.count());
}
constexpr TokensPerSecond operator/(BytesPerSecond a, BytesPerToken b) {
  return TokensPerSecond::of(a.count() / b.count());
}
constexpr TokensPerSecond rate(SecondsPerToken t) { return TokensPerSecond::of(1.0 / t.count()); }
constexpr SecondsPerToken pace(TokensPerSecond r) { return SecondsPerToken::of(1.0 / r.count()); }
constexpr Seconds operator*(Tokens n, SecondsPerToken t) {
  return Seconds::of(static_cast<double>(n.count()) * t.count());
}
constexpr Seconds operator/(Tokens n, TokensPerSecond r) {
  return Seconds::of(static_cast<double>(n.count()) / r.count());
}
constexpr Seconds operator/(Bytes b, BytesPerSecond r) {
  return Seconds::of(static_cast<double>(b.count()) / r.count());
}
constexpr SecondsPerToken operator/(FlopsPerToken a, FlopsPerSecond b) {
  return SecondsPerToken::of(a.count() / b.count());
}
constexpr TokensPerSecond operator/(FlopsPerSecond a, FlopsPerToken b) {
  return TokensPerSecond::of(a.count() / b.count());
}

}  // namespace r1fit
