#include "r1fit/gguf_file.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>
#include <vector>

#include "r1fit/error.hpp"

namespace r1fit {
namespace {

namespace fs = std::filesystem;

class FileSource final : public ByteSource {
 public:
  explicit FileSource(std::string path) : path_(std::move(path)) {
    std::error_code fault;
    const fs::file_status status = fs::status(path_, fault);
    if (status.type() == fs::file_type::not_found) throw Error(path_ + ": there is no such file");
    if (!fs::status_known(status)) throw Error(path_ + ": cannot be opened: " + fault.message());
    if (fs::is_directory(status)) throw Error(path_ + ": it is a folder; name the GGUF file in it");
    if (!fs::is_regular_file(status)) throw Error(path_ + ": it is no regular file");
    size_ = fs::file_size(path_, fault);
    if (fault) throw Error(path_ + ": " + fault.message());
    stream_.rdbuf()->pubsetbuf(nullptr, 0);  // the reader takes chunks of its own
    errno = 0;
    stream_.open(path_, std::ios::binary);
    if (!stream_) throw Error(path_ + ": cannot be opened: " + std::strerror(errno));
  }

  [[nodiscard]] const std::string& name() const override { return path_; }
  [[nodiscard]] std::uint64_t size() const override { return size_; }
  void read(std::uint64_t offset, std::span<char> out) const override {
    errno = 0;
    stream_.seekg(static_cast<std::streamoff>(offset));
    stream_.read(out.data(), static_cast<std::streamsize>(out.size()));
    if (!stream_) {
      throw Error(path_ + ": at byte " + std::to_string(offset) + ": it cannot be read" +
                  (errno != 0 ? ": " + std::string(std::strerror(errno)) : ""));
    }
  }

 private:
  std::string path_;
  std::uint64_t size_ = 0;
  mutable std::ifstream stream_;
};

}  // namespace

GgufFile read_gguf_file(const std::string& path, List<TensorType> types) {
  GgufHeader header = read_gguf(FileSource(path), types);
  const GgufSplit split = split_of(header, path);
  if (split.count == 1) return {path, std::move(header)};
  std::vector<std::string> names;
  std::vector<int> missing;
  for (int i = 0; i < split.count; ++i) {
    names.push_back(part_name(path, split, i));
    std::error_code fault;
    // One that is there and cannot be looked at is told of below.
    if (fs::status(names.back(), fault).type() == fs::file_type::not_found) missing.push_back(i);
    // Of a thousand that are missing one is named; the file cannot be read either way.
    if (missing.size() > 1) break;
  }
  if (!missing.empty()) {
    const std::string& name = names[static_cast<std::size_t>(missing.front())];
    throw Error(path + ": of its " + std::to_string(split.count) + " parts " +
                fs::path(name).filename().string() + " is missing in the same folder" +
                (missing.size() > 1 ? ", and others" : ""));
  }
  std::vector<GgufHeader> parts;
  parts.reserve(names.size());
  for (const std::string& name : names) parts.push_back(read_gguf(FileSource(name), types));
  return {names.front(), joined(std::move(parts), names)};
}

}  // namespace r1fit
