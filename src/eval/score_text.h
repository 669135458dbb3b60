// Texts as the usual scoring scripts take them: lower case, words between blanks, kinds of code
// points. Not here: a model's own normalisation and tokens (the text layer).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tenfold::eval {

/// Lower case with all of Unicode's rules that depend on no language: a capital sigma at the end of
/// a word becomes its final form.
std::string lower_cased(std::string_view text);

/// What separates words: Unicode's white space and the four ASCII separators U+001C .. U+001F.
bool separates_words(uint32_t c);

/// Words between blanks, as views into `text`; none in a blank one.
std::vector<std::string_view> words_between_blanks(std::string_view text);

/// Letters and numbers.
bool is_letter_or_number(uint32_t c);
bool is_any_number(uint32_t c);       ///< categories N*
bool is_any_punctuation(uint32_t c);  ///< categories P*
bool is_any_symbol(uint32_t c);       ///< categories S*

/// The 32 printable ASCII characters that are neither letters, digits nor blanks.
bool is_ascii_punctuation(uint32_t c);

/// Numbers 1, 2, ... for words, the same for equal ones.
class WordNumbers {
 public:
  uint32_t of(std::string_view word);
  std::vector<uint32_t> of(const std::vector<std::string_view>& words);
  uint32_t count() const { return static_cast<uint32_t>(numbers_.size()); }

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  std::unordered_map<std::string, uint32_t, Hash, std::equal_to<>> numbers_;
};

}  // namespace tenfold::eval
