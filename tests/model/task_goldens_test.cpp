// Task objectives against the reference implementation: the loss and every gradient.
// Not here: logits (golden_model_test.cpp) and tasks the reference results lack
// (task_objectives_test.cpp).
#include <gmock/gmock.h>

#include "goldens.h"
#include "model/checkpoint.h"
#include "model/sequence_objectives.h"
#include "model/span_objective.h"
#include "model/tagging_objective.h"

namespace tenfold::model {
namespace {

using testing::golden_model;

/// A reference model in double precision beside its padded inputs and results.
struct TaskGolden {
  LoadedModel model;
  SafetensorsFile file;
  std::vector<int64_t> lengths;

  static TaskGolden open(const std::string& name) {
    const auto folder = golden_model(name);
    auto file = SafetensorsFile::open(folder / "expected.safetensors");
    auto lengths = testing::lengths_of(file.tensor("in.attention_mask"));
    return {load_model(folder, {.tensors = torch::TensorOptions().dtype(torch::kFloat64)}),
            std::move(file), std::move(lengths)};
  }

  Tensor real(const std::string& name) const {
    return testing::real_rows(file.tensor(name), lengths);
  }

  data::Batch batch() const {
    data::Batch batch;
    data::TokenBlock& block = batch.inputs["tokens"];
    block.layout = SequenceLayout::of_lengths(lengths);
    block.ids_T = real("in.input_ids");
    block.segments_T = real("in.token_type_ids");
    return batch;
  }

  /// The same with padding as tokens that nobody sees.
  data::Batch padded_batch() const {
    data::Batch batch;
    data::TokenBlock& block = batch.inputs["tokens"];
    const Tensor ids_Bn = file.tensor("in.input_ids");
    block.layout = SequenceLayout::of_lengths(
        std::vector<int64_t>(static_cast<size_t>(ids_Bn.size(0)), ids_Bn.size(1)));
    block.ids_T = ids_Bn.flatten();
    block.segments_T = file.tensor("in.token_type_ids").flatten();
    block.mask.keep_S = file.tensor("in.attention_mask").flatten().ne(0);
    return batch;
  }

  void expect_equal(Objective& objective, const data::Batch& batch, double denominator) const {
    const StepResult result = objective.step(*model.encoder, batch, {.training = false});
    const Tensor loss = result.parts.at(0).sum / denominator;
    EXPECT_NEAR(loss.item<double>(), file.tensor("f64.loss").item<double>(), 1e-9);
    loss.backward();
    std::vector<OwnedModule> modules = objective.modules();
    modules.push_back(model.encoder_module());
    size_t compared = 1;
    for (const OwnedModule& owned : modules) {
      for (const auto& item : owned.module->named_parameters()) {
        const std::string name = "grad." + owned.prefix + item.key();
        ASSERT_TRUE(file.has(name)) << name;
        const Tensor expected = file.tensor(name).to(torch::kDouble);
        const Tensor got =
            item.value().grad().defined() ? item.value().grad() : torch::zeros_like(item.value());
        EXPECT_TRUE(torch::allclose(got, expected, 1e-4, 1e-5)) << name;
        ++compared;
      }
    }
    tenfold::testing::compared_goldens(compared);
  }
};

TEST(TaskGoldens, Tagging) {
  TENFOLD_COMPARES_GOLDENS();
  const TaskGolden golden = TaskGolden::open("bert-tokens");
  data::Batch batch = golden.batch();
  const Tensor tags_T = golden.real("in.labels");
  batch.fields["word_rows"] = torch::arange(tags_T.size(0));
  batch.fields["tags"] = tags_T;
  TaggingObjective objective(golden.model.token_classifier);
  golden.expect_equal(objective, batch, tags_T.ge(0).sum().item<double>());
}

TEST(TaskGoldens, SpansWithPaddingInTheSoftmaxAsTheReferenceHasIt) {
  TENFOLD_COMPARES_GOLDENS();
  const TaskGolden golden = TaskGolden::open("bert-qa");
  data::Batch batch = golden.padded_batch();
  const Tensor first_B = batch.input("tokens").layout.first_rows();
  batch.fields["begin"] = first_B + golden.file.tensor("in.start_positions");
  batch.fields["end"] = first_B + golden.file.tensor("in.end_positions");
  SpanObjective objective(golden.model.span);
  golden.expect_equal(objective, batch, static_cast<double>(golden.lengths.size()));
}

TEST(TaskGoldens, SpansWithoutPaddingEqualTheDefinitionOnTheReferenceLogits) {
  TENFOLD_COMPARES_GOLDENS();
  const TaskGolden golden = TaskGolden::open("bert-qa");
  data::Batch batch = golden.batch();
  double expected = 0;
  std::vector<Tensor> rows;
  for (const std::string end : {"start", "end"}) {
    const Tensor logits_Bn = golden.file.tensor("f64." + end + "_logits");
    const Tensor places_B = golden.file.tensor("in." + end + "_positions");
    rows.push_back(places_B + batch.input("tokens").layout.first_rows());
    for (size_t b = 0; b < golden.lengths.size(); ++b) {
      const auto at = static_cast<int64_t>(b);
      const Tensor real_N = logits_Bn[at].slice(0, 0, golden.lengths[b]);
      expected -= real_N.log_softmax(0)[places_B[at].item<int64_t>()].item<double>() / 2;
    }
  }
  batch.fields["begin"] = rows[0];
  batch.fields["end"] = rows[1];
  SpanObjective objective(golden.model.span);
  const StepResult result = objective.step(*golden.model.encoder, batch, {.training = false});
  EXPECT_NEAR(result.parts[0].sum.item<double>(), expected, 1e-9);
  tenfold::testing::compared_goldens(1);
}

TEST(TaskGoldens, Regression) {
  TENFOLD_COMPARES_GOLDENS();
  const TaskGolden golden = TaskGolden::open("bert-regression");
  data::Batch batch = golden.batch();
  batch.fields["targets"] = golden.file.tensor("in.labels").unsqueeze(1);
  RegressionObjective objective(golden.model.classifier);
  golden.expect_equal(objective, batch, static_cast<double>(golden.lengths.size()));
}

}  // namespace
}  // namespace tenfold::model
