// Where the user's own measurements are kept: one JSON file, changed by one process at a time.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "r1fit/own_measurement.hpp"

namespace r1fit {

/// A measurement by names, so that what another catalogue knows is kept by this one.
struct KeptRun {
  std::vector<std::string> gpus;  ///< ids, one a card; empty: on the CPU
  std::string host;               ///< id, where there are no cards
  std::string backend;
  std::string model;
  std::string quant;
  std::string kv_k = "f16";
  std::string kv_v = "f16";
  std::string flash_attention = "auto";
  std::int64_t depth = 0;  ///< tokens
  double decode_tps = 0;
  std::string engine;
  std::string build;   ///< may be empty
  std::string date;    ///< "2026-11-22"
  std::string source;  ///< name of the file it was read from
};

/// The same by the records of a catalogue; nothing where it lacks one of them.
std::optional<OwnMeasurement> found_in(const Catalog& catalog, const KeptRun& run);

/// Adds runs; one of the same configuration and engine is replaced.
void keep(std::vector<KeptRun>& kept, const std::vector<KeptRun>& runs);

/// The file of the store in the folder that r1fit keeps its data in.
std::filesystem::path store_path(const std::filesystem::path& folder);

/// The text of the file and back. Throws Error, with the path in it and status 3, where the text is damaged
/// or of a newer version.
std::string store_text(const std::vector<KeptRun>& runs);
std::vector<KeptRun> parse_store(const std::filesystem::path& path, std::string_view text);

/// What is kept; nothing where there is no file. Throws Error with status 3 where it cannot be read.
std::vector<KeptRun> read_store(const std::filesystem::path& folder);

/// Changes what is kept, alone: other processes wait. The file is replaced whole, so that nothing is lost by
/// a full disk or a crash; a damaged one is left as it is. Throws Error with status 3.
void change_store(const std::filesystem::path& folder,
                  const std::function<void(std::vector<KeptRun>&)>& change);

}  // namespace r1fit
