// The options' fields and rules, and the entry in the table of attention kinds.
// Not here: anything that computes.
#include <algorithm>
#include <cmath>

#include "methods/synthesizer/synthesizer.h"
#include "methods/synthesizer/synthesizer_attention.h"
#include "support/fail.h"

namespace tenfold::synthesizer {

void SynthesizerOptions::fields(config::FieldVisitor& v) {
  v.field(
      "forms", forms, "what the scores are made of; several are mixed",
      {"dense", "random", "fixed_random", "factorized_dense", "factorized_random", "dot_product"});
  v.field("mixture", mixture, "several forms: weighted by a learnt softmax, or plainly added",
          {{"softmax", Mixture::softmax}, {"sum", Mixture::sum}});
  v.field("mixture_weights", mixture_weights, "a weight a form for each head, or for the layer",
          {{"head", MixtureWeights::head}, {"layer", MixtureWeights::layer}});
  v.field("max_length", max_length,
          "tokens of the longest sequence; 0: as many as the model takes, or as factors give",
          config::between(0, 1 << 20));
  v.field("rank", rank, "factorized_random: columns of each factor", config::between(1, 65536));
  v.field("factors", factors,
          "factorized_dense: two numbers whose product is max_length; empty: near its square root",
          config::between(1, 1 << 20));
  v.field("index", index, "factorized_dense: the numbers that key j takes of the two factors",
          {{"tile_repeat", IndexMap::tile_repeat}, {"tile_tile", IndexMap::tile_tile}});
  v.field("deviation", deviation, "random forms: deviation of fresh scores; 0: Glorot's rule",
          config::at_least(0));
}

void SynthesizerOptions::validate(const std::string& where) const {
  require(!forms.empty(), ErrorKind::config, where, "forms must name at least one form");
  for (const std::string& form : forms) {
    require(std::count(forms.begin(), forms.end(), form) == 1, ErrorKind::config, where,
            "forms names '{}' twice", form);
  }
  require(forms.size() > 1 || !has("dot_product"), ErrorKind::config, where,
          "forms names nothing but dot_product, which is 'softmax' attention");
  if (factors.empty()) return;
  require(has("factorized_dense"), ErrorKind::config, where,
          "factors are those of factorized_dense, which forms does not name");
  require(factors.size() == 2, ErrorKind::config, where, "factors must be two numbers, got {}",
          factors.size());
  require(max_length == 0 || factors[0] * factors[1] == max_length, ErrorKind::config, where,
          "factors must multiply to max_length: {} * {} is {}, not {}", factors[0], factors[1],
          factors[0] * factors[1], max_length);
}

bool SynthesizerOptions::has(const std::string& form) const {
  return std::find(forms.begin(), forms.end(), form) != forms.end();
}

int64_t SynthesizerOptions::fixed_length() const {
  return max_length > 0 || factors.empty() ? max_length : factors[0] * factors[1];
}

std::pair<int64_t, int64_t> factors_of(const SynthesizerOptions& options, int64_t length) {
  if (!options.factors.empty()) return {options.factors[0], options.factors[1]};
  const auto root = static_cast<int64_t>(std::ceil(std::sqrt(static_cast<double>(length))));
  for (int64_t a = root; a <= 2 * root; ++a) {
    if (length % a == 0) return {a, length / a};
  }
  return {root, (length + root - 1) / root};
}

void register_into(nn::AttentionTable& table) {
  table.add(nn::attention_kind<SynthesizerAttention, SynthesizerOptions>(
      "synthesizer", "scores learnt without products of queries and keys", "arXiv 2005.00743"));
}

}  // namespace tenfold::synthesizer
