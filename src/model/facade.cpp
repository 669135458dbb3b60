// The public Model: tokenising, batching by a budget of tokens, and the heads.
// Not here: loading (checkpoint.cpp).
#include <algorithm>

#include "data/token_block.h"
#include "model/facade_impl.h"
#include "nn/packing.h"
#include "nn/stack.h"
#include "support/fail.h"
#include "tensor/device.h"

namespace tenfold {

namespace {

model::Head stored_head(ModelHead head) {
  switch (head) {
    case ModelHead::as_stored: return model::Head::as_stored;
    case ModelHead::vocabulary: return model::Head::mlm;
    case ModelHead::classifier: return model::Head::classifier;
  }
  return model::Head::as_stored;
}

model::Pooling pooling_of(EmbedPooling wanted, model::Pooling stored) {
  switch (wanted) {
    case EmbedPooling::as_stored: return stored;
    case EmbedPooling::mean: return model::Pooling::mean;
    case EmbedPooling::cls: return model::Pooling::cls;
    case EmbedPooling::max: return model::Pooling::max;
  }
  return stored;
}

/// What a classifier's numbers say: probabilities, or a number as it is.
Tensor shares(const Tensor& logits_BC, model::ProblemType problem) {
  switch (problem) {
    case model::ProblemType::single_label: return logits_BC.softmax(1);
    case model::ProblemType::multi_label: return logits_BC.sigmoid();
    case model::ProblemType::regression: return logits_BC;
  }
  return logits_BC;
}

std::vector<data::Example> chosen_rows(const std::vector<data::Example>& rows,
                                       std::span<const size_t> chosen) {
  std::vector<data::Example> examples;
  for (const size_t row : chosen) examples.push_back(rows[row]);
  return examples;
}

}  // namespace

data::Example Model::Impl::encode(const TextPair& row) const {
  const Encoding encoding = row.second ? tokenizer.encode_pair(row.first, *row.second, longest())
                                       : tokenizer.encode_single(row.first, longest());
  data::Example example;
  example.sequences["tokens"] = encoding.ids;
  if (row.second) {
    example.sequences["segments"] = {encoding.segments.begin(), encoding.segments.end()};
  }
  return example;
}

data::TokenBlock Model::Impl::block_of(const std::vector<data::Example>& rows,
                                       std::span<const size_t> chosen) const {
  data::Batch batch;
  batch.inputs["tokens"] = data::pack_tokens(chosen_rows(rows, chosen));
  return device.is_cpu() ? batch.input("tokens") : batch.to(device).input("tokens");
}

data::Batch Model::Impl::batch_of(const data::Collator& collator,
                                  const std::vector<data::Example>& rows,
                                  std::span<const size_t> chosen) const {
  const data::Batch batch = collator.collate(chosen_rows(rows, chosen), {});
  return device.is_cpu() ? batch : batch.to(device);
}

std::vector<TokenScore> Model::Impl::candidates(const std::vector<int32_t>& ids, size_t position,
                                                const Tensor& score_K, const Tensor& id_K) const {
  std::vector<TokenScore> best;
  std::vector<int32_t> filled = ids;
  for (int64_t k = 0; k < id_K.size(0); ++k) {
    filled[position] = static_cast<int32_t>(id_K[k].item<int64_t>());
    best.push_back({.token = tokenizer.token(filled[position]),
                    .id = filled[position],
                    .score = score_K[k].item<double>(),
                    .sequence = tokenizer.decode_without_special(filled)});
  }
  return best;
}

Model Model::load(const std::filesystem::path& root, const ModelOptions& options) {
  const torch::Device device = parse_device(options.device);
  const model::SentenceDirectory sentence = model::read_sentence_directory(root);
  const std::filesystem::path& directory = sentence.encoder;
  if (options.head == ModelHead::classifier) {
    const model::ModelDescription description = model::read_description(directory);
    require(!description.labels.empty(), ErrorKind::checkpoint, "model",
            "{} is no classifier but a {}: fine-tune it first", directory.string(),
            description.architecture);
  }
  auto impl = std::make_shared<Impl>(
      Impl{Tokenizer::load(directory),
           model::load_model(
               directory, {.head = stored_head(options.head),
                           .map_weights = true,
                           .tensors = torch::TensorOptions().dtype(torch::kFloat).device(device)}),
           device, sentence});
  require(impl->tokenizer.size() <= impl->loaded.description.encoder.vocab_size,
          ErrorKind::checkpoint, "model", "{}: the tokenizer has {} tokens, the model {}",
          directory.string(), impl->tokenizer.size(), impl->loaded.description.encoder.vocab_size);
  sentence.check_width(impl->loaded.description.encoder.hidden_size);
  const at::ScalarType type = parse_dtype(options.dtype);
  for (const model::OwnedModule& owned : impl->loaded.modules()) {
    nn::compute_in(*owned.module, type);
    if (device.is_cpu()) nn::pack_for_inference(*owned.module, type);
  }
  return Model(std::move(impl));
}

std::vector<std::vector<float>> Model::embed(std::span<const std::string_view> texts,
                                             const EmbedOptions& options) const {
  const torch::NoGradGuard no_gradient;
  model::SentenceDirectory sentence = impl_->sentence;
  sentence.pooling = pooling_of(options.pooling, sentence.pooling);
  sentence.normalize = options.normalize.value_or(sentence.normalize);
  const std::string prompt = sentence.prompt(options.prompt.value_or(sentence.default_prompt));
  size_t longest = impl_->longest();
  if (sentence.max_length > 0)
    longest = std::min(longest, static_cast<size_t>(sentence.max_length));
  std::vector<data::Example> rows;
  for (const std::string_view text : texts) {
    data::Example row;
    row.sequences["tokens"] =
        impl_->tokenizer.encode_single(prompt + std::string(text), longest).ids;
    rows.push_back(std::move(row));
  }
  std::vector<std::vector<float>> vectors(rows.size());
  in_batches(rows, [&](std::span<const size_t> chosen) {
    const Tensor pooled_BD =
        model::text_vectors(*impl_->loaded.encoder, impl_->block_of(rows, chosen),
                            PassContext::evaluation(), sentence.pooling);
    const Tensor vector_BD =
        sentence.finish(pooled_BD.to(torch::kFloat)).to(torch::kCPU).contiguous();
    const int64_t width = vector_BD.size(1);
    for (size_t i = 0; i < chosen.size(); ++i) {
      const float* row = vector_BD.const_data_ptr<float>() + static_cast<int64_t>(i) * width;
      vectors[chosen[i]].assign(row, row + width);
    }
  });
  return vectors;
}

std::vector<std::vector<FilledMask>> Model::fill(std::span<const std::string_view> texts,
                                                 size_t top) const {
  require(impl_->loaded.mlm != nullptr, ErrorKind::unsupported, "fill",
          "this model has no vocabulary head");
  const Tokenizer& tokenizer = impl_->tokenizer;
  require(tokenizer.mask_id() >= 0, ErrorKind::checkpoint, "fill",
          "the vocabulary has no mask token");
  torch::NoGradGuard no_gradient;
  std::vector<data::Example> rows;
  std::vector<size_t> text_of_row;  // texts without a blank are no rows
  for (size_t text = 0; text < texts.size(); ++text) {
    data::Example row = impl_->encode({.first = texts[text]});
    const auto& ids = ids_of_row(row);
    if (std::find(ids.begin(), ids.end(), tokenizer.mask_id()) == ids.end()) continue;
    rows.push_back(std::move(row));
    text_of_row.push_back(text);
  }
  std::vector<std::vector<FilledMask>> filled(texts.size());
  in_batches(rows, [&](std::span<const size_t> chosen) {
    const data::TokenBlock block = impl_->block_of(rows, chosen);
    struct Blank {
      size_t row, position;
    };
    std::vector<Blank> blanks;
    std::vector<int64_t> places;
    for (size_t i = 0; i < chosen.size(); ++i) {
      const auto& ids = ids_of_row(rows[chosen[i]]);
      for (size_t position = 0; position < ids.size(); ++position) {
        if (ids[position] != tokenizer.mask_id()) continue;
        blanks.push_back({chosen[i], position});
        places.push_back(block.layout.begin(static_cast<int64_t>(i)) +
                         static_cast<int64_t>(position));
      }
    }
    const Tensor hidden_PD = impl_->loaded.encoder
                                 ->forward(block, PassContext::evaluation(),
                                           {.rows_P = data::long_tensor(places).to(impl_->device)})
                                 .hidden_TD;
    // Rows of the embeddings beyond the vocabulary (padding to a round number) are no tokens.
    const Tensor logits_PV =
        impl_->loaded.mlm->logits(hidden_PD, impl_->loaded.encoder->word_embeddings_VE())
            .slice(1, 0, tokenizer.size());
    const auto [best_PK, id_PK] =
        logits_PV.softmax(1, torch::kFloat)
            .topk(std::min(static_cast<int64_t>(top), logits_PV.size(1)), 1);
    const Tensor score_PK = best_PK.to(torch::kCPU), token_PK = id_PK.to(torch::kCPU);
    for (size_t p = 0; p < blanks.size(); ++p) {
      const auto at = static_cast<int64_t>(p);
      const auto [row, position] = blanks[p];
      filled[text_of_row[row]].push_back(
          {.position = position,
           .candidates =
               impl_->candidates(ids_of_row(rows[row]), position, score_PK[at], token_PK[at])});
    }
  });
  return filled;
}

std::vector<FilledMask> Model::fill(std::string_view text, size_t top) const {
  return std::move(fill(std::span(&text, 1), top)[0]);
}

std::vector<std::vector<LabelScore>> Model::classify(std::span<const TextPair> pairs) const {
  require(impl_->loaded.classifier != nullptr, ErrorKind::unsupported, "classify",
          "this model is no classifier");
  torch::NoGradGuard no_gradient;
  std::vector<data::Example> rows;
  for (const TextPair& pair : pairs) rows.push_back(impl_->encode(pair));
  std::vector<std::vector<LabelScore>> results(rows.size());
  in_batches(rows, [&](std::span<const size_t> chosen) {
    const data::TokenBlock block = impl_->block_of(rows, chosen);
    const model::Encoder& encoder = *impl_->loaded.encoder;
    const PassContext pass = PassContext::evaluation();
    const Tensor logits_BC = impl_->loaded.classifier->logits(
        encoder, encoder.first_rows(block, pass), block.layout, pass);
    const Tensor share_BC =
        shares(logits_BC, impl_->loaded.description.problem).to(torch::kCPU, torch::kFloat64);
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

std::vector<std::vector<LabelScore>> Model::classify(
    std::span<const std::string_view> texts) const {
  std::vector<TextPair> pairs;
  for (const std::string_view text : texts) pairs.push_back({.first = text});
  return classify(pairs);
}

const Tokenizer& Model::tokenizer() const { return impl_->tokenizer; }
const std::vector<std::string>& Model::labels() const { return impl_->loaded.description.labels; }
const std::vector<std::string>& Model::warnings() const { return impl_->loaded.warnings; }
size_t Model::width() const {
  return static_cast<size_t>(impl_->sentence.width(impl_->loaded.description.encoder.hidden_size));
}

}  // namespace tenfold
