// The longest common subsequence of two sequences of numbers, 64 cells of its table at a time.
// Not here: what the numbers stand for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace tenfold::eval {

/// Its length. Time |a| * |b| / 64, memory |a| + |b|.
size_t common_subsequence_length(std::span<const uint32_t> a, std::span<const uint32_t> b);

/// The places in `a` of one longest common subsequence, rising. Of several longest ones the one
/// that is found from the ends of both by taking equal last symbols, else dropping the last of `b`
/// where the rest of the table is better, else the last of `a`: the one ROUGE-Lsum is defined over.
/// Memory |a| * |b| / 8 bytes.
std::vector<size_t> common_subsequence_places(std::span<const uint32_t> a,
                                              std::span<const uint32_t> b);

}  // namespace tenfold::eval
