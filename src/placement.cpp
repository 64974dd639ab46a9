#include "r1fit/placement.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "last_good.hpp"
#include "r1fit/compute_buffer.hpp"
#include "r1fit/kv_cache.hpp"
#include "r1fit/memory.hpp"

namespace r1fit {
namespace {

constexpr std::array<std::string_view, 5> kVerdictWords{"fits", "tight", "offload", "streams",
                                                        "does_not_fit"};

/// What a driver reports as free, which an engine plans with, is a little less than a card's total.
constexpr Bytes kPlanMargin = mib(256);

/// How full a layout makes the machine.
struct Fill {
  MemoryUse use;
  bool margins = true;    ///< every device keeps its margin
  bool placeable = true;  ///< every device keeps what the engine leaves free when it places layers itself
  bool planned = true;    ///< the same, were it not for the backend's own pool
  bool within = true;     ///< every device is within its budget
  bool stretched = true;  ///< every device is within its budget after the named change
  bool host = true;       ///< host memory is known and holds its part, or needs to hold nothing much
  bool allocated = true;  ///< what is really taken would be within every budget
  bool roomy = true;      ///< what is really taken would leave every margin
  Bytes shortfall;        ///< worst excess over a device's budget
  Bytes host_shortfall;
};

class Solver {
 public:
  Solver(const Candidate& candidate, const Workload& workload, const Machine& machine)
      : candidate_(candidate),
        shape_(*candidate.model->shape),
        workload_(workload),
        machine_(machine),
        planned_graph_(r1fit::planned_graph(shape_, workload)),
        layers_(shape_.layers) {}

  [[nodiscard]] Fill fill(const Layout& layout) const {
    return weigh(memory_of(candidate_, workload_, machine_, layout));
  }

  /// The same where the layout may be placed, which for most that may not is seen before any buffer is
  /// planned.
  [[nodiscard]] std::optional<Fill> fill_placeable(const Layout& layout) const {
    MemoryUse use = before_buffers(candidate_, workload_, machine_, layout);
    Fill without_buffers = weigh(std::move(use));
    if (!without_buffers.placeable) return std::nullopt;
    use = std::move(without_buffers.use);
    add_buffers(candidate_, workload_, machine_, layout, use);
    Fill fill = weigh(std::move(use));
    if (!fill.placeable) return std::nullopt;
    return fill;
  }

  /// What is taken, beside what there is.
  [[nodiscard]] Fill weigh(MemoryUse use) const {
    Fill fill;
    fill.use = std::move(use);
    for (std::size_t i = 0; i < machine_.devices.size(); ++i) {
      const Device& device = machine_.devices[i];
      const Bytes total = fill.use.devices[i].total();
      const Bytes plan = planned(fill.use.devices[i], device);
      const Bytes counted = std::max(total, plan);
      const Bytes left_free = device.engine_reserve != Bytes{} ? device.engine_reserve : device.margin;
      fill.margins = fill.margins && total + device.margin <= device.budget &&
                     (plan == Bytes{} || plan + kPlanMargin <= device.budget);
      fill.placeable = fill.placeable && counted <= device.budget && total + left_free <= device.budget;
      const Bytes known = total - fill.use.devices[i].pool;
      fill.planned =
          fill.planned && std::max(known, plan) <= device.budget && known + left_free <= device.budget;
      fill.within = fill.within && counted <= device.budget;
      fill.stretched = fill.stretched && counted <= device.stretched;
      fill.allocated = fill.allocated && total <= device.stretched;
      fill.roomy = fill.roomy && total + device.margin <= device.budget;
      fill.shortfall = std::max(fill.shortfall, counted - device.budget);
    }
    // A machine with one memory: what lies on its host side comes out of the same bytes.
    for (const Device& device : machine_.devices) {
      if (!device.unified) continue;
      const Bytes both = fill.use.devices.front().total() + fill.use.host.total() - fill.use.host.output;
      if (both > device.capacity) fill.stretched = false;
    }
    if (machine_.host.ram) {
      fill.host_shortfall = std::max(Bytes{}, fill.use.host.total() - machine_.host.budget);
      fill.host = fill.host_shortfall == Bytes{};
    }
    return fill;
  }

  /// What an engine with a plan of its own counts before it puts anything there.
  [[nodiscard]] Bytes planned(const DeviceUse& use, const Device& device) const {
    if (planned_graph_ == Bytes{} || use.weights == Bytes{}) return Bytes{};
    return use.weights + use.kv_cache + planned_graph_ + device.engine_reserve;
  }
  [[nodiscard]] Bytes planned_graph() const { return planned_graph_; }

  // ---- layouts ------------------------------------------------------------------------------------

  /// llama.cpp's own layer split: block i (the output layer is block L) goes to the device in whose share of
  /// free memory i / (number of layers on GPUs) falls.
  [[nodiscard]] Layout by_free_memory(int n_gpu_layers, int n_cpu_moe) const {
    Layout layout = on_host(n_cpu_moe);
    if (machine_.devices.empty() || n_gpu_layers <= 0) return layout;
    std::vector<double> ends;
    double sum = 0;
    for (const Device& device : machine_.devices) {
      sum += static_cast<double>((device.budget - std::min(device.runtime, device.budget)).count());
      ends.push_back(sum);
    }
    // The output is the last of the layers dealt out; counted last it is left out of fewer than all.
    const bool with_output = !workload_.output_last || n_gpu_layers > layers_;
    const int last = with_output ? layers_ : layers_ - 1;
    const int first = last + 1 - n_gpu_layers;
    for (int i = std::max(0, first); i <= last; ++i) {
      const double at = static_cast<double>(i - first) / static_cast<double>(n_gpu_layers) * sum;
      std::size_t device = 0;
      while (device + 1 < ends.size() && ends[device] <= at) ++device;
      set(layout, i, static_cast<int>(device));
    }
    return layout;
  }

  /// Whole layers dealt out so that the tightest card keeps as much free as it can: what `-ts` can ask for.
  [[nodiscard]] std::optional<Layout> levelled(int n_cpu_moe) const {
    const Layout probe = by_free_memory(layers_ + 1, n_cpu_moe);
    const MemoryUse fixed = memory_of(candidate_, workload_, machine_, probe);
    const auto pack = [&](Bytes slack) -> std::optional<Layout> {
      Layout layout = on_host(n_cpu_moe);
      std::size_t device = 0;
      Bytes room = room_of(fixed, device) - slack;
      for (int i = 0; i <= layers_; ++i) {
        const Bytes need = size_of(i, n_cpu_moe);
        while (room < need) {
          if (++device == machine_.devices.size()) return std::nullopt;
          room = room_of(fixed, device) - slack;
        }
        room -= need;
        set(layout, i, static_cast<int>(device));
      }
      return layout;
    };
    std::optional<Layout> best = pack(Bytes{});
    if (!best) return best;
    Bytes low;
    Bytes high = machine_.devices.front().budget;
    for (int round = 0; round < 16; ++round) {
      const Bytes middle = (low + high) / 2;
      if (std::optional<Layout> tried = pack(middle)) {
        best = std::move(tried);
        low = middle;
      } else {
        high = middle;
      }
    }
    return best;
  }

  /// What each device holds when single tensors are dealt out (`-ot`) where whole layers cannot be: the
  /// largest first, each to the first device with room. Nothing where even that leaves a tensor over.
  [[nodiscard]] std::optional<std::vector<DeviceUse>> by_tensor() const {
    if (!shape_.moe || machine_.devices.size() < 2) return std::nullopt;
    struct Item {
      Bytes weights;
      Bytes kv_cache;
    };
    std::vector<Item> items{{candidate_.weights->output, Bytes{}}};
    for (const LayerWeights& layer : candidate_.weights->layers) {
      items.push_back({layer.attention + layer.ffn + layer.row_padding,
                       kv_layer(shape_, workload_) + kv_row_padding(shape_, workload_)});
      if (layer.experts == Bytes{}) continue;
      // Gate and up are of one type; down is the largest where types differ.
      const Bytes other = (layer.experts - layer.largest_expert_tensor) / 2;
      items.insert(items.end(), {{layer.largest_expert_tensor, {}}, {other, {}}, {other, {}}});
    }
    std::ranges::stable_sort(items, std::ranges::greater{}, &Item::weights);
    std::vector<DeviceUse> uses =
        memory_of(candidate_, workload_, machine_, by_free_memory(layers_ + 1, 0)).devices;
    for (DeviceUse& use : uses) use.weights = use.kv_cache = Bytes{};
    for (const Item& item : items) {
      std::size_t device = 0;
      while (device < uses.size() &&
             uses[device].total() + item.weights + item.kv_cache > machine_.devices[device].budget) {
        ++device;
      }
      if (device == uses.size()) return std::nullopt;
      uses[device].weights += item.weights;
      uses[device].kv_cache += item.kv_cache;
    }
    return uses;
  }

  /// Every layer shared by all devices.
  [[nodiscard]] Layout shared(std::vector<int> parts) const {
    const bool by_row = workload_.split == SplitMode::row;
    Layout layout = by_row ? by_free_memory(layers_ + 1, 0) : on_host(0);
    if (!by_row) {
      std::ranges::fill(layout.layer_device, 0);
      layout.output_device = 0;
    }
    layout.split = workload_.split;
    layout.parts = std::move(parts);
    return layout;
  }

  [[nodiscard]] int layers() const { return layers_; }
  [[nodiscard]] const Shape& shape() const { return shape_; }

 private:
  [[nodiscard]] Layout on_host(int n_cpu_moe) const {
    Layout layout;
    layout.layer_device.assign(static_cast<std::size_t>(layers_), -1);
    layout.n_cpu_moe = n_cpu_moe;
    return layout;
  }

  void set(Layout& layout, int layer, int device) const {
    if (layer == layers_) {
      layout.output_device = device;
    } else {
      layout.layer_device[static_cast<std::size_t>(layer)] = device;
    }
  }

  /// What a layer (L: the output) takes on its device.
  [[nodiscard]] Bytes size_of(int layer, int n_cpu_moe) const {
    if (layer == layers_) return candidate_.weights->output;
    const LayerWeights& weights = candidate_.weights->layers[static_cast<std::size_t>(layer)];
    const Bytes experts = layer < n_cpu_moe ? Bytes{} : weights.experts;
    return weights.attention + weights.ffn + experts + weights.row_padding + kv_layer(shape_, workload_) +
           kv_row_padding(shape_, workload_);
  }

  /// What a device has left for layers beside its buffers and runtime.
  [[nodiscard]] Bytes room_of(const MemoryUse& fixed, std::size_t device) const {
    const DeviceUse& use = fixed.devices[device];
    return machine_.devices[device].budget - use.compute - use.pool - machine_.devices[device].runtime;
  }

  const Candidate& candidate_;
  const Shape& shape_;
  const Workload& workload_;
  const Machine& machine_;
  Bytes planned_graph_;
  int layers_;
};

std::vector<int> counts(const Layout& layout, std::size_t devices) {
  std::vector<int> split(devices, 0);
  for (const int device : layout.layer_device) {
    if (device >= 0) ++split[static_cast<std::size_t>(device)];
  }
  if (layout.output_device >= 0) ++split[static_cast<std::size_t>(layout.output_device)];
  return split;
}

int gpu_layers(const Layout& layout) {
  const auto blocks = std::ranges::count_if(layout.layer_device, [](int device) { return device >= 0; });
  return static_cast<int>(blocks) + (layout.output_device >= 0 ? 1 : 0);
}

PlacementMode mode_of(const Shape& shape, const Layout& layout) {
  if (gpu_layers(layout) == 0) return PlacementMode::cpu;
  if (gpu_layers(layout) <= shape.layers) return PlacementMode::partial;
  return uses_host(shape, layout) ? PlacementMode::experts_on_host : PlacementMode::gpu;
}

Placement describe(const Solver& solver, const Machine& machine, const Layout& layout, const Fill& fill) {
  Placement placement;
  placement.mode = mode_of(solver.shape(), layout);
  placement.n_gpu_layers = gpu_layers(layout);
  placement.n_cpu_moe = layout.n_cpu_moe;
  placement.layer_device = layout.layer_device;
  placement.output_device = layout.output_device;
  placement.split = layout.split;
  placement.parts = layout.parts;
  placement.devices = fill.use.devices;
  placement.host = fill.use.host;
  const bool host_used = uses_host(solver.shape(), layout);
  placement.host_unknown = host_used && !machine.host.ram;

  if (!fill.within && !fill.stretched) {
    placement.shortfall = fill.shortfall;
    if (fill.allocated) placement.planned = solver.planned_graph();
    return placement;
  }
  if (placement.host_unknown) {
    // Where the rest would lie is not known, so nothing is promised.
    placement.shortfall = fill.use.host.total();
    return placement;
  }
  if (host_used && !fill.host) {
    placement.shortfall = fill.host_shortfall;
    // Weights are mapped from the file and can be read again from disk; everything else must be held.
    if (fill.use.host.total() - fill.use.host.weights > machine.host.budget) return placement;
    placement.disk_streamed = fill.host_shortfall;
    placement.verdict = Verdict::streams;
    return placement;
  }
  if (host_used && placement.mode != PlacementMode::cpu) {
    placement.verdict = Verdict::offload;
    return placement;
  }
  placement.verdict = Verdict::fits;
  if (!fill.within) {
    placement.verdict = Verdict::tight;
    placement.strain = Strain::raised_limit;
  } else if (!fill.margins) {
    placement.verdict = Verdict::tight;
    placement.strain = Strain::inside_margin;
    if (fill.roomy) placement.planned = solver.planned_graph();
  }
  return placement;
}

/// A layout that was tried, and what it takes.
struct Placed {
  int at;
  Layout layout;
  Fill fill;
};

/// The last of the layouts `layout_at(low)` .. `layout_at(high)` that is placeable.
template <class LayoutAt>
std::optional<Placed> last_placeable(const Solver& solver, int low, int high, LayoutAt layout_at) {
  std::optional<Placed> last;
  last_good(low, high, [&](int n) {
    Layout layout = layout_at(n);
    std::optional<Fill> fill = solver.fill_placeable(layout);
    if (fill) last = {n, std::move(layout), std::move(*fill)};
    return fill.has_value();
  });
  return last;
}

/// About how many steps of 256 tokens more each device holds: by what cache and mask take of it now.
int steps_left(const Fill& fill, const Machine& machine, const Shape& shape, const Workload& workload) {
  constexpr double step = 256;
  const double rows = static_cast<double>(workload.ubatch.count());
  const double copies = machine.devices.size() > 1 ? 4 : 1;
  // bytes a cell: the mask, and without flash attention the scores and CUDA's copy of them
  const double cell =
      rows * (copies * (workload.flash() ? 2 : 4) + (workload.flash() ? 0 : 6.0 * shape.heads));
  double least = 1e6;
  for (std::size_t i = 0; i < machine.devices.size(); ++i) {
    const DeviceUse& use = fill.use.devices[i];
    const Device& device = machine.devices[i];
    const Bytes keep = fill.margins ? device.margin : Bytes{};
    const auto left = static_cast<double>((device.stretched - keep - use.total()).count());
    const double cache =
        static_cast<double>(use.kv_cache.count()) / static_cast<double>(workload.context.count());
    least = std::min(least, left / (step * (cache + cell)));
  }
  return static_cast<int>(std::max(0.0, least));
}

Machine without_devices(const Machine& machine) {
  Machine rest = machine;
  rest.devices.clear();
  return rest;
}

Placement placed(const Solver& solver, const Machine& machine, const Layout& layout) {
  return describe(solver, machine, layout, solver.fill(layout));
}

/// Every layer shared by all devices; nothing in host memory. By tensor llama.cpp deals out equal parts
/// unless told otherwise, by row parts in proportion to the cards' memory.
Placement place_shared(const Solver& solver, const Workload& workload, const Machine& machine) {
  std::vector<int> by_memory;
  for (const Device& device : machine.devices)
    by_memory.push_back(std::max(1, static_cast<int>(in_gib(device.budget))));
  if (workload.split == SplitMode::row) return placed(solver, machine, solver.shared(std::move(by_memory)));
  Placement even = placed(solver, machine, solver.shared(std::vector<int>(machine.devices.size(), 1)));
  if (even.verdict == Verdict::fits) return even;
  Placement uneven = placed(solver, machine, solver.shared(by_memory));
  uneven.tensor_split = std::move(by_memory);
  return uneven.verdict < even.verdict ? uneven : even;
}

}  // namespace

std::string_view word(Verdict verdict) { return kVerdictWords[static_cast<std::size_t>(verdict)]; }

Placement place(const Candidate& candidate, const Workload& workload, const Machine& machine,
                const PlacementRequest& request) {
  const Solver solver(candidate, workload, machine);
  const int all = solver.layers() + 1;
  const bool moe = solver.shape().moe.has_value();
  if (machine.devices.empty()) return placed(solver, machine, solver.by_free_memory(0, 0));
  if (workload.split != SplitMode::layer && machine.devices.size() > 1)
    return place_shared(solver, workload, machine);
  if (request.any()) {
    const int n_cpu_moe = request.cpu_moe ? solver.layers() : request.n_cpu_moe.value_or(0);
    return placed(solver, machine, solver.by_free_memory(request.n_gpu_layers.value_or(all), n_cpu_moe));
  }

  // Everything on the devices: as llama.cpp splits it, else as `-ts` can.
  Placement whole = placed(solver, machine, solver.by_free_memory(all, 0));
  if (whole.verdict == Verdict::fits) return whole;
  if (machine.devices.size() > 1) {
    if (const std::optional<Layout> levelled = solver.levelled(0)) {
      Placement better = placed(solver, machine, *levelled);
      better.tensor_split = counts(*levelled, machine.devices.size());
      if (better.verdict < whole.verdict || whole.verdict == Verdict::does_not_fit) return better;
    }
    if (whole.verdict == Verdict::does_not_fit) {
      if (std::optional<std::vector<DeviceUse>> dealt = solver.by_tensor()) {
        whole.verdict = Verdict::tight;
        whole.strain = Strain::tensors_by_hand;
        whole.devices = std::move(*dealt);
        return whole;
      }
    }
  }
  if (whole.verdict != Verdict::does_not_fit) return whole;
  // One memory: what does not fit the GPU's share of it has nowhere better to go.
  if (std::ranges::any_of(machine.devices, &Device::unified)) return whole;
  if (!machine.host.ram) {
    whole.host_unknown = true;
    return whole;
  }

  // Routed experts in host memory, as few layers of them as must be.
  if (moe) {
    const auto layout_with = [&](int n) -> Layout {
      if (machine.devices.size() > 1) {
        if (std::optional<Layout> levelled = solver.levelled(n)) return *levelled;
      }
      return solver.by_free_memory(all, n);
    };
    const int most = solver.layers();
    const std::optional<Placed> spared =
        last_placeable(solver, 0, most, [&](int on_device) { return layout_with(most - on_device); });
    if (spared) {
      Placement hybrid = describe(solver, machine, spared->layout, spared->fill);
      if (machine.devices.size() > 1) hybrid.tensor_split = counts(spared->layout, machine.devices.size());
      return hybrid;
    }
    // All of them there, and of what every token reads as many layers as the devices hold.
    const std::optional<Placed> some =
        last_placeable(solver, 1, all - 1, [&](int n) { return solver.by_free_memory(n, most); });
    if (some) return describe(solver, machine, some->layout, some->fill);
  }

  // As many layers on the devices as keep their margin; none at all is the CPU with a GPU beside it.
  const std::optional<Placed> some =
      last_placeable(solver, 1, all - 1, [&](int n) { return solver.by_free_memory(n, 0); });
  if (some) {
    Placement partial = describe(solver, machine, some->layout, some->fill);
    if (workload.pool_unplanned) {
      const std::optional<int> by_itself = last_good(
          some->at, all - 1, [&](int n) { return solver.fill(solver.by_free_memory(n, 0)).planned; });
      if (by_itself && *by_itself > some->at) partial.engine_layers = *by_itself;
    }
    return partial;
  }

  // Cards too small for a single layer and its buffers are better left out.
  Placement alone = place(candidate, workload, without_devices(machine));
  if (alone.verdict == Verdict::does_not_fit) return whole;
  // Beside a card the host's memory is where a model is offloaded to, all of it or a part.
  alone.verdict = std::max(alone.verdict, Verdict::offload);
  return alone;
}

std::optional<Tokens> max_context(const Candidate& candidate, const Workload& workload,
                                  const Machine& machine, const Placement& placement) {
  if (placement.verdict == Verdict::does_not_fit || placement.strain == Strain::tensors_by_hand) {
    return std::nullopt;
  }
  constexpr int step = 256;
  Layout layout;
  layout.layer_device = placement.layer_device;
  layout.output_device = placement.output_device;
  layout.n_cpu_moe = placement.n_cpu_moe;
  layout.split = placement.split;
  layout.parts = placement.parts;
  const Machine used = placement.devices.empty() ? without_devices(machine) : machine;
  // Margins that were kept stay kept: without them the same context asked for would be placed otherwise.
  const Fill filled = Solver(candidate, workload, used).weigh({placement.devices, placement.host});
  const bool margins = filled.margins;
  const auto keeps = [&](int steps) {
    Workload longer = workload;
    longer.context = tokens(static_cast<std::int64_t>(steps) * step);
    const Solver solver(candidate, longer, used);
    const Fill fill = solver.fill(layout);
    return describe(solver, used, layout, fill).verdict <= placement.verdict && (fill.margins || !margins);
  };
  const int most = static_cast<int>(candidate.model->max_context.count() / step);
  const int now = std::min(most, static_cast<int>(workload.context.count() / step));
  if (now == 0 && !keeps(1)) return std::nullopt;
  const int guess = now + steps_left(filled, used, *candidate.model->shape, workload);
  return tokens(static_cast<std::int64_t>(last_good_near(std::max(1, now), most, guess, keeps)) * step);
}

}  // namespace r1fit
