#include "r1fit/detect_host.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <utility>

#include "proc_text.hpp"
#include "r1fit/lookup.hpp"

namespace r1fit {
namespace {

constexpr std::string_view kCpuinfo = "/proc/cpuinfo";
constexpr std::string_view kMeminfo = "/proc/meminfo";
constexpr std::string_view kMounts = "/proc/self/mountinfo";
constexpr std::string_view kCgroup = "/proc/self/cgroup";
constexpr std::string_view kStatus = "/proc/self/status";
/// More than any machine has.
constexpr std::int64_t kMostProcessors = 1 << 20;
constexpr std::string_view kDmiFolder = "/sys/firmware/dmi/tables";
constexpr std::string_view kDmiTable = "/sys/firmware/dmi/tables/DMI";

/// An exbibyte: what is above it was misread.
constexpr Bytes kMostMemory = gib(1024.0 * 1024.0 * 1024.0);

template <class T>
std::optional<Read<T>> read_as(std::optional<T> value, std::string_view from) {
  if (!value) return std::nullopt;
  return Read<T>{*std::move(value), std::string(from)};
}

bool has(const std::vector<std::string>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

std::optional<std::string> text_of(const Probe& probe, std::string_view path) {
  const std::optional<std::string> read = probe.read(path);
  if (!read) return std::nullopt;
  const std::string_view text = proc::trimmed(*read);
  if (text.empty()) return std::nullopt;
  return std::string(text);
}

std::optional<Bytes> plausible(std::optional<Bytes> size) {
  if (size && (*size <= Bytes{} || *size > kMostMemory)) return std::nullopt;
  return size;
}

std::optional<Bytes> sysctl_bytes(const Probe& probe, std::string_view name) {
  const std::optional<std::string> text = probe.sysctl(name);
  const auto number = text ? proc::whole(*text) : std::nullopt;
  return number ? plausible(bytes(*number)) : std::nullopt;
}

std::optional<int> sysctl_count(const Probe& probe, std::string_view name) {
  const std::optional<std::string> text = probe.sysctl(name);
  const auto number = text ? proc::whole(*text) : std::nullopt;
  if (!number || *number < 1 || *number > 1'000'000) return std::nullopt;
  return static_cast<int>(*number);
}

// ---- /proc/self/mountinfo -----------------------------------------------------------------------------

struct Mount {
  std::string_view root;   // the part of that file system that is seen
  std::string_view point;  // where
  std::string_view type;
  std::string_view options;  // of the file system
};

std::vector<Mount> mounts_of(std::string_view text) {
  std::vector<Mount> mounts;
  for (const std::string_view line : proc::lines(text)) {
    const std::vector<std::string_view> words = proc::words(line);
    const auto dash = std::ranges::find(words, "-");
    constexpr std::ptrdiff_t before = 6;
    if (dash - words.begin() < before || words.end() - dash < 4) continue;
    mounts.push_back({words[3], words[4], dash[1], dash[3]});
  }
  return mounts;
}

// ---- cgroups ------------------------------------------------------------------------------------------

/// Calls visit(FOLDER/, unified) for each group that limits this process by `controller`, from its own up to
/// the root of the mount. A container often sees its own group as that root, whatever the path says.
template <class Visit>
void each_group(const Probe& probe, const std::string& controller, Visit visit) {
  const std::string groups = probe.read(kCgroup).value_or("");
  const std::string mounts = probe.read(kMounts).value_or("");
  const std::string wanted = "," + controller + ",";
  for (const Mount& mount : mounts_of(mounts)) {
    const bool unified = mount.type == "cgroup2";
    const auto controllers = "," + std::string(mount.options) + ",";
    if (!unified && (mount.type != "cgroup" || controllers.find(wanted) == std::string::npos)) continue;
    for (const std::string_view line : proc::lines(groups)) {  // "4:memory:/path", "0::/path"
      const std::size_t first = line.find(':');
      const std::size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
      if (second == std::string_view::npos) continue;
      const std::string names = "," + std::string(line.substr(first + 1, second - first - 1)) + ",";
      if (unified ? names != ",," : names.find(wanted) == std::string::npos) continue;
      std::string path(proc::trimmed(line.substr(second + 1)));
      if (path.find("..") != std::string::npos) path = "/";
      if (mount.root != "/" && path.starts_with(mount.root)) path.erase(0, mount.root.size());
      while (true) {
        while (path.ends_with('/')) path.pop_back();
        visit(std::string(mount.point) + path + "/", unified);
        if (path.empty()) break;
        path.erase(path.rfind('/') == std::string::npos ? 0 : path.rfind('/'));
      }
    }
  }
}

struct Limit {
  Bytes size;
  std::optional<Bytes> usage;
  std::string from;
};

std::optional<Limit> memory_limit(const Probe& probe) {
  std::optional<Limit> smallest;
  each_group(probe, "memory", [&](const std::string& folder, bool unified) {
    const std::string file = folder + (unified ? "memory.max" : "memory.limit_in_bytes");
    const std::optional<std::string> text = text_of(probe, file);
    const auto number = text ? proc::whole(*text) : std::nullopt;  // "max" is none
    if (!number || *number <= 0 || bytes(*number) >= kMostMemory) return;
    if (smallest && bytes(*number) >= smallest->size) return;
    const auto usage = text_of(probe, folder + (unified ? "memory.current" : "memory.usage_in_bytes"));
    const auto used = usage ? proc::whole(*usage) : std::nullopt;
    smallest = Limit{bytes(*number), used ? std::optional(bytes(*used)) : std::nullopt, file};
  });
  return smallest;
}

/// How many processors' time the groups leave this process, at least one.
std::optional<Read<int>> processor_quota(const Probe& probe) {
  std::optional<Read<int>> smallest;
  each_group(probe, "cpu", [&](const std::string& folder, bool unified) {
    const std::string file = folder + (unified ? "cpu.max" : "cpu.cfs_quota_us");
    std::string text = text_of(probe, file).value_or("");
    if (!unified) text += " " + text_of(probe, folder + "cpu.cfs_period_us").value_or("");
    const std::vector<std::string_view> words = proc::words(text);  // "200000 100000"; "max" or -1 is none
    if (words.size() != 2) return;
    const auto quota = proc::whole(words[0]);
    const auto period = proc::whole(words[1]);
    if (!quota || !period || *quota <= 0 || *period <= 0 || *quota / *period > kMostProcessors) return;
    const auto number = static_cast<int>(std::max<std::int64_t>(1, *quota / *period));
    if (!smallest || number < smallest->value) smallest = Read<int>{number, file};
  });
  return smallest;
}

/// How many processors this process may use, where that is fewer than there are.
std::optional<Read<int>> processor_limit(const Probe& probe, const std::optional<Read<int>>& threads) {
  std::optional<Read<int>> limit = processor_quota(probe);
  const std::string status = probe.read(kStatus).value_or("");
  const auto allowed = proc::value(status, "Cpus_allowed_list");
  const auto number = allowed ? proc::count_of_list(*allowed) : std::nullopt;
  if (number && (!limit || *number < limit->value)) limit = Read<int>{*number, std::string(kStatus)};
  return limit && threads && limit->value < threads->value ? limit : std::nullopt;
}

// ---- the processor --------------------------------------------------------------------------------------

/// As the kernel spells an instruction set, and as engines do.
constexpr std::array kFeatures{
    std::pair<std::string_view, std::string_view>{"avx", "avx"},
    std::pair<std::string_view, std::string_view>{"avx2", "avx2"},
    std::pair<std::string_view, std::string_view>{"fma", "fma"},
    std::pair<std::string_view, std::string_view>{"f16c", "f16c"},
    std::pair<std::string_view, std::string_view>{"avx_vnni", "avx_vnni"},
    std::pair<std::string_view, std::string_view>{"avx512f", "avx512"},
    std::pair<std::string_view, std::string_view>{"avx512_vnni", "avx512_vnni"},
    std::pair<std::string_view, std::string_view>{"avx512_bf16", "avx512_bf16"},
    std::pair<std::string_view, std::string_view>{"amx_int8", "amx_int8"},
    std::pair<std::string_view, std::string_view>{"amx_bf16", "amx_bf16"},
    std::pair<std::string_view, std::string_view>{"asimd", "neon"},
    std::pair<std::string_view, std::string_view>{"neon", "neon"},
    std::pair<std::string_view, std::string_view>{"asimddp", "dotprod"},
    std::pair<std::string_view, std::string_view>{"i8mm", "i8mm"},
    std::pair<std::string_view, std::string_view>{"sve", "sve"},
};

std::vector<std::string> features_of(std::string_view cpuinfo) {
  std::vector<std::string> found;
  auto flags = proc::value(cpuinfo, "flags");
  if (!flags) flags = proc::value(cpuinfo, "Features");
  if (!flags) return found;
  const std::vector<std::string_view> words = proc::words(*flags);
  for (const auto& [kernel, name] : kFeatures) {
    if (std::ranges::find(words, kernel) != words.end() && !has(found, name)) found.emplace_back(name);
  }
  return found;
}

bool is_virtual(std::string_view cpuinfo) {
  const auto flags = proc::value(cpuinfo, "flags");
  if (!flags) return false;
  const std::vector<std::string_view> words = proc::words(*flags);
  return std::ranges::find(words, "hypervisor") != words.end();
}

/// Sockets and cores by the ids that each logical processor has. x86 only: others print none.
void count_cores(std::string_view cpuinfo, DetectedCpu& cpu) {
  std::set<std::int64_t> sockets;
  std::set<std::pair<std::int64_t, std::int64_t>> cores;
  int threads = 0;
  std::optional<std::int64_t> socket;
  for (const std::string_view line : proc::lines(cpuinfo)) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string_view key = proc::trimmed(line.substr(0, colon));
    const auto number = proc::whole(line.substr(colon + 1));
    if (!number) continue;
    if (key == "processor") {
      ++threads;
      socket.reset();
    } else if (key == "physical id") {
      socket = number;
      sockets.insert(*number);
    } else if (key == "core id" && socket) {
      cores.emplace(*socket, *number);
    }
  }
  const std::string from(kCpuinfo);
  if (threads > 0) cpu.threads = Read<int>{threads, from};
  if (!sockets.empty()) cpu.sockets = Read<int>{static_cast<int>(sockets.size()), from};
  if (!cores.empty()) cpu.cores = Read<int>{static_cast<int>(cores.size()), from};
}

/// "AMD EPYC 9654 96-Core Processor", "Intel(R) Xeon(R) CPU E5-2680 v4 @ 2.40GHz" as the catalogue would have
/// them: without marks, clock, count of cores and what stands beside the name.
std::string bare_name(std::string name) {
  for (const std::string_view mark : {"(R)", "(TM)", "(r)", "(tm)"}) name = proc::without(name, mark);
  for (const std::string_view rest : {" @ ", " w/ ", " with Radeon"})
    name.erase(std::min(name.find(rest), name.size()));
  std::string bare;
  const std::vector<std::string_view> words = proc::words(name);
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    const bool cores = word.ends_with("-Core") || word.ends_with("-Cores");
    const bool family = word == "Ryzen" && i + 1 < words.size() && words[i + 1] == "Threadripper";
    if (cores || family || word == "CPU" || word == "Processor") continue;
    bare += (bare.empty() ? "" : " ") + std::string(word);
  }
  return bare;
}

// ---- folders ------------------------------------------------------------------------------------------

/// File systems behind a network, where asking may wait for a server that is gone.
bool is_remote(std::string_view type) {
  constexpr std::array<std::string_view, 10> remote{"nfs",  "nfs4",   "cifs",      "smb3", "smbfs",
                                                    "ceph", "autofs", "glusterfs", "afs",  "lustre"};
  return type.starts_with("fuse") || std::ranges::find(remote, type) != remote.end();
}

const Mount* mount_of(const std::vector<Mount>& mounts, std::string_view folder) {
  const Mount* best = nullptr;
  for (const Mount& mount : mounts) {
    const std::string_view point = mount.point;
    const bool within =
        point == "/" || folder == point ||
        (folder.starts_with(point) && folder.size() > point.size() && folder[point.size()] == '/');
    // Of two at one place the later one is seen.
    if (within && (best == nullptr || point.size() >= best->point.size())) best = &mount;
  }
  return best;
}

}  // namespace

DetectedSystem detect_system(const Probe& probe) {
  DetectedSystem system;
  if (const auto version = probe.sysctl("kern.osproductversion")) {
    system.os = Read<std::string>{"macOS " + *version, "sysctl kern.osproductversion"};
  }
  if (const auto release = probe.read("/etc/os-release")) {
    if (auto name = proc::value(*release, "PRETTY_NAME")) {
      if (name->size() >= 2 && (name->front() == '"' || name->front() == '\''))
        *name = name->substr(1, name->size() - 2);
      if (!name->empty()) system.os = Read<std::string>{std::string(*name), "/etc/os-release"};
    }
  }
  constexpr std::string_view osrelease = "/proc/sys/kernel/osrelease";
  system.kernel = read_as(text_of(probe, osrelease), osrelease);
  constexpr std::string_view model = "/proc/device-tree/model";
  system.board = read_as(text_of(probe, model), model);
  if (system.kernel && proc::lower(system.kernel->value).find("microsoft") != std::string::npos) {
    system.hosting = Hosting::wsl;
    system.hosting_from = osrelease;
  } else if (is_virtual(probe.read(kCpuinfo).value_or(""))) {
    system.hosting = Hosting::virtual_machine;
    system.hosting_from = "the flag \"hypervisor\" in " + std::string(kCpuinfo);
  }
  if (has(probe.list("/"), ".dockerenv")) {
    system.container = Read<bool>{true, "/.dockerenv"};
  } else if (has(probe.list("/run"), ".containerenv")) {
    system.container = Read<bool>{true, "/run/.containerenv"};
  } else if (const auto groups = probe.read(kCgroup)) {
    for (const std::string_view word : {"/docker", "/kubepods", "/lxc", "/libpod", "containerd"}) {
      if (groups->find(word) == std::string::npos) continue;
      system.container = Read<bool>{true, std::string(kCgroup)};
      break;
    }
  }
  return system;
}

DetectedCpu detect_cpu(const Probe& probe) {
  DetectedCpu cpu;
  if (const auto brand = probe.sysctl("machdep.cpu.brand_string")) {
    cpu.name = Read<std::string>{*brand, "sysctl machdep.cpu.brand_string"};
    cpu.cores = read_as(sysctl_count(probe, "hw.physicalcpu"), "sysctl hw.physicalcpu");
    cpu.threads = read_as(sysctl_count(probe, "hw.logicalcpu"), "sysctl hw.logicalcpu");
    if (brand->starts_with("Apple")) {
      cpu.features = Read<std::vector<std::string>>{{"neon", "dotprod"}, cpu.name->from};
    }
    return cpu;
  }
  const std::string cpuinfo = probe.read(kCpuinfo).value_or("");
  std::optional<std::string_view> name = proc::value(cpuinfo, "model name");
  if (name && !name->empty()) {
    std::string spaced;  // firmware pads some names
    for (const std::string_view word : proc::words(*name))
      spaced += (spaced.empty() ? "" : " ") + std::string(word);
    cpu.name = Read<std::string>{std::move(spaced), std::string(kCpuinfo)};
  }
  count_cores(cpuinfo, cpu);
  constexpr std::string_view online = "/sys/devices/system/cpu/online";
  if (const auto text = probe.read(online); text && !cpu.threads) {
    cpu.threads = read_as(proc::count_of_list(*text), online);
  }
  cpu.limit = processor_limit(probe, cpu.threads);
  constexpr std::string_view nodes = "/sys/devices/system/node/online";
  if (const auto text = probe.read(nodes)) cpu.numa_nodes = read_as(proc::count_of_list(*text), nodes);
  if (auto features = features_of(cpuinfo); !features.empty()) {
    cpu.features = Read<std::vector<std::string>>{std::move(features), std::string(kCpuinfo)};
  }
  return cpu;
}

DetectedRam detect_ram(const Probe& probe, const DetectedSystem& system) {
  DetectedRam ram;
  ram.total = read_as(sysctl_bytes(probe, "hw.memsize"), "sysctl hw.memsize");
  if (ram.total) {
    ram.modules_problem = "macOS has no table of them to read";
    return ram;
  }
  const std::string meminfo = probe.read(kMeminfo).value_or("");
  const auto size = [&](std::string_view key) -> std::optional<Bytes> {
    const auto text = proc::value(meminfo, key);
    if (!text || !text->ends_with(" kB")) return std::nullopt;
    const auto kib = proc::whole(text->substr(0, text->size() - 3));
    if (!kib || *kib > kMostMemory.count() / 1024) return std::nullopt;
    return plausible(bytes(*kib * 1024));
  };
  ram.total = read_as(size("MemTotal"), kMeminfo);
  ram.available = read_as(size("MemAvailable"), kMeminfo);
  if (const auto limit = memory_limit(probe); limit && (!ram.total || limit->size < ram.total->value)) {
    ram.limit = Read<Bytes>{limit->size, limit->from};
    const Bytes left = limit->size - std::min(limit->usage.value_or(Bytes{}), limit->size);
    if (limit->usage && (!ram.available || left < ram.available->value)) {
      ram.available = Read<Bytes>{left, limit->from};
    }
  }
  if (system.hosting != Hosting::bare) {
    ram.modules_problem = "a virtual machine's table does not describe the memory it has";
  } else if (const auto table = probe.read(kDmiTable)) {
    const MemoryLayout layout = memory_layout(memory_modules(*table));
    if (layout.modules > 0) {
      ram.modules = Read<MemoryLayout>{layout, std::string(kDmiTable)};
    } else {
      ram.modules_problem = std::string(kDmiTable) + " names no modules";
    }
  } else if (has(probe.list(kDmiFolder), "DMI")) {
    ram.modules_problem = std::string(kDmiTable) + " may be read by root alone";
  } else {
    ram.modules_problem = "there is no " + std::string(kDmiTable);
  }
  return ram;
}

std::optional<Bytes> last_level_cache(const Probe& probe) {
  constexpr std::string_view processors = "/sys/devices/system/cpu";
  std::map<std::string, Bytes> caches;  // by the processors that share each
  for (const std::string& name : probe.list(processors)) {
    if (!name.starts_with("cpu") || !proc::whole(name.substr(3))) continue;
    for (const std::string_view index : {"3", "2"}) {
      const std::string folder =
          std::string(processors) + "/" + name + "/cache/index" + std::string(index) + "/";
      const auto size = text_of(probe, folder + "size");  // "32768K"
      const auto shared = text_of(probe, folder + "shared_cpu_list");
      const auto kib =
          size && size->ends_with('K') ? proc::whole(size->substr(0, size->size() - 1)) : std::nullopt;
      if (!kib || !shared || *kib <= 0 || *kib > 1 << 22) continue;
      caches[*shared] = bytes(*kib * 1024);
      break;
    }
  }
  Bytes all;
  for (const auto& [shared, size] : caches) all += size;
  return all > Bytes{} ? std::optional(all) : std::nullopt;
}

DetectedDisk detect_disk(const Probe& probe) {
  DetectedDisk disk;
  disk.folder = probe.home();
  if (disk.folder.empty()) {
    disk.problem = "the user's folder is not known (HOME is not set)";
    return disk;
  }
  const std::string text = probe.read(kMounts).value_or("");
  const std::vector<Mount> mounts = mounts_of(text);
  const Mount* mount = mount_of(mounts, disk.folder);
  if (mount != nullptr && is_remote(mount->type)) {
    disk.problem = "it lies behind a network (" + std::string(mount->type) + "), which may not answer";
    return disk;
  }
  disk.free = read_as(probe.free_space(disk.folder), "its file system");
  if (!disk.free) disk.problem = disk.folder + " is no folder, or its file system does not tell";
  return disk;
}

void find_platform(const Catalog& catalog, const DetectedSystem& system, const DetectedRam& ram,
                   DetectedCpu& cpu) {
  const auto only = [&](const std::string& name) -> const Host* {
    const Lookup<Host> answer = find_host(catalog, name);
    const auto* found = std::get_if<const Host*>(&answer);
    return found != nullptr ? *found : nullptr;
  };
  if (system.hosting != Hosting::bare) {
    cpu.platform_from = "what a virtual machine has of its host's memory bandwidth is not known";
    return;
  }
  if (system.board) {
    const std::string& board = system.board->value;
    cpu.platform = only(board.substr(0, board.find(" Rev ")));
    if (cpu.platform != nullptr) {
      cpu.platform_from = "the board's name, " + system.board->from;
      return;
    }
  }
  const MemoryLayout* modules = ram.modules ? &ram.modules->value : nullptr;
  if (cpu.name) {
    const int sockets = cpu.sockets ? cpu.sockets->value : 1;
    const std::string name = bare_name(cpu.name->value);
    cpu.platform = only(sockets == 1 ? name : std::to_string(sockets) + "x " + name);
    if (cpu.platform != nullptr) {
      cpu.platform_from = "the processor's name, " + cpu.name->from;
      return;
    }
  }
  if (modules != nullptr && modules->channels && modules->mega_transfers) {
    const auto like = [&](const Host& host) {
      return host.desktop && host.sockets == 1 && host.channels == *modules->channels &&
             host.mega_transfers == *modules->mega_transfers;
    };
    if (std::ranges::count_if(catalog.hosts, like) == 1) {
      cpu.platform = &*std::ranges::find_if(catalog.hosts, like);
      cpu.platform_from = "the memory modules, " + ram.modules->from;
      return;
    }
  }
  cpu.platform_from = "neither the processor's name nor the memory modules decide it";
}

}  // namespace r1fit
