#include "r1fit/detect_gpus.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <utility>

#include "proc_text.hpp"
#include "r1fit/lookup.hpp"
#include "r1fit/units_text.hpp"

namespace r1fit {
namespace {

constexpr std::string_view kPciFolder = "/sys/bus/pci/devices";
constexpr std::string_view kNvidiaFolder = "/proc/driver/nvidia/gpus";
constexpr std::string_view kNvidiaVersion = "/proc/driver/nvidia/version";

/// Drivers report down to this share of the size on the box: a Tesla T4 with ECC has 15,360 of 16,384 MiB.
constexpr double kLeastReported = 0.92;
/// And firmware takes this much of the memory of a system on a chip before Linux sees it.
constexpr double kLeastOfSystem = 0.85;
constexpr double kMostReported = 1.01;

constexpr Bytes kMostMemory = gib(1 << 20);
constexpr std::size_t kMostGpus = 64;

bool is_between(Bytes part, Bytes whole, double least) {
  const double share = ratio(part, whole);
  return share >= least && share <= kMostReported;
}

/// "00000000:01:00.0" of NVML and "0000:01:00.0" of Linux are one address.
std::string same_address(std::string_view address) {
  std::string text = proc::lower(address);
  const std::size_t colon = text.find(':');
  constexpr std::size_t domain = 4;
  if (colon != std::string::npos && colon > domain) text.erase(0, colon - domain);
  return text;
}

// ---- what the catalogue calls it ------------------------------------------------------------------------

bool has_pci_id(const Gpu& gpu, std::string_view id, std::string_view revision) {
  const std::string exact = std::string(id) + ":" + std::string(revision);
  return std::any_of(gpu.pci_ids.begin(), gpu.pci_ids.end(),
                     [&](Text known) { return known == id || known == exact; });
}

/// Records that a name as a driver prints it stands for, whatever their memory.
std::vector<const Gpu*> records_named(const Catalog& catalog, const std::string& name) {
  if (name.empty()) return {};
  const GpuLookup answer = find_gpu(catalog, name);
  if (const auto* found = std::get_if<FoundGpu>(&answer)) return {found->gpu};
  if (const auto* several = std::get_if<Ambiguous<Gpu>>(&answer)) return several->candidates;
  return {};
}

/// A size that is shared with the CPU says nothing of which record it is: computers are sold with others.
bool may_have(const Gpu& gpu, const std::optional<Read<Bytes>>& memory) {
  return gpu.unified_memory || !memory || sold_size_of(gpu, memory->value).has_value();
}

/// By PCI id first, by name where that leaves none or several; only records with such a memory.
void match(const Catalog& catalog, std::string_view revision, DetectedGpu& gpu) {
  std::vector<const Gpu*> by_id;
  if (!gpu.pci_id.empty()) {
    for (const Gpu& record : catalog.gpus) {
      if (has_pci_id(record, gpu.pci_id, revision) && may_have(record, gpu.memory)) by_id.push_back(&record);
    }
  }
  std::vector<const Gpu*> by_name = records_named(catalog, gpu.name);
  std::erase_if(by_name, [&](const Gpu* record) { return !may_have(*record, gpu.memory); });
  if (by_id.size() == 1) {
    gpu.gpu = by_id.front();
    gpu.matched_by = "PCI id " + gpu.pci_id;
    return;
  }
  if (!by_id.empty()) {
    std::erase_if(by_name,
                  [&](const Gpu* record) { return std::ranges::find(by_id, record) == by_id.end(); });
  }
  if (by_name.size() == 1) {
    gpu.gpu = by_name.front();
    gpu.matched_by = "its name";
    return;
  }
  gpu.candidates = by_id.empty() ? by_name : by_id;
}

/// What the PCI ID database of the distribution calls the device.
class PciNames {
 public:
  explicit PciNames(const Probe& probe) : probe_(probe) {}

  /// "NVIDIA GeForce RTX 4090": the vendor's word and what stands in brackets; empty: not known.
  std::string name(std::string_view vendor_word, std::string_view id) {
    if (!read_) {
      for (const std::string_view path : {"/usr/share/misc/pci.ids", "/usr/share/hwdata/pci.ids"}) {
        if (text_.empty()) text_ = probe_.read(path).value_or("");
      }
      read_ = true;
    }
    const std::string vendor(id.substr(0, 4));
    const std::string device = "\t" + std::string(id.substr(5)) + "  ";
    bool inside = false;
    for (const std::string_view line : proc::lines(text_)) {
      if (line.empty() || line.front() == '#') continue;
      if (line.front() != '\t') {
        inside = line.starts_with(vendor + "  ");
      } else if (inside && line.starts_with(device)) {
        std::string_view found = line.substr(device.size());
        const std::size_t open = found.find('[');
        const std::size_t close = found.rfind(']');
        if (open != std::string_view::npos && close != std::string_view::npos && open < close)
          found = found.substr(open + 1, close - open - 1);
        return std::string(vendor_word) + " " + std::string(proc::trimmed(found));
      }
    }
    return "";
  }

 private:
  const Probe& probe_;
  std::string text_;
  bool read_ = false;
};

// ---- the PCI bus ----------------------------------------------------------------------------------------

struct PciDevice {
  std::string address;
  std::string id;        // "10de:2684"
  std::string revision;  // "a1"
  std::string driver;
  std::uint32_t vendor;
  std::uint32_t device;
};

constexpr std::uint32_t kNvidia = 0x10DE;
constexpr std::uint32_t kAmd = 0x1002;
constexpr std::uint32_t kIntel = 0x8086;

std::string vendor_word(std::uint32_t vendor) {
  return vendor == kNvidia ? "NVIDIA" : vendor == kAmd ? "AMD" : "Intel";
}

std::string as_hex(std::uint32_t value, int digits) {
  std::string text;
  for (int i = digits - 1; i >= 0; --i) text += "0123456789abcdef"[value >> (4 * i) & 0xFU];
  return text;
}

/// Display controllers of the three makers, and AMD's accelerators, which have a class of their own. Intel's
/// of that class are no GPUs.
std::vector<PciDevice> gpus_on_bus(const Probe& probe) {
  std::vector<PciDevice> found;
  for (const std::string& address : probe.list(kPciFolder)) {
    const std::string folder = std::string(kPciFolder) + "/" + address + "/";
    const auto number = [&](std::string_view name) {
      const auto text = probe.read(folder + std::string(name));
      return text ? proc::hexadecimal(*text) : std::nullopt;
    };
    const auto kind = number("class");
    const auto vendor = number("vendor");
    const auto device = number("device");
    if (!kind || !vendor || !device || *device > 0xFFFFU) continue;
    constexpr std::uint32_t display = 0x03;
    constexpr std::uint32_t accelerator = 0x12;
    const std::uint32_t base = *kind >> 16U;
    const bool maker = *vendor == kNvidia || *vendor == kAmd || *vendor == kIntel;
    if (!maker || !(base == display || (base == accelerator && *vendor == kAmd))) continue;
    const std::string uevent = probe.read(folder + "uevent").value_or("");
    found.push_back({same_address(address), as_hex(*vendor, 4) + ":" + as_hex(*device, 4),
                     as_hex(number("revision").value_or(0), 2),
                     std::string(proc::value(uevent, "DRIVER").value_or("")), *vendor, *device});
    if (found.size() == kMostGpus) break;
  }
  return found;
}

std::optional<Read<Bytes>> size_in(const Probe& probe, const std::string& path) {
  const auto text = probe.read(path);
  const auto number = text ? proc::whole(*text) : std::nullopt;
  if (!number || *number < 0 || bytes(*number) > kMostMemory) return std::nullopt;
  return Read<Bytes>{bytes(*number), path};
}

/// The largest window into the device's memory, from the lines "start end flags" of `resource`. Where the
/// firmware resizes it ("resizable BAR") it covers all of the memory, rounded up; else it has 256 MiB.
std::optional<Read<Bytes>> resized_window(const Probe& probe, const std::string& folder) {
  const std::string path = folder + "resource";
  const auto text = probe.read(path);
  if (!text) return std::nullopt;
  std::uint64_t largest = 0;
  for (const std::string_view line : proc::lines(*text)) {
    const std::vector<std::string_view> words = proc::words(line);
    if (words.size() != 3) break;
    std::uint64_t ends[2] = {0, 0};
    bool good = true;
    for (int i = 0; i < 2; ++i) {
      const std::string_view digits = words[static_cast<std::size_t>(i)];
      constexpr std::size_t size = 18;  // 0x and sixteen digits
      if (digits.size() != size) {
        good = false;
        break;
      }
      const auto high = proc::hexadecimal(digits.substr(2, 8));
      const auto low = proc::hexadecimal(digits.substr(10));
      good = good && high && low;
      if (good) ends[i] = std::uint64_t{*high} << 32U | *low;
    }
    if (good && ends[1] > ends[0]) largest = std::max(largest, ends[1] - ends[0] + 1);
  }
  constexpr std::uint64_t usual = std::uint64_t{256} << 20U;
  if (largest <= usual || largest > static_cast<std::uint64_t>(kMostMemory.count())) return std::nullopt;
  return Read<Bytes>{bytes(static_cast<std::int64_t>(largest)), path};
}

/// Radeons of the last ten years: what has memory of its own lies in this range of ids, what is built into a
/// processor outside of it (the PCI ID database).
bool is_built_in(const PciDevice& device) {
  if (device.vendor == kIntel) return device.address == "0000:00:02.0";
  return device.vendor == kAmd && (device.device < 0x6000 || device.device > 0x7FFF);
}

void read_amd(const Probe& probe, const Detected& machine, const PciDevice& device, DetectedGpu& gpu) {
  const std::string folder = std::string(kPciFolder) + "/" + device.address + "/";
  const auto vram = size_in(probe, folder + "mem_info_vram_total");
  const auto used = size_in(probe, folder + "mem_info_vram_used");
  const auto shared = size_in(probe, folder + "mem_info_gtt_total");
  if (!gpu.integrated) {
    if (vram && vram->value > Bytes{}) gpu.memory = vram;
    if (gpu.memory && used && used->value <= vram->value) gpu.in_use = used;
    return;
  }
  // The part that the firmware has set aside is missing from what the kernel calls the memory.
  if (const auto ram = machine.ram.total; ram && vram) {
    gpu.memory = Read<Bytes>{ram->value + vram->value, ram->from + " and " + vram->from};
  }
  // The driver serves programs from the larger of the two.
  if (vram && shared) gpu.limit = vram->value > shared->value ? vram : shared;
}

// ---- NVIDIA -----------------------------------------------------------------------------------------------

std::string nvidia_version(const Probe& probe) {
  const std::string text = probe.read(kNvidiaVersion).value_or("");
  for (const std::string_view word : proc::words(text)) {
    const bool number = !word.empty() && word.front() >= '0' && word.front() <= '9' &&
                        word.find('.') != std::string_view::npos &&
                        word.find_first_not_of("0123456789.") == std::string_view::npos;
    if (number) return std::string(word);
  }
  return "";
}

std::optional<Bytes> plausible(std::optional<Bytes> size) {
  if (size && (*size <= Bytes{} || *size > kMostMemory)) return std::nullopt;
  return size;
}

DetectedGpu of_nvml(const NvmlDevice& device, const std::string& driver) {
  DetectedGpu gpu;
  gpu.name = device.name;
  gpu.pci_address = same_address(device.pci_address);
  gpu.pci_id = device.pci_id;
  gpu.driver = driver.empty() ? "NVIDIA" : "NVIDIA " + driver;
  gpu.from = "NVML";
  if (const auto total = plausible(device.total)) {
    gpu.memory = Read<Bytes>{*total, "NVML"};
    const Bytes kept = device.kept.value_or(Bytes{});
    if (device.free && *device.free + kept <= *total)
      gpu.in_use = Read<Bytes>{*total - *device.free - kept, "NVML"};
  }
  return gpu;
}

/// An instance has some eighths of the card's memory and as much of its bandwidth (NVIDIA's MIG user guide,
/// "fraction of memory").
std::optional<BytesPerSecond> bandwidth_of_part(const DetectedGpu& part, const DetectedGpu& whole) {
  if (whole.gpu == nullptr || !part.memory || !whole.memory) return std::nullopt;
  constexpr double parts = 8;
  const double eighths = std::round(ratio(part.memory->value, whole.memory->value) * parts);
  if (eighths < 1 || eighths > parts) return std::nullopt;
  return whole.gpu->bandwidth * (eighths / parts);
}

void add_nvml(const Catalog& catalog, const NvmlAnswer& answer, std::vector<DetectedGpu>& gpus) {
  for (const NvmlDevice& device : answer.devices) {
    if (gpus.size() >= kMostGpus) return;
    DetectedGpu card = of_nvml(device, answer.driver);
    match(catalog, "", card);
    if (device.partitioned)
      card.why_not = device.instances.empty() ? "it is partitioned (MIG) and has no instance"
                                              : "it is partitioned (MIG): its instances count";
    gpus.push_back(card);
    for (const NvmlDevice& instance : device.instances) {
      if (gpus.size() >= kMostGpus) return;
      DetectedGpu part = of_nvml(instance, answer.driver);
      part.instance = true;
      part.pci_address = card.pci_address;
      part.bandwidth = bandwidth_of_part(part, card);
      gpus.push_back(std::move(part));
    }
  }
}

/// Names from /proc/driver/nvidia by address, for where the library is missing.
std::map<std::string, std::string> nvidia_names(const Probe& probe) {
  std::map<std::string, std::string> names;
  for (const std::string& address : probe.list(kNvidiaFolder)) {
    const std::string text =
        probe.read(std::string(kNvidiaFolder) + "/" + address + "/information").value_or("");
    if (const auto model = proc::value(text, "Model")) names[same_address(address)] = std::string(*model);
  }
  return names;
}

void add_from_bus(const Catalog& catalog, const Probe& probe, const NvmlAnswer& nvml, Detected& machine) {
  const std::map<std::string, std::string> names = nvidia_names(probe);
  PciNames database(probe);
  for (const PciDevice& device : gpus_on_bus(probe)) {
    const auto known = std::ranges::find(machine.gpus, device.address, &DetectedGpu::pci_address);
    if (known != machine.gpus.end()) continue;  // NVML has it
    DetectedGpu gpu;
    const std::string folder = std::string(kPciFolder) + "/" + device.address + "/";
    gpu.pci_address = device.address;
    gpu.pci_id = device.id;
    gpu.driver = device.driver;
    gpu.from = std::string(kPciFolder) + "/" + device.address;
    gpu.integrated = is_built_in(device);
    if (device.vendor == kNvidia) {
      const auto name = names.find(device.address);
      if (name != names.end()) {
        gpu.name = name->second;
        gpu.from = std::string(kNvidiaFolder) + "/" + device.address + "/information";
      }
      if (const std::string version = nvidia_version(probe); device.driver == "nvidia" && !version.empty())
        gpu.driver = "NVIDIA " + version;
    } else if (device.vendor == kAmd) {
      read_amd(probe, machine, device, gpu);
    } else if (!gpu.integrated) {
      gpu.memory = size_in(probe, folder + "lmem_total_bytes");
    }
    match(catalog, device.revision, gpu);
    // Drivers that do not tell the memory leave the catalogue's, unless the window contradicts it.
    if (gpu.gpu != nullptr && !gpu.memory && !gpu.gpu->unified_memory) {
      const auto window = resized_window(probe, folder);
      if (window && window->value < gpu.gpu->memory.front()) {
        gpu.gpu = nullptr;
        gpu.memory = window;
      } else if (gpu.gpu->memory.size() == 1) {
        gpu.memory = Read<Bytes>{gpu.gpu->real_total.value_or(gpu.gpu->memory.front()), "the catalogue"};
      }
    }
    if (gpu.name.empty()) {
      gpu.name = gpu.gpu != nullptr ? std::string(gpu.gpu->name)
                                    : database.name(vendor_word(device.vendor), device.id);
    }
    if (gpu.name.empty()) gpu.name = vendor_word(device.vendor) + " " + device.id;
    if (device.vendor == kNvidia && nvml.answers) gpu.why_not = "NVIDIA's library does not list it";
    machine.gpus.push_back(std::move(gpu));
  }
}

// ---- systems on a chip without a PCI device ---------------------------------------------------------------

/// "Apple M4 Max", "NVIDIA Jetson AGX Orin": the name of the whole is that of the GPU's record.
void add_on_chip(const Catalog& catalog, std::string name, std::string from, Detected& machine) {
  DetectedGpu gpu;
  gpu.memory = machine.ram.total;
  gpu.integrated = true;
  gpu.from = std::move(from);
  std::vector<const Gpu*> records = records_named(catalog, name);
  std::erase_if(records, [](const Gpu* record) { return !record->unified_memory; });
  gpu.name = std::move(name);
  if (records.size() > 1 && gpu.memory) {
    std::erase_if(records, [&](const Gpu* record) { return !sold_size_of(*record, gpu.memory->value); });
  }
  if (records.size() == 1) {
    gpu.gpu = records.front();
    gpu.matched_by = "its name";
  } else {
    gpu.candidates = records;
  }
  machine.gpus.push_back(std::move(gpu));
}

// ---- which of them are used
// ---------------------------------------------------------------------------------

std::string maker(const DetectedGpu& gpu) {
  if (gpu.gpu != nullptr) return std::string(word(gpu.gpu->vendor));
  if (gpu.pci_id.starts_with("1002:")) return "amd";
  if (gpu.pci_id.starts_with("8086:")) return "intel";
  return "nvidia";
}

/// In a container the bus shows the cards of the host, whether or not they were handed in.
void leave_out_unreachable(const Probe& probe, const Detected& machine, DetectedGpu& gpu) {
  if (!machine.system.container || !gpu.why_not.empty() || gpu.from == "NVML") return;
  if (maker(gpu) == "nvidia") {
    gpu.why_not = "NVIDIA's library does not answer in this container: start it with its GPUs";
    return;
  }
  const std::vector<std::string> nodes = probe.list("/dev/dri");
  const bool reachable =
      std::ranges::any_of(nodes, [](const std::string& n) { return n.starts_with("renderD"); });
  if (!reachable) gpu.why_not = "this container has no /dev/dri/renderD*: start it with the GPU's devices";
}

void choose(const Probe& probe, Detected& machine) {
  for (DetectedGpu& gpu : machine.gpus) leave_out_unreachable(probe, machine, gpu);
  // One program runs on one instance: the largest.
  DetectedGpu* largest = nullptr;
  for (DetectedGpu& gpu : machine.gpus) {
    if (!gpu.instance || !gpu.memory) continue;
    if (largest == nullptr || gpu.memory->value > largest->memory->value) largest = &gpu;
  }
  std::map<std::string, Bytes> memory;  // of the cards of each maker
  for (DetectedGpu& gpu : machine.gpus) {
    if (!gpu.why_not.empty()) continue;
    if (gpu.instance && &gpu != largest) {
      gpu.why_not = "a program runs on one instance, and another is larger";
    } else if (!gpu.integrated && !gpu.memory) {
      gpu.why_not = "its memory is not known: state it with --vram";
    } else if (!gpu.integrated) {
      memory[maker(gpu)] += gpu.memory->value;
    }
  }
  const auto most = std::ranges::max_element(memory, {}, [](const auto& entry) { return entry.second; });
  bool unified_taken = false;
  for (DetectedGpu& gpu : machine.gpus) {
    if (!gpu.why_not.empty()) continue;
    if (gpu.integrated && most != memory.end()) {
      gpu.why_not = "built into the processor, and there are cards";
    } else if (gpu.integrated && gpu.gpu == nullptr) {
      gpu.why_not = gpu.candidates.empty() ? "built into the processor, without memory of its own"
                                           : "which one it is is not known: name it with --gpu";
    } else if (gpu.integrated && !gpu.memory) {
      gpu.why_not = "the memory that it shares is not known";
    } else if (gpu.integrated && unified_taken) {
      gpu.why_not = "another one is used";
    } else if (!gpu.integrated && maker(gpu) != most->first) {
      gpu.why_not = "of another maker than the cards with more memory: name both with --gpu to combine them";
    } else {
      gpu.used = true;
      unified_taken = gpu.integrated;
    }
  }
}

}  // namespace

std::optional<Bytes> sold_size_of(const Gpu& gpu, Bytes reported) {
  const double least = gpu.unified_memory ? kLeastOfSystem : kLeastReported;
  for (const Bytes size : gpu.memory) {
    if (is_between(reported, size, least)) return size;
  }
  return std::nullopt;
}

void detect_gpus(const Catalog& catalog, const Probe& probe, Detected& machine) {
  if (machine.cpu.name && machine.cpu.name->value.starts_with("Apple")) {
    add_on_chip(catalog, machine.cpu.name->value, machine.cpu.name->from, machine);
    if (const auto limit = probe.sysctl("iogpu.wired_limit_mb")) {
      const auto number = proc::whole(*limit);
      if (number && *number > 0 && *number < kMostMemory.count() >> 20U)
        machine.wired_limit = Read<Bytes>{mib(static_cast<double>(*number)), "sysctl iogpu.wired_limit_mb"};
    }
    choose(probe, machine);
    return;
  }
  const NvmlAnswer nvml = probe.nvml();
  add_nvml(catalog, nvml, machine.gpus);
  add_from_bus(catalog, probe, nvml, machine);
  constexpr std::string_view jetson = "NVIDIA ";
  if (machine.gpus.empty() && machine.system.board && machine.system.board->value.starts_with(jetson)) {
    const std::string& board = machine.system.board->value;
    add_on_chip(catalog, board.substr(0, board.find(" Developer Kit")), machine.system.board->from, machine);
  }
  const bool nvidia =
      std::ranges::any_of(machine.gpus, [](const DetectedGpu& gpu) { return maker(gpu) == "nvidia"; });
  if (!nvml.answers && (nvidia || machine.system.hosting == Hosting::wsl))
    machine.nvml_problem = nvml.problem;
  // A GPU with unified memory that NVML lists (GB10) shares the system's.
  for (DetectedGpu& gpu : machine.gpus) {
    if (gpu.gpu == nullptr || !gpu.gpu->unified_memory) continue;
    gpu.integrated = true;
    if (!gpu.memory) gpu.memory = machine.ram.total;
  }
  choose(probe, machine);
}

}  // namespace r1fit
