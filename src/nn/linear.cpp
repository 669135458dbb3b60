// The linear layer.
// Not here: packed products (packing.cpp).
#include "nn/linear.h"

#include "nn/product.h"
#include "support/rng.h"
#include "tensor/init.h"

namespace tenfold::nn {

Linear::Linear(const LinearSpec& spec, uint64_t seed, torch::TensorOptions options) {
  weight = register_parameter("weight", normal_tensor({spec.out, spec.in}, spec.initializer_range,
                                                      Tails::cut_at_two, mix_bits(seed), options));
  if (spec.bias) bias = register_parameter("bias", torch::zeros({spec.out}, options));
}

Tensor Linear::forward(const Tensor& x, Activation activation) const {
  if (packed_.serves(x)) return packed_.linear(x, activation);
  if (!reads_narrow_copy(x, weight)) return activate(linear_product(x, weight, bias), activation);
  return activate(linear_product(x, weight, bias, narrow_.in(x.scalar_type(), {weight})),
                  activation);
}

void Linear::pack_for_inference(std::optional<at::ScalarType> type) {
  packed_ = PackedWeight(
      weight.detach().to(type.value_or(weight.scalar_type())), bias,
      bias.defined() ? std::vector<Tensor>{weight, bias} : std::vector<Tensor>{weight});
}

}  // namespace tenfold::nn
