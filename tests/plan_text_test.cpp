#include "plan_text.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "catch.hpp"
#include "golden.hpp"
#include "run.hpp"
#include "schema.hpp"
#include "temp_folder.hpp"

using namespace r1fit::test;
using nlohmann::json;

namespace {

Ran plan(std::vector<std::string> args) {
  args.insert(args.begin(), "plan");
  return run(args);
}

/// What `r1fit plan ARGS...` prints, in one line so that words are found across line breaks.
std::string flat(const std::vector<std::string>& args) {
  std::string text;
  for (const char letter : plan(args).out) {
    const bool is_space = letter == ' ' || letter == '\n';
    if (!is_space || (!text.empty() && text.back() != ' ')) text += is_space ? ' ' : letter;
  }
  return text;
}

std::size_t lines(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count(text, '\n'));
}

}  // namespace

TEST_CASE("a plan for 70B reads as approved", "[plan][golden]") {
  const Ran ran = plan({"70b", "--min-tps", "15", "--min-ctx", "16k"});
  CHECK(ran.status == 0);
  CHECK(golden_fault("plan_70b.txt", ran.out) == "");
}

TEST_CASE("a plan for 671B reads as approved", "[plan][golden]") {
  CHECK(golden_fault("plan_671b.txt", plan({"r1-671b", "--min-tps", "10"}).out) == "");
}

TEST_CASE("the exit status of a plan") {
  CHECK(plan({"32b"}).status == 0);
  CHECK(plan({"32b", "--min-tps", "100000"}).status == 1);
  CHECK(refusal_fault(plan({"8b"}), "more than one model") == "");
  CHECK(refusal_fault(plan({"32b", "--gpu", "4090"}), "--gpu") == "");
  CHECK(refusal_fault(plan({"32b", "--ctx", "default"}), "--ctx default") == "");
  CHECK(refusal_fault(plan({"32b", "--min-ctx", "1000k"}), "--min-ctx") == "");
  CHECK(refusal_fault(plan({"32b", "--budget", "cheap"}), "--budget") == "");
  CHECK(refusal_fault(plan({"32b", "--sort", "colour"}), "--sort takes price, power or speed") == "");
  CHECK(refusal_fault(plan({"32b", "--prices", "no/such.csv"}), "no/such.csv") == "");
  CHECK(plan({"32b", "-q"}).out.empty());
}

TEST_CASE("tables of plans keep to 80 columns") {
  for (const std::vector<std::string>& args : {std::vector<std::string>{"32b", "--all", "--kwh", "0.3"},
                                               {"70b", "--require", "tight", "--all"},
                                               {"r1-671b", "--all"},
                                               {"1.5b", "--require", "offload", "--all", "--kwh", "0.3"}}) {
    std::istringstream out(plan(args).out);
    for (std::string line; std::getline(out, line);) CHECK(line.size() <= 80);
  }
}

TEST_CASE("all formats carry the same rows, JSON as its schema has it") {
  for (const std::vector<std::string>& args : {std::vector<std::string>{"70b", "--kwh", "0.3"},
                                               {"r1-671b", "--all"},
                                               {"32b", "--top", "3"},
                                               {"32b", "--max-watts", "1"},
                                               {"r1-671b:Q8_0", "--min-tps", "9999", "--new-only"}}) {
    const auto with = [&](std::vector<std::string> more) {
      more.insert(more.begin(), args.begin(), args.end());
      return plan(more).out;
    };
    const std::string text = with({"--json"});
    CHECK(schema_fault("plan", text) == "");
    const json document = json::parse(text);
    const std::size_t rows = document["machines"].size();
    CHECK(lines(with({"--format", "csv"})) == rows + 1);
    const std::string markdown = with({"--format", "md"});
    std::istringstream out(markdown);
    std::size_t bars = 0;
    for (std::string line; std::getline(out, line);) bars += line.starts_with("|") ? 1U : 0U;
    CHECK(bars == (rows == 0 ? 0U : rows + 2));
    CHECK((document["found"] == 0) == !document["nearest"].is_null());
  }
}

TEST_CASE("what is not known is null, never 0") {
  const json document = json::parse(plan({"32b", "--all", "--kwh", "0.3", "--json"}).out);
  bool unknown_price = false;
  bool unknown_power = false;
  for (const json& machine : document["machines"]) {
    unknown_price = unknown_price || machine["price"]["usd"].is_null();
    unknown_power = unknown_power || machine["board_power_w"].is_null();
    if (!machine["price"]["usd"].is_null()) CHECK(machine["price"]["usd"] > 0);
    if (machine["board_power_w"].is_null()) CHECK(machine["electricity_usd_per_million_tokens"].is_null());
  }
  CHECK(unknown_price);
  CHECK(unknown_power);
}

TEST_CASE("what is left out for want of a figure is said") {
  const std::string text = flat({"32b", "--max-watts", "100"});
  CHECK_THAT(text, contains("at most 100 W"));
  CHECK_THAT(text, contains("whose power is not known"));
  CHECK_THAT(flat({"32b", "--budget", "1000"}), contains("whose price is not known"));
  const std::string fresh = flat({"70b", "--new-only"});
  CHECK_THAT(fresh, contains("no longer sold"));
  CHECK_THAT(fresh, contains("not known to be sold still"));
}

TEST_CASE("launch prices are called that, and prices of one's own are marked") {
  const std::string launch = flat({"32b"});
  CHECK_THAT(launch, contains("USD is the price at launch"));
  CHECK_THAT(launch, contains("the machine around them is not priced"));
  CHECK_THAT(launch, !contains("yours\""));
  const TempFolder folder;
  folder.write("prices.csv", "name,price\nrtx 3090,123\n");
  const std::string own = flat({"32b", "--prices", (folder.path() / "prices.csv").string()});
  CHECK_THAT(own, contains("123 yours 350"));
  CHECK_THAT(own, contains("\"yours\" marks prices of your own"));
}

TEST_CASE("what comes nearest is named with what it lacks") {
  CHECK_THAT(flat({"32b", "--min-tps", "100000"}),
             contains("Nothing in the catalogue does that. Nearest is") &&
                 contains("tok/s typically, where 100,000 are needed"));
  CHECK_THAT(flat({"32b", "--max-watts", "1"}), contains("W, where 1 W may be drawn"));
}

TEST_CASE("the least context is the context unless a longer one is asked for") {
  const auto context = [](std::vector<std::string> args) {
    args.insert(args.begin(), "32b");
    args.emplace_back("--json");
    return json::parse(plan(args).out)["context"].get<int>();
  };
  CHECK(context({}) == 8192);
  CHECK(context({"--min-ctx", "4k"}) == 4096);
  CHECK(context({"--min-ctx", "16k"}) == 16384);
  CHECK(context({"--min-ctx", "16k", "--ctx", "8k"}) == 16384);
  CHECK(context({"--min-ctx", "4k", "--ctx", "8k"}) == 8192);
  CHECK(context({"--ctx", "max", "--min-ctx", "4k"}) == 131072);
}
