// The reference results of metrics, a JSON object a line.
// Not here: comparing them.
#pragma once

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "golden.h"

namespace tenfold::testing {

/// Rows of goldens/objectives/NAME; fails where there are not 200, and counts them as compared.
inline std::vector<nlohmann::json> golden_rows(const std::string& name) {
  std::ifstream file(shared_path("goldens/objectives/" + name));
  std::vector<nlohmann::json> rows;
  for (std::string line; std::getline(file, line);) rows.push_back(nlohmann::json::parse(line));
  EXPECT_EQ(rows.size(), 200u) << name;
  compared_goldens(rows.size());
  return rows;
}

}  // namespace tenfold::testing
