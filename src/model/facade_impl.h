// What the public Model holds, and running rows through it in batches: shared by the files that
// implement it. Not here: anything a user of the library sees (tenfold/model.h).
#pragma once

#include <algorithm>
#include <numeric>
#include <span>
#include <vector>

#include "data/collator.h"
#include "data/example.h"
#include "model/checkpoint.h"
#include "model/sentence_directory.h"
#include "tenfold/model.h"
#include "tenfold/tokenizer.h"

namespace tenfold {

struct Model::Impl {
  Tokenizer tokenizer;
  model::LoadedModel loaded;
  torch::Device device = torch::kCPU;
  model::SentenceDirectory sentence;

  size_t longest() const {
    return static_cast<size_t>(loaded.description.encoder.longest_sequence());
  }
  data::Example encode(const TextPair& row) const;
  /// The chosen rows as the collator has them, on the device.
  data::Batch batch_of(const data::Collator& collator, const std::vector<data::Example>& rows,
                       std::span<const size_t> chosen) const;
  data::TokenBlock block_of(const std::vector<data::Example>& rows,
                            std::span<const size_t> chosen) const;
  std::vector<TokenScore> candidates(const std::vector<int32_t>& ids, size_t position,
                                     const Tensor& score_K, const Tensor& id_K) const;
};

inline constexpr size_t kFacadeBatchTokens = 4096;

inline const std::vector<int32_t>& ids_of_row(const data::Example& row) {
  return row.sequences.find("tokens")->second;
}

/// Runs `use(indices)` over all rows, those of like length together, a budget of tokens at a time.
template <typename Use>
void in_batches(const std::vector<data::Example>& rows, Use use) {
  std::vector<size_t> order(rows.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return ids_of_row(rows[a]).size() < ids_of_row(rows[b]).size();
  });
  size_t begin = 0;
  while (begin < order.size()) {
    size_t end = begin, tokens = 0;
    while (end < order.size() &&
           (end == begin || tokens + ids_of_row(rows[order[end]]).size() <= kFacadeBatchTokens)) {
      tokens += ids_of_row(rows[order[end++]]).size();
    }
    use(std::span<const size_t>(order.data() + begin, end - begin));
    begin = end;
  }
}

}  // namespace tenfold
