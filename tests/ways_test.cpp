#include "r1fit/ways.hpp"

#include <algorithm>

#include "catch.hpp"
#include "shipped.hpp"

using namespace r1fit;
using namespace r1fit::test;

namespace {

std::vector<std::string> ways(Verdict wanted, const char* model, const char* quant, const Machine& machine,
                              const Workload& workload) {
  const Catalog& catalog = builtin_catalog();
  const Question question = shipped_question(model, quant, workload);
  const Weights weights = weights_of(catalog, *question.model, *question.quant, workload);
  return ways_to(wanted, catalog, {question.model, question.quant, &weights}, workload, machine);
}

bool has(const std::vector<std::string>& list, std::string_view start) {
  return std::ranges::any_of(list, [start](const std::string& one) { return one.starts_with(start); });
}

Workload of(std::int64_t context) {
  Workload workload;
  workload.context = tokens(context);
  return workload;
}

}  // namespace

TEST_CASE("what does not fit is helped by a shorter context or a smaller cache or file") {
  const std::vector<std::string> found =
      ways(Verdict::tight, "32b", "Q4_K_M", machine_with("rtx 4090"), of(32768));
  CHECK(has(found, "--ctx "));
  CHECK(has(found, "--kv q8_0"));
  CHECK(has(found, "--quant "));
  CHECK_FALSE(has(found, "--flash-attn"));
}

TEST_CASE("each way named does it and a little less of it does not") {
  const std::vector<std::string> found =
      ways(Verdict::fits, "32b", "Q4_K_M", machine_with("rtx 4090"), of(20480));
  const auto way =
      std::ranges::find_if(found, [](const std::string& one) { return one.starts_with("--ctx "); });
  REQUIRE(way != found.end());
  const std::int64_t context = std::stoll(way->substr(6));
  const auto verdict = [](std::int64_t length) {
    return shipped_estimate("32b", "Q4_K_M", machine_with("rtx 4090"), of(length)).placement.verdict;
  };
  CHECK(verdict(20480) == Verdict::tight);
  CHECK(verdict(context) == Verdict::fits);
  CHECK(verdict(context + 256) == Verdict::tight);
}

TEST_CASE("flash attention is the first thing to turn on where it is off") {
  Workload off = of(16384);
  off.flash_attention = FlashAttention::off;
  const std::vector<std::string> found = ways(Verdict::fits, "32b", "Q4_K_M", machine_with("rtx 4090"), off);
  REQUIRE_FALSE(found.empty());
  CHECK(found.front() == "--flash-attn on");
}

TEST_CASE("where nothing helps nothing is named") {
  CHECK(ways(Verdict::tight, "r1-671b", "Q4_K_M", machine_with("rtx 4090"), of(8192)).empty());
}

TEST_CASE("a tight estimate says what gives room") {
  const Estimate tight = shipped_estimate("32b", "Q4_K_M", machine_with("rtx 4090"), of(20480));
  REQUIRE(tight.placement.verdict == Verdict::tight);
  CHECK(has(tight.comfortable_with, "--ctx "));
  CHECK(shipped_estimate("32b", "Q4_K_M", machine_with("rtx 4090"), of(8192)).comfortable_with.empty());
}
