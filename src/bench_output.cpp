#include "r1fit/bench_output.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>

#include "csv.hpp"
#include "r1fit/error.hpp"
#include "r1fit/units_text.hpp"
#include "strict_json.hpp"

namespace r1fit {
namespace {

using nlohmann::json;

/// More results than anybody measures in one go.
constexpr std::size_t kMostRecords = 10'000;
constexpr double kFastest = 1e6;
constexpr double kDeepest = 1 << 24;
constexpr double kMostParameters = 1e14;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(separator, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

std::string numbered(std::string_view name, std::string_view what, std::size_t number) {
  return std::string(name) + ": " + std::string(what) + " " + std::to_string(number);
}

std::optional<double> number_in(std::string_view text) {
  double value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || fault != std::errc{} || end != text.data() + text.size() || !std::isfinite(value))
    return std::nullopt;
  return value;
}

// ---- llama-bench: any format to records of named fields --------------------------------------------

/// One result of llama-bench, each field as text under its name in JSON.
class Record {
 public:
  explicit Record(std::string where) : where_(std::move(where)) {}

  void set(std::string_view field, std::string value) { fields_[std::string(field)] = std::move(value); }
  [[nodiscard]] const std::string& where() const { return where_; }

  /// Empty where the record has no such field.
  [[nodiscard]] std::string_view text(std::string_view field) const {
    const auto found = fields_.find(field);
    return found == fields_.end() ? std::string_view{} : trimmed(found->second);
  }
  [[noreturn]] void complain(std::string_view field, std::string_view wanted) const {
    const std::string_view is = text(field);
    throw Error(where_ + ": " + std::string(field) + " must be " + std::string(wanted) +
                (is.empty() ? ", and there is none" : ", is " + in_quotes(is)));
  }
  [[nodiscard]] double number(std::string_view field, double least, double most,
                              std::string_view wanted) const {
    const std::optional<double> value = number_in(text(field));
    if (!value || *value < least || *value > most) complain(field, wanted);
    return *value;
  }
  /// Unset where the record has no such field.
  [[nodiscard]] std::optional<double> whole(std::string_view field, double least, double most) const {
    if (text(field).empty()) return std::nullopt;
    const double value = number(field, least, most, "a whole number");
    if (value != std::floor(value)) complain(field, "a whole number");
    return value;
  }

 private:
  std::string where_;
  std::map<std::string, std::string, std::less<>> fields_;
};

Record record_of(const json& value, const Place& place, std::string where) {
  if (!value.is_object()) refuse(place, "must be an object, is " + described(value));
  Record record(std::move(where));
  for (const auto& [field, content] : value.items()) {
    if (content.is_string()) {
      record.set(field, content.get<std::string>());
    } else if (content.is_boolean()) {
      record.set(field, content.get<bool>() ? "1" : "0");
    } else if (content.is_number()) {
      record.set(field, content.dump());
    }
  }
  return record;
}

std::vector<Record> records_of_json(std::string_view name, std::string_view text) {
  const json all = parse_strictly(name, text);
  std::vector<Record> records;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Place place = Place{std::string(name), ""}.at(i);
    records.push_back(record_of(all[i], place, numbered(name, "element", i + 1)));
    if (records.size() > kMostRecords) throw Error(std::string(name) + ": too many results");
  }
  return records;
}

std::vector<Record> records_of_json_lines(std::string_view name, std::string_view text) {
  std::vector<Record> records;
  std::size_t number = 0;
  for (const std::string_view line : split(text, '\n')) {
    ++number;
    if (trimmed(line).empty()) continue;
    const std::string where = numbered(name, "line", number);
    records.push_back(record_of(parse_strictly(where, trimmed(line)), {where, ""}, where));
    if (records.size() > kMostRecords) throw Error(std::string(name) + ": too many results");
  }
  return records;
}

/// A record of cells under a head.
Record record_of(const std::vector<std::string>& head, const std::vector<std::string>& cells,
                 const std::string& where) {
  if (cells.size() != head.size()) {
    throw Error(where + ": " + std::to_string(cells.size()) + " cells, and the head has " +
                std::to_string(head.size()));
  }
  Record record(where);
  for (std::size_t i = 0; i < head.size(); ++i) record.set(head[i], cells[i]);
  return record;
}

std::vector<Record> records_of_csv(std::string_view name, std::string_view text) {
  constexpr std::array<std::string_view, 23> fields{
      "build_commit", "build_number", "cpu_info",      "gpu_info",  "backends",   "model_type",
      "model_size",   "type_k",       "n_gpu_layers",  "type_v",    "n_cpu_moe",  "model_n_params",
      "split_mode",   "flash_attn",   "no_kv_offload", "devices",   "fit_target", "tensor_buft_overrides",
      "n_prompt",     "n_gen",        "n_depth",       "test_time", "avg_ts"};
  const CsvTable table = CsvTable::parse(trimmed(text), name);
  if (table.rows() > kMostRecords) throw Error(std::string(name) + ": too many results");
  std::vector<Record> records;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    Record& record = records.emplace_back(table.where(row));
    for (const std::string_view field : fields) record.set(field, std::string(table.cell(row, field)));
  }
  return records;
}

/// Columns of a Markdown table are abbreviated.
std::string field_of_column(std::string_view column) {
  static constexpr std::array<std::array<std::string_view, 2>, 9> names{{{"model", "model_type"},
                                                                         {"size", "model_size"},
                                                                         {"params", "model_n_params"},
                                                                         {"backend", "backends"},
                                                                         {"ngl", "n_gpu_layers"},
                                                                         {"sm", "split_mode"},
                                                                         {"fa", "flash_attn"},
                                                                         {"nkvo", "no_kv_offload"},
                                                                         {"ot", "tensor_buft_overrides"}}};
  for (const auto& [shown, field] : names) {
    if (column == shown) return std::string(field);
  }
  if (column == "dev") return "devices";
  if (column == "fitt") return "fit_target";
  if (column == "t/s") return "avg_ts";
  return std::string(column);
}

/// "pp512", "tg128", "tg 128", "pp512+tg128", each perhaps with " @ d4096".
void set_test(Record& record) {
  const std::string_view test = record.text("test");
  std::array<std::string_view, 3> fields{"n_prompt", "n_gen", "n_depth"};
  std::array<std::string, 3> values{"0", "0", "0"};
  std::string word;
  const auto take = [&](std::string_view part) {
    constexpr std::array<std::string_view, 3> leads{"pp", "tg", "d"};
    for (std::size_t i = 0; i < leads.size(); ++i) {
      if (!part.starts_with(leads.at(i))) continue;
      values.at(i) = trimmed(part.substr(leads.at(i).size()));
      return;
    }
    record.complain("test", "one such as tg128 or tg128 @ d512");
  };
  const std::size_t at = test.find('@');
  for (const std::string_view part : split(test.substr(0, at), '+')) take(trimmed(part));
  if (at != std::string_view::npos) take(trimmed(test.substr(at + 1)));
  for (std::size_t i = 0; i < fields.size(); ++i) record.set(fields.at(i), values.at(i));
}

std::vector<Record> records_of_markdown(std::string_view name, std::string_view text) {
  std::vector<Record> records;
  std::vector<std::string> head;
  std::size_t number = 0;
  std::string build;
  for (std::string_view line : split(text, '\n')) {
    ++number;
    line = trimmed(line);
    if (line.starts_with("build: ")) build = line.substr(7);
    if (!line.starts_with('|')) continue;
    line.remove_prefix(1);
    if (line.ends_with('|')) line.remove_suffix(1);
    std::vector<std::string> cells;
    for (const std::string_view cell : split(line, '|')) cells.emplace_back(trimmed(cell));
    const auto ruled = [](const std::string& cell) {
      return cell.find_first_not_of("-:") == std::string::npos;
    };
    if (cells.front() == "model") {
      head.clear();
      for (const std::string& cell : cells) head.push_back(field_of_column(cell));
    } else if (!head.empty() && !std::ranges::all_of(cells, ruled)) {
      Record& record = records.emplace_back(record_of(head, cells, numbered(name, "line", number)));
      set_test(record);
      // "38.22 +- 0.05", with a sign that is no ASCII
      const std::string_view speed = record.text("avg_ts");
      record.set("avg_ts", std::string(speed.substr(0, speed.find(' '))));
    }
    if (records.size() > kMostRecords) throw Error(std::string(name) + ": too many results");
  }
  for (Record& record : records) record.set("build_commit", build);
  return records;
}

// ---- llama-bench: a record to a run -------------------------------------------------------------------

/// "32763876352" or "32.76 B".
void set_parameters(const Record& record, BenchRun& run) {
  std::string_view text = record.text("model_n_params");
  if (text.empty()) return;
  double unit = 1;
  double half = 0;
  const bool rounded = text.ends_with(" B") || text.ends_with(" M");
  if (rounded) {
    unit = text.ends_with('B') ? 1e9 : 1e6;
    text.remove_suffix(2);
    half = 0.005 * unit;
  }
  const std::optional<double> value = number_in(trimmed(text));
  if (!value || *value <= 0 || *value * unit > kMostParameters)
    record.complain("model_n_params", "a number of parameters");
  run.parameters = std::llround(*value * unit);
  run.parameters_half = std::llround(half);
}

/// "19845353472" or "18.48 GiB".
void set_size(const Record& record, BenchRun& run) {
  const std::string_view text = record.text("model_size");
  if (text.empty()) return;
  if (const std::optional<Bytes> size = parse_bytes(text)) {
    run.size = size;
    run.size_half = text.ends_with("GiB") ? gib(0.005) : mib(0.005);
  } else {
    run.size = bytes(std::llround(record.number("model_size", 1, kMostParameters, "a number of bytes")));
  }
}

std::vector<std::string> listed(std::string_view text, char separator) {
  std::vector<std::string> items;
  for (const std::string_view item : split(text, separator)) {
    if (!trimmed(item).empty()) items.emplace_back(trimmed(item));
  }
  return items;
}

std::optional<KvType> kv_type(const Record& record, std::string_view field) {
  const std::string_view text = record.text(field);
  if (text.empty()) return std::nullopt;
  const auto* const found = std::ranges::find(kKvTypeWords, text);
  if (found == kKvTypeWords.end())
    record.complain(field, "f16, q8_0 or q4_0, of which alone speeds are known");
  return static_cast<KvType>(found - kKvTypeWords.begin());
}

FlashAttention flash_attention(const Record& record) {
  const std::string_view text = record.text("flash_attn");
  if (text == "1" || text == "on") return FlashAttention::on;
  if (text == "0" || text == "off") return FlashAttention::off;
  if (!text.empty() && text != "-1" && text != "auto") record.complain("flash_attn", "0, 1 or -1");
  return FlashAttention::automatic;
}

/// Why a run tells of no hardware by itself.
std::string unlike(const Record& record) {
  constexpr double most = 1000;
  if (const auto experts = record.whole("n_cpu_moe", 0, most); experts.value_or(0) > 0)
    return "experts in host memory (n_cpu_moe " + std::string(record.text("n_cpu_moe")) + ")";
  if (const auto text = record.text("tensor_buft_overrides"); !text.empty() && text != "none")
    return "tensors placed by hand (-ot)";
  if (record.text("no_kv_offload") == "1") return "the KV cache in host memory (-nkvo 1)";
  if (const auto text = record.text("split_mode"); text == "row" || text == "tensor")
    return "split mode " + std::string(text);
  if (const auto fitted = record.whole("fit_target", 0, kMostParameters); fitted.value_or(0) > 0)
    return "as many layers on the GPU as it chose (--fit-target)";
  for (const std::string& backend : listed(record.text("backends"), ',')) {
    if (backend == "RPC") return "over a network (RPC)";
  }
  return {};
}

std::string date_of(const Record& record) {
  const std::string_view time = record.text("test_time");
  if (time.empty()) return {};
  const std::string_view date = time.substr(0, 10);
  const bool shaped = date.size() == 10 && date[4] == '-' && date[7] == '-' &&
                      date.find_first_not_of("0123456789-") == std::string_view::npos;
  if (!shaped) record.complain("test_time", "a time such as 2026-11-22T08:00:00Z");
  return std::string(date);
}

std::optional<BenchRun> run_of(const Record& record) {
  constexpr double most_layers = 100'000;
  // Those of a prompt have no n_gen, and of both together the share of decoding is not known.
  const auto prompt = record.whole("n_prompt", 0, kDeepest);
  const auto generated = record.whole("n_gen", 0, kDeepest);
  if (!prompt || !generated) record.complain(prompt ? "n_gen" : "n_prompt", "a whole number");
  if (*prompt > 0 || *generated == 0) return std::nullopt;
  BenchRun run;
  run.where = record.where();
  run.engine = "llama.cpp";
  run.build = record.text("build_commit");
  if (!record.text("build_number").empty())
    run.build += " (" + std::string(record.text("build_number")) + ")";
  run.date = date_of(record);
  run.model = record.text("model_type");
  if (run.model.empty()) record.complain("model_type", "a model and its quantisation");
  set_parameters(record, run);
  set_size(record, run);
  run.gpus = listed(record.text("gpu_info"), ',');
  run.cpu = record.text("cpu_info");
  run.backends = listed(record.text("backends"), ',');
  if (const auto layers = record.whole("n_gpu_layers", -most_layers, most_layers))
    run.n_gpu_layers = static_cast<int>(*layers);
  const std::string_view devices = record.text("devices");
  if (devices == "none") {
    run.n_gpu_layers = 0;
  } else if (!devices.empty() && devices != "auto") {
    run.devices = static_cast<int>(listed(devices, '/').size());
  }
  if (record.text("split_mode") == "none") run.devices = 1;
  run.kv_k = kv_type(record, "type_k");
  run.kv_v = kv_type(record, "type_v");
  run.flash_attention = flash_attention(record);
  run.unlike = unlike(record);
  const double depth = record.whole("n_depth", 0, kDeepest).value_or(0);
  run.depth = tokens(std::llround(depth + *generated / 2));
  run.decode = tok_per_s(record.number("avg_ts", 1e-6, kFastest, "a speed in tokens a second"));
  return run;
}

std::vector<BenchRun> runs_of(std::string_view name, const std::vector<Record>& records) {
  std::vector<BenchRun> runs;
  for (const Record& record : records) {
    if (std::optional<BenchRun> run = run_of(record)) runs.push_back(std::move(*run));
  }
  if (runs.empty())
    throw Error(std::string(name) +
                ": no speed of text generation in it (tg128 ...); run llama-bench with -n 128");
  return runs;
}

// ---- ollama run --verbose ------------------------------------------------------------------------------

/// "2m27.98s", "559.665542ms", in seconds.
std::optional<double> go_duration(std::string_view text) {
  double total = 0;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    const std::size_t end = text.find_first_not_of("0123456789.");
    if (end == 0 || end == std::string_view::npos) return std::nullopt;
    const std::optional<double> value = number_in(text.substr(0, end));
    text.remove_prefix(end);
    const std::size_t unit_end = std::min(text.find_first_of("0123456789."), text.size());
    const std::string_view unit = text.substr(0, unit_end);
    text.remove_prefix(unit_end);
    double seconds = 0;
    if (unit == "h") seconds = 3600;
    if (unit == "m") seconds = 60;
    if (unit == "s") seconds = 1;
    if (unit == "ms") seconds = 1e-3;
    if (unit == "ns") seconds = 1e-9;
    // The micro sign has two codes.
    if (unit == "us" || unit == "\xC2\xB5s" || unit == "\xCE\xBCs") seconds = 1e-6;
    if (!value || seconds == 0) return std::nullopt;
    total += *value * seconds;
  }
  return total;
}

/// The figures of one answer.
struct Answer {
  std::optional<double> prompt;
  std::optional<double> count;
  std::optional<double> duration;
};

BenchRun run_of(const Answer& answer, std::string_view rate, const std::string& where) {
  // So few tokens say more of the clock than of the hardware.
  constexpr double fewest = 16;
  // The rate is printed with two decimals.
  constexpr double rounding = 0.02;
  if (rate.ends_with("tokens/s")) rate.remove_suffix(8);
  const std::optional<double> speed = number_in(trimmed(rate));
  if (!speed || *speed <= 0 || *speed > kFastest)
    throw Error(where + ": eval rate must be a speed in tokens/s, is " + in_quotes(rate));
  if (!answer.count) throw Error(where + ": eval rate stands without an eval count before it");
  if (*answer.count < fewest)
    throw Error(where + ": an answer of " + fixed_text(*answer.count, 0) +
                " tokens is too short to say anything");
  if (answer.duration) {
    const double of_both = *answer.count / *answer.duration;
    if (std::abs(of_both - *speed) > rounding * *speed + 0.01) {
      throw Error(where + ": eval rate is " + fixed_text(*speed, 2) + ", and eval count / eval duration is " +
                  fixed_text(of_both, 2));
    }
  }
  BenchRun run;
  run.where = where;
  run.engine = "ollama";
  run.depth = tokens(std::llround(answer.prompt.value_or(0) + *answer.count / 2));
  run.decode = tok_per_s(*speed);
  return run;
}

std::vector<BenchRun> runs_of_ollama(std::string_view name, std::string_view text) {
  std::vector<BenchRun> runs;
  Answer answer;
  std::size_t number = 0;
  for (const std::string_view line : split(text, '\n')) {
    ++number;
    const std::string where = numbered(name, "line", number);
    const auto value_of = [&](std::string_view label) -> std::optional<std::string_view> {
      const std::string_view all = trimmed(line);
      if (!all.starts_with(label)) return std::nullopt;
      return trimmed(all.substr(label.size()));
    };
    const auto count = [&](std::string_view value, double least, std::string_view label) {
      const std::optional<double> tokens = number_in(value.substr(0, value.find(' ')));
      if (!tokens || *tokens < least || *tokens > kDeepest)
        throw Error(where + ": " + std::string(label) + " must be a number of tokens, is " +
                    in_quotes(value));
      return *tokens;
    };
    if (const auto value = value_of("prompt eval count:")) {
      answer.prompt = count(*value, 0, "prompt eval count");
    } else if (const auto tokens = value_of("eval count:")) {
      answer.count = count(*tokens, 1, "eval count");
    } else if (const auto time = value_of("eval duration:")) {
      answer.duration = go_duration(*time);
      if (!answer.duration || *answer.duration <= 0)
        throw Error(where + ": eval duration must be a time such as 4.87s, is " + in_quotes(*time));
    } else if (const auto rate = value_of("eval rate:")) {
      runs.push_back(run_of(answer, *rate, where));
      answer = {};
      if (runs.size() > kMostRecords) throw Error(std::string(name) + ": too many results");
    }
  }
  return runs;
}

}  // namespace

std::vector<BenchRun> parse_bench_output(std::string_view name, std::string_view text) {
  if (text.size() > kLargestBench)
    throw Error(std::string(name) + ": too large for the output of a benchmark");
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  const std::string_view body = trimmed(text);
  if (body.empty()) throw Error(std::string(name) + ": nothing in it");
  const auto has_line = [&](auto&& matches) {
    return std::ranges::any_of(split(text, '\n'),
                               [&](std::string_view line) { return matches(trimmed(line)); });
  };
  if (body.starts_with('[')) return runs_of(name, records_of_json(name, text));
  if (body.starts_with('{')) return runs_of(name, records_of_json_lines(name, text));
  if (body.starts_with("build_commit,")) return runs_of(name, records_of_csv(name, text));
  if (has_line([](std::string_view line) { return line.starts_with("| model "); }))
    return runs_of(name, records_of_markdown(name, text));
  if (has_line([](std::string_view line) { return line.starts_with("eval rate:"); }))
    return runs_of_ollama(name, text);
  if (has_line([](std::string_view line) { return line.starts_with("INSERT INTO llama_bench"); }))
    throw Error(std::string(name) + ": SQL is not read; run llama-bench with -o json");
  throw Error(std::string(name) +
              ": neither the output of llama-bench (-o json, jsonl, csv or md) nor of ollama run --verbose");
}

}  // namespace r1fit
