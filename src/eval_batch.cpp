#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <optional>
#include <string>

#include "eval.hpp"
#include "r1fit/cli.hpp"
#include "r1fit/error.hpp"
#include "r1fit/units_text.hpp"

namespace r1fit {
namespace {

constexpr int kRequests = 20000;
/// The best of so many: what else runs on a machine only makes it slower.
constexpr int kRuns = 5;

struct Shape {
  const char* name;
  const char* request;  ///< the members of a request
};

constexpr std::array<Shape, 6> kShapes{{
    {"14B on one card, fits", R"("model": "14b", "gpus": [{"name": "rtx-4090"}])"},
    {"32B on one card, tight", R"("model": "32b", "ctx": 20000, "gpus": [{"name": "rtx-4090"}])"},
    {"70B on two cards, does not fit",
     R"("model": "70b", "ctx": 65536, "gpus": [{"name": "rtx-4090", "count": 2}])"},
    {"70B, 40 layers on the card as asked",
     R"("model": "70b", "ngl": 40, "gpus": [{"name": "rtx-4090"}], "ram_gib": 64)"},
    {"70B, layers on the card to be found",
     R"("model": "70b", "gpus": [{"name": "rtx-4090"}], "ram_gib": 64)"},
    {"671B, experts in host memory", R"("model": "671b", "gpus": [{"name": "rtx-4090"}], "ram_gib": 512)"},
}};

/// Requests answered a second, from text to text on one core.
double rate(const std::string& request) {
  double best = 0;
  for (int i = 0; i < kRuns; ++i) {
    int left = kRequests;
    World world;
    world.out = [](std::string_view) { return true; };
    world.err = [](std::string_view) {};
    world.line = [&]() -> std::optional<std::string> {
      if (left-- == 0) return std::nullopt;
      return request;
    };
    const auto begun = std::chrono::steady_clock::now();
    if (run({"batch"}, world) != 0) throw Error("a request was not answered: " + request);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
    best = std::max(best, kRequests / took.count());
  }
  return best;
}

/// Two digits of a figure that another machine, or another minute, has otherwise.
std::string rounded(double number) { return count_text(std::llround(number / 1000) * 1000); }

}  // namespace

Evaluation time_batch() {
  MarkdownTable table({"request", ">estimates a second", ">memory alone"});
  for (const Shape& shape : kShapes) {
    const std::string members = std::string("{") + shape.request;
    table.add(
        {shape.name, rounded(rate(members + "}")), rounded(rate(members + R"(, "answer": "memory"})"))});
  }
  Evaluation result;
  result.text = table.text();
  result.text.pop_back();
  return result;
}

}  // namespace r1fit
