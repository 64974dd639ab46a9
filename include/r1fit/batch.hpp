// `r1fit batch`: one NDJSON request a line, in the words of the flags.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "r1fit/query.hpp"

namespace r1fit {

/// How much of an answer a request wants: all, or placement and memory alone.
enum class BatchAnswer : std::uint8_t { estimate, memory };

struct BatchRequest {
  std::string id_json;  ///< the request's "id" as JSON text; empty: none
  HardwareQuery hardware;
  NeedsQuery needs;
  BatchAnswer answer = BatchAnswer::estimate;
};

/// A request that cannot be read: the sentence, and the id if that much could be.
struct BatchFault {
  std::string id_json;
  std::string sentence;
};

/// Reads one line. Throws BatchFault for text that is no JSON object, unknown keys, wrong types and values
/// out of range; names are looked up later.
BatchRequest parse_batch_request(std::string_view line);

}  // namespace r1fit
