// Sequence layouts, masks, fresh weights and device names.
// Not here: dropout (dropout_test.cpp).
#include <gmock/gmock.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "golden.h"
#include "support/fail.h"
#include "tensor/device.h"
#include "tensor/init.h"
#include "tensor/mask.h"
#include "tensor/sequence_layout.h"

namespace tenfold {
namespace {

std::vector<int64_t> numbers(const Tensor& t) {
  const Tensor flat = t.to(torch::kInt64).contiguous().flatten();
  return {flat.const_data_ptr<int64_t>(), flat.const_data_ptr<int64_t>() + flat.numel()};
}

TEST(SequenceLayout, CountsRowsOfRaggedSequences) {
  const auto layout = SequenceLayout::of_lengths({2, 0, 3});
  EXPECT_EQ(layout.count(), 3);
  EXPECT_EQ(layout.total(), 5);
  EXPECT_EQ(layout.longest(), 3);
  EXPECT_EQ(layout.begin(2), 2);
  EXPECT_FALSE(layout.all_equal());
  EXPECT_THAT(numbers(layout.positions()), ::testing::ElementsAre(0, 1, 0, 1, 2));
  EXPECT_THAT(numbers(layout.positions({4, 9, 1})), ::testing::ElementsAre(4, 5, 1, 2, 3));
  EXPECT_THAT(numbers(layout.sequence_of_row()), ::testing::ElementsAre(0, 0, 2, 2, 2));
  EXPECT_EQ(layout.split(torch::ones({5, 2}))[2].size(0), 3);
  EXPECT_THROW(layout.first_rows(), Error);
  EXPECT_EQ(SequenceLayout().total(), 0);
}

TEST(MaskSpec, ShowsEachKind) {
  const auto seen = [](See kind, int64_t past, int64_t n, int64_t m) {
    return numbers(MaskSpec{.see = {kind}, .source = {1}, .keep_S = {}}.visible(0, past, n, m, 0));
  };
  EXPECT_THAT(seen(See::all, 0, 1, 3), ::testing::ElementsAre(1, 1, 1));
  EXPECT_THAT(seen(See::past, 0, 2, 3), ::testing::ElementsAre(1, 0, 0, 1, 1, 0));
  EXPECT_THAT(seen(See::past, 1, 1, 3), ::testing::ElementsAre(1, 1, 0));
  EXPECT_THAT(seen(See::future, 0, 2, 3), ::testing::ElementsAre(1, 1, 1, 0, 1, 1));
  EXPECT_THAT(seen(See::others, 0, 2, 3), ::testing::ElementsAre(0, 1, 1, 1, 0, 1));
  EXPECT_THAT(
      numbers(MaskSpec{.see = {See::prefix}, .source = {2}, .keep_S = {}}.visible(0, 0, 3, 3, 0)),
      ::testing::ElementsAre(1, 1, 0, 1, 1, 0, 1, 1, 1));
}

/// "0"/"1" rows of a golden matrix, the first n of each.
std::vector<int64_t> cells(const nlohmann::json& matrix, int64_t n) {
  std::vector<int64_t> out;
  for (int64_t i = 0; i < n; ++i) {
    const auto row = matrix.at(static_cast<size_t>(i)).get<std::string>();
    for (int64_t j = 0; j < n; ++j) out.push_back(row.at(static_cast<size_t>(j)) - '0');
  }
  return out;
}

TEST(MaskSpec, EqualsTheGoldenMatricesAloneAndPacked) {
  TENFOLD_COMPARES_GOLDENS();
  const std::map<std::string, See> modes{{"bidirectional", See::all},
                                         {"l2r", See::past},
                                         {"r2l", See::future},
                                         {"seq2seq", See::prefix},
                                         {"tta", See::others}};
  std::ifstream file(testing::shared_path("goldens/attention/unilm-masks.json"));
  const auto golden = nlohmann::json::parse(file);
  size_t compared = 0;
  for (const auto& one : golden.at("single")) {
    const int64_t source = one.at("source"), n = source + one.at("target").get<int64_t>();
    for (const auto& [mode, see] : modes) {
      const MaskSpec mask{.see = {see}, .source = {source}, .keep_S = {}};
      EXPECT_EQ(numbers(mask.visible(0, 0, n, n, 0)), cells(one.at(mode), n)) << mode << n;
      ++compared;
    }
  }
  // Packed pairs are further sequences: their matrix is block-diagonal.
  for (const auto& packed : golden.at("packed")) {
    const auto total = static_cast<int64_t>(packed.at("segment").size());
    for (const auto& [mode, see] : modes) {
      if (!packed.contains(mode)) continue;
      Tensor dense = torch::zeros({total, total}, torch::kInt64);
      MaskSpec mask{.see = {see}, .source = {}, .keep_S = {}};
      int64_t begin = 0, b = 0;
      for (const auto& pair : packed.at("pairs")) {
        const int64_t n = pair[0].get<int64_t>() + pair[1].get<int64_t>();
        mask.source.push_back(pair[0]);
        dense.narrow(0, begin, n).narrow(1, begin, n).copy_(mask.visible(b++, 0, n, n, 0));
        begin += n;
      }
      EXPECT_EQ(numbers(dense), cells(packed.at(mode), total)) << mode;
      ++compared;
    }
  }
  testing::compared_goldens(compared);
}

TEST(MaskSpec, RefusesListsThatDoNotFit) {
  const MaskSpec two_kinds{.see = {See::all, See::past}, .source = {}, .keep_S = {}};
  EXPECT_THROW(two_kinds.check(3, {1, 1, 1}), Error);
  const MaskSpec no_source{.see = {See::prefix}, .source = {}, .keep_S = {}};
  EXPECT_THROW(no_source.check(1, {1}), Error);
}

TEST(Init, IsCutAtTwoDeviationsAndIndependentOfThreads) {
  const int threads = at::get_num_threads();
  const Tensor w = normal_tensor({300, 300}, 0.02, Tails::cut_at_two, 5, torch::kFloat32);
  at::set_num_threads(1);
  EXPECT_TRUE(
      torch::equal(w, normal_tensor({300, 300}, 0.02, Tails::cut_at_two, 5, torch::kFloat32)));
  at::set_num_threads(threads);
  EXPECT_LE(w.abs().max().item<float>(), 0.04F);
  EXPECT_NEAR(w.std().item<double>(), 0.02 * 0.8796, 0.0002);  // deviation of a normal cut at two
  EXPECT_NEAR(w.mean().item<double>(), 0.0, 0.0003);
}

TEST(Device, NamesAreChecked) {
  EXPECT_TRUE(parse_device("cpu").is_cpu());
  EXPECT_THROW(parse_device("gpu"), Error);
  EXPECT_THROW(parse_device("cuda:x"), Error);
  EXPECT_EQ(parse_dtype("bf16"), at::kBFloat16);
  EXPECT_EQ(dtype_name(at::kFloat), "float32");
  EXPECT_THROW(parse_dtype("int3"), Error);
}

}  // namespace
}  // namespace tenfold
