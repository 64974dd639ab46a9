// Results as text: one result value, one writer a format.
//
// Every writer returns the whole text, so that the command line can put it out in one go and there is never
// half an answer. Tables are for people and fit the width of the style, commands to paste excepted; they are
// plain ASCII. CSV and Markdown carry the rows of the table, JSON the full record as docs/schema/ has it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "r1fit/check.hpp"
#include "r1fit/claim.hpp"
#include "r1fit/compare.hpp"
#include "r1fit/detected.hpp"
#include "r1fit/inspect.hpp"
#include "r1fit/memory_rate.hpp"
#include "r1fit/plan.hpp"
#include "r1fit/recommend.hpp"
#include "r1fit/terminal.hpp"

namespace r1fit {

/// --format.
enum class Format : std::uint8_t { table, json, csv, md };

/// How much is said, and how wide.
struct PrintOptions {
  Style style;
  bool verbose = false;  ///< the rejected and every note too
  bool explain = false;  ///< the arithmetic line by line
  int top = 0;           ///< at most so many recommendations; 0: all
};

// ---- recommend, estimate, check, claim, compare, plan -------------------------------------------------
std::string report(Format format, const Recommendations& result, const RecommendRequest& request,
                   const Machine& machine, const PrintOptions& options);
std::string report(Format format, const Estimate& estimate, const Machine& machine,
                   const PrintOptions& options);
std::string report(Format format, const Check& check, const Machine& machine, const PrintOptions& options);
std::string report(Format format, const Claim& claim, const PrintOptions& options);
std::string report(Format format, const Comparison& comparison, const RecommendRequest& request,
                   const PrintOptions& options);
std::string report(Format format, const Plan& plan, const PrintOptions& options);

/// A file, and what became of it on some hardware where that was asked.
struct InspectionResult {
  const Inspection* inspection = nullptr;
  const Check* check = nullptr;      ///< null: no hardware was named, or none runs it
  const Machine* machine = nullptr;  ///< null: no hardware was named
  /// Named, and the answer is a no that no estimate is needed for.
  [[nodiscard]] bool refused() const { return machine != nullptr && check == nullptr; }
};
std::string report(Format format, const InspectionResult& result, const PrintOptions& options);

/// This machine, each line with where it was read. `flags` describe it elsewhere; empty: they cannot.
std::string report(Format format, const Detected& machine, const std::vector<std::string>& flags,
                   const std::optional<MemoryRate>& measured, const PrintOptions& options);

/// The arithmetic of one estimate, line by line, each constant with its source.
std::string explain(const Estimate& estimate, const Machine& machine, const Style& style);

// ---- batch: one line of JSON each --------------------------------------------------------------------
/// The estimate on one line, `id` first where there is one: `id_json` is JSON text ("\"x\"", "7") or empty.
std::string batch_line(std::string_view id_json, const Estimate& estimate, const Machine& machine);
/// The same of a request that wants no more than placement and memory.
std::string batch_memory_line(std::string_view id_json, const Estimate& estimate, const Machine& machine);
/// {"id": ..., "error": sentence}; the id is null where the request had none.
std::string batch_error_line(std::string_view id_json, std::string_view sentence);

// ---- the catalogue -----------------------------------------------------------------------------------
/// list models|quants|hardware|engines.
enum class Listing : std::uint8_t { models, quants, hardware, engines };
inline constexpr std::string_view kListingWords[] = {"models", "quants", "hardware", "engines"};
constexpr std::string_view word(Listing listing) { return kListingWords[static_cast<std::size_t>(listing)]; }

std::string report_list(Format format, Listing listing, const Catalog& catalog, const PrintOptions& options);

/// One record with every figure, its unit and its source, models and hardware with the speeds measured of
/// them. As JSON: the list with this one item and `measurements`; CSV: its row of the list; Markdown: that
/// row and a table of the speeds.
std::string report_record(Format format, const Model& model, const Catalog& catalog,
                          const PrintOptions& options);
std::string report_record(Format format, const Quant& quant, const Catalog& catalog,
                          const PrintOptions& options);
std::string report_record(Format format, const Gpu& gpu, const Catalog& catalog, const PrintOptions& options);
std::string report_record(Format format, const Host& host, const Catalog& catalog,
                          const PrintOptions& options);
std::string report_record(Format format, const Engine& engine, const Catalog& catalog,
                          const PrintOptions& options);

// ---- the writers behind report() ---------------------------------------------------------------------
std::string table_of(const Recommendations& result, const RecommendRequest& request, const Machine& machine,
                     const PrintOptions& options);
std::string table_of(const Estimate& estimate, const Machine& machine, const PrintOptions& options);
std::string table_of(const Check& check, const Machine& machine, const PrintOptions& options);
std::string table_of(const Claim& claim, const PrintOptions& options);
std::string table_of(const Comparison& comparison, const RecommendRequest& request,
                     const PrintOptions& options);
std::string table_of(const Plan& plan, const PrintOptions& options);
std::string json_of(const Recommendations& result, const RecommendRequest& request, const Machine& machine,
                    const PrintOptions& options);
std::string json_of(const Estimate& estimate, const Machine& machine);
std::string json_of(const Check& check, const Machine& machine);
std::string json_of(const Claim& claim);
std::string json_of(const Comparison& comparison, const RecommendRequest& request);
std::string json_of(const Plan& plan);
std::string json_of(const InspectionResult& result);
std::string json_of(Listing listing, const Catalog& catalog);
std::string json_of(const Model& model, const Catalog& catalog);
std::string json_of(const Quant& quant);
std::string json_of(const Gpu& gpu, const Catalog& catalog);
std::string json_of(const Host& host, const Catalog& catalog);
std::string json_of(const Engine& engine, const Catalog& catalog);
std::string csv_of(const Recommendations& result, const Machine& machine, const PrintOptions& options);
std::string csv_of(const Estimate& estimate, const Machine& machine);
std::string csv_of(const Check& check, const Machine& machine);
std::string csv_of(const Claim& claim);
std::string csv_of(const Comparison& comparison);
std::string csv_of(const Plan& plan);
std::string csv_of(Listing listing, const Catalog& catalog);
std::string markdown_of(const Recommendations& result, const RecommendRequest& request,
                        const Machine& machine, const PrintOptions& options);
std::string markdown_of(const Estimate& estimate, const Machine& machine);
std::string markdown_of(const Check& check, const Machine& machine);
std::string markdown_of(const Claim& claim);
std::string markdown_of(const Comparison& comparison, const RecommendRequest& request);
std::string markdown_of(const Plan& plan);
std::string markdown_of(Listing listing, const Catalog& catalog);

/// One row of RFC 4180 CSV, quoted where it must be, ending in CR LF.
std::string csv_row(const std::vector<std::string>& cells);
/// A Markdown table; pipes in cells are escaped.
std::string markdown_table(const std::vector<std::string>& head,
                           const std::vector<std::vector<std::string>>& rows,
                           const std::vector<bool>& right_aligned);

}  // namespace r1fit
