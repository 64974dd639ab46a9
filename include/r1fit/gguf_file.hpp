// The headers of GGUF files on disk, split ones in all their parts.
#pragma once

#include <string>

#include "r1fit/gguf.hpp"

namespace r1fit {

/// A header with all parts of its file.
struct GgufFile {
  std::string path;  ///< of the first part
  GgufHeader header;
};

/// Reads the file at `path`; where it is one part of a split one, the others, too, which lie in the same
/// folder. Throws Error naming the file that is missing, cannot be read or is no such header.
GgufFile read_gguf_file(const std::string& path, List<TensorType> types);

}  // namespace r1fit
