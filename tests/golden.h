// Where the reference results lie, for tests of every layer.
// Not here: reading them (each layer has its own readers).
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

namespace tenfold::testing {

/// Path inside the folder of shared goldens and data, e.g. shared_path("goldens/text/pairs.jsonl").
inline std::filesystem::path shared_path(const std::string& inside) {
  return std::filesystem::path(TENFOLD_SHARED_DIR) / inside;
}

inline bool has_shared() { return std::filesystem::exists(shared_path("goldens/README.md")); }

}  // namespace tenfold::testing

/// First line of a test that needs the goldens: skips it where they are not on this machine.
#define TENFOLD_NEEDS_SHARED() \
  if (!::tenfold::testing::has_shared()) GTEST_SKIP() << "goldens are not on this machine"
