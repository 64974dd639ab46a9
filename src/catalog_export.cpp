#include "r1fit/catalog_export.hpp"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "catalog_fields.hpp"
#include "r1fit/units_text.hpp"

namespace r1fit {
namespace {

using Json = nlohmann::ordered_json;

// Builds the JSON object of one record.
class Writer {
 public:
  template <class T>
  void operator()(const Field& field, const T& member) {
    if (!(field.is_omitted && member == T{})) object_[field.key] = json_of(member);
  }
  template <class T>
  void operator()(const Field& field, const std::optional<T>& member) {
    if (member) object_[field.key] = json_of(*member);
  }
  template <class T>
  void operator()(const Field& field, const List<T>& member) {
    Json list = Json::array();
    for (const T& item : member) list.push_back(json_of(item));
    if (!(field.is_omitted && member.empty())) object_[field.key] = std::move(list);
  }
  void roles(const Field& field, const std::uint32_t& bits) {
    Json list = Json::array();
    for (unsigned role = 0; role < kTensorRoles; ++role) {
      if (((bits >> role) & 1U) != 0) list.push_back(word(static_cast<TensorRole>(role)));
    }
    object_[field.key] = std::move(list);
  }
  void layers(const Field& field, const LayerSet& set, const int& n) {
    if (n == 0) {
      object_[field.key] = word(set);
    } else {
      object_[field.key] = Json{{std::string(word(set)), n}};
    }
  }
  void only_in_json(const char* /*key*/) {}

  [[nodiscard]] Json take() { return std::move(object_); }

  template <class T>
  static Json json_of(const T& value) {
    if constexpr (std::is_arithmetic_v<T> || std::is_same_v<T, Text>) {
      return value;
    } else if constexpr (std::is_same_v<T, Tokens>) {
      return value.count();
    } else if constexpr (std::is_enum_v<T>) {
      return word(value);
    } else if constexpr (std::is_pointer_v<T>) {
      return value->id;
    } else if constexpr (requires { exact_text(value); }) {
      return exact_text(value);
    } else {
      Writer record;
      visit_fields(value, record);
      return record.take();
    }
  }

 private:
  Json object_ = Json::object();
};

// The eight documents by file name.
struct Documents {
  std::map<std::string, Json> files;
  template <class T>
  void operator()(const char* stem, const char* key, const List<T>& list) {
    Json& document = files[std::string(stem) + ".json"];
    if (document.is_null()) document["schema"] = "r1fit.catalog." + std::string(stem) + "/1";
    Json items = Json::array();
    for (const T& item : list) items.push_back(Writer::json_of(item));
    document[key] = std::move(items);
  }
};

std::map<std::string, Json> documents_of(const Catalog& catalog) {
  Documents documents;
  visit_lists(catalog, documents);
  return std::move(documents.files);
}

std::string difference(const std::string& path, const Json& a, const Json& b) {
  if (a == b) return "";
  if (a.is_object() && b.is_object()) {
    for (const auto& [key, value] : a.items()) {
      const std::string at = path + "/" + key;
      if (!b.contains(key)) return at + ": only in the first";
      if (std::string found = difference(at, value, b.at(key)); !found.empty()) return found;
    }
    for (const auto& [key, value] : b.items()) {
      if (!a.contains(key)) return path + "/" + key + ": only in the second";
    }
    return path + ": another order of keys";
  }
  if (a.is_array() && b.is_array()) {
    const std::size_t common = std::min(a.size(), b.size());
    for (std::size_t i = 0; i < common; ++i) {
      if (std::string found = difference(path + "/" + std::to_string(i), a[i], b[i]); !found.empty())
        return found;
    }
    return path + ": " + std::to_string(a.size()) + " against " + std::to_string(b.size()) + " items";
  }
  return path + ": " + a.dump() + " against " + b.dump();
}

}  // namespace

CatalogTexts export_catalog(const Catalog& catalog) {
  const auto documents = documents_of(catalog);
  CatalogTexts texts;
  for (const CatalogFile& file : kCatalogFiles) {
    texts.*file.text = documents.at(std::string(file.name)).dump(2) + "\n";
  }
  return texts;
}

std::string first_difference(const Catalog& a, const Catalog& b) {
  const auto left = documents_of(a);
  const auto right = documents_of(b);
  for (const CatalogFile& file : kCatalogFiles) {
    const std::string name(file.name);
    if (std::string found = difference("", left.at(name), right.at(name)); !found.empty())
      return name + ": " + found;
  }
  return "";
}

}  // namespace r1fit
