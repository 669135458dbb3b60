// The sums of cost.h.
// Not here: where the counts come from.
#include "study/cost.h"

#include "nn/attention_table.h"

namespace tenfold::study {

double forward_flops(const model::EncoderConfig& shape, const Passed& passed) {
  const auto width = static_cast<double>(shape.hidden_size);
  const nn::AttentionShape attention{.width = shape.hidden_size,
                                     .heads = shape.num_attention_heads,
                                     .head_size = shape.hidden_size / shape.num_attention_heads,
                                     .longest = shape.longest_sequence()};
  double flops = 0;
  for (const nn::StackRun& run : shape.stack().runs) {
    const auto inner = static_cast<double>(run.intermediate_size > 0 ? run.intermediate_size
                                                                     : shape.intermediate_size);
    const double layer = passed.tokens * (2 * width * width + 4 * width * inner) +
                         nn::attention_flops(run.attention, attention,
                                             {.tokens = passed.tokens, .pairs = passed.attended});
    flops += static_cast<double>(run.count) * layer;
  }
  const auto head = [&](double rows, int64_t outputs) {
    return rows * (2 * width * width + 2 * width * static_cast<double>(outputs));
  };
  return flops + head(passed.predicted, shape.vocab_size) + head(passed.classified, passed.classes);
}

double training_flops(const model::EncoderConfig& shape, const Passed& passed) {
  return 3 * forward_flops(shape, passed);
}

}  // namespace tenfold::study
