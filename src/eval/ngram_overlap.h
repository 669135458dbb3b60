// How many n-grams two sequences share, for all n up to N at once.
// Not here: what the symbols are (words for BLEU and ROUGE, characters for chrF).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace tenfold::eval {

template <size_t N>
using NgramCounts = std::array<int64_t, N>;  ///< of 1-grams, 2-grams, ... N-grams

/// The n-grams of one sequence: its N-grams sorted, so that those with equal first n symbols stand
/// together. Symbols are above 0; N-grams that begin near the end are filled up with 0.
template <size_t N>
class Ngrams {
 public:
  using Gram = std::array<uint32_t, N>;

  explicit Ngrams(std::span<const uint32_t> symbols) : grams_(symbols.size()) {
    for (size_t i = 0; i < symbols.size(); ++i) {
      Gram& gram = grams_[i];
      gram.fill(0);
      std::copy_n(symbols.begin() + static_cast<std::ptrdiff_t>(i), std::min(N, symbols.size() - i),
                  gram.begin());
    }
    std::sort(grams_.begin(), grams_.end());
  }

  /// Number of n-grams, repeated ones counted again.
  NgramCounts<N> totals() const {
    NgramCounts<N> out{};
    for (size_t n = 1; n <= N; ++n) {
      out[n - 1] = grams_.size() < n ? 0 : static_cast<int64_t>(grams_.size() - n + 1);
    }
    return out;
  }

  const std::vector<Gram>& sorted() const { return grams_; }

 private:
  std::vector<Gram> grams_;
};

/// For each n: the n-grams of `text` that a reference has too, each at most as often as in the
/// reference that has most of it. Linear in all lengths.
template <size_t N>
NgramCounts<N> shared_ngrams(const Ngrams<N>& text, std::span<const Ngrams<N>> references) {
  NgramCounts<N> shared{};
  const auto& grams = text.sorted();
  for (size_t n = 1; n <= N; ++n) {
    const auto order = [n](const auto& a, const auto& b) {
      return std::lexicographical_compare_three_way(a.begin(), a.begin() + n, b.begin(),
                                                    b.begin() + n);
    };
    std::vector<size_t> places(references.size(), 0);
    for (size_t first = 0; first < grams.size();) {
      size_t last = first + 1;
      while (last < grams.size() && order(grams[last], grams[first]) == 0) ++last;
      const bool whole = grams[first][n - 1] != 0;
      size_t most = 0;
      for (size_t r = 0; whole && r < references.size(); ++r) {
        const auto& others = references[r].sorted();
        size_t& at = places[r];
        while (at < others.size() && order(others[at], grams[first]) < 0) ++at;
        const size_t begin = at;
        while (at < others.size() && order(others[at], grams[first]) == 0) ++at;
        most = std::max(most, at - begin);
      }
      shared[n - 1] += static_cast<int64_t>(std::min(most, last - first));
      first = last;
    }
  }
  return shared;
}

template <size_t N>
NgramCounts<N> shared_ngrams(const Ngrams<N>& text, const Ngrams<N>& reference) {
  return shared_ngrams<N>(text, std::span<const Ngrams<N>>(&reference, 1));
}

}  // namespace tenfold::eval
