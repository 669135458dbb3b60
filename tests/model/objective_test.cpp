// Objectives: sums that do not depend on how a batch is cut, the chunked loss, and a toy that
// carries what ELECTRA and MAP-Net ask of the contract. Not here: reference values
// (golden_model_test.cpp).
#include "model/objective.h"

#include <gtest/gtest.h>

#include "cuda.h"
#include "model/checkpoint.h"
#include "model/classification_objective.h"
#include "model/mlm_objective.h"
#include "support/rng.h"
#include "tensor/init.h"
#include "tiny_model.h"

namespace tenfold::model {
namespace {

using testing::batch_of;

ModelDescription small_description(const std::string& architecture) {
  ModelDescription description = testing::tiny_description();
  description.architecture = architecture;
  description.labels = {"a", "b", "c"};
  description.encoder.initializer_range = 0.3;
  return description;
}

double part_of(const StepResult& result, const std::string& name) {
  for (const LossPart& part : result.parts) {
    if (part.name == name) return part.sum.item<double>();
  }
  return std::nan("");
}

/// Sums of one batch equal the sums of its pieces, with dropout on.
void expect_cut_invariance(Encoder& encoder, Objective& objective) {
  const StepContext context{.training = true, .seed = 5, .step = 7};
  const StepResult whole = objective.step(encoder, batch_of({3, 11, 4}), context);
  const StepResult first = objective.step(encoder, batch_of({11}), context);
  const StepResult rest = objective.step(encoder, batch_of({4, 3}), context);
  for (const LossPart& part : whole.parts) {
    EXPECT_NEAR(part.sum.item<double>(), part_of(first, part.name) + part_of(rest, part.name), 1e-4)
        << part.name;
  }
  for (const auto& [name, count] : whole.counts) {
    EXPECT_EQ(count, first.counts.at(name) + rest.counts.at(name)) << name;
  }
  const StepResult later =
      objective.step(encoder, batch_of({3, 11, 4}), {.training = true, .seed = 5, .step = 8});
  EXPECT_NE(whole.parts[0].sum.item<double>(), later.parts[0].sum.item<double>());
}

TEST(Objectives, SumsDoNotDependOnHowABatchIsCut) {
  const LoadedModel masked = make_model(small_description("BertForMaskedLM"), {.seed = 1});
  MlmObjective mlm(masked.mlm);
  expect_cut_invariance(*masked.encoder, mlm);
  const LoadedModel classes =
      make_model(small_description("BertForSequenceClassification"), {.seed = 1});
  ClassificationObjective classification(classes.classifier);
  expect_cut_invariance(*classes.encoder, classification);
}

/// Loss and gradients of one training step with dropout, in double.
std::vector<Tensor> step_in_double(const std::string& architecture, torch::Device device) {
  const auto tensors = torch::TensorOptions().dtype(torch::kDouble).device(device);
  const LoadedModel model =
      make_model(small_description(architecture), {.seed = 1, .tensors = tensors});
  const auto objective = model.mlm
                             ? std::unique_ptr<Objective>(std::make_unique<MlmObjective>(model.mlm))
                             : std::make_unique<ClassificationObjective>(model.classifier);
  const StepResult result = objective->step(*model.encoder, batch_of({3, 11, 4, 6}).to(device),
                                            {.training = true, .seed = 5, .step = 7});
  result.parts[0].sum.backward();
  std::vector<Tensor> out{result.parts[0].sum.detach().cpu()};
  for (const OwnedModule& owned : model.modules()) {
    for (const Tensor& parameter : owned.module->parameters()) {
      if (parameter.grad().defined()) out.push_back(parameter.grad().cpu());
    }
  }
  return out;
}

TEST(Objectives, AStepWithDropoutIsTheSameOnCuda) {
  TENFOLD_NEEDS_CUDA();
  for (const char* architecture : {"BertForMaskedLM", "BertForSequenceClassification"}) {
    const auto cpu = step_in_double(architecture, torch::kCPU),
               cuda = step_in_double(architecture, torch::kCUDA);
    ASSERT_EQ(cpu.size(), cuda.size());
    for (size_t i = 0; i < cpu.size(); ++i)
      EXPECT_LE((cpu[i] - cuda[i]).abs().max().item<double>(), 1e-11) << architecture << " " << i;
  }
}

/// A generator proposes tokens for the masked rows, the model tells which rows were replaced: two
/// forwards with sampling between, a second network in a parameter group of its own, parts with
/// different denominators.
class ReplacedTokens final : public Objective {
 public:
  ReplacedTokens(const EncoderConfig& config, uint64_t seed)
      : generator_(std::make_shared<Encoder>(config, Pooler::none, seed, torch::TensorOptions())),
        head_(std::make_shared<MlmHead>(config, seed, torch::TensorOptions())),
        judge_(std::make_shared<ReplacedTokenHead>(HeadSpec{.encoder = config, .seed = seed})) {}

  std::vector<OwnedModule> modules() override {
    return {{.prefix = "generator.bert.",
             .module = generator_,
             .group = "generator",
             .learning_rate_scale = 0.5},
            {.prefix = "generator.cls.predictions.",
             .module = head_->owned().module,
             .group = "generator",
             .learning_rate_scale = 0.5},
            judge_->owned()};
  }

  StepResult step(Encoder& model, const data::Batch& batch, const StepContext& context) override {
    const data::TokenBlock& tokens = batch.input("tokens");
    const Tensor rows_P = batch.field("predicted_T"), labels_P = batch.field("label_ids");
    const Tensor hidden_PD =
        generator_->forward(tokens, context.pass(batch, 0)).hidden_TD.index_select(0, rows_P);
    const nn::VocabularyLoss generated =
        head_->loss(hidden_PD, generator_->word_embeddings_VE(), labels_P);
    const Tensor logits_PV = head_->logits(hidden_PD, generator_->word_embeddings_VE()).detach();
    data::TokenBlock corrupted = tokens;
    corrupted.ids_T = tokens.ids_T.index_copy(0, rows_P, sample(logits_PV, batch, context));
    const Tensor replaced_T =
        corrupted.ids_T.ne(tokens.ids_T.index_copy(0, rows_P, labels_P)).to(torch::kFloat32);
    const Tensor score_T =
        judge_->logits(model.forward(corrupted, context.pass(batch, 1)).hidden_TD);
    const Tensor loss_T =
        at::binary_cross_entropy_with_logits(score_T, replaced_T, {}, {}, at::Reduction::None);
    return {.parts = {{.name = "generator", .sum = generated.sum},
                      {.name = "discriminator", .sum = loss_T.sum(), .weight = 50}},
            .counts = {{"replaced", replaced_T.sum().item<double>()}}};
  }

 private:
  /// Gumbel-max draws that hang on the example and the step alone.
  static Tensor sample(const Tensor& logits_PV, const data::Batch& batch,
                       const StepContext& context) {
    std::vector<Tensor> noise;
    for (const uint64_t id : batch.example_ids) {
      const uint64_t key = combine_keys(
          combine_keys(combine_keys(context.seed, key_of_name("sample")), context.step), id);
      RandomStream draw(key, "gumbel");
      std::vector<float> row(static_cast<size_t>(logits_PV.size(1)));
      for (float& g : row) {
        const double u = (static_cast<double>(draw.next() >> 11) + 0.5) * 0x1p-53;
        g = static_cast<float>(-std::log(-std::log(u)));
      }
      noise.push_back(torch::tensor(row));
    }
    return (logits_PV + torch::stack(noise)).argmax(1);
  }

  std::shared_ptr<Encoder> generator_;
  std::shared_ptr<MlmHead> head_;
  std::shared_ptr<ReplacedTokenHead> judge_;
};

double gradient_size(torch::nn::Module& module) {
  double size = 0;
  for (const Tensor& parameter : module.parameters()) {
    if (parameter.grad().defined()) size += parameter.grad().abs().sum().item<double>();
  }
  return size;
}

TEST(ToyObjective, TwoForwardsWithSamplingDoNotDependOnHowABatchIsCut) {
  const LoadedModel model = make_model(small_description("BertModel"), {.seed = 1});
  ReplacedTokens objective(model.description.encoder, 2);
  expect_cut_invariance(*model.encoder, objective);
}

TEST(ToyObjective, EachPartTrainsItsOwnNetwork) {
  const LoadedModel model = make_model(small_description("BertModel"), {.seed = 1});
  ReplacedTokens objective(model.description.encoder, 2);
  const StepContext context{.training = true, .seed = 5, .step = 1};
  const StepResult result = objective.step(*model.encoder, batch_of({1, 2, 3}), context);
  result.parts[1].sum.backward();
  EXPECT_GT(gradient_size(*model.encoder), 0.0);
  EXPECT_EQ(gradient_size(*objective.modules()[0].module), 0.0);  // sampling cuts the path
  result.parts[0].sum.backward();
  EXPECT_GT(gradient_size(*objective.modules()[0].module), 0.0);
}

TEST(ToyObjective, OwnedModulesAreSavedUnderTheirPrefixesAndRestored) {
  const LoadedModel model = make_model(small_description("BertModel"), {.seed = 1});
  ReplacedTokens objective(model.description.encoder, 2), other(model.description.encoder, 3);
  const auto modules_of = [&](Objective& o) {
    auto modules = model.modules();
    for (const OwnedModule& owned : o.modules()) modules.push_back(owned);
    return modules;
  };
  const auto folder = testing::fresh_folder("toy");
  write_model(folder, model.description, modules_of(objective));
  read_weights(folder, modules_of(other));
  for (size_t i = 0; i < 3; ++i) {
    const auto mine = objective.modules()[i].module->parameters(),
               theirs = other.modules()[i].module->parameters();
    for (size_t p = 0; p < mine.size(); ++p) EXPECT_TRUE(torch::equal(mine[p], theirs[p]));
  }
}

}  // namespace
}  // namespace tenfold::model
