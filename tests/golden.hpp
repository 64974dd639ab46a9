// Approved texts: what a user sees, compared byte for byte with a file under tests/golden/.
//
//   TEST_CASE("recommend ranks for 24 GiB", "[recommend][golden]") {
//     CHECK(golden_fault("recommend_24gib.txt", out) == "");
//   }
//
// The tag [golden] is what scripts/approve runs. Nothing unstable may be in such a text: no time, path,
// version, locale, colour or width of the terminal.
#pragma once

#include <string>
#include <string_view>

namespace r1fit::test {

/// Empty where `actual` is the approved text of that name; otherwise where they first differ and the
/// command that accepts the change. With R1FIT_APPROVE=1 the file is rewritten instead and only a failure
/// to do so is a fault, as is approving where CI is set.
[[nodiscard]] std::string golden_fault(std::string_view name, std::string_view actual);

}  // namespace r1fit::test
