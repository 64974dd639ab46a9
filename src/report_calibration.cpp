#include "r1fit/report_calibration.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <tuple>

#include "r1fit/text_table.hpp"
#include "r1fit/throughput.hpp"
#include "r1fit/units_text.hpp"

namespace r1fit {
namespace {

using Json = nlohmann::ordered_json;

/// Hardware that runs were measured on.
struct Hardware {
  std::vector<std::string> gpus;
  std::string host;
  std::string backend;
  bool operator==(const Hardware&) const = default;
};

Hardware hardware_of(const KeptRun& run) { return {run.gpus, run.host, run.backend}; }

/// "rtx-4090 (cuda)", "2 x rtx-3090 (cuda)", "ddr5-5600-dual (cpu)".
std::string text_of(const Hardware& hardware) {
  std::string text = hardware.host;
  for (auto at = hardware.gpus.begin(); at != hardware.gpus.end();) {
    const auto end =
        std::find_if(at, hardware.gpus.end(), [&](const std::string& one) { return one != *at; });
    if (!text.empty()) text += " + ";
    if (end - at > 1) text += std::to_string(end - at) + " x ";
    text += *at;
    at = end;
  }
  return text + " (" + hardware.backend + ")";
}

/// What is known of a run; nothing where the catalogue in use does not know its hardware or model.
std::optional<Expected> expected_of_kept(const Catalog& catalog, const KeptRun& run) {
  const std::optional<OwnMeasurement> measurement = found_in(catalog, run);
  if (!measurement) return std::nullopt;
  return expected_of(catalog, *measurement);
}

/// What a speed of another model on some hardware is multiplied by.
struct Effect {
  Hardware hardware;
  OwnFactor own;
  Spread without;
};

/// Of the hardware of `run`; nothing where the catalogue does not know it.
std::optional<Effect> effect_on(const Catalog& catalog, const KeptRun& run,
                                const std::vector<KeptRun>& kept) {
  const std::optional<OwnMeasurement> measurement = found_in(catalog, run);
  if (!measurement) return std::nullopt;
  std::vector<OwnMeasurement> measurements;
  for (const KeptRun& one : kept) {
    if (const auto found = found_in(catalog, one)) measurements.push_back(*found);
  }
  Machine machine;
  for (const Gpu* gpu : measurement->gpus)
    machine.devices.push_back(make_device(catalog, *gpu, gpu->memory.back(), measurement->backend, {}, {}));
  machine.host = make_host(catalog, {}, measurement->host, {});
  add_own(catalog, measurements, machine);
  const bool gpu = !machine.devices.empty();
  const std::vector<OwnRun>& runs = gpu ? machine.devices.front().own : machine.host.own;
  if (runs.empty()) return std::nullopt;
  const SpeedFit& fit = gpu ? *machine.devices.front().speed->fit : *machine.host.speed->fit;
  const MeasuredDevice* published = gpu ? machine.devices.front().measured : machine.host.measured;
  const Spread kind =
      published != nullptr ? Spread{published->low, published->high} : Spread{fit.low, fit.high};
  // A usual model: wide enough for a GPU, and without experts.
  Shape usual = *measurement->model->shape;
  usual.hidden = kNarrow;
  usual.moe.reset();
  return Effect{hardware_of(run), own_factor(runs, usual, nullptr, kind, *fit.family, gpu), kind};
}

/// One a hardware, in the order of the runs.
std::vector<Effect> effects_of(const CalibrationReport& calibration, const Catalog& catalog) {
  std::vector<Hardware> known;
  std::vector<Effect> effects;
  for (const KeptRun& run : calibration.runs) {
    if (std::ranges::find(known, hardware_of(run)) != known.end()) continue;
    known.push_back(hardware_of(run));
    if (const auto effect = effect_on(catalog, run, calibration.kept)) effects.push_back(*effect);
  }
  return effects;
}

std::string speed_text(double speed) { return fixed_text(speed, speed < 100 ? 1 : 0); }

/// The cells of a run for people; `~` is unknown.
std::vector<std::string> cells_of(const Catalog& catalog, const KeptRun& run) {
  const std::optional<Expected> expected = expected_of_kept(catalog, run);
  return {text_of(hardware_of(run)),
          run.model,
          run.quant,
          count_text(run.depth),
          speed_text(run.decode_tps),
          expected ? speed_text(expected->decode.count()) : "~",
          expected ? fixed_text(run.decode_tps / expected->decode.count(), 2) : "~",
          run.date};
}

std::string csv_of(const CalibrationReport& calibration, const Catalog& catalog) {
  const auto plain = [](double value) { return Json(std::round(value * 1e4) / 1e4).dump(); };
  std::string text = csv_row(
      {"hardware", "model", "quant", "depth", "decode_tps", "expected_tps", "ratio", "engine", "date"});
  for (const KeptRun& run : calibration.runs) {
    const std::optional<Expected> expected = expected_of_kept(catalog, run);
    text += csv_row({text_of(hardware_of(run)), run.model, run.quant, std::to_string(run.depth),
                     plain(run.decode_tps), expected ? plain(expected->decode.count()) : "",
                     expected ? plain(run.decode_tps / expected->decode.count()) : "", run.engine, run.date});
  }
  return text;
}

std::string markdown_of(const CalibrationReport& calibration, const Catalog& catalog) {
  std::vector<std::vector<std::string>> rows;
  for (const KeptRun& run : calibration.runs) rows.push_back(cells_of(catalog, run));
  return markdown_table({"hardware", "model", "quant", "depth", "tok/s", "expected", "ratio", "date"}, rows,
                        {false, false, false, true, true, true, true, false});
}

std::string factor_text(const OwnFactor& own) {
  return fixed_text(own.factor, 2) + " (" + fixed_text(own.factor * own.spread.low, 2) + "-" +
         fixed_text(own.factor * own.spread.high, 2) + ")";
}

std::string table_of(const CalibrationReport& calibration, const Catalog& catalog,
                     const PrintOptions& options) {
  const auto width = static_cast<std::size_t>(options.style.width);
  if (calibration.runs.empty()) return wrap("", "No run of yours is kept.", width);
  TextTable table({{"hardware", Align::left, 0, true},
                   {"model", Align::left, 0, true},
                   {"quant"},
                   {"depth", Align::right, 1},
                   {"tok/s", Align::right},
                   {"expected", Align::right},
                   {"ratio", Align::right},
                   {"date", Align::left, 2}});
  for (const KeptRun& run : calibration.runs) table.add(cells_of(catalog, run));
  std::string text = table.text(width);
  for (const Effect& effect : effects_of(calibration, catalog)) {
    text += wrap("",
                 text_of(effect.hardware) + ": other models x " + factor_text(effect.own) + " by " +
                     own_text(effect.own) + "; x 1 (" + fixed_text(effect.without.low, 2) + "-" +
                     fixed_text(effect.without.high, 2) + ") without.",
                 width);
  }
  if (options.verbose) text += wrap("", "Kept in " + calibration.store, width);
  return text;
}

Json range_json(double low, double typical, double high) {
  const auto rounded = [](double value) { return std::round(value * 1e4) / 1e4; };
  Json json;
  json["low"] = rounded(low);
  json["typical"] = rounded(typical);
  json["high"] = rounded(high);
  return json;
}

void put_hardware(Json& json, const Hardware& hardware) {
  json["gpus"] = hardware.gpus;
  json["host"] = hardware.host.empty() ? Json(nullptr) : Json(hardware.host);
  json["backend"] = hardware.backend;
}

std::string json_of(const CalibrationReport& calibration, const Catalog& catalog) {
  Json json;
  json["schema"] = "r1fit.calibration/1";
  json["store"] = calibration.store;
  json["runs"] = Json::array();
  for (const KeptRun& run : calibration.runs) {
    const std::optional<Expected> expected = expected_of_kept(catalog, run);
    Json& one = json["runs"].emplace_back();
    put_hardware(one, hardware_of(run));
    one["model"] = run.model;
    one["quant"] = run.quant;
    one["kv_type_k"] = run.kv_k;
    one["kv_type_v"] = run.kv_v;
    one["flash_attn"] = run.flash_attention;
    one["depth"] = run.depth;
    one["decode_tps"] = run.decode_tps;
    one["expected_tps"] = expected ? Json(std::round(expected->decode.count() * 100) / 100) : Json(nullptr);
    one["ratio"] =
        expected ? Json(std::round(run.decode_tps / expected->decode.count() * 1e4) / 1e4) : Json(nullptr);
    one["engine"] = run.engine;
    one["build"] = run.build.empty() ? Json(nullptr) : Json(run.build);
    one["date"] = run.date;
    one["source"] = run.source;
  }
  json["devices"] = Json::array();
  for (const Effect& effect : effects_of(calibration, catalog)) {
    Json& one = json["devices"].emplace_back();
    put_hardware(one, effect.hardware);
    one["runs"] = effect.own.runs;
    const double factor = effect.own.factor;
    one["factor"] = range_json(factor * effect.own.spread.low, factor, factor * effect.own.spread.high);
    one["factor_without"] = range_json(effect.without.low, 1, effect.without.high);
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string report(Format format, const CalibrationReport& calibration, const Catalog& catalog,
                   const PrintOptions& options) {
  if (format == Format::table) return table_of(calibration, catalog, options);
  if (format == Format::json) return json_of(calibration, catalog);
  return format == Format::csv ? csv_of(calibration, catalog) : markdown_of(calibration, catalog);
}

}  // namespace r1fit
