// Rows of first pieces and their tags.
// Not here: anything random.
#include "data/word_collator.h"

#include "data/token_block.h"

namespace tenfold::data {

Batch WordCollator::collate(std::span<const Example> examples, const DrawContext&) const {
  Batch batch;
  batch.example_ids = ids_of(examples);
  const TokenBlock& block = batch.inputs["tokens"] = pack_tokens(examples);
  std::vector<int64_t> rows, tags;
  for (size_t b = 0; b < examples.size(); ++b) {
    for (const int32_t place : examples[b].sequences.at("first_pieces"))
      rows.push_back(block.layout.begin(static_cast<int64_t>(b)) + place);
    for (const double tag : examples[b].labels) tags.push_back(static_cast<int64_t>(tag));
  }
  batch.fields["word_rows"] = long_tensor(rows);
  if (!tags.empty()) batch.fields["tags"] = long_tensor(tags);
  double& scored = batch.denominators["tagging"];
  for (const int64_t tag : tags) {
    if (tag >= 0)
      scored += class_weights_.empty() ? 1 : class_weights_.at(static_cast<size_t>(tag));
  }
  return batch;
}

}  // namespace tenfold::data
