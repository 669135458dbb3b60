// A trained model as an application uses it: text in; vectors, filled blanks or labels out.
// Not here: training, or the tensors inside (src/model).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tenfold {

/// A class with its probability.
struct LabelScore {
  std::string label;
  double score = 0;
};

/// A token proposed for a blank.
struct TokenScore {
  std::string token;
  int32_t id = 0;
  double score = 0;
};

/// One [MASK] of a text: its place among the tokens, and the best candidates first.
struct FilledMask {
  size_t position = 0;
  std::vector<TokenScore> candidates;
};

/// A model directory with its tokenizer, on the CPU. Copies share the weights; every const function
/// may be called from many threads at once. Texts longer than the model's positions are cut at
/// their end.
///
///   const auto model = tenfold::Model::load("runs/sst2/best");
///   const std::string_view texts[] = {"a fine film"};
///   const auto label = model.classify(texts)[0][0].label;
class Model {
 public:
  /// Error{checkpoint} where files are missing, damaged or do not fit each other;
  /// Error{unsupported} for another family of models.
  static Model load(const std::filesystem::path& directory);

  /// The mean of each text's last hidden states, special tokens included: one vector of width()
  /// numbers a text.
  std::vector<std::vector<float>> embed(std::span<const std::string_view> texts) const;

  /// The `top` best tokens for every [MASK] in the text. Error{unsupported} where the model has no
  /// vocabulary head.
  std::vector<FilledMask> fill(std::string_view text, size_t top = 5) const;

  /// The probabilities of all classes for each text, the best first. Error{unsupported} where the
  /// model is no classifier.
  std::vector<std::vector<LabelScore>> classify(std::span<const std::string_view> texts) const;

  const std::vector<std::string>& labels() const;  ///< of a classifier, by class index; else empty
  const std::vector<std::string>& warnings() const;  ///< what loading noticed and went on from
  size_t width() const;                              ///< of an embedding

 private:
  struct Impl;
  explicit Model(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

}  // namespace tenfold
