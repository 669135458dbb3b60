// Adafactor by whole-tensor operations, and its plain-loop definition.
// Not here: grouping by name (parameters.h decides what decays).
#include "train/adafactor.h"

#include <algorithm>
#include <cmath>

#include "support/fail.h"
#include "train/state_reader.h"

namespace tenfold::train {
namespace {

double relative_or_fixed_rate(int64_t step, const AdafactorOptions& options) {
  if (!options.relative_step) return options.learning_rate;
  const auto count = static_cast<double>(step);
  return std::min(options.warmup_init ? 1e-6 * count : 1e-2, 1 / std::sqrt(count));
}

double memory_at(int64_t step, const AdafactorOptions& options) {
  return 1 - std::pow(static_cast<double>(step), -options.decay_exponent);
}

/// 0-d, on the device of the tensor: nothing waits for it.
Tensor root_mean_square(const Tensor& tensor) {
  return at::linalg_vector_norm(tensor) / std::sqrt(static_cast<double>(tensor.numel()));
}

/// Mean of the squares along an axis, without a tensor of squares.
Tensor mean_square(const Tensor& tensor, int64_t axis) {
  return at::linalg_vector_norm(tensor, 2, axis).square_().div_(tensor.size(axis));
}

double root_mean_square(const std::vector<double>& numbers) {
  double sum = 0;
  for (const double number : numbers) sum += number * number;
  return std::sqrt(sum / static_cast<double>(numbers.size()));
}

}  // namespace

void AdafactorOptions::fields(config::FieldVisitor& v) {
  v.field("learning_rate", learning_rate, "peak learning rate; unused with relative_step",
          config::above(0));
  v.field("scale_parameter", scale_parameter, "rate in proportion to a tensor's weights");
  v.field("relative_step", relative_step,
          "rate min(0.01, 1 / sqrt(update)), times the schedule: \"constant\" leaves it as it is");
  v.field("warmup_init", warmup_init, "with relative_step: min(1e-6 update, 1 / sqrt(update))");
  v.field("momentum", momentum, "memory of the mean update; 0: none is kept",
          config::fraction_below_one());
  v.field("decay_exponent", decay_exponent,
          "memory of squared gradients is 1 - update ^ -decay_exponent", config::at_least(0));
  v.field("clip_threshold", clip_threshold, "limit of an update's root mean square",
          config::above(0));
  v.field("epsilon_square", epsilon_square, "added to squared gradients", config::at_least(0));
  v.field("epsilon_scale", epsilon_scale, "smallest size of weights that scale_parameter sees",
          config::at_least(0));
  v.field("factor_from", factor_from,
          "keep rows and columns of matrices at least this long both ways; others whole",
          config::at_least(0));
  v.field("weight_decay", weight_decay, "decay of matrices; biases and norms are exempt",
          config::at_least(0));
}

void AdafactorOptions::validate(const std::string& where) const {
  require(!warmup_init || relative_step, ErrorKind::config, where,
          "warmup_init is a form of relative_step, which is false");
}

Adafactor::Adafactor(std::vector<Parameter> parameters, const AdafactorOptions& options)
    : options_(options) {
  slots_.reserve(parameters.size());
  for (Parameter& parameter : parameters) {
    const Tensor& value = parameter.value;
    const bool factored =
        value.dim() >= 2 && std::min(value.size(-1), value.size(-2)) >= options.factor_from;
    slots_.push_back({.parameter = std::move(parameter), .factored = factored});
  }
}

double Adafactor::relative_rate(int64_t step) const {
  return relative_or_fixed_rate(step, options_);
}

void Adafactor::begin(Slot& slot) const {
  const Tensor& value = slot.parameter.value;
  const torch::TensorOptions plain = value.options().requires_grad(false);
  if (slot.factored) {
    std::vector<int64_t> rows = value.sizes().vec();
    rows.pop_back();
    std::vector<int64_t> columns = value.sizes().vec();
    columns.erase(columns.end() - 2);
    slot.row = torch::zeros(rows, plain);
    slot.col = torch::zeros(columns, plain);
  } else {
    slot.square = torch::zeros_like(value, plain);
  }
  if (options_.momentum > 0) slot.mean = torch::zeros_like(value, plain);
}

/// The gradient over the root of the squared gradients' estimate, which takes it in first.
Tensor Adafactor::scaled_gradient(Slot& slot) const {
  const Tensor& gradient = slot.parameter.value.grad();
  const double fresh = 1 - memory_at(slot.step, options_);
  if (!slot.factored) {
    slot.square.lerp_(gradient.square().add_(options_.epsilon_square), fresh);
    return slot.square.rsqrt().mul_(gradient);
  }
  slot.row.lerp_(mean_square(gradient, -1).add_(options_.epsilon_square), fresh);
  slot.col.lerp_(mean_square(gradient, -2).add_(options_.epsilon_square), fresh);
  const Tensor by_row = (slot.row / slot.row.mean(-1, /*keepdim=*/true)).rsqrt_();
  return (gradient * by_row.unsqueeze(-1)).mul_(slot.col.rsqrt().unsqueeze(-2));
}

void Adafactor::step(double factor) {
  torch::NoGradGuard no_grad;
  for (Slot& slot : slots_) {
    Tensor value = slot.parameter.value;
    if (!value.grad().defined()) continue;
    if (slot.step == 0) begin(slot);
    updates_ = std::max(updates_, ++slot.step);
    Tensor update = scaled_gradient(slot);
    const Tensor excess = (root_mean_square(update) / options_.clip_threshold).clamp_min_(1);
    Tensor rate = torch::full_like(
        excess, relative_rate(slot.step) * factor * slot.parameter.learning_rate_scale);
    if (options_.scale_parameter)
      rate.mul_(root_mean_square(value).clamp_min_(options_.epsilon_scale));
    if (slot.parameter.decays && options_.weight_decay > 0)
      value.addcmul_(value, rate, -options_.weight_decay);
    if (options_.momentum > 0) {
      slot.mean.mul_(options_.momentum).addcmul_(update, rate / excess, 1 - options_.momentum);
      value.sub_(slot.mean);
    } else {
      value.addcmul_(update, rate / excess, -1);
    }
  }
}

TensorsByName Adafactor::state() const {
  TensorsByName state;
  for (const Slot& slot : slots_) {
    if (slot.step == 0) continue;
    const std::string& name = slot.parameter.name;
    state.emplace(name + ".step", torch::tensor(slot.step, torch::kInt64));
    if (slot.factored) {
      state.emplace(name + ".exp_avg_sq_row", slot.row);
      state.emplace(name + ".exp_avg_sq_col", slot.col);
    } else {
      state.emplace(name + ".exp_avg_sq", slot.square);
    }
    if (options_.momentum > 0) state.emplace(name + ".exp_avg", slot.mean);
  }
  return state;
}

void Adafactor::load_state(const TensorsByName& state) {
  torch::NoGradGuard no_grad;
  StateReader reader(state);
  updates_ = 0;
  for (Slot& slot : slots_) {
    const std::string& name = slot.parameter.name;
    slot.step = 0;
    if (!reader.has(name, {"step", "exp_avg_sq_row", "exp_avg_sq_col", "exp_avg_sq", "exp_avg"}))
      continue;
    begin(slot);
    slot.step = reader.take(name, "step", torch::zeros({}, torch::kInt64)).item<int64_t>();
    updates_ = std::max(updates_, slot.step);
    if (slot.factored) {
      slot.row = reader.take(name, "exp_avg_sq_row", slot.row);
      slot.col = reader.take(name, "exp_avg_sq_col", slot.col);
    } else {
      slot.square = reader.take(name, "exp_avg_sq", slot.square);
    }
    if (options_.momentum > 0) slot.mean = reader.take(name, "exp_avg", slot.mean);
  }
  reader.finish();
}

/// Root of the estimate, number by number.
std::vector<double> AdafactorReference::estimate(const std::vector<double>& gradient, double memory,
                                                 const AdafactorOptions& options) {
  std::vector<double> roots(value.size());
  if (columns == 0) {
    square.resize(value.size());
    for (size_t i = 0; i < value.size(); ++i) {
      square[i] =
          memory * square[i] + (1 - memory) * (gradient[i] * gradient[i] + options.epsilon_square);
      roots[i] = std::sqrt(square[i]);
    }
    return roots;
  }
  const size_t matrices = value.size() / (rows * columns);
  row.resize(matrices * rows);
  col.resize(matrices * columns);
  for (double& number : row) number *= memory;
  for (double& number : col) number *= memory;
  const auto each = [&](const auto& use) {
    for (size_t m = 0; m < matrices; ++m) {
      for (size_t r = 0; r < rows; ++r) {
        for (size_t c = 0; c < columns; ++c)
          use(m, m * rows + r, m * columns + c, (m * rows + r) * columns + c);
      }
    }
  };
  each([&](size_t, size_t r, size_t c, size_t i) {
    const double fresh = (1 - memory) * (gradient[i] * gradient[i] + options.epsilon_square);
    row[r] += fresh / static_cast<double>(columns);
    col[c] += fresh / static_cast<double>(rows);
  });
  std::vector<double> row_mean(matrices);
  for (size_t r = 0; r < row.size(); ++r) row_mean[r / rows] += row[r] / static_cast<double>(rows);
  each([&](size_t m, size_t r, size_t c, size_t i) {
    roots[i] = std::sqrt(row[r] / row_mean[m]) * std::sqrt(col[c]);
  });
  return roots;
}

void AdafactorReference::update(const std::vector<double>& gradient, int64_t step, double factor,
                                double decay, const AdafactorOptions& options) {
  const std::vector<double> roots = estimate(gradient, memory_at(step, options), options);
  std::vector<double> move(value.size());
  for (size_t i = 0; i < move.size(); ++i) move[i] = gradient[i] / roots[i];
  const double excess = std::max(1.0, root_mean_square(move) / options.clip_threshold);
  double rate = relative_or_fixed_rate(step, options) * factor;
  if (options.scale_parameter) rate *= std::max(options.epsilon_scale, root_mean_square(value));
  mean.resize(value.size());
  for (size_t i = 0; i < move.size(); ++i) {
    // Without momentum the mean is the last update.
    mean[i] = options.momentum * mean[i] + (1 - options.momentum) * rate * move[i] / excess;
    value[i] -= rate * decay * value[i] + mean[i];
  }
}

}  // namespace tenfold::train
