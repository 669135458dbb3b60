// AdamW by libtorch's fused kernel, and its plain-loop definition.
// Not here: grouping by name (parameters.h decides what decays).
#include "train/adamw.h"

#include <cmath>

namespace tenfold::train {

void AdamWOptions::fields(config::FieldVisitor& v) {
  v.field("learning_rate", learning_rate, "peak learning rate", config::above(0));
  v.field("beta1", beta1, "memory of the mean gradient", config::fraction_below_one());
  v.field("beta2", beta2, "memory of the mean squared gradient", config::fraction_below_one());
  v.field("epsilon", epsilon, "added to the root of the mean squared gradient",
          config::at_least(0));
  v.field("weight_decay", weight_decay, "decoupled decay of matrices; biases and norms are exempt",
          config::at_least(0));
  v.field("bias_correction", bias_correction,
          "make up for the means' start at zero; BERT and ELECTRA were trained without");
}

AdamW::AdamW(std::vector<Parameter> parameters, const AdamWOptions& options) : options_(options) {
  slots_.reserve(parameters.size());
  for (Parameter& parameter : parameters) {
    const double scale = parameter.learning_rate_scale;
    const double decay = parameter.decays ? options.weight_decay : 0.0;
    Group* group = nullptr;
    for (Group& known : groups_) {
      if (known.learning_rate_scale == scale && known.weight_decay == decay) group = &known;
    }
    if (group == nullptr) group = &groups_.emplace_back(Group{scale, decay, {}});
    group->slots.push_back(slots_.size());
    slots_.push_back({std::move(parameter), {}});
  }
}

void AdamW::step(double factor) {
  torch::NoGradGuard no_grad;
  for (Group& group : groups_) {
    std::vector<Tensor> values, gradients, exp_avgs, exp_avg_sqs, counts, steps;
    for (size_t index : group.slots) {
      auto& [parameter, moments] = slots_[index];
      const Tensor& gradient = parameter.value.grad();
      if (!gradient.defined()) continue;
      moments.begin_once(parameter.value);
      values.push_back(parameter.value);
      gradients.push_back(gradient);
      exp_avgs.push_back(moments.exp_avg);
      exp_avg_sqs.push_back(moments.exp_avg_sq);
      counts.push_back(moments.step);
      steps.push_back(moments.kernel_step(options_.bias_correction));
    }
    if (values.empty()) continue;
    at::_foreach_add_(counts, 1);
    at::_fused_adamw_(values, gradients, exp_avgs, exp_avg_sqs, /*max_exp_avg_sqs=*/{}, steps,
                      options_.learning_rate * factor * group.learning_rate_scale, options_.beta1,
                      options_.beta2, group.weight_decay, options_.epsilon, /*amsgrad=*/false,
                      /*maximize=*/false);
    // The fused kernel leaves versions as they are; copies made of the weights hang on them.
    for (const Tensor& value : values) torch::autograd::impl::bump_version(value);
  }
}

void AdamWReference::update(const std::vector<double>& gradient, int64_t step, double rate,
                            double decay, const AdamWOptions& options) {
  const auto count = static_cast<double>(step);
  const double mean_correction = options.bias_correction ? 1 - std::pow(options.beta1, count) : 1;
  const double square_correction = options.bias_correction ? 1 - std::pow(options.beta2, count) : 1;
  for (size_t i = 0; i < value.size(); ++i) {
    value[i] -= rate * decay * value[i];
    exp_avg[i] = options.beta1 * exp_avg[i] + (1 - options.beta1) * gradient[i];
    exp_avg_sq[i] = options.beta2 * exp_avg_sq[i] + (1 - options.beta2) * gradient[i] * gradient[i];
    const double mean = exp_avg[i] / mean_correction;
    const double square = exp_avg_sq[i] / square_correction;
    value[i] -= rate * mean / (std::sqrt(square) + options.epsilon);
  }
}

}  // namespace tenfold::train
