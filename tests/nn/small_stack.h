// The stack that tests of number formats and shapes run: width 64, two heads of 32, which every
// kernel takes. Not here: what they expect of it.
#pragma once

#include <memory>

#include "nn/stack.h"

namespace tenfold::nn::testing {

struct SmallStack {
  int64_t layers = 1;
  double dropout = 0.0;
  bool residual = false;  ///< RealFormer's carry
};

inline std::shared_ptr<Stack> small_stack(const SmallStack& options) {
  StackSpec spec;
  spec.width = 64;
  spec.heads = 2;
  spec.intermediate_size = 128;
  spec.hidden_dropout = spec.attention_dropout = options.dropout;
  spec.initializer_range = 0.1;
  spec.runs = {{.count = options.layers, .attention = {}, .residual_attention = options.residual}};
  return std::make_shared<Stack>(spec, 3, torch::kFloat);
}

}  // namespace tenfold::nn::testing
