// The claims of tests/data/claims.csv: what widely read articles on R1 hardware say, and what is so.
#pragma once

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "catch.hpp"
#include "tiny_catalog.hpp"

namespace r1fit::test {

struct ClaimRow {
  std::string id, model, quant, hardware, ram_gib, cpu, context, kind, claimed, unit, expected, why;
  std::string because;  ///< where our verdict is not the expected one: why it stands

  /// Whether `hardware` is the size of a nameless card.
  [[nodiscard]] bool nameless() const {
    return hardware.find_first_not_of("0123456789") == std::string::npos;
  }
};

inline std::vector<ClaimRow> claim_rows() {
  std::ifstream file(data_folder() / "claims.csv");
  REQUIRE(file);
  std::vector<ClaimRow> found;
  std::string line;
  std::getline(file, line);
  CHECK(line == "id,model,quant,hardware,ram_gib,cpu,context,kind,claimed,unit,expected,why,because");
  while (std::getline(file, line)) {
    std::istringstream cells(line);
    ClaimRow row;
    for (std::string* cell :
         {&row.id, &row.model, &row.quant, &row.hardware, &row.ram_gib, &row.cpu, &row.context, &row.kind,
          &row.claimed, &row.unit, &row.expected, &row.why, &row.because}) {
      std::getline(cells, *cell, ',');
    }
    found.push_back(row);
  }
  return found;
}

}  // namespace r1fit::test
