// Answers as rows of the packed block.
// Not here: anything random.
#include "data/span_collator.h"

#include "data/token_block.h"

namespace tenfold::data {

Batch SpanCollator::collate(std::span<const Example> examples, const DrawContext&) const {
  Batch batch;
  batch.example_ids = ids_of(examples);
  const TokenBlock& block = batch.inputs["tokens"] = pack_tokens(examples);
  std::vector<int64_t> begin, end;
  for (size_t b = 0; b < examples.size(); ++b) {
    if (examples[b].labels.size() != 2) continue;
    const int64_t first = block.layout.begin(static_cast<int64_t>(b));
    begin.push_back(first + static_cast<int64_t>(examples[b].labels[0]));
    end.push_back(first + static_cast<int64_t>(examples[b].labels[1]));
  }
  if (begin.size() == examples.size()) {
    batch.fields["begin"] = long_tensor(begin);
    batch.fields["end"] = long_tensor(end);
  }
  batch.denominators["span"] = static_cast<double>(examples.size());
  return batch;
}

}  // namespace tenfold::data
