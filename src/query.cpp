#include "r1fit/query.hpp"

#include <algorithm>

#include "r1fit/candidate_machines.hpp"
#include "r1fit/commands.hpp"
#include "r1fit/error.hpp"
#include "r1fit/lookup.hpp"
#include "r1fit/units_text.hpp"

namespace r1fit {
namespace {

constexpr std::ptrdiff_t kMostCards = 64;

WiredLimit wired_limit(const HardwareQuery& query, Bytes memory) {
  if (query.wired_limit) return {*query.wired_limit};
  if (query.wired_limit_share) return {share(memory, *query.wired_limit_share)};
  return {};
}

/// A memory size that was never sold, as a claim may have it: said in `unsold`, and returned as it was asked
/// for. Nothing for every other answer.
std::optional<FoundGpu> unsold_size(const GpuLookup& answer, Text name, std::vector<Unsold>& unsold) {
  WrongMemory wrong;
  if (const auto* found = std::get_if<FoundGpu>(&answer)) {
    if (!found->memory || sold_with(*found->gpu, *found->memory)) return std::nullopt;
    wrong = {{found->gpu}, *found->memory};
  } else if (const auto* other = std::get_if<WrongMemory>(&answer)) {
    wrong = *other;
  } else {
    return std::nullopt;
  }
  // Of several variants the one that favours the claim.
  const Gpu* fastest = *std::ranges::max_element(wrong.candidates, {}, &Gpu::bandwidth);
  std::vector<Bytes> sizes;
  for (const Gpu* gpu : wrong.candidates) sizes.insert(sizes.end(), gpu->memory.begin(), gpu->memory.end());
  std::ranges::sort(sizes);
  unsold.push_back({problem(wrong, name), fastest, wrong.asked, std::move(sizes)});
  return FoundGpu{fastest, wrong.asked};
}

/// What else uses the next card: what was said of the first one, else what its driver reports.
Reserve own_reserve(const Reserve& reserve, const GpuQuery& asked, const Machine& machine) {
  if (machine.devices.empty() && reserve.stated) return reserve;
  if (asked.in_use) return {true, asked.in_use, nullptr};
  return {reserve.stated, std::nullopt, nullptr};
}

/// With `unsold` hardware that was never sold is no mistake: see ClaimedHardware.
void add_named(const Catalog& catalog, const HardwareQuery& query, const GpuQuery& asked, Machine& machine,
               const Reserve& reserve, std::vector<Unsold>* unsold) {
  const CountedName counted = parse_counted_name(asked.name);
  std::optional<FoundGpu> claimed;
  if (unsold != nullptr) {
    claimed = unsold_size(find_gpu(catalog, counted.name, asked.memory), counted.name, *unsold);
  }
  const FoundGpu found = claimed ? *claimed : gpu_named(catalog, counted.name, asked.memory);
  const Bytes memory = claimed ? *claimed->memory : resolve_memory(*found.gpu, found.memory);
  if (query.backend && !runs_on(*query.backend, found.gpu->vendor)) {
    throw Error("--backend " + std::string(word(*query.backend)) + " does not run on " +
                std::string(found.gpu->name));
  }
  for (int i = 0; i < counted.count * asked.count; ++i) {
    machine.devices.push_back(make_device(catalog, *found.gpu, memory, query.backend,
                                          own_reserve(reserve, asked, machine), wired_limit(query, memory)));
    if (asked.reported) apply_reported(*asked.reported, machine.devices.back());
  }
}

void add_nameless(const Catalog& catalog, const HardwareQuery& query, const GpuQuery& asked, Machine& machine,
                  const Reserve& reserve) {
  for (int i = 0; i < asked.count; ++i) {
    machine.devices.push_back(make_nameless_device(catalog, *asked.memory, asked.bandwidth, query.backend,
                                                   own_reserve(reserve, asked, machine)));
    if (asked.reported) apply_reported(*asked.reported, machine.devices.back());
  }
}

Reserve reserve_of(const Catalog& catalog, const HardwareQuery& query) {
  Reserve reserve;
  reserve.fixed = query.reserve;
  reserve.stated = query.reserve || !query.desktop.empty();
  const auto desktop = std::ranges::find(catalog.desktops, Text(query.desktop), &DesktopReserve::id);
  if (desktop != catalog.desktops.end()) reserve.desktop = &*desktop;
  return reserve;
}

const Quant& default_quant(const Catalog& catalog) { return quant_named(catalog, "Q4_K_M"); }

}  // namespace

namespace {

Machine built_machine(const Catalog& catalog, const HardwareQuery& query, const Engine* engine,
                      std::vector<Unsold>* unsold) {
  if (query.empty()) {
    throw Error(
        std::string(query.detected ? "nothing can be read of this machine: " : "") +
        "name the hardware: --gpu NAME, --vram GIB or --ram GIB (`r1fit list hardware` shows the names it "
        "knows)");
  }
  Machine machine;
  machine.disk = query.disk_bandwidth;
  machine.downlink = query.downlink;
  machine.desktop = query.desktop;
  machine.detected = query.detected;
  const Reserve reserve = reserve_of(catalog, query);
  for (const GpuQuery& asked : query.gpus) {
    if (asked.name.empty()) {
      add_nameless(catalog, query, asked, machine, reserve);
    } else {
      add_named(catalog, query, asked, machine, reserve, unsold);
    }
    if (std::ssize(machine.devices) > kMostCards)
      throw Error("at most " + std::to_string(kMostCards) + " cards can be planned");
  }
  const bool apple = std::ranges::any_of(machine.devices, [](const Device& device) {
    return device.gpu != nullptr && device.gpu->vendor == Vendor::apple;
  });
  const auto sharing = std::ranges::find_if(machine.devices, &Device::unified);
  const bool unified = sharing != machine.devices.end();
  if ((query.wired_limit || query.wired_limit_share) && !apple)
    throw Error("--wired-limit is about Apple chips");
  if (unified && machine.devices.size() > 1) {
    throw Error(sharing->name + " shares its memory with the CPU and cannot be combined with other cards");
  }
  const std::optional<Bytes> stated_ram = unified && query.ram_detected ? std::nullopt : query.ram;
  if (unified && stated_ram) {
    throw Error("--ram does not go with " + machine.devices.front().name +
                ", whose memory is the system's: use --memory");
  }
  const bool wants_gpu = query.backend && *query.backend != Backend::cpu;
  if (wants_gpu && machine.devices.empty()) {
    throw Error("--backend " + std::string(word(*query.backend)) +
                " needs a card: name it with --gpu or --vram");
  }
  if (query.backend == Backend::metal && !apple)
    throw Error("--backend metal is about Apple chips: name one with --gpu");
  keep_free(machine, engine);
  order_devices(machine);
  const Host* platform = query.cpu.empty() ? nullptr : &host_named(catalog, query.cpu);
  if (query.backend == Backend::cpu) {
    std::optional<Bytes> ram = stated_ram;
    if (unified) ram = machine.devices.front().capacity;
    machine.devices.clear();
    machine.host = make_host(catalog, ram, platform, query.ram_bandwidth);
  } else {
    machine.host = make_host(catalog, stated_ram, platform, query.ram_bandwidth);
  }
  machine.host.cores = query.cores;
  return machine;
}

}  // namespace

Machine build_machine(const Catalog& catalog, const HardwareQuery& query, const Engine* engine) {
  return built_machine(catalog, query, engine, nullptr);
}

ClaimedHardware build_claimed_hardware(const Catalog& catalog, const HardwareQuery& query,
                                       const Engine* engine) {
  ClaimedHardware hardware;
  if (query.empty()) return hardware;
  // Without the devices that never were the rest may be no machine at all.
  for (const GpuQuery& asked : query.gpus) {
    if (asked.name.empty()) continue;
    const Text name = parse_counted_name(asked.name).name;
    const GpuLookup answer = find_gpu(catalog, name, asked.memory);
    if (std::holds_alternative<NeverSold>(answer))
      hardware.unsold.push_back({problem(answer, name), nullptr, asked.memory, {}});
  }
  if (hardware.unsold.empty()) hardware.machine = built_machine(catalog, query, engine, &hardware.unsold);
  return hardware;
}

namespace {

EngineChoice chosen_engine(const Catalog& catalog, const NeedsQuery& query) {
  EngineChoice engine = engine_choice(catalog, query.engine);
  if (query.context == ContextChoice::by_engine && engine.release == nullptr) {
    throw Error(engine ? "--ctx default: what " + std::string(engine->name) + " takes by itself is not known"
                       : "--ctx default needs --engine: the default is the engine's own");
  }
  return engine;
}

/// What is asked of the model that `question` names.
void ask(Question& question, const NeedsQuery& query) {
  question.workload = as_released(question.engine, query.said, query.workload, *question.model);
  question.placement = query.placement;
  if (query.context == ContextChoice::longest) question.workload.context = question.model->max_context;
}

}  // namespace

Question build_question(const Catalog& catalog, const NeedsQuery& query) {
  if (query.models.size() != 1) throw Error("name one model");
  const ModelAndQuant named = model_and_quant_named(catalog, query.models.front());
  Question question;
  question.model = named.model;
  question.quant = named.quant;
  if (!query.quants.empty()) {
    const Quant& quant = quant_named(catalog, query.quants.front());
    if (question.quant != nullptr && question.quant != &quant) {
      throw Error("MODEL says " + std::string(question.quant->id) + " and --quant " + std::string(quant.id));
    }
    question.quant = &quant;
  }
  if (question.quant == nullptr) question.quant = &default_quant(catalog);
  question.engine = chosen_engine(catalog, query);
  question.quant = &as_served(catalog, *question.model, *question.quant, question.engine);
  ask(question, query);
  return question;
}

Question build_question(const Catalog& catalog, const FileModel& file, const NeedsQuery& query) {
  if (query.workload.legacy_gguf) throw Error("--legacy-gguf: the file itself says how it was made");
  if (query.workload.imatrix) throw Error("--no-imatrix: the file itself says how it was made");
  Question question;
  question.model = &file.model;
  question.quant = file.quant;
  question.file = &file.file;
  question.engine = chosen_engine(catalog, query);
  ask(question, query);
  // Nobody asked for more than the model has.
  if (!query.said.context)
    question.workload.context = std::min(question.workload.context, file.model.max_context);
  if (question.workload.legacy_gguf && !file.legacy_gguf) {
    throw Error("--engine " + query.engine + " is older than the MLA tensors of " + file.file.path +
                " and does not read it");
  }
  question.workload.legacy_gguf = file.legacy_gguf;
  return question;
}

void settle_context(Question& question, const NeedsQuery& query, const Machine& machine) {
  if (query.context != ContextChoice::by_engine) return;
  question.workload.context = default_context(*question.engine.release, gpu_memory(machine), *question.model);
}

Requirements requirements_of(const NeedsQuery& query, Verdict verdict) {
  return {verdict, query.min_tps, query.min_context, query.max_answer, query.pessimistic};
}

Question build_plan_question(const Catalog& catalog, const NeedsQuery& query) {
  if (query.context == ContextChoice::by_engine)
    throw Error("--ctx default depends on the hardware, which is what is sought: state the context");
  Question question = build_question(catalog, query);
  if (query.min_context) {
    Tokens& context = question.workload.context;
    context = query.context_said ? std::max(context, *query.min_context) : *query.min_context;
    if (context > question.model->max_context) {
      throw Error("--min-ctx " + std::to_string(query.min_context->count()) + " is more than " +
                  std::string(question.model->id) + " supports: " + count_text(question.model->max_context) +
                  " tokens");
    }
  }
  return question;
}

RecommendRequest build_request(const Catalog& catalog, const NeedsQuery& query) {
  RecommendRequest request;
  request.engine = chosen_engine(catalog, query);
  for (const std::string& name : query.models) {
    const ModelAndQuant named = model_and_quant_named(catalog, name);
    if (named.quant != nullptr) {
      throw Error("--model " + name +
                  " names a quantisation too; give it with --quant, or ask with `r1fit check`");
    }
    if (std::ranges::find(request.models, named.model) == request.models.end())
      request.models.push_back(named.model);
  }
  for (const std::string& name : query.quants) {
    const Quant& quant = quant_named(catalog, name);
    if (std::ranges::find(request.quants, &quant) == request.quants.end()) request.quants.push_back(&quant);
  }
  request.workload = query.workload;
  request.placement = query.placement;
  request.context = query.context;
  request.said = query.said;
  request.use = query.use;
  request.prefer = query.prefer;
  request.all = query.all;
  request.required = requirements_of(query, Verdict::offload);
  return request;
}

CompareQuestion build_compare_question(const Catalog& catalog, const NeedsQuery& query) {
  NeedsQuery of_all = query;
  of_all.models.clear();
  CompareQuestion question{build_request(catalog, of_all), {}};
  if (query.models.empty()) return question;
  ModelAndQuant& chosen = question.chosen;
  chosen = model_and_quant_named(catalog, query.models.front());
  const std::vector<const Quant*>& quants = question.request.quants;
  if (chosen.quant != nullptr && !quants.empty() && std::ranges::find(quants, chosen.quant) == quants.end()) {
    throw Error("--model says " + std::string(chosen.quant->id) + " and --quant " +
                std::string(quants.front()->id));
  }
  if (chosen.quant == nullptr && quants.size() == 1) chosen.quant = quants.front();
  if (chosen.quant != nullptr)
    chosen.quant = &as_served(catalog, *chosen.model, *chosen.quant, question.request.engine);
  return question;
}

}  // namespace r1fit
