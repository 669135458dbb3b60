// One head of one sequence at a time: keys and values laid out once in pairs, as the dot product
// of pairs wants them, then six queries at a time through scores, softmax and the weighted sum,
// all of it in the first cache. Not here: other processors, where softmax_bf16_serves says no.
#include "nn/softmax_bf16.h"

#include <algorithm>
#include <vector>

#include "nn/onednn.h"
#include "nn/softmax_rows.h"
#include "nn/visible_range.h"
#include "support/fail.h"

#if defined(__x86_64__) && defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // of the header's own undefined registers
#include <immintrin.h>
#define TENFOLD_BF16_TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16")))
#endif

namespace tenfold::nn {

#ifdef TENFOLD_BF16_TARGET
namespace {

constexpr int64_t kMostKeys = 4096;
constexpr int64_t kRows = 6;    // queries at a time: 6 x 4 sums fill the registers
constexpr int64_t kLanes = 16;  // fp32 numbers, or pairs of bf16, in a register

int64_t padded(int64_t n, int64_t to) { return (n + to - 1) / to * to; }

/// Rows of one head: `row` numbers of bf16 from one to the next.
struct HeadRows {
  const c10::BFloat16* data;
  int64_t row;
  const c10::BFloat16* at(int64_t i) const { return data + i * row; }
};

/// Storage of one thread, reused from head to head.
struct Workspace {
  std::vector<uint32_t> key_pairs, value_pairs;
  std::vector<float> scores;
  std::vector<c10::BFloat16> weights;
};

/// key_pairs[block of 16 keys][pair of e][key]: keys beyond the last are zero.
TENFOLD_BF16_TARGET void pack_keys(const HeadRows& key, int64_t m, int64_t head_size,
                                   std::vector<uint32_t>& out) {
  const int64_t pairs = head_size / 2, row = key.row / 2;
  out.resize(static_cast<size_t>(padded(m, kLanes) * pairs));
  const auto* from = reinterpret_cast<const int32_t*>(key.data);
  const __m512i steps =
      _mm512_mullo_epi32(_mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
                         _mm512_set1_epi32(static_cast<int32_t>(row)));
  for (int64_t block = 0; block * kLanes < m; ++block) {
    const int64_t left = std::min(kLanes, m - block * kLanes);
    const auto mask = static_cast<__mmask16>((1U << left) - 1U);
    uint32_t* to = out.data() + block * kLanes * pairs;
    for (int64_t p = 0; p < pairs; ++p) {
      const __m512i column = _mm512_mask_i32gather_epi32(
          _mm512_setzero_si512(), mask, steps, from + block * kLanes * row + p, sizeof(int32_t));
      _mm512_storeu_si512(to + p * kLanes, column);
    }
  }
}

/// 16 numbers of bf16 as the low halves of 32 bits.
TENFOLD_BF16_TARGET inline __m512i numbers_at(const c10::BFloat16* x) {
  return _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(x)));
}

/// value_pairs[pair of keys][e]: each 32 bits hold two keys' numbers; an odd last key has a zero.
TENFOLD_BF16_TARGET void pack_values(const HeadRows& value, int64_t m, int64_t head_size,
                                     std::vector<uint32_t>& out) {
  out.resize(static_cast<size_t>(padded(m, 2) / 2 * head_size));
  for (int64_t j = 0; j < m; j += 2) {
    uint32_t* to = out.data() + j / 2 * head_size;
    const c10::BFloat16 *first = value.at(j), *second = j + 1 < m ? value.at(j + 1) : nullptr;
    for (int64_t e = 0; e < head_size; e += kLanes) {
      const __m512i low = numbers_at(first + e);
      const __m512i high = second == nullptr ? _mm512_setzero_si512() : numbers_at(second + e);
      _mm512_storeu_si512(to + e, _mm512_or_si512(low, _mm512_slli_epi32(high, 16)));
    }
  }
}

/// Sums over `pairs` of left[r][p] (two numbers, broadcast) times right[p][lane] (two numbers),
/// for kRows rows and kVectors registers of lanes. `right` has `right_row` lanes a pair and
/// `right_vector` words from one register to the next.
template <int kVectors>
struct Tile {
  __m512 sum[kRows][kVectors];

  TENFOLD_BF16_TARGET void multiply(const c10::BFloat16* const* left, int64_t pairs,
                                    const uint32_t* right, int64_t right_row,
                                    int64_t right_vector) {
#pragma GCC unroll 6
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) sum[r][v] = _mm512_setzero_ps();
    }
    for (int64_t p = 0; p < pairs; ++p) {
      __m512bh b[kVectors];
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) {
        b[v] = (__m512bh)_mm512_loadu_si512(right + p * right_row + v * right_vector);
      }
#pragma GCC unroll 6
      for (int r = 0; r < kRows; ++r) {
        int32_t pair;
        std::memcpy(&pair, left[r] + 2 * p, sizeof pair);
        const auto a = (__m512bh)_mm512_set1_epi32(pair);
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) sum[r][v] = _mm512_dpbf16_ps(sum[r][v], a, b[v]);
      }
    }
  }
};

/// Scores of kRows queries against `kVectors` blocks of keys, times scale.
template <int kVectors>
TENFOLD_BF16_TARGET void score_tile(const c10::BFloat16* const* query, int64_t head_size,
                                    const uint32_t* key_pairs, float scale, float* scores,
                                    int64_t score_row) {
  Tile<kVectors> tile;
  tile.multiply(query, head_size / 2, key_pairs, kLanes, head_size / 2 * kLanes);
  const __m512 s = _mm512_set1_ps(scale);
#pragma GCC unroll 6
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      _mm512_storeu_ps(scores + r * score_row + v * kLanes, _mm512_mul_ps(tile.sum[r][v], s));
    }
  }
}

/// Weighted sums of values for lanes e .. e + 16 kVectors; the first `rows` are stored.
template <int kVectors>
TENFOLD_BF16_TARGET void value_tile(const c10::BFloat16* const* weights, int64_t keys,
                                    const uint32_t* value_pairs, int64_t head_size, int64_t rows,
                                    c10::BFloat16* to, int64_t to_row) {
  Tile<kVectors> tile;
  tile.multiply(weights, padded(keys, 2) / 2, value_pairs, head_size, kLanes);
  for (int64_t r = 0; r < rows; ++r) {
    for (int v = 0; v < kVectors; ++v) {
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + r * to_row + v * kLanes),
                          (__m256i)_mm512_cvtneps_pbh(tile.sum[r][v]));
    }
  }
}

/// Rounds normalised weights to bf16, pairs of neighbours side by side.
TENFOLD_BF16_TARGET void round_row(const float* from, c10::BFloat16* to, int64_t count) {
  for (int64_t j = 0; j < count; j += kLanes) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + j),
                        (__m256i)_mm512_cvtneps_pbh(_mm512_loadu_ps(from + j)));
  }
}

/// One head of one sequence.
void attend(const HeadRows& query, const HeadRows& key, const HeadRows& value, c10::BFloat16* out,
            int64_t out_row, int64_t head_size, float scale, const AttentionSequence& s,
            Workspace& work) {
  const int64_t m = s.keys, width = padded(m, kLanes), blocks = width / kLanes;
  pack_keys(key, m, head_size, work.key_pairs);
  pack_values(value, m, head_size, work.value_pairs);
  work.scores.resize(static_cast<size_t>(kRows * width));
  work.weights.resize(static_cast<size_t>(kRows * width));
  const int64_t block_words = head_size / 2 * kLanes;
  for (int64_t first = 0; first < s.queries; first += kRows) {
    const int64_t rows = std::min(kRows, s.queries - first);
    const c10::BFloat16 *asking[kRows], *weighing[kRows];
    for (int64_t r = 0; r < kRows; ++r) {
      asking[r] = query.at(first + std::min(r, rows - 1));  // rows beyond the last repeat it
      weighing[r] = work.weights.data() + r * width;
    }
    int64_t block = 0;
    for (; block + 4 <= blocks; block += 4) {
      score_tile<4>(asking, head_size, work.key_pairs.data() + block * block_words, scale,
                    work.scores.data() + block * kLanes, width);
    }
    for (; block < blocks; ++block) {
      score_tile<1>(asking, head_size, work.key_pairs.data() + block * block_words, scale,
                    work.scores.data() + block * kLanes, width);
    }
    for (int64_t r = 0; r < rows; ++r) {
      const VisibleRange range = visible_range(s, first + r);
      softmax_row(work.scores.data() + r * width, work.scores.data() + r * width, width, range.lo,
                  range.hi, range.skip, 1.0F);
      round_row(work.scores.data() + r * width, work.weights.data() + r * width, width);
    }
    c10::BFloat16* to = out + first * out_row;
    int64_t e = 0;
    for (; e + 4 * kLanes <= head_size; e += 4 * kLanes) {
      value_tile<4>(weighing, m, work.value_pairs.data() + e, head_size, rows, to + e, out_row);
    }
    for (; e < head_size; e += 2 * kLanes) {
      value_tile<2>(weighing, m, work.value_pairs.data() + e, head_size, rows, to + e, out_row);
    }
  }
}

HeadRows head_rows(const Tensor& x_THE, int64_t begin, int64_t head) {
  return {x_THE.const_data_ptr<c10::BFloat16>() + begin * x_THE.stride(0) + head * x_THE.stride(1),
          x_THE.stride(0)};
}

/// Numbers of a head lie side by side, and pairs of them at even places.
bool lies_in_pairs(const Tensor& x_THE) {
  return x_THE.stride(2) == 1 && x_THE.stride(0) % 2 == 0 && x_THE.stride(1) % 2 == 0 &&
         x_THE.stride(0) < (int64_t{1} << 24);
}

}  // namespace
#pragma GCC diagnostic pop

bool softmax_bf16_serves(const Tensor& query_THE, const Tensor& key_SHE, const Tensor& value_SHE,
                         const Tensor& carry, const SoftmaxPlan& plan) {
  if (query_THE.scalar_type() != at::kBFloat16 || !onednn_serves(query_THE)) return false;
  if (carry.defined() || plan.bias || plan.hand_on_scores || plan.dropout > 0) return false;
  if (query_THE.size(2) % 32 != 0 || value_SHE.size(2) != query_THE.size(2)) return false;
  if (!lies_in_pairs(query_THE) || !lies_in_pairs(key_SHE) || !lies_in_pairs(value_SHE))
    return false;
  return std::all_of(plan.sequences.begin(), plan.sequences.end(), [](const AttentionSequence& s) {
    return !s.has_holes && s.keys <= kMostKeys;
  });
}

Tensor softmax_bf16(const Tensor& query_THE, const Tensor& key_SHE, const Tensor& value_SHE,
                    const SoftmaxPlan& plan) {
  RECORD_FUNCTION("tenfold::softmax_bf16", std::vector<c10::IValue>());
  const int64_t heads = query_THE.size(1), head_size = query_THE.size(2);
  Tensor context_THE = torch::empty(query_THE.sizes(), query_THE.options());
  auto* out = context_THE.mutable_data_ptr<c10::BFloat16>();
  const int64_t out_row = heads * head_size;
  const auto works = static_cast<int64_t>(plan.sequences.size()) * heads;
  at::parallel_for(0, works, 1, [&](int64_t begin, int64_t end) {
    Workspace work;
    for (int64_t i = begin; i < end; ++i) {
      const AttentionSequence& s = plan.sequences[static_cast<size_t>(i / heads)];
      const int64_t h = i % heads;
      attend(head_rows(query_THE, s.query_begin, h), head_rows(key_SHE, s.key_begin, h),
             head_rows(value_SHE, s.key_begin, h), out + s.query_begin * out_row + h * head_size,
             out_row, head_size, static_cast<float>(plan.scale), s, work);
    }
  });
  return context_THE;
}

#else

bool softmax_bf16_serves(const Tensor&, const Tensor&, const Tensor&, const Tensor&,
                         const SoftmaxPlan&) {
  return false;
}

Tensor softmax_bf16(const Tensor&, const Tensor&, const Tensor&, const SoftmaxPlan&) {
  fail(ErrorKind::internal, "attention", "no bfloat16 kernel in this build");
}

#endif

}  // namespace tenfold::nn
