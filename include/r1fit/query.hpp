// What is asked, in words and numbers, before any name is looked up: the same for command line and batch.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "r1fit/claim.hpp"
#include "r1fit/inspect.hpp"
#include "r1fit/lookup.hpp"
#include "r1fit/machine.hpp"
#include "r1fit/recommend.hpp"

namespace r1fit {

/// Some equal cards: by name, or nameless by size.
struct GpuQuery {
  int count = 1;
  std::string name;                         ///< empty: nameless
  std::optional<Bytes> memory;              ///< of a nameless card, or which of the sizes sold
  std::optional<BytesPerSecond> bandwidth;  ///< of a nameless card
  std::optional<Reported> reported;         ///< of a device of this machine
  std::optional<Bytes> in_use;              ///< of its memory, by something else; --reserve overrides it
};

struct HardwareQuery {
  std::vector<GpuQuery> gpus;
  std::optional<Backend> backend;
  std::optional<Bytes> ram;
  std::string cpu;  ///< a platform of the catalogue; empty: not named
  std::optional<BytesPerSecond> ram_bandwidth;
  std::optional<int> cores;  ///< of the CPU, all sockets
  std::optional<BytesPerSecond> disk_bandwidth;
  std::optional<BytesPerSecond> downlink;
  std::optional<Bytes> wired_limit;
  std::optional<double> wired_limit_share;  ///< of unified memory, 0..1
  std::optional<Bytes> reserve;
  std::string desktop;
  bool here = false;          ///< --here: this machine, as far as the other flags do not say otherwise
  bool detected = false;      ///< describes this very machine
  bool ram_detected = false;  ///< `ram` was not said: beside unified memory there is none

  /// Whether no hardware is named.
  [[nodiscard]] bool empty() const { return gpus.empty() && !ram && cpu.empty(); }
};

/// The machine of a query. Throws Error for names that are unknown or ambiguous, sizes never sold, limits
/// beyond the memory. `--backend cpu` leaves every card out. What `engine` keeps free on each GPU is added
/// to the margins.
Machine build_machine(const Catalog& catalog, const HardwareQuery& query, const Engine* engine = nullptr);

/// The same where hardware that was never sold is part of an answer and no mistake. Without any hardware in
/// the query there is no machine.
ClaimedHardware build_claimed_hardware(const Catalog& catalog, const HardwareQuery& query,
                                       const Engine* engine = nullptr);

/// What is asked of the model.
struct NeedsQuery {
  Workload workload;
  ContextChoice context = ContextChoice::stated;
  bool context_said = false;  ///< else `workload` has the usual one
  Said said;
  PlacementRequest placement;
  std::vector<std::string> models;
  std::vector<std::string> quants;
  std::string engine;
  Use use = Use::general;
  Prefer prefer = Prefer::quality;
  bool all = false;
  std::optional<TokensPerSecond> min_tps;
  std::optional<Tokens> min_context;
  std::optional<Seconds> max_answer;
  bool pessimistic = false;
};

/// What has to hold beside the verdict.
Requirements requirements_of(const NeedsQuery& query, Verdict verdict);

/// One model and quantisation ("32b:Q4_K_M", a model and a quantisation apart, an Ollama tag). Without a
/// quantisation Q4_K_M, what engines download by default. Throws Error.
Question build_question(const Catalog& catalog, const NeedsQuery& query);

/// The same of a file at hand, which the question refers to. Throws Error, also where the query says of the
/// file what the file says itself.
Question build_question(const Catalog& catalog, const FileModel& file, const NeedsQuery& query);

/// `--ctx default`: the context that the engine would take on this machine. Nothing to do for the others.
void settle_context(Question& question, const NeedsQuery& query, const Machine& machine);

/// The question of `plan`: --min-ctx is the context where --ctx does not ask for a longer one. Throws Error.
Question build_plan_question(const Catalog& catalog, const NeedsQuery& query);

/// Candidates for `recommend`. Throws Error.
RecommendRequest build_request(const Catalog& catalog, const NeedsQuery& query);

/// What `compare` asks of each machine, and the model that it puts on all of them as far as that is said. The
/// model restricts nothing else. Throws Error.
struct CompareQuestion {
  RecommendRequest request;
  ModelAndQuant chosen;  ///< null: left open
};
CompareQuestion build_compare_question(const Catalog& catalog, const NeedsQuery& query);

}  // namespace r1fit
