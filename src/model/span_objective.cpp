// A softmax over each window, for both ends.
// Not here: dropout (the head has none).
#include "model/span_objective.h"

namespace tenfold::model {

SpanLogits SpanObjective::logits(const Encoder& model, const data::Batch& batch,
                                 const PassContext& pass) const {
  return head_->logits(model.forward(batch.input("tokens"), pass).hidden_TD);
}

StepResult SpanObjective::step(Encoder& model, const data::Batch& batch,
                               const StepContext& context) {
  return judge(logits(model, batch, context.pass(batch)), batch);
}

StepResult SpanObjective::judge(const SpanLogits& scores, const data::Batch& batch) {
  const Tensor logits_T2 = torch::stack({scores.start_T, scores.end_T}, 1);
  const Tensor right_B2 = torch::stack({batch.field("begin"), batch.field("end")}, 1);
  std::vector<Tensor> totals, best;
  int64_t row = 0;
  for (const Tensor& window_N2 : batch.input("tokens").layout.split(logits_T2)) {
    totals.push_back(window_N2.logsumexp(0));
    best.push_back(window_N2.argmax(0) + row);
    row += window_N2.size(0);
  }
  const Tensor loss_B2 = torch::stack(totals) - logits_T2.gather(0, right_B2);
  const Tensor correct_B = torch::stack(best).eq(right_B2).all(1);
  return {.parts = {{.name = "span", .sum = loss_B2.sum() / 2}},
          .counts = {{"correct", correct_B.sum().item<double>()}}};
}

std::vector<data::WindowScores> window_scores(const SpanLogits& scores,
                                              const SequenceLayout& layout) {
  const Tensor host_2T =
      torch::stack({scores.start_T, scores.end_T}).to(torch::kCPU, torch::kDouble).contiguous();
  const double* begin = host_2T.const_data_ptr<double>();
  const double* end = begin + layout.total();
  std::vector<data::WindowScores> windows;
  for (int64_t b = 0; b < layout.count(); ++b) {
    const int64_t first = layout.begin(b), last = first + layout.length(b);
    windows.push_back({{begin + first, begin + last}, {end + first, end + last}});
  }
  return windows;
}

}  // namespace tenfold::model
