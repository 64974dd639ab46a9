#include "r1fit/claim.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>
#include <utility>

#include "depth_note.hpp"
#include "r1fit/candidate_machines.hpp"
#include "r1fit/error.hpp"
#include "r1fit/units_text.hpp"

namespace r1fit {
namespace {

constexpr std::array<std::string_view, 4> kKindWords{"decode_tps", "needs", "file_size", "fits"};
constexpr std::array<std::string_view, 6> kVerdictWords{"plausible",    "optimistic",  "impossible",
                                                        "does_not_fit", "understated", "no_such_hardware"};

/// More than eight are found in data centres only.
constexpr std::array<int, 4> kMoreCards{2, 4, 8, 16};
constexpr int kMostCardsAtHome = 8;
/// So many times its memory holds any model on any device.
constexpr std::int64_t kRoomy = 4096;
/// A need may be claimed so much larger than it is before that is remarked.
constexpr double kGenerous = 1.25;

/// The same machine with memory for anything: devices keep their proportions, so that layers are dealt out
/// as they would be.
Machine roomy(Machine machine) {
  for (Device& device : machine.devices) {
    device.capacity = device.capacity * kRoomy;
    device.budget = device.budget * kRoomy;
    device.stretched = device.stretched * kRoomy;
  }
  if (machine.devices.empty()) {
    machine.host.ram = machine.host.ram.value_or(gib(1)) * kRoomy;
    machine.host.budget = *machine.host.ram;
  }
  return machine;
}

/// Cards of a size that the catalogue does not have may be as slow or fast as any card. Whether there are
/// such.
bool stand_in_any(const Catalog& catalog, Machine& machine) {
  bool any = false;
  for (Device& device : machine.devices) {
    if (device.speed != nullptr || !device.stand_ins.empty()) continue;
    any = true;
    for (const Gpu& gpu : catalog.gpus) {
      if (gpu.device_class == DeviceClass::desktop || gpu.device_class == DeviceClass::workstation)
        device.stand_ins.push_back(&gpu);
    }
    std::ranges::stable_sort(device.stand_ins, {}, [](const Gpu* gpu) { return gpu->bandwidth; });
  }
  return any;
}

/// The machine with the fastest of what it may be.
Machine fastest_of(Machine machine) {
  for (Device& device : machine.devices) {
    if (!device.stand_ins.empty()) device.stand_ins = {device.stand_ins.back()};
  }
  if (!machine.host.stand_ins.empty()) machine.host.stand_ins = {machine.host.stand_ins.back()};
  return machine;
}

bool unified(const Machine& machine) { return std::ranges::any_of(machine.devices, &Device::unified); }

bool is_near(Bytes claimed, Bytes truth, Bytes half, double share) {
  const auto off = std::abs(static_cast<double>((claimed - truth).count()));
  return off <= std::max(static_cast<double>(half.count()), share * static_cast<double>(truth.count()));
}

/// "Q4_K_M" of "Q4_K_M-ollama", Ollama's own mixture of that name.
Text plain_id(const Quant& quant) {
  constexpr Text own = "-ollama";
  return quant.id.ends_with(own) ? quant.id.substr(0, quant.id.size() - own.size()) : quant.id;
}

int rank_of(DeviceClass device_class) {
  switch (device_class) {
    case DeviceClass::desktop:
      return 0;
    case DeviceClass::workstation:
      return 1;
    case DeviceClass::datacenter:
      return 2;
    case DeviceClass::laptop:
    case DeviceClass::soc:
      break;
  }
  return -1;
}

class Judge {
 public:
  Judge(const Catalog& catalog, const Question& question, const ClaimedHardware& hardware,
        const Claimed& claimed)
      : catalog_(catalog), question_(question) {
    claim_.claimed = claimed;
    claim_.unsold = hardware.unsold;
    claim_.machine = hardware.machine;
  }

  Claim run() {
    if (const std::string problem = objection(question_); !problem.empty()) throw Error(problem);
    for (const Unsold& unsold : claim_.unsold) {
      std::string text = unsold.why + ".";
      if (text.starts_with("no ")) text.front() = 'N';
      add("no_such_hardware", std::move(text));
    }
    if (claim_.machine) {
      if (stand_in_any(catalog_, *claim_.machine) && claim_.claimed.kind == ClaimKind::decode_tps)
        add("any_card",
            "No card of that size is in the catalogue; judged with the speeds of all cards: name it with "
            "--gpu.");
      claim_.estimate = evaluate(catalog_, question_, *claim_.machine);
    } else {
      facts();
    }
    switch (claim_.claimed.kind) {
      case ClaimKind::decode_tps:
        speed();
        break;
      case ClaimKind::fits:
        fits();
        break;
      case ClaimKind::needs:
        needs();
        break;
      case ClaimKind::file_size:
        file_size();
        break;
    }
    // What is wrong beside hardware that was never sold says more.
    if (!claim_.unsold.empty() && (claim_.plausible() || !claim_.machine))
      claim_.verdict = ClaimVerdict::no_such_hardware;
    const bool about_hardware =
        claim_.claimed.kind == ClaimKind::decode_tps || claim_.claimed.kind == ClaimKind::fits;
    if (about_hardware && !claim_.plausible()) seek();
    return std::move(claim_);
  }

 private:
  void add(std::string code, std::string text) { claim_.notes.push_back({std::move(code), std::move(text)}); }

  /// What is known of the model without hardware.
  void facts() {
    Estimate& estimate = claim_.estimate;
    estimate.model = question_.model;
    estimate.quant = question_.quant;
    estimate.engine = question_.engine;
    estimate.workload = question_.workload;
    estimate.weights = weights_of(catalog_, *question_.model, *question_.quant, question_.workload);
    estimate.download = download_of(catalog_, *question_.model, *question_.quant, estimate.weights);
  }

  /// Nothing can be said of the speed and the memory of hardware that never was, but for the weights.
  bool unknown_hardware() {
    if (claim_.machine) return false;
    if (claim_.unsold.empty()) {
      throw Error(
          "--tps and --fits are about hardware: name it with --gpu NAME, --vram GIB or --ram GIB (`r1fit "
          "list hardware` shows the names it knows)");
    }
    const Bytes weights = claim_.estimate.weights.total();
    for (const Unsold& unsold : claim_.unsold) {
      if (unsold.memory && *unsold.memory < weights) {
        add("does_not_fit",
            gib_text(weights) + " of weights would not fit " + capacity_text(*unsold.memory) + " either.");
      }
    }
    return true;
  }

  // ---- fits -----------------------------------------------------------------------------------------------

  /// What the model takes with all of it in the memory that is claimed to hold it, and what there is of that.
  void weigh() {
    const Machine& machine = *claim_.machine;
    claim_.needed = taken_by(evaluate(catalog_, undivided(), roomy(machine)).placement, machine);
    Bytes usable;
    for (const Device& device : machine.devices) usable += device.budget;
    if (!machine.devices.empty()) {
      claim_.usable = usable;
    } else if (machine.host.ram) {
      claim_.usable = machine.host.budget;
    }
  }

  /// The question without layers or experts put into host memory by hand.
  [[nodiscard]] Question undivided() const {
    Question question = question_;
    question.placement = {};
    return question;
  }

  static Bytes taken_by(const Placement& placement, const Machine& machine) {
    if (machine.devices.empty()) return placement.host.total();
    Bytes sum;
    for (const DeviceUse& use : placement.devices) sum += use.total();
    return sum;
  }

  void too_large() {
    if (!claim_.usable) return;
    // Put into RAM by hand, not for want of room.
    if (question_.placement.any() && *claim_.needed <= *claim_.usable) return;
    const std::size_t devices = claim_.machine->devices.size();
    claim_.shortfall = std::max(claim_.estimate.placement.shortfall, *claim_.needed - *claim_.usable);
    std::string text = "It needs " + gib_text(*claim_.needed);
    text += devices == 0   ? " of RAM, of which "
            : devices == 1 ? " on the GPU, where "
                           : " on the GPUs, where ";
    text += gib_text(*claim_.usable) + " can be used: " + gib_text(*claim_.shortfall) + " short";
    // Whole layers do not divide as the sum does.
    if (devices > 1 && *claim_.needed <= *claim_.usable) text += " on the fullest";
    add("does_not_fit", text + ".");
  }

  void tight() {
    const Placement& placement = claim_.estimate.placement;
    switch (placement.strain) {
      case Strain::raised_limit:
        add("tight", "It is tight: it takes a raised limit of what the GPU may use (" +
                         claim_.machine->devices.front().stretch + ").");
        break;
      case Strain::tensors_by_hand:
        add("tight",
            "It is tight: whole layers do not divide over these cards, the expert tensors have to be placed "
            "one by one.");
        break;
      case Strain::none:
      case Strain::inside_margin:
        add("tight", "It is tight: less than the margin is left for anything else.");
        break;
    }
  }

  void fits() {
    if (unknown_hardware()) return;
    const Placement& placement = claim_.estimate.placement;
    weigh();
    if (placement.verdict == Verdict::tight) tight();
    if (placement.verdict <= Verdict::tight) return;
    claim_.verdict = ClaimVerdict::does_not_fit;
    too_large();
    if (placement.verdict == Verdict::offload) {
      const Speed& speed = claim_.estimate.speed;
      add("offload",
          "It runs with part of it in system RAM" +
              (speed.decode ? ", at " + tok_per_s_text(speed.decode->low, speed.decode->high) + " tok/s"
                            : std::string()) +
              ", which is not what \"fits\" promises.");
    }
    if (placement.verdict == Verdict::streams)
      add("streams", "Part of it would be read from disk for every token.");
  }

  // ---- a speed
  // ------------------------------------------------------------------------------------------------

  [[nodiscard]] bool above(TokensPerSecond limit) const {
    return claim_.claimed.speed.low - claim_.claimed.speed.low_half > limit;
  }

  /// Takes the speed of `estimate` on `machine` as what the claim is held against.
  void hold_against(const Estimate& estimate, const Machine& machine) {
    if (!estimate.speed.decode || !estimate.speed.limit)
      throw Error("the claim cannot be judged: " + estimate.speed.unknown);
    claim_.speed = estimate.speed;
    claim_.limit_steps.clear();
    const Speed best =
        speed_of(candidate_of(estimate), estimate.workload, fastest_of(machine), estimate.placement);
    if (best.split != nullptr) {
      // Devices that work at once are bounded by one of them.
      const DecodeStep& slowest = *std::ranges::max_element(
          best.steps, {}, [](const DecodeStep& step) { return step.work.read() / step.processor.bandwidth; });
      const BytesPerSecond bandwidth = slowest.processor.bandwidth;
      claim_.limit_steps.push_back(
          {slowest.where, BytesPerToken::of(bandwidth.count() / best.limit->count()), bandwidth});
    }
    for (const DecodeStep& step : best.steps) {
      if (best.split != nullptr) break;
      const BytesPerSecond bandwidth = step.processor.bandwidth;
      const auto same = std::ranges::find(claim_.limit_steps, bandwidth, &LimitStep::bandwidth);
      if (same != claim_.limit_steps.end()) {
        same->read += step.work.read();
      } else {
        claim_.limit_steps.push_back({step.where, step.work.read(), bandwidth});
      }
    }
    if (best.from_disk != BytesPerToken{} && machine.disk)
      claim_.limit_steps.push_back({"disk", best.from_disk, *machine.disk});
    claim_.limit = claim_.speed.limit;
    // Where hardware is not named the claim may be about the fastest of it.
    const Range<TokensPerSecond>& decode = best.decode ? *best.decode : *claim_.speed.decode;
    claim_.realistic = std::max(decode.typical, std::min(decode.high, *claim_.limit * kRealisticShare));
  }

  /// The claim held against what it has been given.
  void compare() {
    const ClaimedSpeed& claimed = claim_.claimed.speed;
    if (above(*claim_.limit)) {
      claim_.verdict = ClaimVerdict::impossible;
    } else if (claimed.high > *claim_.realistic) {
      claim_.verdict = ClaimVerdict::optimistic;
    } else if (claimed.high + claimed.high_half < claim_.speed.decode->low) {
      add("slow_side", "It is slower than is realistic: " + tok_per_s_text(claim_.speed.decode->typical) +
                           " tok/s are typical.");
    }
  }

  /// The least RAM beside the cards that would hold the rest: some desktop, or as much as the platform named
  /// takes. Nothing where none does.
  [[nodiscard]] bool assume_ram() {
    const HostMemory stated = claim_.machine->host;
    for (const Bytes ram : kRamSizes) {
      if (stated.platform != nullptr && stated.platform->max_memory && ram > *stated.platform->max_memory)
        break;
      Machine machine = *claim_.machine;
      machine.host = make_host(catalog_, ram, stated.platform, stated.bandwidth);
      const std::vector<const Host*>& hosts = machine.host.stand_ins;
      if (stated.platform == nullptr && (hosts.empty() || !hosts.front()->desktop)) break;
      Estimate estimate = evaluate(catalog_, question_, machine);
      if (estimate.placement.verdict > Verdict::offload) continue;
      claim_.assumed_ram = ram;
      claim_.machine = std::move(machine);
      claim_.estimate = std::move(estimate);
      return true;
    }
    return false;
  }

  void speed() {
    if (unknown_hardware()) return;
    const Verdict verdict = claim_.estimate.placement.verdict;
    const bool from_unknown_disk = verdict == Verdict::streams && !claim_.machine->disk;
    weigh();
    if (verdict == Verdict::tight) tight();
    if (verdict != Verdict::does_not_fit && !from_unknown_disk) {
      hold_against(claim_.estimate, *claim_.machine);
    } else {
      too_large();
      // First as though the memory were enough: what is above the limit even then is not mended by any.
      const Machine enough = roomy(*claim_.machine);
      hold_against(evaluate(catalog_, undivided(), enough), enough);
      if (!above(*claim_.limit)) {
        const bool may_have_ram = !unified(*claim_.machine) && !claim_.machine->host.ram;
        if (!may_have_ram || !assume_ram()) {
          claim_.verdict = ClaimVerdict::does_not_fit;
          if (may_have_ram)
            add("ram_unknown",
                "RAM is not stated, and the rest is more than that of a desktop: state it with --ram and "
                "--cpu.");
          if (from_unknown_disk)
            add("streams",
                "Part of it would be read from disk for every token; give the disk's rate with "
                "--disk-bandwidth.");
          return;
        }
        const std::string what = claim_.machine->devices.empty() ? "" : "the rest in ";
        add("ram_assumed", "RAM is not stated; judged with " + what + capacity_text(*claim_.assumed_ram) +
                               " of it" +
                               (claim_.machine->host.bandwidth
                                    ? std::string()
                                    : ", the limit with the fastest memory of a desktop, " +
                                          std::string(claim_.machine->host.stand_ins.back()->name)) +
                               ": the claim would have to say so.");
        hold_against(claim_.estimate, *claim_.machine);
      }
    }
    compare();
    exceptions();
    if (std::optional<Note> note = depth_note(claim_.estimate)) claim_.notes.push_back(std::move(*note));
  }

  /// What may honestly exceed the limit.
  void exceptions() {
    if (claim_.claimed.speed.high <= *claim_.limit) return;
    const bool moe = question_.model->shape->moe.has_value();
    add("speculative_decoding",
        std::string("Guessing tokens ahead (speculative decoding") +
            (moe ? ", or the model's own multi-token prediction" : "") +
            ") may exceed it, and so may the sum over several requests at once; the claim would have to say "
            "so.");
    const Placement& placement = claim_.estimate.placement;
    if (placement.devices.size() > 1 && placement.split == SplitMode::layer)
      add("split_mode",
          "Judged with the layers split over the cards, which work one after the other; a split of every "
          "layer, where the cards read at once, may exceed it" +
              by_tensor() + ".");
  }

  /// The best case of the same cards under --split tensor; empty where it is not modelled.
  [[nodiscard]] std::string by_tensor() const {
    Question question = undivided();
    question.engine = {};
    question.workload.split = SplitMode::tensor;
    const Machine machine = fastest_of(roomy(*claim_.machine));
    if (!split_objection(catalog_, question, machine).empty()) return {};
    const Speed speed = evaluate(catalog_, question, machine).speed;
    if (!speed.decode || !speed.limit) return {};
    return ": with --split tensor the best case is " + tok_per_s_text(speed.decode->high) + " tok/s, and " +
           tok_per_s_text(*speed.limit) + " at most";
  }

  // ---- sizes
  // --------------------------------------------------------------------------------------------------

  void unit() {
    if (!claim_.claimed.size.stated) add("unit", "A figure without a unit is taken for decimal GB.");
  }

  /// Whether the figure said in GB is what the size is in GiB.
  [[nodiscard]] bool is_gib_of(Bytes truth) const {
    constexpr double slack = 0.005;
    const ClaimedSize& claimed = claim_.claimed.size;
    if (claimed.binary) return false;
    const double off = std::abs(in_gb(claimed.size) - in_gib(truth));
    return off <= std::max(in_gb(claimed.half), slack * in_gib(truth));
  }

  void gib_as_gb(std::string what, Bytes truth) {
    add("gib_as_gb", "The figure is that of " + std::move(what) + " in GiB: " + gib_text(truth) + " are " +
                         gb_text(truth) + ".");
  }

  /// One card that holds anything, where the claim names none.
  [[nodiscard]] Machine some_card() const {
    Machine machine;
    machine.devices.push_back(make_nameless_device(catalog_, gib(24), {}, {}, {}));
    return machine;
  }

  void needs() {
    unit();
    const Machine machine = roomy(claim_.machine ? *claim_.machine : some_card());
    claim_.estimate = evaluate(catalog_, undivided(), machine);
    const Bytes need = taken_by(claim_.estimate.placement, machine);
    claim_.truth = claim_.needed = need;
    const ClaimedSize& claimed = claim_.claimed.size;
    const Bytes weights = claim_.estimate.weights.total();
    if (claimed.size < need && !is_near(claimed.size, need, claimed.half, kNeedTolerance)) {
      claim_.verdict = ClaimVerdict::understated;
      if (claimed.size + claimed.half < weights)
        add("below_weights", "The weights alone are " + gb_text(weights) + ".");
      if (is_gib_of(need)) {
        gib_as_gb("the need", need);
      } else if (is_gib_of(weights)) {
        gib_as_gb("the weights", weights);
      }
    } else if (ratio(claimed.size, need) > kGenerous) {
      add("more_than_needed", "It is more than is needed.");
    }
  }

  void file_size() {
    unit();
    const ClaimedSize& claimed = claim_.claimed.size;
    const Download& download = claim_.estimate.download;
    claim_.truth = download.size;
    const auto has_size = [&](Bytes size, Bytes uncertainty) {
      return is_near(claimed.size, size, claimed.half + uncertainty, kFileTolerance);
    };
    bool found = has_size(download.size, download.uncertainty);
    // Files of other makers count as well.
    for (const PublishedFile& file : catalog_.files) {
      found =
          found || (file.model == question_.model && plain_id(*file.quant) == plain_id(*question_.quant) &&
                    has_size(file.size, file.uncertainty));
    }
    if (found) return;
    claim_.verdict = claimed.size < download.size ? ClaimVerdict::understated : ClaimVerdict::impossible;
    if (is_gib_of(download.size)) gib_as_gb("the file", download.size);
    for (const PublishedFile& file : catalog_.files) {
      const bool alike =
          file.model != question_.model && plain_id(*file.quant) == plain_id(*question_.quant) &&
          std::abs((claimed.size - file.size).count()) <= (claimed.half + file.uncertainty).count();
      if (alike && (claim_.other == nullptr || (file.ollama && !claim_.other->ollama))) claim_.other = &file;
    }
    if (claim_.other != nullptr) {
      const PublishedFile& other = *claim_.other;
      std::string text = gb_text(other.size) + " is the file of " + std::string(other.model->name) + " as " +
                         std::string(plain_id(*other.quant));
      if (other.ollama && !other.repo.empty())
        text += ", which the Ollama tag " + std::string(other.repo) + " serves";
      add("other_model", text + ".");
    }
  }

  // ---- what would do it
  // -----------------------------------------------------------------------------------------

  struct Trial {
    const Gpu* gpu;
    Bytes memory;
    int count;
  };

  /// The question as it is asked of other hardware, which may be one card or of any backend: by layer.
  [[nodiscard]] Question elsewhere() const {
    Question question = undivided();
    question.workload.split = SplitMode::layer;
    return question;
  }

  /// Bytes of one token's reads with all on the devices.
  [[nodiscard]] BytesPerToken resident_reads() const {
    Machine machine;
    machine.devices.push_back(make_device(catalog_, catalog_.gpus.front(), gib(24), {}, {}, {}));
    BytesPerToken sum;
    for (const DecodeStep& step : evaluate(catalog_, elsewhere(), roomy(machine)).speed.steps)
      sum += step.work.read();
    return sum;
  }

  /// The first of `trials`, least first, that does what was claimed.
  void least(std::string_view kind, std::vector<Trial> trials, BytesPerToken reads) {
    const std::optional<TokensPerSecond> wanted = claim_.claimed.kind == ClaimKind::decode_tps
                                                      ? std::optional(claim_.claimed.speed.high)
                                                      : std::nullopt;
    const Weights& weights = claim_.estimate.weights;
    std::erase_if(trials, [&](const Trial& trial) {
      const bool too_small = trial.memory * trial.count < weights.total() - weights.token_embd;
      return too_small || (wanted && trial.gpu->bandwidth / reads < *wanted);
    });
    std::ranges::stable_sort(trials, {}, [](const Trial& trial) {
      constexpr int unknown_price = 1'000'000;
      return std::tuple(rank_of(trial.gpu->device_class), trial.memory * trial.count, trial.count,
                        trial.gpu->msrp_usd.value_or(unknown_price), trial.gpu->bandwidth);
    });
    std::optional<Alternative> tight;
    const Candidate candidate{question_.model, question_.quant, &weights};
    const Workload workload = elsewhere().workload;
    for (const Trial& trial : trials) {
      const Machine machine = machine_of(catalog_, {trial.gpu, trial.memory}, trial.count);
      const Placement placement = place(candidate, workload, machine);
      if (placement.verdict > Verdict::tight || placement.strain == Strain::tensors_by_hand) continue;
      const bool is_tight = placement.verdict == Verdict::tight;
      if (is_tight && tight) continue;
      const Speed speed = speed_of(candidate, workload, machine, placement);
      if (wanted && !(speed.decode && speed.decode->typical >= *wanted)) continue;
      const Alternative found{kind, trial.gpu, trial.count, trial.memory, is_tight, speed.decode};
      if (!is_tight) {
        claim_.instead.push_back(found);
        return;
      }
      tight = found;
    }
    if (tight) claim_.instead.push_back(*tight);
  }

  void seek() {
    claim_.sought = true;
    std::vector<Trial> one;
    std::vector<Trial> several;
    std::vector<Trial> apple;
    for (const SoldDevice& device : sold_devices(catalog_)) {
      const Gpu& gpu = *device.gpu;
      if (gpu.vendor == Vendor::apple) {
        apple.push_back({&gpu, device.memory, 1});
      } else if (rank_of(gpu.device_class) >= 0) {
        one.push_back({&gpu, device.memory, 1});
        for (const int count : kMoreCards) {
          if (count <= kMostCardsAtHome || gpu.device_class == DeviceClass::datacenter)
            several.push_back({&gpu, device.memory, count});
        }
      }
    }
    const BytesPerToken reads = resident_reads();
    least("card", std::move(one), reads);
    if (!claim_.instead.empty()) {
      // Several of a card that is no lesser one than the single card are no alternative to it.
      const Gpu& single = *claim_.instead.front().gpu;
      std::erase_if(several, [&single](const Trial& trial) {
        return rank_of(trial.gpu->device_class) >= rank_of(single.device_class) &&
               trial.gpu->bandwidth >= single.bandwidth;
      });
    }
    least("cards", std::move(several), reads);
    least("apple", std::move(apple), reads);
  }

  const Catalog& catalog_;
  const Question& question_;
  Claim claim_;
};

}  // namespace

std::string_view word(ClaimKind kind) { return kKindWords[static_cast<std::size_t>(kind)]; }
std::string_view word(ClaimVerdict verdict) { return kVerdictWords[static_cast<std::size_t>(verdict)]; }

Claim judge(const Catalog& catalog, const Question& question, const ClaimedHardware& hardware,
            const Claimed& claimed) {
  return Judge(catalog, question, hardware, claimed).run();
}

}  // namespace r1fit
