#include "r1fit/calibration_store.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "temp_folder.hpp"

using namespace r1fit;
using namespace r1fit::test;

namespace fs = std::filesystem;

namespace {

KeptRun run_at(std::int64_t depth, double speed = 38.4) {
  KeptRun run;
  run.gpus = {"rtx-4090"};
  run.backend = "cuda";
  run.model = "r1-distill-qwen-32b";
  run.quant = "Q4_K_M";
  run.depth = depth;
  run.decode_tps = speed;
  run.engine = "llama.cpp";
  run.build = "8cf427ff (5163)";
  run.date = "2026-11-22";
  run.source = "bench.json";
  return run;
}

void add(const fs::path& folder, const KeptRun& run) {
  change_store(folder, [&](std::vector<KeptRun>& runs) { keep(runs, {run}); });
}

/// The sentence of an Error of status 3.
template <class Call>
std::string broken(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error.status() == ExitStatus::broken ? error.what() : "(another status)";
  }
  return "(no error)";
}

}  // namespace

TEST_CASE("what is kept comes back as it was") {
  const TempFolder folder;
  CHECK(read_store(folder.path() / "not" / "there").empty());
  add(folder.path() / "made", run_at(64));
  add(folder.path() / "made", run_at(4160, 36.02));
  const std::vector<KeptRun> runs = read_store(folder.path() / "made");
  REQUIRE(runs.size() == 2);
  CHECK(store_text(runs) == store_text({run_at(64), run_at(4160, 36.02)}));
  CHECK(runs.front().gpus == std::vector<std::string>{"rtx-4090"});
  CHECK(runs.front().decode_tps == 38.4);
  const auto found = found_in(builtin_catalog(), runs.front());
  REQUIRE(found);
  CHECK(found->gpus.front()->id == "rtx-4090");
  CHECK(found->depth == tokens(64));
  KeptRun foreign = run_at(64);
  foreign.gpus = {"a-card-of-another-catalogue"};
  CHECK(!found_in(builtin_catalog(), foreign));
}

TEST_CASE("the same configuration measured anew replaces the old run") {
  std::vector<KeptRun> runs;
  keep(runs, {run_at(64, 30), run_at(4160, 36)});
  keep(runs, {run_at(64, 38)});
  REQUIRE(runs.size() == 2);
  CHECK(runs.back().decode_tps == 38);
  KeptRun other_engine = run_at(64, 35);
  other_engine.engine = "ollama";
  keep(runs, {other_engine});
  CHECK(runs.size() == 3);
}

TEST_CASE("several at once lose nothing") {
  const TempFolder folder;
  constexpr int writers = 4;
  constexpr int each = 10;
  const auto write = [&](int writer) {
    for (int i = 0; i < each; ++i) add(folder.path(), run_at(1000 * writer + i));
  };
  // Two processes, and threads of one of them.
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    write(writers);
    ::_exit(0);
  }
  std::vector<std::thread> threads;
  for (int writer = 0; writer < writers; ++writer) threads.emplace_back(write, writer);
  for (std::thread& thread : threads) thread.join();
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  CHECK(read_store(folder.path()).size() == (writers + 1) * each);
}

TEST_CASE("a store that cannot be understood is left as it is") {
  const std::string good = store_text({run_at(64)});
  const auto replaced = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    return text.replace(text.find(from), from.size(), to);
  };
  struct Case {
    std::string text;
    std::string part;
  };
  const std::vector<Case> cases{
      {"", "line 1"},
      {"{", "line 1"},
      {good.substr(0, good.size() / 2), "line "},
      {"[1]", "is no calibration of r1fit"},
      {"{\"schema\": 1}", "is no calibration of r1fit"},
      {replaced("store/1", "store/2"), "was written by a newer r1fit (r1fit.calibration_store/2)"},
      {replaced("\"quant\"", "\"quint\""), "/runs/0: \"quant\" is missing"},
      {replaced("38.4", "-1"), "/runs/0/decode_tps"},
      {replaced("\"depth\": 64", "\"depth\": \"deep\""), "/runs/0/depth"},
  };
  for (const Case& one : cases) {
    const TempFolder folder;
    folder.write("calibration.json", one.text);
    CAPTURE(one.text);
    const std::string path = (folder.path() / "calibration.json").string();
    const std::string read = broken([&] { read_store(folder.path()); });
    CHECK_THAT(read, starts_with(path + ": "));
    CHECK_THAT(read, contains(one.part));
    CHECK_THAT(read, contains("; nothing was changed; rm '" + path + "' forgets it"));
    CHECK(broken([&] { add(folder.path(), run_at(64)); }) == read);
    CHECK(folder.read("calibration.json") == one.text);
  }
}

TEST_CASE("where nothing can be written the sentence names the place, and nothing is lost") {
  const TempFolder folder;
  // Permissions do not stop root, so what stands in the way is a file where a folder is wanted ...
  folder.write("file", "");
  CHECK_THAT(broken([&] { add(folder.path() / "file" / "r1fit", run_at(64)); }),
             starts_with((folder.path() / "file" / "r1fit").string() + ": "));
  CHECK(read_store(folder.path() / "file" / "r1fit").empty());
  // ... and a folder where the new file is written.
  add(folder.path(), run_at(64));
  fs::create_directory(folder.path() / "calibration.json.new");
  CHECK_THAT(broken([&] { add(folder.path(), run_at(4160)); }), contains("calibration.json.new: "));
  CHECK(read_store(folder.path()).size() == 1);
  if (::geteuid() == 0) return;
  fs::remove(folder.path() / "calibration.json.new");
  fs::permissions(folder.path(), fs::perms::owner_read | fs::perms::owner_exec);
  CHECK_THAT(broken([&] { add(folder.path(), run_at(4160)); }), contains("Permission denied"));
  CHECK(read_store(folder.path()).size() == 1);
  fs::permissions(folder.path(), fs::perms::owner_all);
}

TEST_CASE("a full disk loses nothing") {
  const TempFolder folder;
  add(folder.path(), run_at(64));
  const std::string before = folder.read("calibration.json");
  // What is written beside the store goes where nothing has room.
  fs::create_symlink("/dev/full", folder.path() / "calibration.json.new");
  CHECK_THAT(broken([&] { add(folder.path(), run_at(4160)); }), contains("No space left on device"));
  CHECK(folder.read("calibration.json") == before);
  // The next one writes as ever.
  add(folder.path(), run_at(4160));
  CHECK(read_store(folder.path()).size() == 2);
}

TEST_CASE("the store does not grow without bound") {
  const TempFolder folder;
  CHECK_THAT(broken([&] {
               change_store(folder.path(), [](std::vector<KeptRun>& runs) {
                 for (int i = 0; i <= 1000; ++i) runs.push_back(run_at(i));
               });
             }),
             contains("1000 runs at most"));
  CHECK(read_store(folder.path()).empty());
}
