// Finds models, quantisations, GPUs, hosts and engines by what a person types.
//
// Names are compared whole after normalising (case, spaces, punctuation), never by parts: "RTX A1000" is
// no A100. A name that stands for several records is ambiguous and never decided by guessing; an id as the
// catalogue spells it always finds its own record.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "r1fit/catalog.hpp"

namespace r1fit {

// ---- answers -----------------------------------------------------------------------------------------

template <class T>
struct Ambiguous {
  std::vector<const T*> candidates;  ///< at least two, in the catalogue's order
};
struct Unknown {
  std::vector<Text> nearest;  ///< ids; may be empty
};
/// Known hardware that was never sold.
struct NeverSold {
  const NoSuchHardware* record;
};
/// Known hardware, but none of it was sold with this much memory.
struct WrongMemory {
  std::vector<const Gpu*> candidates;  ///< at least one
  Bytes asked;
};
struct FoundGpu {
  const Gpu* gpu;
  std::optional<Bytes> memory;  ///< as asked for, in the name or beside it; see resolve_memory()
};

template <class T>
using Lookup = std::variant<const T*, Ambiguous<T>, Unknown>;
using GpuLookup = std::variant<FoundGpu, Ambiguous<Gpu>, WrongMemory, NeverSold, Unknown>;

// ---- hardware ----------------------------------------------------------------------------------------

/// "4090", "rtx-4090", "NVIDIA GeForce RTX 4090", "RTX 4090 24GB"; "laptop" (or "mobile") and "Max-Q" make
/// another device. A memory size, in the name or as `memory`, decides between records of one name.
GpuLookup find_gpu(const Catalog& catalog, Text name, std::optional<Bytes> memory = {});
Lookup<Host> find_host(const Catalog& catalog, Text name);
Lookup<Engine> find_engine(const Catalog& catalog, Text name);

/// The size this device has: the one asked for if it was sold with it, else its only one. Throws Error
/// naming the sizes where the asked one was never sold, or where there are several and none was asked for.
/// A size that the catalogue states in GB may be asked for by the same number of GiB.
Bytes resolve_memory(const Gpu& gpu, std::optional<Bytes> asked);

/// Whether it was sold with this much, read as resolve_memory() reads it.
bool sold_with(const Gpu& gpu, Bytes asked);

struct CountedName {
  int count;
  Text name;
};
/// "2x rtx 3090", "2 x rtx 3090", "2x3090"; without a count it is 1. "7900xtx" has none. Throws Error where
/// the count is not 1 to 64. For GPUs only: hosts such as "2x epyc 9654" are names of their own.
CountedName parse_counted_name(Text text);

// ---- models and quantisations ---------------------------------------------------------------------------

/// Ids, names, short forms, Hugging Face ids with or without owner, repositories of published files.
Lookup<Model> find_model(const Catalog& catalog, Text name);
/// Without regard to case, '-' being '_'; "fp16" is F16.
Lookup<Quant> find_quant(const Catalog& catalog, Text name);

struct ModelAndQuant {
  const Model* model;
  const Quant* quant;  ///< null where the text names none
};
/// MODEL[:QUANT]. The whole text is tried as a model first, so "deepseek-r1:8b" is one; an Ollama tag that
/// says more than a size ("deepseek-r1:32b-qwen-distill-q8_0") names both. Throws Error with the sentence.
ModelAndQuant model_and_quant_named(const Catalog& catalog, Text text);

// ---- the same, with an Error instead of an answer other than one record ---------------------------------

const Model& model_named(const Catalog& catalog, Text name);
const Quant& quant_named(const Catalog& catalog, Text name);
FoundGpu gpu_named(const Catalog& catalog, Text name, std::optional<Bytes> memory = {});
const Host& host_named(const Catalog& catalog, Text name);
const Engine& engine_named(const Catalog& catalog, Text name);

/// Why `answer` is no single device: `no hardware named "rtx 4900"; nearest: rtx-4090, rtx-4080`,
/// `"rtx 3060" is more than one device: rtx-3060-12gb, rtx-3060-8gb`. Empty where it is one.
std::string problem(const GpuLookup& answer, Text asked);

}  // namespace r1fit
