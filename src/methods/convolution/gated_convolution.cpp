// Projecting, planning a pass, and the kernels' softmax and dropout.
// Not here: the convolution itself (convolve.cpp).
#include "methods/convolution/gated_convolution.h"

#include <limits>

#include "methods/convolution/row_memory.h"
#include "support/fail.h"
#include "support/rng.h"
#include "tensor/init.h"
#include "tensor/pass.h"

namespace tenfold::convolution {
namespace {

constexpr const char* kWhere = "attention";

/// The type inside: fp32, or fp64 where the rows are.
at::ScalarType inside_of(const Tensor& x) {
  return x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
}

/// Softmax over the taps that have a weight: logits [W, H, K], hidden bool that broadcasts to them.
Tensor normalised(const Tensor& logit_WHK, const Tensor& hidden) {
  constexpr double kNever = -std::numeric_limits<double>::infinity();
  return at::softmax(logit_WHK.masked_fill(hidden, kNever), -1);
}

/// DropConnect: weights of row (w, h) dropped by the key of w combined with h, column = tap.
Tensor dropped(const Tensor& weight_WHK, const Tensor& key_W, const nn::AttentionIn& in, double p) {
  const int64_t heads = weight_WHK.size(1);
  const Tensor key_WH =
      combined_keys(key_W.unsqueeze(1), torch::arange(heads, key_W.options()).unsqueeze(0));
  return dropout_rows(weight_WHK.flatten(0, 1), key_WH.flatten(), in.site, p)
      .view(weight_WHK.sizes());
}

}  // namespace

GatedConvolution::GatedConvolution(const nn::AttentionShape& shape,
                                   const ConvolutionOptions& options, uint64_t seed,
                                   torch::TensorOptions tensor_options)
    : shape_(shape), options_(options) {
  const nn::LinearSpec spec{.in = shape.width,
                            .out = 2 * shape.heads * shape.head_size,
                            .bias = shape.projection_bias,
                            .initializer_range = shape.initializer_range};
  input_ = register_module(
      "input",
      std::make_shared<nn::Linear>(spec, combine_keys(seed, key_of_name("input")), tensor_options));
}

nn::AttentionTraits GatedConvolution::traits_of(const ConvolutionOptions&) {
  return {.kinds = {See::all, See::past, See::future, See::prefix, See::others},
          .incremental = true};
}

double GatedConvolution::flops_of(const nn::AttentionShape& shape,
                                  const ConvolutionOptions& options,
                                  const nn::AttentionLoad& load) {
  const int64_t channels = shape.heads * shape.head_size;
  return load.tokens *
         static_cast<double>(4 * shape.width * channels + 2 * channels * options.kernel_size);
}

double DynamicConvolution::flops_of(const nn::AttentionShape& shape,
                                    const ConvolutionOptions& options,
                                    const nn::AttentionLoad& load) {
  return GatedConvolution::flops_of(shape, options, load) +
         load.tokens * static_cast<double>(2 * shape.heads * shape.head_size * shape.heads *
                                           options.kernel_size);
}

Tensor GatedConvolution::gated(const Tensor& x) const {
  return at::glu(input_->forward(x).to(inside_of(x)), -1);
}

std::unique_ptr<nn::AttentionMemory> GatedConvolution::new_memory(int64_t count,
                                                                  int64_t capacity) const {
  return std::make_unique<RowMemory>(count, capacity, kernel_size());
}

Tensor GatedConvolution::remembered(const nn::AttentionIn& in, const Tensor& source_SC,
                                    ConvolutionPlan& plan) const {
  const nn::AttentionContext& context = in.context;
  const SequenceLayout& layout = context.query_layout;
  const Tensor& given_keep_S = context.mask.keep_S;
  auto* memory = dynamic_cast<RowMemory*>(in.memory);
  require(in.memory == nullptr || memory != nullptr, ErrorKind::internal, kWhere,
          "a convolution was given another kind's memory");
  require(memory == nullptr || memory->count() == layout.count(), ErrorKind::shape, kWhere,
          "the memory has {} rows, the batch {}", memory == nullptr ? 0 : memory->count(),
          layout.count());
  plan.queries = layout.total();
  plan.kernel_size = kernel_size();
  std::vector<Tensor> rows, keeps;
  int64_t row_begin = 0;
  for (int64_t b = 0; b < layout.count(); ++b) {
    const auto at = static_cast<size_t>(b);
    const int64_t begin = layout.begin(b), n = layout.length(b);
    if (n == 0) continue;
    ConvolvedSequence s{.query_begin = begin,
                        .queries = n,
                        .past = context.past.empty() ? 0 : context.past[at],
                        .row_begin = memory == nullptr ? begin : row_begin,
                        .rows = n,
                        .row_place = 0,
                        .kind = context.mask.kind(b),
                        .source = 0};
    if (s.kind == See::prefix) s.source = context.mask.source[at];
    if (memory == nullptr) {
      s.row_place = s.past;
    } else {
      memory->append(b, s.past, source_SC.narrow(0, begin, n),
                     given_keep_S.defined() ? given_keep_S.narrow(0, begin, n) : Tensor());
      rows.push_back(memory->rows(b));
      keeps.push_back(memory->keep(b));
      s.row_place = memory->first_place(b);
      s.rows = rows.back().size(0);
      row_begin += s.rows;
    }
    plan.sequences.push_back(s);
  }
  if (memory == nullptr) {
    if (given_keep_S.defined()) plan.keep_S = given_keep_S.to(torch::kBool).cpu().contiguous();
    return source_SC;
  }
  if (rows.empty()) return source_SC;
  plan.keep_S = at::cat(keeps);
  return at::cat(rows);
}

nn::AttentionOut GatedConvolution::forward(const nn::AttentionIn& in) const {
  nn::check_context(in, traits());
  require(in.side == nn::Side::self && in.keys == nn::KeysFrom::given &&
              in.context.query_layout == in.context.source_layout,
          ErrorKind::unsupported, kWhere,
          "a convolution finds rows by their distance from the query, which another text has not");
  const Tensor source_SC = gated(in.source_SD);
  ConvolutionPlan plan;
  const Tensor row_SC = remembered(in, source_SC, plan);
  const Tensor weight_WHK = kernels(in, source_SC, plan);
  const Tensor context_THE =
      convolve(row_SC.view({-1, shape_.heads, shape_.head_size}), weight_WHK, plan);
  return {context_THE.flatten(1).to(in.query_TD.scalar_type()), nullptr};
}

LightweightConvolution::LightweightConvolution(const nn::AttentionShape& shape,
                                               const ConvolutionOptions& options, uint64_t seed,
                                               torch::TensorOptions tensor_options)
    : GatedConvolution(shape, options, seed, tensor_options) {
  kernel_HK_ = register_parameter(
      "kernel",
      normal_tensor({shape.heads, kernel_size()}, shape.initializer_range, Tails::cut_at_two,
                    combine_keys(seed, key_of_name("kernel")), tensor_options));
}

Tensor LightweightConvolution::kernels(const nn::AttentionIn& in, const Tensor& source_SC,
                                       ConvolutionPlan& plan) const {
  plan.kernel_of = KernelOf::tap_set;
  const Tensor hidden_31K = hidden_taps(kernel_size()).unsqueeze(1).to(kernel_HK_.device());
  const Tensor weight_3HK =
      normalised(kernel_HK_.to(source_SC.scalar_type()).expand({kTapSets, -1, -1}), hidden_31K);
  if (!in.context.pass.training || shape().dropout == 0.0) return weight_3HK;
  // One mask a pass: the kernels are one for all tokens.
  const auto key = static_cast<int64_t>(in.context.pass.key);
  return dropped(weight_3HK,
                 torch::full({kTapSets}, key, weight_3HK.options().dtype(torch::kInt64)), in,
                 shape().dropout);
}

DynamicConvolution::DynamicConvolution(const nn::AttentionShape& shape,
                                       const ConvolutionOptions& options, uint64_t seed,
                                       torch::TensorOptions tensor_options)
    : GatedConvolution(shape, options, seed, tensor_options) {
  const nn::LinearSpec spec{.in = shape.heads * shape.head_size,
                            .out = shape.heads * kernel_size(),
                            .bias = false,
                            .initializer_range = shape.initializer_range};
  kernel_ = register_module(
      "kernel", std::make_shared<nn::Linear>(spec, combine_keys(seed, key_of_name("kernel")),
                                             tensor_options));
}

Tensor DynamicConvolution::kernels(const nn::AttentionIn& in, const Tensor& source_SC,
                                   ConvolutionPlan& plan) const {
  plan.kernel_of = KernelOf::query;
  const Tensor query_TC = in.query_TD.is_same(in.source_SD) ? source_SC : gated(in.query_TD);
  const Tensor logit_THK = kernel_->forward(query_TC.to(in.query_TD.scalar_type()))
                               .to(source_SC.scalar_type())
                               .view({plan.queries, shape().heads, kernel_size()});
  const Tensor set_T = plan.tap_sets();
  Tensor weight_THK;
  if (set_T.any().item<bool>()) {
    const Tensor hidden_T1K =
        hidden_taps(kernel_size()).index_select(0, set_T).unsqueeze(1).to(logit_THK.device());
    weight_THK = normalised(logit_THK, hidden_T1K);
  } else {
    weight_THK = at::softmax(logit_THK, -1);
  }
  if (!in.context.pass.training || shape().dropout == 0.0) return weight_THK;
  return dropped(weight_THK, in.context.row_keys_T, in, shape().dropout);
}

}  // namespace tenfold::convolution
