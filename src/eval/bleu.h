// BLEU of texts against one or more references (Papineni et al. 2002), as sacreBLEU counts it (Post
// 2018): its tokens, its smoothing, its length rule. Not here: a model's tokens; they give other
// scores.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tenfold::eval {

inline constexpr size_t kBleuOrder = 4;

enum class BleuTokens : uint8_t {
  mteval_13a,     ///< mteval-v13a.pl of NIST: ASCII punctuation apart, numbers whole
  international,  ///< mteval-v14.pl: punctuation and symbols of all of Unicode apart
  none,           ///< words between blanks
};

/// "13a", "intl" or "none". Error{usage} otherwise, with the nearest name.
BleuTokens parse_bleu_tokens(const std::string& name);

/// Of counts that are 0 where the text has n-grams (Chen and Cherry 2014).
enum class BleuSmoothing : uint8_t {
  none,
  exponential,  ///< 1/2 in place of the first 0, 1/4 in place of the second, ... (their method 3)
};

struct BleuOptions {
  BleuTokens tokens = BleuTokens::mteval_13a;
  BleuSmoothing smoothing = BleuSmoothing::exponential;
  bool lowercase = false;
  /// Mean over the orders the text is long enough for, in place of four: for single sentences.
  bool effective_order = false;
};

/// What BLEU is made of: sums over texts are sums of these.
struct BleuCounts {
  std::array<int64_t, kBleuOrder> shared{}, total{};  ///< n-grams in the reference too; all
  int64_t length = 0, reference_length = 0;           ///< in tokens

  BleuCounts& operator+=(const BleuCounts& other);
};

struct BleuScore {
  double bleu = 0;                              ///< 0 .. 100
  std::array<double, kBleuOrder> precisions{};  ///< 0 .. 100, smoothed
  double brevity_penalty = 0;                   ///< 1 where the text is not too short
  int64_t length = 0, reference_length = 0;
};

/// Tokens between single blanks.
std::string bleu_tokenized(std::string_view text, BleuTokens tokens);

/// Of one text; the reference length is that of the reference nearest in length, the shorter of two
/// equally near ones. Error{data} without references.
BleuCounts bleu_counts(std::string_view text, std::span<const std::string> references,
                       const BleuOptions& options = {});

BleuScore bleu_of(const BleuCounts& counts, const BleuOptions& options = {});

}  // namespace tenfold::eval
