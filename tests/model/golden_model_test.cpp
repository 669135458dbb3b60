// The encoder and its heads against the reference implementation: hidden states, logits, losses,
// every gradient; and the verdict on every hostile model directory. Not here: objectives
// (objective_test.cpp) and writing (checkpoint_test.cpp).
#include <fmt/ranges.h>
#include <gmock/gmock.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "goldens.h"
#include "model/checkpoint.h"
#include "model/verify.h"

namespace tenfold::model {
namespace {

using testing::golden_model;
using ::testing::HasSubstr;

int count_prefix(const SafetensorsFile& file, std::string_view prefix) {
  int count = 0;
  for (const TensorEntry& entry : file.entries()) count += entry.name.starts_with(prefix) ? 1 : 0;
  return count;
}

class GoldenModel : public ::testing::TestWithParam<const char*> {};

TEST_P(GoldenModel, EqualsTheReferenceInEveryTensor) {
  TENFOLD_COMPARES_GOLDENS();
  const auto folder = golden_model(GetParam());
  const auto expected = SafetensorsFile::open(folder / "expected.safetensors");
  const Verification verification = verify_against(folder, folder / "expected.safetensors");
  EXPECT_THAT(verification.warnings, ::testing::IsEmpty());
  int gradients = 0;
  for (const VerifiedTensor& row : verification.tensors) {
    EXPECT_TRUE(row.passed) << row.name << " differs by " << row.max_abs << ", allowed "
                            << row.allowed;
    gradients += row.name.starts_with("grad.") ? 1 : 0;
  }
  EXPECT_EQ(gradients, count_prefix(expected, "grad."));
  for (const std::string& name : verification.skipped)
    EXPECT_THAT(name, HasSubstr("attentions.")) << name;
  tenfold::testing::compared_goldens(verification.tensors.size());
}

std::string name_of_golden(const ::testing::TestParamInfo<const char*>& golden) {
  std::string name = golden.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Bert, GoldenModel,
                         ::testing::Values("bert-pretraining-gelu", "bert-pretraining-gelu-new",
                                           "bert-mlm", "bert-mlm-sharded", "bert-mlm-bf16",
                                           "bert-mlm-fp16", "bert-classification",
                                           "bert-regression", "bert-tokens", "bert-qa"),
                         name_of_golden);
INSTANTIATE_TEST_SUITE_P(Electra, GoldenModel,
                         ::testing::Values("electra-generator", "electra-discriminator",
                                           "electra-discriminator-no-projection",
                                           "electra-classification"),
                         name_of_golden);

TEST(GoldenEncoder, LastHiddenStateAndPoolerEqualTheBareModel) {
  TENFOLD_COMPARES_GOLDENS();
  for (const char* name : {"bert-pretraining-gelu", "bert-pretraining-gelu-new"}) {
    const auto folder = golden_model(name);
    const auto inputs = SafetensorsFile::open(folder / "expected.safetensors");
    const auto bare = SafetensorsFile::open(folder / "encoder.safetensors");
    const auto joined = testing::fresh_folder("bare") / "expected.safetensors";
    NamedTensors tensors;
    for (const char* in : {"in.input_ids", "in.attention_mask", "in.token_type_ids"}) {
      tensors.emplace_back(in, inputs.tensor(in));
    }
    for (const TensorEntry& entry : bare.entries())
      tensors.emplace_back(entry.name, bare.tensor(entry.name));
    write_safetensors(joined, tensors);
    const Verification verification = verify_against(folder, joined);
    EXPECT_EQ(verification.tensors.size(), 2U);
    EXPECT_TRUE(verification.passed());
    tenfold::testing::compared_goldens(verification.tensors.size());
  }
}

/// One input of UniLM's golden under one mask.
struct UnilmCase {
  std::string mode;
  See see;
};
const UnilmCase kUnilmCases[] = {{"bidirectional", See::all},
                                 {"l2r", See::past},
                                 {"r2l", See::future},
                                 {"seq2seq", See::prefix}};

TEST(GoldenUnilm, EveryMaskKindAndAllOfThemInOneBatch) {
  TENFOLD_COMPARES_GOLDENS();
  torch::NoGradGuard no_gradient;
  const auto folder = golden_model("unilm");
  const auto file = SafetensorsFile::open(folder / "expected.safetensors");
  int compared = 0;
  for (const bool wide : {false, true}) {
    const LoadedModel model = load_model(
        folder,
        {.tensors = torch::TensorOptions().dtype(wide ? torch::kFloat64 : torch::kFloat32)});
    const auto lengths = testing::lengths_of(file.tensor("in.attention_mask"));
    const Tensor source_B = file.tensor("in.source_lengths");
    data::TokenBlock mixed;
    std::vector<int64_t> mixed_lengths;
    std::vector<Tensor> ids, segments, logits;
    mixed.mask.see.clear();
    const double tolerance = wide ? 1e-9 : 1e-4;
    for (const UnilmCase& one : kUnilmCases) {
      data::TokenBlock block;
      block.layout = SequenceLayout::of_lengths(lengths);
      block.ids_T = testing::real_rows(file.tensor("in.input_ids"), lengths);
      block.segments_T = testing::real_rows(file.tensor(one.mode + ".token_type_ids"), lengths);
      block.mask.see = {one.see};
      for (size_t b = 0; b < lengths.size(); ++b) {
        const int64_t source = source_B[static_cast<int64_t>(b)].item<int64_t>();
        if (one.see == See::prefix) block.mask.source.push_back(source);
        mixed.mask.see.push_back(one.see);
        mixed.mask.source.push_back(one.see == See::prefix ? source : 0);
        mixed_lengths.push_back(lengths[b]);
      }
      const auto out =
          model.encoder->forward(block, PassContext::evaluation(), {.all_hidden = true});
      const Tensor expected =
          testing::real_rows(file.tensor((wide ? "f64." : "") + one.mode + ".logits"), lengths);
      const Tensor got = model.mlm->logits(out.hidden_TD, model.encoder->word_embeddings_VE());
      EXPECT_LE((got - expected).abs().max().item<double>(), tolerance) << one.mode;
      ++compared;
      for (size_t i = 0; i < out.all_hidden_TD.size() && !wide; ++i) {
        const Tensor hidden = testing::real_rows(
            file.tensor(fmt::format("{}.hidden_states.{}", one.mode, i)), lengths);
        EXPECT_LE((out.all_hidden_TD[i] - hidden).abs().max().item<double>(), tolerance)
            << one.mode << i;
        ++compared;
      }
      ids.push_back(block.ids_T);
      segments.push_back(block.segments_T);
      logits.push_back(expected);
    }
    mixed.layout = SequenceLayout::of_lengths(mixed_lengths);
    mixed.ids_T = torch::cat(ids);
    mixed.segments_T = torch::cat(segments);
    const auto out = model.encoder->forward(mixed, PassContext::evaluation());
    const Tensor got = model.mlm->logits(out.hidden_TD, model.encoder->word_embeddings_VE());
    EXPECT_LE((got - torch::cat(logits)).abs().max().item<double>(), tolerance) << "mixed kinds";
  }
  tenfold::testing::compared_goldens(static_cast<size_t>(compared));
}

TEST(HostileDirectories, EachGetsItsVerdict) {
  TENFOLD_COMPARES_GOLDENS();
  const auto folder = golden_model("hostile");
  std::ifstream in(folder / "verdicts.json");
  int compared = 0;
  const auto verdicts = nlohmann::json::parse(in);
  for (const auto& row : verdicts.at("folders")) {
    const std::string name = row.at("folder"), wanted = row.at("verdict");
    std::string verdict, message;
    try {
      const LoadedModel model = load_model(folder / name);
      verdict = model.warnings.empty() ? "accept" : "warn";
      message = fmt::format("{}", fmt::join(model.warnings, "; "));
    } catch (const Error& error) {
      verdict = "reject";
      message = error.what();
      EXPECT_EQ(error.exit_code(), name == "model-unknown-type" ? 5 : 4) << message;
    }
    if (name == "model-missing-head") {
      EXPECT_EQ(verdict, "reject") << message;
      const LoadedModel tuned =
          load_model(folder / name, {.head = Head::classifier, .missing = MissingHead::fresh});
      EXPECT_FALSE(tuned.warnings.empty());
    } else {
      EXPECT_EQ(verdict, wanted) << name << ": " << message;
    }
    ++compared;
  }
  EXPECT_GE(compared, 20);
  tenfold::testing::compared_goldens(static_cast<size_t>(compared));
}

TEST(HostileDirectories, MessagesNameWhatIsWrong) {
  TENFOLD_NEEDS_SHARED();
  const auto message_of = [](const std::string& name) -> std::string {
    try {
      load_model(golden_model("hostile/" + name));
    } catch (const Error& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_THAT(message_of("model-missing-encoder-tensor"), HasSubstr("layer.0.output.dense.weight"));
  EXPECT_THAT(message_of("model-wrong-shape"), HasSubstr("[3, 4], [2, 4] was expected"));
  EXPECT_THAT(message_of("model-unknown-type"), HasSubstr("nonesuch"));
  EXPECT_THAT(message_of("index-outside-folder"), HasSubstr("outside the folder"));
  EXPECT_THAT(message_of("model-config-huge"), HasSubstr("hidden_size"));
}

}  // namespace
}  // namespace tenfold::model
