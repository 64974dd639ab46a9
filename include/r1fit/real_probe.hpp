// The probe of the machine that the program runs on.
#pragma once

#include "r1fit/probe.hpp"

namespace r1fit {

/// Reads regular files alone, so that nothing waits; NVIDIA's library is loaded when it is asked for and
/// given ten seconds.
class RealProbe : public Probe {
 public:
  [[nodiscard]] std::optional<std::string> read(std::string_view path) const override;
  [[nodiscard]] std::vector<std::string> list(std::string_view folder) const override;
  [[nodiscard]] std::optional<std::string> sysctl(std::string_view name) const override;
  [[nodiscard]] NvmlAnswer nvml() const override;
  [[nodiscard]] std::optional<Bytes> free_space(std::string_view folder) const override;
  [[nodiscard]] std::string home() const override;
};

}  // namespace r1fit
