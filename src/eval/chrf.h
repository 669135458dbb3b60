// chrF and chrF++: F-scores of character n-grams, with word n-grams beside them in chrF++ (Popovic
// 2015, 2017), as sacreBLEU 2 counts them. Not here: BLEU (bleu.h).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tenfold::eval {

inline constexpr size_t kChrfCharacters = 6;  ///< longest character n-gram
inline constexpr size_t kChrfWords = 2;       ///< longest word n-gram of chrF++

enum class ChrfKind : uint8_t {
  chrf,       ///< characters alone, blanks left out
  plus_plus,  ///< words up to 2-grams too, a punctuation mark at either end apart
};

struct ChrfOptions {
  ChrfKind kind = ChrfKind::chrf;
  bool lowercase = false;
  double beta = 2;  ///< how many times recall outweighs precision
};

/// What chrF is made of: sums over texts are sums of these. Characters first, words behind them.
struct ChrfCounts {
  struct Order {
    int64_t text = 0, reference = 0, shared = 0;
  };
  std::array<Order, kChrfCharacters + kChrfWords> orders{};

  ChrfCounts& operator+=(const ChrfCounts& other);
};

/// Of one text, against the reference that gives it the highest score. Error{data} without
/// references.
ChrfCounts chrf_counts(std::string_view text, std::span<const std::string> references,
                       const ChrfOptions& options = {});

/// 0 .. 100: F of the mean precision and the mean recall over the orders that both sides have.
double chrf_of(const ChrfCounts& counts, const ChrfOptions& options = {});

}  // namespace tenfold::eval
