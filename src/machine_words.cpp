#include "r1fit/machine_words.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "r1fit/error.hpp"
#include "r1fit/lookup.hpp"
#include "r1fit/suggest.hpp"
#include "r1fit/units_text.hpp"

namespace r1fit {
namespace {

/// Longer numbers that stand alone are names of cards, known or mistyped.
constexpr std::size_t kMostDigits = 3;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_word(std::string_view text, std::string_view word) {
  return std::ranges::equal(text, word, {}, lower);
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

/// A '+' inside a word belongs to a name: "Xeon 8592+".
bool separates(std::string_view text, std::size_t at) {
  if (text[at] == ',') return true;
  return text[at] == '+' && at > 0 && text[at - 1] == ' ' && at + 1 < text.size() && text[at + 1] == ' ';
}

std::vector<std::string_view> parts_of(std::string_view text) {
  std::vector<std::string_view> parts;
  std::size_t begin = 0;
  for (std::size_t at = 0; at <= text.size(); ++at) {
    if (at < text.size() && !separates(text, at)) continue;
    parts.push_back(trimmed(text.substr(begin, at - begin)));
    begin = at + 1;
  }
  return parts;
}

/// "64", "10.7GiB", "64 gb".
bool is_size(std::string_view text) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
  if (digits == 0 || !is_digit(text.front())) return false;
  const std::string_view unit = trimmed(text.substr(digits));
  return unit.empty() || is_word(unit, "g") || is_word(unit, "gb") || is_word(unit, "gib");
}

/// A text in two, the second of which is its last word, with the word before where that is a unit.
struct NameAndSize {
  std::string_view name;
  std::string_view size;
};
std::optional<NameAndSize> name_and_size(std::string_view text) {
  for (std::size_t space = text.rfind(' '); space != std::string_view::npos && space > 0;
       space = text.rfind(' ', space - 1)) {
    const NameAndSize split{trimmed(text.substr(0, space)), trimmed(text.substr(space))};
    if (!split.name.empty() && is_size(split.size)) return split;
  }
  return std::nullopt;
}

/// What stands beside `word` at either end: "64" of "64 ram" and of "RAM 64". Nothing where it is at neither.
std::optional<std::string_view> beside(std::string_view text, std::string_view word) {
  if (is_word(text, word)) return std::string_view();
  if (text.size() <= word.size()) return std::nullopt;
  const std::size_t rest = text.size() - word.size();
  // "64ram" is read as well, "program" is not.
  const auto parted = [](char c) { return c == ' ' || is_digit(c); };
  if (is_word(text.substr(rest), word)) {
    const std::string_view left = trimmed(text.substr(0, rest));
    if (parted(text[rest - 1]) || is_size(left)) return left;
  }
  if (is_word(text.substr(0, word.size()), word) && parted(text[word.size()]))
    return trimmed(text.substr(word.size()));
  return std::nullopt;
}

/// "48, 64 or 128 GiB".
std::string sizes_text(const Gpu& gpu) {
  std::string text;
  for (std::size_t i = 0; i < gpu.memory.size(); ++i) {
    const std::string size = capacity_text(gpu.memory[i]);
    const bool last = i + 1 == gpu.memory.size();
    text += (i == 0 ? "" : last ? " or " : ", ") + (last ? size : size.substr(0, size.find(' ')));
  }
  return text;
}

class Reading {
 public:
  explicit Reading(const Catalog& catalog) : catalog_(catalog) {}

  HardwareQuery of(std::string_view text) {
    for (const std::string_view part : parts_of(text)) {
      if (part.empty()) throw Error(trimmed(text).empty() ? "names no hardware" : "has an empty part");
      read(part);
    }
    if (unified_ != nullptr && query_.ram) {
      throw Error("the memory of " + std::string(unified_->name) +
                  " is the system's: give its size behind the name, and no RAM");
    }
    return std::move(query_);
  }

 private:
  void read(std::string_view part) {
    if (const auto size = beside(part, "vram")) return add_nameless(part, *size);
    if (const auto size = beside(part, "ram")) return set_ram(size_of(part, *size));
    if (is_named(part, {})) return;
    const std::optional<NameAndSize> split = name_and_size(part);
    if (split && is_named(split->name, split->size)) return;
    const std::string_view size = parse_counted_name(part).name;
    const bool names_a_card =
        size.find_first_not_of("0123456789") == std::string_view::npos && size.size() > kMostDigits;
    if (is_size(size) && !names_a_card) return add_nameless(part, part);
    unknown(part, split ? split->name : part);
  }

  static Bytes size_of(std::string_view part, std::string_view size) {
    if (!is_size(size)) {
      throw Error(in_quotes(part) + " is no size of memory, as \"64 ram\" is; parts stand between \" + \"");
    }
    // The unit, whatever its case, says what a bare number means as well.
    return parse_memory_flag(in_quotes(part), size.substr(0, size.find_first_not_of("0123456789.")));
  }

  void add_nameless(std::string_view part, std::string_view size) {
    const CountedName counted = parse_counted_name(size);
    GpuQuery query;
    query.count = counted.count;
    query.memory = size_of(part, counted.name);
    query_.gpus.push_back(std::move(query));
  }

  void set_ram(Bytes ram) {
    if (query_.ram) throw Error("says twice how much RAM there is");
    query_.ram = ram;
  }

  /// Takes what `name` is a name of; false where it is none. Throws where it is one of several things, or of
  /// something that never was.
  bool is_named(std::string_view name, std::string_view size) {
    std::optional<Bytes> memory;
    if (!size.empty()) memory = size_of(size, size);
    const CountedName counted = parse_counted_name(name);
    const GpuLookup gpu = find_gpu(catalog_, counted.name, memory);
    if (const auto* found = std::get_if<FoundGpu>(&gpu)) {
      add_gpu(name, *found);
      return true;
    }
    const Lookup<Host> host = find_host(catalog_, name);
    if (const auto* found = std::get_if<const Host*>(&host)) {
      if (!query_.cpu.empty()) throw Error("names two platforms");
      query_.cpu = (*found)->id;
      if (memory) set_ram(*memory);
      return true;
    }
    if (const auto* several = std::get_if<Ambiguous<Gpu>>(&gpu)) {
      std::string ids;
      for (const Gpu* one : several->candidates) ids += (ids.empty() ? "" : ", ") + std::string(one->id);
      throw Error(in_quotes(counted.name) + " is more than one device: " + ids);
    }
    if (!std::holds_alternative<Unknown>(gpu)) throw Error(problem(gpu, counted.name));
    if (std::holds_alternative<Ambiguous<Host>>(host)) host_named(catalog_, name);  // throws the sentence
    return false;
  }

  void add_gpu(std::string_view name, const FoundGpu& found) {
    const Gpu& gpu = *found.gpu;
    if (!found.memory && gpu.memory.size() > 1) {
      throw Error(std::string(gpu.name) + " was sold with " + sizes_text(gpu) +
                  ": say which behind the name, as in \"" + std::string(name) + " " +
                  std::to_string(gpu.memory.front().count() >> 30) + "\"");
    }
    if (gpu.unified_memory) unified_ = &gpu;
    GpuQuery query;
    query.name = name;
    query.memory = found.memory;
    query_.gpus.push_back(std::move(query));
  }

  [[nodiscard]] std::vector<Text> nearest_to(std::string_view name) const {
    std::vector<Text> near = std::get<Unknown>(find_gpu(catalog_, parse_counted_name(name).name)).nearest;
    const Lookup<Host> hosts = find_host(catalog_, name);
    return near.empty() ? std::get<Unknown>(hosts).nearest : near;
  }

  /// `name` is the part without what may be a size behind it.
  [[noreturn]] void unknown(std::string_view part, std::string_view name) const {
    std::vector<Text> near = nearest_to(part);
    if (near.empty()) near = nearest_to(name);
    const std::string hint = part.find('+') == std::string_view::npos
                                 ? ""
                                 : "; '+' parts two things where it has a space on each side";
    throw Error("no hardware named " + in_quotes(part) +
                (near.empty() ? "; see r1fit list hardware" : nearest_clause(near)) + hint);
  }

  const Catalog& catalog_;
  HardwareQuery query_;
  const Gpu* unified_ = nullptr;
};

}  // namespace

HardwareQuery parse_machine(const Catalog& catalog, std::string_view text) {
  return Reading(catalog).of(text);
}

}  // namespace r1fit
