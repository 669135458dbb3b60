// The bit-vector recurrence of Hyyrö ("Bit-parallel LCS-length computation revisited", 2004): with
// M the places of b where the symbol of a stands, V' = (V + (V & M)) | (V & ~M), and column j of
// the table grows by one exactly where bit j of V' is 0. Not here: ROUGE.
#include "eval/common_subsequence.h"

#include <algorithm>
#include <bit>
#include <unordered_map>

namespace tenfold::eval {
namespace {

using BitRow = std::vector<uint64_t>;

/// Where each symbol stands in b.
using SymbolPlaces = std::unordered_map<uint32_t, std::vector<uint32_t>>;

SymbolPlaces places_of(std::span<const uint32_t> b) {
  SymbolPlaces places;
  for (size_t j = 0; j < b.size(); ++j) places[b[j]].push_back(static_cast<uint32_t>(j));
  return places;
}

/// One row of the table further: `v` before and after, `mask` all 0 before and after.
void advance_row(const SymbolPlaces& symbols, uint32_t symbol, BitRow& v, BitRow& mask) {
  const auto found = symbols.find(symbol);
  if (found == symbols.end()) return;
  const std::vector<uint32_t>& places = found->second;
  for (uint32_t place : places) mask[place / 64] |= uint64_t{1} << place % 64;
  uint64_t carry = 0;
  for (size_t w = 0; w < v.size(); ++w) {
    const uint64_t matched = v[w] & mask[w];
    const uint64_t sum = v[w] + matched;
    const uint64_t with_carry = sum + carry;
    carry = (sum < matched ? 1 : 0) | (with_carry < sum ? 1 : 0);
    v[w] = with_carry | (v[w] & ~mask[w]);
  }
  for (uint32_t place : places) mask[place / 64] = 0;
}

/// Zeros among the first `columns` bits: the table's value at that column.
size_t value_at(std::span<const uint64_t> v, size_t columns) {
  size_t zeros = 0;
  for (size_t w = 0; w < columns / 64; ++w) zeros += static_cast<size_t>(std::popcount(~v[w]));
  if (columns % 64 > 0) {
    const uint64_t low = (uint64_t{1} << columns % 64) - 1;
    zeros += static_cast<size_t>(std::popcount(~v[columns / 64] & low));
  }
  return zeros;
}

}  // namespace

size_t common_subsequence_length(std::span<const uint32_t> a, std::span<const uint32_t> b) {
  const SymbolPlaces places = places_of(b);
  BitRow v((b.size() + 63) / 64, ~uint64_t{0}), mask(v.size(), 0);
  for (uint32_t symbol : a) advance_row(places, symbol, v, mask);
  return value_at(v, b.size());
}

std::vector<size_t> common_subsequence_places(std::span<const uint32_t> a,
                                              std::span<const uint32_t> b) {
  const size_t words = (b.size() + 63) / 64;
  std::vector<uint64_t> rows(words, ~uint64_t{0});  // row 0: nothing of a yet
  rows.reserve(words * (a.size() + 1));
  const SymbolPlaces symbols = places_of(b);
  BitRow v(words, ~uint64_t{0}), mask(words, 0);
  for (uint32_t symbol : a) {
    advance_row(symbols, symbol, v, mask);
    rows.insert(rows.end(), v.begin(), v.end());
  }
  const auto value = [&](size_t i, size_t j) {
    return value_at(std::span(rows).subspan(i * words, words), j);
  };
  std::vector<size_t> places;
  size_t i = a.size(), j = b.size();
  while (i > 0 && j > 0) {
    if (a[i - 1] == b[j - 1]) {
      places.push_back(--i);
      --j;
    } else if (value(i, j - 1) > value(i - 1, j)) {
      --j;
    } else {
      --i;
    }
  }
  std::reverse(places.begin(), places.end());
  return places;
}

}  // namespace tenfold::eval
