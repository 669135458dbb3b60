// Targets beside packed tokens.
// Not here: anything random.
#include "data/target_collator.h"

#include "data/token_block.h"
#include "support/fail.h"

namespace tenfold::data {

Batch TargetCollator::collate(std::span<const Example> examples, const DrawContext&) const {
  Batch batch;
  batch.example_ids = ids_of(examples);
  batch.inputs["tokens"] = pack_tokens(examples);
  const size_t width = examples.empty() ? 0 : examples[0].labels.size();
  std::vector<double> targets;
  for (const Example& example : examples) {
    require(example.labels.size() == width, ErrorKind::internal, "collator",
            "example {} has {} targets, the one before {}", example.id, example.labels.size(),
            width);
    targets.insert(targets.end(), example.labels.begin(), example.labels.end());
  }
  if (width > 0) {
    batch.fields["targets"] =
        torch::tensor(targets, torch::kFloat32)
            .view({static_cast<int64_t>(examples.size()), static_cast<int64_t>(width)});
  }
  batch.denominators[part_] = static_cast<double>(targets.size());
  return batch;
}

}  // namespace tenfold::data
