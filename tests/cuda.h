// The rule for tests of the CUDA path: skipped where no device is there.
// Not here: what is compared.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "tenfold/error.h"
#include "tensor/device.h"

namespace tenfold::testing {

/// Why CUDA cannot be used here; empty: it can.
inline const std::string& cuda_trouble() {
  static const std::string trouble = [] {
    try {
      parse_device("cuda");
      return std::string();
    } catch (const Error& error) {
      return std::string(error.what());
    }
  }();
  return trouble;
}

}  // namespace tenfold::testing

#define TENFOLD_NEEDS_CUDA()                       \
  if (!::tenfold::testing::cuda_trouble().empty()) \
  GTEST_SKIP() << ::tenfold::testing::cuda_trouble()
