// One pass over the tags of a sentence; entities of two taggings are matched as they come.
// Not here: reading tags from files.
#include "eval/entity_score.h"

#include <string_view>

#include "eval/finite_scores.h"
#include "support/fail.h"

namespace tenfold::eval {
namespace {

constexpr const char* kEntitiesWhere = "entities";

struct SplitTag {
  char place = 'O';  // B, I, E, S or O
  std::string_view type;
};

SplitTag split_tag(const std::string& tag, size_t sentence, size_t word) {
  if (tag == "O") return {};
  const bool known = tag.size() > 2 && tag[1] == '-' &&
                     std::string_view("BIES").find(tag[0]) != std::string_view::npos;
  require(known, ErrorKind::data, kEntitiesWhere,
          "sentence {}, word {}: the tag '{}' is none of O, B-TYPE, I-TYPE, E-TYPE, S-TYPE",
          sentence + 1, word + 1, tag);
  return {tag[0], std::string_view(tag).substr(2)};
}

double share_or_zero(int64_t part, int64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

/// Both lists rise by their begin, and no two of one list begin at the same word.
void count_matches(const std::vector<Entity>& gold, const std::vector<Entity>& predicted,
                   EntityScores& scores, EntityCounts& sentence) {
  for (const Entity& entity : gold) ++scores.by_type[entity.type].gold;
  for (const Entity& entity : predicted) ++scores.by_type[entity.type].predicted;
  sentence.gold = static_cast<int64_t>(gold.size());
  sentence.predicted = static_cast<int64_t>(predicted.size());
  size_t g = 0;
  for (const Entity& entity : predicted) {
    while (g < gold.size() && gold[g].begin < entity.begin) ++g;
    if (g == gold.size() || gold[g] != entity) continue;
    ++scores.by_type[entity.type].correct;
    ++sentence.correct;
  }
}

}  // namespace

TaggedEntities entities_of(std::span<const std::string> tags, size_t sentence) {
  TaggedEntities found;
  bool open = false;  // whether the last entity may go on
  for (size_t word = 0; word < tags.size(); ++word) {
    const auto [place, type] = split_tag(tags[word], sentence, word);
    if (place == 'O') {
      open = false;
      continue;
    }
    const bool continues = place == 'I' || place == 'E';
    const bool goes_on = continues && open && found.entities.back().type == type;
    if (goes_on) {
      found.entities.back().end = word + 1;
    } else {
      found.entities.push_back({word, word + 1, std::string(type)});
      found.inconsistent += continues ? 1 : 0;
    }
    open = place == 'B' || place == 'I';
  }
  return found;
}

double EntityCounts::precision() const { return share_or_zero(correct, predicted); }

double EntityCounts::recall() const { return share_or_zero(correct, gold); }

double EntityCounts::f1() const { return share_or_zero(2 * correct, gold + predicted); }

double EntityScores::f1_macro() const {
  if (by_type.empty()) return 0;
  double sum = 0;
  for (const auto& [type, counts] : by_type) sum += counts.f1();
  return sum / static_cast<double>(by_type.size());
}

EntityScores score_entities(TagSentences gold, TagSentences predicted) {
  require_paired(predicted.size(), gold.size(), "sentences");
  EntityScores scores;
  for (size_t i = 0; i < gold.size(); ++i) {
    require(gold[i].size() == predicted[i].size(), ErrorKind::data, kEntitiesWhere,
            "sentence {}: {} predicted tags for {} words", i + 1, predicted[i].size(),
            gold[i].size());
    const TaggedEntities right = entities_of(gold[i], i), said = entities_of(predicted[i], i);
    EntityCounts sentence;
    count_matches(right.entities, said.entities, scores, sentence);
    scores.inconsistent_gold += right.inconsistent;
    scores.inconsistent_predicted += said.inconsistent;
    scores.all.gold += sentence.gold;
    scores.all.predicted += sentence.predicted;
    scores.all.correct += sentence.correct;
    scores.by_sentence.push_back(sentence);
  }
  return scores;
}

}  // namespace tenfold::eval
