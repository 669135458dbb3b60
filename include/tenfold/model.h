// A trained model as an application uses it: text in; vectors, filled blanks, labels, entities or
// answers out.
// Not here: training, or the tensors inside (src/model).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tenfold/tokenizer.h"

namespace tenfold {

/// A class with its probability.
struct LabelScore {
  std::string label;
  double score = 0;
};

/// A text, or two that the model reads together (a question and its answer, two sentences).
struct TextPair {
  std::string_view first;
  std::optional<std::string_view> second = {};
};

/// A token proposed for a blank.
struct TokenScore {
  std::string token;
  int32_t id = 0;
  double score = 0;
  std::string sequence = {};  ///< the text with the token in this blank, as decoded from its tokens
};

/// One [MASK] of a text: its place among the tokens, and the best candidates first.
struct FilledMask {
  size_t position = 0;
  std::vector<TokenScore> candidates;
};

/// A word of a text with its best tag.
struct WordTag {
  size_t begin = 0, end = 0;  ///< bytes of the text
  std::string tag;
  double score = 0;  ///< probability of the tag
};

/// An entity: words that follow each other under tags of one type, B- and I- being left out.
struct TaggedSpan {
  size_t begin = 0, end = 0;  ///< bytes of the text
  std::string type;
  double score = 0;  ///< mean of its words'
};

struct TaggedText {
  std::vector<WordTag> words;
  std::vector<TaggedSpan> spans;
};

/// A text whose words the caller has cut: first and one past the last byte of each, in order.
struct CutText {
  std::string_view text;
  std::vector<std::pair<size_t, size_t>> words;
};

/// A question and the passage that may answer it.
struct Question {
  std::string_view question, context;
};

struct AnswerOptions {
  size_t best = 1;         ///< answers a question
  size_t max_answer = 30;  ///< tokens of an answer
  size_t max_length = 0;   ///< tokens of a window; 0: the model's longest sequence
  size_t stride = 0;       ///< tokens that neighbouring windows share; 0: a quarter of a window
  bool no_answer = false;  ///< whether "there is none" may be the answer
  double threshold = 0;    ///< by how much it must score more than the best answer
};

/// A part of the passage: bytes `begin` .. `end` - 1, which are `text`. Without an answer all are
/// empty.
struct Answer {
  std::string text;
  double score = 0;  ///< probability among the answers looked at
  size_t begin = 0, end = 0;
};

/// A question with choices, the question being empty where the choices stand alone.
struct ChoiceQuestion {
  std::string_view question;
  std::vector<std::string_view> choices;
};

/// How the rows of a text become its vector.
enum class EmbedPooling : uint8_t {
  as_stored,  ///< as the directory says (modules.json of sentence-transformers); else the mean
  mean,       ///< of all tokens, special ones included
  cls,        ///< the first token
  max,        ///< the largest value of each column
};

struct EmbedOptions {
  EmbedPooling pooling = EmbedPooling::as_stored;
  std::optional<bool> normalize = {};      ///< to length 1; none: as the directory says, else not
  std::optional<std::string> prompt = {};  ///< name of a stored text to put in front; "": no text;
                                           ///< none: the directory's own choice
};

/// The head that a model must have.
enum class ModelHead : uint8_t { as_stored, vocabulary, classifier };

struct ModelOptions {
  ModelHead head = ModelHead::as_stored;
  std::string device = "cpu";     ///< "cpu", "cuda" or "cuda:N"
  std::string dtype = "float32";  ///< of the arithmetic: "float32" or "bfloat16"
};

/// A model directory with its tokenizer. Copies share the weights; every const function may be
/// called from many threads at once. Texts longer than the model's positions are cut at their end;
/// what comes out does not depend on which texts are given together, but for rounding.
///
///   const auto model = tenfold::Model::load("runs/sst2/best");
///   const std::string_view texts[] = {"a fine film"};
///   const auto label = model.classify(texts)[0][0].label;
class Model {
 public:
  /// Error{checkpoint} where files are missing, damaged or do not fit each other, or the weights of
  /// the head asked for are not there; Error{unsupported} for another family of models, a device
  /// that is not there, or a dtype that this processor has no instructions for.
  static Model load(const std::filesystem::path& directory, const ModelOptions& options = {});

  /// One vector of width() numbers a text, pooled from its last hidden states. A directory of
  /// sentence-transformers gives what that library gives: its pooling, dense layers, norm, prompt
  /// and longest text. Error{config} for a prompt that is not stored.
  std::vector<std::vector<float>> embed(std::span<const std::string_view> texts,
                                        const EmbedOptions& options = {}) const;

  /// The `top` best tokens for every [MASK] in each text. Error{unsupported} where the model has no
  /// vocabulary head, Error{checkpoint} where its vocabulary has no mask token.
  std::vector<std::vector<FilledMask>> fill(std::span<const std::string_view> texts,
                                            size_t top = 5) const;
  std::vector<FilledMask> fill(std::string_view text, size_t top = 5) const;

  /// The probabilities of all classes for each text or pair, the best first; of a model for several
  /// labels at once each label's own probability; of a regression its number, as it is.
  /// Error{unsupported} where the model is no classifier.
  std::vector<std::vector<LabelScore>> classify(std::span<const TextPair> rows) const;
  std::vector<std::vector<LabelScore>> classify(std::span<const std::string_view> texts) const;

  /// Tags of all words and the entities they make. Words of running text stand between blanks, with
  /// the punctuation at their ends as words of its own; longer texts than the model's positions are
  /// read in parts. Error{unsupported} where the model tags no words.
  std::vector<TaggedText> tag(std::span<const std::string_view> texts) const;
  std::vector<TaggedText> tag(std::span<const CutText> texts) const;

  /// For each question its best answers, the verdict first. Error{unsupported} where the model
  /// answers no questions, Error{data} where a question leaves no room for its passage.
  std::vector<std::vector<Answer>> answer(std::span<const Question> questions,
                                          const AnswerOptions& options = {}) const;

  /// The probability of each choice, by question. Error{unsupported} where the model makes no
  /// choices.
  std::vector<std::vector<double>> choose(std::span<const ChoiceQuestion> questions) const;

  /// Cosine of the two texts' vectors (see embed); a pair without a second text gives 1.
  std::vector<double> similarity(std::span<const TextPair> pairs,
                                 const EmbedOptions& options = {}) const;

  const std::vector<std::string>& labels() const;  ///< of a classifier, by class index; else empty
  const Tokenizer& tokenizer() const;
  const std::vector<std::string>& warnings() const;  ///< what loading noticed and went on from
  size_t width() const;                              ///< of an embedding

 private:
  struct Impl;
  explicit Model(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

}  // namespace tenfold
