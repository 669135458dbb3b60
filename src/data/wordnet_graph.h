// Synsets as a graph of is-a links, and the parts of a gloss.
// Not here: parsing WordNet (wordnet.h) or the tasks (wordnet_tasks.cpp).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/wordnet.h"

namespace tenfold::data {

/// Links between the synsets given, which must outlive it.
class SynsetGraph {
 public:
  explicit SynsetGraph(const std::vector<Synset>& synsets);

  /// Synsets one link above, and those one below. Error{data} for a link to a synset that is not
  /// there.
  std::vector<const Synset*> above(const Synset& synset) const;
  const std::vector<const Synset*>& below(const Synset& synset) const;

  /// 1 / (1 + links on the shortest way up from one and down to the other), so 1 for a synset and
  /// itself; 0 where nothing is above both. The measure `path` of Pedersen, Patwardhan and
  /// Michelizzi, "WordNet::Similarity" (2004), which counts synsets in place of links.
  double path_similarity(const Synset& a, const Synset& b) const;

  /// All synsets of a part of speech, and of a category, in the order given.
  const std::vector<const Synset*>& of_part(char part) const;
  const std::vector<const Synset*>& of_category(int category) const;

 private:
  using Key = std::pair<char, uint32_t>;
  std::map<const Synset*, int64_t> links_up(const Synset& from) const;

  std::map<Key, const Synset*> by_offset_;
  std::map<Key, std::vector<const Synset*>> below_;
  std::map<char, std::vector<const Synset*>> parts_;
  std::map<int, std::vector<const Synset*>> categories_;
};

/// What a gloss says before its example sentences.
std::string_view definition_of(const Synset& synset);

/// The example sentences of a gloss: what stands in quotes after the definition.
std::vector<std::string> examples_of(const Synset& synset);

/// A lemma where it stands in a sentence.
struct LemmaPlace {
  size_t begin = 0, length = 0;  ///< bytes
};

/// The first whole word or words of the sentence that are a lemma of the synset, upper and lower
/// case being equal; inflected forms are not found.
std::optional<LemmaPlace> find_lemma(const Synset& synset, std::string_view sentence);

/// Words (letters, digits, and the apostrophes, hyphens and full stops inside them) and other
/// characters one by one; blanks only separate.
std::vector<std::string_view> sentence_words(std::string_view sentence);

}  // namespace tenfold::data
