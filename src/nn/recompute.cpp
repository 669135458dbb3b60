// One autograd node a block: everything that may need a gradient goes in as a tensor of its own.
// Not here: the block.
#include "nn/recompute.h"

#include <limits>

namespace tenfold::nn {
namespace {

/// A block's call with its tensors taken out, in a fixed order: hidden, source (where it is not the
/// hidden states), position bias, carry, parameters.
struct Call : torch::CustomClassHolder {
  std::shared_ptr<const Block> block;
  AttentionContext context;
  Tensor asking_P;
  uint64_t layer = 0;
  bool own_source = false, has_bias = false, has_carry = false;
  size_t carried = 0;

  BlockOut run(const torch::autograd::variable_list& in) const {
    size_t at = 0;
    const Tensor hidden_TD = in[at++];
    const Tensor source_SD = own_source ? in[at++] : hidden_TD;
    AttentionContext own = context;
    if (has_bias) {
      auto bias = std::make_shared<PositionBias>(*context.bias);
      bias->by_offset_HR = in[at++];
      own.bias = std::move(bias);
    }
    std::shared_ptr<Carry> carry;
    if (has_carry) {
      carry = std::make_shared<Carry>();
      for (size_t i = 0; i < carried; ++i) carry->tensors.push_back(in[at++]);
    }
    return block->forward({.context = own,
                           .hidden_TD = hidden_TD,
                           .source_SD = source_SD,
                           .asking_P = asking_P,
                           .carry = std::move(carry),
                           .memory = nullptr,
                           .layer = layer});
  }

  size_t tensors_in() const { return 1 + (own_source ? 1 : 0) + (has_bias ? 1 : 0) + carried; }
};

torch::autograd::variable_list outputs_of(const BlockOut& out) {
  torch::autograd::variable_list tensors{out.hidden_TD};
  if (out.carry)
    tensors.insert(tensors.end(), out.carry->tensors.begin(), out.carry->tensors.end());
  return tensors;
}

struct Recomputed : torch::autograd::Function<Recomputed> {
  static torch::autograd::variable_list forward(torch::autograd::AutogradContext* ctx,
                                                at::TensorList inputs,
                                                const c10::intrusive_ptr<Call>& call) {
    ctx->save_for_backward(inputs.vec());
    ctx->saved_data["call"] = c10::IValue::make_capsule(call);
    ctx->set_materialize_grads(false);
    return outputs_of(call->run(inputs.vec()));
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = ctx->get_saved_variables();
    const auto capsule = ctx->saved_data["call"].toCapsule();
    const Call& call = static_cast<const Call&>(*capsule);
    const at::AutoGradMode gradients_on(true);
    torch::autograd::variable_list inputs;  // parameters stay themselves: the block uses those
    for (size_t i = 0; i < saved.size(); ++i) {
      inputs.push_back(i < call.tensors_in()
                           ? saved[i].detach().requires_grad_(ctx->needs_input_grad(i))
                           : saved[i]);
    }
    torch::autograd::variable_list ends, slopes, wanted;
    const torch::autograd::variable_list outputs = outputs_of(call.run(inputs));
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (!gradients[i].defined() || !outputs[i].requires_grad()) continue;
      ends.push_back(outputs[i]);
      slopes.push_back(gradients[i]);
    }
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (ctx->needs_input_grad(i)) wanted.push_back(inputs[i]);
    }
    torch::autograd::variable_list found(wanted.size());
    if (!ends.empty() && !wanted.empty())
      found = torch::autograd::grad(ends, wanted, slopes, {}, false, /*allow_unused=*/true);
    torch::autograd::variable_list result(saved.size() + 1);  // and none for the call
    size_t next = 0;
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (ctx->needs_input_grad(i)) result[i] = found[next++];
    }
    return result;
  }
};

}  // namespace

BlockOut recomputed_forward(const std::shared_ptr<const Block>& block, const BlockIn& in) {
  if (!at::GradMode::is_enabled() || in.memory != nullptr) return block->forward(in);
  auto call = c10::make_intrusive<Call>();
  call->block = block;
  call->context = in.context;
  // The pass without gradients must carry the very tensors that the one with them carries.
  call->context.most_score_bytes = std::numeric_limits<int64_t>::max();
  call->context.observer = nullptr;  // it would see every layer twice
  call->asking_P = in.asking_P;
  call->layer = in.layer;
  call->own_source = !in.source_SD.is_same(in.hidden_TD);
  torch::autograd::variable_list inputs{in.hidden_TD};
  if (call->own_source) inputs.push_back(in.source_SD);
  if (in.context.bias) {
    call->has_bias = true;
    inputs.push_back(in.context.bias->by_offset_HR);
  }
  if (in.carry) {
    call->has_carry = true;
    call->carried = in.carry->tensors.size();
    inputs.insert(inputs.end(), in.carry->tensors.begin(), in.carry->tensors.end());
  }
  for (const Tensor& parameter : block->parameters()) inputs.push_back(parameter);
  const auto outputs = Recomputed::apply(at::TensorList(inputs), call);
  BlockOut out{.hidden_TD = outputs[0], .carry = nullptr};
  if (outputs.size() > 1) {
    auto carry = std::make_shared<Carry>();
    carry->tensors.assign(outputs.begin() + 1, outputs.end());
    out.carry = std::move(carry);
  }
  return out;
}

}  // namespace tenfold::nn
