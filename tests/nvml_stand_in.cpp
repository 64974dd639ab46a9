// A library with the functions of NVML that detection asks for, for a computer with two cards: what the
// loading, the signatures and the structures are tried on, since no test has a card.
#include <cstdio>
#include <cstring>

extern "C" {

struct Memory2 {
  unsigned version;
  unsigned long long total, reserved, free, used;
};
struct Pci {
  char legacy[16];
  unsigned domain, bus, device, device_id, subsystem_id;
  char bus_id[32];
};

int nvmlInit_v2();
int nvmlShutdown();
int nvmlSystemGetDriverVersion(char* text, unsigned size);
int nvmlDeviceGetCount_v2(unsigned* count);
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void** device);
int nvmlDeviceGetName(void* device, char* text, unsigned size);
int nvmlDeviceGetMemoryInfo_v2(void* device, Memory2* memory);
int nvmlDeviceGetPciInfo_v3(void* device, Pci* pci);
int nvmlDeviceGetMigMode(void* device, unsigned* current, unsigned* pending);
int nvmlDeviceGetMaxMigDeviceCount(void* device, unsigned* count);
int nvmlDeviceGetMigDeviceHandleByIndex(void* device, unsigned index, void** instance);

static int card = 0, partitioned = 0, part = 0;  // only their addresses matter

int nvmlInit_v2() { return 0; }
int nvmlShutdown() { return 0; }
int nvmlSystemGetDriverVersion(char* text, unsigned size) {
  return std::snprintf(text, size, "999.1") > 0 ? 0 : 2;
}
int nvmlDeviceGetCount_v2(unsigned* count) {
  *count = 2;
  return 0;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void** device) {
  *device = index == 0 ? &card : &partitioned;
  return 0;
}
int nvmlDeviceGetName(void* device, char* text, unsigned size) {
  const char* const name = device == &card          ? "NVIDIA GeForce RTX 3090"
                           : device == &partitioned ? "NVIDIA A100-SXM4-40GB"
                                                    : "NVIDIA A100-SXM4-40GB MIG 3g.20gb";
  return std::snprintf(text, size, "%s", name) > 0 ? 0 : 2;
}
int nvmlDeviceGetMemoryInfo_v2(void* device, Memory2* memory) {
  constexpr unsigned second_version = 2;
  if (memory->version >> 24U != second_version || (memory->version & 0xFFFFFFU) != sizeof(Memory2)) return 2;
  const unsigned long long mib = 1048576;
  memory->total = (device == &card ? 24576 : device == &partitioned ? 40960 : 19968) * mib;
  memory->reserved = 300 * mib;
  memory->used = 2048 * mib;
  memory->free = memory->total - memory->reserved - memory->used;
  return 0;
}
int nvmlDeviceGetPciInfo_v3(void* device, Pci* pci) {
  std::memset(pci, 0, sizeof *pci);
  pci->device_id = device == &card ? 0x220410DEU : 0x20B010DEU;
  std::snprintf(pci->bus_id, sizeof pci->bus_id, "00000000:%s:00.0", device == &card ? "01" : "02");
  return 0;
}
int nvmlDeviceGetMigMode(void* device, unsigned* current, unsigned* pending) {
  *current = *pending = device == &partitioned ? 1 : 0;
  return device == &card ? 3 : 0;  // not supported
}
int nvmlDeviceGetMaxMigDeviceCount(void* /*device*/, unsigned* count) {
  *count = 7;
  return 0;
}
int nvmlDeviceGetMigDeviceHandleByIndex(void* /*device*/, unsigned index, void** instance) {
  constexpr int not_found = 6;
  *instance = &part;
  return index == 2 ? 0 : not_found;
}
}
