// Directories that other programs wrote: PyTorch's weights in one file or in shards, old names,
// other frameworks; and rewriting them. Not here: the PyTorch format itself
// (tests/tensor/torch_checkpoint_test.cpp).
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "goldens.h"
#include "model/checkpoint.h"
#include "model/convert.h"
#include "tenfold/error.h"
#include "tiny_model.h"
#include "torch_file.h"

namespace tenfold::model {
namespace {

namespace fs = std::filesystem;
using testing::fresh_folder;
using ::testing::HasSubstr;

LoadedModel tiny_import(const std::string& family, Head head) {
  ModelDescription description = testing::tiny_description();
  description.encoder.family = family;
  description.encoder.embedding_size = family == "electra" ? 4 : 0;
  description.architecture = family_of(family, "test").architecture(head);
  description.labels = {"no", "yes"};
  return make_model(description, {.seed = 3});
}

NamedTensors named_weights(const LoadedModel& model) {
  NamedTensors tensors;
  for (const OwnedModule& owned : model.modules()) {
    for (const auto& item : owned.module->named_parameters())
      tensors.emplace_back(owned.prefix + item.key(), item.value().detach());
  }
  return tensors;
}

bool equal_models(const LoadedModel& a, const LoadedModel& b) {
  const NamedTensors left = named_weights(a), right = named_weights(b);
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](const auto& one, const auto& other) {
                      return one.first == other.first && torch::equal(one.second, other.second);
                    });
}

void put_bytes(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

/// The model's directory with its weights as torch.save writes them.
fs::path pytorch_folder(const LoadedModel& model, const std::string& name) {
  const fs::path folder = fresh_folder(name);
  put_bytes(folder / "config.json", description_json(model.description));
  put_bytes(folder / "pytorch_model.bin",
            tenfold::testing::torch_checkpoint_of(named_weights(model)));
  return folder;
}

std::string load_refusal(const fs::path& folder, ErrorKind kind) {
  try {
    load_model(folder);
  } catch (const Error& error) {
    EXPECT_EQ(static_cast<int>(error.kind()), static_cast<int>(kind)) << error.what();
    return error.what();
  }
  return "accepted";
}

TEST(PyTorchWeights, AreThoseOfEveryFamily) {
  for (const std::string& family : family_names()) {
    const LoadedModel made = tiny_import(family, Head::classifier);
    const LoadedModel read = load_model(pytorch_folder(made, "pytorch"));
    EXPECT_TRUE(equal_models(made, read)) << family;
    EXPECT_THAT(read.warnings, ::testing::IsEmpty()) << family;
  }
}

TEST(PyTorchWeights, InShardsWithAnIndex) {
  const LoadedModel made = tiny_import("bert", Head::mlm);
  const fs::path folder = pytorch_folder(made, "pytorch-shards");
  const NamedTensors all = named_weights(made);
  const auto middle = all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2);
  nlohmann::json index{{"metadata", {{"total_size", 1}}}};
  int shard = 0;
  for (const NamedTensors& part :
       {NamedTensors(all.begin(), middle), NamedTensors(middle, all.end())}) {
    const std::string name = fmt::format("pytorch_model-{:05}-of-00002.bin", ++shard);
    put_bytes(folder / name, tenfold::testing::torch_checkpoint_of(part));
    for (const auto& [tensor, value] : part) index["weight_map"][tensor] = name;
  }
  fs::remove(folder / "pytorch_model.bin");
  put_bytes(folder / "pytorch_model.bin.index.json", index.dump());
  EXPECT_TRUE(equal_models(made, load_model(folder)));
  fs::remove(folder / "pytorch_model-00002-of-00002.bin");
  EXPECT_THAT(load_refusal(folder, ErrorKind::checkpoint), HasSubstr("is missing"));
}

TEST(PyTorchWeights, OldNamesAndATiedCopy) {
  const LoadedModel made = tiny_import("bert", Head::mlm);
  const fs::path folder = pytorch_folder(made, "pytorch-old");
  NamedTensors old;
  for (auto [name, value] : named_weights(made)) {
    for (const auto& [now, then] : {std::pair("LayerNorm.weight", "LayerNorm.gamma"),
                                    std::pair("LayerNorm.bias", "LayerNorm.beta")}) {
      if (name.ends_with(now))
        name.replace(name.size() - std::strlen(now), std::string::npos, then);
    }
    old.emplace_back(name, value);
  }
  old.emplace_back("cls.predictions.decoder.weight", made.encoder->word_embeddings_VE().detach());
  put_bytes(folder / "pytorch_model.bin", tenfold::testing::torch_checkpoint_of(old));
  const LoadedModel read = load_model(folder);
  EXPECT_TRUE(equal_models(made, read));
  EXPECT_THAT(read.warnings, ::testing::IsEmpty());
}

TEST(PyTorchWeights, SafetensorsComeFirstWhereBothAreThere) {
  const LoadedModel made = tiny_import("bert", Head::none);
  const fs::path folder = pytorch_folder(made, "both");
  write_model(folder, made.description, made.modules());
  put_bytes(folder / "pytorch_model.bin", "damaged");
  EXPECT_TRUE(equal_models(made, load_model(folder)));
}

TEST(OtherFrameworks, AreRefusedWithTheWayToConvertThem) {
  const LoadedModel made = tiny_import("bert", Head::none);
  const fs::path folder = pytorch_folder(made, "other");
  fs::remove(folder / "pytorch_model.bin");
  EXPECT_THAT(load_refusal(folder, ErrorKind::checkpoint),
              HasSubstr("neither model.safetensors nor"));
  put_bytes(folder / "bert_model.ckpt.index", "x");
  EXPECT_THAT(load_refusal(folder, ErrorKind::unsupported),
              HasSubstr("convert_bert_original_tf_checkpoint_to_pytorch --tf_checkpoint_path"));
  fs::remove(folder / "bert_model.ckpt.index");
  put_bytes(folder / "tf_model.h5", "x");
  EXPECT_THAT(load_refusal(folder, ErrorKind::unsupported), HasSubstr("from_tf=True"));
}

TEST(Convert, WritesSafetensorsAndTakesTheOtherFilesOver) {
  const LoadedModel made = tiny_import("electra", Head::token_classifier);
  const fs::path folder = pytorch_folder(made, "to-convert");
  put_bytes(folder / "vocab.txt", "[PAD]\n");
  const fs::path out = fresh_folder("converted") / "out";
  const Conversion done = convert_directory(folder, out);
  EXPECT_EQ(done.architecture, "ElectraForTokenClassification");
  EXPECT_THAT(done.copied, ::testing::ElementsAre("vocab.txt"));
  EXPECT_TRUE(fs::exists(out / "model.safetensors"));
  EXPECT_FALSE(fs::exists(out / "pytorch_model.bin"));
  EXPECT_TRUE(equal_models(made, load_model(out)));
  EXPECT_THROW(convert_directory(folder, out), Error) << "the folder is there already";
}

TEST(Convert, ChangesTheNumberFormatWhereAsked) {
  const LoadedModel made = tiny_import("bert", Head::none);
  const fs::path out = fresh_folder("narrowed") / "out";
  convert_directory(pytorch_folder(made, "to-narrow"), out, {.dtype = torch::kBFloat16});
  const LoadedModel narrow = load_model(out);
  EXPECT_EQ(narrow.description.dtype, "bfloat16");
  EXPECT_TRUE(
      torch::equal(narrow.encoder->word_embeddings_VE(),
                   made.encoder->word_embeddings_VE().to(torch::kBFloat16).to(torch::kFloat)));
  const fs::path again = fresh_folder("narrow-again") / "out";
  EXPECT_EQ(convert_directory(out, again).dtype, "bfloat16") << "narrow weights stay narrow";
}

TEST(Convert, LeavesNothingBehindWhereItFails) {
  const LoadedModel made = tiny_import("bert", Head::none);
  const fs::path folder = pytorch_folder(made, "to-fail");
  put_bytes(folder / "pytorch_model.bin", "damaged");
  const fs::path parent = fresh_folder("failed");
  EXPECT_THROW(convert_directory(folder, parent / "out"), Error);
  EXPECT_TRUE(fs::is_empty(parent));
}

}  // namespace
}  // namespace tenfold::model
