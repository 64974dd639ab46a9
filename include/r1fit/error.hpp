// The one exception of r1fit: one sentence for the user and the exit status that goes with it.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace r1fit {

/// Exit statuses promised in docs/cli.md.
enum class ExitStatus : int {
  yes = 0,    ///< it fits, something was found, the answer is good
  no = 1,     ///< the answer is no
  usage = 2,  ///< wrong usage or bad input
  broken = 3  ///< r1fit itself could not work: unreadable catalogue, full disk
};

/// Bad input or a failure to work. what() is one sentence naming the flag, file or JSON path at fault.
/// "It does not fit" is an answer, never an Error.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& sentence, ExitStatus status = ExitStatus::usage)
      : std::runtime_error(sentence), status_(status) {}
  [[nodiscard]] ExitStatus status() const { return status_; }

 private:
  ExitStatus status_;
};

/// `text` in double quotes for a sentence: cut where it is long, control characters as '?'.
std::string in_quotes(std::string_view text);

}  // namespace r1fit
