#include "r1fit/prices.hpp"

#include <algorithm>

#include "csv.hpp"
#include "r1fit/error.hpp"
#include "r1fit/flag_values.hpp"
#include "r1fit/lookup.hpp"

namespace r1fit {
namespace {

/// A hundred million: beyond any machine.
constexpr double kMostUsd = 1e8;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

OwnPrice named(const Catalog& catalog, std::string_view name, const std::string& where) {
  const GpuLookup gpu = find_gpu(catalog, name);
  if (const auto* found = std::get_if<FoundGpu>(&gpu)) {
    if (!found->memory) return {found->gpu, {}, nullptr, 0};
    return {found->gpu, resolve_memory(*found->gpu, found->memory), nullptr, 0};
  }
  const Lookup<Host> host = find_host(catalog, name);
  if (const auto* found = std::get_if<const Host*>(&host)) return {nullptr, {}, *found, 0};
  if (std::holds_alternative<Unknown>(gpu) && std::holds_alternative<Ambiguous<Host>>(host))
    host_named(catalog, name);  // throws the sentence
  throw Error(where + ": " + problem(gpu, name));
}

std::vector<OwnPrice> prices_of(const Catalog& catalog, const CsvTable& table) {
  std::vector<OwnPrice> prices;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    const std::string where = table.where(row);
    const std::string_view name = trimmed(table.cell(row, "name"));
    if (name.empty()) throw Error(where + ": the name is empty");
    OwnPrice price;
    try {
      price = named(catalog, name, where);
    } catch (const Error& error) {
      const std::string text = error.what();
      throw Error(text.starts_with(where) ? text : where + ": " + text);
    }
    price.usd = parse_positive(where + ": price", trimmed(table.cell(row, "price")), kMostUsd);
    const bool twice = std::ranges::any_of(prices, [&](const OwnPrice& other) {
      return other.gpu == price.gpu && other.host == price.host && other.memory == price.memory;
    });
    if (twice) throw Error(where + ": " + in_quotes(name) + " has a price already");
    prices.push_back(price);
  }
  return prices;
}

void check_head(const CsvTable& table, std::string_view file) {
  if (!table.has("name") || !table.has("price"))
    throw Error(std::string(file) + ":1: the first line names the columns: name,price");
}

}  // namespace

std::vector<OwnPrice> parse_prices(const Catalog& catalog, std::string_view text, std::string_view file) {
  const CsvTable table = CsvTable::parse(text, file);
  check_head(table, file);
  return prices_of(catalog, table);
}

std::vector<OwnPrice> read_prices(const Catalog& catalog, const std::string& file) {
  const CsvTable table = CsvTable::read(file);
  check_head(table, file);
  return prices_of(catalog, table);
}

}  // namespace r1fit
