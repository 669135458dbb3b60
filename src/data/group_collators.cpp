// Indices of sequences, beside packed texts.
// Not here: anything random.
#include "data/group_collators.h"

#include <algorithm>
#include <map>

#include "data/text_group.h"
#include "data/token_block.h"
#include "support/fail.h"

namespace tenfold::data {
namespace {

Batch batch_of_groups(TextGroups& groups) {
  Batch batch;
  batch.example_ids = std::move(groups.ids);
  batch.inputs["tokens"] = std::move(groups.block);
  return batch;
}

/// A number a sequence, equal for equal tokens.
std::vector<int64_t> numbers_of_texts(const TokenBlock& block) {
  std::map<std::vector<int64_t>, int64_t> known;
  std::vector<int64_t> numbers;
  const auto* ids = block.ids_T.const_data_ptr<int64_t>();
  for (int64_t s = 0; s < block.layout.count(); ++s) {
    const auto* begin = ids + block.layout.begin(s);
    const std::vector<int64_t> text(begin, begin + block.layout.length(s));
    numbers.push_back(known.try_emplace(text, static_cast<int64_t>(known.size())).first->second);
  }
  return numbers;
}

}  // namespace

Batch ChoiceCollator::collate(std::span<const Example> examples, const DrawContext&) const {
  TextGroups groups = pack_groups(examples);
  const int64_t most = *std::max_element(groups.count.begin(), groups.count.end());
  const auto rows = static_cast<int64_t>(examples.size());
  const Tensor choices_BC = torch::full({rows, most}, -1, torch::kInt64);
  auto choices = choices_BC.accessor<int64_t, 2>();
  std::vector<int64_t> labels;
  for (int64_t b = 0; b < rows; ++b) {
    const auto i = static_cast<size_t>(b);
    for (int64_t c = 0; c < groups.count[i]; ++c) choices[b][c] = groups.first[i] + c;
    if (!examples[i].labels.empty()) labels.push_back(static_cast<int64_t>(examples[i].labels[0]));
  }
  Batch batch = batch_of_groups(groups);
  batch.fields["choices"] = choices_BC;
  if (labels.size() == examples.size()) batch.fields["labels"] = long_tensor(labels);
  batch.denominators["choice"] = static_cast<double>(rows);
  return batch;
}

Batch ContrastiveCollator::collate(std::span<const Example> examples, const DrawContext&) const {
  TextGroups groups = pack_groups(examples);
  const auto rows = static_cast<int64_t>(examples.size());
  std::vector<int64_t> positives, negatives;
  for (size_t b = 0; b < examples.size(); ++b) {
    require(groups.count[b] >= 2, ErrorKind::internal, "collator", "example {} has no positive",
            examples[b].id);
    positives.push_back(groups.first[b] + 1);
    for (int64_t k = 2; k < groups.count[b]; ++k) negatives.push_back(groups.first[b] + k);
  }
  std::vector<int64_t> candidates = positives;
  candidates.insert(candidates.end(), negatives.begin(), negatives.end());
  const std::vector<int64_t> text = numbers_of_texts(groups.block);
  const auto text_of = [&](int64_t sequence) { return text[static_cast<size_t>(sequence)]; };
  const Tensor allowed_BC =
      torch::ones({rows, static_cast<int64_t>(candidates.size())}, torch::kBool);
  auto allowed = allowed_BC.accessor<bool, 2>();
  for (int64_t b = 0; b < rows; ++b) {
    const int64_t anchor = groups.first[static_cast<size_t>(b)];
    for (int64_t c = 0; c < allowed_BC.size(1); ++c) {
      const int64_t candidate = candidates[static_cast<size_t>(c)];
      const bool positive_of_equal =
          c < rows && text_of(groups.first[static_cast<size_t>(c)]) == text_of(anchor);
      const bool copy =
          text_of(candidate) == text_of(anchor) || text_of(candidate) == text_of(anchor + 1);
      allowed[b][c] = c == b || !(copy || positive_of_equal);
    }
  }
  const std::vector<int64_t> anchors = groups.first;
  Batch batch = batch_of_groups(groups);
  batch.fields["anchors"] = long_tensor(anchors);
  batch.fields["candidates"] = long_tensor(candidates);
  batch.fields["allowed"] = allowed_BC;
  batch.denominators["contrastive"] = static_cast<double>(rows);
  return batch;
}

Batch ScoredPairCollator::collate(std::span<const Example> examples, const DrawContext&) const {
  TextGroups groups = pack_groups(examples);
  std::vector<float> scores;
  for (size_t b = 0; b < examples.size(); ++b) {
    require(groups.count[b] == 2, ErrorKind::internal, "collator", "example {} is no pair",
            examples[b].id);
    if (!examples[b].labels.empty()) scores.push_back(static_cast<float>(examples[b].labels[0]));
  }
  Batch batch = batch_of_groups(groups);
  if (scores.size() == examples.size()) batch.fields["scores"] = torch::tensor(scores);
  batch.denominators["cosine"] = static_cast<double>(examples.size());
  batch.denominators["cosent"] = 1;
  return batch;
}

}  // namespace tenfold::data
