// How far the memory model can be trusted and how fast it answers, as Markdown on stdout:
//   r1fit-eval memory FILE.csv... | fits FILE.csv | logs FILE.csv | speed | calibrate | batch
// and `r1fit-eval fit`, which prints data/speed.json, the constants of the decode model fitted anew.
// Status 0 where every bound is kept, 1 where one is not (it is named on stderr), 2 and 3 as r1fit.
#include "eval.hpp"

#include <algorithm>
#include <exception>
#include <iostream>
#include <string_view>

#include "r1fit/error.hpp"

namespace r1fit {
namespace {

Evaluation evaluation(std::span<const std::string> args) {
  if (args.size() >= 2 && args.front() == "memory") return evaluate_memory(args.subspan(1));
  if (args.size() == 2 && args.front() == "fits") return evaluate_fits(args.back());
  if (args.size() == 2 && args.front() == "logs") return evaluate_logs(args.back());
  if (args.size() == 1 && args.front() == "speed") return evaluate_speed();
  if (args.size() == 1 && args.front() == "calibrate") return evaluate_calibration();
  if (args.size() == 1 && args.front() == "fit") return {fitted_speed(), {}};
  if (args.size() == 1 && args.front() == "batch") return time_batch();
  throw Error(
      "usage: r1fit-eval memory FILE.csv... | fits FILE.csv | logs FILE.csv | speed | calibrate | fit | "
      "batch");
}

std::string padded(const std::string& cell, std::size_t width, bool right) {
  const std::string padding(width - cell.size(), ' ');
  return right ? padding + cell : cell + padding;
}

}  // namespace

MarkdownTable::MarkdownTable(std::vector<std::string> head) : head_(std::move(head)) {
  for (std::string& cell : head_) {
    right_.push_back(cell.starts_with('>'));
    if (right_.back()) cell.erase(0, 1);
  }
}

void MarkdownTable::add(const std::vector<std::string>& cells) {
  rows_.push_back(cells);
  rows_.back().resize(head_.size());
}

std::string MarkdownTable::text() const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < head_.size(); ++i) {
    widths.push_back(std::max<std::size_t>(head_[i].size(), 3));
    for (const auto& row : rows_) widths[i] = std::max(widths[i], row[i].size());
  }
  const auto line = [&](const std::vector<std::string>& cells) {
    std::string text = "|";
    for (std::size_t i = 0; i < cells.size(); ++i) {
      text.append(" ").append(padded(cells[i], widths[i], right_[i])).append(" |");
    }
    return text + "\n";
  };
  std::string text = line(head_) + "|";
  for (std::size_t i = 0; i < head_.size(); ++i)
    text.append(" ").append(widths[i] - 1, '-').append(right_[i] ? ": |" : "- |");
  text += "\n";
  for (const auto& row : rows_) text += line(row);
  return text + "\n";
}

}  // namespace r1fit

int main(int argc, char** argv) {
  try {
    const std::vector<std::string> args(argv + (argc > 0 ? 1 : 0), argv + argc);
    const r1fit::Evaluation result = r1fit::evaluation(args);
    std::cout << result.text << std::flush;
    if (!std::cout) throw r1fit::Error("cannot write the tables", r1fit::ExitStatus::broken);
    for (const std::string& fault : result.faults) std::cerr << "r1fit-eval: " << fault << "\n";
    return static_cast<int>(result.faults.empty() ? r1fit::ExitStatus::yes : r1fit::ExitStatus::no);
  } catch (const r1fit::Error& error) {
    std::cerr << "r1fit-eval: " << error.what() << "\n";
    return static_cast<int>(error.status());
  } catch (const std::exception& error) {
    std::cerr << "r1fit-eval: " << error.what() << "\n";
    return static_cast<int>(r1fit::ExitStatus::broken);
  }
}
