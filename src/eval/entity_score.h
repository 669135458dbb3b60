// Entities in tag sequences, and how many of them were found with the right borders and type.
// Not here: accuracy of single tags (metrics.h), or making tags (taggers).
// Rule: CoNLL-2000 and CoNLL-2003 shared tasks (Tjong Kim Sang and Buchholz 2000): an entity counts
// when type, first and last word all agree.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace tenfold::eval {

struct Entity {
  size_t begin = 0, end = 0;  ///< words begin .. end - 1 of the sentence
  std::string type;
  bool operator==(const Entity&) const = default;
};

struct TaggedEntities {
  std::vector<Entity> entities;  ///< in the order of the sentence
  /// Tags I-X or E-X that continue nothing: at the start of a sentence, or after O or another type.
  int64_t inconsistent = 0;
};

/// Entities of BIO tags (B-X, I-X, O; of BIOES tags too: E-X ends one, S-X is one). I-X that
/// continues nothing begins an entity, as the shared tasks' scorer has it, and is counted.
/// Error{data} naming `sentence` (from 0 here, from 1 in the message) and word of any other tag.
TaggedEntities entities_of(std::span<const std::string> tags, size_t sentence = 0);

struct EntityCounts {
  int64_t gold = 0, predicted = 0, correct = 0;

  double precision() const;  ///< 0 where nothing was predicted
  double recall() const;     ///< 0 where there is nothing to find
  double f1() const;
};

struct EntityScores {
  EntityCounts all;
  std::map<std::string, EntityCounts> by_type;
  std::vector<EntityCounts> by_sentence;  ///< for resampling
  int64_t inconsistent_gold = 0, inconsistent_predicted = 0;

  /// Unweighted mean F1 of the types; 0 without any.
  double f1_macro() const;
};

using TagSentences = std::span<const std::vector<std::string>>;

/// Sentence by sentence. Error{data} naming the sentence where the numbers of tags differ.
EntityScores score_entities(TagSentences gold, TagSentences predicted);

}  // namespace tenfold::eval
