// Training in bfloat16: the weights move as they do in fp32, and every pass sees them.
// Not here: single layers (tests/nn/bfloat16_test.cpp).
#include <gtest/gtest.h>

#include "cuda.h"
#include "model/mlm_objective.h"
#include "model/tiny_model.h"
#include "nn/onednn.h"
#include "nn/stack.h"
#include "train/accumulate.h"
#include "train/optimizer.h"
#include "train/options.h"
#include "train/trainee.h"

namespace tenfold::train {
namespace {

/// An optimizer with its defaults, and by how much its rate is raised to learn this in 30 updates.
struct Kind {
  std::string name;
  double factor;
};

/// Losses before each of 30 updates, and at the end without gradient, as validation computes it.
std::vector<double> losses(const Kind& kind, at::ScalarType type, torch::Device device) {
  const auto tensors = torch::TensorOptions().dtype(torch::kFloat).device(device);
  model::ModelDescription description = model::testing::tiny_description();
  description.architecture = "BertForMaskedLM";
  // Sizes that the products in bfloat16 are made for.
  description.encoder.hidden_size = description.encoder.intermediate_size = 32;
  description.encoder.hidden_dropout_prob = description.encoder.attention_probs_dropout_prob = 0;
  const model::LoadedModel model = model::make_model(description, {.seed = 1, .tensors = tensors});
  nn::compute_in(*model.encoder, type);
  model::MlmObjective objective(model.mlm);
  EncoderTrainee trainee(model.encoder, objective);
  const auto parameters = collect_parameters(trainee.modules());
  const auto optimizer = make_optimizer({kind.name, nullptr}, parameters);
  const data::Batch batch = model::testing::batch_of({0, 1, 2, 3, 4, 5}).to(device);
  std::vector<double> out;
  for (uint64_t step = 0; step < 30; ++step) {
    const auto loss =
        accumulate_gradients(trainee, {batch}, {.training = true, .seed = 0, .step = step});
    out.push_back(loss.means.cpu().item<double>());
    optimizer->step(kind.factor);
    clear_gradients(parameters);
  }
  const torch::NoGradGuard no_grad;
  out.push_back(objective.step(*model.encoder, batch, {}).parts[0].sum.cpu().item<double>() / 6);
  return out;
}

void expect_near_fp32(const Kind& kind, torch::Device device) {
  const auto wide = losses(kind, at::kFloat, device), narrow = losses(kind, at::kBFloat16, device);
  EXPECT_LT(wide.back(), 0.7 * wide.front()) << kind.name << ": nothing was learnt";
  for (size_t i = 0; i < wide.size(); ++i)
    EXPECT_NEAR(narrow[i], wide[i], 0.03 * wide.front()) << kind.name << ", update " << i;
}

TEST(NarrowTraining, FollowsFp32WithEveryOptimizer) {
  if (!nn::onednn_computes_in(at::kBFloat16)) GTEST_SKIP() << "no instructions for bfloat16 here";
  for (const Kind& kind :
       std::vector<Kind>{{"adamw", 30}, {"lamb", 30}, {"adafactor", 30}, {"sgd", 0.2}})
    expect_near_fp32(kind, torch::kCPU);
}

TEST(NarrowTraining, FollowsFp32OnCuda) {
  TENFOLD_NEEDS_CUDA();
  expect_near_fp32({"adamw", 30}, torch::kCUDA);
}

}  // namespace
}  // namespace tenfold::train
