#include "r1fit/lookup.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>

#include "r1fit/error.hpp"
#include "r1fit/suggest.hpp"
#include "r1fit/units_text.hpp"

namespace r1fit {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return lower(c) >= 'a' && lower(c) <= 'z'; }
bool is_key(char c) { return is_digit(c) || is_letter(c); }

bool equal_but_for_case(Text a, Text b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

Text trimmed(Text text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

template <class T>
std::string list_of_ids(const std::vector<const T*>& records) {
  std::string text;
  for (const T* record : records) text += (text.empty() ? "" : ", ") + std::string(record->id);
  return text;
}

// ---- words of a hardware name -----------------------------------------------------------------------

// Words that say nothing where the rest of the name is given; drivers print some, people leave them out.
// By first letter, because this is asked of nearly every word of the catalogue.
bool is_idle(Text word) {
  const auto is = [&](Text idle) { return equal_but_for_case(word, idle); };
  switch (lower(word.front())) {
    case 'a':
      return is("amd") || is("apple");
    case 'g':
      return is("geforce") || is("gpu") || is("graphics");
    case 'i':
      return is("intel") || is("instinct");
    case 'n':
      return is("nvidia");
    case 'q':
      return is("quadro");
    case 'r':
      return is("radeon") || is("r");
    case 't':
      return is("tesla") || is("tm");
    default:
      return false;
  }
}

// The runs of letters and digits of a name, without the idle words unless asked for.
class Words {
 public:
  explicit Words(Text text, bool keep_idle = false) : rest_(text), keep_idle_(keep_idle) {}

  // Empty at the end. "mobile" reads as "laptop".
  Text next() {
    while (true) {
      while (!rest_.empty() && !is_key(rest_.front())) rest_.remove_prefix(1);
      std::size_t length = 0;
      while (length < rest_.size() && is_key(rest_[length])) ++length;
      const Text word = rest_.substr(0, length);
      rest_.remove_prefix(length);
      if (word.empty()) return word;
      if (equal_but_for_case(word, "mobile")) return "laptop";
      if (keep_idle_ || !is_idle(word)) return word;
    }
  }

 private:
  Text rest_;
  bool keep_idle_;
};

bool is_memory_unit(Text word) {
  return equal_but_for_case(word, "gb") || equal_but_for_case(word, "gib") || equal_but_for_case(word, "g");
}

// The number of GiB where `word` and what follows are a memory size and nothing else: "24gb", "24 GiB".
std::optional<int> memory_at_end(Text word, Words rest) {
  int number = 0;
  const auto [end, fault] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (fault != std::errc{} || number <= 0 || number > 65536) return std::nullopt;
  const Text unit = word.substr(static_cast<std::size_t>(end - word.data()));
  if (unit.empty() ? !is_memory_unit(rest.next()) : !is_memory_unit(unit)) return std::nullopt;
  return rest.next().empty() ? std::optional(number) : std::nullopt;
}

std::string joined(Words words) {
  std::string key;
  for (Text word = words.next(); !word.empty(); word = words.next()) {
    for (const char c : word) key += lower(c);
  }
  return key;
}

// What was typed, normalised once; the names of the catalogue are compared with it word by word.
struct Asked {
  std::string key;            // all words
  std::string key_with_idle;  // the same with the idle words
  std::string key_unsized;    // without a memory size at the end; empty where there is none
  std::optional<Bytes> size;  // that size

  explicit Asked(Text name) : key(joined(Words(name))), key_with_idle(joined(Words(name, true))) {
    Words words(name);
    std::string before;
    for (Text word = words.next(); !word.empty(); word = words.next()) {
      if (const auto number = memory_at_end(word, words)) {
        key_unsized = before;
        size = gib(*number);
        return;
      }
      for (const char c : word) before += lower(c);
    }
  }
};

// Whether the words, joined, are `key`; a memory size at the end of the name may be left out.
bool words_match(Words words, Text key) {
  for (Text word = words.next(); !word.empty(); word = words.next()) {
    if (key.empty()) return memory_at_end(word, words).has_value();
    if (key.size() < word.size() || !equal_but_for_case(word, key.substr(0, word.size()))) return false;
    key.remove_prefix(word.size());
  }
  return key.empty();
}

// The name of a family in front may be left out: "4090", "7900 XTX", "A770", "W7900". Not "RTX PRO", whose
// bare number would be that of another family.
bool name_matches(Text name, Text key) {
  if (key.empty()) return false;
  if (words_match(Words(name), key)) return true;
  constexpr std::array<Text, 3> families{"rtx", "gtx", "rx"};
  Words words(name);
  Text first = words.next();
  const auto is_family = [&](Text family) { return equal_but_for_case(first, family); };
  if (std::any_of(families.begin(), families.end(), is_family)) return words_match(words, key);
  if (is_family("arc")) {
    if (words_match(words, key)) return true;
    first = words.next();
  }
  return is_family("pro") && words_match(words, key);
}

template <class T>
bool matches(const T& record, Text key) {
  return name_matches(record.id, key) || name_matches(record.name, key) ||
         std::any_of(record.aliases.begin(), record.aliases.end(),
                     [&](Text alias) { return name_matches(alias, key); });
}

bool matches(const NoSuchHardware& record, Text key) {
  return name_matches(record.name, key) || std::any_of(record.aliases.begin(), record.aliases.end(),
                                                       [&](Text alias) { return name_matches(alias, key); });
}

template <class T>
bool matches_with_idle(const T& record, Text key) {
  const auto is = [&](Text name) { return words_match(Words(name, true), key); };
  return is(record.id) || is(record.name) || std::any_of(record.aliases.begin(), record.aliases.end(), is);
}

template <class T>
std::vector<Text> nearest_hardware(List<T> records, Text key) {
  std::vector<Spelling> spellings;
  for (const T& record : records) {
    spellings.push_back({record.id, record.id});
    if (const std::size_t dash = record.id.find('-'); dash != Text::npos) {
      spellings.push_back({record.id.substr(dash + 1), record.id});
    }
    spellings.push_back({record.name, record.id});
    for (const Text alias : record.aliases) spellings.push_back({alias, record.id});
  }
  return nearest(key, spellings);
}

template <class T>
Lookup<T> find_by_words(List<T> records, Text name) {
  for (const T& record : records) {
    if (equal_but_for_case(record.id, trimmed(name))) return &record;
  }
  const std::string key = joined(Words(name));
  Ambiguous<T> found;
  for (const T& record : records) {
    if (matches(record, key)) found.candidates.push_back(&record);
  }
  if (found.candidates.size() == 1) return found.candidates.front();
  if (!found.candidates.empty()) return found;
  return Unknown{nearest_hardware(records, key)};
}

// Equal, or the same number where the catalogue counts in GB: a "141 GB" card is asked for as 141.
bool is_same_size(Bytes sold, Bytes asked) {
  return sold == asked || sold == gb(std::round(in_gib(asked) * 1000) / 1000);
}

const Bytes* sold_size(const Gpu& gpu, Bytes asked) {
  const auto at = std::find_if(gpu.memory.begin(), gpu.memory.end(),
                               [&](Bytes sold) { return is_same_size(sold, asked); });
  return at == gpu.memory.end() ? nullptr : &*at;
}

std::string bare_gib(Bytes size) {
  const std::string text = capacity_text(size);
  return text.substr(0, text.find(' '));
}

// "24", "96, 256 or 512".
std::string sizes_text(const Gpu& gpu) {
  std::string text;
  for (std::size_t i = 0; i < gpu.memory.size(); ++i) {
    if (i > 0) text += i + 1 == gpu.memory.size() ? " or " : ", ";
    text += bare_gib(gpu.memory[i]);
  }
  return text;
}

std::string never_with(const Gpu& gpu, Bytes asked) {
  return std::string(gpu.name) + " was sold with " + sizes_text(gpu) + " GiB, never " + bare_gib(asked);
}

// ---- names of models --------------------------------------------------------------------------------

// Letters, digits and '.', and ':' where it is kept.
bool same_model_key(Text a, Text b, bool keep_colon) {
  const auto skip = [&](Text& text) {
    while (!text.empty() && !is_key(text.front()) && text.front() != '.' &&
           !(keep_colon && text.front() == ':')) {
      text.remove_prefix(1);
    }
  };
  while (true) {
    skip(a);
    skip(b);
    if (a.empty() || b.empty()) return a.empty() && b.empty();
    if (lower(a.front()) != lower(b.front())) return false;
    a.remove_prefix(1);
    b.remove_prefix(1);
  }
}

Text without_host(Text repo) {
  for (const Text host : {Text("https://"), Text("hf.co/"), Text("huggingface.co/")}) {
    if (equal_but_for_case(repo.substr(0, host.size()), host)) repo.remove_prefix(host.size());
  }
  return repo;
}

bool is_model(const Model& model, Text name, bool keep_colon) {
  const auto is = [&](Text known) { return same_model_key(known, name, keep_colon); };
  const std::size_t slash = model.hf_repo.find('/');
  return is(model.id) || is(model.name) || is(model.hf_repo) ||
         (slash != Text::npos && is(model.hf_repo.substr(slash + 1))) ||
         std::any_of(model.aliases.begin(), model.aliases.end(), is);
}

bool is_published_as(const Catalog& catalog, const Model& model, Text name) {
  return name.find('/') != Text::npos &&
         std::any_of(catalog.files.begin(), catalog.files.end(), [&](const PublishedFile& file) {
           return file.model == &model && !file.ollama && equal_but_for_case(file.repo, name);
         });
}

bool same_quant_key(Text a, Text b) {
  const auto plain = [](char c) { return c == '-' ? '_' : lower(c); };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return plain(x) == plain(y); });
}

template <class T>
std::string problem_of(const Lookup<T>& answer, Text asked, Text kind, Text list) {
  if (const auto* several = std::get_if<Ambiguous<T>>(&answer)) {
    return in_quotes(asked) + " is more than one " + std::string(kind) + ": " +
           list_of_ids(several->candidates);
  }
  if (const auto* unknown = std::get_if<Unknown>(&answer)) {
    return "no " + std::string(kind) + " named " + in_quotes(asked) +
           (unknown->nearest.empty() ? "; see r1fit list " + std::string(list)
                                     : nearest_clause(unknown->nearest));
  }
  return "";
}

template <class T>
const T& only(const Lookup<T>& answer, Text asked, Text kind, Text list) {
  if (const auto* found = std::get_if<const T*>(&answer)) return **found;
  throw Error(problem_of(answer, asked, kind, list));
}

}  // namespace

// ---- hardware ---------------------------------------------------------------------------------------

GpuLookup find_gpu(const Catalog& catalog, Text name, std::optional<Bytes> memory) {
  for (const Gpu& gpu : catalog.gpus) {
    if (equal_but_for_case(gpu.id, trimmed(name))) return FoundGpu{&gpu, memory};
  }
  const Asked asked(name);
  std::vector<const Gpu*> candidates;
  std::vector<const Gpu*> of_other_size;
  bool is_sized = false;
  for (const Gpu& gpu : catalog.gpus) {
    if (matches(gpu, asked.key)) {
      candidates.push_back(&gpu);
    } else if (asked.size && matches(gpu, asked.key_unsized)) {
      (sold_size(gpu, *asked.size) != nullptr ? candidates : of_other_size).push_back(&gpu);
    }
  }
  for (const Gpu* gpu : candidates)
    is_sized = is_sized || (asked.size && sold_size(*gpu, *asked.size) != nullptr);
  if (candidates.empty()) {
    for (const NoSuchHardware& record : catalog.no_such_hardware) {
      if (matches(record, asked.key) || (asked.size && matches(record, asked.key_unsized)))
        return NeverSold{&record};
    }
    if (!of_other_size.empty()) return WrongMemory{of_other_size, *asked.size};
    return Unknown{nearest_hardware(catalog.gpus, asked.key_unsized.empty() ? asked.key : asked.key_unsized)};
  }
  if (candidates.size() > 1 && memory) {
    const auto all = candidates;
    std::erase_if(candidates, [&](const Gpu* gpu) { return sold_size(*gpu, *memory) == nullptr; });
    if (candidates.empty()) return WrongMemory{all, *memory};
  }
  if (candidates.size() > 1 && asked.key_with_idle != asked.key) {
    // "Quadro RTX 6000" and "RTX 6000 Ada" share a name once "Quadro" is left out; here it was not.
    const auto all = candidates;
    std::erase_if(candidates, [&](const Gpu* gpu) { return !matches_with_idle(*gpu, asked.key_with_idle); });
    if (candidates.empty()) candidates = all;
  }
  if (candidates.size() > 1) return Ambiguous<Gpu>{candidates};
  if (memory && is_sized && !is_same_size(*memory, *asked.size)) return WrongMemory{candidates, *memory};
  return FoundGpu{candidates.front(), memory ? memory : is_sized ? asked.size : std::nullopt};
}

Lookup<Host> find_host(const Catalog& catalog, Text name) { return find_by_words(catalog.hosts, name); }
Lookup<Engine> find_engine(const Catalog& catalog, Text name) { return find_by_words(catalog.engines, name); }

Bytes resolve_memory(const Gpu& gpu, std::optional<Bytes> asked) {
  if (asked) {
    if (const Bytes* sold = sold_size(gpu, *asked)) return *sold;
    throw Error(never_with(gpu, *asked));
  }
  if (gpu.memory.size() == 1) return gpu.memory.front();
  throw Error(std::string(gpu.name) + " was sold with " + sizes_text(gpu) + " GiB; say which with --memory");
}

bool sold_with(const Gpu& gpu, Bytes asked) { return sold_size(gpu, asked) != nullptr; }

CountedName parse_counted_name(Text text) {
  text = trimmed(text);
  std::size_t digits = 0;
  while (digits < text.size() && is_digit(text[digits])) ++digits;
  std::size_t at = digits;
  while (at < text.size() && text[at] == ' ') ++at;
  if (digits == 0 || at == text.size() || lower(text[at]) != 'x') return {1, text};
  const Text name = trimmed(text.substr(at + 1));
  int count = 0;
  const auto fault = std::from_chars(text.data(), text.data() + digits, count).ec;
  const bool is_in_range = fault == std::errc{} && count >= 1 && count <= 64;
  // "7900 XTX" and "7900xtx" begin like a count; a letter right behind the x belongs to a name unless the
  // number could be a count and touches the x.
  if (name.empty() || (is_letter(text[at + 1]) && !(is_in_range && at == digits))) return {1, text};
  if (!is_in_range) throw Error(in_quotes(text) + ": a count is 1 to 64");
  return {count, name};
}

namespace {

/// "; say --memory 36, 48, 64 or 128": where no two of them were sold with one size.
std::string memory_decides(const std::vector<const Gpu*>& candidates) {
  std::vector<Bytes> sizes;
  for (const Gpu* gpu : candidates) sizes.insert(sizes.end(), gpu->memory.begin(), gpu->memory.end());
  std::ranges::sort(sizes);
  if (std::ranges::adjacent_find(sizes) != sizes.end()) return "";
  std::string text = "; say --memory ";
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    text += (i == 0 ? "" : i + 1 == sizes.size() ? " or " : ", ") + bare_gib(sizes[i]);
  }
  return text;
}

}  // namespace

std::string problem(const GpuLookup& answer, Text asked) {
  if (const auto* several = std::get_if<Ambiguous<Gpu>>(&answer)) {
    return in_quotes(asked) + " is more than one device: " + list_of_ids(several->candidates) +
           memory_decides(several->candidates);
  }
  if (const auto* unknown = std::get_if<Unknown>(&answer)) {
    return "no hardware named " + in_quotes(asked) +
           (unknown->nearest.empty() ? "; see r1fit list hardware" : nearest_clause(unknown->nearest));
  }
  if (const auto* never = std::get_if<NeverSold>(&answer)) {
    return std::string(never->record->name) + " does not exist: " + std::string(never->record->why);
  }
  if (const auto* wrong = std::get_if<WrongMemory>(&answer)) {
    if (wrong->candidates.size() == 1) return never_with(*wrong->candidates.front(), wrong->asked);
    std::string text =
        "no " + in_quotes(asked) + " was sold with " + bare_gib(wrong->asked) + " GiB; there are";
    for (std::size_t i = 0; i < wrong->candidates.size(); ++i) {
      const Gpu& gpu = *wrong->candidates[i];
      text += (i == 0 ? " " : ", ") + std::string(gpu.id) + " with " + sizes_text(gpu);
    }
    return text;
  }
  return "";
}

// ---- models and quantisations -----------------------------------------------------------------------

Lookup<Model> find_model(const Catalog& catalog, Text name) {
  name = without_host(trimmed(name));
  Ambiguous<Model> found;
  // The colon of an Ollama tag tells "deepseek-r1:8b", one model, from "8b", two; only where no name has
  // one at that place is it read as any other mark.
  for (const bool keep_colon : {true, false}) {
    for (const Model& model : catalog.models) {
      if (is_model(model, name, keep_colon)) found.candidates.push_back(&model);
    }
    if (!found.candidates.empty()) break;
  }
  if (found.candidates.empty()) {
    for (const Model& model : catalog.models) {
      if (is_published_as(catalog, model, name)) found.candidates.push_back(&model);
    }
  }
  if (found.candidates.size() == 1) return found.candidates.front();
  if (!found.candidates.empty()) return found;
  std::vector<Spelling> spellings;
  for (const Model& model : catalog.models) {
    spellings.push_back({model.id, model.id});
    spellings.push_back({model.name, model.id});
    for (const Text alias : model.aliases) spellings.push_back({alias, model.id});
  }
  return Unknown{nearest(name, spellings)};
}

Lookup<Quant> find_quant(const Catalog& catalog, Text name) {
  name = trimmed(name);
  if (equal_but_for_case(name, "fp16")) name = "F16";
  std::vector<Text> ids;
  for (const Quant& quant : catalog.quants) {
    if (same_quant_key(quant.id, name)) return &quant;
    ids.push_back(quant.id);
  }
  return Unknown{nearest(name, ids)};
}

namespace {

/// "FP8 is no GGUF quantisation: ..." where the name is that of another format; else as for any other name.
std::string quant_problem(const Catalog& catalog, const Lookup<Quant>& answer, Text asked) {
  for (const OtherFormat& format : catalog.other_formats) {
    const auto is = [&](Text known) { return same_quant_key(known, trimmed(asked)); };
    if (is(format.name) || std::any_of(format.aliases.begin(), format.aliases.end(), is))
      return std::string(format.name) + " is in no GGUF file: " + std::string(format.what);
  }
  return problem_of(answer, asked, "quantisation", "quants");
}

}  // namespace

const Model& model_named(const Catalog& catalog, Text name) {
  return only(find_model(catalog, name), name, "model", "models");
}
const Quant& quant_named(const Catalog& catalog, Text name) {
  const Lookup<Quant> answer = find_quant(catalog, name);
  if (const auto* found = std::get_if<const Quant*>(&answer)) return **found;
  throw Error(quant_problem(catalog, answer, name));
}
const Host& host_named(const Catalog& catalog, Text name) {
  return only(find_host(catalog, name), name, "CPU platform", "hardware");
}
const Engine& engine_named(const Catalog& catalog, Text name) {
  return only(find_engine(catalog, name), name, "engine", "engines");
}
FoundGpu gpu_named(const Catalog& catalog, Text name, std::optional<Bytes> memory) {
  const GpuLookup answer = find_gpu(catalog, name, memory);
  if (const auto* found = std::get_if<FoundGpu>(&answer)) return *found;
  throw Error(problem(answer, name));
}

ModelAndQuant model_and_quant_named(const Catalog& catalog, Text text) {
  text = trimmed(text);
  const std::size_t colon = text.rfind(':');
  if (colon == Text::npos) return {&model_named(catalog, text), nullptr};
  const Text behind = text.substr(colon + 1);
  if (behind.empty()) throw Error(in_quotes(text) + ": no quantisation behind the colon");
  // What a tag says after the size: "32b-qwen-distill-q8_0".
  const std::size_t dash = behind.rfind('-');
  if (dash != Text::npos) {
    for (const PublishedFile& file : catalog.files) {
      if (file.ollama && equal_but_for_case(file.repo, text)) return {file.model, file.quant};
    }
  }
  const Lookup<Model> whole = find_model(catalog, text);
  if (const auto* model = std::get_if<const Model*>(&whole)) {
    const Quant* quant = nullptr;
    if (dash != Text::npos) {
      const Lookup<Quant> tail = find_quant(catalog, behind.substr(dash + 1));
      if (const auto* found = std::get_if<const Quant*>(&tail)) quant = *found;
    }
    return {*model, quant};
  }
  const Lookup<Quant> quant = find_quant(catalog, behind);
  const auto* found = std::get_if<const Quant*>(&quant);
  const bool is_size = !behind.empty() && is_digit(behind.front()) && lower(behind.back()) == 'b';
  if (found == nullptr && (is_size || std::holds_alternative<Ambiguous<Model>>(whole))) {
    throw Error(problem_of(whole, text, "model", "models"));
  }
  const Model& model = model_named(catalog, text.substr(0, colon));
  if (found == nullptr) throw Error(quant_problem(catalog, quant, behind));
  return {&model, *found};
}

}  // namespace r1fit
