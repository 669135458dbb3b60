// Divisions, after a look at what is divided.
// Not here: losses.
#include "eval/language_score.h"

#include <cmath>
#include <numbers>

#include "eval/score_text.h"
#include "support/fail.h"
#include "text/utf8.h"

namespace tenfold::eval {

double bits_per_unit(double nats, int64_t units) {
  require(std::isfinite(nats), ErrorKind::data, "scores",
          "the sum of losses is {}, expected a finite number", nats);
  require(units > 0, ErrorKind::data, "scores", "expected a text that is not empty, got {} units",
          units);
  return nats / std::numbers::ln2 / static_cast<double>(units);
}

double LanguageCounts::token_perplexity() const { return std::exp2(bits_per_unit(nats, tokens)); }

double LanguageCounts::word_perplexity() const { return std::exp2(bits_per_unit(nats, words)); }

void add_text(LanguageCounts& counts, std::string_view text, double nats, int64_t tokens) {
  counts.nats += nats;
  counts.tokens += tokens;
  counts.words += static_cast<int64_t>(words_between_blanks(text).size());
  counts.characters += text::count_code_points(text);
  counts.bytes += static_cast<int64_t>(text.size());
}

}  // namespace tenfold::eval
