#include "r1fit/candidate_machines.hpp"

namespace r1fit {

std::vector<SoldDevice> sold_devices(const Catalog& catalog) {
  std::vector<SoldDevice> devices;
  for (const Gpu& gpu : catalog.gpus) {
    for (const Bytes memory : gpu.memory) devices.push_back({&gpu, memory});
  }
  return devices;
}

bool comes_alone(const Gpu& gpu) {
  return gpu.unified_memory || gpu.device_class == DeviceClass::laptop ||
         gpu.device_class == DeviceClass::soc;
}

bool runs_on(Backend backend, Vendor vendor) {
  switch (backend) {
    case Backend::cuda:
      return vendor == Vendor::nvidia;
    case Backend::rocm:
      return vendor == Vendor::amd;
    case Backend::metal:
      return vendor == Vendor::apple;
    case Backend::vulkan:
    case Backend::sycl:
    case Backend::cpu:
      break;
  }
  return true;
}

Machine machine_of(const Catalog& catalog, const SoldDevice& device, int count,
                   std::optional<Backend> backend, const Engine* engine, const WiredLimit& wired) {
  Machine machine;
  machine.devices.assign(static_cast<std::size_t>(count),
                         make_device(catalog, *device.gpu, device.memory, backend, {}, wired));
  keep_free(machine, engine);
  return machine;
}

void keep_free(Machine& machine, const Engine* engine) {
  if (engine == nullptr || !engine->device_reserve) return;
  for (Device& device : machine.devices) {
    device.engine_reserve = *engine->device_reserve;
    device.margin += device.engine_reserve;
  }
}

}  // namespace r1fit
