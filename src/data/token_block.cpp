// Packing token sequences.
// Not here: anything random.
#include "data/token_block.h"

#include "support/fail.h"

namespace tenfold::data {

Tensor long_tensor(const std::vector<int64_t>& numbers) {
  return torch::tensor(numbers, torch::TensorOptions().dtype(torch::kInt64));
}

std::vector<uint64_t> ids_of(std::span<const Example> examples) {
  std::vector<uint64_t> ids;
  for (const Example& example : examples) ids.push_back(example.id);
  return ids;
}

TokenBlock pack_tokens(std::span<const Example> examples) {
  std::vector<int64_t> lengths, tokens, segments;
  bool any_segments = false;
  for (const Example& example : examples) {
    const auto ids = example.sequences.find("tokens");
    require(ids != example.sequences.end(), ErrorKind::internal, "collator",
            "example {} has no tokens", example.id);
    lengths.push_back(static_cast<int64_t>(ids->second.size()));
    tokens.insert(tokens.end(), ids->second.begin(), ids->second.end());
    const auto kinds = example.sequences.find("segments");
    if (kinds == example.sequences.end()) {
      segments.resize(tokens.size(), 0);
      continue;
    }
    any_segments = true;
    segments.insert(segments.end(), kinds->second.begin(), kinds->second.end());
    require(segments.size() == tokens.size(), ErrorKind::internal, "collator",
            "example {} has {} segments for {} tokens", example.id, kinds->second.size(),
            ids->second.size());
  }
  TokenBlock block;
  block.layout = SequenceLayout::of_lengths(lengths);
  block.ids_T = long_tensor(tokens);
  if (any_segments) block.segments_T = long_tensor(segments);
  return block;
}

}  // namespace tenfold::data
