// Any bytes at all as a GGUF file: read or refused in one sentence, never anything else; what can be
// estimated is. libFuzzer calls this in the fuzz preset; gguf_test.cpp calls it with what is in
// tests/data/fuzz/gguf.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "gguf_bytes.hpp"
#include "r1fit/error.hpp"
#include "r1fit/machine.hpp"
#include "r1fit/report.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

/// The file goes on for so long behind the bytes that were made up, so that there is room for tensors.
constexpr std::uint64_t kBehind = std::uint64_t{1} << 22U;

/// A card that holds any small file, and RAM beside it.
const r1fit::Machine& machine() {
  using namespace r1fit;
  static const Machine one = [] {
    const Catalog& catalog = builtin_catalog();
    Machine made;
    made.devices.push_back(make_nameless_device(catalog, gib(24), gb_per_s(1000), std::nullopt, {}));
    made.host = make_host(catalog, gib(64), nullptr, gb_per_s(80));
    return made;
  }();
  return one;
}

void read(std::string_view bytes, std::uint64_t file_size) {
  using namespace r1fit;
  try {
    const Catalog& catalog = builtin_catalog();
    const test::MemorySource source(bytes, file_size);
    std::vector<GgufHeader> parts(1);
    parts[0] = read_gguf(source, catalog.tensor_types);
    static_cast<void>(
        part_name("a-00001-of-00002.gguf", {0, 2, {}}, split_of(parts[0], source.name()).number));
    const GgufHeader header = joined(std::move(parts), {source.name()});
    const Inspection inspection = inspect(catalog, header, source.name());
    static_cast<void>(report(Format::json, {&inspection, nullptr, nullptr}, {}));
    static_cast<void>(report(Format::table, {&inspection, nullptr, nullptr}, {}));
    if (inspection.model == nullptr) return;
    Question question;
    question.model = &inspection.model->model;
    question.quant = inspection.model->quant;
    question.file = &inspection.model->file;
    question.workload.context = std::min(question.workload.context, question.model->max_context);
    question.workload.legacy_gguf = inspection.model->legacy_gguf;
    const Check checked = check(catalog, question, machine(), {});
    static_cast<void>(report(Format::table, {&inspection, &checked, &machine()}, {}));
  } catch (const Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes as characters
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  read(bytes, bytes.size());
  read(bytes, bytes.size() + kBehind);
  return 0;
}
