#include "nvml.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <future>
#include <memory>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#ifdef R1FIT_STATIC

namespace r1fit {

NvmlAnswer ask_nvml() {
  NvmlAnswer answer;
  answer.problem = "a fully static r1fit cannot load it";
  return answer;
}

}  // namespace r1fit

#else

namespace r1fit {
namespace {

// The few functions of NVML's C interface that are asked, as NVIDIA's API reference has them. The interface
// is kept compatible: a new form of a function gets a new name (_v2, _v3).
extern "C" {
using NvmlHandle = void*;
struct NvmlMemory {
  unsigned long long total, free, used;
};
struct NvmlMemoryV2 {
  unsigned int version;
  unsigned long long total, reserved, free, used;
};
struct NvmlPciInfo {
  char bus_id_legacy[16];
  unsigned int domain, bus, device, device_id, subsystem_id;
  char bus_id[32];
};
}

constexpr int kSuccess = 0;
constexpr int kDriverNotLoaded = 9;
constexpr int kNoPermission = 4;
constexpr unsigned kMostDevices = 64;
constexpr unsigned kMostInstances = 16;
constexpr auto kPatience = std::chrono::seconds(10);

class Library {
 public:
  Library() {
    // Under WSL2 it lies where the loader may not look.
    for (const char* const name : {"libnvidia-ml.so.1", "/usr/lib/wsl/lib/libnvidia-ml.so.1"}) {
      if (handle_ == nullptr) handle_ = ::dlopen(name, RTLD_NOW | RTLD_LOCAL);
    }
  }
  // Never unloaded: the process ends soon, and a thread that was given up on may still be in it.

  [[nodiscard]] bool loaded() const { return handle_ != nullptr; }

  /// Calls a function that answers with a status; another one than 0 where the library lacks it.
  template <class... Args>
  int call(const char* name, Args... args) const {
    constexpr int not_found = 13;
    void* const found = ::dlsym(handle_, name);
    if (found == nullptr) return not_found;
    return reinterpret_cast<int (*)(Args...)>(found)(args...);
  }

 private:
  void* handle_ = nullptr;
};

std::string problem_of(int status) {
  if (status == kDriverNotLoaded) return "the NVIDIA driver is not loaded";
  if (status == kNoPermission) return "this user may not ask it";
  return "it failed with NVML status " + std::to_string(status);
}

template <std::size_t N>
std::string text_of(const std::array<char, N>& buffer) {
  return {buffer.data(),
          static_cast<std::size_t>(std::find(buffer.begin(), buffer.end(), '\0') - buffer.begin())};
}

Bytes bytes_of(unsigned long long value) {
  constexpr unsigned long long most = 1ULL << 60U;
  return bytes(static_cast<std::int64_t>(std::min(value, most)));
}

NvmlDevice device_of(const Library& library, NvmlHandle handle) {
  NvmlDevice device;
  std::array<char, 96> name{};
  if (library.call("nvmlDeviceGetName", handle, name.data(), static_cast<unsigned>(name.size())) == kSuccess)
    device.name = text_of(name);
  NvmlMemoryV2 memory{};
  memory.version = static_cast<unsigned>(sizeof memory) | 2U << 24U;
  NvmlMemory older{};
  if (library.call("nvmlDeviceGetMemoryInfo_v2", handle, &memory) == kSuccess) {
    device.total = bytes_of(memory.total);
    device.free = bytes_of(memory.free);
    device.kept = bytes_of(memory.reserved);
  } else if (library.call("nvmlDeviceGetMemoryInfo", handle, &older) == kSuccess) {
    device.total = bytes_of(older.total);
    device.free = bytes_of(older.free);
  }
  return device;
}

void add_instances(const Library& library, NvmlHandle handle, NvmlDevice& device) {
  unsigned current = 0;
  unsigned pending = 0;
  if (library.call("nvmlDeviceGetMigMode", handle, &current, &pending) != kSuccess || current == 0) return;
  device.partitioned = true;
  unsigned most = 0;
  if (library.call("nvmlDeviceGetMaxMigDeviceCount", handle, &most) != kSuccess) return;
  for (unsigned i = 0; i < std::min(most, kMostInstances); ++i) {
    NvmlHandle instance = nullptr;
    if (library.call("nvmlDeviceGetMigDeviceHandleByIndex", handle, i, &instance) != kSuccess) continue;
    device.instances.push_back(device_of(library, instance));
  }
}

std::string pci_id_of(unsigned combined) {  // 0x268410DE
  std::string text;
  for (const unsigned shift : {12U, 8U, 4U, 0U, 28U, 24U, 20U, 16U}) {
    if (text.size() == 4) text += ':';
    text += "0123456789abcdef"[combined >> shift & 0xFU];
  }
  return text;
}

NvmlAnswer ask() {
  NvmlAnswer answer;
  const Library library;
  if (!library.loaded()) {
    answer.problem = "libnvidia-ml.so.1, which comes with the NVIDIA driver, is not found";
    return answer;
  }
  if (const int status = library.call("nvmlInit_v2"); status != kSuccess) {
    answer.problem = problem_of(status);
    return answer;
  }
  unsigned count = 0;
  if (const int status = library.call("nvmlDeviceGetCount_v2", &count); status != kSuccess) {
    answer.problem = problem_of(status);
    return answer;
  }
  answer.answers = true;
  std::array<char, 80> driver{};
  if (library.call("nvmlSystemGetDriverVersion", driver.data(), static_cast<unsigned>(driver.size())) ==
      kSuccess)
    answer.driver = text_of(driver);
  for (unsigned i = 0; i < std::min(count, kMostDevices); ++i) {
    NvmlHandle handle = nullptr;
    if (library.call("nvmlDeviceGetHandleByIndex_v2", i, &handle) != kSuccess) continue;
    NvmlDevice device = device_of(library, handle);
    NvmlPciInfo pci{};
    if (library.call("nvmlDeviceGetPciInfo_v3", handle, &pci) == kSuccess) {
      pci.bus_id[sizeof pci.bus_id - 1] = '\0';
      device.pci_address = static_cast<const char*>(pci.bus_id);
      device.pci_id = pci_id_of(pci.device_id);
    }
    add_instances(library, handle, device);
    answer.devices.push_back(std::move(device));
  }
  library.call("nvmlShutdown");
  return answer;
}

}  // namespace

NvmlAnswer ask_nvml() {
  // The thread owns what it writes to, since it may outlive the wait.
  auto promise = std::make_shared<std::promise<NvmlAnswer> >();
  std::future<NvmlAnswer> future = promise->get_future();
  NvmlAnswer answer;
  try {
    std::thread([promise] { promise->set_value(ask()); }).detach();
  } catch (const std::system_error&) {
    answer.problem = "no thread can be started to ask it";
    return answer;
  }
  if (future.wait_for(kPatience) == std::future_status::ready) return future.get();
  answer.problem = "it gave no answer within ten seconds";
  return answer;
}

}  // namespace r1fit

#endif
