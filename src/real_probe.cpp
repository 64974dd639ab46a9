#include "r1fit/real_probe.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "nvml.hpp"

#ifdef __APPLE__
#include <sys/sysctl.h>
#endif

namespace r1fit {
namespace {

/// More than any folder that is asked for has.
constexpr std::size_t kMostNames = 8192;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

std::optional<std::string> RealProbe::read(std::string_view path) const {
  const std::string name(path);
  struct stat about {};
  // Before it is opened: a device may do something at that alone.
  if (::stat(name.c_str(), &about) != 0 || !S_ISREG(about.st_mode)) return std::nullopt;
  const Descriptor file(::open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file.get() < 0) return std::nullopt;
  std::string text;
  constexpr std::size_t piece = 1 << 16;
  std::string buffer(piece, '\0');
  while (text.size() < kMostBytes) {
    const ssize_t got = ::read(file.get(), buffer.data(), std::min(piece, kMostBytes - text.size()));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::nullopt;
    if (got == 0) break;
    text.append(buffer, 0, static_cast<std::size_t>(got));
  }
  return text;
}

std::vector<std::string> RealProbe::list(std::string_view folder) const {
  std::vector<std::string> names;
  DIR* const open = ::opendir(std::string(folder).c_str());
  if (open == nullptr) return names;
  while (const dirent* entry = ::readdir(open)) {
    const std::string_view name = static_cast<const char*>(entry->d_name);
    if (name != "." && name != "..") names.emplace_back(name);
    if (names.size() == kMostNames) break;
  }
  ::closedir(open);
  std::ranges::sort(names);
  return names;
}

std::optional<std::string> RealProbe::sysctl(std::string_view name) const {
#ifdef __APPLE__
  const std::string key(name);
  std::size_t size = 0;
  if (::sysctlbyname(key.c_str(), nullptr, &size, nullptr, 0) != 0 || size == 0 || size > 4096)
    return std::nullopt;
  std::string value(size, '\0');
  if (::sysctlbyname(key.c_str(), value.data(), &size, nullptr, 0) != 0) return std::nullopt;
  value.resize(size);
  // Texts end in a zero byte; numbers come as they lie in memory.
  if (!value.empty() && value.back() == '\0' && value.find('\0') + 1 == value.size() && value.size() > 8)
    return value.substr(0, value.size() - 1);
  const bool is_text =
      value.size() > 1 && value.back() == '\0' &&
      std::all_of(value.begin(), value.end() - 1, [](char c) { return c >= ' ' && c <= '~'; });
  if (is_text) return value.substr(0, value.size() - 1);
  if (value.size() != sizeof(std::int32_t) && value.size() != sizeof(std::int64_t)) return std::nullopt;
  std::uint64_t number = 0;
  for (std::size_t i = value.size(); i-- > 0;) number = number << 8U | static_cast<std::uint8_t>(value[i]);
  return std::to_string(number);
#else
  static_cast<void>(name);
  return std::nullopt;
#endif
}

NvmlAnswer RealProbe::nvml() const { return ask_nvml(); }

std::optional<Bytes> RealProbe::free_space(std::string_view folder) const {
  struct stat named {};
  // A file that is named as one has a file system, too, but nothing can lie in it.
  if (::stat(std::string(folder).c_str(), &named) != 0 || !S_ISDIR(named.st_mode)) return std::nullopt;
  struct statvfs about {};
  if (::statvfs(std::string(folder).c_str(), &about) != 0) return std::nullopt;
  const double free = static_cast<double>(about.f_bavail) * static_cast<double>(about.f_frsize);
  constexpr double most = 1e18;
  if (free > most) return std::nullopt;
  return bytes(static_cast<std::int64_t>(free));
}

std::string RealProbe::home() const {
  const char* const home = std::getenv("HOME");
  return home != nullptr && home[0] == '/' ? home : "";
}

}  // namespace r1fit
