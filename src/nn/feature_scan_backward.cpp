// The backward pass of attention by sums over keys. With G' the output's gradient over the
// denominator and c = -(G . out) over it, a query gets S G' + c z, and a key the like sums over the
// queries that see it, T = sum_i f(q_i) G'_i^T and w = sum_i c_i f(q_i): T v + w, its value T^T g.
// Not here: the forward pass (feature_scan.cpp).
#include <algorithm>
#include <limits>

#include "nn/feature_scan.h"
#include "nn/feature_scan_rows.h"

namespace tenfold::nn {

template <typename T>
void FeatureScan<T>::load_output_gradient(const AttentionSequence& s, const ScanChunk& chunk,
                                          const ScanBackward<T>& io) {
  const int64_t first = s.query_begin + chunk.query_begin;
  const int64_t* all = nullptr;
  tile::expect_rows(io.dout.data + first * io.dout.stride + io.dout.next, io.dout.stride,
                    chunk.queries(), value_size_);
  tile::expect_rows(io.out.data + first * io.out.stride + io.out.next, io.out.stride,
                    chunk.queries(), value_size_);
  if (!stream_)
    tile::expect_rows(io.dquery.data + first * io.dquery.stride, io.dquery.stride, chunk.queries(),
                      head_size_);
  tile::Rows<const T> dout{io.dout.data + first * io.dout.stride, io.dout.stride},
      out{io.out.data + first * io.out.stride, io.out.stride};
  if (value_size_ < value_stride_) {
    load_rows(dout.data, dout.stride, all, chunk.queries(), value_size_, dout_, value_stride_);
    load_rows(out.data, out.stride, all, chunk.queries(), value_size_, context_, value_stride_);
    dout = {dout_, value_stride_};
    out = {context_, value_stride_};
  }
  split_output_gradient<T>(dout, out, io.inverse + first, chunk.queries(), value_stride_,
                           {dout_, value_stride_}, shift_);
  if (!divide_) std::fill_n(shift_, chunk.queries(), T(0));
}

/// Takes the loaded queries into the sums over queries; their features are used up.
template <typename T>
void FeatureScan<T>::add_queries(T* state, const ScanChunk& chunk) {
  constexpr T kNone = -std::numeric_limits<T>::infinity();
  for (int64_t i = 0; i < chunk.queries(); ++i)
    row_factor_[i] = ceiling_[i] == kNone ? kNone : -ceiling_[i];
  accumulate(state, query_feature_, dout_, row_factor_, shift_, chunk.queries());
}

/// Weights of the chunk's own keys, unless they were kept, and their gradients (dblock_).
template <typename T>
void FeatureScan<T>::weights_of_own_keys(const ScanChunk& chunk, const T* kept_block) {
  weights_ = kept_block;
  if (kept_block == nullptr) {
    key_products(chunk, query_feature_, feature_stride_, key_feature_, feature_stride_, features_,
                 block_);
    weigh(chunk, nullptr, block_);
    weights_ = block_;
  }
  key_products(chunk, dout_, value_stride_, value_, value_stride_, value_size_, dblock_);
  weigh(chunk, shift_, dblock_);
}

/// Gradient of the loaded queries, from the turned state they see and from the chunk's own keys.
template <typename T>
void FeatureScan<T>::query_gradient(const AttentionSequence& s, const ScanChunk& chunk,
                                    const T* turned, const ScanBackward<T>& io) {
  const int64_t rows = chunk.queries();
  if (turned == nullptr) {
    std::fill_n(dquery_feature_, rows * feature_stride_, T(0));
  } else {
    tile::product(tile::as_is<T>(dout_, value_stride_), turned, feature_stride_, dquery_feature_,
                  feature_stride_, rows, feature_width_, value_size_, false);
    shift_and_scale_rows(dquery_feature_, feature_stride_, shift_, normalizer_of(turned), alpha_,
                         rows, feature_width_);
  }
  if (chunk.keys() > 0) {
    for_strips(chunk, [&](int64_t i, int64_t count, int64_t lo, int64_t hi) {
      tile::product(tile::as_is<T>(dblock_ + i * near_ + lo, near_),
                    key_feature_ + lo * feature_stride_, feature_stride_,
                    dquery_feature_ + i * feature_stride_, feature_stride_, count, feature_width_,
                    hi - lo, true);
    });
  }
  tiles_.queries_backward(query_rows_, rows, features(query_feature_), features(dquery_feature_),
                          {dx_, head_stride_});
  store(dx_, head_stride_, nullptr, rows, head_size_, io.dquery, s.query_begin + chunk.query_begin);
}

/// Gradients of the loaded keys and their values from the sums over queries that see all of them.
template <typename T>
void FeatureScan<T>::key_gradient(int64_t rows, const T* queries_state, const T* turned) {
  tile::product(tile::as_is<T>(value_, value_stride_), turned, feature_stride_, dkey_feature_,
                feature_stride_, rows, feature_width_, value_size_, false);
  add_to_rows(dkey_feature_, feature_stride_, normalizer_of(turned), rows, feature_width_);
  tile::product(tile::as_is<T>(key_feature_, feature_stride_), queries_state, value_stride_,
                dvalue_, value_stride_, rows, value_stride_, features_, false);
  if (!offsets_) return;
  for (int64_t j = 0; j < rows; ++j) {
    const T factor = row_exp(offset_[j] + offset_of(turned));
    scale_numbers(dkey_feature_ + j * feature_stride_, factor, feature_width_);
    scale_numbers(dvalue_ + j * value_stride_, factor, value_stride_);
  }
}

/// What the chunk's own queries add to the gradients of its keys.
template <typename T>
void FeatureScan<T>::add_own_key_gradient(const ScanChunk& chunk) {
  for (int64_t j = 0; j < chunk.keys(); j += kStrip) {
    const int64_t count = std::min(kStrip, chunk.keys() - j);
    int64_t first = chunk.queries(), last = 0;
    for (int64_t i = 0; i < chunk.queries(); ++i) {
      if (seen_[static_cast<size_t>(i)].lo >= j + count || seen_[static_cast<size_t>(i)].hi <= j)
        continue;
      first = std::min(first, i);
      last = i + 1;
    }
    const int64_t rows = std::max<int64_t>(last - first, 0);
    const auto weights = [&](const T* block) {
      return tile::transposed<T>(block + first * near_ + j, near_);
    };
    tile::product(weights(dblock_), query_feature_ + first * feature_stride_, feature_stride_,
                  dkey_feature_ + j * feature_stride_, feature_stride_, count, feature_width_, rows,
                  true);
    tile::product(weights(weights_), dout_ + first * value_stride_, value_stride_,
                  dvalue_ + j * value_stride_, value_stride_, count, value_stride_, rows, true);
  }
}

/// Asks for the rows that write_key_gradient() writes.
template <typename T>
void FeatureScan<T>::expect_key_gradient(const AttentionSequence& s, int64_t begin, int64_t end,
                                         const ScanBackward<T>& io) const {
  if (stream_) return;
  const int64_t rows = end - begin, first = s.key_begin + (s.has_holes ? 0 : begin);
  tile::expect_rows(io.dkey.data + first * io.dkey.stride, io.dkey.stride, rows, head_size_);
  tile::expect_rows(io.dvalue.data + first * io.dvalue.stride, io.dvalue.stride, rows, value_size_);
}

template <typename T>
void FeatureScan<T>::write_key_gradient(const AttentionSequence& s, int64_t begin, int64_t end,
                                        const ScanBackward<T>& io) {
  const int64_t rows = end - begin, first = s.key_begin + (s.has_holes ? 0 : begin);
  const int64_t* places = s.has_holes ? s.kept.data() + begin : nullptr;
  tiles_.keys_backward(key_rows_, rows, features(key_feature_), features(dkey_feature_),
                       {dx_, head_stride_});
  store(dx_, head_stride_, places, rows, head_size_, io.dkey, first);
  store(dvalue_, value_stride_, places, rows, value_size_, io.dvalue, first);
}

template <typename T>
void FeatureScan<T>::backward(const AttentionSequence& s, const ScanPlan& plan,
                              const std::vector<ScanBackward<T>>& heads) {
  near_ = plan.rows;
  const auto count = static_cast<int64_t>(plan.chunks.size()),
             width = static_cast<int64_t>(heads.size());
  const bool both = plan.before && plan.after;
  const bool kept = heads.front().kept != nullptr;
  Grid shared, between;
  if (!kept) {
    shared = first_states(width);
    add_shared_keys(s, plan, heads, shared);
    if (plan.partial()) between = states_between(s, plan, heads, shared);
    turn_all(plan.partial() ? between : shared);
  }
  const auto state_of = [&](int64_t c, int64_t h) {
    if (kept)
      return heads[static_cast<size_t>(h)].kept + (plan.partial() ? c * kept_chunk(plan) : 0);
    return static_cast<const T*>(plan.partial() ? between.at(c, h) : shared.at(0, h));
  };
  const auto load = [&](int64_t c, int64_t h) {
    const ScanChunk& chunk = plan.chunks[static_cast<size_t>(c)];
    const ScanBackward<T>& io = heads[static_cast<size_t>(h)];
    load_queries(s, io.query, chunk);
    load_output_gradient(s, chunk, io);
    if (chunk.keys() > 0) load_keys(s, io.key, io.value, chunk.key_begin, chunk.key_end);
    find_ceilings(chunk, sees_own_keys_alone(plan, c) ? nullptr : state_of(c, h));
  };
  // Sums over queries: of all, and for each chunk those of the chunks that see its keys.
  Grid all_queries = states(1, width), queries_between;
  if (both) {
    queries_between = states(count, width);
    for (int64_t c = 0; c < count; ++c) {
      const ScanChunk& chunk = plan.chunks[static_cast<size_t>(c)];
      if (chunk.keys() > 0) find_seen(s, chunk);
      for (int64_t h = 0; h < width; ++h) {
        load(c, h);
        add_queries(queries_between.at(c, h), chunk);
        merge(all_queries.at(0, h), queries_between.at(c, h));
      }
    }
    Grid none = states(1, width);
    spread(queries_between, plan, none);
  }
  for (int64_t n = 0; n < count; ++n) {
    const int64_t c = plan.before ? count - 1 - n : n;
    const ScanChunk& chunk = plan.chunks[static_cast<size_t>(c)];
    if (chunk.keys() > 0) find_seen(s, chunk);
    for (int64_t h = 0; h < width; ++h) {
      const ScanBackward<T>& io = heads[static_cast<size_t>(h)];
      load(c, h);
      const T* state = state_of(c, h);
      if (chunk.keys() > 0) weights_of_own_keys(chunk, kept ? state + state_size_ : nullptr);
      query_gradient(s, chunk, sees_own_keys_alone(plan, c) ? nullptr : state, io);
      if (chunk.keys() > 0) {
        expect_key_gradient(s, chunk.key_begin, chunk.key_end, io);
        const T* queries_state = both ? queries_between.at(c, h) : all_queries.at(0, h);
        if (n == 0 && !both) {  // no queries but the chunk's own see its keys
          std::fill_n(dkey_feature_, chunk.keys() * feature_stride_, T(0));
          std::fill_n(dvalue_, chunk.keys() * value_stride_, T(0));
        } else {
          turn(queries_state, turned_state_);
          key_gradient(chunk.keys(), queries_state, turned_state_);
        }
        add_own_key_gradient(chunk);
        write_key_gradient(s, chunk.key_begin, chunk.key_end, io);
      }
      if (!both && (n + 1 < count || plan.shared())) add_queries(all_queries.at(0, h), chunk);
    }
  }
  Grid turned;
  if (plan.shared()) {
    turned = all_queries;
    turn_all(turned);
  }
  for_shared_tiles(plan, [&](int64_t begin, int64_t end) {
    for (int64_t h = 0; h < width; ++h) {
      const ScanBackward<T>& io = heads[static_cast<size_t>(h)];
      load_keys(s, io.key, io.value, begin, end);
      expect_key_gradient(s, begin, end, io);
      key_gradient(end - begin, all_queries.at(0, h), turned.at(0, h));
      write_key_gradient(s, begin, end, io);
    }
  });
  if (stream_) finish_streams();
}

template void FeatureScan<float>::backward(const AttentionSequence&, const ScanPlan&,
                                           const std::vector<ScanBackward<float>>&);
template void FeatureScan<double>::backward(const AttentionSequence&, const ScanPlan&,
                                            const std::vector<ScanBackward<double>>&);

}  // namespace tenfold::nn
