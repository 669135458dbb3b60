// Attention by sums over keys on the CPU: one autograd node, threads over sequences and heads.
// Not here: the kernel (feature_scan.cpp), the definition (feature_reference.cpp), memory
// (recurrent_memory.cpp).
#include "nn/feature_attention.h"

#include <algorithm>

#include "nn/feature_scan.h"
#include "nn/recurrent_memory.h"
#include "support/fail.h"

namespace tenfold::nn {
namespace {

/// The plan as autograd keeps it between the passes.
struct FeaturePlanHolder : torch::CustomClassHolder {
  explicit FeaturePlanHolder(FeaturePlan p) : plan(std::move(p)) {}
  FeaturePlan plan;
};

/// Heads first .. first + count - 1 of one sequence, and how many rows on the next chunk begins.
struct HeadGroup {
  size_t sequence = 0;
  int64_t first = 0, count = 0, advance = 0;
};

/// Rows of the group's head h of a tensor [rows, H, E] whose last dimension is dense.
template <typename T, typename Rows>
HeadRows<T> head_rows(Rows* data, const Tensor& x_RHE, const HeadGroup& group, int64_t h) {
  const int64_t stride = x_RHE.stride(0), step = x_RHE.stride(1);
  return {.data = data + (group.first + h) * step,
          .stride = stride,
          .next = h + 1 < group.count ? step : group.advance * stride - (group.count - 1) * step};
}
template <typename T>
HeadRows<const T> head_of(const Tensor& x_RHE, const HeadGroup& group, int64_t h) {
  return head_rows<const T>(x_RHE.const_data_ptr<T>(), x_RHE, group, h);
}
template <typename T>
HeadRows<T> written_head(Tensor& x_RHE, const HeadGroup& group, int64_t h) {
  return head_rows<T>(x_RHE.mutable_data_ptr<T>(), x_RHE, group, h);
}

Tensor dense_rows(const Tensor& x_RHE) { return x_RHE.stride(2) == 1 ? x_RHE : x_RHE.contiguous(); }

ScanSettings settings_of(const FeaturePlan& plan, const Tensor& key_SHE, const Tensor& value_SHE) {
  constexpr int64_t kCached = 1 << 20;  // beyond it, rows are gone before they are read again
  return {.head = key_SHE.size(2),
          .value = value_SHE.size(2),
          .epsilon = plan.epsilon,
          .key_sum_offset = plan.key_sum_offset,
          .divide = plan.denominator == Denominator::query,
          .stream = static_cast<int64_t>(value_SHE.nbytes()) > kCached};
}

/// The chunks of every sequence.
std::vector<ScanPlan> scans_of(const FeaturePlan& plan) {
  std::vector<ScanPlan> scans;
  for (const AttentionSequence& s : plan.sequences)
    scans.push_back(scan_plan(s, FeatureScan<float>::chunk_rows(s.kind, plan.map->features())));
  return scans;
}

enum class Pass : uint8_t { forward, backward };

/// Rows from a chunk to the one that is worked on after it.
int64_t chunk_advance(const ScanPlan& scan, Pass pass) {
  const bool backwards = pass == Pass::forward ? scan.after && !scan.before : scan.before;
  return backwards ? -scan.rows : scan.rows;
}

/// Calls work(scan, sequence, its chunks, group) until all heads are done, on all threads.
template <typename T, typename Work>
void for_heads(const FeaturePlan& plan, const std::vector<ScanPlan>& scans, const Tensor& key_SHE,
               const Tensor& value_SHE, Pass pass, Work work) {
  std::vector<HeadGroup> groups;
  const int64_t heads = key_SHE.size(1);
  const auto count = static_cast<int64_t>(plan.sequences.size());
  const int64_t share = std::max<int64_t>(1, count * heads / at::get_num_threads());
  for (size_t b = 0; b < scans.size(); ++b) {
    const int64_t together =
        std::min(share, heads_together<T>(*plan.map, value_SHE.size(2), heads,
                                          static_cast<int64_t>(scans[b].chunks.size())));
    for (int64_t h = 0; h < heads; h += together)
      groups.push_back({b, h, std::min(together, heads - h), chunk_advance(scans[b], pass)});
  }
  at::parallel_for(0, static_cast<int64_t>(groups.size()), 1, [&](int64_t begin, int64_t end) {
    FeatureScan<T> scan(*plan.map, settings_of(plan, key_SHE, value_SHE));
    for (int64_t g = begin; g < end; ++g) {
      const HeadGroup& group = groups[static_cast<size_t>(g)];
      work(scan, plan.sequences[group.sequence], scans[group.sequence], group);
    }
  });
}

template <typename Call>
auto with_number(const Tensor& t, Call call) {
  return t.scalar_type() == at::kDouble ? call(double{}) : call(float{});
}

at::ScalarType inside(const Tensor& t) {
  return t.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
}

/// Whether the kernel writes every row of queries, and every row of keys.
bool covers_queries(const FeaturePlan& plan, int64_t rows) {
  for (const AttentionSequence& s : plan.sequences) rows -= s.queries;
  return rows == 0;
}
bool covers_keys(const std::vector<ScanPlan>& scans, int64_t rows) {
  for (const ScanPlan& scan : scans) {
    rows -= scan.base + scan.keys - scan.tail;
    for (const ScanChunk& chunk : scan.chunks) rows -= chunk.keys();
  }
  return rows == 0;
}

Tensor result_rows(at::IntArrayRef shape, const Tensor& like, bool covered) {
  return covered ? torch::empty(shape, like.options()) : torch::zeros(shape, like.options());
}

struct FeatureForward {
  Tensor context_THE, inverse_HT;
  Tensor kept;  ///< states of heads and chunks, by sequence
};

/// Where the kept numbers of each sequence begin, and how many there are in all; a head of sequence
/// b has (begin[b + 1] - begin[b]) / heads.
template <typename T>
std::vector<int64_t> kept_places(const FeaturePlan& plan, const std::vector<ScanPlan>& scans,
                                 const ScanSettings& settings, int64_t heads) {
  const FeatureScan<T> scan(*plan.map, settings);
  std::vector<int64_t> begin{0};
  for (const ScanPlan& chunks : scans)
    begin.push_back(begin.back() + heads * scan.kept_numbers(chunks));
  return begin;
}

/// The kept numbers of one head; null where none are kept.
template <typename T>
T* kept_of(const Tensor& kept, const std::vector<int64_t>& begin, const HeadGroup& group, int64_t h,
           int64_t heads) {
  if (kept.numel() == 0) return nullptr;
  const int64_t all = begin[group.sequence + 1] - begin[group.sequence];
  if (all == 0) return nullptr;
  return kept.data_ptr<T>() + begin[group.sequence] + (group.first + h) * (all / heads);
}

/// The kernel's forward run over all heads; `fill(io, group, h)` says what a head reads and writes
/// besides its keys and values.
template <typename T, typename Fill>
void run_forward(const FeaturePlan& plan, const std::vector<ScanPlan>& scans, const Tensor& key,
                 const Tensor& value, Fill fill) {
  for_heads<T>(plan, scans, key, value, Pass::forward,
               [&](FeatureScan<T>& scan, const AttentionSequence& s, const ScanPlan& p,
                   const HeadGroup& group) {
                 std::vector<ScanForward<T>> all(static_cast<size_t>(group.count));
                 for (int64_t h = 0; h < group.count; ++h) {
                   ScanForward<T>& io = all[static_cast<size_t>(h)];
                   io.key = head_of<T>(key, group, h);
                   io.value = head_of<T>(value, group, h);
                   fill(io, group, h);
                 }
                 scan.forward(s, p, all);
               });
}

FeatureForward forward_pass(const Tensor& query, const Tensor& key, const Tensor& value,
                            const FeaturePlan& plan, bool for_backward) {
  const int64_t heads = query.size(1), rows = query.size(0);
  const std::vector<ScanPlan> scans = scans_of(plan);
  FeatureForward out{result_rows({rows, heads, value.size(2)}, query, covers_queries(plan, rows)),
                     torch::zeros({heads, for_backward ? rows : 0}, query.options()),
                     torch::empty({0}, query.options())};
  with_number(query, [&](auto zero) {
    using T = decltype(zero);
    std::vector<int64_t> begin;
    if (for_backward) {
      begin = kept_places<T>(plan, scans, settings_of(plan, key, value), heads);
      out.kept = torch::empty({begin.back()}, query.options());
    }
    run_forward<T>(plan, scans, key, value,
                   [&](ScanForward<T>& io, const HeadGroup& group, int64_t h) {
                     io.query = head_of<T>(query, group, h);
                     io.out = written_head<T>(out.context_THE, group, h);
                     if (!for_backward) return;
                     io.inverse = out.inverse_HT.mutable_data_ptr<T>() + (group.first + h) * rows;
                     io.kept = kept_of<T>(out.kept, begin, group, h, heads);
                   });
  });
  return out;
}

struct FastFeatures : torch::autograd::Function<FastFeatures> {
  static Tensor forward(torch::autograd::AutogradContext* ctx, const Tensor& query,
                        const Tensor& key, const Tensor& value,
                        c10::intrusive_ptr<FeaturePlanHolder> holder) {
    RECORD_FUNCTION("tenfold::feature_attention", std::vector<c10::IValue>());
    FeatureForward out = forward_pass(query, key, value, holder->plan, true);
    ctx->save_for_backward({query, key, value, out.context_THE, out.inverse_HT, out.kept});
    ctx->saved_data["plan"] = c10::IValue::make_capsule(holder);
    return out.context_THE;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx,
                                                 torch::autograd::variable_list gradients) {
    RECORD_FUNCTION("tenfold::feature_attention_backward", std::vector<c10::IValue>());
    const auto saved = ctx->get_saved_variables();
    const Tensor &query = saved[0], &key = saved[1], &value = saved[2], &context = saved[3],
                 &inverse_HT = saved[4], &kept = saved[5];
    const auto capsule = ctx->saved_data["plan"].toCapsule();
    const FeaturePlan& plan = static_cast<const FeaturePlanHolder&>(*capsule).plan;
    const Tensor dout = dense_rows(gradients[0]);
    const std::vector<ScanPlan> scans = scans_of(plan);
    const bool all_keys = covers_keys(scans, key.size(0));
    Tensor dquery = result_rows(query.sizes(), query, covers_queries(plan, query.size(0))),
           dkey = result_rows(key.sizes(), key, all_keys),
           dvalue = result_rows(value.sizes(), value, all_keys);
    with_number(query, [&](auto zero) {
      using T = decltype(zero);
      const int64_t heads = query.size(1);
      const auto begin = kept_places<T>(plan, scans, settings_of(plan, key, value), heads);
      for_heads<T>(
          plan, scans, key, value, Pass::backward,
          [&](FeatureScan<T>& scan, const AttentionSequence& s, const ScanPlan& p,
              const HeadGroup& group) {
            std::vector<ScanBackward<T>> all(static_cast<size_t>(group.count));
            for (int64_t h = 0; h < group.count; ++h) {
              all[static_cast<size_t>(h)] = {
                  .query = head_of<T>(query, group, h),
                  .key = head_of<T>(key, group, h),
                  .value = head_of<T>(value, group, h),
                  .out = head_of<T>(context, group, h),
                  .dout = head_of<T>(dout, group, h),
                  .inverse = inverse_HT.const_data_ptr<T>() + (group.first + h) * query.size(0),
                  .dquery = written_head<T>(dquery, group, h),
                  .dkey = written_head<T>(dkey, group, h),
                  .dvalue = written_head<T>(dvalue, group, h),
                  .kept = kept_of<T>(kept, begin, group, h, heads)};
            }
            scan.backward(s, p, all);
          });
    });
    return {dquery, dkey, dvalue, {}};
  }
};

}  // namespace

Tensor feature_fast(const Tensor& query_THE, const Tensor& key_SHE, const Tensor& value_SHE,
                    const FeaturePlan& plan) {
  if (plan.denominator == Denominator::feature) {
    const DividedFeatures divided = divide_features(query_THE, key_SHE, {}, plan);
    return feature_fast(divided.query_THR, divided.key_SHR, value_SHE.to(torch::kDouble),
                        divided.plan)
        .to(query_THE.scalar_type());
  }
  const at::ScalarType type = inside(query_THE);
  const Tensor query = dense_rows(query_THE.to(type)), key = dense_rows(key_SHE.to(type)),
               value = dense_rows(value_SHE.to(type));
  const Tensor context =
      at::GradMode::is_enabled()
          ? FastFeatures::apply(query, key, value, c10::make_intrusive<FeaturePlanHolder>(plan))
          : forward_pass(query, key, value, plan, false).context_THE;
  return context.to(query_THE.scalar_type());
}

Tensor feature_attention(const Tensor& query_THE, const Tensor& key_SHE, const Tensor& value_SHE,
                         const FeaturePlan& plan) {
  return query_THE.device().is_cpu() ? feature_fast(query_THE, key_SHE, value_SHE, plan)
                                     : feature_chunked(query_THE, key_SHE, value_SHE, plan);
}

namespace {

/// The kernel's view of a state, of head h.
template <typename T>
ScanState<T> state_head(const RecurrentState& state, int64_t h) {
  if (!state.sum_HRE.defined()) return {};
  using Number = std::remove_const_t<T>;
  const int64_t features = state.sum_HRE.size(1);
  return {state.sum_HRE.data_ptr<Number>() + h * features * state.sum_HRE.size(2),
          state.normalizer_HR.data_ptr<Number>() + h * features,
          state.offset_H.data_ptr<Number>() + h};
}

}  // namespace

RecurrentState extend_state(const RecurrentState& state, const Tensor& key_NHE,
                            const Tensor& value_NHE, const Tensor& keep_N,
                            const FeaturePlan& plan) {
  if (plan.denominator == Denominator::feature) {
    FeaturePlan keys_only = plan;
    keys_only.sequences.clear();
    const DividedFeatures divided =
        divide_features(key_NHE.narrow(0, 0, 0), key_NHE, {}, keys_only);
    return extend_state(state, divided.key_SHR, value_NHE.to(torch::kDouble), keep_N, divided.plan);
  }
  const at::ScalarType type = inside(key_NHE);
  const Tensor key = dense_rows(key_NHE.to(type)), value = dense_rows(value_NHE.to(type));
  const int64_t heads = key.size(1), features = plan.map->features();
  RecurrentState next{torch::empty({heads, features, value.size(2)}, key.options()),
                      torch::empty({heads, features}, key.options()),
                      torch::empty({heads}, key.options())};
  FeaturePlan keys_only = plan;
  keys_only.sequences = {{.keys = key.size(0), .kept = {}}};
  leave_out_holes(keys_only.sequences[0], keep_N);
  with_number(key, [&](auto zero) {
    using T = decltype(zero);
    run_forward<T>(keys_only, scans_of(keys_only), key, value,
                   [&](ScanForward<T>& io, const HeadGroup& group, int64_t h) {
                     io.state_in = state_head<const T>(state, group.first + h);
                     io.state_out = state_head<T>(next, group.first + h);
                   });
  });
  return next;
}

Tensor feature_step(const Tensor& query_THE, const Tensor& key_SHE, const Tensor& value_SHE,
                    const std::vector<RecurrentState>& states, const FeaturePlan& plan) {
  if (plan.denominator == Denominator::feature) {
    const DividedFeatures divided = divide_features(query_THE, key_SHE, states, plan);
    return feature_step(divided.query_THR, divided.key_SHR, value_SHE.to(torch::kDouble), states,
                        divided.plan)
        .to(query_THE.scalar_type());
  }
  const at::ScalarType type = inside(query_THE);
  const Tensor query = dense_rows(query_THE.to(type)), key = dense_rows(key_SHE.to(type)),
               value = dense_rows(value_SHE.to(type));
  Tensor context = torch::zeros({query.size(0), query.size(1), value.size(2)}, query.options());
  with_number(query, [&](auto zero) {
    using T = decltype(zero);
    run_forward<T>(plan, scans_of(plan), key, value,
                   [&](ScanForward<T>& io, const HeadGroup& group, int64_t h) {
                     io.query = head_of<T>(query, group, h);
                     io.out = written_head<T>(context, group, h);
                     io.state_in = state_head<const T>(states[group.sequence], group.first + h);
                   });
  });
  return context.to(query_THE.scalar_type());
}

AttentionTraits FeatureAttention::feature_traits() {
  return {.kinds = {See::all, See::past, See::future, See::prefix, See::others},
          .incremental = true,
          .cross = true,
          .free_queries = true};
}

double FeatureAttention::feature_flops(const AttentionShape& shape, int64_t features,
                                       const AttentionLoad& load) {
  const auto chunk = static_cast<double>(FeatureScan<float>::chunk_rows(load.see, features));
  const auto size = static_cast<double>(shape.head_size), width = static_cast<double>(features);
  // Tokens of its own chunk that a token sees one by one.
  double near = 0;
  if (load.see != See::all) near = load.see == See::others ? chunk - 1 : (chunk + 1) / 2;
  return projection_flops(shape, load) + load.tokens * static_cast<double>(shape.heads) *
                                             (4 * width * size + 2 * near * (width + size));
}

std::unique_ptr<AttentionMemory> FeatureAttention::new_memory(int64_t count, int64_t) const {
  return std::make_unique<RecurrentMemory>(count);
}

AttentionOut FeatureAttention::mix(const Tensor& query_THE, const Tensor& key_SHE,
                                   const Tensor& value_SHE, const AttentionIn& in) const {
  FeaturePlan pass = plan();
  if (in.memory != nullptr) {
    auto* memory = dynamic_cast<RecurrentMemory*>(in.memory);
    require(memory != nullptr, ErrorKind::internal, "attention",
            "attention by features was given another kind's memory");
    return {memory->step(query_THE, key_SHE, value_SHE, in, std::move(pass)), nullptr};
  }
  pass.sequences = attention_sequences(in.context);
  return {feature_attention(query_THE, key_SHE, value_SHE, pass), nullptr};
}

}  // namespace tenfold::nn
