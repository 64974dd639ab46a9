#include <algorithm>
#include <charconv>
#include <cmath>

#include "claim_text.hpp"
#include "compare_text.hpp"
#include "plan_text.hpp"
#include "r1fit/report.hpp"
#include "r1fit/text_table.hpp"
#include "r1fit/units_text.hpp"
#include "report_parts.hpp"

namespace r1fit {
namespace {

using namespace parts;
using Cells = std::vector<std::string>;

// ---- CSV: for programs, so bare numbers in base units and an empty cell for what is unknown
// ----------------

std::string number(double value) {
  if (!std::isfinite(value)) return "";
  char buffer[64];
  const double rounded = std::round(value * 100.0) / 100.0;
  // What two decimals would turn into 0 keeps all its digits.
  const auto [end, fault] = std::to_chars(buffer, buffer + sizeof buffer, rounded == 0 ? value : rounded);
  return fault == std::errc{} ? std::string(buffer, end) : "";
}

std::string number(Bytes value) { return std::to_string(value.count()); }

template <class Q>
void append_range(Cells& cells, const std::optional<Range<Q>>& range) {
  cells.push_back(range ? number(range->low.count()) : "");
  cells.push_back(range ? number(range->typical.count()) : "");
  cells.push_back(range ? number(range->high.count()) : "");
}

Cells estimate_head() {
  return {"model",
          "quant",
          "engine",
          "backend",
          "context",
          "max_context",
          "kv_type_k",
          "kv_type_v",
          "verdict",
          "mode",
          "n_gpu_layers",
          "n_cpu_moe",
          "needs_bytes",
          "fullest_device_total_bytes",
          "fullest_device_budget_bytes",
          "host_total_bytes",
          "disk_streamed_bytes",
          "shortfall_bytes",
          "download_bytes",
          "decode_tps_low",
          "decode_tps_typical",
          "decode_tps_high",
          "limit_tps",
          "prefill_tps_low",
          "prefill_tps_typical",
          "prefill_tps_high",
          "aime2024_pass1",
          "gpqa_diamond_pass1",
          "quant_loss_points",
          "answer_s_low",
          "answer_s_typical",
          "answer_s_high"};
}

Cells estimate_cells(const Estimate& estimate, const Machine& machine) {
  const Placement& placement = estimate.placement;
  const std::size_t at = fullest_device(placement, machine);
  const auto score = [&](std::string_view benchmark) {
    const Score* found = find_score(*estimate.model, benchmark);
    return found == nullptr ? std::string() : number(found->value);
  };
  Cells cells{std::string(estimate.model->id),
              std::string(estimate.quant->id),
              std::string(engine_id(estimate)),
              std::string(word(estimate.backend)),
              std::to_string(estimate.workload.context.count()),
              estimate.max_context ? std::to_string(estimate.max_context->count()) : "",
              std::string(word(estimate.workload.kv_k)),
              std::string(word(estimate.workload.kv_v)),
              std::string(word(placement.verdict)),
              std::string(word(placement.mode)),
              std::to_string(placement.n_gpu_layers),
              std::to_string(placement.n_cpu_moe),
              number(needs(placement)),
              at == kNone ? "" : number(placement.devices[at].total()),
              at == kNone ? "" : number(budget_of(placement, machine.devices[at])),
              number(placement.host.total()),
              number(placement.disk_streamed),
              number(placement.shortfall),
              number(estimate.download.size)};
  append_range(cells, estimate.speed.decode);
  cells.push_back(estimate.speed.limit ? number(estimate.speed.limit->count()) : "");
  append_range(cells, estimate.speed.prefill);
  cells.push_back(score("aime2024_pass1"));
  cells.push_back(score("gpqa_diamond_pass1"));
  cells.push_back(estimate.loss.known ? number(estimate.loss.points) : "");
  append_range(cells, estimate.speed.answer);
  return cells;
}

void prepend(Cells& cells, std::string first) { cells.insert(cells.begin(), std::move(first)); }

std::string joined(const Cells& words) {
  std::string text;
  for (const std::string& one : words) {
    if (!text.empty()) text += ' ';
    text += one;
  }
  return text;
}

// ---- Markdown: for people, so the cells of the table -----------------------------------------------------

Cells people_head(std::span<const Recommendation> rows, Use use) {
  return {
      "model",      "quant", "needs GiB", "max context", "tok/s", "verdict", ranking_score_head(rows, use),
      "download GB"};
}

const std::vector<bool> kPeopleRight{false, false, true, true, true, false, true, true};

Cells people_cells(const Estimate& estimate, Use use) {
  return {std::string(estimate.model->name),
          std::string(estimate.quant->id),
          tenths_text(tenths(needs(estimate.placement))),
          estimate.max_context ? count_text(*estimate.max_context) : "",
          decode_text(estimate.speed),
          verdict_text(estimate.placement),
          ranking_score_text(*estimate.model, use),
          fixed_text(in_gb(estimate.download.size), 1)};
}

std::string memory_markdown(const Estimate& estimate, const Machine& machine) {
  std::vector<Cells> rows;
  const auto add = [&rows](std::string name, const std::vector<Addend>& addends, Bytes total,
                           std::string budget) {
    constexpr double tenth_gib = 107374182.4;
    const std::vector<std::int64_t> figures = rounded_parts(addends, tenth_gib);
    Cells cells{std::move(name)};
    for (std::size_t i = 0; i < 4; ++i) cells.push_back(i < figures.size() ? tenths_text(figures[i]) : "");
    cells.push_back(tenths_text(tenths(total)));
    cells.push_back(std::move(budget));
    rows.push_back(std::move(cells));
  };
  const Placement& placement = estimate.placement;
  for (std::size_t i = 0; i < std::min(placement.devices.size(), machine.devices.size()); ++i) {
    const DeviceUse& use = placement.devices[i];
    add(device_title(machine.devices[i]), addends_of(use), use.total(),
        tenths_text(tenths(budget_of(placement, machine.devices[i]))));
  }
  add("host memory", addends_of(placement.host), placement.host.total(),
      machine.host.ram ? tenths_text(tenths(machine.host.budget)) : "");
  return markdown_table({"GiB", "weights", "KV cache", "buffers", "runtime", "total", "budget"}, rows,
                        {false, true, true, true, true, true, true});
}

std::string commands_markdown(const Estimate& estimate) {
  std::string text;
  for (const Command& command : estimate.commands) {
    // One block each: they are alternatives, not steps.
    text += (text.empty() ? "" : "\nor\n");
    text += "\n```sh\n" + command.command + "\n```\n";
  }
  return text;
}

std::string notes_markdown(const Estimate& estimate) {
  std::string text;
  for (const Note& note : estimate.notes) text += "- " + printable(note.text) + "\n";
  return text.empty() ? text : "\n" + text;
}

// ---- the catalogue
// -----------------------------------------------------------------------------------------

struct ListTable {
  Cells head;
  std::vector<bool> right;
  std::vector<Cells> rows;
};

std::string optional_count(const std::optional<Bytes>& size) { return size ? number(*size) : ""; }

/// What the rows of `list` hold for programs; the full records are in the JSON.
ListTable list_table(Listing listing, const Catalog& catalog) {
  ListTable table;
  switch (listing) {
    case Listing::models:
      table.head = {
          "id",       "name",    "parameters", "max_context", "aime2024_pass1", "gpqa_diamond_pass1",
          "released", "licence", "offered",    "hf_repo"};
      table.right = {false, false, true, true, true, true};
      for (const Model& model : catalog.models) {
        const auto score = [&](std::string_view benchmark) {
          const Score* found = find_score(model, benchmark);
          return found == nullptr ? std::string() : number(found->value);
        };
        table.rows.push_back(
            {std::string(model.id), std::string(model.name), std::to_string(model.shape->parameters),
             std::to_string(model.max_context.count()), score("aime2024_pass1"), score("gpqa_diamond_pass1"),
             std::string(model.released), std::string(model.licence), model.offered ? "yes" : "no",
             std::string(model.hf_repo)});
      }
      break;
    case Listing::quants:
      table.head = {"id", "base", "imatrix", "offered", "engine", "note"};
      for (const Quant& quant : catalog.quants) {
        table.rows.push_back({std::string(quant.id), quant.base != nullptr ? std::string(quant.base->id) : "",
                              quant.imatrix ? "yes" : "no", quant.offered ? "yes" : "no",
                              std::string(quant.engine), std::string(quant.note)});
      }
      break;
    case Listing::hardware:
      table.head = {"kind",           "id",          "name",        "vendor",        "memory_bytes",
                    "bandwidth_gbps", "memory_type", "fp16_tflops", "board_power_w", "launch_year",
                    "msrp_usd"};
      table.right = {false, false, false, false, true, true, false, true, true, true, true};
      for (const Gpu& gpu : catalog.gpus) {
        Cells sizes;
        for (const Bytes size : gpu.memory) sizes.push_back(number(size));
        table.rows.push_back({"gpu", std::string(gpu.id), std::string(gpu.name),
                              std::string(word(gpu.vendor)), joined(sizes),
                              number(in_gb_per_s(gpu.bandwidth)), std::string(gpu.memory_type),
                              gpu.fp16 ? number(in_tflops(*gpu.fp16)) : "",
                              gpu.board_power ? number(gpu.board_power->count()) : "",
                              gpu.launch_year > 0 ? std::to_string(gpu.launch_year) : "",
                              gpu.msrp_usd ? std::to_string(*gpu.msrp_usd) : ""});
      }
      for (const Host& host : catalog.hosts) {
        table.rows.push_back({"cpu", std::string(host.id), std::string(host.name), "",
                              optional_count(host.max_memory), number(in_gb_per_s(host.bandwidth))});
      }
      break;
    case Listing::engines:
      table.head = {"id", "name", "reads_gguf", "backends", "default_context"};
      for (const Engine& engine : catalog.engines) {
        Cells backends;
        for (const Backend backend : engine.backends) backends.emplace_back(word(backend));
        table.rows.push_back({std::string(engine.id), std::string(engine.name),
                              engine.reads_gguf ? "yes" : "no", joined(backends),
                              std::string(engine.default_context)});
      }
      break;
  }
  for (Cells& row : table.rows) row.resize(table.head.size());
  return table;
}

}  // namespace

std::string csv_row(const std::vector<std::string>& cells) {
  std::string row;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) row += ',';
    const std::string& cell = cells[i];
    if (cell.find_first_of(",\"\r\n") == std::string::npos) {
      row += cell;
      continue;
    }
    row += '"';
    for (const char c : cell) {
      if (c == '"') row += '"';
      row += c;
    }
    row += '"';
  }
  return row + "\r\n";
}

std::string markdown_table(const std::vector<std::string>& head,
                           const std::vector<std::vector<std::string>>& rows,
                           const std::vector<bool>& right_aligned) {
  std::string text;
  const auto append = [&](const std::vector<std::string>& cells) {
    text += '|';
    for (const std::string& cell : cells) {
      text += ' ';
      for (const char c : printable(cell)) {
        if (c == '|') text += '\\';
        text += c;
      }
      text += " |";
    }
    text += '\n';
  };
  append(head);
  text += '|';
  for (std::size_t i = 0; i < head.size(); ++i) {
    text += i < right_aligned.size() && right_aligned[i] ? " ---: |" : " --- |";
  }
  text += '\n';
  for (const auto& row : rows) append(row);
  return text;
}

std::string csv_of(const Recommendations& result, const Machine& machine, const PrintOptions& options) {
  Cells head = estimate_head();
  prepend(head, "rank");
  head.insert(head.end(), {"score", "roles", "why"});
  std::string text = csv_row(head);
  const auto append = [&](const Recommendation& row, bool ranked) {
    Cells cells = estimate_cells(row.estimate, machine);
    prepend(cells, ranked ? std::to_string(row.rank) : "");
    cells.push_back(ranked && row.score ? number(*row.score) : "");
    cells.push_back(joined(role_words(row.roles)));
    cells.push_back(row.why);
    text += csv_row(cells);
  };
  for (std::size_t i = 0; i < shown(result.ranked.size(), options); ++i) append(result.ranked[i], true);
  if (options.verbose) {
    for (const Recommendation& row : result.rejected) append(row, false);
  }
  return text;
}

std::string csv_of(const Estimate& estimate, const Machine& machine) {
  return csv_row(estimate_head()) + csv_row(estimate_cells(estimate, machine));
}

std::string csv_of(const Check& check, const Machine& machine) {
  Cells head = estimate_head();
  Cells cells = estimate_cells(check.estimate, machine);
  head.insert(head.begin(), {"ok", "failed"});
  cells.insert(cells.begin(), {check.ok() ? "yes" : "no", joined(check.failed)});
  return csv_row(head) + csv_row(cells);
}

std::string csv_of(Listing listing, const Catalog& catalog) {
  const ListTable table = list_table(listing, catalog);
  std::string text = csv_row(table.head);
  for (const Cells& row : table.rows) text += csv_row(row);
  return text;
}

std::string markdown_of(const Recommendations& result, const RecommendRequest& request,
                        const Machine& machine, const PrintOptions& options) {
  const auto rows = std::span(result.ranked).first(shown(result.ranked.size(), options));
  std::string text = hardware_text(machine) + "\n";
  if (!rows.empty()) {
    const Estimate& pick = rows.front().estimate;
    text += workload_text(pick.workload, pick.engine, pick.backend, request.context) + "\n";
    const std::string span = span_text(machine, pick.speed);
    if (!span.empty()) text += span + "\n";
    std::vector<Cells> table;
    for (const Recommendation& row : rows) {
      Cells cells = people_cells(row.estimate, request.use);
      prepend(cells, std::to_string(row.rank));
      cells.push_back(role_text(row.roles));
      table.push_back(std::move(cells));
    }
    Cells head = people_head(rows, request.use);
    prepend(head, "rank");
    head.emplace_back("picked for");
    std::vector<bool> right = kPeopleRight;
    right.insert(right.begin(), true);
    text += "\n" + markdown_table(head, table, right) + commands_markdown(pick) + notes_markdown(pick);
  } else {
    text += "\nNothing fits.\n";
  }
  if (!result.step_ups.empty()) {
    std::vector<Cells> table;
    for (const StepUp& step : result.step_ups) {
      table.push_back({std::string(step.estimate.model->name), std::string(step.estimate.quant->id),
                       fixed_text(in_gib(step.missing), 1), joined_or(step.ways)});
    }
    text += "\n" + markdown_table({"out of reach", "quant", "GiB short", "with"}, table,
                                  {false, false, true, false});
  }
  if ((options.verbose || rows.empty()) && !result.rejected.empty()) {
    std::vector<Cells> table;
    for (const Recommendation& row : result.rejected) {
      table.push_back({std::string(row.estimate.model->name), std::string(row.estimate.quant->id), row.why});
    }
    text += "\n" + markdown_table({"rejected", "quant", "why"}, table, {});
  }
  return text;
}

std::string markdown_of(const Estimate& estimate, const Machine& machine) {
  std::string text = hardware_text(machine) + "\n";
  text += workload_text(estimate.workload, estimate.engine, estimate.backend, ContextChoice::stated) + "\n";
  const std::string span = span_text(machine, estimate.speed);
  if (!span.empty()) text += span + "\n";
  text += "\n" +
          markdown_table(people_head({}, Use::general), {people_cells(estimate, Use::general)}, kPeopleRight);
  text += "\n" + memory_markdown(estimate, machine);
  return text + commands_markdown(estimate) + notes_markdown(estimate);
}

std::string markdown_of(const Check& check, const Machine& machine) {
  std::string text = check.ok() ? "**yes**" : "**no**";
  if (!check.failed.empty()) text += ": " + joined(check.failed);
  if (!check.ways.empty()) text += "; yes with " + joined_or(check.ways);
  if (!check.step_up.empty()) text += "; as asked it needs " + joined_or(check.step_up);
  return text + "\n\n" + markdown_of(check.estimate, machine);
}

std::string csv_of(const Plan& plan) {
  std::string out = csv_row(
      {"kind", "gpu", "memory_bytes", "count", "cpu", "ram_bytes", "verdict", "wired_limit_bytes",
       "max_context", "decode_tps_low", "decode_tps_typical", "decode_tps_high", "price_usd", "price_year",
       "price_is_own", "price_has_platform", "board_power_w", "electricity_usd_per_million_tokens", "front"});
  for (const PlannedMachine& row : plan.rows) {
    const bool device = row.device.gpu != nullptr;
    Cells cells{std::string(word(row.kind)),
                device ? std::string(row.device.gpu->id) : "",
                device ? number(row.device.memory) : "",
                device ? std::to_string(row.count) : "",
                row.host != nullptr ? std::string(row.host->id) : "",
                optional_count(row.ram),
                std::string(word(row.placement.verdict)),
                optional_count(row.wired_limit),
                row.max_context ? std::to_string(row.max_context->count()) : ""};
    append_range(cells, row.decode);
    cells.push_back(row.price.usd ? number(*row.price.usd) : "");
    cells.push_back(row.price.year > 0 ? std::to_string(row.price.year) : "");
    cells.emplace_back(row.price.own ? "yes" : "no");
    cells.emplace_back(row.price.platform ? "yes" : "no");
    cells.push_back(row.power ? number(row.power->count()) : "");
    cells.push_back(row.usd_per_million ? number(*row.usd_per_million) : "");
    cells.emplace_back(row.front ? "yes" : "no");
    out += csv_row(cells);
  }
  return out;
}

std::string markdown_of(const Plan& plan) {
  std::string text;
  for (const std::string& line : plan_subject(plan)) text += line + "\n";
  text += plan_answer(plan) + "\n";
  if (!plan.rows.empty()) {
    const std::vector<PlanColumn> figures = plan_columns(plan);
    Cells head{"what"};
    std::vector<bool> right{false};
    for (const PlanColumn& one : figures) {
      head.push_back(one.head);
      right.push_back(one.head != "verdict");
    }
    std::vector<Cells> rows;
    for (const PlannedMachine& row : plan.rows) {
      const std::string memory = planned_memory(row);
      Cells cells{planned_name(row) + (memory.empty() ? "" : " + " + memory)};
      for (const PlanColumn& one : figures) cells.push_back(one.cell(row));
      rows.push_back(std::move(cells));
    }
    text += "\n" + markdown_table(head, rows, right) + "\n";
  }
  for (const std::string& line : plan_remarks(plan)) text += "- " + line + "\n";
  return text;
}

std::string csv_of(const Claim& claim) {
  const Estimate& estimate = claim.estimate;
  const bool of_speed = claim.claimed.kind == ClaimKind::decode_tps;
  const bool of_size = claim.claimed.kind == ClaimKind::needs || claim.claimed.kind == ClaimKind::file_size;
  const auto rate = [](const std::optional<TokensPerSecond>& value) {
    return value ? number(value->count()) : std::string();
  };
  BytesPerToken read;
  for (const LimitStep& step : claim.limit_steps) read += step.read;
  Cells names;
  for (const Alternative& one : claim.instead) names.push_back(alternative_name(one));
  Cells codes;
  for (const Note& note : claim.notes) codes.push_back(note.code);
  Cells cells{std::string(word(claim.verdict)),
              std::string(word(claim.claimed.kind)),
              std::string(estimate.model->id),
              std::string(estimate.quant->id),
              std::to_string(estimate.workload.context.count()),
              of_speed ? number(claim.claimed.speed.low.count()) : "",
              of_speed ? number(claim.claimed.speed.high.count()) : "",
              of_size ? number(claim.claimed.size.size) : "",
              rate(claim.limit),
              rate(claim.realistic)};
  append_range(cells, claim.speed.decode);
  cells.push_back(claim.limit_steps.empty() ? "" : std::to_string(std::llround(read.count())));
  cells.push_back(optional_count(claim.needed));
  cells.push_back(optional_count(claim.usable));
  cells.push_back(optional_count(claim.shortfall));
  cells.push_back(optional_count(claim.truth));
  std::string instead;
  for (const std::string& name : names) instead += (instead.empty() ? "" : "; ") + name;
  cells.push_back(instead);
  cells.push_back(joined(codes));
  return csv_row({"verdict",
                  "kind",
                  "model",
                  "quant",
                  "context",
                  "claimed_low_tps",
                  "claimed_high_tps",
                  "claimed_bytes",
                  "limit_tps",
                  "realistic_tps",
                  "decode_tps_low",
                  "decode_tps_typical",
                  "decode_tps_high",
                  "bytes_per_token",
                  "needs_bytes",
                  "usable_bytes",
                  "shortfall_bytes",
                  "truth_bytes",
                  "instead",
                  "notes"}) +
         csv_row(cells);
}

std::string markdown_of(const Claim& claim) {
  std::string text = "**" + claim_verdict_text(claim.verdict) + "**: " + claim_headline(claim) + "\n";
  const std::vector<std::string> lines = claim_lines(claim);
  if (!lines.empty()) text += "\n";
  for (const std::string& line : lines) text += "- " + line + "\n";
  text += "\n";
  for (const std::string& line : claim_subject(claim)) text += line + "\n";
  return text;
}

namespace {

/// What of a row of CSV is no estimate.
struct ComparedCells {
  std::string_view row;  ///< "pick", "same" or "cannot"
  std::string score;
  std::string why;
  std::string runs_on;
};

Cells compared_cells(std::size_t at, const ComparedMachine& one, const Estimate* estimate,
                     const ComparedCells& rest) {
  const Outlay& outlay = one.outlay;
  const Machine& machine = one.named.machine;
  Cells cells =
      estimate != nullptr ? estimate_cells(*estimate, machine) : Cells(estimate_head().size(), std::string());
  cells.insert(cells.begin(), {std::to_string(at), one.named.asked, std::string(rest.row)});
  const std::optional<double> per_100 =
      estimate != nullptr ? tok_per_s_per_100_watts(*estimate, outlay) : std::nullopt;
  cells.insert(cells.end(), {estimate != nullptr ? number(usable(*estimate, machine)) : "", rest.score,
                             outlay.board_power ? number(outlay.board_power->count()) : "",
                             outlay.price_usd ? number(*outlay.price_usd) : "",
                             outlay.price_usd ? std::to_string(outlay.first_year) : "",
                             outlay.price_usd ? std::to_string(outlay.last_year) : "",
                             per_100 ? number(*per_100) : "", rest.why, rest.runs_on});
  return cells;
}

}  // namespace

std::string csv_of(const Comparison& comparison) {
  Cells head = estimate_head();
  head.insert(head.begin(), {"machine", "asked", "row"});
  head.insert(head.end(), {"usable_bytes", "score", "board_power_w", "price_usd", "price_first_year",
                           "price_last_year", "tps_per_100_w", "why", "runs_on"});
  std::string text = csv_row(head);
  const std::vector<ComparedMachine>& machines = comparison.machines;
  for (std::size_t i = 0; i < machines.size(); ++i) {
    const std::optional<Recommendation>& pick = machines[i].pick;
    text += csv_row(compared_cells(i + 1, machines[i], pick ? &pick->estimate : nullptr,
                                   {"pick", pick && pick->score ? number(*pick->score) : "",
                                    pick ? pick->why : "nothing runs as asked", ""}));
  }
  for (std::size_t i = 0; i < machines.size() && comparison.model != nullptr; ++i) {
    text += csv_row(
        compared_cells(i + 1, machines[i], &*machines[i].same, {"same", "", machines[i].same_lacks, ""}));
  }
  for (std::size_t i = 0; i < machines.size(); ++i) {
    if (!machines[i].missed) continue;
    const Missed& missed = *machines[i].missed;
    Cells numbers;
    for (const std::size_t other : missed.runs_on) numbers.push_back(std::to_string(other + 1));
    text += csv_row(
        compared_cells(i + 1, machines[i], &missed.estimate, {"cannot", "", missed.why, joined(numbers)}));
  }
  return text;
}

namespace {

std::string compared_markdown(const ComparedTable& table) {
  if (table.rows.empty()) return "\n" + table.title + "\n";
  Cells head;
  std::vector<bool> right;
  for (const Column& column : table.columns) {
    head.push_back(column.head);
    right.push_back(column.align == Align::right);
  }
  return "\n**" + table.title + "**\n\n" + markdown_table(head, table.rows, right);
}

std::string numbered_markdown(const std::vector<std::string>& texts) {
  std::string text;
  for (std::size_t i = 0; i < texts.size(); ++i)
    text += std::to_string(i + 1) + ". " + printable(texts[i]) + "\n";
  return text;
}

}  // namespace

std::string markdown_of(const Comparison& comparison, const RecommendRequest& request) {
  std::string text = compared_workload(comparison, request) + "\n\n";
  text += numbered_markdown(compared_hardware(comparison));
  text += compared_markdown(picks_table(comparison, request.use));
  const ComparedTable same = same_table(comparison);
  text += compared_markdown(same);
  const std::vector<std::string> lacks = same_lacks(comparison);
  if (!lacks.empty()) text += "\n";
  for (const std::string& line : lacks) text += "- " + printable(line) + "\n";
  const bool per_100_watts = !same.columns.empty() && same.columns.back().head == kPer100Watts;
  if (const std::string remark = same_remark(comparison, per_100_watts); !remark.empty())
    text += "\n" + remark + "\n";
  if (!any_picks(comparison)) return text;
  text += "\n**" + missed_title() + "**\n\n";
  const std::vector<std::string> missed = missed_texts(comparison);
  return text + (missed.empty() ? std::string(kNothingMissed) + "\n" : numbered_markdown(missed));
}

std::string markdown_of(Listing listing, const Catalog& catalog) {
  const ListTable table = list_table(listing, catalog);
  return markdown_table(table.head, table.rows, table.right);
}

}  // namespace r1fit
