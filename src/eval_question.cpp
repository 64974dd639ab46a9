#include "eval_question.hpp"

#include "r1fit/flag_values.hpp"

namespace r1fit {

std::size_t choice(const CsvTable& table, std::size_t row, std::initializer_list<std::string_view> columns,
                   std::span<const std::string_view> words, std::string_view missing) {
  const std::string_view text = table.cell(row, columns);
  return parse_word(*columns.begin(), text.empty() ? missing : text, words);
}

Workload read_workload(const CsvTable& table, std::size_t row) {
  Workload workload;
  workload.legacy_gguf = table.cell(row, {"legacy", "legacy_gguf"}) == "1";
  workload.context = tokens(table.whole(row, {"context", "ctx", "n_ctx"}));
  workload.ubatch = tokens(table.whole(row, {"ubatch", "n_ubatch"}, 512));
  workload.kv_k = static_cast<KvType>(choice(table, row, {"kv_k", "type_k"}, kKvTypeWords, "f16"));
  workload.kv_v = static_cast<KvType>(choice(table, row, {"kv_v", "type_v"}, kKvTypeWords, "f16"));
  workload.flash_attention =
      static_cast<FlashAttention>(choice(table, row, {"flash", "flash_attn"}, kFlashAttentionWords, "auto"));
  workload.parallel = table.whole(row, {"parallel", "n_parallel"}, 1);
  workload.kv_unified = table.cell(row, "kv_unified") == "1";
  workload.logits_rows =
      static_cast<LogitsRows>(choice(table, row, {"logits"}, kLogitsRowsWords, "parallel"));
  return workload;
}

Said read_said(const CsvTable& table, std::size_t row) {
  const auto said = [&](std::string_view column) { return !table.cell(row, column).empty(); };
  return {said("parallel"), said("kv_unified"), said("logits")};
}

Machine roomy_machine(Backend backend, int devices) {
  const Catalog& catalog = builtin_catalog();
  Machine machine;
  machine.host = make_host(catalog, gib(4096), nullptr, {});
  for (int i = 0; backend != Backend::cpu && i < devices; ++i)
    machine.devices.push_back(make_nameless_device(catalog, gib(2000), {}, backend, {}));
  return machine;
}

}  // namespace r1fit
