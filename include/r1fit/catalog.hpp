// The catalogue as plain values: models, quantisations, published files, hardware, engines, the
// constants of the memory and speed models, and measured speeds, each with its sources.
//
// Every text is a string_view and every list a span, so that the same types serve the constant tables
// generated from data/*.json at build time (nothing is parsed at start-up) and a catalogue loaded from
// `--catalog DIR` (which keeps its storage alive in LoadedCatalog, see catalog_json.hpp).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "r1fit/units.hpp"
#include "r1fit/workload.hpp"

namespace r1fit {

template <class T>
using List = std::span<const T>;
using Text = std::string_view;

enum class Confidence : std::uint8_t { high, medium, low };

/// Where figures come from. `covers` names the fields of the record it stands for.
struct Source {
  Text text;
  List<Text> covers;
  Confidence confidence;
};

// ---- models ----------------------------------------------------------------------------------------

/// Multi-head latent attention (DeepSeek-V3): ranks and head sizes, in elements.
struct MlaShape {
  int q_lora_rank;
  int kv_lora_rank;
  int qk_nope_head_dim;
  int qk_rope_head_dim;
  int v_head_dim;
};

/// Mixture of experts: counts per layer and the hidden size of one expert.
struct MoeShape {
  int routed_experts;
  int experts_per_token;
  int shared_experts;
  int expert_ffn;
  int first_dense_layers;  ///< layers before the first one with experts
};

/// The tensor shapes that several models share. Sizes in elements.
struct Shape {
  Text id;
  Text gguf_architecture;
  int layers;
  int hidden;
  int ffn;
  int heads;
  int kv_heads;
  int head_dim;  ///< of one attention head (GQA); 0 under MLA, whose sizes are in `mla`
  int vocab;
  bool attention_bias;
  bool qk_norm;
  bool rope_factors;  ///< the file carries one rope_freqs tensor of head_dim / 2
  std::int64_t parameters;
  std::optional<MlaShape> mla;
  std::optional<MoeShape> moe;
  List<Source> sources;
};

/// A published score of the 16-bit (or native) model. Only scores of one benchmark and one split may be
/// compared.
struct Score {
  Text benchmark;  ///< e.g. "gpqa_diamond_pass1"
  Text split;      ///< which edition of the benchmark; scores of different splits are never mixed
  double value;    ///< percent, or a rating where the benchmark is one
  Text source;
  Confidence confidence;
};

/// Tokens a model thinks before it answers: an everyday question, and where known a hard problem (AIME).
struct Thinking {
  Tokens typical;
  Tokens low;
  Tokens high;
  Text source;
  std::optional<Tokens> hard;  ///< mean of a hard problem
  Text hard_source;
  Confidence confidence;
};

struct Model {
  Text id;
  Text name;
  List<Text> aliases;  ///< short forms a person types
  Text hf_repo;
  Text base_model;
  Text licence;
  Text released;  ///< ISO date
  const Shape* shape;
  Tokens max_context;
  Bytes file_overhead;  ///< tokenizer and metadata of its GGUF files
  bool offered;         ///< among the candidates of `recommend` when no model is named
  Text why_not_offered;
  std::optional<Thinking> thinking;
  List<Score> scores;
  Text notes;
  List<Source> sources;
};

// ---- quantisations ---------------------------------------------------------------------------------

/// Tensor types that are unpacked by kernels of one kind. Within one, a weight costs the same arithmetic
/// whatever its bits.
enum class Kernel : std::uint8_t {
  plain,    ///< F32, F16, BF16: nothing to unpack
  simple,   ///< one scale a block: Q4_0 to Q8_0
  k_quant,  ///< Q4_K to Q6_K
  k_low,    ///< Q2_K, Q3_K
  i_quant,  ///< looked up in tables: IQ1 to IQ4
};
inline constexpr int kKernels = 5;

/// A ggml tensor type: `block_bytes` hold `block_weights` elements of one row.
struct TensorType {
  Text id;
  int block_weights;
  int block_bytes;
  Kernel kernel;
  Text fallback;  ///< type used where a row is no multiple of the block; empty: none
};

/// The part a tensor plays; mixture rules speak of these. Expert and shared-expert FFN tensors follow
/// the rule of their dense namesake.
enum class TensorRole : std::uint8_t {
  token_embd,
  output,
  attn_q,
  attn_k,
  attn_v,
  attn_output,
  ffn_gate,
  ffn_up,
  ffn_down,
  attn_q_a,
  attn_q_b,
  attn_kv_a,
  attn_k_b,
  attn_v_b,
  attn_kv_b,  ///< of 671B files made before the MLA cache
};
inline constexpr int kTensorRoles = 15;

/// Which layers a mixture rule is for; n counts or divides as said. L is the number of layers.
enum class LayerSet : std::uint8_t {
  all,
  first,           ///< the first n
  first_fraction,  ///< the first L / n
  middle,          ///< L / n <= i < (n - 1) * L / n
  more_bits,       ///< llama-quant's use_more_bits: first and last eighth and every third between
};

enum class ImatrixCase : std::uint8_t { any, with, without };

/// "These tensors, in these layers, under these conditions, take this type." The first rule that holds
/// decides; where none does the quantisation's base type stands.
struct MixtureRule {
  std::uint32_t roles;  ///< bit 1 << TensorRole
  LayerSet layers;
  int n;
  int min_gqa;        ///< only where heads / kv_heads is at least this; 0: no condition
  int exact_layers;   ///< only for models of so many layers; 0: no condition
  Text architecture;  ///< only for this GGUF architecture; empty: no condition
  ImatrixCase imatrix;
  const TensorType* type;
};

/// Measured loss of a quantisation against the unquantised model.
struct QuantLoss {
  Text metric;
  Text unit;
  double value;
  Text measured_on;
  Text source;
};

/// All tensors outside the routed experts, where a file is known by its size alone.
struct SharedTensors {
  double bits;  ///< a weight, on average
  Kernel kernel;
  bool attn_kv_b;  ///< the file carries it beside its halves attn_k_b and attn_v_b; no token reads it
  Text source;
};

struct Quant {
  Text id;
  const TensorType* base;               ///< null where only published sizes are known (dynamic mixtures)
  std::optional<Kernel> kernel;         ///< of most of its weights, where there is no base
  std::optional<SharedTensors> shared;  ///< where there is no base
  List<MixtureRule> rules;
  bool imatrix;  ///< published R1 files of it are made with an importance matrix
  bool offered;  ///< among the candidates of `recommend` when no quantisation is named
  Text engine;   ///< the only engine that reads it; empty: every GGUF engine
  Text note;
  List<QuantLoss> losses;
  List<Source> sources;
};

/// A format that people ask for as if it were a quantisation and that is in no GGUF file.
struct OtherFormat {
  Text name;
  List<Text> aliases;
  Text what;  ///< which engines read it, how large it is, what there is instead
  Text source;
};

/// One published GGUF file (or set of parts).
struct PublishedFile {
  const Model* model;
  const Quant* quant;
  Text publisher;
  Text repo;          ///< Hugging Face repository or Ollama tag; may be empty
  Bytes size;         ///< exact, or the middle of the published figure
  Bytes uncertainty;  ///< half the last published digit; 0 where the byte count is exact
  bool ollama;        ///< `repo` is an Ollama tag
  bool usual;         ///< the one to name in a command
  Text note;
  Text source;
  Confidence confidence;
};

// ---- hardware --------------------------------------------------------------------------------------

enum class Vendor : std::uint8_t { nvidia, amd, apple, intel, other };
enum class DeviceClass : std::uint8_t { desktop, laptop, workstation, datacenter, soc };
enum class Backend : std::uint8_t { cuda, rocm, metal, vulkan, sycl, cpu };

/// What classes of one programming interface share in decoding: how its kernels work. Fitted by
/// `r1fit-eval fit`; docs/model.md says what each figure means.
struct SpeedFamily {
  Text id;
  Text name;
  double sharpness;  ///< exponent of the norm that joins reading and arithmetic; infinite: the slower alone
  double plain;      ///< FP32 operations a weight, as a multiple of those of a K-quant weight ...
  double simple;
  double k_low;
  double i_quant;
  double narrow;              ///< share of their speed reached on 1.5B, whose matrices do not fill a GPU
  double experts;             ///< share of their efficiency reached on routed experts: short, scattered reads
  double attention;           ///< share of peak FP32 reached by attention over the cache
  SecondsPerToken hand_over;  ///< from one device to the next
  SecondsPerToken per_core;   ///< CPUs: a layer's barriers, for each core that waits at them
  double older_operations;    ///< builds of before 2025 took so many times the operations ...
  double older_per_layer;     ///< ... so many times the fixed cost of a layer ...
  double older_kv;            ///< ... and read the cache so many times more
  double experts_low;         ///< further spread of a mixture of experts, at 80 %
  double experts_high;
  double run_low;  ///< 80 % of the runs of one machine lie between so many times what all of them do on it
  double run_high;
  int measurements;
  Text source;
};

/// How a class of processors decodes. Fitted by `r1fit-eval fit`.
struct SpeedFit {
  Text id;
  const SpeedFamily* family;
  double efficiency;  ///< share of datasheet bandwidth reached while reading weights
  double operations;  ///< FP32 operations to unpack and multiply one K-quant weight
  SecondsPerToken per_layer;
  SecondsPerToken per_expert_layer;  ///< on top of it where the layer has experts
  double low;        ///< 80 % of measurements of other devices of the class lie between typical * low ...
  double high;       ///< ... and typical * high
  int measurements;  ///< published runs behind it; 0: none, every estimate of it is an extrapolation
  int devices;       ///< on so many devices
  int expert_measurements;  ///< of them, runs of 671B
  Text source;
};

/// How an engine with CPU code of its own decodes beside llama.cpp. Fitted by `r1fit-eval fit`.
struct EngineSpeed {
  Text engine;       ///< id of an engine, or a name as measurements have it
  double host_time;  ///< time of what lies in host memory, as a multiple of llama.cpp's
  int measurements;
  int devices;
  Text source;
};

/// Share of a peak reached while a prompt is read; 80 % lie between low and high.
struct PrefillShare {
  double typical;
  double low;
  double high;
  int runs;  ///< published runs behind it; 0: taken over from related hardware
};

/// The same as a rate, where no peak is known.
struct PrefillRate {
  FlopsPerSecond typical;
  FlopsPerSecond low;
  FlopsPerSecond high;
  int runs;
};

/// A class of processors under one or more backends (docs/model.md).
struct SpeedClass {
  Text id;
  Text name;
  const SpeedFit* fit;
  List<Backend> backends;
  Text of;  ///< the class of the same devices under their usual backend; empty: this is it
  std::optional<FlopsPerSecond> fp32;  ///< hosts: a usual platform, where the processor is not known
  std::optional<int> cores;            ///< the same
  std::optional<double> mfu;           ///< share of peak FP16 reached in prefill, with its own 80 %
  std::optional<double> mfu_low;
  std::optional<double> mfu_high;
  std::optional<PrefillShare> moe_mfu;     ///< of peak FP16, layers of 671B with their experts
  std::optional<PrefillShare> fp32_mfu;    ///< of peak FP32, for cards without a peak FP16
  std::optional<PrefillRate> prefill;      ///< of a CPU alone
  std::optional<PrefillRate> moe_prefill;  ///< experts in the memory of a CPU that has a GPU beside it
  List<Source> sources;
};

/// Device memory taken by driver and libraries before the model's first byte.
struct RuntimeClass {
  Text id;
  Text name;
  Bytes low;
  Bytes typical;
  Bytes high;
  List<Source> sources;
};

/// A GPU or a system on a chip with a GPU, as one device of an engine sees it.
struct Gpu {
  Text id;
  Text name;
  List<Text> aliases;
  Vendor vendor;
  DeviceClass device_class;
  Text architecture;
  List<Bytes> memory;               ///< sizes it was sold with, ascending
  List<Bytes> withdrawn;            ///< of them, those known to be no longer sold
  std::optional<Bytes> real_total;  ///< what the driver reports where that is less; single-size cards
  BytesPerSecond bandwidth;         ///< datasheet
  Text memory_type;
  std::optional<FlopsPerSecond> fp16;  ///< peak dense FP16 (matrix units where it has them)
  FlopsPerSecond fp32;  ///< peak of the shaders; pairs that only special code issues together count once
  std::optional<Watts> board_power;
  int launch_year;
  std::optional<int> msrp_usd;  ///< at launch
  bool unified_memory;          ///< shares its memory with the CPU
  Backend backend;              ///< the usual one
  const SpeedClass* speed;
  const RuntimeClass* runtime;
  List<Text> pci_ids;  ///< "10de:2684", or "1002:744c:c8" where the revision tells cards of one id apart
  Text notes;
  List<Source> sources;
};

/// A CPU platform: what matters is its memory.
struct Host {
  Text id;
  Text name;
  List<Text> aliases;
  int channels;  ///< of 64 bits, all sockets together
  int mega_transfers;
  int sockets;
  BytesPerSecond bandwidth;  ///< theoretical, all sockets
  std::optional<Bytes> max_memory;
  std::optional<FlopsPerSecond> fp32;  ///< peak of all cores, where one processor is meant
  std::optional<int> cores;            ///< the same
  const SpeedClass* speed;
  bool desktop;  ///< stands for "some PC" when only --ram is given
  Text notes;
  List<Source> sources;
};

/// What is known beyond its class of a device that was measured: a GPU or a host. Fitted by
/// `r1fit-eval fit`.
struct MeasuredDevice {
  const Gpu* gpu;
  const Host* host;
  const SpeedClass* speed;
  double factor;  ///< typical speed against that of the class
  double low;     ///< 80 % of measurements lie between typical * low ...
  double high;    ///< ... and typical * high
  int measurements;
};

/// Hardware that people ask for and that was never sold.
struct NoSuchHardware {
  Text name;
  List<Text> aliases;
  Text why;
  Text source;
};

/// Largest share of unified memory the GPU may use, for memory sizes up to `up_to`.
struct WorkingSetStep {
  Bytes up_to;
  double share;
};

/// One regime of Apple's recommendedMaxWorkingSetSize.
struct WorkingSetRegime {
  Text id;
  Text name;
  List<WorkingSetStep> steps;  ///< ascending in up_to
  List<Source> sources;
};

/// Memory taken by a desktop on the card that draws it.
struct DesktopReserve {
  Text id;  ///< "none", "linux", "windows"
  Bytes low;
  Bytes typical;
  Bytes high;
  Text source;
  Confidence confidence;
};

/// A multiple of something else that was measured at several places.
struct SplitFactor {
  double low;
  double typical;
  double high;
  bool operator==(const SplitFactor&) const = default;
};

/// What it takes all cards to exchange what each of them has found.
struct SplitSync {
  SecondsPerToken low;
  SecondsPerToken typical;
  SecondsPerToken high;
};

/// What it costs to have several cards work on every layer at once.
struct CardSplit {
  Text id;                            ///< the word of --split: "row", "tensor"
  Bytes memory;                       ///< on every card beside what the engine's buffers take; an allowance
  std::optional<SplitSync> sync;      ///< one exchange, of which every layer has two
  std::optional<SplitFactor> decode;  ///< speed as a multiple of a layer split's; without `sync`
  SplitFactor prefill;                ///< the same for reading a prompt
  List<Source> sources;
};

// ---- engines ---------------------------------------------------------------------------------------

/// A command to paste. Braces hold what is filled in: {repo} {quant} {ctx} {tag} {flags} {hf_repo}.
struct CommandTemplate {
  Text use;  ///< "tag", "hub", "serve" ...
  Text command;
  Text source;
  Confidence confidence;
};

/// A default context that holds from so much GPU memory on, all cards together.
struct ContextStep {
  Bytes gpu_memory;
  Tokens context;  ///< of one slot
};

/// What one release of an engine, and those after it up to the next record, do with memory unless told
/// otherwise.
struct EngineRelease {
  Text version;                       ///< the first that does so, "0.13.4"; empty: known by its date alone
  Text from;                          ///< the month of it, "2025-12"
  List<ContextStep> default_context;  ///< ascending in gpu_memory; empty: what the model allows
  int slots;                          ///< requests served at once
  bool kv_unified;                    ///< the slots share one cache
  List<Text> flash_attention_off;     ///< GGUF architectures that run without it
  bool logits_per_token;              ///< logits reserved for the whole micro-batch, not one row a slot
  bool output_last;                   ///< n_gpu_layers counts the output layer last, not first
  bool pool_reserved;  ///< without flash attention the pool is taken at the start, not as the context fills
  bool plans_scores;   ///< it plans with the scores of all heads, flash attention or not, and fills no card
                       ///< further
  GraphBuild graph;
  bool mla_cache;          ///< 671B has the small MLA cache; without it full heads are kept
  List<SplitMode> splits;  ///< how several GPUs can share a model, other than by layer
  List<Source> sources;
};

struct Engine {
  Text id;
  Text name;
  List<Text> aliases;
  bool reads_gguf;  ///< the memory model of r1fit holds for it
  List<Backend> backends;
  Text default_context;
  Text memory_rule;
  std::optional<Bytes> device_reserve;  ///< kept free on each GPU on top of any margin
  List<EngineRelease> releases;         ///< ascending; the last is the current one; empty: none known
  List<CommandTemplate> commands;
  Text notes;
  List<Source> sources;
};

// ---- measurements ----------------------------------------------------------------------------------

/// How the parts of a model are laid out over the memories of a machine.
enum class PlacementMode : std::uint8_t { gpu, experts_on_host, partial, cpu };

/// How a published measurement was reported: A the raw output of a tool, B a write-up, C a claim.
enum class Grade : std::uint8_t { A, B, C };

/// So many equal cards of a measured machine.
struct MeasuredGpu {
  const Gpu* gpu;
  int count;
};

/// One published speed. The model that ran need not be of the R1 family, only of the same tensor shapes.
struct Measurement {
  const Model* model;             ///< the R1 model of the shapes that ran
  Text ran;                       ///< what did run, "Llama-3-8B"
  const Quant* quant;             ///< whose bytes a token come nearest to what ran
  Text ran_quant;                 ///< what did run where that is another; empty: `quant`
  std::optional<Bytes> ran_size;  ///< of the file, where `quant` has no base and it is not the published one
  std::optional<SharedTensors> ran_shared;  ///< the same
  List<MeasuredGpu> gpus;
  const Host* host;                         ///< null: not named, or unlike any in the catalogue
  Text hardware;                            ///< as a person reads it
  std::optional<FlopsPerSecond> gpu_fp32;   ///< where a smaller bin of the GPU ran than the catalogue has
  std::optional<FlopsPerSecond> host_fp32;  ///< peak of the cores that ran, where the processor is named
  std::optional<int> host_cores;            ///< the same
  Text engine;                              ///< id of an engine of the catalogue where it is one
  std::optional<Backend> backend;
  PlacementMode placement;
  std::optional<int> layers_on_gpu;
  Tokens depth;        ///< mean length of the context while decoding
  bool depth_assumed;  ///< the source does not say it
  TokensPerSecond decode;
  std::optional<TokensPerSecond> prefill;
  std::optional<Tokens> prompt;  ///< what was read for `prefill`
  std::optional<int> year;       ///< of the software
  bool network;                  ///< the memories were those of several machines
  bool older_kv_cache;           ///< 671B by a build, or a file, without the MLA cache
  Grade grade;
  Text source;
  Text note;
  Text outlier;  ///< why fits leave it out; empty: they do not
};

// ---- the whole -------------------------------------------------------------------------------------

struct Catalog {
  Text origin;  ///< "built in" or the folder it was read from
  List<TensorType> tensor_types;
  List<Source> tensor_type_sources;
  List<Shape> shapes;
  List<Model> models;
  List<Quant> quants;
  List<OtherFormat> other_formats;
  List<PublishedFile> files;
  List<SpeedFamily> speed_families;
  List<EngineSpeed> engine_speeds;
  List<SpeedFit> speed_fits;
  List<SpeedClass> speed_classes;
  List<RuntimeClass> runtime_classes;
  List<Gpu> gpus;  ///< Apple chips among them
  List<Host> hosts;
  List<MeasuredDevice> measured_devices;
  List<NoSuchHardware> no_such_hardware;
  List<WorkingSetRegime> working_sets;
  List<DesktopReserve> desktops;
  List<CardSplit> splits;
  List<Engine> engines;
  List<Measurement> measurements;
};

/// The catalogue built into this program.
const Catalog& builtin_catalog();

// ---- words for the enums (one spelling for JSON, command line and tables) ----------------------------
Text word(Confidence value);
Text word(Vendor value);
Text word(DeviceClass value);
Text word(Backend value);
Text title(Backend value);  ///< as it is printed in a sentence: "CUDA", "the CPU"
Text word(Kernel value);
Text word(TensorRole value);
Text word(LayerSet value);
Text word(ImatrixCase value);
Text word(PlacementMode value);
Text word(Grade value);
inline constexpr std::array kConfidences{Confidence::high, Confidence::medium, Confidence::low};
inline constexpr std::array kVendors{Vendor::nvidia, Vendor::amd, Vendor::apple, Vendor::intel,
                                     Vendor::other};
inline constexpr std::array kDeviceClasses{DeviceClass::desktop, DeviceClass::laptop,
                                           DeviceClass::workstation, DeviceClass::datacenter,
                                           DeviceClass::soc};
inline constexpr std::array kBackends{Backend::cuda,   Backend::rocm, Backend::metal,
                                      Backend::vulkan, Backend::sycl, Backend::cpu};
/// The words of kBackends, in its order.
std::array<Text, kBackends.size()> backend_words();
inline constexpr std::array kKernelKinds{Kernel::plain, Kernel::simple, Kernel::k_quant, Kernel::k_low,
                                         Kernel::i_quant};
inline constexpr std::array kLayerSets{LayerSet::all, LayerSet::first, LayerSet::first_fraction,
                                       LayerSet::middle, LayerSet::more_bits};
inline constexpr std::array kImatrixCases{ImatrixCase::any, ImatrixCase::with, ImatrixCase::without};
inline constexpr std::array kPlacementModes{PlacementMode::gpu, PlacementMode::experts_on_host,
                                            PlacementMode::partial, PlacementMode::cpu};
inline constexpr std::array kGrades{Grade::A, Grade::B, Grade::C};

}  // namespace r1fit
