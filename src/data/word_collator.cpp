// Rows of first pieces and their tags.
// Not here: anything random.
#include "data/word_collator.h"

#include <algorithm>

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
  batch.denominators["tagging"] = static_cast<double>(
      std::count_if(tags.begin(), tags.end(), [](int64_t tag) { return tag >= 0; }));
  return batch;
}

}  // namespace tenfold::data
