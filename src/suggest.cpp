#include "r1fit/suggest.hpp"

#include <algorithm>

namespace r1fit {
namespace {

std::string normal_form(std::string_view text) {
  std::string result;
  for (char c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) result += c;
  }
  return result;
}

// Optimal string alignment: the restricted Damerau-Levenshtein distance, in three rows.
std::size_t alignment(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = a[i - 1] == b[j - 1];
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0U : 1U)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

// Longer texts are no names; the cost of comparing them grows with the square.
constexpr std::size_t kLongestName = 80;
// How many characters must be typed before "7900" proposes "7900 XTX".
constexpr std::size_t kLeastBeginning = 3;

struct Near {
  std::size_t distance;
  std::size_t common;  // length of the common beginning
  std::string_view answer;
};

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
  return alignment(normal_form(a), normal_form(b));
}

std::vector<std::string_view> nearest(std::string_view asked, std::span<const Spelling> known,
                                      std::size_t most) {
  const std::string form = normal_form(asked);
  if (form.empty() || form.size() > kLongestName) return {};
  // At least two steps, but never so many that a short name has nothing left of it.
  const std::size_t limit = std::min(std::max<std::size_t>(2, form.size() / 3), form.size() - 1);
  std::vector<Near> found;
  for (const Spelling& spelling : known) {
    const std::string other = normal_form(spelling.written);
    const auto common = static_cast<std::size_t>(
        std::mismatch(form.begin(), form.end(), other.begin(), other.end()).first - form.begin());
    const bool begins = common == form.size() && form.size() >= kLeastBeginning;
    // The difference in length is a lower bound of the distance.
    const std::size_t gap = std::max(form.size(), other.size()) - std::min(form.size(), other.size());
    if (!begins && gap > limit) continue;
    const std::size_t distance = begins ? std::min<std::size_t>(gap, 1) : alignment(form, other);
    if (distance > limit) continue;
    const Near near{distance, common, spelling.answer};
    const auto same =
        std::find_if(found.begin(), found.end(), [&](const Near& n) { return n.answer == spelling.answer; });
    if (same == found.end()) {
      found.push_back(near);
    } else if (distance < same->distance || (distance == same->distance && common > same->common)) {
      *same = near;
    }
  }
  std::stable_sort(found.begin(), found.end(), [](const Near& a, const Near& b) {
    return a.distance != b.distance ? a.distance < b.distance : a.common > b.common;
  });
  std::vector<std::string_view> answers;
  for (const Near& near : found) {
    if (answers.size() == most) break;
    answers.push_back(near.answer);
  }
  return answers;
}

std::vector<std::string_view> nearest(std::string_view asked, std::span<const std::string_view> known,
                                      std::size_t most) {
  std::vector<Spelling> spellings;
  spellings.reserve(known.size());
  for (const std::string_view name : known) spellings.push_back({name, name});
  return nearest(asked, spellings, most);
}

std::string nearest_clause(std::span<const std::string_view> names) {
  std::string clause;
  for (const std::string_view name : names) {
    clause += clause.empty() ? "; nearest: " : ", ";
    clause += name;
  }
  return clause;
}

}  // namespace r1fit
