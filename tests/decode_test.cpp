#include "r1fit/decode.hpp"

#include <cmath>

#include "catch.hpp"

using namespace r1fit;
using namespace r1fit::test;

namespace {

SpeedFamily family_of(double sharpness) {
  SpeedFamily family{};
  family.sharpness = sharpness;
  family.plain = 0.25;
  family.simple = 0.7;
  family.k_low = 2;
  family.i_quant = 3;
  family.experts = 0.5;
  family.narrow = 0.5;
  family.attention = 0.1;
  family.older_kv = 2;
  return family;
}

SpeedFit fit_of(const SpeedFamily& family) {
  SpeedFit fit{};
  fit.family = &family;
  fit.efficiency = 0.5;
  fit.operations = 10;
  fit.per_layer = milliseconds_per_token(0.1);
  fit.per_expert_layer = milliseconds_per_token(0.2);
  return fit;
}

Work work_of(double gigabytes, double billions, Kernel kernel = Kernel::k_quant) {
  Work work;
  work.weights = read_per_token(gb(gigabytes));
  work.unpacked.at(static_cast<std::size_t>(kernel)) = billions * 1e9;
  return work;
}

}  // namespace

TEST_CASE("reading and unpacking go on side by side") {
  const SpeedFamily family = family_of(2);
  const SpeedFit fit = fit_of(family);
  // 5 GB at half of 1,000 GB/s are 10 ms; 10 billion weights x 10 operations at 10 TFLOPS as well.
  const TokenTime time = token_time(work_of(5, 10), {gb_per_s(1000), tflops(10), 0, &fit});
  CHECK_THAT(in_ms(time.reading), within_rel(10, 1e-9));
  CHECK_THAT(in_ms(time.unpacking), within_rel(10, 1e-9));
  CHECK_THAT(in_ms(time.streaming), within_rel(10 * std::sqrt(2.0), 1e-9));
  CHECK(time.layers == SecondsPerToken{});
  CHECK(time.total() == time.streaming);
  // Where one takes much longer than the other it is all that counts.
  const TokenTime slow = token_time(work_of(5, 10), {gb_per_s(10), tflops(10), 0, &fit});
  CHECK_THAT(in_ms(slow.streaming), within_rel(1000, 1e-3));
  const TokenTime none = token_time({}, {gb_per_s(10), tflops(10), 0, &fit});
  CHECK(none.total() == SecondsPerToken{});
}

TEST_CASE("kernels differ in what a weight costs") {
  const SpeedFamily family = family_of(4);
  const SpeedFit fit = fit_of(family);
  const Processor processor{gb_per_s(1000), tflops(10), 0, &fit};
  const auto unpacking = [&](Kernel kernel) {
    return in_ms(token_time(work_of(5, 10, kernel), processor).unpacking);
  };
  CHECK_THAT(unpacking(Kernel::plain), within_rel(2.5, 1e-9));
  CHECK_THAT(unpacking(Kernel::simple), within_rel(7, 1e-9));
  CHECK_THAT(unpacking(Kernel::k_quant), within_rel(10, 1e-9));
  CHECK_THAT(unpacking(Kernel::k_low), within_rel(20, 1e-9));
  CHECK_THAT(unpacking(Kernel::i_quant), within_rel(30, 1e-9));
}

TEST_CASE("routed experts are read at a lower share") {
  const SpeedFamily family = family_of(4);
  const SpeedFit fit = fit_of(family);
  Work work;
  work.experts = read_per_token(gb(5));
  work.expert_layers = 58;
  const TokenTime time = token_time(work, {gb_per_s(1000), tflops(10), 0, &fit});
  CHECK_THAT(in_ms(time.reading), within_rel(20, 1e-9));
  CHECK_THAT(in_ms(time.layers), within_rel(58 * 0.2, 1e-9));
}

TEST_CASE("narrow matrices leave part of a GPU idle") {
  const SpeedFamily family = family_of(4);
  const SpeedFit fit = fit_of(family);
  const Processor processor{gb_per_s(1000), tflops(10), 0, &fit};
  Work work = work_of(5, 10);
  const TokenTime wide = token_time(work, processor);
  work.narrow = true;
  CHECK_THAT(token_time(work, processor).streaming.count(), within_rel(2 * wide.streaming.count(), 1e-9));
}

TEST_CASE("cores of a CPU wait for one another in every layer") {
  SpeedFamily family = family_of(4);
  family.per_core = milliseconds_per_token(0.01);
  const SpeedFit fit = fit_of(family);
  Work work = work_of(5, 1);
  work.layers = 32;
  const TokenTime few = token_time(work, {gb_per_s(100), tflops(1), 8, &fit});
  const TokenTime many = token_time(work, {gb_per_s(100), tflops(1), 128, &fit});
  CHECK_THAT(in_ms(few.layers), within_rel(32 * (0.1 + 0.08), 1e-9));
  CHECK_THAT(in_ms(many.layers), within_rel(32 * (0.1 + 1.28), 1e-9));
}

TEST_CASE("the cache is read once with flash attention and more often without") {
  const SpeedFamily family = family_of(4);
  const SpeedFit fit = fit_of(family);
  Work work;
  work.kv = read_per_token(gb(1));
  work.attention = FlopsPerToken::of(1e9);
  const Processor processor{gb_per_s(1000), tflops(10), 0, &fit};
  const TokenTime with = token_time(work, processor);
  CHECK_THAT(in_ms(with.reading), within_rel(2, 1e-9));
  CHECK_THAT(in_ms(with.attention), within_rel(1, 1e-9));
  work.flash_attention = false;
  CHECK_THAT(in_ms(token_time(work, processor).reading), within_rel(4, 1e-9));
}
