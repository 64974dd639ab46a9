#include "r1fit/calibration_store.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>
#include <utility>

#include "r1fit/error.hpp"
#include "r1fit/weights.hpp"
#include "strict_json.hpp"

namespace r1fit {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using Json = nlohmann::ordered_json;

constexpr std::string_view kSchema = "r1fit.calibration_store/";
constexpr int kVersion = 1;

/// A store larger than this is none of ours.
constexpr std::size_t kLargestStore = 16U << 20U;
constexpr std::size_t kMostRuns = 1000;
constexpr auto kPatience = std::chrono::seconds(10);

[[noreturn]] void fail(const fs::path& path, const std::string& what) {
  throw Error(path.string() + ": " + what, ExitStatus::broken);
}

[[noreturn]] void fail_with_errno(const fs::path& path) { fail(path, std::strerror(errno)); }

/// What can be done about a store that cannot be understood.
std::string way_out(const fs::path& path) {
  return "; nothing was changed; rm '" + path.string() + "' forgets it";
}

/// A file descriptor that is closed whatever happens.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return number_; }
  /// Whether what was written has arrived.
  bool close() { return ::close(std::exchange(number_, -1)) == 0; }

 private:
  int number_;
};

/// Holds the lock of a store, which the system lets go of when its process ends, however it ends.
class Lock {
 public:
  explicit Lock(const fs::path& path)
      : file_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR)) {
    if (file_.get() < 0) fail_with_errno(path);
    const auto until = std::chrono::steady_clock::now() + kPatience;
    while (::flock(file_.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK && errno != EINTR) fail_with_errno(path);
      if (std::chrono::steady_clock::now() > until) fail(path, "another r1fit holds this lock");
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

 private:
  Descriptor file_;
};

void write_whole(const fs::path& path, std::string_view text) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (file.get() < 0) fail_with_errno(path);
  while (!text.empty()) {
    const ssize_t written = ::write(file.get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) fail_with_errno(path);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fsync(file.get()) != 0 || !file.close()) fail_with_errno(path);
}

/// Written beside it and renamed, so that the file is the old one or the new one at any time.
void replace(const fs::path& path, std::string_view text) {
  fs::path beside = path;
  beside += ".new";
  try {
    write_whole(beside, text);
  } catch (const Error&) {
    ::unlink(beside.c_str());
    throw;
  }
  if (std::rename(beside.c_str(), path.c_str()) != 0) fail_with_errno(path);
  // That the rename lasts a power cut; a file system that cannot promise it is no reason to complain.
  const Descriptor folder(::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() >= 0) ::fsync(folder.get());
}

template <class Value>
Value field(const json& run, const Place& place, std::string_view name) {
  const auto found = run.find(name);
  if (found == run.end()) refuse(place, "\"" + std::string(name) + "\" is missing");
  const bool fits = std::is_same_v<Value, std::string> ? found->is_string() : found->is_number();
  if (!fits) refuse(place.at(name), "must be another value, is " + described(*found));
  return found->get<Value>();
}

KeptRun run_of(const json& value, const Place& place) {
  if (!value.is_object()) refuse(place, "must be an object, is " + described(value));
  KeptRun run;
  const auto gpus = value.find("gpus");
  if (gpus == value.end() || !gpus->is_array()) refuse(place, "\"gpus\" must be a list");
  for (const json& gpu : *gpus) {
    if (!gpu.is_string()) refuse(place.at("gpus"), "must be names");
    run.gpus.push_back(gpu.get<std::string>());
  }
  for (const auto& [name, member] :
       {std::pair{"host", &KeptRun::host}, std::pair{"backend", &KeptRun::backend},
        std::pair{"model", &KeptRun::model}, std::pair{"quant", &KeptRun::quant},
        std::pair{"kv_type_k", &KeptRun::kv_k}, std::pair{"kv_type_v", &KeptRun::kv_v},
        std::pair{"flash_attn", &KeptRun::flash_attention}, std::pair{"engine", &KeptRun::engine},
        std::pair{"build", &KeptRun::build}, std::pair{"date", &KeptRun::date},
        std::pair{"source", &KeptRun::source}})
    run.*member = field<std::string>(value, place, name);
  run.depth = field<std::int64_t>(value, place, "depth");
  run.decode_tps = field<double>(value, place, "decode_tps");
  if (run.depth < 0 || run.depth > (1 << 24)) refuse(place.at("depth"), "is out of range");
  if (!(run.decode_tps > 0) || run.decode_tps > 1e6) refuse(place.at("decode_tps"), "is out of range");
  return run;
}

template <class Record>
const Record* with_id(List<Record> records, std::string_view id) {
  const auto found = std::ranges::find_if(records, [id](const Record& one) { return one.id == id; });
  return found == records.end() ? nullptr : &*found;
}

template <std::size_t N>
std::size_t index_in(const std::array<std::string_view, N>& words, std::string_view word) {
  return static_cast<std::size_t>(std::ranges::find(words, word) - words.begin());
}

auto configuration(const KeptRun& run) {
  return std::tie(run.gpus, run.host, run.backend, run.model, run.quant, run.kv_k, run.kv_v,
                  run.flash_attention, run.depth, run.engine);
}

}  // namespace

std::optional<OwnMeasurement> found_in(const Catalog& catalog, const KeptRun& run) {
  OwnMeasurement found;
  for (const std::string& id : run.gpus) {
    found.gpus.push_back(with_id(catalog.gpus, id));
    if (found.gpus.back() == nullptr) return std::nullopt;
  }
  if (run.gpus.empty()) {
    found.host = with_id(catalog.hosts, run.host);
    if (found.host == nullptr) return std::nullopt;
  }
  found.model = with_id(catalog.models, run.model);
  found.quant = with_id(catalog.quants, run.quant);
  const std::size_t backend = index_in(backend_words(), run.backend);
  const std::size_t kv_k = index_in(kKvTypeWords, run.kv_k);
  const std::size_t kv_v = index_in(kKvTypeWords, run.kv_v);
  const std::size_t flash = index_in(kFlashAttentionWords, run.flash_attention);
  if (found.model == nullptr || found.quant == nullptr || backend == kBackends.size() ||
      kv_k == kKvTypeWords.size() || kv_v == kKvTypeWords.size() || flash == kFlashAttentionWords.size() ||
      !has_weights(catalog, *found.model, *found.quant)) {
    return std::nullopt;
  }
  found.backend = kBackends.at(backend);
  found.kv_k = static_cast<KvType>(kv_k);
  found.kv_v = static_cast<KvType>(kv_v);
  found.flash_attention = static_cast<FlashAttention>(flash);
  found.depth = tokens(run.depth);
  found.decode = tok_per_s(run.decode_tps);
  found.date = run.date;
  return found;
}

void keep(std::vector<KeptRun>& kept, const std::vector<KeptRun>& runs) {
  for (const KeptRun& run : runs) {
    std::erase_if(kept, [&](const KeptRun& old) { return configuration(old) == configuration(run); });
    kept.push_back(run);
  }
}

fs::path store_path(const fs::path& folder) { return folder / "calibration.json"; }

std::string store_text(const std::vector<KeptRun>& runs) {
  Json all;
  all["schema"] = std::string(kSchema) + std::to_string(kVersion);
  all["runs"] = Json::array();
  for (const KeptRun& run : runs) {
    Json& one = all["runs"].emplace_back();
    one["gpus"] = run.gpus;
    one["host"] = run.host;
    one["backend"] = run.backend;
    one["model"] = run.model;
    one["quant"] = run.quant;
    one["kv_type_k"] = run.kv_k;
    one["kv_type_v"] = run.kv_v;
    one["flash_attn"] = run.flash_attention;
    one["depth"] = run.depth;
    one["decode_tps"] = run.decode_tps;
    one["engine"] = run.engine;
    one["build"] = run.build;
    one["date"] = run.date;
    one["source"] = run.source;
  }
  // A file name need not be UTF-8.
  return all.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::vector<KeptRun> parse_store(const fs::path& path, std::string_view text) {
  try {
    const json all = parse_strictly(path.string(), text);
    const Place place{path.string(), ""};
    const std::string schema =
        all.is_object() ? all.value("schema", json()).is_string() ? all["schema"].get<std::string>() : ""
                        : "";
    if (!schema.starts_with(kSchema)) refuse(place, "is no calibration of r1fit");
    if (schema.substr(kSchema.size()) != std::to_string(kVersion))
      refuse(place, "was written by a newer r1fit (" + schema + ")");
    const auto list = all.find("runs");
    if (list == all.end() || !list->is_array()) refuse(place, "\"runs\" must be a list");
    std::vector<KeptRun> runs;
    for (std::size_t i = 0; i < list->size(); ++i) runs.push_back(run_of((*list)[i], place.at("runs").at(i)));
    return runs;
  } catch (const Error& error) {
    throw Error(error.what() + way_out(path), ExitStatus::broken);
  }
}

std::vector<KeptRun> read_store(const fs::path& folder) {
  const fs::path path = store_path(folder);
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return {};
    fail_with_errno(path);
  }
  std::string text;
  char piece[1 << 14];
  for (;;) {
    const ssize_t got = ::read(file.get(), piece, sizeof piece);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_with_errno(path);
    if (got == 0) break;
    text.append(piece, static_cast<std::size_t>(got));
    if (text.size() > kLargestStore) fail(path, "too large for a calibration" + way_out(path));
  }
  return parse_store(path, text);
}

void change_store(const fs::path& folder, const std::function<void(std::vector<KeptRun>&)>& change) {
  std::error_code fault;
  fs::create_directories(folder, fault);
  if (fault) fail(folder, fault.message());
  const fs::path path = store_path(folder);
  const Lock lock(folder / "calibration.lock");
  std::vector<KeptRun> runs = read_store(folder);
  change(runs);
  if (runs.size() > kMostRuns)
    fail(path, "keeps " + std::to_string(kMostRuns) + " runs at most; forget some with --forget");
  replace(path, store_text(runs));
}

}  // namespace r1fit
