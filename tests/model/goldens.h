// Small helpers of the model tests: reading padded goldens as packed rows.
// Not here: the comparisons.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "data/batch.h"
#include "golden.h"
#include "tensor/safetensors_tensors.h"

namespace tenfold::model::testing {

using tenfold::testing::shared_path;

inline std::filesystem::path golden_model(const std::string& name) {
  return shared_path("goldens/models/" + name);
}

/// A folder of its own for this test, emptied.
inline std::filesystem::path fresh_folder(const std::string& name) {
  const auto folder = std::filesystem::path(::testing::TempDir()) / ("model-" + name);
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  return folder;
}

/// Real rows of a padded [B, n, ...] tensor, given the lengths.
inline Tensor real_rows(const Tensor& padded, const std::vector<int64_t>& lengths) {
  std::vector<Tensor> pieces;
  for (size_t b = 0; b < lengths.size(); ++b)
    pieces.push_back(padded[static_cast<int64_t>(b)].slice(0, 0, lengths[b]));
  return torch::cat(pieces);
}

inline std::vector<int64_t> lengths_of(const Tensor& keep_Bn) {
  const Tensor lengths_B = keep_Bn.sum(1).to(torch::kLong).contiguous();
  return {lengths_B.const_data_ptr<int64_t>(),
          lengths_B.const_data_ptr<int64_t>() + lengths_B.numel()};
}

}  // namespace tenfold::model::testing
