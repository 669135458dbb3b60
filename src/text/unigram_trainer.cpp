// Handing texts to the library's trainer line by line, in its own memory limits.
// Not here: any learning.
#include "text/unigram_trainer.h"

#include <sentencepiece_trainer.h>

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "support/fail.h"
#include "text/utf8.h"

namespace tenfold::text {

namespace {

constexpr size_t kLongestSentence = 4000;  // the trainer leaves longer ones out

// Texts as sentences: lines, long ones cut at blanks or between characters.
class Sentences final : public sentencepiece::SentenceIterator {
 public:
  explicit Sentences(const std::function<std::optional<std::string>()>& next) : next_(next) {
    Next();
  }

  bool done() const override { return done_; }
  const std::string& value() const override { return value_; }
  sentencepiece::util::Status status() const override { return {}; }
  void Next() override {
    do {
      if (at_ >= text_.size()) {
        auto more = next_();
        done_ = !more;
        if (done_) return;
        text_ = std::move(*more);
        at_ = 0;
      }
      take_line();
    } while (value_.empty());
  }

 private:
  void take_line() {
    const std::string_view rest = std::string_view(text_).substr(at_);
    size_t length = std::min(rest.find('\n'), rest.size());
    const bool whole = length <= kLongestSentence;
    if (!whole) {
      length = rest.rfind(' ', kLongestSentence);
      if (length == std::string_view::npos || length == 0) {
        length = kLongestSentence;
        while (length > 1 && (rest[length] & 0xC0) == 0x80) --length;
      }
    }
    value_ = rest.substr(0, length);
    at_ += length + (whole && length < rest.size());
    // The trainer takes a tab as the end of a sentence's own count; blanks it normalises itself.
    for (char& c : value_) {
      if (c == '\t' || c == '\r' || c == '\0') c = ' ';
    }
  }

  const std::function<std::optional<std::string>()>& next_;
  std::string text_, value_;
  size_t at_ = 0;
  bool done_ = false;
};

}  // namespace

std::string train_unigram(const std::function<std::optional<std::string>()>& next,
                          const UnigramTrainerOptions& options) {
  require(options.size >= 8, ErrorKind::config, "vocabulary",
          "size must be at least 8 for a unigram model, got {}", options.size);
  const std::unordered_map<std::string, std::string> settings{
      {"model_type", "unigram"},
      {"vocab_size", std::to_string(options.size)},
      {"hard_vocab_limit", "false"},
      {"normalization_rule_name", options.lowercase ? "nmt_nfkc_cf" : "nmt_nfkc"},
      {"character_coverage", "0.9995"},
      {"max_sentence_length", std::to_string(kLongestSentence + 1)},
      {"num_threads", "16"},  // the sums of its threads round differently: always the same number
      {"pad_id", "0"},
      {"unk_id", "1"},
      {"bos_id", "2"},
      {"eos_id", "3"},
      {"control_symbols", "<mask>"},
      {"minloglevel", "3"}};
  Sentences sentences(next);
  require(!sentences.done(), ErrorKind::data, "vocabulary",
          "the corpus is empty: it holds no words");
  std::string model;
  const auto status = sentencepiece::SentencePieceTrainer::Train(settings, &sentences, &model);
  std::string why = status.ToString();
  for (char& c : why) {
    if (c == '\n') c = ' ';
  }
  require(status.ok(), ErrorKind::data, "vocabulary", "the unigram trainer refused: {}", why);
  return model;
}

}  // namespace tenfold::text
