#include "r1fit/completion.hpp"

#include <string>
#include <vector>

#include "catch.hpp"
#include "flag_uses.hpp"
#include "run.hpp"
#include "tiny_catalog.hpp"

using namespace r1fit;
using r1fit::test::contains;
using r1fit::test::run;
using r1fit::test::tiny_catalog;

// What the scripts complete is tried in the shells by scripts/check-completion.

namespace {

constexpr Shell kShells[] = {Shell::bash, Shell::zsh, Shell::fish};

ProgramDoc program_with(const ArgumentDoc& argument, const std::vector<FlagDoc>& flags) {
  ProgramDoc program = program_doc();
  program.commands = {CommandDoc{"recommend", "the default", {}, {}},
                      CommandDoc{"try", "it's new", argument, flags}};
  return program;
}

std::string script(Shell shell, const ArgumentDoc& argument, const std::vector<FlagDoc>& flags) {
  return completion_script(shell, program_with(argument, flags), tiny_catalog());
}

}  // namespace

TEST_CASE("a new command is completed like the others", "[completion]") {
  const ArgumentDoc argument{"FILE...", "a file", true, {}, {}};
  const std::vector<FlagDoc> flags{{"-o,--output", "FILE", "where to", "Output", false, {}},
                                   {"--mode", "HOW", "how", "Output", true, {"slow", "fast"}},
                                   {"--size", "GIB", "how much", "Output", false, {}},
                                   {"--loud", "", "say it", "Output", false, {}}};
  const std::string bash = script(Shell::bash, argument, flags);
  CHECK_THAT(bash, contains("-o,--output=@files\n"));
  CHECK_THAT(bash, contains("--mode+=slow:fast\n"));
  CHECK_THAT(bash, contains("--size=\n"));
  CHECK_THAT(bash, contains("--loud\n"));
  CHECK_THAT(bash, contains("'@files+'\n"));
  const std::string zsh = script(Shell::zsh, argument, flags);
  CHECK_THAT(
      zsh,
      contains("'(-o --output)-o[where to]:FILE:_files' '(-o --output)--output=[where to]:FILE:_files'"));
  CHECK_THAT(zsh, contains("'*--mode=[how]:HOW:(slow fast)'"));
  CHECK_THAT(zsh, contains("'--loud[say it]'"));
  CHECK_THAT(zsh, contains("'*:FILE...:_files'"));
  const std::string fish = script(Shell::fish, argument, flags);
  CHECK_THAT(fish, contains("\"try\" -o --output' -s o -l output -r -F -d 'where to'"));
  CHECK_THAT(fish, contains("\"try\"' -l mode -x -a 'slow fast' -d 'how'"));
  CHECK_THAT(fish, contains("__r1fit_valued -o --output --mode --size\n"));
  CHECK_THAT(fish, contains("__r1fit_at \"try\" 0 more' -F\n"));
}

TEST_CASE("help with the shells' own characters stays help", "[completion]") {
  const std::vector<FlagDoc> flags{{"--odd", "N[-M]", "it's [a] $HOME \\ `id` \"b\"", "Output", false, {}}};
  CHECK_THAT(script(Shell::zsh, {}, flags), contains(R"('--odd=[it'\''s \[a\] $HOME \\ `id` "b"]:N[-M]: ')"));
  CHECK_THAT(script(Shell::zsh, {}, flags), contains(R"('try:it'\''s new')"));
  CHECK_THAT(script(Shell::fish, {}, flags), contains(R"(-d 'it\'s [a] $HOME \\ `id` "b"')"));
}

TEST_CASE("names are those of the catalogue that can be typed as they are", "[completion]") {
  Catalog catalog = tiny_catalog();
  std::vector<Gpu> gpus(catalog.gpus.begin(), catalog.gpus.end());
  const Text kept = gpus.front().id;
  for (const char* bad : {"two words", "$(reboot)", "a'b", "a:b", "-rf", "a\nb", "*", "a\\b"}) {
    gpus.push_back(gpus.front());
    gpus.back().id = bad;
  }
  catalog.gpus = gpus;
  for (const Shell shell : kShells) {
    const std::string text = completion_script(shell, program_doc(), catalog);
    CAPTURE(kShellWords[static_cast<std::size_t>(shell)]);
    CHECK_THAT(text, contains(std::string(kept)));
    CHECK(text == completion_script(shell, program_doc(), tiny_catalog()));
  }
}

TEST_CASE("a short form that means several models is not offered", "[completion]") {
  const auto ran = run({"completion", "bash"});
  CHECK(ran.status == 0);
  CHECK_THAT(ran.out, contains(" 32b "));
  CHECK_THAT(ran.out, contains("r1-0528-qwen3-8b"));
  CHECK_THAT(ran.out, !contains(" 8b "));
}

TEST_CASE("completion follows --catalog", "[completion]") {
  const std::string folder = (test::data_folder() / "tiny_catalog").string();
  for (const char* shell : {"bash", "zsh", "fish"}) {
    CAPTURE(shell);
    const auto ran = run({"completion", shell, "--catalog", folder});
    CHECK(ran.status == 0);
    CHECK_THAT(ran.out, contains(std::string(tiny_catalog().hosts.front().id)));
    CHECK_THAT(ran.out, !contains("rtx-5090-laptop"));
  }
}

TEST_CASE("other shells are refused", "[completion]") {
  CHECK(test::refusal_fault(run({"completion", "tcsh"}), "completion takes bash, zsh or fish") == "");
  CHECK(test::refusal_fault(run({"completion"}), "SHELL is required") == "");
  CHECK(test::refusal_fault(run({"completion", "bash", "zsh"}), "one shell at a time") == "");
}

TEST_CASE("a flag is named once for all commands that take it alike", "[completion]") {
  const FlagDoc same{"--size", "GIB", "how much", "Hardware", false, {}};
  FlagDoc elsewhere = same;
  elsewhere.heading = "Needs";
  FlagDoc other = same;
  other.help = "something else";
  const std::vector<CommandDoc> commands{
      {"a", "", {}, {same}}, {"b", "", {}, {other}}, {"c", "", {}, {elsewhere}}};
  const std::vector<FlagUse> uses = flag_uses(commands);
  REQUIRE(uses.size() == 2);
  CHECK(uses[0].commands == std::vector<std::string_view>{"a", "c"});
  CHECK(uses[1].commands == std::vector<std::string_view>{"b"});
  CHECK(names_of({"-q,--quiet", "", "", "", false, {}}) == std::vector<std::string_view>{"-q", "--quiet"});
}
