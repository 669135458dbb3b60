// The sweep that looks for values that are no numbers.
// Not here: its users.
#include "tensor/finite.h"

#include <gtest/gtest.h>

#include <limits>

namespace tenfold {
namespace {

TEST(AllFinite, FindsOneBadValueAnywhereInAnyType) {
  for (const auto type : {torch::kFloat32, torch::kFloat64, torch::kBFloat16}) {
    for (const double bad :
         {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(),
          -std::numeric_limits<double>::infinity()}) {
      for (const int64_t at : {0, 17, 199'999}) {
        Tensor x = torch::linspace(-1e30, 1e30, 200'000).to(type);
        EXPECT_TRUE(all_finite(x));
        x[at] = bad;
        EXPECT_FALSE(all_finite(x)) << at;
      }
    }
  }
}

TEST(AllFinite, TakesTheLargestNumbersEmptyAndStridedTensors) {
  EXPECT_TRUE(all_finite(torch::full({3}, std::numeric_limits<float>::max())));
  EXPECT_TRUE(all_finite(torch::empty({0})));
  Tensor columns = torch::ones({4, 4});
  columns.select(1, 3).fill_(std::numeric_limits<float>::infinity());
  EXPECT_TRUE(all_finite(columns.narrow(1, 0, 3)));
  EXPECT_FALSE(all_finite(columns.t()));
}

}  // namespace
}  // namespace tenfold
