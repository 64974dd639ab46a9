// Questions to the shipped catalogue in few words.
#pragma once

#include <initializer_list>
#include <optional>
#include <string_view>

#include "r1fit/estimate.hpp"
#include "r1fit/lookup.hpp"
#include "r1fit/machine.hpp"

namespace r1fit {

/// "rtx 4090", "2x rtx 3090", or a chip with one of its memory sizes.
inline Machine machine_with(std::string_view gpu, std::optional<Bytes> memory = {}) {
  const Catalog& catalog = builtin_catalog();
  const CountedName counted = parse_counted_name(gpu);
  const FoundGpu found = gpu_named(catalog, counted.name, memory);
  Machine machine;
  for (int i = 0; i < counted.count; ++i) {
    machine.devices.push_back(
        make_device(catalog, *found.gpu, resolve_memory(*found.gpu, found.memory), {}, {}, {}));
  }
  return machine;
}

/// Nameless cards of these sizes in GiB.
inline Machine nameless(std::initializer_list<double> sizes) {
  Machine machine;
  for (const double size : sizes) {
    machine.devices.push_back(make_nameless_device(builtin_catalog(), gib(size), {}, {}, {}));
  }
  return machine;
}

inline Machine cpu_only(Bytes ram, std::string_view platform) {
  Machine machine;
  machine.host = make_host(builtin_catalog(), ram, &host_named(builtin_catalog(), platform), {});
  return machine;
}

inline Question shipped_question(std::string_view model, std::string_view quant,
                                 const Workload& workload = {}) {
  const Catalog& catalog = builtin_catalog();
  return {&model_named(catalog, model), &quant_named(catalog, quant), {}, workload, {}};
}

inline Estimate shipped_estimate(std::string_view model, std::string_view quant, const Machine& machine,
                                 const Workload& workload = {}) {
  return estimate(builtin_catalog(), shipped_question(model, quant, workload), machine);
}

}  // namespace r1fit
