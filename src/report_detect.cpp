#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "r1fit/report.hpp"
#include "r1fit/text_table.hpp"
#include "r1fit/units_text.hpp"

namespace r1fit {
namespace {

using Json = nlohmann::ordered_json;

// ---- as lines: what, value, where it was read ------------------------------------------------------------

struct Line {
  std::string what;
  std::string value;
  std::string from;
};

std::string joined(const std::vector<std::string>& texts, std::string_view between) {
  std::string all;
  for (const std::string& text : texts) {
    if (text.empty()) continue;
    if (!all.empty()) all += between;
    all += text;
  }
  return all;
}

/// Sources once each, in order.
std::string sources(std::vector<std::string> texts) {
  std::vector<std::string> once;
  for (std::string& text : texts) {
    if (std::ranges::find(once, text) == once.end()) once.push_back(std::move(text));
  }
  return joined(once, ", ");
}

template <class T>
std::string from(const std::optional<Read<T>>& fact) {
  return fact ? fact->from : "";
}

std::string several(int count, const std::string& one, const std::string& many) {
  return count_text(count) + " " + (count == 1 ? one : many);
}

void add_system(const Detected& machine, std::vector<Line>& lines) {
  const DetectedSystem& system = machine.system;
  const std::string kernel = system.kernel ? "Linux " + system.kernel->value : "";
  lines.push_back({"system", joined({system.os ? system.os->value : "", kernel}, ", "),
                   sources({from(system.os), from(system.kernel)})});
  if (system.board) lines.push_back({"board", system.board->value, system.board->from});
  if (system.hosting == Hosting::wsl) lines.push_back({"inside", "WSL2", system.hosting_from});
  if (system.hosting == Hosting::virtual_machine)
    lines.push_back({"inside", "a virtual machine", system.hosting_from});
  if (system.container) lines.push_back({"inside", "a container", system.container->from});
}

void add_cpu(const Detected& machine, std::vector<Line>& lines) {
  const DetectedCpu& cpu = machine.cpu;
  std::vector<std::string> parts{cpu.name ? cpu.name->value : ""};
  if (cpu.sockets && cpu.sockets->value > 1)
    parts.push_back(several(cpu.sockets->value, "socket", "sockets"));
  if (cpu.cores) parts.push_back(several(cpu.cores->value, "core", "cores"));
  if (cpu.threads) parts.push_back(several(cpu.threads->value, "thread", "threads"));
  if (cpu.numa_nodes && cpu.numa_nodes->value > 1)
    parts.push_back(several(cpu.numa_nodes->value, "NUMA node", "NUMA nodes"));
  const bool nodes = cpu.numa_nodes && cpu.numa_nodes->value > 1;
  lines.push_back(
      {"CPU", joined(parts, ", "),
       sources({from(cpu.name), from(cpu.cores), from(cpu.threads), nodes ? cpu.numa_nodes->from : ""})});
  if (cpu.limit)
    lines.push_back({"of them", several(cpu.limit->value, "processor", "processors") + " may be used here",
                     cpu.limit->from});
  if (cpu.features) lines.push_back({"features", joined(cpu.features->value, ", "), cpu.features->from});
}

std::string modules_text(const MemoryLayout& layout) {
  std::string text = several(layout.modules, "module", "modules") + " of ";
  text += layout.type.empty() ? "unknown type" : layout.type;
  if (layout.mega_transfers) text += "-" + std::to_string(*layout.mega_transfers);
  text += layout.channels ? " in " + several(*layout.channels, "channel", "channels")
                          : ", channels not told apart";
  if (layout.bandwidth) text += ": " + rate_text(*layout.bandwidth) + " at most";
  return text;
}

void add_ram(const Detected& machine, const std::optional<MemoryRate>& measured, std::vector<Line>& lines) {
  const DetectedRam& ram = machine.ram;
  std::string text = ram.total ? gib_text(ram.total->value) : "";
  if (ram.total && ram.available) text += ", " + gib_text(ram.available->value) + " available now";
  lines.push_back({"RAM", text, sources({from(ram.total), from(ram.available)})});
  if (ram.limit)
    lines.push_back({"limit", gib_text(ram.limit->value) + " of it for what runs in here", ram.limit->from});
  if (ram.modules) {
    lines.push_back({"RAM speed", modules_text(ram.modules->value), ram.modules->from});
  } else {
    lines.push_back({"RAM speed", "", ram.modules_problem});
  }
  if (machine.cpu.platform != nullptr) {
    lines.push_back({"platform",
                     std::string(machine.cpu.platform->id) + ": " + std::string(machine.cpu.platform->name) +
                         ", " + rate_text(machine.cpu.platform->bandwidth),
                     machine.cpu.platform_from});
  } else {
    lines.push_back({"platform", "", machine.cpu.platform_from});
  }
  if (measured) {
    lines.push_back({"measured",
                     rate_text(measured->typical) + " read from RAM, " + rate_text(measured->low) + " to " +
                         rate_text(measured->high) + " in " + count_text(measured->passes) + " passes over " +
                         mib_text(measured->buffer) + " with " +
                         several(measured->threads, "thread", "threads"),
                     "just now"});
  }
}

std::string record_text(const DetectedGpu& gpu) {
  if (gpu.gpu != nullptr) {
    const BytesPerSecond bandwidth = gpu.bandwidth.value_or(gpu.gpu->bandwidth);
    return std::string(gpu.gpu->id) + ", " + rate_text(bandwidth);
  }
  if (gpu.bandwidth) return rate_text(*gpu.bandwidth) + " by its share of the card";
  if (gpu.candidates.empty()) return gpu.integrated ? "" : "not in the catalogue";
  std::vector<std::string> ids;
  for (const Gpu* candidate : gpu.candidates) ids.emplace_back(candidate->id);
  return "one of " + joined(ids, ", ");
}

std::string memory_text(const DetectedGpu& gpu) {
  if (!gpu.memory) return "memory not known";
  std::string text = gib_text(gpu.memory->value);
  if (gpu.integrated) text += " shared with the CPU";
  if (gpu.limit) text += ", " + gib_text(gpu.limit->value) + " of it for the GPU";
  constexpr Bytes least = mib(50);  // below it nothing would be printed but a zero
  if (gpu.in_use && gpu.in_use->value > least) text += ", " + gib_text(gpu.in_use->value) + " of it in use";
  return text;
}

void add_gpus(const Detected& machine, std::vector<Line>& lines) {
  if (machine.gpus.empty()) lines.push_back({"GPU", "none found", "NVML, /sys/bus/pci/devices"});
  int number = 0;
  for (const DetectedGpu& gpu : machine.gpus) {
    const bool silent = gpu.integrated && gpu.gpu == nullptr;  // nothing depends on its memory
    std::string text = joined(
        {gpu.name, silent ? "" : memory_text(gpu), gpu.driver.empty() ? "no driver" : "driver " + gpu.driver},
        ", ");
    lines.push_back(
        {"GPU " + std::to_string(number++), std::move(text),
         silent ? gpu.from : sources({gpu.from, from(gpu.memory), from(gpu.in_use), from(gpu.limit)})});
    if (const std::string record = record_text(gpu); !record.empty())
      lines.push_back({"", record,
                       gpu.gpu != nullptr   ? gpu.matched_by
                       : gpu.pci_id.empty() ? ""
                                            : "PCI id " + gpu.pci_id});
    if (!gpu.used) lines.push_back({"", "not used: " + gpu.why_not, ""});
  }
}

void add_disk(const Detected& machine, std::vector<Line>& lines) {
  const DetectedDisk& disk = machine.disk;
  if (!disk.free) {
    lines.push_back({"disk", "", disk.problem});
    return;
  }
  lines.push_back({"disk",
                   gb_text(disk.free->value, 0) + " free at " + disk.folder +
                       ", where .ollama/models, .cache/huggingface and .cache/llama.cpp lie by default",
                   disk.free->from});
}

std::vector<Line> lines_of(const Detected& machine, const std::optional<MemoryRate>& measured) {
  std::vector<Line> lines;
  add_system(machine, lines);
  add_gpus(machine, lines);
  add_cpu(machine, lines);
  add_ram(machine, measured, lines);
  add_disk(machine, lines);
  return lines;
}

/// "--gpu 'rtx 3090'": a word with a space in quotes.
std::string command_of(const std::vector<std::string>& flags) {
  std::string text = "r1fit";
  for (const std::string& flag : flags) {
    const bool quote = flag.find(' ') != std::string::npos;
    text += quote ? " \"" + flag + "\"" : " " + flag;
  }
  return text;
}

std::string table_of_detected(const Detected& machine, const std::vector<std::string>& flags,
                              const std::optional<MemoryRate>& measured, const PrintOptions& options) {
  constexpr std::size_t label = 11;
  const auto width = static_cast<std::size_t>(options.style.width);
  std::string out = paint(options.style, Tone::bold, "This machine") + "\n";
  for (const Line& line : lines_of(machine, measured)) {
    std::string lead = "  " + line.what;
    lead.resize(label + 2, ' ');
    std::string text = line.value;
    if (text.empty()) {
      text = line.from.empty() ? "not known" : "not known: " + line.from;
    } else if (!line.from.empty()) {
      text += " [" + line.from + "]";
    }
    out += wrap(lead, printable(text), width);
  }
  for (const std::string& remark : machine.remarks) out += wrap("  beware     - ", printable(remark), width);
  if (!flags.empty()) out += "\nThe same in flags\n  " + command_of(flags) + "\n";
  return out;
}

// ---- as JSON -------------------------------------------------------------------------------------------

Json text(const std::string& value) { return value.empty() ? Json(nullptr) : Json(value); }

template <class T>
Json value_of(const std::optional<Read<T>>& fact) {
  return fact ? Json(fact->value) : Json(nullptr);
}
Json value_of(const std::optional<Read<Bytes>>& fact) {
  return fact ? Json(fact->value.count()) : Json(nullptr);
}
template <class T>
Json source_of(const std::optional<Read<T>>& fact) {
  return fact ? Json(fact->from) : Json(nullptr);
}

Json gigabytes_per_second(const std::optional<BytesPerSecond>& rate) {
  constexpr double hundredths = 100;
  return rate ? Json(std::round(in_gb_per_s(*rate) * hundredths) / hundredths) : Json(nullptr);
}

Json system_json(const DetectedSystem& system) {
  constexpr std::string_view hostings[] = {"bare", "virtual_machine", "wsl"};
  return {{"os", value_of(system.os)},
          {"os_source", source_of(system.os)},
          {"kernel", value_of(system.kernel)},
          {"kernel_source", source_of(system.kernel)},
          {"board", value_of(system.board)},
          {"board_source", source_of(system.board)},
          {"hosting", hostings[static_cast<std::size_t>(system.hosting)]},
          {"hosting_source", text(system.hosting_from)},
          {"container", system.container.has_value()},
          {"container_source", source_of(system.container)}};
}

Json cpu_json(const DetectedCpu& cpu) {
  return {{"name", value_of(cpu.name)},
          {"name_source", source_of(cpu.name)},
          {"sockets", value_of(cpu.sockets)},
          {"sockets_source", source_of(cpu.sockets)},
          {"numa_nodes", value_of(cpu.numa_nodes)},
          {"numa_nodes_source", source_of(cpu.numa_nodes)},
          {"cores", value_of(cpu.cores)},
          {"cores_source", source_of(cpu.cores)},
          {"threads", value_of(cpu.threads)},
          {"threads_source", source_of(cpu.threads)},
          {"limit", value_of(cpu.limit)},
          {"limit_source", source_of(cpu.limit)},
          {"features", value_of(cpu.features)},
          {"features_source", source_of(cpu.features)},
          {"platform", cpu.platform != nullptr ? Json(cpu.platform->id) : Json(nullptr)},
          {"platform_source", text(cpu.platform_from)}};
}

Json ram_json(const DetectedRam& ram, const std::optional<MemoryRate>& measured) {
  const MemoryLayout* layout = ram.modules ? &ram.modules->value : nullptr;
  const auto of_layout = [&](auto value) {
    return layout != nullptr && layout->*value ? Json(*(layout->*value)) : Json(nullptr);
  };
  Json rate = nullptr;
  if (measured) {
    rate = {{"low", gigabytes_per_second(measured->low)},
            {"typical", gigabytes_per_second(measured->typical)},
            {"high", gigabytes_per_second(measured->high)},
            {"buffer_bytes", measured->buffer.count()},
            {"threads", measured->threads},
            {"passes", measured->passes}};
  }
  return {{"total_bytes", value_of(ram.total)},
          {"total_source", source_of(ram.total)},
          {"available_bytes", value_of(ram.available)},
          {"available_source", source_of(ram.available)},
          {"limit_bytes", value_of(ram.limit)},
          {"limit_source", source_of(ram.limit)},
          {"modules", layout != nullptr ? Json(layout->modules) : Json(nullptr)},
          {"modules_bytes", layout != nullptr ? Json(layout->size.count()) : Json(nullptr)},
          {"type", layout != nullptr ? text(layout->type) : Json(nullptr)},
          {"mega_transfers", of_layout(&MemoryLayout::mega_transfers)},
          {"channels", of_layout(&MemoryLayout::channels)},
          {"bandwidth_gbps", gigabytes_per_second(layout != nullptr ? layout->bandwidth : std::nullopt)},
          {"modules_source", ram.modules ? Json(ram.modules->from) : text(ram.modules_problem)},
          {"measured_gbps", std::move(rate)}};
}

Json gpu_json(const DetectedGpu& gpu) {
  Json candidates = Json::array();
  for (const Gpu* candidate : gpu.candidates) candidates.push_back(candidate->id);
  std::optional<BytesPerSecond> bandwidth = gpu.bandwidth;
  if (!bandwidth && gpu.gpu != nullptr) bandwidth = gpu.gpu->bandwidth;
  return {{"name", text(gpu.name)},
          {"id", gpu.gpu != nullptr ? Json(gpu.gpu->id) : Json(nullptr)},
          {"id_source", text(gpu.matched_by)},
          {"candidates", std::move(candidates)},
          {"pci_address", text(gpu.pci_address)},
          {"pci_id", text(gpu.pci_id)},
          {"driver", text(gpu.driver)},
          {"source", text(gpu.from)},
          {"integrated", gpu.integrated},
          {"partition", gpu.instance},
          {"memory_bytes", value_of(gpu.memory)},
          {"memory_source", source_of(gpu.memory)},
          {"in_use_bytes", value_of(gpu.in_use)},
          {"in_use_source", source_of(gpu.in_use)},
          {"gpu_limit_bytes", value_of(gpu.limit)},
          {"gpu_limit_source", source_of(gpu.limit)},
          {"bandwidth_gbps", gigabytes_per_second(bandwidth)},
          {"used", gpu.used},
          {"why_not", text(gpu.why_not)}};
}

std::string json_of_detected(const Detected& machine, const std::vector<std::string>& flags,
                             const std::optional<MemoryRate>& measured) {
  Json gpus = Json::array();
  for (const DetectedGpu& gpu : machine.gpus) gpus.push_back(gpu_json(gpu));
  const DetectedDisk& disk = machine.disk;
  const Json document{{"schema", "r1fit.detect/1"},
                      {"system", system_json(machine.system)},
                      {"gpus", std::move(gpus)},
                      {"cpu", cpu_json(machine.cpu)},
                      {"ram", ram_json(machine.ram, measured)},
                      {"disk",
                       {{"path", text(disk.folder)},
                        {"free_bytes", value_of(disk.free)},
                        {"source", disk.free ? Json(disk.free->from) : text(disk.problem)}}},
                      {"wired_limit_bytes", value_of(machine.wired_limit)},
                      {"wired_limit_source", source_of(machine.wired_limit)},
                      {"remarks", machine.remarks},
                      {"flags", flags}};
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string report(Format format, const Detected& machine, const std::vector<std::string>& flags,
                   const std::optional<MemoryRate>& measured, const PrintOptions& options) {
  if (format == Format::json) return json_of_detected(machine, flags, measured);
  if (format == Format::table) return table_of_detected(machine, flags, measured, options);
  std::string out;
  std::vector<std::vector<std::string>> rows;
  std::string what;
  for (const Line& line : lines_of(machine, measured)) {
    if (!line.what.empty()) what = line.what;
    rows.push_back({what, line.value, line.from});
  }
  const std::vector<std::string> head{"what", "value", "source"};
  if (format == Format::md) return markdown_table(head, rows, {false, false, false});
  out += csv_row(head);
  for (const std::vector<std::string>& row : rows) out += csv_row(row);
  return out;
}

}  // namespace r1fit
