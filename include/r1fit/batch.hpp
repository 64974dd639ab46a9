// `r1fit batch`: one NDJSON request a line, in the words of the flags.
#pragma once

#include <string>
#include <string_view>

#include "r1fit/query.hpp"

namespace r1fit {

struct BatchRequest {
  std::string id_json;  ///< the request's "id" as JSON text; empty: none
  HardwareQuery hardware;
  NeedsQuery needs;
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
