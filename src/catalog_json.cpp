#include "r1fit/catalog_json.hpp"

#include <algorithm>
#include <deque>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "catalog_fields.hpp"
#include "r1fit/error.hpp"
#include "r1fit/release_number.hpp"
#include "r1fit/suggest.hpp"
#include "r1fit/units_text.hpp"
#include "strict_json.hpp"

namespace r1fit {
namespace {

using nlohmann::json;

// Owns what a loaded catalogue points to. Nothing kept here ever moves.
class Arena {
 public:
  Text keep(std::string text) { return texts_.emplace_back(std::move(text)); }
  template <class T>
  List<T> keep(std::vector<T> list) {
    auto kept = std::make_shared<const std::vector<T>>(std::move(list));
    lists_.push_back(kept);
    return *kept;
  }

 private:
  std::deque<std::string> texts_;
  std::vector<std::shared_ptr<const void>> lists_;
};

constexpr std::size_t kLongestText = 4000;

// ---- what single values must be -----------------------------------------------------------------------

bool is_between(char c, char low, char high) { return c >= low && c <= high; }

bool is_pci_id(Text text) {
  constexpr Text shape = "vvvv:dddd:rr";
  if (text.size() != shape.size() && text.size() != shape.size() - 3) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool digit = is_between(text[i], '0', '9') || is_between(text[i], 'a', 'f');
    if (shape[i] == ':' ? text[i] != ':' : !digit) return false;
  }
  return true;
}

bool has_form(Text text, Form form) {
  const auto all = [&](auto allowed) { return std::all_of(text.begin(), text.end(), allowed); };
  switch (form) {
    case Form::free:
      return true;
    case Form::id:
      return all(
          [](char c) { return is_between(c, 'a', 'z') || is_between(c, '0', '9') || c == '.' || c == '-'; });
    case Form::ggml_id:
      return all([](char c) {
        return is_between(c, 'a', 'z') || is_between(c, 'A', 'Z') || is_between(c, '0', '9') || c == '.' ||
               c == '_' || c == '-';
      });
    case Form::date: {
      constexpr std::size_t month_size = 7;
      if (!is_month(text.substr(0, month_size))) return false;
      const Text rest = text.substr(month_size);
      if (rest.size() != 3 || rest[0] != '-' || !is_between(rest[1], '0', '9') ||
          !is_between(rest[2], '0', '9'))
        return false;
      const int day = (rest[1] - '0') * 10 + (rest[2] - '0');
      return day >= 1 && day <= 31;
    }
    case Form::month:
      return is_month(text);
    case Form::pci_id:
      return is_pci_id(text);
  }
  return false;
}

Text form_words(Form form) {
  switch (form) {
    case Form::free:
      return "a text";
    case Form::id:
      return "an id of a-z, 0-9, '.' and '-'";
    case Form::ggml_id:
      return "a name of letters, digits, '.', '_' and '-'";
    case Form::date:
      return "a date YYYY-MM-DD";
    case Form::month:
      return "a month YYYY-MM";
    case Form::pci_id:
      return "a PCI id such as 10de:2684, in lower case, with a revision where one tells cards apart";
  }
  return "";
}

Text checked_text(const json& value, const Place& place, Form form = Form::free) {
  if (!value.is_string())
    refuse(place, "must be " + std::string(form_words(form)) + ", is " + described(value));
  const auto& text = value.get_ref<const std::string&>();
  if (text.empty()) refuse(place, "must not be empty");
  if (text.size() > kLongestText) refuse(place, "is longer than " + std::to_string(kLongestText) + " bytes");
  if (text.front() == ' ' || text.back() == ' ') refuse(place, "must not begin or end with a space");
  if (std::any_of(text.begin(), text.end(), [](char c) { return (c >= 0 && c < ' ') || c == 0x7F; })) {
    refuse(place, "must not contain control characters");
  }
  if (!has_form(text, form))
    refuse(place, "must be " + std::string(form_words(form)) + ", is " + in_quotes(text));
  return text;
}

// One kind of quantity in JSON: how it is read, what to write where it is not, and which are possible.
template <class Q>
struct Door {
  std::optional<Q> (*parse)(std::string_view);
  const char* example;
  Q least;
  Q most;
};

const Door<Bytes>& door_of(Bytes /*tag*/) {
  static constexpr Door<Bytes> door{parse_bytes, "a size with its unit, such as \"24 GiB\"", bytes(1),
                                    gib(65536)};
  return door;
}
const Door<BytesPerSecond>& door_of(BytesPerSecond /*tag*/) {
  static constexpr Door<BytesPerSecond> door{parse_bytes_per_second,
                                             "a bandwidth with its unit, such as \"936 GB/s\"", gb_per_s(0.1),
                                             gb_per_s(1e5)};
  return door;
}
const Door<FlopsPerSecond>& door_of(FlopsPerSecond /*tag*/) {
  static constexpr Door<FlopsPerSecond> door{parse_flops, "a rate with its unit, such as \"142 TFLOPS\"",
                                             tflops(0.001), tflops(1e6)};
  return door;
}
const Door<Watts>& door_of(Watts /*tag*/) {
  static constexpr Door<Watts> door{parse_watts, "a power with its unit, such as \"350 W\"", watts(1),
                                    watts(1e5)};
  return door;
}
const Door<SecondsPerToken>& door_of(SecondsPerToken /*tag*/) {
  static constexpr Door<SecondsPerToken> door{parse_milliseconds_per_token,
                                              "a time with its unit, such as \"1.4 ms\"",
                                              milliseconds_per_token(1e-6), milliseconds_per_token(1e4)};
  return door;
}

const Door<TokensPerSecond>& door_of(TokensPerSecond /*tag*/) {
  static constexpr Door<TokensPerSecond> door{parse_tokens_per_second,
                                              "a speed with its unit, such as \"38.2 tok/s\"",
                                              tok_per_s(1e-3), tok_per_s(1e6)};
  return door;
}

template <class Q>
Q checked_quantity(const json& value, const Place& place, const Field& field) {
  const Door<Q>& door = door_of(Q{});
  if (!value.is_string()) {
    refuse(place, std::string("must be ") + door.example + ", is " + described(value));
  }
  const auto& text = value.get_ref<const std::string&>();
  const auto read = door.parse(text);
  if (!read) refuse(place, std::string("must be ") + door.example + ", is " + in_quotes(text));
  const bool is_zero = *read == Q{};
  if (is_zero ? !field.from_zero : *read < door.least || *read > door.most) {
    refuse(place, "impossible value " + in_quotes(text) + "; possible: " + (field.from_zero ? "0, " : "") +
                      exact_text(door.least) + " to " + exact_text(door.most));
  }
  return *read;
}

std::int64_t checked_whole(const json& value, const Place& place, const Field& field, const char* what) {
  if (!value.is_number_integer()) refuse(place, std::string("must be ") + what + ", is " + described(value));
  const bool too_large = value.is_number_unsigned() && value.get<std::uint64_t>() > (std::uint64_t{1} << 62U);
  const double number = value.get<double>();
  if (too_large || number < field.least || number > field.most) {
    refuse(place, "impossible value " + described(value) +
                      "; possible: " + count_text(static_cast<std::int64_t>(field.least)) + " to " +
                      count_text(static_cast<std::int64_t>(field.most)));
  }
  return value.get<std::int64_t>();
}

// ---- records --------------------------------------------------------------------------------------------

// The keys of a record as the format has them.
struct KeyList {
  std::vector<Text> keys;
  template <class T>
  void operator()(const Field& field, T& /*member*/) {
    keys.emplace_back(field.key);
  }
  void roles(const Field& field, std::uint32_t& /*member*/) { keys.emplace_back(field.key); }
  void layers(const Field& field, LayerSet& /*set*/, int& /*n*/) { keys.emplace_back(field.key); }
  void only_in_json(const char* key) { keys.emplace_back(key); }
};

// The keys of each file.
struct TopKeys {
  std::map<std::string, std::vector<Text>> keys;
  template <class T>
  void operator()(const char* stem, const char* key, List<T>& /*list*/) {
    auto& of_file = keys[std::string(stem) + ".json"];
    if (of_file.empty()) of_file.emplace_back("schema");
    of_file.emplace_back(key);
  }
};

void refuse_unknown_keys(const json& object, const Place& place, const std::vector<Text>& known) {
  for (const auto& [key, value] : object.items()) {
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      const auto near = nearest(key, known, 1);
      refuse(place.at(key), "unknown key" + nearest_clause(near));
    }
  }
}

template <class T>
concept HasId = requires(const T& record) {
  record.id;
};
template <class T>
concept HasSources = requires(const T& record) {
  record.sources;
};

class Loader {
 public:
  Loader(const CatalogTexts& texts, std::string_view origin) : arena_(std::make_shared<Arena>()) {
    catalog_.origin = arena_->keep(std::string(origin));
    for (const CatalogFile& file : kCatalogFiles)
      documents_[file.name] = parse_strictly(file.name, texts.*file.text);
    check_heads();
    visit_lists(catalog_, *this);
    check_fallbacks();
    check_tags();
    check_kernels();
    check_other_backends();
  }
  LoadedCatalog result() { return {catalog_, arena_}; }

  // A list of records at the top of a file.
  template <class T>
  void operator()(const char* stem, const char* key, List<T>& list) {
    const std::string file = std::string(stem) + ".json";
    const json& document = documents_.at(file);
    const Place place = Place{file, ""}.at(key);
    // A catalogue without measurements is a poor one, not a wrong one.
    constexpr bool may_be_empty = std::is_same_v<T, Measurement> || std::is_same_v<T, MeasuredDevice>;
    read(document.at(key), place, may_be_empty ? Field(key) : Field(key).filled(), list);
  }

 private:
  // "schema" and the names of the lists, in every file, before anything is read.
  void check_heads() {
    TopKeys lists;
    visit_lists(catalog_, lists);
    for (const CatalogFile& file : kCatalogFiles) {
      const json& document = documents_.at(file.name);
      const Place place{std::string(file.name), ""};
      const auto& keys = lists.keys.at(place.file);
      if (!document.is_object()) refuse(place, "must be an object, is " + described(document));
      refuse_unknown_keys(document, place, keys);
      for (const Text key : keys) {
        if (!document.contains(key)) refuse(place, "lacks the key " + in_quotes(key));
      }
      const Text stem = file.name.substr(0, file.name.find('.'));
      const std::string schema = "r1fit.catalog." + std::string(stem) + "/1";
      if (document.at("schema") != schema) refuse(place.at("schema"), "must be " + in_quotes(schema));
    }
  }

  // Fallbacks name types of the same list, in any order, so they can only be checked when all are read.
  void check_fallbacks() {
    std::vector<Text> ids;
    for (const TensorType& type : catalog_.tensor_types) ids.push_back(type.id);
    for (std::size_t i = 0; i < catalog_.tensor_types.size(); ++i) {
      const Text fallback = catalog_.tensor_types[i].fallback;
      if (!fallback.empty() && std::find(ids.begin(), ids.end(), fallback) == ids.end()) {
        refuse(Place{"quants.json", "/tensor_types"}.at(i).at("fallback"),
               "nothing has the id " + in_quotes(fallback) + nearest_clause(nearest(fallback, ids)));
      }
    }
  }

  // What has no tensor types of its own must say what it is unpacked by, and how it is shared out.
  void check_kernels() {
    for (std::size_t i = 0; i < catalog_.quants.size(); ++i) {
      const Quant& quant = catalog_.quants[i];
      const Place place = Place{"quants.json", "/quants"}.at(i);
      if (quant.base != nullptr) continue;
      if (!quant.kernel) refuse(place, "has neither a base type nor a \"kernel\"");
      if (!quant.shared) refuse(place, "has neither a base type nor \"shared\"");
    }
  }

  // "of" names a class of the same list, in any order.
  void check_other_backends() {
    std::vector<Text> ids;
    for (const SpeedClass& speed : catalog_.speed_classes) ids.push_back(speed.id);
    for (std::size_t i = 0; i < catalog_.speed_classes.size(); ++i) {
      const Text of = catalog_.speed_classes[i].of;
      if (!of.empty() && std::find(ids.begin(), ids.end(), of) == ids.end()) {
        refuse(Place{"constants.json", "/speed_classes"}.at(i).at("of"),
               "nothing has the id " + in_quotes(of) + nearest_clause(nearest(of, ids)));
      }
    }
  }

  // An Ollama tag is a name people type, so it must stand for one file.
  void check_tags() {
    std::set<Text> tags;
    for (std::size_t i = 0; i < catalog_.files.size(); ++i) {
      const PublishedFile& file = catalog_.files[i];
      const Place place = Place{"files.json", "/files"}.at(i);
      if (file.ollama && file.repo.empty()) refuse(place, "is an Ollama file without its tag in \"repo\"");
      if (file.ollama && !tags.insert(file.repo).second) {
        refuse(place.at("repo"), "the tag " + in_quotes(file.repo) + " is already that of an earlier file");
      }
    }
  }

  // Reads the members of one record, in the order of the struct.
  class Members {
   public:
    Members(Loader& loader, const json& object, const Place& place)
        : loader_(loader), object_(object), place_(place) {}

    template <class T>
    void operator()(const Field& field, T& member) {
      if (const json* value = find(field, field.is_omitted)) {
        loader_.read(*value, place_.at(field.key), field, member);
        if (field.is_figure) figures_.emplace_back(field.key);
      }
    }
    template <class T>
    void operator()(const Field& field, std::optional<T>& member) {
      if (const json* value = find(field, true)) {
        loader_.read(*value, place_.at(field.key), field, member.emplace());
        if (field.is_figure) figures_.emplace_back(field.key);
      }
    }
    void roles(const Field& field, std::uint32_t& member) {
      member = read_roles(*find(field, false), place_.at(field.key));
    }
    void layers(const Field& field, LayerSet& set, int& n) {
      read_layers(*find(field, false), place_.at(field.key), set, n);
    }
    void only_in_json(const char* /*key*/) {}

    [[nodiscard]] const std::vector<Text>& figures() const { return figures_; }

   private:
    const json* find(const Field& field, bool may_be_missing) {
      const auto at = object_.find(field.key);
      if (at != object_.end()) return &*at;
      if (!may_be_missing) refuse(place_, "lacks the key " + in_quotes(field.key));
      return nullptr;
    }
    static std::uint32_t read_roles(const json& value, const Place& place);
    static void read_layers(const json& value, const Place& place, LayerSet& set, int& n);

    Loader& loader_;
    const json& object_;
    const Place& place_;
    std::vector<Text> figures_;
  };

  void read(const json& value, const Place& place, const Field& field, Text& member) {
    member = arena_->keep(std::string(checked_text(value, place, field.form)));
  }
  void read(const json& value, const Place& place, const Field& /*field*/, bool& member) {
    if (!value.is_boolean()) refuse(place, "must be true or false, is " + described(value));
    member = value.get<bool>();
  }
  void read(const json& value, const Place& place, const Field& field, int& member) {
    member = static_cast<int>(checked_whole(value, place, field, "a whole number"));
  }
  void read(const json& value, const Place& place, const Field& field, std::int64_t& member) {
    member = checked_whole(value, place, field, "a whole number");
  }
  void read(const json& value, const Place& place, const Field& field, Tokens& member) {
    const Field bounded = field.within(field.from_zero ? 0 : 1, 1e9);
    member = tokens(checked_whole(value, place, bounded, "a whole number of tokens"));
  }
  void read(const json& value, const Place& place, const Field& field, double& member) {
    if (!value.is_number()) refuse(place, "must be a number, is " + described(value));
    // Bare ratios are shares of a physical limit; beyond it by half is a mistake, not a measurement.
    const bool is_share = field.least == Field::kUnset;
    const double number = value.get<double>();
    if (is_share ? !(number > 0 && number <= 1.5) : !(number >= field.least && number <= field.most)) {
      refuse(place, "impossible value " + described(value) + "; possible: " +
                        (is_share ? "above 0, at most 1.5"
                                  : json(field.least).dump() + " to " + json(field.most).dump()));
    }
    member = number;
  }
  template <class Tag, class Rep>
  void read(const json& value, const Place& place, const Field& field, Quantity<Tag, Rep>& member) {
    member = checked_quantity<Quantity<Tag, Rep>>(value, place, field);
  }
  void read(const json& value, const Place& place, const Field& /*field*/, Confidence& member) {
    member = read_word(value, place, kConfidences);
  }
  void read(const json& value, const Place& place, const Field& /*field*/, Vendor& member) {
    member = read_word(value, place, kVendors);
  }
  void read(const json& value, const Place& place, const Field& /*field*/, DeviceClass& member) {
    member = read_word(value, place, kDeviceClasses);
  }
  void read(const json& value, const Place& place, const Field& /*field*/, Backend& member) {
    member = read_word(value, place, kBackends);
  }
  void read(const json& value, const Place& place, const Field& /*field*/, Kernel& member) {
    member = read_word(value, place, kKernelKinds);
  }
  void read(const json& value, const Place& place, const Field& /*field*/, ImatrixCase& member) {
    member = read_word(value, place, kImatrixCases);
  }
  void read(const json& value, const Place& place, const Field& /*field*/, PlacementMode& member) {
    member = read_word(value, place, kPlacementModes);
  }
  void read(const json& value, const Place& place, const Field& /*field*/, SplitMode& member) {
    member = read_word(value, place, kSplitModes);
  }
  void read(const json& value, const Place& place, const Field& /*field*/, Grade& member) {
    member = read_word(value, place, kGrades);
  }
  // A reference: the id of a record in a list read before.
  template <class T>
  void read(const json& value, const Place& place, const Field& /*field*/, const T*& member) {
    const Text id = checked_text(value, place);
    std::vector<Text> ids;
    for (const T& record : catalog_.*kListOf<T>) {
      if (record.id == id) {
        member = &record;
        return;
      }
      ids.push_back(record.id);
    }
    refuse(place, "nothing has the id " + in_quotes(id) + nearest_clause(nearest(id, ids)));
  }
  template <class T>
  void read(const json& value, const Place& place, const Field& field, List<T>& member) {
    if (!value.is_array()) refuse(place, "must be a list, is " + described(value));
    if (field.is_filled && value.empty()) refuse(place, "must not be empty");
    std::vector<T> items;
    items.reserve(value.size());
    for (std::size_t i = 0; i < value.size(); ++i) {
      T item{};
      read(value[i], place.at(i), Field(field.key).as(field.form), item);
      if constexpr (std::is_same_v<T, Quant>) extend(value[i], place.at(i), items, item);
      if constexpr (HasId<T>) {
        if (std::any_of(items.begin(), items.end(), [&](const T& other) { return other.id == item.id; })) {
          refuse(place.at(i).at("id"), "the id " + in_quotes(item.id) + " is already taken");
        }
      } else if constexpr (std::equality_comparable<T>) {
        if (std::find(items.begin(), items.end(), item) != items.end())
          refuse(place.at(i), "stands twice in this list");
      }
      items.push_back(item);
    }
    member = arena_->keep(std::move(items));
  }
  template <class T>
  requires std::is_class_v<T>
  void read(const json& value, const Place& place, const Field& /*field*/, T& record) {
    if (!value.is_object()) refuse(place, "must be an object, is " + described(value));
    KeyList known;
    visit_fields(record, known);
    refuse_unknown_keys(value, place, known.keys);
    Members members(*this, value, place);
    visit_fields(record, members);
    if constexpr (HasSources<T>) check_coverage(record.sources, place, known.keys, members.figures());
    check(record, place);
  }

  template <class E, std::size_t N>
  static E read_word(const json& value, const Place& place, const std::array<E, N>& values) {
    std::string words;
    for (const E candidate : values) {
      if (value == word(candidate)) return candidate;
      words += (words.empty() ? "" : ", ") + std::string(word(candidate));
    }
    refuse(place,
           "must be one of " + words + ", is " +
               (value.is_string() ? in_quotes(value.get_ref<const std::string&>()) : described(value)));
  }

  // A quantisation may build on an earlier one: its own rules come first, then those it extends.
  void extend(const json& value, const Place& place, const std::vector<Quant>& earlier, Quant& quant) {
    const auto key = value.find("extends");
    if (key == value.end()) {
      if (quant.base == nullptr && !quant.rules.empty()) refuse(place, "has rules but no base type");
      return;
    }
    const Text id = checked_text(*key, place.at("extends"));
    const auto found =
        std::find_if(earlier.begin(), earlier.end(), [&](const Quant& q) { return q.id == id; });
    if (found == earlier.end())
      refuse(place.at("extends"), "no earlier quantisation has the id " + in_quotes(id));
    if (quant.base != nullptr)
      refuse(place.at("base"), "the base type is that of " + in_quotes(id) + ", which it extends");
    std::vector<MixtureRule> rules(quant.rules.begin(), quant.rules.end());
    rules.insert(rules.end(), found->rules.begin(), found->rules.end());
    quant.base = found->base;
    quant.rules = arena_->keep(std::move(rules));
  }

  static void check_coverage(List<Source> sources, const Place& place, const std::vector<Text>& known,
                             const std::vector<Text>& figures) {
    std::set<Text> covered;
    for (std::size_t s = 0; s < sources.size(); ++s) {
      for (std::size_t c = 0; c < sources[s].covers.size(); ++c) {
        const Text name = sources[s].covers[c];
        if (std::find(known.begin(), known.end(), name) == known.end()) {
          refuse(place.at("sources").at(s).at("covers").at(c),
                 in_quotes(name) + " is no field of this record" + nearest_clause(nearest(name, known, 1)));
        }
        covered.insert(name);
      }
    }
    for (const Text figure : figures) {
      if (!covered.contains(figure)) refuse(place.at(figure), "no source covers this figure");
    }
  }

  // ---- what must hold between the fields of one record ----
  template <class T>
  static void check(const T& /*record*/, const Place& /*place*/) {}

  template <class T>
  static void check_order(const Place& place, const char* low_key, const T& low, const char* high_key,
                          const T& high) {
    if (low > high) refuse(place.at(low_key), std::string("is above ") + in_quotes(high_key));
  }
  static void check_pair(const Place& place, const char* value_key, const std::optional<double>& value,
                         const char* low_key, const std::optional<double>& low, const char* high_key,
                         const std::optional<double>& high) {
    if (low.has_value() != high.has_value()) {
      refuse(place, std::string(low_key) + " and " + high_key + " must come together");
    }
    if (low.has_value() && !value.has_value())
      refuse(place.at(low_key), std::string("stands without ") + in_quotes(value_key));
    if (low && high) check_order(place, low_key, *low, high_key, *high);
  }
  static void check(const SpeedClass& record, const Place& place) {
    const bool cpu =
        std::find(record.backends.begin(), record.backends.end(), Backend::cpu) != record.backends.end();
    if (cpu && !(record.fp32 && record.cores))
      refuse(place, "is a class of CPUs and lacks \"fp32\" or \"cores\" of a usual one");
    check_pair(place, "mfu", record.mfu, "mfu_low", record.mfu_low, "mfu_high", record.mfu_high);
  }
  static void check(const MeasuredDevice& record, const Place& place) {
    if ((record.gpu == nullptr) == (record.host == nullptr))
      refuse(place, "must name either a \"gpu\" or a \"host\"");
  }
  static void check(const Quant& record, const Place& place) {
    if (record.kernel && record.base != nullptr) refuse(place.at("kernel"), "is given by the base type");
    if (record.shared && record.base != nullptr) refuse(place.at("shared"), "is given by the base type");
  }
  template <class T>
  static void check_range(const T& record, const Place& place) {
    check_order(place, "low", record.low, "typical", record.typical);
    check_order(place, "typical", record.typical, "high", record.high);
  }
  static void check(const RuntimeClass& record, const Place& place) { check_range(record, place); }
  static void check(const PrefillShare& record, const Place& place) { check_range(record, place); }
  static void check(const PrefillRate& record, const Place& place) { check_range(record, place); }
  static void check(const Thinking& record, const Place& place) {
    check_range(record, place);
    if (record.hard.has_value() == record.hard_source.empty())
      refuse(place, "hard and hard_source must come together");
  }
  static void check(const DesktopReserve& record, const Place& place) { check_range(record, place); }
  static void check(const SplitFactor& record, const Place& place) { check_range(record, place); }
  static void check(const SplitSync& record, const Place& place) { check_range(record, place); }
  static void check(const CardSplit& record, const Place& place) {
    if (std::none_of(kSplitModes.begin(), kSplitModes.end(),
                     [&](SplitMode mode) { return mode != SplitMode::layer && record.id == word(mode); }))
      refuse(place.at("id"), "must be a split other than by layer: row or tensor");
    if (record.sync.has_value() == record.decode.has_value())
      refuse(place, "must have either a \"sync\" or a \"decode\"");
  }
  static void check(const WorkingSetRegime& record, const Place& place) {
    for (std::size_t i = 1; i < record.steps.size(); ++i) {
      if (record.steps[i].up_to <= record.steps[i - 1].up_to) {
        refuse(place.at("steps").at(i).at("up_to"), "must be above the one before");
      }
    }
  }
  static void check(const EngineRelease& record, const Place& place) {
    const List<ContextStep> steps = record.default_context;
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const Place at = place.at("default_context").at(i).at("gpu_memory");
      if (i == 0 && steps[i].gpu_memory != Bytes{}) refuse(at, "must be 0 for the first step");
      if (i > 0 && steps[i].gpu_memory <= steps[i - 1].gpu_memory) refuse(at, "must be above the one before");
    }
    if (!record.version.empty() && !release_number(record.version))
      refuse(place.at("version"), "must be numbers with dots, is " + in_quotes(record.version));
  }
  static void check(const Engine& record, const Place& place) {
    for (std::size_t i = 1; i < record.releases.size(); ++i) {
      const EngineRelease& before = record.releases[i - 1];
      const EngineRelease& release = record.releases[i];
      const Place at = place.at("releases").at(i);
      if (release.from <= before.from) refuse(at.at("from"), "must be after the one before");
      if (release.version.empty() != before.version.empty())
        refuse(at, "has a version where the one before has none, or the other way round");
      if (!release.version.empty() && *release_number(release.version) <= *release_number(before.version))
        refuse(at.at("version"), "must be above the one before");
    }
  }
  static void check(const Gpu& record, const Place& place) {
    for (std::size_t i = 1; i < record.memory.size(); ++i) {
      if (record.memory[i] <= record.memory[i - 1])
        refuse(place.at("memory").at(i), "must be above the size before");
    }
    for (std::size_t i = 0; i < record.withdrawn.size(); ++i) {
      if (std::ranges::find(record.memory, record.withdrawn[i]) == record.memory.end())
        refuse(place.at("withdrawn").at(i), "is none of the sizes in \"memory\"");
    }
    if (!record.real_total) return;
    if (record.memory.size() != 1) refuse(place.at("real_total"), "needs a single size in \"memory\"");
    if (*record.real_total > record.memory.front()) refuse(place.at("real_total"), "is above \"memory\"");
  }
  static void check(const Host& record, const Place& place) {
    if (record.fp32.has_value() != record.cores.has_value())
      refuse(place, "\"fp32\" and \"cores\" must come together");
    if (record.channels % record.sockets != 0)
      refuse(place.at("channels"), "must be a multiple of \"sockets\"");
    const double carried = 8e6 * record.channels * record.mega_transfers;
    if (record.bandwidth.count() > 1.02 * carried) {
      refuse(place.at("bandwidth"),
             "is above what its channels carry, " + exact_text(BytesPerSecond::of(carried)));
    }
  }
  static void check(const Shape& record, const Place& place) {
    if (record.kv_heads > record.heads) refuse(place.at("kv_heads"), "is above \"heads\"");
    if (record.mla ? record.head_dim != 0 : record.head_dim == 0) {
      refuse(place.at("head_dim"), "must be 0 exactly where \"mla\" is given");
    }
    if (record.moe && record.moe->experts_per_token > record.moe->routed_experts) {
      refuse(place.at("moe").at("experts_per_token"), "is above \"routed_experts\"");
    }
  }
  static void check(const Model& record, const Place& place) {
    if (record.offered == !record.why_not_offered.empty()) {
      refuse(place.at("why_not_offered"), "must be given exactly where \"offered\" is false");
    }
  }
  static void check(const Measurement& record, const Place& place) {
    if (record.placement == PlacementMode::cpu && !record.gpus.empty())
      refuse(place.at("gpus"), "must not be given where \"placement\" is \"cpu\"");
    if (record.layers_on_gpu && record.placement != PlacementMode::partial)
      refuse(place.at("layers_on_gpu"), "must be given only where \"placement\" is \"partial\"");
    if (record.layers_on_gpu.value_or(0) > record.model->shape->layers + 1)
      refuse(place.at("layers_on_gpu"), "is more than " + in_quotes(record.model->id) + " has");
    if (record.ran_size && record.quant->base != nullptr)
      refuse(place.at("ran_size"), "must not be given where \"quant\" has a base type");
    if (record.ran_shared && !record.ran_size)
      refuse(place.at("ran_shared"), "must be given only with \"ran_size\"");
  }
  static void check(const PublishedFile& record, const Place& place) {
    if (record.uncertainty > record.size) refuse(place.at("uncertainty"), "is above \"size\"");
  }

  std::shared_ptr<Arena> arena_;
  Catalog catalog_;
  std::map<std::string_view, json> documents_;
};

std::uint32_t Loader::Members::read_roles(const json& value, const Place& place) {
  if (!value.is_array()) refuse(place, "must be a list, is " + described(value));
  if (value.empty()) refuse(place, "must not be empty");
  std::uint32_t roles = 0;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const Text name = checked_text(value[i], place.at(i));
    std::uint32_t bit = 0;
    std::vector<Text> words;
    for (int role = 0; role < kTensorRoles; ++role) {
      words.push_back(word(static_cast<TensorRole>(role)));
      if (words.back() == name) bit = std::uint32_t{1} << static_cast<unsigned>(role);
    }
    if (bit == 0)
      refuse(place.at(i), "no tensor has the role " + in_quotes(name) + nearest_clause(nearest(name, words)));
    if ((roles & bit) != 0) refuse(place.at(i), "stands twice in this list");
    roles |= bit;
  }
  return roles;
}

// "all", "more_bits", or an object with one set that takes a number: {"first": 2}.
void Loader::Members::read_layers(const json& value, const Place& place, LayerSet& set, int& n) {
  const auto takes_number = [](LayerSet s) {
    return s == LayerSet::first || s == LayerSet::first_fraction || s == LayerSet::middle;
  };
  const bool is_pair = value.is_object() && value.size() == 1;
  for (const LayerSet candidate : kLayerSets) {
    if (!takes_number(candidate) && value == word(candidate)) {
      set = candidate;
      n = 0;
      return;
    }
    if (takes_number(candidate) && is_pair && value.begin().key() == word(candidate)) {
      set = candidate;
      const Place at = place.at(word(candidate));
      n = static_cast<int>(checked_whole(value.front(), at, Field("n").within(1, 1000), "a whole number"));
      return;
    }
  }
  refuse(place,
         "must be \"all\", \"more_bits\" or one of {\"first\": n}, {\"first_fraction\": n}, {\"middle\": n}");
}

}  // namespace

LoadedCatalog load_catalog(const CatalogTexts& texts, std::string_view origin) {
  return Loader(texts, origin).result();
}

}  // namespace r1fit
