#include "golden.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

namespace r1fit::test {
namespace {

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0' && std::string_view(value) != "0";
}

std::optional<std::string> read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

bool write(const std::filesystem::path& path, std::string_view text) {
  std::error_code ignored;  // the failure shows when the file is opened
  std::filesystem::create_directories(path.parent_path(), ignored);
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  return file.good();
}

/// The line that begins at `text`, which is moved behind it.
std::string next_line(std::string_view& text) {
  if (text.empty()) return "(end of text)";
  const auto end = text.find('\n');
  std::string line(text.substr(0, end));
  if (end == std::string_view::npos) line += " (no newline)";
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

std::string first_difference(std::string_view approved, std::string_view actual) {
  for (int number = 1;; ++number) {
    const std::string was = next_line(approved);
    const std::string is = next_line(actual);
    if (was != is || (approved.empty() && actual.empty()))
      return "line " + std::to_string(number) + "\n  approved: " + was + "\n  now:      " + is;
  }
}

}  // namespace

std::string golden_fault(std::string_view name, std::string_view actual) {
  const auto path = std::filesystem::path(R1FIT_SOURCE_DIR) / "tests" / "golden" / name;
  const std::string shown = "tests/golden/" + std::string(name);
  if (is_set("R1FIT_APPROVE")) {
    if (is_set("CI")) return shown + ": R1FIT_APPROVE is set in CI, where nothing may be approved";
    return write(path, actual) ? "" : shown + ": cannot be written";
  }
  const auto approved = read(path);
  if (approved && *approved == actual) return "";
  return shown + (approved ? ": " + first_difference(*approved, actual) : ": no approved text yet") +
         "\naccept with: scripts/approve, then read git diff";
}

}  // namespace r1fit::test
