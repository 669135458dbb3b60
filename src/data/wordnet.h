// WordNet as default real text: glosses with examples, categories and links, and the tasks made
// from them. Not here: tokenisation (tasks are written as text) or any use of word senses beyond
// these tasks.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "data/split_files.h"

namespace tenfold::data {

/// One synonym set of the four data files.
struct Synset {
  uint32_t offset = 0;  ///< byte offset in its file: the synset's identity together with `part`
  char part = 'n';      ///< n, v, a (satellites too), r
  int category = 0;     ///< lexicographer file, 0..44
  std::vector<std::string> lemmas;
  std::string gloss;                ///< definition and example sentences, as one line of text
  std::vector<uint32_t> hypernyms;  ///< offsets in the same file
};

/// Debian's folder of the package wordnet-base.
inline constexpr const char* kWordNetFolder = "/usr/share/wordnet";

/// All synsets: nouns, verbs, adjectives, adverbs, each by offset. A missing file or a row that
/// does not follow the format is Error{data} naming file and line (and the package, where the
/// folder is missing).
std::vector<Synset> read_wordnet(const std::filesystem::path& folder);

/// Name of a lexicographer category, e.g. 5 -> "noun.animal"; 0 <= category < 45.
std::string_view category_name(int category);

/// 90 % train, 5 % dev, 5 % test: a pure function of the synset's identity, the same for every
/// task.
Split split_of(const Synset& synset);

/// Legal kinds of write_wordnet_task, without the leading "wordnet-".
const std::vector<std::string>& wordnet_task_kinds();

/// Writes train, dev and test files of one kind into `out` and returns the rows of each, in that
/// order. A row belongs to the split of its first synset.
///   text         .txt    one gloss a line: the corpus (train split) and its held-out part
///   category     .jsonl  {"text": gloss, "label": category}
///   is-a         .jsonl  {"text_a": gloss, "text_b": gloss, "label": "is-a" | "not"}; half of the
///                        rows each; a negative is the reversed pair or a random synset, never a
///                        true hypernym
///   similarity   .jsonl  {"text_a": gloss, "text_b": gloss, "score": path similarity, 0 .. 1}
///   tagging      .conll  example sentences, the word they stand for tagged noun, verb, adj or adv
///   span         .json   SQuAD 2.0: "Which word means: ...?" about an example sentence
///   choice       .jsonl  {"question": definition, "choices": four words, "label": index}
///   contrastive  .jsonl  {"anchor": word, "positive": definition, "negative": another one}
/// Unknown kind: Error{usage}.
SplitCounts write_wordnet_task(std::string_view kind, const std::filesystem::path& wordnet,
                               const std::filesystem::path& out);

}  // namespace tenfold::data
