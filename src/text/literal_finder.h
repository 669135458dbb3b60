// Finds added tokens in a text: leftmost, then longest, with their rules about words and blanks.
// Not here: what a literal means (tokenizer_core.h).
#pragma once

#include <array>
#include <cstring>
#include <string_view>
#include <vector>

#include "text/trie.h"
#include "text/vocabulary.h"

namespace tenfold::text {

/// Immutable.
class LiteralFinder {
 public:
  LiteralFinder() = default;
  explicit LiteralFinder(std::vector<AddedToken> added);

  struct Found {
    size_t begin, end;  // with the blanks it takes along; both the text's size where there is none
    int32_t id = -1;
  };
  /// The first literal at `from` or after it; blanks before `from` are never taken.
  Found next(std::string_view text, size_t from) const {
    const size_t start = from;
    while (from < text.size()) {
      if (only_byte_ >= 0) {
        const void* hit = std::memchr(text.data() + from, only_byte_, text.size() - from);
        if (!hit) break;
        from = static_cast<size_t>(static_cast<const char*>(hit) - text.data());
      } else {
        while (from < text.size() && !begins_[static_cast<uint8_t>(text[from])]) ++from;
        if (from == text.size()) break;
      }
      const Trie::Match match = trie_.longest(text.data() + from, text.size() - from);
      if (match.id < 0) {
        ++from;
        continue;
      }
      const AddedToken& token = tokens_[static_cast<size_t>(match.id)];
      const size_t end = from + match.length;
      if (!has_rules_) return {from, end, token.id};
      if (!token.single_word || stands_alone(text, from, end)) {
        return {token.lstrip ? before_blanks(text, start, from) : from,
                token.rstrip ? after_blanks(text, end) : end, token.id};
      }
      from = end;
    }
    return {text.size(), text.size(), -1};
  }
  bool empty() const { return trie_.empty(); }

 private:
  static bool stands_alone(std::string_view text, size_t begin, size_t end);
  static size_t before_blanks(std::string_view text, size_t start, size_t at);
  static size_t after_blanks(std::string_view text, size_t at);

  Trie trie_;  // of places in tokens_
  std::vector<AddedToken> tokens_;
  bool has_rules_ = false;
  std::array<bool, 256> begins_{};
  int only_byte_ = -1;  // the first byte of every token, where they share one
};

/// Those that a special literal is ordinary text for.
std::vector<AddedToken> not_special(std::vector<AddedToken> added);

}  // namespace tenfold::text
