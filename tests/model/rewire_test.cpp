// Another attention for a model that is there: what stays, what is drawn, what goes, the way back,
// and what is refused. Not here: conversion of formats (imports_test.cpp) or the kinds themselves.
#include "model/rewire.h"

#include <gmock/gmock.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "model/convert.h"
#include "nn/attention_table.h"
#include "support/fail.h"
#include "support/files.h"
#include "tiny_model.h"

namespace tenfold::model {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using testing::fresh_folder;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct AveragingOptions {
  int64_t longest = 0;
  bool sees_everything = true;
  void fields(config::FieldVisitor& v) {
    v.field("longest", longest, "tokens of the longest sequence; 0: any");
    v.field("sees_everything", sees_everything, "whether tokens see what follows them");
  }
};

/// The mean of a sequence's values: a value projection like softmax's, and a weight and a buffer of
/// its own.
class Averaging final : public nn::Attention {
 public:
  Averaging(const nn::AttentionShape& shape, const AveragingOptions& options, uint64_t seed,
            torch::TensorOptions tensors)
      : options_(options) {
    const int64_t channels = shape.heads * shape.head_size;
    value_ = register_module(
        "value", std::make_shared<nn::Linear>(nn::LinearSpec{.in = shape.width, .out = channels},
                                              seed, tensors));
    strength_ = register_parameter(
        "strength", torch::full({channels}, static_cast<double>(seed % 1000 + 1), tensors));
    drawn_ = register_buffer("drawn", torch::full({2}, static_cast<double>(seed % 1000), tensors));
  }
  static nn::AttentionTraits traits_of(const AveragingOptions& options) {
    return {.kinds = options.sees_everything ? std::vector<See>{See::all, See::past}
                                             : std::vector<See>{See::past},
            .fixed_length = options.longest};
  }
  static double flops_of(const nn::AttentionShape& shape, const AveragingOptions&,
                         const nn::AttentionLoad& load) {
    return load.tokens * static_cast<double>(2 * shape.width * shape.heads * shape.head_size);
  }
  nn::AttentionTraits traits() const override { return traits_of(options_); }
  nn::AttentionOut forward(const nn::AttentionIn& in) const override {
    std::vector<Tensor> rows;
    for (const Tensor& part :
         in.context.query_layout.split(value_->forward(in.source_SD) * strength_))
      rows.push_back(part.mean(0, true).expand_as(part));
    return {at::cat(rows), nullptr};
  }
  std::unique_ptr<nn::AttentionMemory> new_memory(int64_t, int64_t) const override {
    fail(ErrorKind::unsupported, "attention", "no memory");
  }

 private:
  AveragingOptions options_;
  std::shared_ptr<nn::Linear> value_;
  Tensor strength_, drawn_;
};

const bool kRegistered = [] {
  nn::attention_table().add(
      nn::attention_kind<Averaging, AveragingOptions>("averaging", "the mean of the values", ""));
  return true;
}();

Rewiring to_averaging(const AveragingOptions& options = {}) {
  return {.attention = config::Choice::of("averaging", options)};
}

Rewiring to_softmax() { return {.attention = config::Choice::of("softmax", config::NoOptions{})}; }

ModelDescription tiny_classifier() {
  ModelDescription description = testing::tiny_description();
  description.architecture = "BertForSequenceClassification";
  description.labels = {"no", "yes"};
  return description;
}

std::vector<std::string> patterns(const std::vector<TensorGroup>& groups) {
  std::vector<std::string> names;
  for (const TensorGroup& group : groups) names.push_back(group.pattern);
  return names;
}

std::string text_of(const fs::path& path) { return read_file(path, 1 << 20); }

nlohmann::json config_of(const fs::path& folder) {
  return nlohmann::json::parse(text_of(folder / "config.json"));
}

std::string refusal_of(const Rewiring& rewiring, const ModelDescription& description) {
  const LoadedModel model = make_model(description, {.seed = 3});
  try {
    rewire(model, rewiring);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::config);
    return error.what();
  }
  return "accepted";
}

TEST(Rewire, KeepsWhatBothKnowAndDrawsTheRest) {
  ASSERT_TRUE(kRegistered);
  const LoadedModel before = make_model(tiny_classifier(), {.seed = 3});
  const Rewired after = rewire(before, to_averaging());
  const std::string self = "bert.encoder.layer.*.attention.self.";
  EXPECT_THAT(patterns(after.fresh), ElementsAre(self + "strength", self + "drawn"));
  EXPECT_THAT(after.fresh[0].layers, ElementsAre(0, 1));
  EXPECT_THAT(after.fresh[0].shape, ElementsAre(8));
  EXPECT_THAT(patterns(after.dropped), ElementsAre(self + "query.weight", self + "query.bias",
                                                   self + "key.weight", self + "key.bias"));
  std::set<std::string> kept;
  int64_t tensors = 0;
  for (const TensorGroup& group : after.kept) {
    kept.insert(group.pattern);
    tensors += group.tensors();
  }
  for (const std::string& name :
       {std::string("bert.embeddings.word_embeddings.weight"), self + "value.weight",
        std::string("bert.pooler.dense.weight"), std::string("classifier.weight")})
    EXPECT_TRUE(kept.contains(name)) << name;
  const auto old = before.encoder->named_parameters(),
             now = after.model.encoder->named_parameters();
  for (const auto& item : now) {
    if (old.contains(item.key())) {
      EXPECT_TRUE(torch::equal(item.value(), old[item.key()])) << item.key();
    }
  }
  EXPECT_EQ(tensors + 2, static_cast<int64_t>(now.size()) + 2)
      << "classifier's two, strength's two";
}

TEST(Rewire, TheSeedDecidesNewWeightsAlone) {
  const LoadedModel before = make_model(testing::tiny_description(), {.seed = 3});
  Rewiring rewiring = to_averaging();
  const auto strength = [&](uint64_t seed) {
    rewiring.seed = seed;
    return rewire(before, rewiring)
        .model.encoder->named_parameters()["encoder.layer.1.attention.self.strength"]
        .detach();
  };
  EXPECT_TRUE(torch::equal(strength(1), strength(1)));
  EXPECT_FALSE(torch::equal(strength(1), strength(2)));
}

TEST(Rewire, TheSameKindKeepsItsBuffers) {
  const LoadedModel before = rewire(make_model(testing::tiny_description(), {.seed = 3}),
                                    {.attention = to_averaging().attention, .seed = 5})
                                 .model;
  const Rewired after =
      rewire(before, {.attention = to_averaging({.longest = 6}).attention, .seed = 6});
  EXPECT_THAT(after.fresh, IsEmpty());
  const std::string name = "encoder.layer.1.attention.self.drawn";
  EXPECT_TRUE(torch::equal(before.encoder->named_buffers()[name],
                           after.model.encoder->named_buffers()[name]));
}

TEST(Rewire, WritesADirectoryThatLoadsAgainAndLeadsBack) {
  ModelDescription description = tiny_classifier();
  description.encoder.layers.resize(2);  // two runs of one layer
  const auto made = testing::written(description, "rewire-from");
  std::ofstream(made.folder / "vocab.txt") << "[PAD]\n";
  const fs::path there = fresh_folder("rewire-there") / "out",
                 back = fresh_folder("rewire-back") / "out";
  const Conversion done =
      convert_directory(made.folder, there, {.rewiring = to_averaging({.longest = 6})});
  EXPECT_THAT(done.copied, ElementsAre("vocab.txt"));
  EXPECT_EQ(config_of(there).at("model_type"), "tenfold-bert");
  const LoadedModel loaded = load_model(there);
  EXPECT_THAT(loaded.warnings, IsEmpty());
  EXPECT_EQ(loaded.description.encoder.attention.kind, "averaging");
  EXPECT_EQ(loaded.description.encoder.attention.as<AveragingOptions>().longest, 6);
  EXPECT_THAT(loaded.description.encoder.layers, IsEmpty()) << "two equal runs are one";
  EXPECT_THAT(loaded.description.labels, ElementsAre("no", "yes"));
  const auto tokens = testing::batch_of({1, 2}).input("tokens");
  EXPECT_TRUE(loaded.encoder->forward(tokens, {}).hidden_TD.isfinite().all().item<bool>());

  convert_directory(there, back, {.rewiring = to_softmax()});
  const nlohmann::json config = config_of(back);
  EXPECT_EQ(config.at("model_type"), "bert");
  EXPECT_FALSE(config.at("tenfold").contains("model"));
  const LoadedModel again = load_model(back);
  const auto old = made.model.encoder->named_parameters(), now = again.encoder->named_parameters();
  ASSERT_EQ(old.keys(), now.keys());
  for (const auto& item : now) {
    const bool drawn = item.key().find("self.query") != std::string::npos ||
                       item.key().find("self.key.weight") != std::string::npos;
    EXPECT_EQ(torch::equal(item.value(), old[item.key()]), !drawn || item.key().ends_with("bias"))
        << item.key();
  }
}

TEST(Rewire, ResidualAttentionKeepsEveryWeight) {
  const auto made = testing::written(testing::tiny_description(), "rewire-residual");
  const fs::path out = fresh_folder("rewire-residual-out") / "out";
  const Conversion done =
      convert_directory(made.folder, out, {.rewiring = Rewiring{.residual_attention = true}});
  EXPECT_THAT(done.fresh, IsEmpty());
  EXPECT_THAT(done.dropped, IsEmpty());
  EXPECT_EQ(config_of(out).at("model_type"), "tenfold-bert");
  EXPECT_TRUE(load_model(out).description.encoder.residual_attention);
  const LoadedModel mean =
      rewire(made.model, {.residual_attention = true, .residual_mean = true}).model;
  EXPECT_TRUE(mean.description.encoder.residual_mean);
  EXPECT_FALSE(rewire(mean, to_softmax()).model.description.encoder.residual_mean);
  EXPECT_THAT(refusal_of({.residual_mean = true}, testing::tiny_description()),
              HasSubstr("residual_attention carries, which is off"));
}

TEST(Rewire, RefusesWhatTheKindCannotDo) {
  const ModelDescription description = testing::tiny_description();
  EXPECT_THAT(
      refusal_of(to_averaging({.longest = 5}), description),
      HasSubstr("'averaging' attention is built for at most 5 tokens, but the model takes 6"));
  EXPECT_EQ(refusal_of(to_averaging({.longest = 6}), description), "accepted");
  EXPECT_THAT(refusal_of(to_averaging({.sees_everything = false}), description),
              HasSubstr("does not honour the mask"));
  Rewiring residual = to_averaging();
  residual.residual_attention = true;
  EXPECT_THAT(refusal_of(residual, description), HasSubstr("never forms scores"));
}

TEST(Rewire, LeavesNothingBehindWhereItIsRefused) {
  const auto made = testing::written(testing::tiny_description(), "rewire-refused");
  const fs::path parent = fresh_folder("rewire-refused-out");
  EXPECT_THROW(
      convert_directory(made.folder, parent / "out", {.rewiring = to_averaging({.longest = 2})}),
      Error);
  EXPECT_TRUE(fs::is_empty(parent));
}

}  // namespace
}  // namespace tenfold::model
