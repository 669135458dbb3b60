// One update of every parameter of a 4x256 masked-language model by each kind of optimizer, the
// gradients being there. Not here: forward and backward (bench_train_step.cpp).
#include <memory>

#include "bench_works.h"
#include "model/heads.h"
#include "train/optimizer.h"

namespace tenfold::app {
namespace {

std::vector<train::Parameter> parameters_with_gradients() {
  model::EncoderConfig config;
  config.num_hidden_layers = 4;
  config.hidden_size = 256;
  config.num_attention_heads = 4;
  config.intermediate_size = 1024;
  const torch::TensorOptions tensors = torch::TensorOptions().dtype(torch::kFloat);
  const auto parameters = train::collect_parameters(
      {{.prefix = "bert.",
        .module = std::make_shared<model::Encoder>(config, model::Pooler::none, 0, tensors)},
       model::MlmHead(config, 1, tensors).owned()});
  for (const train::Parameter& parameter : parameters) {
    Tensor value = parameter.value;
    value.mutable_grad() = torch::randn(value.sizes(), tensors).mul_(1e-3);
  }
  return parameters;
}

}  // namespace

void bench_update(const BenchTimer& timer) {
  const std::vector<train::Parameter> parameters = parameters_with_gradients();
  int64_t numbers = 0;
  for (const train::Parameter& parameter : parameters) numbers += parameter.value.numel();
  for (const train::OptimizerKind& kind : train::optimizer_table().kinds()) {
    const std::string name = kind.name + "/bert-4l256";
    if (!timer.wants(name)) continue;
    const auto optimizer = train::make_optimizer({kind.name, nullptr}, parameters);
    const auto groups = timer.time(name, [&] { optimizer->step(1e-3); });
    timer.rate(name, groups, static_cast<double>(numbers) / 1e6, "rate", "M parameters/s");
    int64_t state_bytes = 0;
    for (const auto& [part, tensor] : optimizer->state())
      state_bytes += static_cast<int64_t>(tensor.nbytes());
    timer.emit(name, "state", "MiB", {static_cast<double>(state_bytes) / (1 << 20)});
  }
}

}  // namespace tenfold::app
