// The public Model: tokenising, batching by a budget of tokens, and the heads.
// Not here: loading (checkpoint.cpp).
#include <algorithm>
#include <numeric>

#include "data/token_block.h"
#include "model/checkpoint.h"
#include "nn/packing.h"
#include "support/fail.h"
#include "tenfold/model.h"
#include "tenfold/tokenizer.h"

namespace tenfold {

struct Model::Impl {
  Tokenizer tokenizer;
  model::LoadedModel loaded;

  size_t longest() const {
    return static_cast<size_t>(loaded.description.encoder.max_position_embeddings);
  }
};

namespace {

constexpr size_t kFacadeBatchTokens = 4096;

data::TokenBlock block_of(const std::vector<std::vector<int32_t>>& rows,
                          std::span<const size_t> chosen) {
  std::vector<data::Example> examples(chosen.size());
  for (size_t i = 0; i < chosen.size(); ++i) examples[i].sequences["tokens"] = rows[chosen[i]];
  return data::pack_tokens(examples);
}

/// Runs `use(indices, block)` over all rows, those of like length together, a budget of tokens at a
/// time.
template <typename Use>
void in_batches(const std::vector<std::vector<int32_t>>& rows, Use use) {
  std::vector<size_t> order(rows.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return rows[a].size() < rows[b].size(); });
  size_t begin = 0;
  while (begin < order.size()) {
    size_t end = begin, tokens = 0;
    while (end < order.size() &&
           (end == begin || tokens + rows[order[end]].size() <= kFacadeBatchTokens)) {
      tokens += rows[order[end++]].size();
    }
    const std::span chosen(order.data() + begin, end - begin);
    use(chosen, block_of(rows, chosen));
    begin = end;
  }
}

std::vector<std::vector<int32_t>> ids_of_texts(const Tokenizer& tokenizer,
                                               std::span<const std::string_view> texts,
                                               size_t longest) {
  std::vector<std::vector<int32_t>> rows;
  for (const std::string_view text : texts)
    rows.push_back(tokenizer.encode_single(text, longest).ids);
  return rows;
}

}  // namespace

Model Model::load(const std::filesystem::path& directory) {
  auto impl =
      std::make_shared<Impl>(Impl{Tokenizer::load(directory), model::load_model(directory, {.map_weights = true})});
  require(impl->tokenizer.size() <= impl->loaded.description.encoder.vocab_size,
          ErrorKind::checkpoint, "model", "{}: the tokenizer has {} tokens, the model {}",
          directory.string(), impl->tokenizer.size(), impl->loaded.description.encoder.vocab_size);
  for (const model::OwnedModule& owned : impl->loaded.modules())
    nn::pack_for_inference(*owned.module);
  return Model(std::move(impl));
}

std::vector<std::vector<float>> Model::embed(std::span<const std::string_view> texts) const {
  torch::NoGradGuard no_gradient;
  const auto rows = ids_of_texts(impl_->tokenizer, texts, impl_->longest());
  std::vector<std::vector<float>> vectors(texts.size());
  in_batches(rows, [&](std::span<const size_t> chosen, const data::TokenBlock& block) {
    const Tensor hidden_TD =
        impl_->loaded.encoder->forward(block, PassContext::evaluation()).hidden_TD;
    const auto pieces = block.layout.split(hidden_TD);
    for (size_t i = 0; i < chosen.size(); ++i) {
      const Tensor mean_D = pieces[i].mean(0).contiguous();
      vectors[chosen[i]].assign(mean_D.const_data_ptr<float>(),
                                mean_D.const_data_ptr<float>() + mean_D.numel());
    }
  });
  return vectors;
}

std::vector<FilledMask> Model::fill(std::string_view text, size_t top) const {
  require(impl_->loaded.mlm != nullptr, ErrorKind::unsupported, "fill",
          "this model has no vocabulary head");
  torch::NoGradGuard no_gradient;
  const auto rows = ids_of_texts(impl_->tokenizer, {&text, 1}, impl_->longest());
  std::vector<FilledMask> filled;
  std::vector<int64_t> places;
  for (size_t i = 0; i < rows[0].size(); ++i) {
    if (rows[0][i] != impl_->tokenizer.mask_id()) continue;
    filled.push_back({.position = i, .candidates = {}});
    places.push_back(static_cast<int64_t>(i));
  }
  if (filled.empty()) return filled;
  const size_t row = 0;
  const model::Encoder& encoder = *impl_->loaded.encoder;
  const Tensor hidden_TD =
      encoder.forward(block_of(rows, {&row, 1}), PassContext::evaluation()).hidden_TD;
  const Tensor hidden_PD = hidden_TD.index_select(0, data::long_tensor(places));
  // Rows of the embeddings beyond the vocabulary (padding to a round number) are no tokens.
  const Tensor logits_PV = impl_->loaded.mlm->logits(hidden_PD, encoder.word_embeddings_VD())
                               .slice(1, 0, impl_->tokenizer.size());
  const auto [score_PK, id_PK] =
      logits_PV.softmax(1).topk(std::min(static_cast<int64_t>(top), logits_PV.size(1)), 1);
  for (size_t p = 0; p < filled.size(); ++p) {
    const auto at = static_cast<int64_t>(p);
    for (int64_t k = 0; k < id_PK.size(1); ++k) {
      const auto id = static_cast<int32_t>(id_PK[at][k].item<int64_t>());
      filled[p].candidates.push_back(
          {.token = impl_->tokenizer.token(id), .id = id, .score = score_PK[at][k].item<double>()});
    }
  }
  return filled;
}

std::vector<std::vector<LabelScore>> Model::classify(
    std::span<const std::string_view> texts) const {
  require(impl_->loaded.classifier != nullptr && labels().size() > 1, ErrorKind::unsupported,
          "classify", "this model is no classifier");
  torch::NoGradGuard no_gradient;
  const auto rows = ids_of_texts(impl_->tokenizer, texts, impl_->longest());
  std::vector<std::vector<LabelScore>> results(texts.size());
  const model::Encoder& encoder = *impl_->loaded.encoder;
  in_batches(rows, [&](std::span<const size_t> chosen, const data::TokenBlock& block) {
    const Tensor hidden_TD = encoder.forward(block, PassContext::evaluation()).hidden_TD;
    const Tensor share_BC = impl_->loaded.classifier->forward(encoder.pool(hidden_TD, block.layout))
                                .softmax(1)
                                .to(torch::kFloat64);
    const auto share = share_BC.accessor<double, 2>();
    for (size_t i = 0; i < chosen.size(); ++i) {
      auto& scores = results[chosen[i]];
      for (size_t c = 0; c < labels().size(); ++c) {
        scores.push_back({.label = labels()[c],
                          .score = share[static_cast<int64_t>(i)][static_cast<int64_t>(c)]});
      }
      std::stable_sort(scores.begin(), scores.end(),
                       [](const LabelScore& a, const LabelScore& b) { return a.score > b.score; });
    }
  });
  return results;
}

const std::vector<std::string>& Model::labels() const { return impl_->loaded.description.labels; }
const std::vector<std::string>& Model::warnings() const { return impl_->loaded.warnings; }
size_t Model::width() const {
  return static_cast<size_t>(impl_->loaded.description.encoder.hidden_size);
}

}  // namespace tenfold
