// What makes one candidate better than another, and what each is good for; argued in docs/ranking.md.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "r1fit/estimate.hpp"
#include "r1fit/throughput.hpp"

namespace r1fit {

/// What leads the list.
enum class Prefer : std::uint8_t { quality, speed, context };
inline constexpr std::array<std::string_view, 3> kPreferWords{"quality", "speed", "context"};
constexpr std::string_view word(Prefer prefer) { return kPreferWords.at(static_cast<std::size_t>(prefer)); }

/// What a row of the list is picked for.
enum class Role : std::uint8_t { best_answers, fastest, longest_context, real_r1 };
inline constexpr std::array kRoles{Role::best_answers, Role::fastest, Role::longest_context, Role::real_r1};
std::string_view word(Role role);   ///< as JSON has it: "best_answers"
std::string_view title(Role role);  ///< as a person reads it: "Fastest that is still good"

/// Points of the benchmark for the use, less the loss of the quantisation; unset where the model has no
/// score that compares.
std::optional<double> answer_points(const Estimate& estimate, Use use);

/// Points that loss, strain and speed cost, whatever the answers are worth.
double deductions(const Estimate& estimate);

/// The score less all that; of what is bearable, higher is better. Unset as answer_points().
std::optional<double> ranking_score(const Estimate& estimate, Use use);

/// Below this speed a row is listed as what it is, but comes after everything faster, however good its
/// answers.
inline constexpr TokensPerSecond kBearable = kSlowSpeed;
bool bearable(const Estimate& estimate);

/// Whether the answers of `one` are about as good as those of `best`, the pick for answers: at most one model
/// class behind it, by a quantisation that loses little.
bool still_good(const Estimate& one, const Estimate& best, Use use);

/// Fast enough to work with, or as fast as `best`.
bool usable(const Estimate& one, const Estimate& best);

/// What a choice must gain in speed, context or size to be worth having beside another.
inline constexpr double kClearlyMore = 1.25;

/// Whether `one` makes `other` pointless: its answers are better, and the other is neither clearly faster nor
/// clearly smaller. False where something of that is unknown.
bool dominates(const Estimate& one, const Estimate& other, Use use);

}  // namespace r1fit
