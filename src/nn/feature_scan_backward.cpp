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
  expect_rows(io.dout.data + first * io.dout.stride + io.dout.next, io.dout.stride, chunk.queries(),
              value_size_);
  expect_rows(io.out.data + first * io.out.stride + io.out.next, io.out.stride, chunk.queries(),
              value_size_);
  expect_rows(io.dquery.data + first * io.dquery.stride, io.dquery.stride, chunk.queries(),
              head_size_);
  load_rows(io.dout.data + first * io.dout.stride, io.dout.stride, all, chunk.queries(),
            value_size_, dout_, value_stride_);
  load_rows(io.out.data + first * io.out.stride, io.out.stride, all, chunk.queries(), value_size_,
            context_, value_stride_);
  split_output_gradient(dout_, context_, value_stride_, io.inverse + first, chunk.queries(),
                        value_stride_, shift_);
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

/// Gradient of the loaded queries, from the state they see and from the chunk's own keys, whose
/// weights stay in block_ and dblock_.
template <typename T>
void FeatureScan<T>::query_gradient(const AttentionSequence& s, const ScanChunk& chunk, T* state,
                                    const ScanBackward<T>& io) {
  const int64_t rows = chunk.queries();
  tile::transpose(sum_of(state), value_stride_, turned_state_, feature_stride_, feature_width_,
                  value_stride_);
  tile::product(tile::as_is(dout_, value_stride_), turned_state_, feature_stride_, dquery_feature_,
                feature_stride_, rows, feature_width_, value_size_, false);
  shift_and_scale_rows(dquery_feature_, feature_stride_, shift_, normalizer_of(state), alpha_, rows,
                       feature_width_);
  if (chunk.keys() > 0) {
    key_products(chunk, query_feature_, feature_stride_, key_feature_, feature_stride_, features_,
                 block_);
    weigh(chunk, nullptr, block_);
    key_products(chunk, dout_, value_stride_, value_, value_stride_, value_size_, dblock_);
    weigh(chunk, shift_, dblock_);
    for_strips(chunk, [&](int64_t i, int64_t count, int64_t lo, int64_t hi) {
      tile::product(tile::as_is(dblock_ + i * kChunk + lo, kChunk),
                    key_feature_ + lo * feature_stride_, feature_stride_,
                    dquery_feature_ + i * feature_stride_, feature_stride_, count, feature_width_,
                    hi - lo, true);
    });
  }
  tiles_.queries_backward(query_, head_stride_, rows, query_feature_, dquery_feature_,
                          feature_stride_, dx_);
  store_rows(dx_, head_stride_, static_cast<const int64_t*>(nullptr), rows, head_size_,
             io.dquery.data + (s.query_begin + chunk.query_begin) * io.dquery.stride,
             io.dquery.stride);
}

/// Gradients of the chunk's own keys from the chunk's own queries.
template <typename T>
void FeatureScan<T>::own_key_gradient(const ScanChunk& chunk) {
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
      return tile::transposed(block + first * kChunk + j, kChunk);
    };
    tile::product(weights(dblock_), query_feature_ + first * feature_stride_, feature_stride_,
                  dkey_feature_ + j * feature_stride_, feature_stride_, count, feature_width_, rows,
                  false);
    tile::product(weights(block_), dout_ + first * value_stride_, value_stride_,
                  dvalue_ + j * value_stride_, value_stride_, count, value_stride_, rows, false);
  }
}

/// Gradients of the loaded keys from the sums over queries that see all of them, added to what
/// their own chunk gave, and written.
template <typename T>
void FeatureScan<T>::finish_keys(const AttentionSequence& s, int64_t begin, int64_t end,
                                 T* queries_state, bool add, const ScanBackward<T>& io) {
  const int64_t rows = end - begin;
  const int64_t first = s.key_begin + (s.has_holes ? 0 : begin);
  expect_rows(io.dkey.data + first * io.dkey.stride, io.dkey.stride, rows, head_size_);
  expect_rows(io.dvalue.data + first * io.dvalue.stride, io.dvalue.stride, rows, value_size_);
  tile::transpose(sum_of(queries_state), value_stride_, turned_state_, feature_stride_,
                  feature_width_, value_stride_);
  const T *value = value_, *feature = key_feature_;
  if (offsets_) {
    std::copy_n(value_, rows * value_stride_, context_);
    std::copy_n(key_feature_, rows * feature_stride_, dquery_feature_);
    for (int64_t j = 0; j < rows; ++j) {
      row_factor_[j] = row_exp(offset_[j] + offset_of(queries_state));
      scale_numbers(context_ + j * value_stride_, row_factor_[j], value_stride_);
      scale_numbers(dquery_feature_ + j * feature_stride_, row_factor_[j], feature_width_);
    }
    value = context_;
    feature = dquery_feature_;
  }
  tile::product(tile::as_is(value, value_stride_), turned_state_, feature_stride_, dkey_feature_,
                feature_stride_, rows, feature_width_, value_size_, add);
  add_to_rows(dkey_feature_, feature_stride_, normalizer_of(queries_state),
              offsets_ ? row_factor_ : nullptr, rows, feature_width_);
  tile::product(tile::as_is(feature, feature_stride_), sum_of(queries_state), value_stride_,
                dvalue_, value_stride_, rows, value_stride_, features_, add);
  tiles_.keys_backward(key_, head_stride_, rows, key_feature_, dkey_feature_, feature_stride_, dx_);
  const int64_t* places = s.has_holes ? s.kept.data() + begin : nullptr;
  store_rows(dx_, head_stride_, places, rows, head_size_, io.dkey.data + first * io.dkey.stride,
             io.dkey.stride);
  store_rows(dvalue_, value_stride_, places, rows, value_size_,
             io.dvalue.data + first * io.dvalue.stride, io.dvalue.stride);
}

template <typename T>
void FeatureScan<T>::backward(const AttentionSequence& s, const ScanPlan& plan,
                              const std::vector<ScanBackward<T>>& heads) {
  const auto count = static_cast<int64_t>(plan.chunks.size()),
             width = static_cast<int64_t>(heads.size());
  const bool both = plan.before && plan.after;
  const bool kept = heads.front().kept != nullptr;
  Grid shared, between;
  if (!kept) {
    shared = first_states(width);
    add_shared_keys(s, plan, heads, shared);
    if (plan.partial()) between = states_between(s, plan, heads, shared);
  }
  const auto state_of = [&](int64_t c, int64_t h) {
    if (kept) return heads[static_cast<size_t>(h)].kept + (plan.partial() ? c : 0) * state_size_;
    return plan.partial() ? between.at(c, h) : shared.at(0, h);
  };
  const auto load = [&](int64_t c, int64_t h) {
    const ScanChunk& chunk = plan.chunks[static_cast<size_t>(c)];
    const ScanBackward<T>& io = heads[static_cast<size_t>(h)];
    load_queries(s, io.query, chunk);
    load_output_gradient(s, chunk, io);
    if (chunk.keys() > 0) load_keys(s, io.key, io.value, chunk.key_begin, chunk.key_end);
    find_ceilings(chunk, offset_of(state_of(c, h)));
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
      query_gradient(s, chunk, state_of(c, h), io);
      if (chunk.keys() > 0) {
        own_key_gradient(chunk);
        finish_keys(s, chunk.key_begin, chunk.key_end,
                    both ? queries_between.at(c, h) : all_queries.at(0, h), true, io);
      }
      if (!both) add_queries(all_queries.at(0, h), chunk);
    }
  }
  for_shared_tiles(plan, [&](int64_t begin, int64_t end) {
    for (int64_t h = 0; h < width; ++h) {
      const ScanBackward<T>& io = heads[static_cast<size_t>(h)];
      load_keys(s, io.key, io.value, begin, end);
      finish_keys(s, begin, end, all_queries.at(0, h), false, io);
    }
  });
}

template void FeatureScan<float>::backward(const AttentionSequence&, const ScanPlan&,
                                           const std::vector<ScanBackward<float>>&);
template void FeatureScan<double>::backward(const AttentionSequence&, const ScanPlan&,
                                            const std::vector<ScanBackward<double>>&);

}  // namespace tenfold::nn
