// Words with tags as examples: the first piece of every word carries its tag.
// Not here: reading tagged rows, the batches made from them (word_collator.h), or spans of tags
// (entity_spans.h).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/example.h"
#include "tenfold/tokenizer.h"

namespace tenfold::data {

/// Words `first_word` .. `first_word + num_words - 1` of a row as [CLS] pieces [SEP]. The example
/// has the sequences "tokens" and "first_pieces" (the place of each word's first piece among them)
/// and, where the row has tags, one label a word.
struct WordWindow {
  Example example;
  size_t first_word = 0, num_words = 0;
};

/// Cuts a row into windows of whole words and at most `max_length` tokens, one after another, so
/// that every word is in exactly one. A word without pieces becomes the unknown token; one longer
/// than a window is cut at its end. `tags`: one class index a word (below 0: not scored), or none
/// at all. Example ids count from `first_id`. Error{data}: max_length below 3. No words: no
/// windows.
std::vector<WordWindow> word_windows(std::span<const std::string_view> words,
                                     std::span<const int64_t> tags, const Tokenizer& tokenizer,
                                     size_t max_length, uint64_t first_id = 0);

/// A word of a text: its bytes.
struct WordPlace {
  size_t begin = 0, end = 0;
};

/// The words of running text, as annotated corpora cut them: between blanks, with each punctuation
/// mark at a word's beginning or end standing alone ("London." is two, "U.S." is "U.S" and ".").
std::vector<WordPlace> split_words(std::string_view text);

}  // namespace tenfold::data
