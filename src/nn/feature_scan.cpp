// The kernel of attention by sums over keys: chunks of queries against states, small weights within
// a chunk. Not here: the backward pass (feature_scan_backward.cpp).
#include "nn/feature_scan.h"

#include <algorithm>
#include <limits>

#include "nn/feature_scan_rows.h"
#include "nn/visible_range.h"

namespace tenfold::nn {

template <typename T>
FeatureScan<T>::FeatureScan(const FeatureMap& map, const ScanSettings& settings)
    : tiles_(tiles_of<T>(map)),
      head_size_(settings.head),
      value_size_(settings.value),
      features_(map.features()),
      head_stride_(tile::padded<T>(settings.head)),
      value_stride_(tile::padded<T>(settings.value)),
      feature_width_(tile::padded<T>(features_)),
      // Rows a power of two apart would share few places of the cache.
      feature_stride_(feature_width_ + (feature_width_ > kChunk ? tile::Vector<T>::lanes : 0)),
      state_size_(value_stride_ * feature_stride_ + feature_width_ + tile::Vector<T>::lanes),
      epsilon_(static_cast<T>(settings.epsilon)),
      key_sum_offset_(static_cast<T>(settings.key_sum_offset)),
      offsets_(map.has_offsets()),
      divide_(settings.divide),
      stream_(settings.stream) {
  const int64_t feature = kChunk * feature_stride_, value = kChunk * value_stride_,
                head = kChunk * head_stride_, square = kChunk * kChunk,
                turned = kChunk * std::max(feature_stride_, value_stride_);
  const std::pair<T**, int64_t> tiles[] = {
      {&query_, head},
      {&key_, head},
      {&dx_, head},
      {&value_, value},
      {&context_, value},
      {&dout_, value},
      {&dvalue_, value},
      {&query_feature_, feature},
      {&key_feature_, feature},
      {&dquery_feature_, feature},
      {&dkey_feature_, feature},
      {&block_, square},
      {&dblock_, square},
      {&turned_, turned},
      {&turned_state_, state_size_},
      {&offset_, kChunk},
      {&alpha_, kChunk},
      {&ceiling_, kChunk},
      {&inverse_, kChunk},
      {&shift_, kChunk},
      {&row_factor_, kChunk},
  };
  // They begin at whole vectors, and not a power of two apart, where they would share places of the
  // cache.
  constexpr int64_t kApart = 5 * tile::Vector<T>::lanes;
  int64_t total = tile::Vector<T>::lanes;
  for (const auto& [place, numbers] : tiles) total += numbers + kApart;
  memory_.resize(static_cast<size_t>(total));
  T* next =
      memory_.data() + (64 - reinterpret_cast<uintptr_t>(memory_.data()) % 64) % 64 / sizeof(T);
  for (const auto& [place, numbers] : tiles) {
    *place = next;
    next += numbers + kApart;
  }
}

template <typename T>
void FeatureScan<T>::clear(T* state) const {
  std::fill_n(state, state_size_, T(0));
  if (offsets_) offset_of(state) = -std::numeric_limits<T>::infinity();
}

template <typename T>
typename FeatureScan<T>::Grid FeatureScan<T>::states(int64_t chunks, int64_t heads) const {
  Grid grid{std::vector<T>(static_cast<size_t>(chunks * heads * state_size_)), heads, state_size_};
  if (offsets_) {
    for (int64_t i = 0; i < chunks * heads; ++i)
      offset_of(grid.at(0, i)) = -std::numeric_limits<T>::infinity();
  }
  return grid;
}

/// States of no keys, as the sums of a sequence begin.
template <typename T>
typename FeatureScan<T>::Grid FeatureScan<T>::first_states(int64_t heads) const {
  Grid first = states(1, heads);
  if (key_sum_offset_ != 0) {
    for (int64_t h = 0; h < heads; ++h)
      std::fill_n(normalizer_of(first.at(0, h)), features_, key_sum_offset_);
  }
  return first;
}

template <typename T>
void FeatureScan<T>::take_in(const ScanState<const T>& from, T* state) const {
  for (int64_t r = 0; r < features_; ++r)
    std::copy_n(from.sum + r * value_size_, value_size_, sum_of(state) + r * value_stride_);
  std::copy_n(from.normalizer, features_, normalizer_of(state));
  offset_of(state) = *from.offset;
}

template <typename T>
void FeatureScan<T>::hand_out(T* state, const ScanState<T>& to) const {
  for (int64_t r = 0; r < features_; ++r)
    std::copy_n(sum_of(state) + r * value_stride_, value_size_, to.sum + r * value_size_);
  std::copy_n(normalizer_of(state), features_, to.normalizer);
  *to.offset = offset_of(state);
}

/// The state with a higher offset: its numbers shrink.
template <typename T>
void FeatureScan<T>::rescale(T* state, T offset) const {
  T& own = offset_of(state);
  if (!offsets_ || own == offset) return;
  scale_numbers(state, row_exp(own - offset), state_size_ - tile::Vector<T>::lanes);
  own = offset;
}

template <typename T>
void FeatureScan<T>::merge(T* into, const T* from) const {
  const T offset = from[state_size_ - tile::Vector<T>::lanes];
  const int64_t numbers = state_size_ - tile::Vector<T>::lanes;
  if (!offsets_) {
    add_scaled(into, from, T(1), numbers);
    return;
  }
  if (offset == -std::numeric_limits<T>::infinity()) return;
  rescale(into, std::max(offset_of(into), offset));
  add_scaled(into, from, row_exp(offset - offset_of(into)), numbers);
}

template <typename T>
void FeatureScan<T>::turn(const T* state, T* turned) const {
  tile::transpose(state, value_stride_, turned, feature_stride_, feature_width_, value_stride_);
  std::copy_n(normalizer_of(state), feature_width_, normalizer_of(turned));
  offset_of(turned) = offset_of(state);
}

template <typename T>
void FeatureScan<T>::turn_all(Grid& states) const {
  std::vector<T> state(static_cast<size_t>(state_size_));
  for (size_t at = 0; at < states.numbers.size(); at += state.size()) {
    std::copy_n(states.numbers.data() + at, state.size(), state.data());
    turn(state.data(), states.numbers.data() + at);
  }
}

template <typename T>
void FeatureScan<T>::store(const T* from, int64_t from_stride, const int64_t* places, int64_t rows,
                           int64_t width, const HeadRows<T>& to, int64_t first) const {
  T* out = to.data + first * to.stride;
  if (stream_ && streams(out, to.stride)) {
    stream_rows(from, from_stride, places, rows, width, out, to.stride);
  } else {
    store_rows(from, from_stride, places, rows, width, out, to.stride);
  }
}

template <typename T>
void FeatureScan<T>::load_queries(const AttentionSequence& s, const HeadRows<const T>& query,
                                  const ScanChunk& chunk) {
  const T* from = query.data + (s.query_begin + chunk.query_begin) * query.stride;
  tile::expect_rows(from + query.next, query.stride, chunk.queries(), head_size_);
  query_rows_ = {from, query.stride};
  if (head_size_ < head_stride_) {
    load_rows(from, query.stride, static_cast<const int64_t*>(nullptr), chunk.queries(), head_size_,
              query_, head_stride_);
    query_rows_ = {query_, head_stride_};
  }
  tiles_.queries(query_rows_, chunk.queries(), features(query_feature_));
}

template <typename T>
void FeatureScan<T>::load_keys(const AttentionSequence& s, const HeadRows<const T>& key,
                               const HeadRows<const T>& value, int64_t begin, int64_t end) {
  const int64_t* places = s.has_holes ? s.kept.data() + begin : nullptr;
  const int64_t first = s.key_begin + (s.has_holes ? 0 : begin);
  tile::expect_rows(key.data + first * key.stride + key.next, key.stride, end - begin, head_size_);
  tile::expect_rows(value.data + first * value.stride + value.next, value.stride, end - begin,
                    value_size_);
  key_rows_ = {key.data + first * key.stride, key.stride};
  if (places != nullptr || head_size_ < head_stride_) {
    load_rows(key_rows_.data, key.stride, places, end - begin, head_size_, key_, head_stride_);
    key_rows_ = {key_, head_stride_};
  }
  load_rows(value.data + first * value.stride, value.stride, places, end - begin, value_size_,
            value_, value_stride_);
  tiles_.keys(key_rows_, end - begin, features(key_feature_), offset_);
}

/// Takes the loaded keys into a state; their features are used up.
template <typename T>
void FeatureScan<T>::add_keys(T* state, int64_t keys) {
  accumulate(state, key_feature_, value_, offset_, nullptr, keys);
}

/// state += feature^T value, and its normalizer the features' sum, each row times its weight.
template <typename T>
void FeatureScan<T>::accumulate(T* state, T* feature, const T* value, const T* offset,
                                const T* weight, int64_t rows) {
  if (offsets_) {
    T top = offset_of(state);
    for (int64_t i = 0; i < rows; ++i) top = std::max(top, offset[i]);
    if (top == -std::numeric_limits<T>::infinity()) return;
    rescale(state, top);
    for (int64_t i = 0; i < rows; ++i)
      scale_numbers(feature + i * feature_stride_, row_exp(offset[i] - top), feature_width_);
  }
  tile::product(tile::transposed(feature, feature_stride_), value, value_stride_, sum_of(state),
                value_stride_, features_, value_stride_, rows, true);
  add_rows(normalizer_of(state), feature, feature_stride_, weight, rows, feature_width_);
}

/// Which of the chunk's own keys each of its queries sees.
template <typename T>
void FeatureScan<T>::find_seen(const AttentionSequence& s, const ScanChunk& chunk) {
  for (int64_t i = 0; i < chunk.queries(); ++i) {
    const VisibleRange range = visible_range(s, chunk.query_begin + i);
    SeenKeys& seen = seen_[static_cast<size_t>(i)];
    seen.lo = std::clamp<int64_t>(range.lo - chunk.key_begin, 0, chunk.keys());
    seen.hi = std::clamp<int64_t>(range.hi - chunk.key_begin, seen.lo, chunk.keys());
    seen.skip = range.skip - chunk.key_begin;
  }
}

/// For each query the largest offset of what it sees, to which all its terms are brought.
template <typename T>
void FeatureScan<T>::find_ceilings(const ScanChunk& chunk, const T* state) {
  constexpr T kNone = -std::numeric_limits<T>::infinity();
  const T state_offset = state != nullptr ? offset_of(state) : kNone;
  for (int64_t i = 0; i < chunk.queries(); ++i) {
    if (!offsets_) {
      ceiling_[i] = 0;
      alpha_[i] = 1;
      continue;
    }
    T top = state_offset;
    if (chunk.keys() > 0) {
      const SeenKeys& seen = seen_[static_cast<size_t>(i)];
      for (int64_t j = seen.lo; j < seen.hi; ++j) {
        if (j != seen.skip) top = std::max(top, offset_[j]);
      }
    }
    ceiling_[i] = top;
    alpha_[i] = top == kNone ? T(0) : row_exp(state_offset - top);
  }
}

/// block = rows key_rows^T where a query sees a key, in whole vectors of keys.
template <typename T>
void FeatureScan<T>::key_products(const ScanChunk& chunk, const T* rows, int64_t row_stride,
                                  const T* key_rows, int64_t key_stride, int64_t depth, T* block) {
  tile::transpose(key_rows, key_stride, turned_, near_, chunk.keys(), depth);
  for_strips(chunk, [&](int64_t i, int64_t count, int64_t lo, int64_t hi) {
    const int64_t from = lo / tile::Vector<T>::lanes * tile::Vector<T>::lanes;
    tile::product(tile::as_is(rows + i * row_stride, row_stride), turned_ + from, near_,
                  block + i * near_ + from, near_, count, tile::padded<T>(hi) - from, depth, false);
  });
}

/// Raw products become weights: a number added a row, brought to the row's ceiling, 0 where hidden.
template <typename T>
void FeatureScan<T>::weigh(const ScanChunk& chunk, const T* add, T* block) const {
  weigh_rows(block, near_, seen_.data(), chunk.queries(), add, offsets_ ? offset_ : nullptr,
             ceiling_);
}

template <typename T>
void FeatureScan<T>::write_context(const AttentionSequence& s, const ScanChunk& chunk, T* state,
                                   T* block, const ScanForward<T>& io) {
  const int64_t rows = chunk.queries(), first = s.query_begin + chunk.query_begin;
  if (!stream_)
    tile::expect_rows(io.out.data + first * io.out.stride, io.out.stride, rows, value_size_);
  find_ceilings(chunk, state);
  if (state == nullptr) {
    std::fill_n(context_, rows * value_stride_, T(0));
    std::fill_n(inverse_, rows, T(0));
  } else {
    tile::product(tile::as_is(query_feature_, feature_stride_), sum_of(state), value_stride_,
                  context_, value_stride_, rows, value_stride_, features_, false);
    row_dots(query_feature_, feature_stride_, normalizer_of(state), rows, feature_width_, inverse_);
    if (offsets_) {
      scale_rows(context_, value_stride_, alpha_, rows);
      for (int64_t i = 0; i < rows; ++i) inverse_[i] *= alpha_[i];
    }
  }
  if (chunk.keys() > 0) {
    key_products(chunk, query_feature_, feature_stride_, key_feature_, feature_stride_, features_,
                 block);
    weigh(chunk, nullptr, block);
    add_row_sums(block, near_, rows, inverse_);
    for_strips(chunk, [&](int64_t i, int64_t count, int64_t lo, int64_t hi) {
      tile::product(tile::as_is(block + i * near_ + lo, near_), value_ + lo * value_stride_,
                    value_stride_, context_ + i * value_stride_, value_stride_, count,
                    value_stride_, hi - lo, true);
    });
  }
  for (int64_t i = 0; i < rows; ++i) {
    const T denominator = inverse_[i];
    inverse_[i] =
        denominator > 0 ? T(1) / (std::max(denominator, kSmallestDenominator) + epsilon_) : T(0);
    if (!divide_) inverse_[i] = 1;
    if (io.inverse != nullptr) io.inverse[first + i] = inverse_[i];
  }
  scale_rows(context_, value_stride_, inverse_, rows);
  store(context_, value_stride_, nullptr, rows, value_size_, io.out, first);
}

/// Each chunk's own state becomes `first` and those of all chunks before or behind it.
template <typename T>
void FeatureScan<T>::spread(Grid& own, const ScanPlan& plan, Grid& first) const {
  const auto count = static_cast<int64_t>(plan.chunks.size());
  const bool both = plan.before && plan.after;
  const Grid kept = both ? own : Grid{};
  std::vector<T> run(static_cast<size_t>(state_size_)), here(static_cast<size_t>(state_size_));
  for (int64_t h = 0; h < own.heads; ++h) {
    std::copy_n(first.at(0, h), state_size_, run.data());
    for (int64_t n = 0; n < count; ++n) {
      T* state = own.at(plan.before ? n : count - 1 - n, h);
      std::copy_n(state, state_size_, here.data());
      std::copy_n(run.data(), state_size_, state);
      merge(run.data(), here.data());
    }
    if (!both) continue;
    clear(run.data());
    for (int64_t c = count - 1; c >= 0; --c) {
      merge(own.at(c, h), run.data());
      merge(run.data(), kept.numbers.data() + (c * own.heads + h) * state_size_);
    }
  }
}

template <typename T>
bool FeatureScan<T>::sees_own_keys_alone(const ScanPlan& plan, int64_t chunk) const {
  if (plan.before == plan.after || plan.shared() || key_sum_offset_ != 0) return false;
  return chunk == (plan.before ? 0 : static_cast<int64_t>(plan.chunks.size()) - 1);
}

template <typename T>
int64_t FeatureScan<T>::kept_numbers(const ScanPlan& plan) const {
  constexpr int64_t kMost = 6;
  if (plan.before && plan.after) return 0;
  const int64_t numbers =
      plan.partial() ? static_cast<int64_t>(plan.chunks.size()) * kept_chunk(plan) : state_size_;
  return numbers <= kMost * plan.keys * value_size_ ? numbers : 0;
}

template <typename T>
void FeatureScan<T>::forward(const AttentionSequence& s, const ScanPlan& plan,
                             const std::vector<ScanForward<T>>& heads) {
  near_ = plan.rows;
  const auto width = static_cast<int64_t>(heads.size());
  Grid run = first_states(width);
  for (int64_t h = 0; h < width; ++h) {
    const ScanForward<T>& io = heads[static_cast<size_t>(h)];
    if (io.state_in.sum != nullptr) take_in(io.state_in, run.at(0, h));
  }
  add_shared_keys(s, plan, heads, run);
  const bool both = plan.before && plan.after, reverse = plan.after && !plan.before;
  Grid between;
  if (both) between = states_between(s, plan, heads, run);
  const auto count = static_cast<int64_t>(plan.chunks.size());
  for (int64_t n = 0; n < count; ++n) {
    const int64_t c = reverse ? count - 1 - n : n;
    const ScanChunk& chunk = plan.chunks[static_cast<size_t>(c)];
    if (chunk.keys() > 0) find_seen(s, chunk);
    for (int64_t h = 0; h < width; ++h) {
      const ScanForward<T>& io = heads[static_cast<size_t>(h)];
      const bool alone = io.state_in.sum == nullptr && sees_own_keys_alone(plan, c);
      load_queries(s, io.query, chunk);
      if (chunk.keys() > 0) load_keys(s, io.key, io.value, chunk.key_begin, chunk.key_end);
      T* block = block_;
      if (io.kept != nullptr && plan.partial()) {
        if (!alone) turn(run.at(0, h), io.kept + c * kept_chunk(plan));
        block = io.kept + c * kept_chunk(plan) + state_size_;
      } else if (io.kept != nullptr && n == 0) {
        turn(run.at(0, h), io.kept);
      }
      T* state = both ? between.at(c, h) : run.at(0, h);
      write_context(s, chunk, alone ? nullptr : state, block, io);
      const bool read_again = n + 1 < count || io.state_out.sum != nullptr;
      if (!both && chunk.keys() > 0 && read_again) add_keys(state, chunk.keys());
    }
  }
  for (int64_t h = 0; h < width; ++h) {
    const ScanForward<T>& io = heads[static_cast<size_t>(h)];
    if (io.state_out.sum != nullptr) hand_out(run.at(0, h), io.state_out);
  }
  if (stream_) finish_streams();
}

template <typename T>
int64_t heads_together(const FeatureMap& map, int64_t value_size, int64_t heads, int64_t chunks) {
  constexpr int64_t kCache = 256 << 10, kMemory = 256 << 20;
  const int64_t bytes = static_cast<int64_t>(sizeof(T)) * tile::padded<T>(map.features()) *
                        (tile::padded<T>(value_size) + 1);
  return std::clamp<int64_t>(std::min(kCache / bytes, kMemory / (bytes * (chunks + 1))), 1, heads);
}

template int64_t heads_together<float>(const FeatureMap&, int64_t, int64_t, int64_t);
template int64_t heads_together<double>(const FeatureMap&, int64_t, int64_t, int64_t);

template class FeatureScan<float>;
template class FeatureScan<double>;

}  // namespace tenfold::nn
