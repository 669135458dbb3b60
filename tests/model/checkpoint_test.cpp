// Model directories written and read back: names, shards, number formats, heads, kept keys.
// Not here: reference values (golden_model_test.cpp).
#include "model/checkpoint.h"

#include <gmock/gmock.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "goldens.h"
#include "tensor/finite.h"
#include "tiny_model.h"

namespace tenfold::model {
namespace {

using testing::fresh_folder;
using testing::tiny_description;
using testing::written;

bool same_weights(const LoadedModel& a, const LoadedModel& b) {
  const auto left = a.modules(), right = b.modules();
  if (left.size() != right.size()) return false;
  for (size_t i = 0; i < left.size(); ++i) {
    const auto mine = left[i].module->named_parameters(),
               other = right[i].module->named_parameters();
    if (mine.size() != other.size()) return false;
    for (const auto& item : mine) {
      if (!torch::equal(item.value(), other[item.key()])) return false;
    }
  }
  return true;
}

TEST(Checkpoint, ReadsBackWhatItWroteForEveryHeadOfEveryFamily) {
  for (const std::string& name : family_names()) {
    const Family& family = family_of(name, "test");
    for (const Head head : {Head::none, Head::mlm, Head::classifier, Head::token_classifier,
                            Head::span, Head::choice, Head::replaced_token}) {
      if (head == Head::replaced_token && name != "electra") continue;
      ModelDescription description = tiny_description();
      description.encoder.family = name;
      description.encoder.embedding_size = name == "electra" ? 4 : 0;
      description.architecture = family.architecture(head);
      description.labels = {"no", "yes", "perhaps"};
      description.problem = ProblemType::multi_label;
      SCOPED_TRACE(description.architecture);
      const LoadedModel made = make_model(description, {.seed = 3});
      const auto folder = fresh_folder("round-trip");
      write_model(folder, made.description, made.modules());
      const LoadedModel read = load_model(folder, {.seed = 4});
      EXPECT_TRUE(same_weights(made, read));
      EXPECT_THAT(read.warnings, ::testing::IsEmpty());
      EXPECT_EQ(read.description.architecture, description.architecture);
      EXPECT_EQ(read.description.labels, made.description.labels);
      EXPECT_EQ(read.description.encoder.embedding_width(), name == "electra" ? 4 : 8);
      if (head == Head::classifier) {
        EXPECT_EQ(read.description.problem, ProblemType::multi_label);
      }
    }
  }
}

TEST(Checkpoint, ReadsBackBothHeadsOfPretraining) {
  ModelDescription description = tiny_description();
  description.architecture = "BertForPreTraining";
  const auto [made, folder] = written(description, "pretraining");
  const LoadedModel read = load_model(folder, {.seed = 4});
  EXPECT_TRUE(same_weights(made, read));
  EXPECT_TRUE(read.mlm != nullptr && read.next_sentence != nullptr);
}

TEST(Checkpoint, AClassifierOfAnotherKindIsNoClassifier) {
  ModelDescription description = tiny_description();
  description.architecture = "BertForTokenClassification";
  description.labels = {"no", "yes"};
  const auto [made, folder] = written(description, "kinds");
  EXPECT_THROW(load_model(folder, {.head = Head::classifier}), Error);
  const LoadedModel tuned =
      load_model(folder, {.head = Head::classifier, .missing = MissingHead::fresh});
  EXPECT_EQ(tuned.warnings.size(), 2U);  // pooler and classifier
}

TEST(Checkpoint, TwoWidthsNeedAFamilyThatHasThem) {
  ModelDescription description = tiny_description();
  description.encoder.embedding_size = 4;
  EXPECT_THROW(make_model(description), Error);
  description.encoder.embedding_size = 0;
  description.encoder.family = "roberta";
  description.encoder.pad_token_id = 5;  // positions 6 and on of 6
  EXPECT_THROW(make_model(description), Error);
}

TEST(Checkpoint, MappedWeightsAreTheSameAndStayTheProcessesOwn) {
  const auto [made, folder] = written(tiny_description(), "mapped");
  const LoadedModel read = load_model(folder, {.map_weights = true});
  EXPECT_TRUE(same_weights(made, read));
  {
    const torch::NoGradGuard no_gradient;
    for (Tensor& weight : read.encoder->parameters()) weight.add_(1);
  }
  EXPECT_FALSE(same_weights(made, read));
  EXPECT_TRUE(same_weights(made, load_model(folder))) << "the file must not have changed";
}

TEST(Checkpoint, AFreshHeadAndPoolerAreDrawnFromTheSeed) {
  const auto [made, folder] = written(tiny_description(), "fresh-head");
  const LoadOptions options{
      .head = Head::classifier, .missing = MissingHead::fresh, .labels = {"no", "yes"}, .seed = 5};
  const LoadedModel once = load_model(folder, options), again = load_model(folder, options);
  EXPECT_TRUE(same_weights(once, again));
  for (const Tensor& weight : once.encoder->parameters()) {
    EXPECT_TRUE(all_finite(weight));
    EXPECT_LT(weight.abs().max().item<double>(), 1.5);
  }
}

TEST(Checkpoint, ShardsAboveTheLimitAndNarrowTypes) {
  ModelDescription description = tiny_description();
  description.architecture = "BertForMaskedLM";
  const auto [made, folder] = written(description, "shards", {.shard_bytes = 2000});
  EXPECT_FALSE(std::filesystem::exists(folder / "model.safetensors"));
  EXPECT_TRUE(std::filesystem::exists(folder / "model.safetensors.index.json"));
  EXPECT_TRUE(same_weights(made, load_model(folder)));

  const auto narrow = fresh_folder("bf16");
  write_model(narrow, made.description, made.modules(), {.dtype = torch::kBFloat16});
  const LoadedModel read = load_model(narrow);
  EXPECT_EQ(read.description.dtype, "bfloat16");
  EXPECT_TRUE(
      torch::equal(read.encoder->word_embeddings_VE(),
                   made.encoder->word_embeddings_VE().to(torch::kBFloat16).to(torch::kFloat32)));
}

TEST(Checkpoint, TiedWeightsAreStoredOnceAndUnknownKeysSurvive) {
  TENFOLD_NEEDS_SHARED();
  const LoadedModel model = load_model(testing::golden_model("bert-pretraining-gelu"));
  const auto folder = fresh_folder("saved");
  write_model(folder, model.description, model.modules());
  const auto before =
      SafetensorsFile::open(testing::golden_model("bert-pretraining-gelu") / "model.safetensors");
  const auto after = SafetensorsFile::open(folder / "model.safetensors");
  EXPECT_EQ(before.entries().size(), after.entries().size());
  for (const TensorEntry& entry : before.entries()) {
    EXPECT_TRUE(torch::equal(before.tensor(entry.name), after.tensor(entry.name))) << entry.name;
  }
  std::ifstream in(folder / "config.json");
  const auto config = nlohmann::json::parse(in);
  EXPECT_EQ(config.at("add_cross_attention"), false);
  EXPECT_EQ(config.at("model_type"), "bert");
  EXPECT_EQ(config.at("architectures").at(0), "BertForPreTraining");
}

TEST(Checkpoint, ADecoderOfItsOwnIsRefusedATiedCopyTaken) {
  ModelDescription description = tiny_description();
  description.architecture = "BertForMaskedLM";
  const auto [made, folder] = written(description, "untied");
  for (const double shift : {0.0, 1.0}) {
    NamedTensors tensors;
    {
      const auto file = SafetensorsFile::open(folder / "model.safetensors");
      for (const TensorEntry& entry : file.entries()) {
        if (!entry.name.ends_with("decoder.weight"))
          tensors.emplace_back(entry.name, file.tensor(entry.name).clone());
      }
    }
    tensors.emplace_back("cls.predictions.decoder.weight",
                         made.encoder->word_embeddings_VE().detach() + shift);
    write_safetensors(folder / "model.safetensors", tensors);
    if (shift == 0) {
      EXPECT_THAT(load_model(folder).warnings, ::testing::IsEmpty());
    } else {
      EXPECT_THROW(load_model(folder), Error);
    }
  }
}

TEST(Checkpoint, FineTuningTakesTheEncoderAndMakesTheHead) {
  ModelDescription description = tiny_description();
  description.architecture = "BertForMaskedLM";
  const auto [made, folder] = written(description, "tune");
  const LoadOptions fresh{
      .head = Head::classifier, .missing = MissingHead::fresh, .labels = {"a", "b"}, .seed = 5};
  const LoadedModel tuned = load_model(folder, fresh);
  EXPECT_EQ(tuned.warnings.size(), 2U);  // pooler and classifier
  EXPECT_TRUE(
      torch::equal(tuned.encoder->word_embeddings_VE(), made.encoder->word_embeddings_VE()));
  EXPECT_EQ(tuned.description.architecture, "BertForSequenceClassification");
  EXPECT_THROW(load_model(folder, {.head = Head::classifier, .labels = {"a", "b"}}), Error);
}

TEST(Checkpoint, OtherLabelsMakeAFreshClassifier) {
  ModelDescription description = tiny_description();
  description.architecture = "BertForSequenceClassification";
  description.labels = {"no", "yes"};
  const auto [made, folder] = written(description, "labels");
  LoadOptions options{
      .head = Head::classifier, .missing = MissingHead::fresh, .labels = {"no", "yes"}, .seed = 9};
  const auto weight = [](const LoadedModel& model) {
    return model.classifier->owned().module->named_parameters()["weight"];
  };
  EXPECT_TRUE(torch::equal(weight(load_model(folder, options)), weight(made)));
  options.labels = {"red", "green", "blue"};
  EXPECT_EQ(weight(load_model(folder, options)).size(0), 3);
}

TEST(Checkpoint, ReadWeightsRestoresEveryBit) {
  ModelDescription description = tiny_description();
  description.architecture = "BertForMaskedLM";
  const LoadedModel made = make_model(description, {.seed = 3}),
                    other = make_model(description, {.seed = 4});
  const auto folder = fresh_folder("restore");
  write_model(folder, made.description, made.modules());
  EXPECT_FALSE(same_weights(made, other));
  read_weights(folder, other.modules());
  EXPECT_TRUE(same_weights(made, other));
}

TEST(Checkpoint, StackRunsSurviveUnderOurOwnKey) {
  ModelDescription description = tiny_description();
  description.encoder.layers.resize(2);
  description.encoder.layers[1].intermediate_size = 20;
  const auto [made, folder] = written(description, "runs");
  const LoadedModel read = load_model(folder);
  EXPECT_TRUE(same_weights(made, read));
  ASSERT_EQ(read.description.encoder.layers.size(), 2U);
  EXPECT_EQ(read.description.encoder.layers[1].intermediate_size, 20);
}

}  // namespace
}  // namespace tenfold::model
