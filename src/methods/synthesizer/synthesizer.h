// Synthesizer's place in a recipe: the options of attention kind "synthesizer".
// Not here: the arithmetic (synthetic_scores.h) or the module (synthesizer_attention.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/fields.h"
#include "nn/attention_table.h"

namespace tenfold::synthesizer {

/// How several forms make one score.
enum class Mixture : uint8_t {
  softmax,  ///< weighted; the learnt weights are positive and add up to 1
  sum,      ///< added as they are
};

enum class MixtureWeights : uint8_t { head, layer };

/// Which numbers of the two factors make the score of key j.
enum class IndexMap : uint8_t {
  tile_repeat,  ///< j mod a and floor(j / a): every key has a pair of its own
  tile_tile,    ///< j mod a and j mod b: pairs come again unless a and b have no common divisor
};

struct SynthesizerOptions {
  std::vector<std::string> forms{"random"};
  Mixture mixture = Mixture::softmax;
  MixtureWeights mixture_weights = MixtureWeights::head;
  int64_t max_length = 0;          ///< N; 0: a * b where factors are given, else the model's
  int64_t rank = 8;                ///< k
  std::vector<int64_t> factors{};  ///< a and b; empty: near the square root of N
  IndexMap index = IndexMap::tile_repeat;
  double deviation = 0.0;  ///< of fresh scores of the random forms; 0: Glorot's

  void fields(config::FieldVisitor& v);
  /// Error{config} where forms are missing, named twice or nothing but dot products, or factors do
  /// not multiply to max_length.
  void validate(const std::string& where) const;

  bool has(const std::string& form) const;
  /// N as far as the options fix it; 0: the model's longest sequence.
  int64_t fixed_length() const;
};

/// The two factors for N keys: those given, else numbers near N's square root whose product is N,
/// or the least above it where N has no such divisors.
std::pair<int64_t, int64_t> factors_of(const SynthesizerOptions& options, int64_t length);

/// Adds the kind "synthesizer".
void register_into(nn::AttentionTable& table);

}  // namespace tenfold::synthesizer
