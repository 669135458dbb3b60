// The chunked loss: one product, then one sweep over each row that gives loss and gradient.
// Not here: sampling from a vocabulary.
#include "nn/vocabulary_loss.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "nn/product.h"
#include "nn/row_exp.h"
#include "support/fail.h"
#include "tensor/narrow.h"
#include "tensor/vector_clones.h"

namespace tenfold::nn {
namespace {

constexpr int64_t kChunkElements = 1 << 24;  // logits held at a time: 64 MiB of fp32

/// Turns a row of logits into softmax - onehot(label) and adds that to `column_sums` (both only
/// with gradient). Gives the row's loss; `top` receives the largest logit.
template <typename scalar_t>
TENFOLD_VECTOR_CLONES double vocabulary_row(scalar_t* s, int64_t vocabulary, int64_t label,
                                            scalar_t* column_sums, scalar_t* largest) {
  scalar_t top = -std::numeric_limits<scalar_t>::infinity();
#pragma omp simd reduction(max : top)
  for (int64_t j = 0; j < vocabulary; ++j) top = s[j] > top ? s[j] : top;
  *largest = top;
  const scalar_t at_label = s[label];
  scalar_t sum = 0;
  if (column_sums == nullptr) {
#pragma omp simd reduction(+ : sum)
    for (int64_t j = 0; j < vocabulary; ++j) sum += row_exp(s[j] - top);
  } else {
#pragma omp simd reduction(+ : sum)
    for (int64_t j = 0; j < vocabulary; ++j) {
      s[j] = row_exp(s[j] - top);
      sum += s[j];
    }
    const scalar_t inverse = scalar_t(1) / sum;
#pragma omp simd
    for (int64_t j = 0; j < vocabulary; ++j) {
      s[j] *= inverse;
      column_sums[j] += s[j];
    }
    s[label] -= 1;
    column_sums[label] -= 1;
  }
  return std::log(static_cast<double>(sum)) + static_cast<double>(top) -
         static_cast<double>(at_label);
}

struct ChunkSums {
  double loss = 0;
  int64_t correct = 0;
};

/// All rows of a chunk; with gradient the logits become its slope and bias_gradient_V grows by the
/// sums of its columns. Sums run in the order of rows, whatever the number of threads. Logits of
/// bfloat16 are widened a row at a time.
template <typename store_t>
ChunkSums sweep_rows(Tensor& logits_CV, const Tensor& labels_C, Tensor& bias_gradient_V) {
  using scalar_t = compute_t<store_t>;
  constexpr bool kSame = std::is_same_v<store_t, scalar_t>;
  const int64_t rows = labels_C.size(0), vocabulary = logits_CV.size(1);
  auto* logits = logits_CV.mutable_data_ptr<store_t>();
  const auto* labels = labels_C.const_data_ptr<int64_t>();
  const bool with_gradient = bias_gradient_V.defined();
  const int64_t pieces = std::min<int64_t>(rows, at::get_num_threads());
  Tensor partial_sums =
      torch::zeros({with_gradient ? pieces : 0, vocabulary},
                   logits_CV.options().dtype(c10::CppTypeToScalarType<scalar_t>::value));
  auto* sums = partial_sums.mutable_data_ptr<scalar_t>();
  std::vector<double> losses(static_cast<size_t>(rows));
  std::vector<uint8_t> hits(static_cast<size_t>(rows));
  at::parallel_for(0, pieces, 1, [&](int64_t begin, int64_t end) {
    std::vector<scalar_t> wide(kSame ? 0 : static_cast<size_t>(vocabulary));
    for (int64_t piece = begin; piece < end; ++piece) {
      for (int64_t r = rows * piece / pieces; r < rows * (piece + 1) / pieces; ++r) {
        store_t* stored = logits + r * vocabulary;
        scalar_t* row = wide.data();
        if constexpr (kSame) {
          row = stored;
        } else {
          widen_row(stored, row, vocabulary);
        }
        const int64_t label = labels[r];
        const scalar_t at_label = row[label];
        const scalar_t* before = row + label;
        scalar_t top = 0;
        // Ties are looked for first: the sweep overwrites the logits.
        const bool first = std::none_of(static_cast<const scalar_t*>(row), before,
                                        [&](scalar_t x) { return x >= at_label; });
        losses[static_cast<size_t>(r)] = vocabulary_row(
            row, vocabulary, label, with_gradient ? sums + piece * vocabulary : nullptr, &top);
        hits[static_cast<size_t>(r)] = first && at_label == top;
        if (!kSame && with_gradient) store_row(row, stored, vocabulary);
      }
    }
  });
  if (with_gradient) bias_gradient_V += partial_sums.sum(0);
  ChunkSums total;
  for (size_t r = 0; r < losses.size(); ++r) {
    total.loss += losses[r];
    total.correct += hits[r];
  }
  return total;
}

ChunkSums sweep(Tensor& logits, const Tensor& labels, Tensor& bias_gradient_V) {
  switch (logits.scalar_type()) {
    case at::kFloat: return sweep_rows<float>(logits, labels, bias_gradient_V);
    case at::kDouble: return sweep_rows<double>(logits, labels, bias_gradient_V);
    default: return sweep_rows<c10::BFloat16>(logits, labels, bias_gradient_V);
  }
}

/// logits^T h, [V, D]. As D rows against V packed ones it runs near the machine's limit, which pays
/// for turning the result round.
Tensor vocabulary_product(const Tensor& h_CD, const Tensor& logits_CV) {
  return linear_product_value(h_CD.t(), logits_CV.t(), {}).t().contiguous();
}

struct ChunkedVocabularyLoss : torch::autograd::Function<ChunkedVocabularyLoss> {
  static torch::autograd::variable_list forward(torch::autograd::AutogradContext* context,
                                                const Tensor& hidden_PD, const Tensor& weight_VD,
                                                const Tensor& bias_V, const Tensor& labels_P,
                                                bool with_gradient) {
    RECORD_FUNCTION("tenfold::vocabulary_loss", std::vector<c10::IValue>());
    const int64_t rows = hidden_PD.size(0), vocabulary = weight_VD.size(0);
    const int64_t chunk = std::max<int64_t>(1, kChunkElements / std::max<int64_t>(1, vocabulary));
    const at::ScalarType given = hidden_PD.scalar_type(),
                         wide = given == at::kDouble ? at::kDouble : at::kFloat;
    const auto wide_options = hidden_PD.options().dtype(wide);
    const Tensor used_VD = weight_VD.to(given);
    ChunkSums total;
    Tensor hidden_gradient_PD, weight_gradient_VD, bias_gradient_V;
    if (with_gradient) {
      hidden_gradient_PD = torch::empty_like(hidden_PD);
      bias_gradient_V = torch::zeros({vocabulary}, wide_options);
    }
    for (int64_t begin = 0; begin < rows; begin += chunk) {
      const int64_t end = std::min(rows, begin + chunk);
      const Tensor h = hidden_PD.slice(0, begin, end);
      const Tensor labels = labels_P.slice(0, begin, end).contiguous();  // none for filler rows
      Tensor logits = linear_product_value(h, used_VD, bias_V);
      const ChunkSums sums = sweep(logits, labels, bias_gradient_V);
      total.loss += sums.loss;
      total.correct += sums.correct;
      if (!with_gradient) continue;
      logits.slice(0, labels.size(0)).zero_();
      hidden_gradient_PD.slice(0, begin, end).copy_(linear_product_value(logits, used_VD.t(), {}));
      if (!weight_gradient_VD.defined()) {
        weight_gradient_VD = vocabulary_product(h, logits).to(weight_VD.scalar_type());
      } else if (given == weight_VD.scalar_type()) {
        weight_gradient_VD.addmm_(logits.t(), h);
      } else {
        weight_gradient_VD.add_(logits.t().mm(h));
      }
    }
    if (with_gradient) {
      if (!weight_gradient_VD.defined()) weight_gradient_VD = torch::zeros_like(weight_VD);
      // Not as saved variables: those are shared, so that each gradient would be copied once more.
      context->saved_data["gradients"] = std::vector<Tensor>{
          hidden_gradient_PD, weight_gradient_VD, bias_gradient_V.to(bias_V.scalar_type())};
    }
    const Tensor sum = torch::full({}, total.loss, wide_options);
    const Tensor correct = torch::full({}, total.correct, labels_P.options());
    context->mark_non_differentiable({correct});
    return {sum, correct};
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto found = context->saved_data.find("gradients");
    require(found != context->saved_data.end(), ErrorKind::internal, "vocabulary loss",
            "its gradient can be taken once");
    std::vector<Tensor> own = found->second.toTensorVector();
    context->saved_data.erase(found);
    for (Tensor& gradient : own) gradient.mul_(gradients[0].to(gradient.scalar_type()));
    return {own[0], own[1], own[2], Tensor(), Tensor()};
  }
};

}  // namespace

VocabularyLoss vocabulary_loss(const Tensor& hidden_PD, const Tensor& weight_VD,
                               const Tensor& bias_V, const Tensor& labels_P) {
  const at::ScalarType given = hidden_PD.scalar_type();
  if (!hidden_PD.device().is_cpu() ||
      (given != at::kFloat && given != at::kDouble && given != at::kBFloat16))
    return vocabulary_loss_reference(hidden_PD, weight_VD, bias_V, labels_P);
  const bool with_gradient =
      torch::GradMode::is_enabled() &&
      (hidden_PD.requires_grad() || weight_VD.requires_grad() || bias_V.requires_grad());
  const auto out =
      ChunkedVocabularyLoss::apply(hidden_PD, weight_VD, bias_V, labels_P, with_gradient);
  return {out[0], out[1]};
}

VocabularyLoss vocabulary_loss_reference(const Tensor& hidden_PD, const Tensor& weight_VD,
                                         const Tensor& bias_V, const Tensor& labels_P) {
  const at::ScalarType given = hidden_PD.scalar_type(), wide = weight_VD.scalar_type();
  const Tensor logits_PV =
      at::linear(hidden_PD.slice(0, 0, labels_P.size(0)), weight_VD.to(given), bias_V.to(given))
          .to(wide);
  const Tensor picked = at::log_softmax(logits_PV, 1).gather(1, labels_P.unsqueeze(1));
  return {-picked.sum(), (logits_PV.argmax(1) == labels_P).sum()};
}

}  // namespace tenfold::nn
