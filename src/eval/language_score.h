// Language-model losses in units that do not depend on the tokenizer: bits per byte and per
// character, beside perplexity (metrics.h). Not here: computing losses.
#pragma once

#include <cstdint>
#include <string_view>

namespace tenfold::eval {

/// A sum of negative log-likelihoods in nats over so many bytes, characters or tokens of the same
/// text, as bits for each. Error{data} for a sum that is not finite or a count that is not above 0.
double bits_per_unit(double nats, int64_t units);

/// A text's negative log-likelihood and its size in the units that make models comparable.
struct LanguageCounts {
  double nats = 0;
  int64_t tokens = 0, words = 0, characters = 0, bytes = 0;

  double bits_per_byte() const { return bits_per_unit(nats, bytes); }
  double bits_per_character() const { return bits_per_unit(nats, characters); }
  double token_perplexity() const;  ///< depends on the tokenizer
  double word_perplexity() const;   ///< words between blanks: of models with any tokenizer
};

/// `counts` and one more text, scored in full.
void add_text(LanguageCounts& counts, std::string_view text, double nats, int64_t tokens);

}  // namespace tenfold::eval
