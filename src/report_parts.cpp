#include "report_parts.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <functional>
#include <numeric>
#include <tuple>

#include "r1fit/kv_cache.hpp"
#include "r1fit/text_table.hpp"
#include "r1fit/units_text.hpp"

namespace r1fit::parts {
namespace {

constexpr double kTenthGib = 107374182.4;

std::string device_text(const Device& device, int count) {
  const std::string each = count > 1 ? " each" : "";
  std::string text = count > 1 ? count_text(count) + " x " : "";
  text += device_title(device);
  if (device.gpu == nullptr && !device.name.empty()) {
    text += ", " + capacity_text(device.capacity) + ", not in the catalogue";
    return device.bandwidth ? text + ", " + rate_text(*device.bandwidth) + each : text + each;
  }
  if (device.gpu == nullptr) {
    text += count > 1 ? "s, not named" : ", not named";
    return device.bandwidth ? text + ", " + rate_text(*device.bandwidth) + each : text;
  }
  text += ", " + capacity_text(device.capacity);
  if (device.unified)
    text += " unified memory, " + capacity_text(device.budget + device.reserved) + " of it for the GPU";
  if (device.working_set != nullptr) text += " (" + std::string(device.working_set->name) + ")";
  if (device.wired) text += " (the limit as stated)";
  if (device.bandwidth) text += (count > 1 ? " and " : ", ") + rate_text(*device.bandwidth);
  return text + each;
}

bool alike(const Device& a, const Device& b) {
  return a.gpu == b.gpu && a.name == b.name && a.capacity == b.capacity && a.budget == b.budget &&
         a.bandwidth == b.bandwidth;
}

/// What was looked for and not found is not known; otherwise nobody has stated it.
std::string host_text(const HostMemory& host, bool detected) {
  const std::string absent = detected ? "not known" : "not stated";
  std::string text = host.ram ? capacity_text(*host.ram) + " RAM" : "RAM " + absent;
  if (host.platform != nullptr) text += ", " + std::string(host.platform->name);
  if (host.bandwidth) text += ", " + rate_text(*host.bandwidth);
  if (host.ram && host.platform == nullptr && !host.bandwidth) text += ", its speed " + absent;
  return text;
}

/// Name of a stand-in by its id, and its bandwidth where none was stated that counts in place of it; the id
/// itself where it is none.
std::string stand_in_text(const Machine& machine, std::string_view id) {
  for (const Device& device : machine.devices) {
    for (const Gpu* gpu : device.stand_ins) {
      if (gpu->id != id) continue;
      if (device.bandwidth) return std::string(gpu->name);
      return std::string(gpu->name) + " (" + rate_text(gpu->bandwidth) + ")";
    }
  }
  for (const Host* host : machine.host.stand_ins) {
    if (host->id != id) continue;
    if (machine.host.bandwidth) return std::string(host->name);
    return std::string(host->name) + " (" + rate_text(host->bandwidth) + ")";
  }
  return std::string(id);
}

std::string stand_ins_text(const Machine& machine, std::string_view both) {
  constexpr std::string_view with = " with ";
  const std::size_t at = both.find(with);
  if (at == std::string_view::npos) return stand_in_text(machine, both);
  return stand_in_text(machine, both.substr(0, at)) + std::string(with) +
         stand_in_text(machine, both.substr(at + with.size()));
}

bool is_single_try(std::string_view benchmark) {
  return benchmark.ends_with("_pass1");  // scores over several tries compare with nothing here
}

bool unquantised(const Quant& quant) { return quant.id == "F16" || quant.id == "BF16" || quant.id == "F32"; }

}  // namespace

std::int64_t tenths(Bytes size) {
  return static_cast<std::int64_t>(std::llround(static_cast<double>(size.count()) / kTenthGib));
}

std::string tenths_text(std::int64_t value) { return fixed_text(static_cast<double>(value) / 10.0, 1); }

std::vector<std::int64_t> rounded_parts(std::span<const Addend> addends, double unit) {
  std::vector<std::int64_t> whole(addends.size());
  std::vector<double> rest(addends.size());
  double sum = 0;
  std::int64_t given = 0;
  for (std::size_t i = 0; i < addends.size(); ++i) {
    const double exact = static_cast<double>(addends[i].size.count()) / unit;
    sum += exact;
    whole[i] = static_cast<std::int64_t>(std::floor(exact));
    rest[i] = exact - static_cast<double>(whole[i]);
    given += whole[i];
  }
  // Largest remainders first; at most one each, because the rests sum up to what is left.
  std::vector<std::size_t> order(addends.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return rest[a] > rest[b]; });
  std::int64_t left = static_cast<std::int64_t>(std::llround(sum)) - given;
  for (const std::size_t i : order) {
    if (left-- <= 0) break;
    ++whole[i];
  }
  return whole;
}

std::string addends_text(std::span<const Addend> addends) {
  const std::vector<std::int64_t> parts = rounded_parts(addends, kTenthGib);
  std::string text;
  for (std::size_t i = 0; i < addends.size(); ++i) {
    if (addends[i].size == Bytes{}) continue;
    if (!text.empty()) text += " + ";
    text += addends[i].name;
    text += ' ';
    text += tenths_text(parts[i]);
  }
  return text;
}

std::vector<Addend> addends_of(const DeviceUse& use) {
  return {{"weights", use.weights},
          {"KV cache", use.kv_cache},
          {"buffers", use.compute + use.pool},
          {"runtime", use.runtime}};
}

std::vector<Addend> addends_of(const HostUse& use) {
  return {{"weights", use.weights}, {"KV cache", use.kv_cache}, {"buffers", use.compute + use.output}};
}

Bytes budget_of(const Placement& placement, const Device& device) {
  return placement.strain == Strain::raised_limit ? std::max(device.stretched, device.budget) : device.budget;
}

std::size_t fullest_device(const Placement& placement, const Machine& machine) {
  std::size_t fullest = kNone;
  Bytes least;
  const std::size_t devices = std::min(placement.devices.size(), machine.devices.size());
  for (std::size_t i = 0; i < devices; ++i) {
    const Bytes left = budget_of(placement, machine.devices[i]) - placement.devices[i].total();
    if (fullest == kNone || left < least) {
      fullest = i;
      least = left;
    }
  }
  return fullest;
}

bool needs_host(const Placement& placement) { return placement.mode != PlacementMode::gpu; }

Bytes needs(const Placement& placement) {
  Bytes sum;
  // A card that holds nothing of the model loses its runtime all the same, but the model does not need it.
  if (placement.mode != PlacementMode::cpu) {
    for (const DeviceUse& use : placement.devices) sum += use.total();
  }
  if (needs_host(placement)) sum += placement.host.total();
  return sum;
}

std::string amount_text(Bytes size) { return size < gib(0.1) ? mib_text(size) : gib_text(size); }

std::string device_title(const Device& device) {
  if (device.gpu != nullptr) return std::string(device.gpu->name);
  return device.name.empty() ? capacity_text(device.capacity) + " card" : device.name;
}

std::string_view engine_id(const Estimate& estimate) {
  return estimate.engine ? estimate.engine->id : Text("llama.cpp");
}

std::string typed_text(double number) {
  std::array<char, 400> buffer{};  // room for the 309 digits of the largest double
  const char* const end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, std::chars_format::fixed).ptr;
  const std::string_view digits(buffer.data(), static_cast<std::size_t>(end - buffer.data()));
  const std::size_t point = digits.find('.');
  return fixed_text(number,
                    point == std::string_view::npos ? 0 : static_cast<int>(digits.size() - point - 1));
}

std::string apart_text(double number, double other, int decimals) {
  constexpr int most = 15;  // a double has no more
  for (; decimals < most; ++decimals) {
    const double scale = std::pow(10, decimals);
    const double shown = std::round(number * scale) / scale;
    if ((shown < other) == (number < other) && (shown > other) == (number > other)) break;
  }
  return fixed_text(number, decimals);
}

std::string apart_text(TokensPerSecond rate, TokensPerSecond other) {
  const double number = rate.count();
  return apart_text(number, other.count(), number >= 9.95 ? 0 : number >= 0.995 ? 1 : 2);
}

std::string hardware_text(const Machine& machine) {
  std::string text;
  for (std::size_t i = 0; i < machine.devices.size();) {
    int count = 1;
    while (i + static_cast<std::size_t>(count) < machine.devices.size() &&
           alike(machine.devices[i], machine.devices[i + static_cast<std::size_t>(count)])) {
      ++count;
    }
    if (!text.empty()) text += "; ";
    text += device_text(machine.devices[i], count);
    i += static_cast<std::size_t>(count);
  }
  const bool unified = std::ranges::any_of(machine.devices, &Device::unified);
  if (machine.devices.empty()) text = "No GPU";
  // Unified memory is the host's memory: it has been named.
  if (!unified || machine.host.ram) text += "; " + host_text(machine.host, machine.detected);
  if (machine.disk) text += "; disk " + rate_text(*machine.disk);
  for (const Device& device : machine.devices) {
    if (device.reserved == Bytes{}) continue;
    text += "; " + gib_text(device.reserved) + " of " +
            (machine.devices.size() > 1 ? "one card's memory" : "the GPU memory") + " for ";
    text += machine.desktop.empty() ? "other uses" : "the desktop (" + machine.desktop + ")";
  }
  const std::string here = machine.detected ? "This machine as `r1fit detect` sees it: " : "";
  return here + printable(text) + ".";
}

std::string workload_text(const Workload& workload, const EngineChoice& engine,
                          std::optional<Backend> backend, ContextChoice context) {
  std::string text = "Context ";
  if (context == ContextChoice::longest) {
    text += "as long as each model has it";
  } else {
    text += count_text(workload.context) + " tokens";
    if (context == ContextChoice::by_engine) text += " at most, as the engine sets it";
  }
  text += ", KV cache " + std::string(word(workload.kv_k));
  if (workload.kv_v != workload.kv_k) text += "/" + std::string(word(workload.kv_v));
  if (workload.parallel > 1) text += ", " + count_text(workload.parallel) + " slots";
  if (!workload.flash()) text += ", flash attention off";
  if (workload.split != SplitMode::layer) text += ", split by " + std::string(word(workload.split));
  text += ", " + engine_title(engine);
  if (backend) text += " on " + std::string(title(*backend));
  return text + ".";
}

namespace {

bool unnamed(const Device& device) { return device.speed == nullptr && !device.stand_ins.empty(); }

bool any_card_unnamed(const Machine& machine) { return std::ranges::any_of(machine.devices, unnamed); }

/// What the cards that were not named may be: "the cards of this size".
std::string unnamed_cards_text(const Machine& machine) {
  const auto first = std::ranges::find_if(machine.devices, unnamed);
  const bool one_size = std::ranges::none_of(machine.devices, [&first](const Device& device) {
    return unnamed(device) && device.capacity != first->capacity;
  });
  const std::string size = one_size ? "this size" : "these sizes";
  if (first->bandwidth) return "the kinds of card of " + size + " at this bandwidth";
  return "the cards of " + size;
}

}  // namespace

std::string stand_ins_span(const Machine& machine, const Speed& speed) {
  if (!speed.decode || speed.slowest.empty() || speed.slowest == speed.fastest) return "";
  // Platforms are told by their memory, which says nothing beside a bandwidth that was stated.
  if (!any_card_unnamed(machine) && machine.host.bandwidth)
    return "Speeds span the kinds of CPU it may be at this bandwidth";
  std::string text = "Speeds span ";
  text += any_card_unnamed(machine) ? unnamed_cards_text(machine) + ", " : "the PCs it may be, ";
  text += stand_ins_text(machine, speed.slowest) + " to " + stand_ins_text(machine, speed.fastest);
  return printable(text);
}

std::string span_text(const Machine& machine, const Speed& speed) {
  const std::string span = stand_ins_span(machine, speed);
  if (span.empty()) return "";
  return span + (machine.detected ? ": name yours with --here " : ": name yours with ") +
         (any_card_unnamed(machine) ? "--gpu." : "--cpu.");
}

std::string verdict_text(const Placement& placement) {
  switch (placement.verdict) {
    case Verdict::fits:
      return placement.mode == PlacementMode::cpu ? "fits (in host memory)" : "fits";
    case Verdict::tight:
      switch (placement.strain) {
        case Strain::raised_limit:
          return "tight (with a raised limit)";
        case Strain::tensors_by_hand:
          return "tight (tensors placed by hand)";
        case Strain::none:
        case Strain::inside_margin:
          break;
      }
      return "tight (inside the margin)";
    case Verdict::offload:
      return "offload (part in host memory)";
    case Verdict::streams:
      return "streams (part from disk)";
    case Verdict::does_not_fit:
      break;
  }
  return "does not fit";
}

Tone verdict_tone(Verdict verdict) {
  switch (verdict) {
    case Verdict::fits:
      return Tone::green;
    case Verdict::tight:
    case Verdict::offload:
    case Verdict::streams:
      return Tone::yellow;
    case Verdict::does_not_fit:
      break;
  }
  return Tone::red;
}

std::string layout_text(const Estimate& estimate) {
  const Placement& placement = estimate.placement;
  const Shape& shape = *estimate.model->shape;
  const std::string gpus = placement.devices.size() > 1 ? "the GPUs" : "the GPU";
  std::string experts;
  if (shape.moe && placement.n_cpu_moe > shape.moe->first_dense_layers) {
    const int moved = std::min(placement.n_cpu_moe, shape.layers) - shape.moe->first_dense_layers;
    experts = "routed experts of " + count_text(moved) + " of " +
              count_text(shape.layers - shape.moe->first_dense_layers) + " layers in host memory";
  }
  switch (placement.mode) {
    case PlacementMode::gpu:
      return "";
    case PlacementMode::cpu:
      return placement.devices.empty() ? "" : "every layer in host memory";
    case PlacementMode::experts_on_host:
      return experts + ", all else on " + gpus;
    case PlacementMode::partial:
      break;
  }
  std::string text = count_text(placement.n_gpu_layers) + " of " + count_text(shape.layers + 1) +
                     " layers on " + gpus + ", the others in host memory";
  return experts.empty() ? text : text + "; " + experts;
}

std::string strain_text(const Estimate& estimate, const Machine& machine) {
  const Placement& placement = estimate.placement;
  const std::size_t at = fullest_device(placement, machine);
  if (placement.strain == Strain::none || at == kNone) return "";
  const Device& device = machine.devices[at];
  const DeviceUse& use = placement.devices[at];
  const std::string flags = joined_or(estimate.comfortable_with);
  const std::string room = flags.empty() ? "" : " Comfortable with " + flags + ".";
  if (placement.strain == Strain::raised_limit) {
    return "the GPU may use " + gib_text(device.budget + device.reserved) +
           " until its limit is raised, as below, to " + gib_text(device.stretched + device.reserved) +
           "; that leaves " + gib_text(device.capacity - device.stretched - device.reserved) + " for macOS." +
           room;
  }
  if (placement.strain == Strain::tensors_by_hand) {
    return "whole layers do not divide over these cards; the expert tensors have to be placed one by one "
           "with -ot." +
           room;
  }
  if (placement.planned != Bytes{}) return "the engine's own plan is all but full." + room;
  return amount_text(std::max(Bytes{}, device.budget - use.total())) + " left, " + gib_text(device.margin) +
         " wanted." + (room.empty() ? " Free the card of everything else." : room);
}

std::string decode_text(const Speed& speed) {
  return speed.decode ? tok_per_s_text(speed.decode->low, speed.decode->high) : "~";
}

std::string speed_words(const Range<TokensPerSecond>& decode) {
  const std::string_view low = speed_word(decode.low);
  const std::string_view high = speed_word(decode.high);
  return low == high ? std::string(low) : std::string(low) + " to " + std::string(high);
}

std::string answer_text(const Speed& speed) {
  return speed.answer ? duration_text(speed.answer->low, speed.answer->high) : "";
}

std::string waits_text(const Estimate& estimate) {
  const Speed& speed = estimate.speed;
  const AnswerLength& length = estimate.waits.length;
  std::string text;
  if (speed.answer) {
    text = "in " + answer_text(speed);
    if (!length.stated()) text += " to an everyday question";
    text += ": prompt of " + count_text(estimate.workload.prompt) + " tokens, " +
            (length.stated() ? "" : "about ") + count_text(length.thinking->typical) + " of thinking, " +
            count_text(length.answer) + " of answer";
  }
  if (speed.ttft) {
    text += text.empty() ? "" : "; ";
    text += "first token after " + duration_text(speed.ttft->low, speed.ttft->high);
  }
  return text;
}

std::string download_text(const Estimate& estimate) {
  const Download& download = estimate.download;
  std::string text = gb_text(download.size);
  // Uncertainty below the last digit shown says nothing.
  if (download.uncertainty >= mb(100)) text += " +/- " + gb_text(download.uncertainty);
  text += " (decimal GB; " + gib_text(download.size) + ")";
  if (const std::optional<Seconds>& time = estimate.waits.download)
    text += ", " + duration_text(*time, *time);
  return text;
}

std::string loss_text(const Estimate& estimate) {
  const std::string quant(estimate.quant->id);
  if (unquantised(*estimate.quant)) return "";
  if (const QuantLoss* measured = measured_loss(*estimate.model, *estimate.quant)) {
    const std::string model = printable(measured->measured_on);
    if (measured->value < 0.05) return quant + " measured no worse on " + model;
    return quant + " measured " + fixed_text(measured->value, 1) + " points lower on " + model;
  }
  if (!estimate.loss.known) return "what " + quant + " loses was not measured";
  if (estimate.loss.points < 0.05) return quant + " loses next to nothing";
  return quant + " loses about " + fixed_text(estimate.loss.points, 1) + " points (estimated)";
}

std::string score_text(const Score& score) {
  // Ratings are whole numbers, percentages have a digit behind the point.
  return fixed_text(score.value, score.benchmark.ends_with("_rating") ? 0 : 1);
}

std::string scores_text(const Model& model, std::span<const Model* const> others, Use use) {
  const Score* first = nullptr;
  if (use != Use::general) {
    first = comparable_score(model, use);
    if (first == nullptr) first = other_split(model, use);
  }
  std::string text;
  if (first != nullptr) text = printable(first->split) + " " + score_text(*first);
  for (const Score& score : model.scores) {
    if (&score == first || !is_single_try(score.benchmark)) continue;
    const bool comparable = std::ranges::all_of(others, [&](const Model* other) {
      return std::ranges::any_of(other->scores, [&](const Score& its) {
        return its.benchmark == score.benchmark && its.split == score.split;
      });
    });
    if (!comparable) continue;
    if (!text.empty()) text += ", ";
    text += printable(score.split) + " " + score_text(score);
  }
  return text.empty() ? "no comparable scores published" : text + " at 16 bits";
}

std::string ranking_score_text(const Model& model, Use use) {
  const Score* score = comparable_score(model, use);
  return score == nullptr ? "" : score_text(*score);
}

std::string ranking_score_head(std::span<const Recommendation> rows, Use use) {
  for (const Recommendation& row : rows) {
    if (const Score* score = comparable_score(*row.estimate.model, use)) {
      return printable(score->split.substr(0, score->split.find(' ')));
    }
  }
  return "score";
}

std::vector<std::string> role_words(const std::vector<Role>& roles) {
  std::vector<std::string> words;
  words.reserve(roles.size());
  for (const Role role : roles) words.emplace_back(word(role));
  return words;
}

std::string role_text(const std::vector<Role>& roles) {
  std::string text;
  for (const Role role : roles) {
    std::string one(title(role));
    one.front() = static_cast<char>(std::tolower(static_cast<unsigned char>(one.front())));
    text += (text.empty() ? "" : ", ") + one;
  }
  return text;
}

std::size_t shown(std::size_t rows, const PrintOptions& options) {
  return options.top > 0 ? std::min(rows, static_cast<std::size_t>(options.top)) : rows;
}

std::string joined_or(std::span<const std::string> texts) {
  std::string text;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (i > 0) text += i + 1 == texts.size() ? " or " : ", ";
    text += printable(texts[i]);
  }
  return text;
}

namespace {

template <class Of>
std::vector<const Measurement*> runs_where(const Catalog& catalog, Of of) {
  std::vector<const Measurement*> runs;
  for (const Measurement& run : catalog.measurements) {
    if (of(run)) runs.push_back(&run);
  }
  return runs;
}

constexpr int kUnknownYear = 9999;  // behind every year that is known

void sort_by_size(std::vector<const Measurement*>& runs) {
  std::ranges::stable_sort(runs, std::ranges::less(), [](const Measurement* run) {
    return std::tuple(run->model->shape->parameters, run->quant, run->year.value_or(kUnknownYear));
  });
}

}  // namespace

std::vector<const Measurement*> runs_of(const Catalog& catalog, const Gpu& gpu) {
  auto runs = runs_where(catalog, [&](const Measurement& run) {
    return std::ranges::any_of(run.gpus, [&](const MeasuredGpu& one) { return one.gpu == &gpu; });
  });
  sort_by_size(runs);
  return runs;
}

std::vector<const Measurement*> runs_of(const Catalog& catalog, const Host& host) {
  auto runs = runs_where(catalog, [&](const Measurement& run) { return run.host == &host; });
  sort_by_size(runs);
  return runs;
}

std::vector<const Measurement*> runs_of(const Catalog& catalog, const Model& model) {
  auto runs = runs_where(catalog, [&](const Measurement& run) { return run.model->shape == model.shape; });
  std::ranges::stable_sort(runs, std::ranges::less(), [](const Measurement* run) {
    return std::tuple(run->quant, TokensPerSecond{} - run->decode);
  });
  return runs;
}

Confidence trust(Grade grade) {
  switch (grade) {
    case Grade::A:
      return Confidence::high;
    case Grade::B:
      return Confidence::medium;
    case Grade::C:
      break;
  }
  return Confidence::low;
}

std::string SourceList::ref(std::string_view text, Confidence confidence) {
  std::size_t at = 0;
  while (at < entries_.size() && (entries_[at].text != text || entries_[at].confidence != confidence)) ++at;
  if (at == entries_.size()) entries_.push_back({std::string(text), confidence});
  return "[" + std::to_string(at + 1) + "]";
}

std::string SourceList::refs(List<Source> sources, std::string_view field) {
  std::string text;
  for (const Source& source : sources) {
    if (std::ranges::find(source.covers, field) != source.covers.end())
      text += ref(source.text, source.confidence);
  }
  if (!text.empty()) return text;
  for (const Source& source : sources) {
    if (source.covers.empty()) text += ref(source.text, source.confidence);
  }
  return text;
}

std::string SourceList::text(std::size_t width) const {
  std::string text;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    std::string lead = "  [" + std::to_string(i + 1) + "] ";
    if (lead.size() < 7) lead.insert(1, 1, ' ');
    std::string entry = printable(entries_[i].text);
    if (entries_[i].confidence != Confidence::high) {
      entry += " (" + std::string(word(entries_[i].confidence)) + " confidence)";
    }
    text += wrap(lead, entry, width);
  }
  return text;
}

}  // namespace r1fit::parts
