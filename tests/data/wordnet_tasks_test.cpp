// WordNet's tasks in every standard format, read back by the readers users have; and the graph and
// glosses they are made from, against a small WordNet written by hand.
// Not here: parsing WordNet (wordnet_test.cpp).
#include <algorithm>
#include <array>
#include <cmath>
#include <deque>
#include <map>
#include <set>

#include "corpus_folder.h"
#include "data/object_rows.h"
#include "data/span_rows.h"
#include "data/tagged_rows.h"
#include "data/task.h"
#include "data/wordnet.h"
#include "data/wordnet_graph.h"

namespace tenfold::data {
namespace {

namespace fs = std::filesystem;

Synset synset(uint32_t offset, std::vector<uint32_t> above, std::string gloss = "a thing",
              std::vector<std::string> lemmas = {"thing"}) {
  return {.offset = offset,
          .part = 'n',
          .category = 3,
          .lemmas = std::move(lemmas),
          .gloss = std::move(gloss),
          .hypernyms = std::move(above)};
}

/// Links between two synsets, found by walking upwards from both at once over the offsets.
int64_t shortest_way(const std::vector<Synset>& synsets, uint32_t a, uint32_t b) {
  const auto links_up = [&](uint32_t from) {
    std::map<uint32_t, int64_t> links;
    std::deque<std::pair<uint32_t, int64_t>> waiting{{from, 0}};
    while (!waiting.empty()) {
      const auto [here, steps] = waiting.front();
      waiting.pop_front();
      if (!links.emplace(here, steps).second) continue;
      for (const Synset& s : synsets) {
        if (s.offset != here) continue;
        for (const uint32_t upper : s.hypernyms) waiting.emplace_back(upper, steps + 1);
      }
    }
    return links;
  };
  int64_t best = INT64_MAX;
  const auto from_b = links_up(b);
  for (const auto& [offset, steps] : links_up(a)) {
    if (from_b.contains(offset)) best = std::min(best, steps + from_b.at(offset));
  }
  return best;
}

TEST(WordNetGraph, PathSimilarityIsThatOfASearchByHand) {
  //        1         9
  //      2   3
  //     4 5   6      5 is below 2 and 3; 7 and 8 below 4 and 6
  const std::vector<Synset> synsets = {synset(1, {}),  synset(2, {1}),    synset(3, {1}),
                                       synset(4, {2}), synset(5, {2, 3}), synset(6, {3}),
                                       synset(7, {4}), synset(8, {6}),    synset(9, {})};
  const SynsetGraph graph(synsets);
  EXPECT_EQ(graph.path_similarity(synsets[0], synsets[0]), 1.0);
  EXPECT_EQ(graph.path_similarity(synsets[1], synsets[4]), 0.5);
  // 7 - 4 - 2 - 1 - 3 - 6 - 8; the way through 5 (down and up again) would be as long.
  EXPECT_EQ(graph.path_similarity(synsets[6], synsets[7]), 1.0 / 7);
  EXPECT_EQ(graph.path_similarity(synsets[0], synsets[8]), 0.0);
  for (const Synset& a : synsets) {
    for (const Synset& b : synsets) {
      const int64_t links = shortest_way(synsets, a.offset, b.offset);
      const double expected = links == INT64_MAX ? 0.0 : 1.0 / static_cast<double>(1 + links);
      EXPECT_EQ(graph.path_similarity(a, b), expected) << a.offset << " " << b.offset;
      EXPECT_EQ(graph.path_similarity(b, a), expected);
    }
  }
}

TEST(WordNetGraph, GlossesAreADefinitionAndExamples) {
  const Synset s = synset(
      1, {}, "called \"it\" (a dog); \"Dogs bark\"; \"the guide dog's bark, a dog\"- Poe; \"open");
  EXPECT_EQ(definition_of(s), "called \"it\" (a dog)");
  EXPECT_EQ(examples_of(s),
            (std::vector<std::string>{"Dogs bark", "the guide dog's bark, a dog", "open"}));
}

TEST(WordNetGraph, LemmasAreWholeWords) {
  const auto place = [](std::vector<std::string> lemmas, std::string_view sentence) {
    const auto found = find_lemma(synset(1, {}, "g", std::move(lemmas)), sentence);
    return found ? std::string(sentence.substr(found->begin, found->length)) : "";
  };
  EXPECT_EQ(place({"dog"}, "Dogs and hot-dog; a Dog."), "Dog");
  EXPECT_EQ(place({"dog"}, "the dog's tail"), "");
  EXPECT_EQ(place({"guide dog", "dog"}, "a guide dog"), "guide dog");
  EXPECT_EQ(place({"a.m."}, "at 5 a.m. sharp"), "a.m.");
  EXPECT_EQ(sentence_words("It's 3.5, semi-dry (\"x\")."),
            (std::vector<std::string_view>{"It's", "3.5", ",", "semi-dry", "(", "\"", "x", "\"",
                                           ")", "."}));
}

class WordNetTasks : public CorpusFolder {
 protected:
  void SetUp() override {
    if (!fs::exists(kWordNetFolder)) GTEST_SKIP() << "the package wordnet-base is not installed";
    CorpusFolder::SetUp();
  }
  int64_t make(const std::string& kind) const {
    int64_t total = 0;
    for (const int64_t rows : write_wordnet_task(kind, kWordNetFolder, folder_ / kind)) {
      EXPECT_GT(rows, 0) << kind;
      total += rows;
    }
    return total;
  }
};

TEST_F(WordNetTasks, SimilaritiesCoverTheirRange) {
  make("similarity");
  TaskColumns columns;
  columns.label_kind = LabelKind::score;
  const auto file = read_task(folder_ / "similarity/dev.jsonl", columns, Labels::required);
  ASSERT_GT(file.rows.size(), 4000u);
  std::map<double, int64_t> counts;
  for (const TaskRow& row : file.rows) ++counts[*row.score];
  EXPECT_GE(counts.begin()->first, 0);
  EXPECT_LE(counts.rbegin()->first, 0.5);
  const auto share = [&](double score) {
    return static_cast<double>(counts[score]) / static_cast<double>(file.rows.size());
  };
  for (const double score : {1.0 / 2, 1.0 / 3, 1.0 / 4, 1.0 / 5}) EXPECT_GT(share(score), 0.05);
}

TEST_F(WordNetTasks, TaggedSentencesMarkOneLemmaEach) {
  EXPECT_GT(make("tagging"), 20000);
  const auto file = read_tagged(folder_ / "tagging/dev.conll", {}, Labels::required);
  std::set<std::string> tags;
  for (const TaggedRow& row : file.rows) {
    tags.insert(row.tags.begin(), row.tags.end());
    EXPECT_EQ(std::count_if(row.tags.begin(), row.tags.end(),
                            [](const std::string& tag) { return tag.starts_with("B-"); }),
              1);
  }
  for (const char* tag : {"O", "B-noun", "I-noun", "B-verb", "B-adj", "B-adv"})
    EXPECT_TRUE(tags.contains(tag)) << tag;
}

TEST_F(WordNetTasks, SpansMatchTheirTextSomeHaveNoneAndSplitsAreDisjoint) {
  make("span");
  std::set<std::string> synsets;
  int64_t rows = 0, impossible = 0;
  for (const char* split : {"train", "dev", "test"}) {
    const auto path = folder_ / "span" / (std::string(split) + ".json");
    std::set<std::string> of_split;  // the ids before '-'
    for (const SpanRow& row : read_spans(path, {}, Labels::required).rows) {
      ++rows;
      impossible += row.is_impossible ? 1 : 0;
      of_split.insert(row.id.substr(0, row.id.find('-')));
      for (const SpanAnswer& answer : row.answers)
        ASSERT_EQ(row.context->substr(answer.begin, answer.text.size()), answer.text);
    }
    for (const std::string& id : of_split) EXPECT_TRUE(synsets.insert(id).second) << id;
  }
  EXPECT_GT(rows, 20000);
  EXPECT_GT(impossible, rows / 20);
  EXPECT_LT(impossible, rows / 4);
  const std::string first = bytes_of(folder_ / "span/dev.json");
  fs::remove_all(folder_ / "span");
  make("span");
  EXPECT_EQ(bytes_of(folder_ / "span/dev.json"), first);
}

TEST_F(WordNetTasks, ChoicesAreEvenAndContrastsApart) {
  EXPECT_GT(make("choice"), 117000);
  const auto choices = read_choices(folder_ / "choice/dev.jsonl", {}, Labels::required);
  std::array<int64_t, 4> counts{};
  for (const ChoiceRow& row : choices.rows) {
    ASSERT_EQ(std::set<std::string>(row.choices.begin(), row.choices.end()).size(), 4u);
    ++counts.at(static_cast<size_t>(*row.label));
  }
  // A quarter each, within four standard deviations.
  const double rows = static_cast<double>(choices.rows.size());
  for (const int64_t count : counts)
    EXPECT_NEAR(static_cast<double>(count), rows / 4, 4 * std::sqrt(rows * 3 / 16));
  EXPECT_EQ(make("contrastive"), 117659);
  for (const auto& row : read_contrastive(folder_ / "contrastive/test.jsonl", {}).rows) {
    ASSERT_LE(row.negatives.size(), 1u);
    for (const std::string& negative : row.negatives) ASSERT_NE(negative, row.positive);
  }
}

}  // namespace
}  // namespace tenfold::data
