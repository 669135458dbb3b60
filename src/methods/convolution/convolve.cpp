// The convolution as one autograd node with two ways to compute it: loops over rows on the CPU,
// operators tap by tap elsewhere. Neither unfolds the rows into k copies. Not here: the softmax of
// the kernels.
#include "methods/convolution/convolve.h"

#include <array>
#include <cstring>

#include "support/fail.h"
#include "tensor/vector_clones.h"

namespace tenfold::convolution {
namespace {

/// The rows a query reads: at most k, each with its tap.
struct ReadRows {
  std::array<int64_t, kMostTaps> row, tap;
  int64_t count = 0;
};

ReadRows read_rows(const Taps& taps, const bool* keep) {
  ReadRows read;
  for (int64_t j = taps.first; j < taps.last; ++j) {
    const int64_t row = taps.row0 + taps.step * j;
    if (j == taps.skip || (keep != nullptr && !keep[row])) continue;
    read.row[static_cast<size_t>(read.count)] = row;
    read.tap[static_cast<size_t>(read.count++)] = j;
  }
  return read;
}

/// y = sum of weight[tap] x over the rows read; rows stand `stride` apart. Sums stay in registers:
/// four vectors of 64 bytes at a time.
template <typename scalar_t>
TENFOLD_VECTOR_CLONES void mix_rows(scalar_t* y, const scalar_t* x, int64_t stride,
                                    const ReadRows& read, const scalar_t* weight, int64_t size) {
  typedef scalar_t Lanes __attribute__((vector_size(64)));
  constexpr int64_t kLanes = sizeof(Lanes) / sizeof(scalar_t), kBlock = 4 * kLanes;
  int64_t begin = 0;
  for (; begin + kBlock <= size; begin += kBlock) {
    Lanes sum0{}, sum1{}, sum2{}, sum3{};
    for (int64_t r = 0; r < read.count; ++r) {
      const scalar_t w = weight[read.tap.data()[r]];
      const scalar_t* row = x + read.row.data()[r] * stride + begin;
      Lanes x0, x1, x2, x3;
      std::memcpy(&x0, row, sizeof x0);
      std::memcpy(&x1, row + kLanes, sizeof x1);
      std::memcpy(&x2, row + 2 * kLanes, sizeof x2);
      std::memcpy(&x3, row + 3 * kLanes, sizeof x3);
      sum0 += w * x0;
      sum1 += w * x1;
      sum2 += w * x2;
      sum3 += w * x3;
    }
    std::memcpy(y + begin, &sum0, sizeof sum0);
    std::memcpy(y + begin + kLanes, &sum1, sizeof sum1);
    std::memcpy(y + begin + 2 * kLanes, &sum2, sizeof sum2);
    std::memcpy(y + begin + 3 * kLanes, &sum3, sizeof sum3);
  }
  for (; begin < size; ++begin) {
    scalar_t sum = 0;
    for (int64_t r = 0; r < read.count; ++r)
      sum += weight[read.tap.data()[r]] * x[read.row.data()[r] * stride + begin];
    y[begin] = sum;
  }
}

/// dx += weight[tap] dy and dweight[tap] += x dy for the rows read.
template <typename scalar_t>
TENFOLD_VECTOR_CLONES void mix_rows_backward(scalar_t* dx, const scalar_t* x, int64_t stride,
                                             const ReadRows& read, const scalar_t* weight,
                                             scalar_t* dweight, const scalar_t* dy, int64_t size) {
  for (int64_t r = 0; r < read.count; ++r) {
    const scalar_t w = weight[read.tap.data()[r]];
    const scalar_t* row = x + read.row.data()[r] * stride;
    scalar_t* to = dx + read.row.data()[r] * stride;
    scalar_t sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t e = 0; e < size; ++e) {
      to[e] += w * dy[e];
      sum += row[e] * dy[e];
    }
    dweight[read.tap.data()[r]] += sum;
  }
}

/// Sizes and strides of one call.
struct Extent {
  int64_t heads, size, taps;
  const bool* keep;
  explicit Extent(const Tensor& x_SHE, const ConvolutionPlan& plan)
      : heads(x_SHE.size(1)),
        size(x_SHE.size(2)),
        taps(plan.kernel_size),
        keep(plan.keep_S.defined() ? plan.keep_S.const_data_ptr<bool>() : nullptr) {}
  int64_t channel(int64_t row, int64_t head) const { return (row * heads + head) * size; }
};

/// Calls work(sequence, its number, head): no two of them write the same rows.
template <typename Work>
void for_sequence_heads(const ConvolutionPlan& plan, int64_t heads, Work work) {
  const auto count = static_cast<int64_t>(plan.sequences.size());
  const int64_t grain = 1 + 256 * count / (plan.queries + 1);
  at::parallel_for(0, count * heads, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      work(plan.sequences[static_cast<size_t>(i / heads)], i / heads, i % heads);
  });
}

int64_t kernel_row(const ConvolutionPlan& plan, const ConvolvedSequence& s, int64_t query) {
  return plan.kernel_of == KernelOf::query ? s.query_begin + query
                                           : static_cast<int64_t>(tap_set(s, query));
}

template <typename scalar_t>
Tensor loop_forward(const Tensor& x_SHE, const Tensor& weight_WHK, const ConvolutionPlan& plan) {
  const Extent extent(x_SHE, plan);
  Tensor y_THE = torch::zeros({plan.queries, extent.heads, extent.size}, x_SHE.options());
  const auto* x = x_SHE.const_data_ptr<scalar_t>();
  const auto* weights = weight_WHK.const_data_ptr<scalar_t>();
  auto* y = y_THE.mutable_data_ptr<scalar_t>();
  for_sequence_heads(plan, extent.heads, [&](const ConvolvedSequence& s, int64_t, int64_t h) {
    for (int64_t i = 0; i < s.queries; ++i) {
      const int64_t kernel = (kernel_row(plan, s, i) * extent.heads + h) * extent.taps;
      mix_rows(y + extent.channel(s.query_begin + i, h), x + extent.channel(0, h),
               extent.channel(1, 0), read_rows(taps_of(s, i, extent.taps), extent.keep),
               weights + kernel, extent.size);
    }
  });
  return y_THE;
}

struct Gradients {
  Tensor dx_SHE, dweight_WHK;
};

template <typename scalar_t>
Gradients loop_backward(const Tensor& x_SHE, const Tensor& weight_WHK, const Tensor& dy_THE,
                        const ConvolutionPlan& plan) {
  const Extent extent(x_SHE, plan);
  // Kernels that queries share get a gradient from each sequence, added up afterwards in order.
  const bool shared = plan.kernel_of == KernelOf::tap_set;
  const auto copies = shared ? static_cast<int64_t>(plan.sequences.size()) : 1;
  Gradients out{
      torch::zeros(x_SHE.sizes(), x_SHE.options()),
      torch::zeros({copies, weight_WHK.size(0), extent.heads, extent.taps}, weight_WHK.options())};
  const auto* x = x_SHE.const_data_ptr<scalar_t>();
  const auto* weights = weight_WHK.const_data_ptr<scalar_t>();
  const auto* dy = dy_THE.const_data_ptr<scalar_t>();
  auto* dx = out.dx_SHE.mutable_data_ptr<scalar_t>();
  auto* dweights = out.dweight_WHK.mutable_data_ptr<scalar_t>();
  for_sequence_heads(plan, extent.heads, [&](const ConvolvedSequence& s, int64_t b, int64_t h) {
    auto* own = dweights + (shared ? b * weight_WHK.numel() : 0);
    for (int64_t i = 0; i < s.queries; ++i) {
      const int64_t kernel = (kernel_row(plan, s, i) * extent.heads + h) * extent.taps;
      mix_rows_backward(dx + extent.channel(0, h), x + extent.channel(0, h), extent.channel(1, 0),
                        read_rows(taps_of(s, i, extent.taps), extent.keep), weights + kernel,
                        own + kernel, dy + extent.channel(s.query_begin + i, h), extent.size);
    }
  });
  out.dweight_WHK = out.dweight_WHK.sum(0);
  return out;
}

/// Row and visibility of every query's tap, and the kernel it uses, on the device of the rows.
struct TapTables {
  Tensor row_KT, read_KT, kernel_T;
};

TapTables tap_tables(const ConvolutionPlan& plan, torch::Device device) {
  const int64_t taps = plan.kernel_size;
  const bool* keep = plan.keep_S.defined() ? plan.keep_S.const_data_ptr<bool>() : nullptr;
  TapTables out{torch::zeros({taps, plan.queries}, torch::kInt64),
                torch::zeros({taps, plan.queries}, torch::kBool),
                torch::zeros({plan.queries}, torch::kInt64)};
  auto* rows = out.row_KT.mutable_data_ptr<int64_t>();
  auto* seen = out.read_KT.mutable_data_ptr<bool>();
  auto* kernels = out.kernel_T.mutable_data_ptr<int64_t>();
  for (const ConvolvedSequence& s : plan.sequences) {
    for (int64_t i = 0; i < s.queries; ++i) {
      const int64_t query = s.query_begin + i;
      kernels[query] = kernel_row(plan, s, i);
      const ReadRows read = read_rows(taps_of(s, i, taps), keep);
      for (size_t r = 0; r < static_cast<size_t>(read.count); ++r) {
        rows[read.tap[r] * plan.queries + query] = read.row[r];
        seen[read.tap[r] * plan.queries + query] = true;
      }
    }
  }
  return {out.row_KT.to(device), out.read_KT.to(device), out.kernel_T.to(device)};
}

/// One tap of every query: rows [T, H, E] (0 where it reads none) and weights [T, H, 1].
struct OneTap {
  Tensor row_T, read_T11, x_THE, weight_TH1;
};

OneTap one_tap(const TapTables& tables, const Tensor& x_SHE, const Tensor& weight_WHK, int64_t j) {
  OneTap tap{tables.row_KT[j], tables.read_KT[j].view({-1, 1, 1}), {}, {}};
  tap.x_THE = x_SHE.index_select(0, tap.row_T).masked_fill(tap.read_T11.logical_not(), 0);
  tap.weight_TH1 = weight_WHK.select(2, j).index_select(0, tables.kernel_T).unsqueeze(2);
  return tap;
}

Tensor operator_forward(const Tensor& x_SHE, const Tensor& weight_WHK,
                        const ConvolutionPlan& plan) {
  Tensor y_THE = torch::zeros({plan.queries, x_SHE.size(1), x_SHE.size(2)}, x_SHE.options());
  if (x_SHE.size(0) == 0) return y_THE;
  const TapTables tables = tap_tables(plan, x_SHE.device());
  for (int64_t j = 0; j < plan.kernel_size; ++j) {
    const OneTap tap = one_tap(tables, x_SHE, weight_WHK, j);
    y_THE.addcmul_(tap.x_THE, tap.weight_TH1);
  }
  return y_THE;
}

Gradients operator_backward(const Tensor& x_SHE, const Tensor& weight_WHK, const Tensor& dy_THE,
                            const ConvolutionPlan& plan) {
  Gradients out{torch::zeros(x_SHE.sizes(), x_SHE.options()), torch::zeros_like(weight_WHK)};
  if (x_SHE.size(0) == 0) return out;
  const TapTables tables = tap_tables(plan, x_SHE.device());
  for (int64_t j = 0; j < plan.kernel_size; ++j) {
    const OneTap tap = one_tap(tables, x_SHE, weight_WHK, j);
    out.dx_SHE.index_add_(0, tap.row_T,
                          (dy_THE * tap.weight_TH1).masked_fill_(tap.read_T11.logical_not(), 0));
    out.dweight_WHK.select(2, j).index_add_(0, tables.kernel_T, (dy_THE * tap.x_THE).sum(2));
  }
  return out;
}

enum class Way : int64_t { loops, operators };

Tensor forward_by(Way way, const Tensor& x_SHE, const Tensor& weight_WHK,
                  const ConvolutionPlan& plan) {
  if (way == Way::operators) return operator_forward(x_SHE, weight_WHK, plan);
  return x_SHE.scalar_type() == at::kFloat ? loop_forward<float>(x_SHE, weight_WHK, plan)
                                           : loop_forward<double>(x_SHE, weight_WHK, plan);
}

Gradients backward_by(Way way, const Tensor& x_SHE, const Tensor& weight_WHK, const Tensor& dy_THE,
                      const ConvolutionPlan& plan) {
  if (way == Way::operators) return operator_backward(x_SHE, weight_WHK, dy_THE, plan);
  return x_SHE.scalar_type() == at::kFloat ? loop_backward<float>(x_SHE, weight_WHK, dy_THE, plan)
                                           : loop_backward<double>(x_SHE, weight_WHK, dy_THE, plan);
}

struct PlanHolder : torch::CustomClassHolder {
  explicit PlanHolder(ConvolutionPlan p) : plan(std::move(p)) {}
  ConvolutionPlan plan;
};

struct Convolve : torch::autograd::Function<Convolve> {
  static Tensor forward(torch::autograd::AutogradContext* ctx, const Tensor& x_SHE,
                        const Tensor& weight_WHK, c10::intrusive_ptr<PlanHolder> holder,
                        int64_t way) {
    RECORD_FUNCTION("tenfold::convolution", std::vector<c10::IValue>());
    ctx->save_for_backward({x_SHE, weight_WHK});
    ctx->saved_data["plan"] = c10::IValue::make_capsule(holder);
    ctx->saved_data["way"] = way;
    return forward_by(static_cast<Way>(way), x_SHE, weight_WHK, holder->plan);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = ctx->get_saved_variables();
    const auto capsule = ctx->saved_data["plan"].toCapsule();
    const Gradients out =
        backward_by(static_cast<Way>(ctx->saved_data["way"].toInt()), saved[0], saved[1],
                    gradients[0].contiguous(), static_cast<const PlanHolder&>(*capsule).plan);
    return {out.dx_SHE, out.dweight_WHK, {}, {}};
  }
};

Tensor convolved(Way way, const Tensor& x_SHE, const Tensor& weight_WHK,
                 const ConvolutionPlan& plan) {
  require(plan.kernel_size <= kMostTaps && weight_WHK.size(2) == plan.kernel_size,
          ErrorKind::internal, "convolution", "expected kernels of {} taps, got {}",
          plan.kernel_size, weight_WHK.size(2));
  const Tensor x = x_SHE.contiguous(), weight = weight_WHK.contiguous();
  if (!at::GradMode::is_enabled()) return forward_by(way, x, weight, plan);
  return Convolve::apply(x, weight, c10::make_intrusive<PlanHolder>(plan),
                         static_cast<int64_t>(way));
}

}  // namespace

Tensor ConvolutionPlan::tap_sets() const {
  Tensor set_T = torch::zeros({queries}, torch::kInt64);
  auto* sets = set_T.mutable_data_ptr<int64_t>();
  for (const ConvolvedSequence& s : sequences) {
    for (int64_t i = 0; i < s.queries; ++i)
      sets[s.query_begin + i] = static_cast<int64_t>(tap_set(s, i));
  }
  return set_T;
}

Tensor convolve(const Tensor& x_SHE, const Tensor& weight_WHK, const ConvolutionPlan& plan) {
  return convolved(x_SHE.device().is_cpu() ? Way::loops : Way::operators, x_SHE, weight_WHK, plan);
}

Tensor convolve_by_operators(const Tensor& x_SHE, const Tensor& weight_WHK,
                             const ConvolutionPlan& plan) {
  return convolved(Way::operators, x_SHE, weight_WHK, plan);
}

}  // namespace tenfold::convolution
