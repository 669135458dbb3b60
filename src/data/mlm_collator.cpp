// Choosing, replacing and labelling tokens.
// Not here: samplers.
#include "data/mlm_collator.h"

#include "data/token_block.h"
#include "support/fail.h"

namespace tenfold::data {

void MlmOptions::fields(config::FieldVisitor& v) {
  v.field("probability", probability, "share of the tokens to predict", config::between(0.001, 1));
  v.field("most", most, "most predictions in a row", config::at_least(1));
  v.field("mask_share", mask_share, "share of the chosen tokens that become [MASK]",
          config::fraction());
  v.field("random_share", random_share, "share that becomes a random token; the rest stays",
          config::fraction());
  v.choice("sampler", sampler, "how tokens are chosen", v.kinds("mask_sampler"));
}

void MlmOptions::validate(const std::string& where) const {
  require(mask_share + random_share <= 1.0 + 1e-9, ErrorKind::config, where,
          "mask_share and random_share add up to {}, more than 1", mask_share + random_share);
}

MlmCollator::MlmCollator(const Tokenizer& tokenizer, const MlmOptions& options)
    : options_(options),
      sampler_(mask_sampler_table().make(options.sampler)),
      mask_id_(tokenizer.mask_id()) {
  require(mask_id_ >= 0, ErrorKind::config, "mlm", "the vocabulary has no mask token");
  for (int32_t id = 0; id < tokenizer.size(); ++id) {
    special_.push_back(tokenizer.is_special(id) ? 1 : 0);
    continues_.push_back(tokenizer.is_continuation(id) ? 1 : 0);
    if (special_.back() == 0) ordinary_.push_back(id);
  }
  require(!ordinary_.empty(), ErrorKind::config, "mlm",
          "the vocabulary holds special tokens alone");
}

int64_t MlmCollator::replacement(int64_t token, RandomStream& draw) const {
  const double u = draw.uniform();
  if (u < options_.mask_share) return mask_id_;
  if (u < options_.mask_share + options_.random_share)
    return ordinary_[draw.below(ordinary_.size())];
  return token;
}

Batch MlmCollator::collate(std::span<const Example> examples, const DrawContext& draw) const {
  Batch batch;
  batch.example_ids = ids_of(examples);
  TokenBlock block = pack_tokens(examples);
  auto* ids = block.ids_T.data_ptr<int64_t>();
  std::vector<int64_t> predicted, labels, candidates;
  std::vector<uint8_t> continues;
  for (size_t b = 0; b < examples.size(); ++b) {
    const int64_t begin = block.layout.begin(static_cast<int64_t>(b));
    const int64_t length = block.layout.length(static_cast<int64_t>(b));
    candidates.clear();
    continues.clear();
    for (int64_t i = 0; i < length; ++i) {
      const int64_t id = ids[begin + i];
      require(id >= 0 && id < static_cast<int64_t>(special_.size()), ErrorKind::data, "mlm",
              "example {} holds the id {}, the vocabulary ends at {}", examples[b].id, id,
              special_.size() - 1);
      continues.push_back(continues_[static_cast<size_t>(id)]);
      if (special_[static_cast<size_t>(id)] == 0) candidates.push_back(i);
    }
    if (candidates.empty()) continue;
    RandomStream stream(draw.seed, "mlm-mask", examples[b].id, draw.epoch);
    const int64_t count = masked_count(length, options_.probability, options_.most);
    for (const int64_t i : sampler_->sample({candidates, continues}, count, stream)) {
      predicted.push_back(begin + i);
      labels.push_back(ids[begin + i]);
      ids[begin + i] = replacement(ids[begin + i], stream);
    }
  }
  batch.denominators["mlm"] = static_cast<double>(predicted.size());
  batch.fields["predicted_T"] = long_tensor(predicted);
  batch.fields["label_ids"] = long_tensor(labels);
  batch.inputs["tokens"] = std::move(block);
  return batch;
}

}  // namespace tenfold::data
