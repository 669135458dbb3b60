// A batch as the model takes it: packed token blocks, the objective's own tensors, and each loss
// part's denominator. Not here: how it is drawn (collator.h) or cut (batching.h).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "data/example.h"
#include "tensor/mask.h"
#include "tensor/sequence_layout.h"
#include "tensor/torch.h"

namespace tenfold::data {

/// Packed ids of one input, T rows in all.
struct TokenBlock {
  SequenceLayout layout;
  Tensor ids_T;       ///< int64
  Tensor segments_T;  ///< int64; undefined: all 0
  MaskSpec mask;
};

/// `inputs`: "tokens" for encoders. `fields`: whatever the collator prepared for its objective, by
/// name. `denominators`: for each loss part the number its sum is divided by (masked tokens, rows),
/// of this batch alone; the trainer adds them up over the accumulation window and all ranks before
/// the first backward.
struct Batch {
  std::vector<uint64_t> example_ids;
  std::map<std::string, TokenBlock, std::less<>> inputs;
  std::map<std::string, Tensor, std::less<>> fields;
  std::map<std::string, double, std::less<>> denominators;

  int64_t real_tokens() const;  ///< over all inputs
  Batch to(torch::Device device) const;
  const TokenBlock& input(std::string_view name) const;  ///< Error{internal} when absent
  const Tensor& field(std::string_view name) const;      ///< Error{internal} when absent
};

}  // namespace tenfold::data
