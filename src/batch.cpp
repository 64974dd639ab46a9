#include "r1fit/batch.hpp"

#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>

#include "r1fit/error.hpp"
#include "r1fit/flag_values.hpp"
#include "r1fit/suggest.hpp"

namespace r1fit {
namespace {

using nlohmann::json;

constexpr double kMostGib = 1 << 20;
constexpr double kMostGigabytesPerSecond = 1e5;
constexpr double kMostMegabitsPerSecond = 1e6;
/// Levels of a request: three are needed, the rest is for an "id" of somebody's own making.
constexpr int kDeepest = 64;

[[noreturn]] void refuse(const std::string& sentence) { throw BatchFault{{}, sentence}; }

std::int64_t whole(std::string_view key, const json& value, std::int64_t least, std::int64_t most) {
  const bool in_range = value.is_number_unsigned()
                            ? value.get<std::uint64_t>() <= static_cast<std::uint64_t>(most)
                            : value.is_number_integer() && value.get<std::int64_t>() <= most;
  if (!in_range || value.get<std::int64_t>() < least) {
    refuse(std::string(key) + " takes a whole number from " + std::to_string(least) + " to " +
           std::to_string(most));
  }
  return value.get<std::int64_t>();
}

double positive(std::string_view key, const json& value, double most) {
  if (!value.is_number() || !(value.get<double>() > 0) || !(value.get<double>() <= most)) {
    refuse(std::string(key) + " takes a number above 0 and at most " +
           std::to_string(static_cast<std::int64_t>(most)));
  }
  return value.get<double>();
}

bool boolean(std::string_view key, const json& value) {
  if (!value.is_boolean()) refuse(std::string(key) + " takes true or false");
  return value.get<bool>();
}

std::string text(std::string_view key, const json& value) {
  if (!value.is_string() || value.get_ref<const std::string&>().empty())
    refuse(std::string(key) + " takes a text");
  return value.get<std::string>();
}

template <class Words>
std::size_t choice(std::string_view key, const json& value, const Words& words) {
  const std::string wanted = text(key, value);
  try {
    return parse_word(key, wanted, words);
  } catch (const std::exception& error) {
    refuse(error.what());
  }
}

Bytes memory(std::string_view key, const json& value) { return gib(positive(key, value, kMostGib)); }
BytesPerSecond bandwidth(std::string_view key, const json& value) {
  return gb_per_s(positive(key, value, kMostGigabytesPerSecond));
}

/// Reads one key into a target.
template <class Target>
struct Key {
  std::string_view name;
  void (*read)(std::string_view key, const json& value, Target& target);
};

template <class Target, std::size_t N>
void read_object(const json& object, const std::array<Key<Target>, N>& keys, Target& target,
                 std::string_view where) {
  for (const auto& [name, value] : object.items()) {
    const auto found = std::ranges::find(keys, std::string_view(name), &Key<Target>::name);
    if (found == keys.end()) {
      std::array<std::string_view, N> known;
      std::ranges::transform(keys, known.begin(), &Key<Target>::name);
      refuse("no key " + in_quotes(name) + std::string(where) + nearest_clause(nearest(name, known)));
    }
    if (!value.is_null()) found->read(found->name, value, target);  // null is "not said"
  }
}

struct GpuWords {
  GpuQuery query;
  std::optional<Bytes> vram;
};

constexpr std::array<Key<GpuWords>, 5> kGpuKeys{{
    {"name", [](std::string_view key, const json& v, GpuWords& out) { out.query.name = text(key, v); }},
    {"count", [](std::string_view key, const json& v,
                 GpuWords& out) { out.query.count = static_cast<int>(whole(key, v, 1, 64)); }},
    {"memory_gib",
     [](std::string_view key, const json& v, GpuWords& out) { out.query.memory = memory(key, v); }},
    {"vram_gib", [](std::string_view key, const json& v, GpuWords& out) { out.vram = memory(key, v); }},
    {"bandwidth_gbps",
     [](std::string_view key, const json& v, GpuWords& out) { out.query.bandwidth = bandwidth(key, v); }},
}};

GpuQuery read_gpu(const json& value) {
  if (!value.is_object()) refuse("gpus takes objects such as {\"name\": \"rtx-4090\"} or {\"vram_gib\": 24}");
  GpuWords words;
  read_object(value, kGpuKeys, words, " in gpus");
  const bool named = !words.query.name.empty();
  if (named == words.vram.has_value()) refuse("a GPU takes either name or vram_gib");
  if (named && words.query.bandwidth) refuse("bandwidth_gbps goes with vram_gib, not with name");
  if (!named && words.query.memory) refuse("memory_gib goes with name, not with vram_gib");
  if (!named) words.query.memory = words.vram;
  return words.query;
}

KvType kv(std::string_view key, const json& value) {
  return static_cast<KvType>(choice(key, value, kKvTypeWords));
}

constexpr std::array<Key<BatchRequest>, 35> kKeys{{
    {"id", [](std::string_view, const json&, BatchRequest&) {}},
    {"model",
     [](std::string_view key, const json& v, BatchRequest& out) { out.needs.models = {text(key, v)}; }},
    {"quant",
     [](std::string_view key, const json& v, BatchRequest& out) { out.needs.quants = {text(key, v)}; }},
    {"engine",
     [](std::string_view key, const json& v, BatchRequest& out) { out.needs.engine = text(key, v); }},
    {"ctx",
     [](std::string_view key, const json& v, BatchRequest& out) {
       if (v.is_string() && v.get_ref<const std::string&>() == "max") {
         out.needs.context = ContextChoice::longest;
       } else if (v.is_string() && v.get_ref<const std::string&>() == "default") {
         out.needs.context = ContextChoice::by_engine;
       } else {
         out.needs.workload.context = tokens(whole(key, v, 1, 1 << 24));
       }
     }},
    {"kv", [](std::string_view key, const json& v,
              BatchRequest& out) { out.needs.workload.kv_k = out.needs.workload.kv_v = kv(key, v); }},
    {"kv_k",
     [](std::string_view key, const json& v, BatchRequest& out) { out.needs.workload.kv_k = kv(key, v); }},
    {"kv_v",
     [](std::string_view key, const json& v, BatchRequest& out) { out.needs.workload.kv_v = kv(key, v); }},
    {"flash_attn",
     [](std::string_view key, const json& v, BatchRequest& out) {
       out.needs.workload.flash_attention = static_cast<FlashAttention>(choice(key, v, kFlashAttentionWords));
     }},
    {"ubatch", [](std::string_view key, const json& v,
                  BatchRequest& out) { out.needs.workload.ubatch = tokens(whole(key, v, 1, 65536)); }},
    {"parallel",
     [](std::string_view key, const json& v, BatchRequest& out) {
       out.needs.workload.parallel = static_cast<int>(whole(key, v, 1, 256));
       out.needs.said.parallel = true;
     }},
    {"kv_unified",
     [](std::string_view key, const json& v, BatchRequest& out) {
       out.needs.workload.kv_unified = boolean(key, v);
       out.needs.said.kv_unified = true;
     }},
    {"ngl",
     [](std::string_view key, const json& v, BatchRequest& out) {
       out.needs.placement.n_gpu_layers = static_cast<int>(whole(key, v, 0, 1000));
     }},
    {"cpu_moe", [](std::string_view key, const json& v,
                   BatchRequest& out) { out.needs.placement.cpu_moe = boolean(key, v); }},
    {"n_cpu_moe",
     [](std::string_view key, const json& v, BatchRequest& out) {
       const auto layers = static_cast<int>(whole(key, v, 0, 1000));
       if (layers > 0) out.needs.placement.n_cpu_moe = layers;  // 0 asks for nothing
     }},
    {"split",
     [](std::string_view key, const json& v, BatchRequest& out) {
       out.needs.workload.split = static_cast<SplitMode>(choice(key, v, kSplitModeWords));
     }},
    {"backend",
     [](std::string_view key, const json& v, BatchRequest& out) {
       out.hardware.backend = kBackends.at(choice(key, v, backend_words()));
     }},
    {"legacy_gguf", [](std::string_view key, const json& v,
                       BatchRequest& out) { out.needs.workload.legacy_gguf = boolean(key, v); }},
    {"imatrix", [](std::string_view key, const json& v,
                   BatchRequest& out) { out.needs.workload.imatrix = boolean(key, v); }},
    {"logits_rows",
     [](std::string_view key, const json& v, BatchRequest& out) {
       out.needs.workload.logits_rows = static_cast<LogitsRows>(choice(key, v, kLogitsRowsWords));
       out.needs.said.logits_rows = true;
     }},
    {"depth", [](std::string_view key, const json& v,
                 BatchRequest& out) { out.needs.workload.depth = tokens(whole(key, v, 0, 1 << 24)); }},
    {"prompt", [](std::string_view key, const json& v,
                  BatchRequest& out) { out.needs.workload.prompt = tokens(whole(key, v, 1, 1 << 24)); }},
    {"think", [](std::string_view key, const json& v,
                 BatchRequest& out) { out.needs.workload.thinking = tokens(whole(key, v, 0, 1 << 24)); }},
    {"answer_tokens",
     [](std::string_view key, const json& v, BatchRequest& out) {
       out.needs.workload.answer = tokens(whole(key, v, 1, 1 << 24));
     }},
    {"answer",
     [](std::string_view key, const json& v, BatchRequest& out) {
       static constexpr std::array<std::string_view, 2> words{"estimate", "memory"};
       out.answer = static_cast<BatchAnswer>(choice(key, v, words));
     }},
    {"gpus",
     [](std::string_view, const json& v, BatchRequest& out) {
       if (!v.is_array()) refuse("gpus takes a list");
       for (const json& gpu : v) out.hardware.gpus.push_back(read_gpu(gpu));
     }},
    {"ram_gib",
     [](std::string_view key, const json& v, BatchRequest& out) { out.hardware.ram = memory(key, v); }},
    {"cpu", [](std::string_view key, const json& v, BatchRequest& out) { out.hardware.cpu = text(key, v); }},
    {"cores", [](std::string_view key, const json& v,
                 BatchRequest& out) { out.hardware.cores = static_cast<int>(whole(key, v, 1, 1024)); }},
    {"ram_bandwidth_gbps", [](std::string_view key, const json& v,
                              BatchRequest& out) { out.hardware.ram_bandwidth = bandwidth(key, v); }},
    {"disk_bandwidth_gbps", [](std::string_view key, const json& v,
                               BatchRequest& out) { out.hardware.disk_bandwidth = bandwidth(key, v); }},
    {"downlink_mbps",
     [](std::string_view key, const json& v, BatchRequest& out) {
       out.hardware.downlink = mbit_per_s(positive(key, v, kMostMegabitsPerSecond));
     }},
    {"wired_limit_gib", [](std::string_view key, const json& v,
                           BatchRequest& out) { out.hardware.wired_limit = memory(key, v); }},
    {"reserve_gib", [](std::string_view key, const json& v,
                       BatchRequest& out) { out.hardware.reserve = v == 0 ? Bytes{} : memory(key, v); }},
    {"desktop",
     [](std::string_view key, const json& v, BatchRequest& out) {
       static constexpr std::array<std::string_view, 3> words{"none", "linux", "windows"};
       out.hardware.desktop = words.at(choice(key, v, words));
     }},
}};

/// Whether brackets outside of strings are open more than `levels` deep.
bool nested_deeper(std::string_view text, int levels) {
  int open = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') in_string = !in_string;
    if (!in_string && (c == '[' || c == '{') && ++open > levels) return true;
    if (!in_string && (c == ']' || c == '}')) --open;
    if (in_string && c == '\\') ++i;  // what is escaped ends no string
  }
  return false;
}

}  // namespace

BatchRequest parse_batch_request(std::string_view line) {
  // Writing an id back recurses into it, so there has to be an end to its depth.
  if (nested_deeper(line, kDeepest))
    refuse("the line is nested deeper than " + std::to_string(kDeepest) + " levels");
  const json request = json::parse(line, nullptr, false);
  if (request.is_discarded()) throw BatchFault{{}, "the line is no valid JSON"};
  if (!request.is_object()) throw BatchFault{{}, "the line is no JSON object"};
  BatchRequest out;
  if (const auto id = request.find("id"); id != request.end()) {
    out.id_json = id->dump(-1, ' ', false, json::error_handler_t::replace);
  }
  try {
    read_object(request, kKeys, out, "");
    if (out.needs.models.empty()) refuse("model is missing");
    if (out.hardware.reserve && !out.hardware.desktop.empty())
      refuse("reserve_gib and desktop exclude each other");
  } catch (const BatchFault& fault) {
    throw BatchFault{out.id_json, fault.sentence};
  }
  return out;
}

}  // namespace r1fit
