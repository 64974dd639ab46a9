#include "r1fit/real_probe.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "catch.hpp"
#include "r1fit/detect.hpp"

using namespace r1fit;

namespace fs = std::filesystem;

TEST_CASE("only regular files are read", "[real_probe]") {
  const RealProbe probe;
  CHECK_FALSE(probe.read("/dev/zero").has_value());
  CHECK_FALSE(probe.read("/proc").has_value());
  CHECK_FALSE(probe.read("/no/such/file").has_value());
  CHECK(probe.list("/no/such/folder").empty());
  CHECK_FALSE(probe.free_space("/no/such/folder").has_value());
  CHECK(probe.free_space("/dev").has_value());
  CHECK_FALSE(probe.free_space("/dev/null").has_value());  // on a file system, but no place for anything
  const fs::path pipe = fs::temp_directory_path() / ("r1fit_pipe." + std::to_string(::getpid()));
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK_FALSE(probe.read(pipe.string()).has_value());  // and it does not wait for a writer
  fs::remove(pipe);
}

TEST_CASE("a file is read up to a bound", "[real_probe]") {
  const fs::path path = fs::temp_directory_path() / ("r1fit_large." + std::to_string(::getpid()));
  std::ofstream(path) << "a few bytes";
  fs::resize_file(path, Probe::kMostBytes * 2);
  const auto text = RealProbe().read(path.string());
  REQUIRE(text);
  CHECK(text->size() == Probe::kMostBytes);
  CHECK(text->starts_with("a few bytes"));
  fs::remove(path);
}

TEST_CASE("this machine can be looked at, whatever it is", "[real_probe]") {
  const RealProbe probe;
  const Detected machine = detect(builtin_catalog(), probe);
  CHECK(machine.ram.total.has_value());
  CHECK(machine.cpu.threads.has_value());
}
