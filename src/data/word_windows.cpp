// Pieces of words, windows of whole words, and the words of running text.
// Not here: tags as text.
#include "data/word_windows.h"

#include <algorithm>

#include "support/fail.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace tenfold::data {
namespace {

/// [CLS] ... [SEP] growing word by word.
class WindowBuilder {
 public:
  WindowBuilder(const Tokenizer& tokenizer, size_t max_length)
      : tokenizer_(tokenizer), room_(max_length - 2) {}

  bool takes(size_t pieces) const { return window_.num_words == 0 || used_ + pieces <= room_; }

  void open(size_t first_word, uint64_t id) {
    window_ = {};
    window_.first_word = first_word;
    window_.example.id = id;
    window_.example.sequences["tokens"] = {tokenizer_.cls_id()};
    window_.example.sequences["first_pieces"];
    used_ = 0;
  }

  void add(std::span<const int32_t> pieces, const int64_t* tag) {
    auto& tokens = window_.example.sequences.find("tokens")->second;
    window_.example.sequences.find("first_pieces")
        ->second.push_back(static_cast<int32_t>(tokens.size()));
    const auto kept = pieces.first(std::min(pieces.size(), room_));
    tokens.insert(tokens.end(), kept.begin(), kept.end());
    if (tag != nullptr) window_.example.labels.push_back(static_cast<double>(*tag));
    used_ += kept.size();
    ++window_.num_words;
  }

  WordWindow close() {
    window_.example.sequences.find("tokens")->second.push_back(tokenizer_.sep_id());
    return std::move(window_);
  }

 private:
  const Tokenizer& tokenizer_;
  size_t room_, used_ = 0;
  WordWindow window_;
};

}  // namespace

std::vector<WordWindow> word_windows(std::span<const std::string_view> words,
                                     std::span<const int64_t> tags, const Tokenizer& tokenizer,
                                     size_t max_length, uint64_t first_id) {
  require(max_length >= 3, ErrorKind::data, "tagging",
          "max_length must leave room for a word and 2 special tokens, got {}", max_length);
  require(tags.empty() || tags.size() == words.size(), ErrorKind::internal, "tagging",
          "{} tags for {} words", tags.size(), words.size());
  std::vector<WordWindow> windows;
  WindowBuilder builder(tokenizer, max_length);
  std::vector<int32_t> pieces;
  for (size_t i = 0; i < words.size(); ++i) {
    pieces.clear();
    tokenizer.encode_ids_into(words[i], pieces, SpecialText::plain);
    if (pieces.empty()) pieces.push_back(tokenizer.unknown_id());
    if (i == 0 || !builder.takes(pieces.size())) {
      if (i > 0) windows.push_back(builder.close());
      builder.open(i, first_id + windows.size());
    }
    builder.add(pieces, tags.empty() ? nullptr : &tags[i]);
  }
  if (!words.empty()) windows.push_back(builder.close());
  return windows;
}

std::vector<WordPlace> split_words(std::string_view text) {
  enum class Kind : uint8_t { blank, mark, other };
  struct Character {
    size_t begin, end;
    Kind kind;
  };
  std::vector<WordPlace> words;
  std::vector<Character> run;  // between two blanks
  const auto flush = [&] {
    const auto is_other = [](const Character& c) { return c.kind == Kind::other; };
    const auto first = std::find_if(run.begin(), run.end(), is_other);
    const auto last = std::find_if(run.rbegin(), run.rend(), is_other).base();
    for (auto c = run.begin(); c != run.end(); ++c) {
      if (c == first) {
        words.push_back({c->begin, (last - 1)->end});
        c = last - 1;
      } else {
        words.push_back({c->begin, c->end});
      }
    }
    run.clear();
  };
  for (size_t at = 0; at < text.size();) {
    const text::CodePoint c = text::decode_utf8(text, at);
    if (text::is_blank(c.value)) {
      flush();
    } else {
      run.push_back({at, at + c.length, text::is_punctuation(c.value) ? Kind::mark : Kind::other});
    }
    at += c.length;
  }
  flush();
  return words;
}

}  // namespace tenfold::data
