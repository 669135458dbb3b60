// Which tokens of a row are masked: how many, and the samplers that choose them.
// Not here: what a masked token is replaced with (mlm_collator.h).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "config/fields.h"
#include "support/rng.h"

namespace tenfold::data {

/// Tokens to mask in a row of `tokens`, specials counted: tokens * probability, halves to the even
/// number, at least one, at most `most` (BERT's rule).
int64_t masked_count(int64_t tokens, double probability, int64_t most);

/// What a sampler knows of a row.
struct MaskRow {
  std::span<const int64_t>
      candidates;  ///< positions that may be masked, ascending; specials are none
  std::span<const uint8_t>
      continues;  ///< for each position of the row: 1 where a piece continues a word
};

/// Chooses at most `count` of the candidates, ascending, without repetition: exactly min(count,
/// candidates) unless whole words do not fit. A pure function of its arguments; thread-safe.
class MaskSampler {
 public:
  virtual ~MaskSampler() = default;
  virtual std::vector<int64_t> sample(const MaskRow& row, int64_t count,
                                      RandomStream& draw) const = 0;
};

struct MaskSamplerKind {
  std::string name, summary;
  config::ChoiceKind choice;
  std::function<std::unique_ptr<MaskSampler>(const config::Choice&)> make;
};

/// The samplers there are: "uniform", "whole_word", "span", and what methods add at start-up.
class MaskSamplerTable {
 public:
  void add(MaskSamplerKind kind) { kinds_.push_back(std::move(kind)); }
  const std::vector<MaskSamplerKind>& kinds() const { return kinds_; }
  config::ChoiceTable choices() const;
  /// Error{config} naming the legal kinds. An empty kind is "uniform".
  std::unique_ptr<MaskSampler> make(const config::Choice& choice) const;

 private:
  std::vector<MaskSamplerKind> kinds_;
};

MaskSamplerTable& mask_sampler_table();

/// Options of "span": lengths in words, geometric with probability `p` of stopping, at most
/// `longest` (SpanBERT: 0.2 and 10).
struct SpanOptions {
  double p = 0.2;
  int64_t longest = 10;
  void fields(config::FieldVisitor& v);
};

}  // namespace tenfold::data
