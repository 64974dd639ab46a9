// Reads what benchmarks print: llama-bench as JSON, JSON lines, CSV or Markdown, and `ollama run --verbose`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "r1fit/workload.hpp"

namespace r1fit {

/// Text of more bytes than this is no output of a benchmark.
inline constexpr std::size_t kLargestBench = 16U << 20U;

/// One decode speed as printed. What the output does not say is unset or empty.
struct BenchRun {
  std::string where;   ///< "bench.json: element 2", "bench.md: line 5": for sentences
  std::string engine;  ///< "llama.cpp" or "ollama"
  std::string build;   ///< "8cf427ff (5163)"
  std::string date;    ///< "2026-11-22"
  std::string model;   ///< "qwen2 32B Q4_K - Medium"
  std::optional<std::int64_t> parameters;
  std::int64_t parameters_half = 0;  ///< half of their last digit
  std::optional<Bytes> size;         ///< of the weights
  Bytes size_half;
  std::vector<std::string> gpus;
  std::string cpu;
  std::vector<std::string> backends;  ///< "CUDA"
  std::optional<int> n_gpu_layers;    ///< negative: all
  int devices = 0;                    ///< how many of the cards were used; 0: all
  std::optional<KvType> kv_k;
  std::optional<KvType> kv_v;
  FlashAttention flash_attention = FlashAttention::automatic;
  std::string unlike;  ///< why it tells of no hardware by itself: "experts in host memory (n_cpu_moe 30)";
                       ///< empty: nothing
  Tokens depth;        ///< mean length of the context while decoding
  TokensPerSecond decode;
};

/// The decode speeds in `text`; those of prompts, and of prompt and answer together, are passed over. `name`
/// stands for the file in sentences. Throws Error naming the line or element where the text is not what a
/// benchmark prints, or where it has no decode speed.
std::vector<BenchRun> parse_bench_output(std::string_view name, std::string_view text);

}  // namespace r1fit
