#include "r1fit/outlay.hpp"

#include <algorithm>

namespace r1fit {

std::optional<double> launch_price_usd(const Gpu& gpu) {
  if (!gpu.msrp_usd || gpu.memory.size() != 1) return std::nullopt;
  return *gpu.msrp_usd;
}

Outlay outlay_of(const Machine& machine) {
  if (machine.devices.empty()) return {};
  Outlay outlay{Watts{}, 0.0};
  for (const Device& device : machine.devices) {
    const Gpu* gpu = device.gpu;
    const std::optional<Watts> power = gpu != nullptr ? gpu->board_power : std::nullopt;
    const std::optional<double> price = gpu != nullptr ? launch_price_usd(*gpu) : std::nullopt;
    outlay.board_power =
        outlay.board_power && power ? std::optional(*outlay.board_power + *power) : std::nullopt;
    outlay.price_usd = outlay.price_usd && price ? std::optional(*outlay.price_usd + *price) : std::nullopt;
    if (!price) continue;
    outlay.first_year =
        outlay.first_year == 0 ? gpu->launch_year : std::min(outlay.first_year, gpu->launch_year);
    outlay.last_year = std::max(outlay.last_year, gpu->launch_year);
  }
  if (!outlay.price_usd) outlay.first_year = outlay.last_year = 0;
  return outlay;
}

}  // namespace r1fit
