#include <vector>

#include "r1fit/report.hpp"
#include "r1fit/text_table.hpp"
#include "r1fit/units_text.hpp"

namespace r1fit {
namespace {

constexpr std::size_t kLabelWidth = 12;

std::string quoted(const std::string& text) { return "\"" + printable(text) + "\""; }

/// A size in the unit that shows it.
std::string size_text(const std::optional<Bytes>& size) {
  if (!size) return "unknown";
  if (*size < mib(1)) return count_text(size->count()) + " B";
  return *size >= mib(100) ? gib_text(*size, 2) : mib_text(*size, 2);
}

std::string count_of(const std::optional<std::int64_t>& count) {
  return count ? count_text(*count) : "unknown";
}

std::string bits_text(const WeightShare& share) {
  if (!share.size || share.elements == 0) return "";
  return fixed_text(8.0 * static_cast<double>(share.size->count()) / static_cast<double>(share.elements), 2);
}

std::string type_name(const TypeShare& one) {
  return one.type != nullptr ? std::string(one.type->id) : "type " + std::to_string(one.number) + ", unknown";
}

/// What is said beside the tables: a label and a sentence each.
struct Line {
  std::string_view label;
  std::string text;
};

std::string kinship_text(const Inspection& file) {
  const std::string name = file.relative != nullptr ? std::string(file.relative->name) : "";
  switch (file.kinship) {
    case Kinship::r1:
      return "yes: " + name + ", by shape and name";
    case Kinship::derived:
      return "no: made from " + name +
             " by its name, and of its shape; memory and speed are the same, "
             "published scores of " +
             name + " do not hold for it";
    case Kinship::same_shape:
      return "no: only of the shape of " + name + ", so memory and speed are the same";
    case Kinship::none:
      break;
  }
  return file.model != nullptr ? "no: none has this shape" : "no, or nothing that can be told";
}

std::string shape_text(const Inspection& file) {
  std::string text = count_of(file.layers) + " layers, hidden size " + count_of(file.hidden) + ", " +
                     count_of(file.heads) + " heads";
  if (file.attention == AttentionKind::grouped && file.kv_heads)
    text += ", " + count_text(*file.kv_heads) + (*file.kv_heads == 1 ? " KV head" : " KV heads");
  if (file.routed_experts.value_or(0) > 0) {
    text += ", " + count_text(*file.routed_experts) + " routed experts, " + count_of(file.experts_per_token) +
            " a token";
  }
  return text + "; context " + count_of(file.context) + ", vocabulary " + count_of(file.vocabulary);
}

std::string quant_text(const Inspection& file) {
  std::string text;
  const std::string_view named = file.file_type ? file_type_name(*file.file_type) : std::string_view{};
  if (!file.file_type) {
    text = "the file does not say; ";
  } else if (named.empty()) {
    text = "file type " + std::to_string(*file.file_type) + ", which is not known; ";
  } else {
    text = "said to be " + std::string(named) + "; ";
  }
  if (file.quant != nullptr) {
    const bool same = file.quant->id == named;
    text += "the tensors are " + std::string(same ? "just that" : "just " + std::string(file.quant->id));
  } else if (file.types.size() == 1) {
    // Of one type, so no mixture at all.
    const std::string only = type_name(file.types.front());
    text += "the tensors are " + std::string(only == named ? "just that" : "all " + only);
  } else if (file.model != nullptr) {
    text += "the tensors are another mixture than llama.cpp's own, mostly " + type_name(file.types.front());
  } else if (!file.types.empty()) {
    text += "the tensors are mostly " + type_name(file.types.front());
  } else {
    text += "it has no tensors";
  }
  if (const std::optional<double> bits = file.bits_per_weight())
    text += "; " + fixed_text(*bits, 2) + " bits per weight";
  return text;
}

std::string imatrix_text(const Inspection& file) {
  if (!file.imatrix) return "none noted in the file, so whether one made it is not known";
  const Imatrix& imatrix = *file.imatrix;
  std::string text = "made with one";
  if (!imatrix.file.empty()) text += ", " + quoted(imatrix.file);
  if (!imatrix.dataset.empty()) text += ", over " + quoted(imatrix.dataset);
  if (imatrix.chunks) text += ", " + count_text(*imatrix.chunks) + " chunks";
  return text;
}

std::vector<Line> lines_of(const Inspection& file) {
  std::string size = file.file_size < mb(100)
                         ? count_text(file.file_size.count()) + " bytes"
                         : gb_text(file.file_size, 2) + " (decimal GB; " + gib_text(file.file_size, 2) + ")";
  if (file.parts > 1) size += " in " + count_text(file.parts) + " parts";
  size += ", GGUF version " + std::to_string(file.version);
  if (file.big_endian) size += ", big endian: only big-endian machines run it";
  std::vector<Line> lines{
      {"file", size},
      {"an R1", kinship_text(file)},
      {"model", (file.name.empty() ? "not named" : quoted(file.name)) + ", architecture " +
                    (file.architecture.empty() ? "not stated" : printable(file.architecture))},
      {"shape", shape_text(file)}};
  if (file.attention == AttentionKind::mla)
    lines.push_back({"attention", "MLA, with the tensors of the small cache (attn_k_b, attn_v_b)"});
  if (file.attention == AttentionKind::pre_mla) {
    lines.push_back(
        {"attention",
         "MLA, but made before the small cache (attn_kv_b): full heads are kept, 71 times as much"});
  }
  if (file.tied)
    lines.push_back({"output", "the token embedding is the output layer, too; a GPU gets a copy of it"});
  lines.push_back({"quant", quant_text(file)});
  lines.push_back({"imatrix", imatrix_text(file)});
  if (!file.why_not.empty()) lines.push_back({"estimate", "not possible: " + printable(file.why_not)});
  return lines;
}

std::vector<std::string> cells_of(std::string name, const WeightShare& share) {
  return {std::move(name), count_text(share.tensors), count_text(share.elements), bits_text(share),
          size_text(share.size)};
}

std::vector<std::vector<std::string>> type_rows(const Inspection& file) {
  std::vector<std::vector<std::string>> rows;
  for (const TypeShare& one : file.types) rows.push_back(cells_of(type_name(one), one.share));
  return rows;
}

std::vector<std::vector<std::string>> group_rows(const Inspection& file) {
  std::vector<std::vector<std::string>> rows;
  for (int i = 0; i < kWeightGroups; ++i) {
    const auto group = static_cast<WeightGroup>(i);
    const WeightShare& share = file.group(group);
    if (share.tensors > 0) rows.push_back(cells_of(std::string(title(group)), share));
  }
  rows.push_back(cells_of("in all", file.all));
  return rows;
}

std::string table_text(std::string head, const std::vector<std::vector<std::string>>& rows,
                       std::size_t width) {
  TextTable table({{std::move(head), Align::left, 0, true},
                   {"tensors", Align::right, 2},
                   {"weights", Align::right, 1},
                   {"bits", Align::right},
                   {"size", Align::right}});
  for (const auto& row : rows) table.add(row);
  return table.text(width, 2);
}

std::string table_of(const InspectionResult& result, const PrintOptions& options) {
  const Inspection& file = *result.inspection;
  const auto width = static_cast<std::size_t>(options.style.width);
  std::string out = wrap("", printable(file.path), width);
  for (const Line& line : lines_of(file)) {
    std::string lead = "  " + std::string(line.label);
    lead.resize(kLabelWidth, ' ');
    const std::string lines = wrap(lead, line.text, width);
    out += paint(options.style, Tone::dim, std::string_view(lines).substr(0, lead.size()));
    out.append(lines, lead.size());
  }
  out += "\n" + table_text("weights of", group_rows(file), width);
  out += "\n" + table_text("as", type_rows(file), width);
  if (result.machine == nullptr) return out;
  out += "\n";
  if (result.refused()) {
    const std::string lines = wrap("no: ", std::string(runs_nowhere(file)) + ".", width);
    return out + paint(options.style, Tone::red, "no") + lines.substr(2);
  }
  // What fits is shown whole, what does not with what would make it fit.
  if (result.check->ok()) return out + r1fit::table_of(result.check->estimate, *result.machine, options);
  return out + r1fit::table_of(*result.check, *result.machine, options);
}

std::string markdown_of(const InspectionResult& result) {
  const Inspection& file = *result.inspection;
  std::string out;
  for (const Line& line : lines_of(file)) out += "- " + std::string(line.label) + ": " + line.text + "\n";
  const std::vector<bool> right{false, true, true, true, true};
  out += "\n" + markdown_table({"weights of", "tensors", "weights", "bits", "size"}, group_rows(file), right);
  out += "\n" + markdown_table({"as", "tensors", "weights", "bits", "size"}, type_rows(file), right);
  if (result.refused()) out += "\nno: " + std::string(runs_nowhere(file)) + ".\n";
  if (result.check != nullptr) out += "\n" + r1fit::markdown_of(result.check->estimate, *result.machine);
  return out;
}

/// A row a type and a row a group; with hardware the row of the estimate where there is one, since one file
/// has one head.
std::string csv_of(const InspectionResult& result) {
  if (result.check != nullptr) return r1fit::csv_of(result.check->estimate, *result.machine);
  const Inspection& file = *result.inspection;
  std::string out = csv_row({"kind", "name", "tensors", "weights", "bytes"});
  const auto add = [&out](std::string kind, std::string name, const WeightShare& share) {
    out += csv_row({std::move(kind), std::move(name), std::to_string(share.tensors),
                    std::to_string(share.elements), share.size ? std::to_string(share.size->count()) : ""});
  };
  for (int i = 0; i < kWeightGroups; ++i) {
    const auto group = static_cast<WeightGroup>(i);
    add("group", std::string(word(group)), file.group(group));
  }
  for (const TypeShare& one : file.types)
    add("type", one.type != nullptr ? std::string(one.type->id) : std::to_string(one.number), one.share);
  add("all", "", file.all);
  return out;
}

}  // namespace

std::string report(Format format, const InspectionResult& result, const PrintOptions& options) {
  switch (format) {
    case Format::json:
      return json_of(result);
    case Format::csv:
      return csv_of(result);
    case Format::md:
      return markdown_of(result);
    case Format::table:
      break;
  }
  return table_of(result, options);
}

}  // namespace r1fit
