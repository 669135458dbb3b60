// Labels and weights beside packed tokens.
// Not here: anything random.
#include "data/classification_collator.h"

#include <algorithm>

#include "data/token_block.h"

namespace tenfold::data {

Batch ClassificationCollator::collate(std::span<const Example> examples, const DrawContext&) const {
  Batch batch;
  batch.example_ids = ids_of(examples);
  batch.inputs["tokens"] = pack_tokens(examples);
  std::vector<int64_t> labels;
  std::vector<double> weights;
  double total = 0;
  for (const Example& example : examples) {
    const int64_t label = example.labels.empty() ? -1 : static_cast<int64_t>(example.labels[0]);
    const bool weighted = label >= 0 && !class_weights_.empty();
    labels.push_back(label);
    weights.push_back(example.weight);
    total += example.weight * (weighted ? class_weights_.at(static_cast<size_t>(label)) : 1);
  }
  batch.fields["labels"] = long_tensor(labels);
  if (std::any_of(weights.begin(), weights.end(), [](double w) { return w != 1.0; })) {
    batch.fields["weights"] = torch::tensor(weights, torch::TensorOptions().dtype(torch::kFloat32));
  }
  batch.denominators["classification"] = total;
  return batch;
}

}  // namespace tenfold::data
