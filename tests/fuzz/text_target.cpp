// Fuzz target: any bytes as text through normaliser and WordPiece, cased and uncased.
// Not here: vocabularies.
#include <array>

#include "tokenizer_use.h"

namespace tenfold::fuzz {
namespace {

Tokenizer make(bool lowercase) {
  std::vector<std::string> tokens{
      "[PAD]",        "[UNK]",    "[CLS]",      "[SEP]", "[MASK]", "the",    "##s", "dog",
      "\xE4\xB8\xAD", "\xC3\xA9", "##\xCC\x81", "un",    "##aff",  "##able", ",",   "."};
  for (char c = 'a'; c <= 'z'; ++c) {
    tokens.emplace_back(1, c);
    if (c != 's') tokens.push_back(std::string("##") + c);
  }
  return Tokenizer::wordpiece(tokens, {.lowercase = lowercase});
}

void check(const Tokenizer& tokenizer, std::string_view text) {
  for (const SpecialText literals : {SpecialText::recognise, SpecialText::plain}) {
    const Encoding encoding = tokenizer.encode(text, literals);
    check_encoding(tokenizer, encoding, text);
    std::vector<int32_t> ids;
    tokenizer.encode_ids_into(text, ids, literals);
    promise(ids == encoding.ids, "both paths give the same ids");
    tokenizer.decode(ids);
    tokenizer.decode_without_special(ids);
  }
  const std::string_view half = text.substr(0, text.size() / 2);
  promise(tokenizer.encode_single(text, 8).size() <= 8, "a limit holds");
  promise(tokenizer.encode_pair(half, text, 9).size() <= 9, "a limit holds for pairs");
  const std::array<std::string_view, 3> texts{text, half, ""};
  const auto batch = tokenizer.encode_batch(texts, {.threads = 1});
  promise(batch[0] == tokenizer.encode_single(text) && batch[1] == tokenizer.encode_single(half),
          "a text alone is the text in a batch");
  for (const Encoding& window : tokenizer.encode_windows("the dog", text, 12, 2)) {
    promise(window.size() <= 12, "a limit holds for windows");
  }
}

}  // namespace

const char* const kFormat = "text";

void read(std::string_view bytes) {
  static const Tokenizer cased = make(false), uncased = make(true);
  check(cased, bytes);
  check(uncased, bytes);
}

}  // namespace tenfold::fuzz
