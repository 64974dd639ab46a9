// What `r1fit-eval` measures: the model against what llama.cpp allocated and what real machines did.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace r1fit {

struct Evaluation {
  std::string text;                 ///< Markdown
  std::vector<std::string> faults;  ///< bounds that were exceeded, a sentence each
};

/// Truth tables of allocations (tests/data/README.md). Throws Error where a file cannot be read.
Evaluation evaluate_memory(std::span<const std::string> files);

/// Observations of what fitted and what did not on real machines. Throws Error where it cannot be read.
Evaluation evaluate_fits(const std::string& file);

/// What engines printed of their buffers on real machines. Throws Error where it cannot be read.
Evaluation evaluate_logs(const std::string& file);

/// Decode speeds against published runs, each predicted without its hardware.
Evaluation evaluate_speed();

/// What one run of one's own makes of the errors of other runs on the same device.
Evaluation evaluate_calibration();

/// The text of data/speed.json, fitted anew to data/measurements.json.
std::string fitted_speed();

/// How many requests `r1fit batch` answers in a second, of several shapes. Throws Error where one fails.
Evaluation time_batch();

/// Rows of a Markdown table; the head's cells begin with '>' where the column is aligned right.
class MarkdownTable {
 public:
  explicit MarkdownTable(std::vector<std::string> head);
  void add(const std::vector<std::string>& cells);
  [[nodiscard]] bool empty() const { return rows_.empty(); }
  /// Padded, so that it can be read as plain text, too; a blank line after it.
  [[nodiscard]] std::string text() const;

 private:
  std::vector<std::string> head_;
  std::vector<bool> right_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace r1fit
