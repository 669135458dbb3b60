// Keys are taken a block at a time, for all heads while a block is in the cache; sums over
// stretches of keys are brought to one largest score and added up (Milakov and Gimelshein, arXiv
// 1805.02867). Not here: many queries (softmax_pieces.cpp).
#include "nn/softmax_step.h"

#include <algorithm>
#include <array>
#include <limits>

#include "nn/row_exp.h"
#include "nn/tile.h"
#include "nn/visible_range.h"
#include "tensor/vector_clones.h"

namespace tenfold::nn {
namespace {

constexpr int64_t kMostQueries = 4;
constexpr int64_t kBlock = 64;      ///< keys taken together
constexpr int64_t kStretch = 2048;  ///< keys of one thread's work: no choice of the threads'

template <typename T>
constexpr T kHidden = -std::numeric_limits<T>::infinity();

/// What one head of one query has seen: sum_j exp(s_j - top) and the like times the values.
template <typename T>
struct Seen {
  T* context;
  T top = kHidden<T>, sum = 0;
};

/// Rows of one head: row j begins at data + j * stride.
template <typename T>
struct Keys {
  tile::Rows<const T> key, value;
  int64_t key_size, value_size;
};

/// Takes `count` keys in but `skip` (below 0: none). bias: one a key, or null.
template <typename T>
TENFOLD_VECTOR_CLONES void take(Seen<T>& seen, const T* query, const Keys<T>& keys, int64_t count,
                                int64_t skip, T scale, const T* bias) {
  std::array<T, kBlock> score;
  for (int64_t j = 0; j < count; ++j)
    score[j] = scale * tile::dot(query, keys.key[j], keys.key_size);
  if (bias != nullptr) {
    for (int64_t j = 0; j < count; ++j) score[j] += bias[j];
  }
  if (skip >= 0 && skip < count) score[skip] = kHidden<T>;
  T top = seen.top;
#pragma omp simd reduction(max : top)
  for (int64_t j = 0; j < count; ++j) top = score[j] > top ? score[j] : top;
  if (top == kHidden<T>) return;
  if (top > seen.top) {
    const T factor = row_exp(seen.top - top);
    seen.sum *= factor;
    for (int64_t e = 0; e < keys.value_size; ++e) seen.context[e] *= factor;
    seen.top = top;
  }
  T sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t j = 0; j < count; ++j) {
    score[j] = row_exp(score[j] - top);
    sum += score[j];
  }
  seen.sum += sum;
  tile::product(tile::as_is<T>(score.data(), kBlock), keys.value.data, keys.value.stride,
                seen.context, keys.value_size, 1, keys.value_size, count, true);
}

/// into and from, brought to one largest score.
template <typename T>
void merge(Seen<T>& into, const Seen<T>& from, int64_t size) {
  if (from.top == kHidden<T>) return;
  const T top = std::max(into.top, from.top);
  const T own = row_exp(into.top - top), other = row_exp(from.top - top);
  for (int64_t e = 0; e < size; ++e)
    into.context[e] = own * into.context[e] + other * from.context[e];
  into.sum = own * into.sum + other * from.sum;
  into.top = top;
}

/// Keys begin .. end - 1 of one sequence.
struct Stretch {
  const AttentionSequence* sequence;
  int64_t begin, end;
};

template <typename T>
class Step {
 public:
  Step(const Tensor& query_THE, const Tensor& key_SHE, const Tensor& value_SHE,
       const SoftmaxPlan& plan)
      : query_(query_THE.contiguous()),
        key_(key_SHE),
        value_(value_SHE),
        plan_(plan),
        heads_(query_THE.size(1)),
        value_size_(value_SHE.size(2)) {
    if (plan.bias) bias_HR_ = plan.bias->by_offset_HR.to(query_.scalar_type()).contiguous();
    for (const AttentionSequence& s : plan.sequences) {
      most_queries_ = std::max(most_queries_, s.queries);
      for (int64_t j = 0; s.queries > 0 && j < std::max<int64_t>(s.keys, 1); j += kStretch)
        stretches_.push_back({&s, j, std::min(j + kStretch, s.keys)});
    }
  }

  Tensor contexts() {
    Tensor context_THE = torch::zeros({query_.size(0), heads_, value_size_}, query_.options());
    const int64_t wide = most_queries_ * heads_;
    Tensor sums = torch::zeros({std::ssize(stretches_), wide, value_size_}, query_.options());
    std::vector<Seen<T>> seen(stretches_.size() * static_cast<size_t>(wide));
    auto* numbers = sums.mutable_data_ptr<T>();
    for (size_t i = 0; i < seen.size(); ++i)
      seen[i].context = numbers + static_cast<int64_t>(i) * value_size_;
    at::parallel_for(0, std::ssize(stretches_), 1, [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i)
        take_stretch(stretches_[static_cast<size_t>(i)], seen.data() + i * wide);
    });
    auto* out = context_THE.mutable_data_ptr<T>();
    for (size_t i = 0; i < stretches_.size();) {
      const AttentionSequence& s = *stretches_[i].sequence;
      Seen<T>* all = seen.data() + static_cast<int64_t>(i) * wide;
      for (++i; i < stretches_.size() && stretches_[i].sequence == &s; ++i) {
        for (int64_t r = 0; r < s.queries * heads_; ++r)
          merge(all[r], seen[i * static_cast<size_t>(wide) + static_cast<size_t>(r)], value_size_);
      }
      for (int64_t r = 0; r < s.queries * heads_; ++r) {
        if (all[r].sum == 0) continue;
        T* row = out + (s.query_begin * heads_ + r) * value_size_;
        for (int64_t e = 0; e < value_size_; ++e) row[e] = all[r].context[e] / all[r].sum;
      }
    }
    return context_THE;
  }

 private:
  void take_stretch(const Stretch& stretch, Seen<T>* seen) const {
    const AttentionSequence& s = *stretch.sequence;
    std::array<T, kBlock> bias;
    for (int64_t j = stretch.begin; j < stretch.end; j += kBlock) {
      for (int64_t n = 0; n < s.queries; ++n) {
        const VisibleRange range = visible_range(s, n);
        const int64_t lo = std::max(j, range.lo),
                      hi = std::min({j + kBlock, stretch.end, range.hi});
        if (lo >= hi) continue;
        for (int64_t h = 0; h < heads_; ++h) {
          const Keys<T> keys{rows(key_, s.key_begin + lo, h), rows(value_, s.key_begin + lo, h),
                             query_.size(2), value_size_};
          if (n == 0) expect_share(s.key_begin, j + kBlock, stretch.end, h);
          if (bias_HR_.defined()) find_bias(s.past + n, h, lo, hi, bias.data());
          take<T>(seen[n * heads_ + h],
                  query_.const_data_ptr<T>() + ((s.query_begin + n) * heads_ + h) * query_.size(2),
                  keys, hi - lo, range.skip - lo, static_cast<T>(plan_.scale),
                  bias_HR_.defined() ? bias.data() : nullptr);
        }
      }
    }
  }

  /// Asks for one of as many shares of the next block as there are heads.
  void expect_share(int64_t first, int64_t begin, int64_t end, int64_t share) const {
    const int64_t keys = std::min(kBlock, end - begin);
    if (keys <= 0) return;
    const int64_t from = keys * share / heads_, to = keys * (share + 1) / heads_;
    for (const Tensor* x : {&key_, &value_}) {
      const auto all = rows(*x, first + begin + from, 0);
      tile::expect_rows(all.data, all.stride, to - from, heads_ * x->size(2));
    }
  }

  static tile::Rows<const T> rows(const Tensor& x_SHE, int64_t row, int64_t head) {
    return {x_SHE.const_data_ptr<T>() + row * x_SHE.stride(0) + head * x_SHE.stride(1),
            x_SHE.stride(0)};
  }

  void find_bias(int64_t place, int64_t head, int64_t lo, int64_t hi, T* bias) const {
    const int64_t reach = plan_.bias->reach;
    const T* row = bias_HR_.const_data_ptr<T>() + head * bias_HR_.size(1) + reach;
    for (int64_t j = lo; j < hi; ++j) bias[j - lo] = row[std::clamp(j - place, -reach, reach)];
  }

  Tensor query_, key_, value_, bias_HR_;
  const SoftmaxPlan& plan_;
  int64_t heads_, value_size_, most_queries_ = 0;
  std::vector<Stretch> stretches_;
};

/// Heads of whole vectors, those of a row in one piece.
bool whole_rows(const Tensor& x_SHE) {
  const int64_t lanes = 64 / x_SHE.element_size();
  return x_SHE.size(2) > 0 && x_SHE.size(2) % lanes == 0 && x_SHE.stride(2) == 1 &&
         x_SHE.stride(1) == x_SHE.size(2);
}

}  // namespace

bool softmax_step_serves(const Tensor& query_THE, const Tensor& key_SHE, const Tensor& value_SHE,
                         const Tensor& carry, const SoftmaxPlan& plan) {
  const at::ScalarType type = query_THE.scalar_type();
  return !at::GradMode::is_enabled() && (type == at::kFloat || type == at::kDouble) &&
         query_THE.device().is_cpu() && !carry.defined() && !plan.hand_on_scores &&
         plan.factor == 1.0 && plan.dropout == 0 && whole_rows(query_THE) && whole_rows(key_SHE) &&
         whole_rows(value_SHE) &&
         std::all_of(plan.sequences.begin(), plan.sequences.end(), [](const AttentionSequence& s) {
           return s.queries <= kMostQueries && !s.has_holes;
         });
}

Tensor softmax_step(const Tensor& query_THE, const Tensor& key_SHE, const Tensor& value_SHE,
                    const SoftmaxPlan& plan) {
  if (query_THE.scalar_type() == at::kFloat)
    return Step<float>(query_THE, key_SHE, value_SHE, plan).contexts();
  return Step<double>(query_THE, key_SHE, value_SHE, plan).contexts();
}

}  // namespace tenfold::nn
