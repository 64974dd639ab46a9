// What a file is told to be, and that its own tensors come to the bytes the catalogue has for it.
#include "r1fit/inspect.hpp"

#include <string>

#include "catch.hpp"
#include "r1_gguf.hpp"
#include "r1fit/report.hpp"
#include "shipped.hpp"

using namespace r1fit;
using test::contains;
using test::GgufWriter;
using test::MemorySource;
using test::R1Options;
using test::R1Writer;

namespace {

const Catalog& catalog() { return builtin_catalog(); }

Inspection inspected(const GgufWriter& writer) {
  const std::string header = writer.header();
  return inspect(catalog(), read_gguf(MemorySource(header, writer.file_size()), catalog().tensor_types),
                 "test.gguf");
}

Inspection inspected(Text model, const R1Options& options) {
  return inspected(R1Writer(*model_named(catalog(), model).shape, options).writer);
}

/// Name and source of a model as its converter noted them.
std::string full_name(const Model& model) {
  return std::string(model.hf_repo.substr(model.hf_repo.find('/') + 1));
}

void check_equal(const Weights& file, const Weights& catalogues) {
  CHECK(file.total() == catalogues.total());
  CHECK(file.token_embd == catalogues.token_embd);
  CHECK(file.output_tensor == catalogues.output_tensor);
  CHECK(file.output == catalogues.output);
  CHECK(file.output_weights == catalogues.output_weights);
  CHECK(file.rope == catalogues.rope);
  CHECK(file.repacked == catalogues.repacked);
  REQUIRE(file.layers.size() == catalogues.layers.size());
  for (std::size_t i = 0; i < file.layers.size(); ++i) {
    const LayerWeights& a = file.layers[i];
    const LayerWeights& b = catalogues.layers[i];
    CAPTURE(i);
    CHECK(a.attention == b.attention);
    CHECK(a.ffn == b.ffn);
    CHECK(a.experts == b.experts);
    CHECK(a.largest_ffn_tensor == b.largest_ffn_tensor);
    CHECK(a.largest_expert_tensor == b.largest_expert_tensor);
    CHECK(a.tensors == b.tensors);
    CHECK(a.expert_tensors == b.expert_tensors);
    CHECK(a.weights == b.weights);
    CHECK(a.expert_weights == b.expert_weights);
    CHECK(a.kind == b.kind);
    CHECK(a.row_padding == b.row_padding);
  }
}

}  // namespace

TEST_CASE("a file of any R1 weighs to the byte what the catalogue has for it", "[inspect]") {
  struct Plain {
    const char* quant;
    test::FileType type;
  };
  for (const Plain& plain :
       {Plain{"F16", test::kFileF16}, Plain{"Q8_0", test::kFileQ8}, Plain{"Q6_K", test::kFileQ6}}) {
    for (const Model& model : catalog().models) {
      for (const bool legacy : {false, true}) {
        if (legacy && !model.shape->mla) continue;
        CAPTURE(plain.quant, model.id, legacy);
        const Inspection file = inspected(model.id, {plain.type, legacy, full_name(model), ""});
        REQUIRE(file.why_not == "");
        REQUIRE(file.quant != nullptr);
        CHECK(file.quant->id == plain.quant);
        CHECK(file.kinship == Kinship::r1);
        REQUIRE(file.relative != nullptr);
        CHECK(file.relative->id == model.id);
        CHECK(file.model->model.shape == model.shape);
        // RoPE factors are no parameters.
        const std::int64_t factors = model.shape->rope_factors ? model.shape->head_dim / 2 : 0;
        CHECK(file.all.elements - factors == model.shape->parameters);
        Workload workload;
        workload.legacy_gguf = legacy;
        const Weights known = weights_of(catalog(), model, quant_named(catalog(), plain.quant), workload);
        check_equal(file.model->file.weights, known);
        CHECK(file.all.size == known.total());
      }
    }
  }
}

TEST_CASE("the estimate of a file is that of the catalogue but for its size", "[inspect]") {
  const Machine machine = machine_with("2x rtx 3090");
  const Inspection file =
      inspected("r1-distill-llama-70b", {test::kFileQ6, false, "DeepSeek R1 Distill Llama 70B", ""});
  REQUIRE(file.model != nullptr);
  Question question = shipped_question("r1-distill-llama-70b", "Q6_K");
  const Estimate known = estimate(catalog(), question, machine);
  question.model = &file.model->model;
  question.quant = file.model->quant;
  question.file = &file.model->file;
  const Estimate own = estimate(catalog(), question, machine);
  CHECK(own.placement.verdict == known.placement.verdict);
  CHECK(own.placement.shortfall == known.placement.shortfall);
  REQUIRE(own.placement.devices.size() == 2);
  for (std::size_t i = 0; i < 2; ++i)
    CHECK(own.placement.devices[i].total() == known.placement.devices[i].total());
  CHECK(own.download.size == file.file_size);
}

TEST_CASE("what runs a file is given its path", "[inspect]") {
  const Machine machine = machine_with("rtx 4090");
  Inspection file = inspected("r1-distill-qwen-7b", {});
  Question question = shipped_question("r1-distill-qwen-7b", "Q8_0");
  question.model = &file.model->model;
  question.quant = file.model->quant;
  LocalFile local = file.model->file;
  question.file = &local;
  local.path = "my file's.gguf";
  Estimate own = estimate(catalog(), question, machine);
  REQUIRE(own.commands.size() == 1);
  CHECK(own.commands[0].command == "llama-server -m 'my file'\\''s.gguf' -c 8192 -ngl 99");
  local.path = "-x.gguf";
  own = estimate(catalog(), question, machine);
  CHECK_THAT(own.commands[0].command, contains(" -m './-x.gguf' "));
  CHECK_FALSE(own.waits.download);
}

TEST_CASE("an R1 is known by shape and name together", "[inspect]") {
  const auto kin = [](Text shape_of, const std::string& name) {
    const Inspection file = inspected(shape_of, {test::kFileQ8, false, name, ""});
    return std::string(word(file.kinship)) + " " +
           (file.relative != nullptr ? std::string(file.relative->id) : "");
  };
  CHECK(kin("32b", "DeepSeek R1 Distill Qwen 32B") == "r1 r1-distill-qwen-32b");
  CHECK(kin("32b", "DeepSeek-R1-Distill-Qwen-32B-GGUF") == "r1 r1-distill-qwen-32b");
  CHECK(kin("1.5b", "DeepSeek R1 Distill Qwen 1.5B") == "r1 r1-distill-qwen-1.5b");
  CHECK(kin("r1-671b", "DeepSeek R1 BF16") == "r1 r1-671b");
  CHECK(kin("r1-671b", "DeepSeek-R1-0528") == "r1 r1-0528-671b");
  CHECK(kin("r1-671b", "deepseek-ai_DeepSeek-R1-Zero") == "r1 r1-zero-671b");
  CHECK(kin("32b", "DeepSeek R1 Distill Qwen 32B Japanese") == "derived r1-distill-qwen-32b");
  CHECK(kin("32b", "Qwen2.5 32B Instruct") == "same_shape r1-distill-qwen-32b");
  CHECK(kin("r1-671b", "DeepSeek V3 0324") == "same_shape r1-671b");
  CHECK(kin("32b", "") == "same_shape r1-distill-qwen-32b");
  // The name alone is no proof.
  Shape other = *model_named(catalog(), "32b").shape;
  other.layers = 60;
  R1Writer writer(other, {test::kFileQ8, false, "DeepSeek R1 Distill Qwen 32B", ""});
  const Inspection file = inspected(writer.writer);
  CHECK(file.kinship == Kinship::none);
  REQUIRE(file.model != nullptr);
  CHECK(file.model->model.shape->layers == 60);
  CHECK(file.model->model.scores.empty());
}

TEST_CASE("where the name says nothing basename and size do", "[inspect]") {
  R1Writer writer(*model_named(catalog(), "32b").shape, {test::kFileQ8, false, "Models", ""});
  writer.writer.text("general.basename", "DeepSeek-R1-Distill-Qwen").text("general.size_label", "32B");
  CHECK(inspected(writer.writer).kinship == Kinship::r1);
}

TEST_CASE("a published score is only that of an R1", "[inspect]") {
  CHECK_FALSE(inspected("32b", {test::kFileQ8, false, "DeepSeek R1 Distill Qwen 32B", ""})
                  .model->model.scores.empty());
  const Inspection made_from =
      inspected("32b", {test::kFileQ8, false, "My DeepSeek R1 Distill Qwen 32B", ""});
  CHECK(made_from.model->model.scores.empty());
  CHECK_FALSE(made_from.model->model.thinking);
}

TEST_CASE("the quantisation is what the tensors are and not what the file says", "[inspect]") {
  // All in Q4_K is no mixture of llama.cpp's own.
  const Inspection mixed = inspected("32b", {test::kFileQ4, false, "", ""});
  CHECK(mixed.file_type == 15);
  CHECK(file_type_name(15) == "Q4_K_M");
  CHECK(mixed.quant == nullptr);
  REQUIRE(mixed.model != nullptr);
  CHECK(mixed.model->quant->id == "mostly Q4_K");
  test::FileType misnamed = test::kFileQ8;
  misnamed.file_type = 15;
  const Inspection wrong = inspected("32b", {misnamed, false, "", ""});
  REQUIRE(wrong.quant != nullptr);
  CHECK(wrong.quant->id == "Q8_0");
  CHECK(file_type_name(1024 + 18) == "Q6_K");
  CHECK(file_type_name(999).empty());
}

TEST_CASE("a file of one type is no mixture", "[inspect]") {
  const Inspection file = inspected("r1-distill-qwen-7b", {{0, 0, 1, 4}, false, "", ""});
  REQUIRE(file.model != nullptr);
  CHECK(file.model->quant->id == "F32");
  const std::string said = report(Format::md, InspectionResult{&file, nullptr, nullptr}, {});
  CHECK_THAT(said, contains("said to be F32; the tensors are just that; 32.00 bits per weight"));
  const Inspection wrong = inspected("r1-distill-qwen-7b", {{0, 1, 1, 4}, false, "", ""});
  CHECK_THAT(report(Format::md, InspectionResult{&wrong, nullptr, nullptr}, {}),
             contains("said to be F16; the tensors are all F32;"));
}

TEST_CASE("weights are counted by group and by type", "[inspect]") {
  const Inspection file = inspected("r1-671b", {test::kFileQ8, false, "", ""});
  WeightShare groups;
  for (const WeightShare& one : file.groups) {
    groups.tensors += one.tensors;
    groups.elements += one.elements;
    *groups.size += *one.size;
  }
  CHECK(groups.tensors == file.all.tensors);
  CHECK(groups.elements == file.all.elements);
  CHECK(groups.size == file.all.size);
  CHECK(file.group(WeightGroup::routed_experts).elements == 58LL * 256 * 3 * 7168 * 2048);
  CHECK(file.group(WeightGroup::shared_experts).tensors == 58 * 5);
  CHECK(file.group(WeightGroup::feed_forward).tensors == 9);
  CHECK(file.group(WeightGroup::token_embd).tensors == 1);
  CHECK(file.group(WeightGroup::output).tensors == 2);
  REQUIRE(file.types.size() == 2);
  CHECK(file.types[0].type->id == "Q8_0");
  CHECK(file.types[1].type->id == "F32");
  CHECK(*file.bits_per_weight() > 8.5);
  CHECK(*file.bits_per_weight() < 8.6);
}

TEST_CASE("a 671B file says itself whether it is of before the MLA cache", "[inspect]") {
  const Inspection newer = inspected("r1-671b", {});
  CHECK(newer.attention == AttentionKind::mla);
  CHECK_FALSE(newer.model->legacy_gguf);
  const Inspection older = inspected("r1-671b", {test::kFileQ8, true, "", ""});
  CHECK(older.attention == AttentionKind::pre_mla);
  CHECK(older.model->legacy_gguf);
  CHECK(inspected("32b", {}).attention == AttentionKind::grouped);
}

TEST_CASE("an importance matrix is told from what the quantiser noted", "[inspect]") {
  R1Writer writer(*model_named(catalog(), "1.5b").shape, {});
  CHECK_FALSE(inspected(writer.writer).imatrix);
  writer.writer.text("quantize.imatrix.file", "r1.imatrix").i32("quantize.imatrix.chunks_count", 125);
  const Inspection file = inspected(writer.writer);
  REQUIRE(file.imatrix);
  CHECK(file.imatrix->file == "r1.imatrix");
  CHECK(file.imatrix->chunks == 125);
  CHECK_FALSE(file.imatrix->entries);
}

TEST_CASE("what cannot be estimated is still counted and says why", "[inspect]") {
  const auto why = [](const Inspection& file) {
    CHECK(file.model == nullptr);
    CHECK(file.all.tensors > 0);
    return file.why_not;
  };
  const Shape& shape = *model_named(catalog(), "1.5b").shape;
  CHECK_THAT(why(inspected(R1Writer(shape, {test::kFileQ8, false, "", "gemma3"}).writer)),
             contains("architecture \"gemma3\" is not modelled"));

  R1Writer unknown(shape, {});
  unknown.writer.tensor("blk.0.new.weight", {32}, 39, 17);
  const Inspection of_unknown = inspected(unknown.writer);
  CHECK_THAT(why(of_unknown), contains("type 39, which the catalogue does not know"));
  CHECK_FALSE(of_unknown.all.size);
  CHECK_FALSE(of_unknown.bits_per_weight());
  CHECK(of_unknown.types.back().number == 39);

  R1Writer more(shape, {});
  more.writer.tensor("blk.99.attn_q.weight", {32}, 8, 34);
  CHECK_THAT(why(inspected(more.writer)), contains("of a layer beyond its 28"));

  R1Writer odd(shape, {});
  odd.writer.tensor("blk.3.attn_kv_b.weight", {32}, 8, 34);
  CHECK_THAT(why(inspected(odd.writer)), contains("layer 3 has tensors that are not modelled"));

  Shape narrow = shape;
  narrow.ffn = 4096;
  R1Writer wrong(narrow, {});
  GgufWriter& w = wrong.writer;
  w.u32("qwen2.attention.key_length", 64);
  CHECK_THAT(why(inspected(w)), contains("is not of the shape that the metadata states"));

  GgufWriter bare;
  bare.tensor("token_embd.weight", {32, 4}, 8, 136);
  CHECK_THAT(why(inspected(bare)), contains("does not state general.architecture"));
  bare.text("general.architecture", "llama");
  CHECK_THAT(why(inspected(bare)), contains("does not state llama.block_count"));
  bare.u32("llama.block_count", 4000000000U);
  CHECK_THAT(why(inspected(bare)), contains("which no model has"));
}

TEST_CASE("a shape that no catalogue has is the file's own", "[inspect]") {
  Shape shape = *model_named(catalog(), "r1-distill-llama-8b").shape;
  shape.layers = 5;
  R1Options options{test::kFileQ6, false, "Tiny", ""};
  const Inspection file = inspected(R1Writer(shape, options).writer);
  REQUIRE(file.model != nullptr);
  CHECK(file.kinship == Kinship::none);
  CHECK(file.quant->id == "Q6_K");
  const Shape& own = *file.model->model.shape;
  CHECK(own.gguf_architecture == "llama");
  CHECK(own.layers == 5);
  CHECK(own.head_dim == shape.head_dim);
  CHECK(own.kv_heads == shape.kv_heads);
  CHECK(own.vocab == shape.vocab);
  CHECK(file.model->model.max_context == tokens(131072));
}
