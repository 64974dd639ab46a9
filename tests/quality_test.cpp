#include "r1fit/quality.hpp"

#include "catch.hpp"
#include "r1fit/lookup.hpp"

using namespace r1fit;
using namespace r1fit::test;

namespace {

const Model& model(const char* name) { return model_named(builtin_catalog(), name); }
const Quant& quant(const char* name) { return quant_named(builtin_catalog(), name); }

}  // namespace

TEST_CASE("every offered model has the scores that rank") {
  for (const Model& one : builtin_catalog().models) {
    if (!one.offered) continue;
    INFO(one.id);
    CHECK(comparable_score(one, Use::general) != nullptr);
    CHECK(comparable_score(one, Use::math) != nullptr);
  }
  CHECK(find_score(model("32b"), "gpqa_diamond_pass1")->value == 62.1);
  CHECK(find_score(model("32b"), "no such benchmark") == nullptr);
}

TEST_CASE("fewer bits lose more points on one scale") {
  double before = -1;
  for (const char* name :
       {"Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "IQ4_XS", "Q3_K_M", "IQ3_XS", "IQ2_M", "IQ2_XXS", "IQ1_S"}) {
    const PointLoss loss = point_loss(model("8b-llama-distill"), quant(name), 0);
    INFO(name);
    CHECK(loss.known);
    CHECK(loss.points > before);
    before = loss.points;
  }
}

TEST_CASE("a loss is its measured divergence times the documented constant") {
  const PointLoss loss = point_loss(model("32b"), quant("Q4_K_M"), 4.85);
  REQUIRE(loss.basis != nullptr);
  CHECK(loss.basis->metric == "mean_kl_divergence");
  CHECK_THAT(loss.points, within_rel(loss.basis->value * kPointsPerNat, 1e-12));
}

TEST_CASE("dynamic mixtures are known on 671B only") {
  const PointLoss measured = point_loss(model("r1-671b"), quant("UD-Q2_K_XL"), 2.7);
  REQUIRE(measured.basis != nullptr);
  CHECK(measured.points == 0.8);  // arXiv 2505.02390, table 2
  const PointLoss fewer = point_loss(model("r1-671b"), quant("UD-IQ1_S"), 1.67);
  const PointLoss more = point_loss(model("r1-0528-671b"), quant("UD-Q4_K_XL"), 4.58);
  CHECK(fewer.known);
  CHECK(fewer.basis == nullptr);
  CHECK(fewer.points > 3 * measured.points);
  CHECK(more.points < 0.5);
  CHECK_FALSE(point_loss(model("r1-0528-qwen3-8b"), quant("UD-Q2_K_XL"), 3.4).known);
}

TEST_CASE("a loss measured on an R1 model belongs to its family") {
  CHECK(measured_loss(model("32b"), quant("Q3_K_M"))->measured_on.find("32B") != Text::npos);
  CHECK(measured_loss(model("r1-671b"), quant("Q3_K_M"))->measured_on.find("671B") != Text::npos);
  CHECK(measured_loss(model("32b"), quant("Q5_K_M")) == nullptr);
}
