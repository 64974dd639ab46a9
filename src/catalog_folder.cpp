#include "r1fit/catalog_folder.hpp"

#include <fstream>
#include <string>
#include <system_error>

#include "r1fit/error.hpp"

namespace r1fit {
namespace {

namespace fs = std::filesystem;

// The built-in files are below 0.4 MB; a folder with more than this is some other folder.
constexpr std::uintmax_t kLargestFile = 64U << 20U;

std::string read_file(const fs::path& path) {
  std::error_code fault;
  const auto status = fs::status(path, fault);
  if (status.type() == fs::file_type::not_found) throw Error(path.string() + ": no such file");
  if (!fs::is_regular_file(status)) throw Error(path.string() + ": not a readable file");
  const auto size = fs::file_size(path, fault);
  if (fault) throw Error(path.string() + ": " + fault.message());
  if (size == 0) throw Error(path.string() + ": the file is empty");
  if (size > kLargestFile) throw Error(path.string() + ": too large for a catalogue file");
  std::ifstream stream(path, std::ios::binary);
  std::string text(static_cast<std::size_t>(size), '\0');
  stream.read(text.data(), static_cast<std::streamsize>(size));
  // Fewer bytes than promised: unreadable, or changed under our hands.
  if (!stream || stream.gcount() != static_cast<std::streamsize>(size)) {
    throw Error(path.string() + ": cannot be read");
  }
  return text;
}

void write_file(const fs::path& path, const std::string& text) {
  fs::path beside = path;
  beside += ".tmp";
  {
    std::ofstream stream(beside, std::ios::binary | std::ios::trunc);
    stream << text;
    stream.flush();
    if (!stream) {
      std::error_code ignored;
      fs::remove(beside, ignored);
      throw Error(path.string() + ": cannot be written", ExitStatus::broken);
    }
  }
  std::error_code fault;
  fs::rename(beside, path, fault);
  if (fault) throw Error(path.string() + ": " + fault.message(), ExitStatus::broken);
}

}  // namespace

CatalogTexts read_catalog_folder(const fs::path& folder) {
  std::error_code fault;
  if (!fs::exists(folder, fault)) throw Error(folder.string() + ": no such catalogue folder");
  if (!fs::is_directory(folder, fault)) throw Error(folder.string() + ": not a folder");
  CatalogTexts texts;
  for (const CatalogFile& file : kCatalogFiles) texts.*file.text = read_file(folder / file.name);
  return texts;
}

void write_catalog_folder(const fs::path& folder, const CatalogTexts& texts) {
  std::error_code fault;
  // Somebody's own catalogue is not overwritten by the built-in one.
  for (const CatalogFile& file : kCatalogFiles) {
    if (fs::exists(folder / file.name, fault)) throw Error((folder / file.name).string() + ": already there");
  }
  fs::create_directories(folder, fault);
  if (fault) throw Error(folder.string() + ": " + fault.message(), ExitStatus::broken);
  for (const CatalogFile& file : kCatalogFiles) write_file(folder / file.name, texts.*file.text);
}

}  // namespace r1fit
