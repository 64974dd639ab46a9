#include "r1fit/cli.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>
#include <set>

#include "r1fit/batch.hpp"
#include "r1fit/bench_output.hpp"
#include "r1fit/calibrate.hpp"
#include "r1fit/calibration_store.hpp"
#include "r1fit/catalog_export.hpp"
#include "r1fit/catalog_folder.hpp"
#include "r1fit/check.hpp"
#include "r1fit/claim.hpp"
#include "r1fit/command_line.hpp"
#include "r1fit/compare.hpp"
#include "r1fit/completion.hpp"
#include "r1fit/detect.hpp"
#include "r1fit/detect_host.hpp"
#include "r1fit/error.hpp"
#include "r1fit/flag_values.hpp"
#include "r1fit/gguf_file.hpp"
#include "r1fit/inspect.hpp"
#include "r1fit/lookup.hpp"
#include "r1fit/machine_words.hpp"
#include "r1fit/plan.hpp"
#include "r1fit/prices.hpp"
#include "r1fit/report.hpp"
#include "r1fit/report_calibration.hpp"
#include "r1fit/suggest.hpp"
#include "r1fit/this_machine.hpp"
#include "r1fit/units_text.hpp"

namespace r1fit {
namespace {

/// As many rows as a screen has room for beside the pick.
constexpr int kRows = 5;

/// Batch answers are put out in pieces of about this size, not a line at a time.
constexpr std::size_t kBatchPiece = 1 << 16;

/// One line whatever the names in the sentence are made of, and nothing that a terminal would obey.
std::string on_one_line(std::string_view sentence) {
  std::string line = "r1fit: ";
  for (const char c : sentence) line += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
  return line + "\n";
}

/// The text of the file of a benchmark.
std::string read_bench(const std::string& path) {
  std::error_code fault;
  if (std::filesystem::is_directory(path, fault)) throw Error(path + ": is a folder");
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(path + ": " + std::strerror(errno));
  std::string text(kLargestBench + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) throw Error(path + ": cannot be read");
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

class Program {
 public:
  Program(CommandLine line, const World& world) : line_(std::move(line)), world_(world) {}

  ExitStatus run() {
    if (line_.action == Action::print) return print(line_.text, ExitStatus::yes);
    if (!line_.catalog.empty()) loaded_ = load_catalog(read_catalog_folder(line_.catalog), line_.catalog);
    options_.style = decide_style(line_.color, world_.environment);
    options_.verbose = line_.verbose;
    options_.explain = line_.explain;
    options_.top = line_.top.value_or(line_.needs.all ? 0 : kRows);
    switch (line_.action) {
      case Action::recommend:
        return recommended();
      case Action::check:
        return checked();
      case Action::estimate:
        return estimated();
      case Action::claim:
        return claimed();
      case Action::plan:
        return planned();
      case Action::compare:
        return compared();
      case Action::inspect:
        return inspected();
      case Action::detect:
        return detected();
      case Action::calibrate:
        return calibrated();
      case Action::batch:
        return batch();
      case Action::list:
        return listed();
      case Action::show:
        return shown();
      case Action::catalog_check:
        return catalog_checked();
      case Action::catalog_export:
        return catalog_exported();
      case Action::completion:
        return print(completion_script(line_.shell, program_doc(), catalog()), ExitStatus::yes);
      case Action::print:
        break;
    }
    return ExitStatus::broken;
  }

 private:
  [[nodiscard]] const Catalog& catalog() const { return loaded_ ? loaded_->catalog : builtin_catalog(); }

  [[nodiscard]] ExitStatus print(std::string_view text, ExitStatus status) const {
    if (line_.quiet || world_.out(text)) return status;
    throw Error("cannot write the answer: " + std::string(std::strerror(errno)), ExitStatus::broken);
  }

  /// Says of names of hardware that mean nothing which flag has them. With `unsold` what was never sold is
  /// part of an answer.
  void see_names(const HardwareQuery& said, bool unsold) const {
    for (const GpuQuery& asked : said.gpus) {
      if (asked.name.empty()) continue;
      std::string_view flag = "--gpu: ";
      try {
        const std::string_view name = parse_counted_name(asked.name).name;
        const GpuLookup answer = find_gpu(catalog(), name, asked.memory);
        const bool sized_only = std::holds_alternative<WrongMemory>(answer) ||
                                (asked.memory && std::holds_alternative<FoundGpu>(answer));
        if (unsold && (sized_only || std::holds_alternative<NeverSold>(answer))) continue;
        if (sized_only && asked.memory) flag = "--memory: ";
        const FoundGpu found = gpu_named(catalog(), name, asked.memory);
        if (!unsold || !found.memory) resolve_memory(*found.gpu, found.memory);
      } catch (const Error& error) {
        throw Error(std::string(flag) + error.what(), error.status());
      }
    }
    if (said.cpu.empty()) return;
    try {
      host_named(catalog(), said.cpu);
    } catch (const Error& error) {
      throw Error(std::string("--cpu: ") + error.what(), error.status());
    }
  }

  /// What was named, or this machine where nothing was; --here: this machine with what was named instead.
  [[nodiscard]] HardwareQuery hardware() const {
    const HardwareQuery& said = line_.hardware;
    see_names(said, line_.action == Action::claim);
    if (!said.here && !said.empty()) return said;
    if (world_.probe == nullptr) return said;
    return overridden(query_of(catalog(), detect(catalog(), *world_.probe)), said);
  }

  /// A claim without hardware is judged without any.
  [[nodiscard]] HardwareQuery claimed_hardware() const {
    if (line_.hardware.here) return hardware();
    see_names(line_.hardware, true);
    return line_.hardware;
  }

  ExitStatus detected() const {
    if (world_.probe == nullptr) throw Error("this machine cannot be looked at", ExitStatus::broken);
    const Detected machine = detect(catalog(), *world_.probe);
    std::optional<MemoryRate> measured;
    if (line_.measure) measured = measure(machine);
    return print(report(line_.format, machine, flags_of(query_of(catalog(), machine)), measured, options_),
                 ExitStatus::yes);
  }

  [[nodiscard]] MemoryRate measure(const Detected& machine) const {
    MemoryRateRequest request;
    if (machine.ram.available) request.available = machine.ram.available->value;
    request.cache = last_level_cache(*world_.probe);
    request.threads = machine.cpu.threads ? machine.cpu.threads->value : 1;
    if (machine.cpu.limit) request.threads = machine.cpu.limit->value;
    const auto progress = [&](double share) {
      if (!world_.environment.err_is_tty || line_.quiet) return;
      world_.err(share < 1 ? "\rreading memory: " + std::to_string(static_cast<int>(share * 100)) + " %"
                           : "\r\x1b[K");
    };
    if (const auto measured = world_.measure(request, progress)) return *measured;
    throw Error(
        "--measure needs four times the memory it reads, which is four times the caches and 256 MiB at "
        "least; " +
            (request.available ? gib_text(*request.available) + " are available"
                               : "what is available is not known"),
        ExitStatus::broken);
  }

  /// The runs kept; an answer can do without those that cannot be read, `calibrate` cannot.
  [[nodiscard]] std::vector<KeptRun> kept_runs() const {
    try {
      return read_store(world_.data_folder);
    } catch (const Error& error) {
      throw Error(error.what() + std::string("; --no-calibration answers without it"), error.status());
    }
  }

  /// `machine` with what the user measured on its hardware.
  [[nodiscard]] Machine with_own(Machine machine) const {
    if (line_.no_calibration || world_.data_folder.empty()) return machine;
    std::vector<OwnMeasurement> measurements;
    for (const KeptRun& run : kept_runs()) {
      if (const auto found = found_in(catalog(), run)) measurements.push_back(*found);
    }
    add_own(catalog(), measurements, machine);
    return machine;
  }

  ExitStatus recommended() const {
    const RecommendRequest request = build_request(catalog(), line_.needs);
    const Machine machine = with_own(build_machine(catalog(), hardware(), request.engine.engine));
    Recommendations result = recommend(catalog(), request, machine);
    for (Recommendation& row : result.ranked) cite(catalog(), machine, row.estimate);
    return print(report(line_.format, result, request, machine, options_),
                 result.ranked.empty() ? ExitStatus::no : ExitStatus::yes);
  }

  ExitStatus checked() const {
    Question question = build_question(catalog(), line_.needs);
    const Machine machine = with_own(build_machine(catalog(), hardware(), question.engine.engine));
    settle_context(question, line_.needs, machine);
    Check result = check(catalog(), question, machine, requirements_of(line_.needs, line_.required));
    cite(catalog(), machine, result.estimate);
    return print(report(line_.format, result, machine, options_),
                 result.ok() ? ExitStatus::yes : ExitStatus::no);
  }

  ExitStatus estimated() const {
    Question question = build_question(catalog(), line_.needs);
    const Machine machine = with_own(build_machine(catalog(), hardware(), question.engine.engine));
    settle_context(question, line_.needs, machine);
    Estimate result = estimate(catalog(), question, machine);
    cite(catalog(), machine, result);
    return print(report(line_.format, result, machine, options_), ExitStatus::yes);
  }

  ExitStatus claimed() const {
    Question question = build_question(catalog(), line_.needs);
    const ClaimedHardware hardware =
        build_claimed_hardware(catalog(), claimed_hardware(), question.engine.engine);
    if (hardware.machine) {
      settle_context(question, line_.needs, *hardware.machine);
    } else if (line_.needs.context == ContextChoice::by_engine) {
      throw Error("--ctx default depends on the hardware: name it, or the context");
    }
    const Claim result = judge(catalog(), question, hardware, line_.claimed);
    return print(report(line_.format, result, options_),
                 result.plausible() ? ExitStatus::yes : ExitStatus::no);
  }

  ExitStatus planned() const {
    const Question question = build_plan_question(catalog(), line_.needs);
    PlanNeeds needs = line_.plan;
    needs.min_tps = line_.needs.min_tps;
    if (!line_.prices.empty()) needs.prices = read_prices(catalog(), line_.prices);
    const Plan result = plan(catalog(), question, needs);
    return print(report(line_.format, result, options_),
                 result.found == 0 ? ExitStatus::no : ExitStatus::yes);
  }

  /// Where a machine and the word behind it would be one: the quotes are missing.
  [[nodiscard]] std::string quotes_hint(std::size_t machine) const {
    if (machine + 1 >= line_.machines.size()) return "";
    const std::string both = line_.machines[machine] + " " + line_.machines[machine + 1];
    try {
      parse_machine(catalog(), both);
    } catch (const Error&) {
      return "";
    }
    return "; write " + in_quotes(both) + " as one word, in quotes";
  }

  ExitStatus compared() const {
    const CompareQuestion question = build_compare_question(catalog(), line_.needs);
    const RecommendRequest& request = question.request;
    std::vector<NamedMachine> machines;
    for (const std::string& asked : line_.machines) {
      try {
        const HardwareQuery hardware = parse_machine(catalog(), asked);
        machines.push_back({asked, build_machine(catalog(), hardware, request.engine.engine)});
      } catch (const Error& error) {
        throw Error("machine " + std::to_string(machines.size() + 1) + ", " + in_quotes(asked) + ": " +
                    error.what() + quotes_hint(machines.size()));
      }
    }
    const Comparison result = compare(catalog(), request, question.chosen, std::move(machines));
    return print(report(line_.format, result, request, options_), ExitStatus::yes);
  }

  ExitStatus inspected() const {
    const GgufFile file = read_gguf_file(line_.name, catalog().tensor_types);
    const Inspection inspection = inspect(catalog(), file.header, file.path);
    InspectionResult result{&inspection, nullptr, nullptr};
    if (line_.hardware.empty() && !line_.hardware.here)
      return print(report(line_.format, result, options_), ExitStatus::yes);
    if (inspection.model == nullptr)
      throw Error(file.path + ": no estimate of it can be made: " + inspection.why_not);
    see_names(line_.hardware, false);
    Question question = build_question(catalog(), *inspection.model, line_.needs);
    const Machine machine = with_own(build_machine(catalog(), hardware(), question.engine.engine));
    settle_context(question, line_.needs, machine);
    result.machine = &machine;
    if (!runs_nowhere(inspection).empty())
      return print(report(line_.format, result, options_), ExitStatus::no);
    // Whatever runs at all is a yes; how well it does is for the reader to judge.
    Check check = r1fit::check(catalog(), question, machine, {Verdict::streams});
    cite(catalog(), machine, check.estimate);
    result.check = &check;
    return print(report(line_.format, result, options_), check.ok() ? ExitStatus::yes : ExitStatus::no);
  }

  ExitStatus calibrated() const {
    const std::filesystem::path folder = world_.data_folder;
    if (folder.empty())
      throw Error("there is nowhere to keep it: set XDG_DATA_HOME or HOME", ExitStatus::broken);
    CalibrationReport result{store_path(folder).string(), {}, {}};
    if (!line_.forget.empty()) return forgotten(folder);
    if (line_.list_runs) {
      result.runs = result.kept = read_store(folder);
    } else {
      result.runs = benched();
      change_store(folder, [&](std::vector<KeptRun>& runs) {
        keep(runs, result.runs);
        result.kept = runs;
      });
    }
    return print(report(line_.format, result, catalog(), options_), ExitStatus::yes);
  }

  /// The runs of all files, none of which is kept where one file is at fault.
  [[nodiscard]] std::vector<KeptRun> benched() const {
    see_names(line_.hardware, false);
    const CalibrateQuery query{line_.hardware, line_.needs, line_.ran_kv};
    std::vector<KeptRun> all;
    for (const std::string& file : line_.files) {
      const std::string name = file == "-" ? "stdin" : file;
      std::vector<std::string> aside;
      bool any = false;
      for (const BenchRun& run :
           parse_bench_output(name, file == "-" ? standard_input() : read_bench(file))) {
        if (const std::string why = set_aside(catalog(), run, query); !why.empty()) {
          aside.push_back(run.where + ": " + why);
          continue;
        }
        any = true;
        keep(all, {identified(catalog(), run, query, name, world_.today())});
      }
      const std::string_view reason =
          ": the split decides such a speed, so it tells of no hardware by itself";
      if (!any) throw Error(aside.front() + std::string(reason));
      for (const std::string& one : aside) world_.err(on_one_line("left aside " + one));
    }
    return all;
  }

  [[nodiscard]] std::string standard_input() const {
    std::string text;
    while (const std::optional<std::string> line = world_.line()) {
      text += *line + "\n";
      if (text.size() > kLargestBench) break;
    }
    return text;
  }

  ExitStatus forgotten(const std::filesystem::path& folder) const {
    std::size_t number = 0;
    const bool none = !std::filesystem::exists(store_path(folder));
    if (!none) {
      change_store(folder, [&](std::vector<KeptRun>& runs) {
        const std::string id = line_.forget == "all" ? "" : kept_id(runs);
        number = std::erase_if(runs, [&](const KeptRun& run) {
          return id.empty() || run.host == id || std::ranges::find(run.gpus, id) != run.gpus.end();
        });
      });
    } else if (line_.forget != "all") {
      throw Error("no run of yours is kept");
    }
    return print("forgotten: " + std::to_string(number) + (number == 1 ? " run\n" : " runs\n"),
                 ExitStatus::yes);
  }

  /// The id among those kept that --forget means.
  [[nodiscard]] std::string kept_id(const std::vector<KeptRun>& runs) const {
    std::set<std::string> ids;
    for (const KeptRun& run : runs) {
      ids.insert(run.gpus.begin(), run.gpus.end());
      if (!run.host.empty()) ids.insert(run.host);
    }
    std::string wanted = line_.forget;
    const GpuLookup gpu = find_gpu(catalog(), wanted);
    const Lookup<Host> host = find_host(catalog(), wanted);
    if (const auto* found = std::get_if<FoundGpu>(&gpu)) wanted = found->gpu->id;
    if (const auto* found = std::get_if<const Host*>(&host)) wanted = (*found)->id;
    if (ids.contains(wanted)) return wanted;
    std::string all;
    for (const std::string& id : ids) all += (all.empty() ? "" : ", ") + id;
    throw Error("no run on " + in_quotes(line_.forget) +
                " is kept; there are some on: " + (all.empty() ? "none" : all));
  }

  ExitStatus batch() const {
    std::string pending;
    bool faults = false;
    while (std::optional<std::string> text = world_.line()) {
      if (text->size() > kLongestLine) {
        // Its end may never come, and what follows it is not known to be a line.
        static_cast<void>(print(pending, ExitStatus::yes));
        throw Error("stdin: a line too large for a request");
      }
      if (text->find_first_not_of(" \t\r") == std::string::npos) continue;
      pending += batch_answer(*text, faults);
      if (pending.size() < kBatchPiece) continue;
      static_cast<void>(print(pending, ExitStatus::yes));
      pending.clear();
    }
    return print(pending, faults ? ExitStatus::no : ExitStatus::yes);
  }

  [[nodiscard]] std::string batch_answer(const std::string& text, bool& faults) const {
    std::string id;
    try {
      const BatchRequest request = parse_batch_request(text);
      id = request.id_json;
      Question question = build_question(catalog(), request.needs);
      const Machine machine = build_machine(catalog(), request.hardware, question.engine.engine);
      settle_context(question, request.needs, machine);
      if (request.answer == BatchAnswer::estimate)
        return batch_line(id, estimate(catalog(), question, machine), machine);
      Estimate found = evaluate(catalog(), question, machine);
      found.max_context = max_context(candidate_of(found), question.workload, machine, found.placement);
      return batch_memory_line(id, found, machine);
    } catch (const BatchFault& fault) {
      faults = true;
      return batch_error_line(fault.id_json, fault.sentence);
    } catch (const Error& error) {
      faults = true;
      return batch_error_line(id, error.what());
    }
  }

  ExitStatus listed() const {
    const auto found = std::ranges::find(kListingWords, std::string_view(line_.name));
    const auto listing = static_cast<Listing>(found - std::begin(kListingWords));
    return print(report_list(line_.format, listing, catalog(), options_), ExitStatus::yes);
  }

  /// The record of a name that may be of any kind; where none is, the nearest of all kinds.
  ExitStatus shown() const {
    const Text name = line_.name;
    const Catalog& all = catalog();
    const GpuLookup gpu = find_gpu(all, name);
    if (const auto* found = std::get_if<FoundGpu>(&gpu)) return show(*found->gpu);
    const Lookup<Model> model = find_model(all, name);
    if (const auto* found = std::get_if<const Model*>(&model)) return show(**found);
    const Lookup<Quant> quant = find_quant(all, name);
    if (const auto* found = std::get_if<const Quant*>(&quant)) return show(**found);
    const Lookup<Host> host = find_host(all, name);
    if (const auto* found = std::get_if<const Host*>(&host)) return show(**found);
    const Lookup<Engine> engine = r1fit::find_engine(all, name);
    if (const auto* found = std::get_if<const Engine*>(&engine)) return show(**found);
    if (!std::holds_alternative<Unknown>(gpu)) throw Error(problem(gpu, name));
    if (std::holds_alternative<Ambiguous<Model>>(model)) model_named(all, name);  // throws the sentence
    if (std::holds_alternative<Ambiguous<Host>>(host)) host_named(all, name);
    std::vector<Text> ids;
    for (const Model& one : all.models) ids.push_back(one.id);
    for (const Gpu& one : all.gpus) ids.push_back(one.id);
    for (const Host& one : all.hosts) ids.push_back(one.id);
    for (const Quant& one : all.quants) ids.push_back(one.id);
    for (const Engine& one : all.engines) ids.push_back(one.id);
    throw Error("the catalogue has no " + in_quotes(name) + nearest_clause(nearest(name, ids)));
  }

  template <class Record>
  ExitStatus show(const Record& record) const {
    return print(report_record(line_.format, record, catalog(), options_), ExitStatus::yes);
  }

  ExitStatus catalog_checked() const {
    try {
      const LoadedCatalog loaded = load_catalog(read_catalog_folder(line_.name), line_.name);
      const Catalog& all = loaded.catalog;
      return print(line_.name + ": valid; " + std::to_string(all.models.size()) + " models, " +
                       std::to_string(all.quants.size()) + " quantisations, " +
                       std::to_string(all.files.size()) + " files, " + std::to_string(all.gpus.size()) +
                       " GPUs, " + std::to_string(all.hosts.size()) + " hosts, " +
                       std::to_string(all.engines.size()) + " engines, " +
                       std::to_string(all.measurements.size()) + " measurements\n",
                   ExitStatus::yes);
    } catch (const Error& error) {
      // Here an invalid catalogue is the answer, not a mishap.
      throw Error(error.what(), ExitStatus::no);
    }
  }

  ExitStatus catalog_exported() const {
    write_catalog_folder(line_.name, export_catalog(catalog()));
    if (line_.verbose) world_.err("r1fit: wrote the catalogue to " + line_.name + "\n");
    return ExitStatus::yes;
  }

  CommandLine line_;
  const World& world_;
  std::optional<LoadedCatalog> loaded_;
  PrintOptions options_;
};

}  // namespace

int run(const std::vector<std::string>& args, const World& world) {
  try {
    return static_cast<int>(Program(parse_command_line(args), world).run());
  } catch (const Error& error) {
    world.err(on_one_line(error.what()));
    return static_cast<int>(error.status());
  } catch (const std::exception& error) {
    world.err(on_one_line(error.what()));
    return static_cast<int>(ExitStatus::broken);
  }
}

}  // namespace r1fit
