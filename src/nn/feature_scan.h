// Attention by sums over keys, for some heads of one sequence on the CPU: forward, backward, and
// with a state that goes on from step to step. Never forms weights beyond a chunk of 64 by 64. Not
// here: feature maps (feature_map.h), threads, autograd (feature_attention.cpp).
//
// With S = sum_j g(k_j) v_j^T and z = sum_j g(k_j) over the keys a query sees, its output is
// f(q) S / (f(q) z + epsilon) (arXiv 2006.16236, equations 4 to 6, with every mask of
// visible_range.h).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "nn/feature_map.h"
#include "nn/scan_plan.h"
#include "nn/tile.h"

namespace tenfold::nn {

/// Rows of one head: row i begins at data + i * stride. Heads are worked on in turn, a chunk at a
/// time, so that rows of all heads are read while they are at hand: `next` numbers on lies what is
/// read after this.
template <typename T>
struct HeadRows {
  T* data = nullptr;
  int64_t stride = 0, next = 0;
};

/// What one head's keys have added up to, without padding: S [R, E], z [R], and the offset that
/// both are brought to (0 where the map has none; -infinity where nothing was seen).
template <typename T>
struct ScanState {
  T *sum = nullptr, *normalizer = nullptr, *offset = nullptr;
};

/// What one call reads and writes of one head. Rows are those of the whole batch; the sequence says
/// where its own begin.
template <typename T>
struct ScanForward {
  HeadRows<const T> query, key, value;
  HeadRows<T> out;
  T* inverse = nullptr;         ///< 1 / denominator of every query row; null: not wanted
  ScanState<const T> state_in;  ///< of keys seen before; empty: none
  ScanState<T> state_out;       ///< empty: not wanted
  T* kept = nullptr;  ///< kept_numbers() for the backward pass; null: it computes them once more
};

template <typename T>
struct ScanBackward {
  HeadRows<const T> query, key, value, out, dout;
  const T* inverse = nullptr;
  HeadRows<T> dquery, dkey, dvalue;  ///< written for the sequence's queries and the keys seen
  const T* kept = nullptr;           ///< of the forward pass
};

/// The part lo .. hi - 1 of a chunk's own keys, without `skip`, that one query sees.
struct SeenKeys {
  int64_t lo, hi, skip;
};

/// What does not change from head to head.
struct ScanSettings {
  int64_t head = 0, value = 0;  ///< numbers of a head's queries and keys, and of its values
  double epsilon = 0.0;         ///< added to the denominators
  double key_sum_offset = 0.0;  ///< where every entry of z begins
  bool divide = true;           ///< off: there are no denominators
  bool stream = false;          ///< what is written is more than caches hold, and goes past them
};

/// Heads that a call works on together, of those there are: their states share the cache.
template <typename T>
int64_t heads_together(const FeatureMap& map, int64_t value_size, int64_t heads, int64_t chunks);

/// The kernel with its buffers: one a thread. T is float or double.
template <typename T>
class FeatureScan {
 public:
  static constexpr int64_t kChunk = 64;  ///< rows of a tile at most

  /// Rows of a chunk of queries under a mask. Keys that its queries see in part are worked one by
  /// one: the fewer features there are, the less a state costs beside them, unless every chunk has
  /// two.
  static constexpr int64_t chunk_rows(See see, int64_t features) {
    return features <= 64 && see != See::all && see != See::others ? kChunk / 2 : kChunk;
  }

  /// `map` must outlive the kernel.
  FeatureScan(const FeatureMap& map, const ScanSettings& settings);

  /// Numbers a head worth keeping between the passes: the state each chunk sees and the weights
  /// within it, where they are no more than six times its values; else 0.
  int64_t kept_numbers(const ScanPlan& plan) const;

  /// One entry a head.
  void forward(const AttentionSequence& s, const ScanPlan& plan,
               const std::vector<ScanForward<T>>& heads);
  void backward(const AttentionSequence& s, const ScanPlan& plan,
                const std::vector<ScanBackward<T>>& heads);

 private:
  static constexpr int64_t kStrip = 16;  ///< rows whose visible ranges are taken as one
  static constexpr T kSmallestDenominator = T(1e-20);

  // A state is S [R, E], z [R] and the offset its numbers are brought to, with whole vectors. A
  // turned one has S^T [E, R], rows feature_stride_ apart, in its place: the backward pass
  // multiplies by it.

  /// States of every chunk and head.
  struct Grid {
    std::vector<T> numbers;
    int64_t heads = 0, size = 0;
    T* at(int64_t chunk, int64_t head) { return numbers.data() + (chunk * heads + head) * size; }
  };
  T* sum_of(T* state) const { return state; }
  template <typename Number>
  Number* normalizer_of(Number* state) const {
    return state + value_stride_ * feature_stride_;
  }
  template <typename Number>
  Number& offset_of(Number* state) const {
    return state[state_size_ - tile::Vector<T>::lanes];
  }
  /// Whether nothing lies before or behind a chunk: its state is no keys', and null stands for it.
  bool sees_own_keys_alone(const ScanPlan& plan, int64_t chunk) const;
  /// What is kept of a chunk of a mask that hides: a turned state, and weights.
  int64_t kept_chunk(const ScanPlan& plan) const { return state_size_ + plan.rows * plan.rows; }
  void turn(const T* state, T* turned) const;  ///< two states, not one in place
  void turn_all(Grid& states) const;           ///< in place
  Grid states(int64_t chunks, int64_t heads) const;
  Grid first_states(int64_t heads) const;
  void take_in(const ScanState<const T>& from, T* state) const;
  void hand_out(T* state, const ScanState<T>& to) const;
  void clear(T* state) const;
  void rescale(T* state, T offset) const;
  void merge(T* into, const T* from) const;
  void spread(Grid& own, const ScanPlan& plan, Grid& first) const;
  tile::Rows<T> features(T* rows) const { return {rows, feature_stride_}; }
  void store(const T* from, int64_t from_stride, const int64_t* places, int64_t rows, int64_t width,
             const HeadRows<T>& to, int64_t first) const;
  void accumulate(T* state, T* feature, const T* value, const T* offset, const T* weight,
                  int64_t rows);

  void load_queries(const AttentionSequence& s, const HeadRows<const T>& query,
                    const ScanChunk& chunk);
  void load_keys(const AttentionSequence& s, const HeadRows<const T>& key,
                 const HeadRows<const T>& value, int64_t begin, int64_t end);
  void add_keys(T* state, int64_t keys);
  template <typename Heads>
  void add_shared_keys(const AttentionSequence& s, const ScanPlan& plan, const Heads& heads,
                       Grid& states);
  template <typename Heads>
  Grid states_between(const AttentionSequence& s, const ScanPlan& plan, const Heads& heads,
                      Grid& first);
  void find_seen(const AttentionSequence& s, const ScanChunk& chunk);
  void find_ceilings(const ScanChunk& chunk, const T* state);
  void key_products(const ScanChunk& chunk, const T* rows, int64_t row_stride, const T* key_rows,
                    int64_t key_stride, int64_t depth, T* block);
  void weigh(const ScanChunk& chunk, const T* add, T* block) const;
  void write_context(const AttentionSequence& s, const ScanChunk& chunk, T* state, T* block,
                     const ScanForward<T>& io);

  void load_output_gradient(const AttentionSequence& s, const ScanChunk& chunk,
                            const ScanBackward<T>& io);
  void add_queries(T* state, const ScanChunk& chunk);
  void weights_of_own_keys(const ScanChunk& chunk, const T* kept_block);
  void query_gradient(const AttentionSequence& s, const ScanChunk& chunk, const T* turned,
                      const ScanBackward<T>& io);
  void key_gradient(int64_t rows, const T* queries_state, const T* turned);
  void add_own_key_gradient(const ScanChunk& chunk);
  void expect_key_gradient(const AttentionSequence& s, int64_t begin, int64_t end,
                           const ScanBackward<T>& io) const;
  void write_key_gradient(const AttentionSequence& s, int64_t begin, int64_t end,
                          const ScanBackward<T>& io);

  /// work(first row, rows, lo, hi) for strips of rows and the range of the chunk's keys that any of
  /// them sees.
  template <typename Work>
  void for_strips(const ScanChunk& chunk, Work work) const {
    for (int64_t i = 0; i < chunk.queries(); i += kStrip) {
      const int64_t rows = std::min(kStrip, chunk.queries() - i);
      int64_t lo = near_, hi = 0;
      for (int64_t r = i; r < i + rows; ++r) {
        if (seen_[static_cast<size_t>(r)].lo >= seen_[static_cast<size_t>(r)].hi) continue;
        lo = std::min(lo, seen_[static_cast<size_t>(r)].lo);
        hi = std::max(hi, seen_[static_cast<size_t>(r)].hi);
      }
      if (lo < hi) work(i, rows, lo, hi);
    }
  }
  /// work(begin, end) for tiles of the keys that every query sees.
  template <typename Work>
  void for_shared_tiles(const ScanPlan& plan, Work work) const {
    for (int64_t j = 0; j < plan.base; j += kChunk) work(j, std::min(j + kChunk, plan.base));
    for (int64_t j = plan.tail; j < plan.keys; j += kChunk)
      work(j, std::min(j + kChunk, plan.keys));
  }

  const FeatureTiles<T>& tiles_;
  int64_t head_size_, value_size_, features_;
  int64_t near_ = kChunk;  ///< rows of the plan's chunks, and from row to row of weights
  int64_t head_stride_, value_stride_, feature_width_, feature_stride_, state_size_;
  T epsilon_, key_sum_offset_;
  bool offsets_, divide_, stream_;
  std::vector<T> memory_;
  // Tiles of up to kChunk rows.
  T *query_, *key_, *value_, *query_feature_, *key_feature_, *turned_, *block_, *context_;
  T *dout_, *dquery_feature_, *dkey_feature_, *dvalue_, *dblock_, *dx_, *turned_state_;
  T *offset_, *alpha_, *ceiling_, *inverse_, *shift_, *row_factor_;
  const T* weights_ = nullptr;                     ///< of the chunk's own keys
  tile::Rows<const T> query_rows_{}, key_rows_{};  ///< in place, or in query_ and key_
  std::array<SeenKeys, kChunk> seen_{};
};

template <typename T>
template <typename Heads>
void FeatureScan<T>::add_shared_keys(const AttentionSequence& s, const ScanPlan& plan,
                                     const Heads& heads, Grid& states) {
  for_shared_tiles(plan, [&](int64_t begin, int64_t end) {
    int64_t h = 0;
    for (const auto& io : heads) {
      load_keys(s, io.key, io.value, begin, end);
      add_keys(states.at(0, h++), end - begin);
    }
  });
}

/// The state each chunk sees besides its own keys, starting from `first`.
template <typename T>
template <typename Heads>
typename FeatureScan<T>::Grid FeatureScan<T>::states_between(const AttentionSequence& s,
                                                             const ScanPlan& plan,
                                                             const Heads& heads, Grid& first) {
  Grid own = states(static_cast<int64_t>(plan.chunks.size()), static_cast<int64_t>(heads.size()));
  for (size_t c = 0; c < plan.chunks.size(); ++c) {
    const ScanChunk& chunk = plan.chunks[c];
    if (chunk.keys() == 0) continue;
    int64_t h = 0;
    for (const auto& io : heads) {
      load_keys(s, io.key, io.value, chunk.key_begin, chunk.key_end);
      add_keys(own.at(static_cast<int64_t>(c), h++), chunk.keys());
    }
  }
  spread(own, plan, first);
  return own;
}

}  // namespace tenfold::nn
