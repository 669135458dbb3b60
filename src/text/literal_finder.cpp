// Building the trie of literals, and the rules about their neighbours.
// Not here: the search, which is inline (literal_finder.h).
#include "text/literal_finder.h"

#include <algorithm>
#include <utility>

#include "text/unicode.h"
#include "text/utf8.h"

namespace tenfold::text {

LiteralFinder::LiteralFinder(std::vector<AddedToken> added) : tokens_(std::move(added)) {
  std::stable_sort(tokens_.begin(), tokens_.end(),
                   [](const AddedToken& a, const AddedToken& b) { return a.content < b.content; });
  std::vector<std::pair<std::string_view, int32_t>> keys;
  for (size_t i = 0; i < tokens_.size(); ++i) {
    const AddedToken& token = tokens_[i];
    if (token.content.empty() || (!keys.empty() && keys.back().first == token.content)) continue;
    keys.emplace_back(token.content, static_cast<int32_t>(i));
    begins_[static_cast<uint8_t>(token.content[0])] = true;
    has_rules_ = has_rules_ || token.single_word || token.lstrip || token.rstrip;
  }
  trie_ = Trie(keys);
  if (std::count(begins_.begin(), begins_.end(), true) == 1) {
    only_byte_ =
        static_cast<int>(std::find(begins_.begin(), begins_.end(), true) - begins_.begin());
  }
}

namespace {

// The code point that ends at `at`, and where it begins; at > start.
std::pair<uint32_t, size_t> char_before(std::string_view text, size_t start, size_t at) {
  size_t begin = at - 1;
  while (begin > start && at - begin < 4 && (text[begin] & 0xC0) == 0x80) --begin;
  const CodePoint c = decode_utf8(text.substr(0, at), begin);
  return begin + c.length == at ? std::pair(c.value, begin) : std::pair(kReplacement, at - 1);
}

}  // namespace

bool LiteralFinder::stands_alone(std::string_view text, size_t begin, size_t end) {
  if (begin > 0 && is_word_character(char_before(text, 0, begin).first)) return false;
  return end == text.size() || !is_word_character(decode_utf8(text, end).value);
}

size_t LiteralFinder::before_blanks(std::string_view text, size_t start, size_t at) {
  while (at > start) {
    const auto [c, begin] = char_before(text, start, at);
    if (!is_blank(c)) break;
    at = begin;
  }
  return at;
}

size_t LiteralFinder::after_blanks(std::string_view text, size_t at) {
  while (at < text.size()) {
    const CodePoint c = decode_utf8(text, at);
    if (!is_blank(c.value)) break;
    at += c.length;
  }
  return at;
}

std::vector<AddedToken> not_special(std::vector<AddedToken> added) {
  std::erase_if(added, [](const AddedToken& token) { return token.special; });
  return added;
}

}  // namespace tenfold::text
