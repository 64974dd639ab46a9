// The flags of one command, as CLI11 sorts them, as the help prints them and as manual page and completion
// list them. CLI11 stays behind this header, which does not include it: values are read by our own parsers
// (flag_values.hpp), so that its number formats and messages never reach the user.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "r1fit/command_line.hpp"

namespace r1fit {

class Flags {
 public:
  using Reader = std::function<void(std::string_view)>;

  /// `command` as it is called: "r1fit check".
  Flags(std::string_view command, std::string_view summary);
  ~Flags();
  Flags(const Flags&) = delete;
  Flags& operator=(const Flags&) = delete;

  /// The heading under which the flags that follow are shown.
  void heading(const std::string& text);

  /// A flag that takes a value, given once.
  void value(std::string name, std::string help, std::string type, Reader read);
  /// The same, repeatable.
  void values(std::string name, std::string help, std::string type, Reader read);
  /// A value that is one of some words; `take` is given its index. The words must outlive the flags.
  void choice(const std::string& name, std::string help, std::string type,
              std::span<const std::string_view> words, std::function<void(std::size_t)> take);
  /// A flag without a value: "--explain" or "-q,--quiet".
  void flag(const std::string& name, std::string help, bool& target);
  /// The words that belong to no flag.
  void positional(std::string name, std::string help, bool required, std::vector<std::string>& target,
                  std::vector<std::string_view> words = {}, std::string then = {});

  /// What was declared.
  [[nodiscard]] const CommandDoc& doc() const { return doc_; }
  [[nodiscard]] std::string help();

  /// Sorts `args` from `first` on; false where the help was asked for. `commands` are the words that come
  /// before all flags. Throws Error.
  bool parse(const std::vector<std::string>& args, std::size_t first,
             std::span<const std::string_view> commands);
  /// The first flag under `heading` that was given; empty where none was.
  [[nodiscard]] std::string given_under(std::string_view heading) const;
  /// Reads every value that was given, in the order of declaration. Throws Error.
  void read_all();

 private:
  struct Slot {
    std::string name;
    std::string type;
    std::vector<std::string> texts;
    Reader read;
    bool repeatable = false;
  };

  class App;  // CLI11's part

  [[nodiscard]] std::vector<std::string> tied(const std::vector<std::string>& args, std::size_t first) const;

  std::unique_ptr<App> app_;
  CommandDoc doc_;
  std::string heading_ = "Options";  // as CLI11 calls what has none
  std::list<Slot> slots_;
  std::vector<std::string> bare_;  // flags without a value
};

}  // namespace r1fit
