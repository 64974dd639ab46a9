// Is what somebody says of a speed, a memory size, a file size or of "fits" possible?
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "r1fit/estimate.hpp"

namespace r1fit {

// ---- what is claimed ---------------------------------------------------------------------------------

enum class ClaimKind : std::uint8_t { decode_tps, needs, file_size, fits };
std::string_view word(ClaimKind kind);

/// A speed as claimed. A figure means whatever rounds to it, so half of its last digit is given to it.
struct ClaimedSpeed {
  TokensPerSecond low;
  TokensPerSecond high;  ///< equal to low where one figure was given
  TokensPerSecond low_half;
  TokensPerSecond high_half;
};

/// A size as claimed.
struct ClaimedSize {
  Bytes size;
  Bytes half;           ///< half of its last digit
  bool binary = false;  ///< said in KiB, MiB, GiB or TiB
  bool stated = true;   ///< its unit was said; else it was taken for decimal GB
};

struct Claimed {
  ClaimKind kind = ClaimKind::fits;
  std::string text;    ///< the figure as typed, "45-50"; empty for "fits"
  ClaimedSpeed speed;  ///< of decode_tps
  ClaimedSize size;    ///< of needs and file_size
};

/// Hardware of a claim that was never sold.
struct Unsold {
  std::string why;              ///< "GeForce RTX 4080 was sold with 16 GiB, never 24"
  const Gpu* gpu = nullptr;     ///< null: no such device was sold, with whatever memory
  std::optional<Bytes> memory;  ///< as claimed
  std::vector<Bytes> sizes;     ///< that it was sold with; empty: none
};

/// Hardware as the claim has it. A size that was never sold is there as claimed, since bandwidth and fit can
/// be judged all the same; of a device that was never sold nothing is known.
struct ClaimedHardware {
  std::optional<Machine>
      machine;  ///< unset: none was named, or all that is known of it is that there is none
  std::vector<Unsold> unsold;
};

// ---- the answer ---------------------------------------------------------------------------------------

/// docs/cli.md says what each means and which wins.
enum class ClaimVerdict : std::uint8_t {
  plausible,
  optimistic,
  impossible,
  does_not_fit,
  understated,
  no_such_hardware
};
std::string_view word(ClaimVerdict verdict);

/// What one memory is read for a token, as the limit has it; devices of one bandwidth are one of these.
struct LimitStep {
  std::string where;
  BytesPerToken read;
  BytesPerSecond bandwidth;
};

/// Hardware of the catalogue that does what was claimed, all of the model on its devices.
struct Alternative {
  std::string_view kind;  ///< "card", "cards" or "apple"
  const Gpu* gpu = nullptr;
  int count = 1;
  Bytes memory;        ///< of each
  bool tight = false;  ///< nothing of its kind holds it with room to spare
  std::optional<Range<TokensPerSecond>> decode;
};

struct Claim {
  Claimed claimed;
  ClaimVerdict verdict = ClaimVerdict::plausible;
  std::vector<Unsold> unsold;

  /// As claimed, or with the RAM that the claim needs where none was stated; unset: as in ClaimedHardware.
  std::optional<Machine> machine;
  Estimate estimate;  ///< on `machine`; without one, model, quantisation, weights and download alone

  // ---- of a speed
  /// Of the configuration as judged; of what does not fit, as though its memory were enough.
  Speed speed;
  std::optional<TokensPerSecond> limit;      ///< what bandwidth allows at most
  std::vector<LimitStep> limit_steps;        ///< the arithmetic of it, of the fastest hardware it may be
  std::optional<TokensPerSecond> realistic;  ///< the most that is not called optimistic
  std::optional<Bytes> assumed_ram;  ///< beside the cards, where none was stated and they do not hold it

  // ---- of memory
  std::optional<Bytes> needed;     ///< of all devices together; of the host where there are none
  std::optional<Bytes> usable;     ///< of the same, on the hardware as claimed
  std::optional<Bytes> shortfall;  ///< missing on the hardware as claimed; unset: it fits, or none is claimed
  std::optional<Bytes> truth;      ///< what the size claimed is of

  std::vector<Alternative> instead;
  bool sought = false;  ///< whether `instead` was looked for; if so and it is empty, nothing does it
  const PublishedFile* other = nullptr;  ///< of another model, and of the size claimed
  std::vector<Note> notes;               ///< those that bear on the verdict first

  [[nodiscard]] bool plausible() const { return verdict == ClaimVerdict::plausible; }
};

/// Speeds above this share of the limit are not called realistic. Of 211 published runs of dense models
/// wholly on GPUs, layer by layer, fifteen lie above 0.85 of it and none above 0.9.
inline constexpr double kRealisticShare = 0.85;
/// A file is of the size claimed where it is within this share: makers of one quantisation differ by as much,
/// and GiB written as GB are off by 7 %.
inline constexpr double kFileTolerance = 0.05;
/// Memory is needed as claimed where it is within this share, beyond what rounding explains.
inline constexpr double kNeedTolerance = 0.02;

/// Judges a claim. Throws Error as estimate() does, where a speed or "fits" is claimed of no hardware, or
/// where the bandwidth of what is stated is not known.
Claim judge(const Catalog& catalog, const Question& question, const ClaimedHardware& hardware,
            const Claimed& claimed);

}  // namespace r1fit
