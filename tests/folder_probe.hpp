// A machine as a folder of files: tests/data/machines/NAME/ holds proc/, sys/, etc/, usr/ and, for what is no
// file, nvml.json, sysctl.json and other.json (home, free space). See the README there.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

#include "r1fit/probe.hpp"

namespace r1fit::test {

class FolderProbe : public Probe {
 public:
  explicit FolderProbe(std::filesystem::path root) : root_(std::move(root)) {}

  [[nodiscard]] std::optional<std::string> read(std::string_view path) const override {
    const auto file = within(path);
    if (!std::filesystem::is_regular_file(file)) return std::nullopt;
    if (unreadable(path)) return std::nullopt;
    std::ifstream stream(file, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(stream), {});
  }
  [[nodiscard]] std::vector<std::string> list(std::string_view folder) const override {
    std::vector<std::string> names;
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(within(folder), none)) {
      // ':' cannot be in a file name everywhere; PCI addresses have '_' there.
      names.push_back(with_colons(entry.path().filename().string()));
    }
    std::ranges::sort(names);
    return names;
  }
  [[nodiscard]] std::optional<std::string> sysctl(std::string_view name) const override {
    const nlohmann::json values = json_of("sysctl.json");
    const auto found = values.find(std::string(name));
    if (found == values.end()) return std::nullopt;
    return found->is_string() ? found->get<std::string>() : found->dump();
  }
  [[nodiscard]] NvmlAnswer nvml() const override {
    const nlohmann::json answer = json_of("nvml.json");
    NvmlAnswer result;
    result.answers = answer.value("answers", !answer.empty());
    result.problem = answer.value(
        "problem",
        answer.empty() ? "libnvidia-ml.so.1, which comes with the NVIDIA driver, is not found" : "");
    result.driver = answer.value("driver", "");
    for (const auto& one : answer.value("devices", nlohmann::json::array()))
      result.devices.push_back(device(one));
    return result;
  }
  [[nodiscard]] std::optional<Bytes> free_space(std::string_view /*folder*/) const override {
    const nlohmann::json other = json_of("other.json");
    if (!other.contains("free_bytes")) return std::nullopt;
    return bytes(other["free_bytes"].get<std::int64_t>());
  }
  [[nodiscard]] std::string home() const override { return json_of("other.json").value("home", ""); }

 private:
  [[nodiscard]] std::filesystem::path within(std::string_view path) const {
    std::string inside(path.substr(1));
    std::ranges::replace(inside, ':', '_');
    return root_ / inside;
  }
  static std::string with_colons(std::string name) {
    constexpr std::size_t address = 12;  // 0000_01_00.0
    if (name.size() == address && name[4] == '_' && name[7] == '_') name[4] = name[7] = ':';
    return name;
  }
  [[nodiscard]] bool unreadable(std::string_view path) const {
    const nlohmann::json other = json_of("other.json");
    const auto names = other.value("unreadable", std::vector<std::string>{});
    return std::ranges::find(names, path) != names.end();
  }
  [[nodiscard]] nlohmann::json json_of(const char* name) const {
    std::ifstream stream(root_ / name);
    return stream ? nlohmann::json::parse(stream) : nlohmann::json::object();
  }
  static NvmlDevice device(const nlohmann::json& one) {
    NvmlDevice result;
    result.name = one.value("name", "");
    result.pci_address = one.value("pci_address", "");
    result.pci_id = one.value("pci_id", "");
    const auto size = [&](const char* key) -> std::optional<Bytes> {
      if (!one.contains(key)) return std::nullopt;
      return mib(one[key].get<double>());
    };
    result.total = size("total_mib");
    result.free = size("free_mib");
    result.kept = size("kept_mib");
    result.partitioned = one.value("partitioned", false);
    for (const auto& part : one.value("instances", nlohmann::json::array()))
      result.instances.push_back(device(part));
    return result;
  }

  std::filesystem::path root_;
};

/// The machine of that name under tests/data/machines.
inline FolderProbe machine_probe(const std::string& name) {
  return FolderProbe(std::filesystem::path(__FILE__).parent_path() / "data" / "machines" / name);
}

}  // namespace r1fit::test
