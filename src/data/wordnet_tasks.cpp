// The tasks made from WordNet, written as text files that every reader of tasks takes.
// Not here: parsing WordNet (wordnet.cpp).
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "data/wordnet.h"
#include "data/wordnet_graph.h"
#include "support/fail.h"
#include "support/rng.h"
#include "support/strings.h"
#include "text/utf8.h"

namespace tenfold::data {
namespace {

using Row = nlohmann::ordered_json;

/// The files of a task, a row in that of its synset's part.
class TaskFiles {
 public:
  TaskFiles(const std::filesystem::path& out, std::string_view extension)
      : files_(out, extension) {}
  void add_text(const Synset& synset, std::string_view row) { files_.add(split_of(synset), row); }
  void add(const Synset& synset, const Row& row) { add_text(synset, row.dump()); }
  void enclose(std::string_view version) { files_.enclose(version); }
  SplitCounts commit() {
    files_.commit();
    return files_.counts();
  }

 private:
  SplitFiles files_;
};

std::string name_of(const Synset& s) { return fmt::format("{}{:08}", s.part, s.offset); }

RandomStream stream_of(const Synset& s, std::string_view purpose) {
  return RandomStream(0, purpose, s.offset, static_cast<uint64_t>(s.part));
}

const Synset& any_of(const std::vector<const Synset*>& synsets, RandomStream& draw) {
  return *synsets[draw.below(synsets.size())];
}

void write_text(const SynsetGraph&, const std::vector<Synset>& synsets, TaskFiles& files) {
  for (const Synset& s : synsets) files.add_text(s, s.gloss);
}

void write_category(const SynsetGraph&, const std::vector<Synset>& synsets, TaskFiles& files) {
  for (const Synset& s : synsets)
    files.add(s, Row{{"text", s.gloss}, {"label", category_name(s.category)}});
}

/// For each noun or verb with hypernyms: one true pair, and one false pair which is its reverse or
/// joins a random synset of the same file, by turns of the synset's own stream.
void write_is_a(const SynsetGraph& graph, const std::vector<Synset>& synsets, TaskFiles& files) {
  const auto pair_row = [](const Synset& a, const Synset& b, bool is_a) {
    return Row{{"text_a", a.gloss}, {"text_b", b.gloss}, {"label", is_a ? "is-a" : "not"}};
  };
  for (const Synset& s : synsets) {
    if (s.hypernyms.empty()) continue;
    RandomStream draw = stream_of(s, "wordnet-is-a");
    const std::vector<const Synset*> above = graph.above(s);
    const Synset& hypernym = any_of(above, draw);
    files.add(s, pair_row(s, hypernym, true));
    if (draw.below(2) == 0) {
      files.add(s, pair_row(hypernym, s, false));
      continue;
    }
    const Synset* other = &s;
    while (other == &s || std::find(above.begin(), above.end(), other) != above.end())
      other = &any_of(graph.of_part(s.part), draw);
    files.add(s, pair_row(s, *other, false));
  }
}

/// Each noun or verb with hypernyms, and where a few links up and then down lead from it; every
/// fourth pair joins any two synsets, so that the whole range of scores occurs.
void write_similarity(const SynsetGraph& graph, const std::vector<Synset>& synsets,
                      TaskFiles& files) {
  constexpr uint64_t kMostLinks = 6;
  for (const Synset& s : synsets) {
    if (s.hypernyms.empty()) continue;
    RandomStream draw = stream_of(s, "wordnet-similarity");
    const Synset* other = &s;
    while (other == &s) {
      if (draw.below(4) == 0) {
        other = &any_of(graph.of_part(s.part), draw);
        continue;
      }
      const uint64_t links = 1 + draw.below(kMostLinks);
      const uint64_t up = draw.below(links + 1);
      for (uint64_t i = 0; i < links; ++i) {
        const auto next = i < up ? graph.above(*other) : graph.below(*other);
        if (!next.empty()) other = &any_of(next, draw);
      }
    }
    files.add(s, Row{{"text_a", s.gloss},
                     {"text_b", other->gloss},
                     {"score", graph.path_similarity(s, *other)}});
  }
}

/// Example sentences in which the synset's word stands, that word tagged by its part of speech.
void write_tagging(const SynsetGraph&, const std::vector<Synset>& synsets, TaskFiles& files) {
  for (const Synset& s : synsets) {
    const std::string_view type = s.part == 'n'   ? "noun"
                                  : s.part == 'v' ? "verb"
                                  : s.part == 'a' ? "adj"
                                                  : "adv";
    for (const std::string& example : examples_of(s)) {
      const auto lemma = find_lemma(s, example);
      if (!lemma) continue;
      std::string lines;
      for (const std::string_view word : sentence_words(example)) {
        const auto at = static_cast<size_t>(word.data() - example.data());
        const bool inside = at >= lemma->begin && at < lemma->begin + lemma->length;
        lines += fmt::format("{}\t{}{}\n", word,
                             !inside              ? "O"
                             : at == lemma->begin ? "B-"
                                                  : "I-",
                             inside ? type : "");
      }
      files.add_text(s, lines);
    }
  }
}

/// "Which word means ...?" about an example sentence; every fifth sentence is another synset's and
/// holds no answer.
void write_span(const SynsetGraph& graph, const std::vector<Synset>& synsets, TaskFiles& files) {
  for (const Synset& s : synsets) {
    RandomStream draw = stream_of(s, "wordnet-span");
    Row paragraphs = Row::array();
    const auto add = [&](const std::string& context, Row answers) {
      const bool is_impossible = answers.empty();
      const Row question{{"id", fmt::format("{}-{}", name_of(s), paragraphs.size())},
                         {"question", fmt::format("Which word means: {}?", definition_of(s))},
                         {"answers", std::move(answers)},
                         {"is_impossible", is_impossible}};
      paragraphs.push_back(Row{{"context", context}, {"qas", Row::array({question})}});
    };
    for (const std::string& example : examples_of(s)) {
      const auto lemma = find_lemma(s, example);
      if (!lemma) continue;
      if (draw.below(5) == 0) {
        const auto foreign = examples_of(any_of(graph.of_part(s.part), draw));
        if (!foreign.empty() && !find_lemma(s, foreign[0])) add(foreign[0], Row::array());
      }
      const std::string_view before = std::string_view(example).substr(0, lemma->begin);
      add(example, Row::array({Row{{"text", example.substr(lemma->begin, lemma->length)},
                                   {"answer_start", text::count_code_points(before)}}}));
    }
    if (!paragraphs.empty())
      files.add(s, Row{{"title", s.lemmas.front()}, {"paragraphs", std::move(paragraphs)}});
  }
  files.enclose("2.0");
}

/// A definition and four words of its category, one of which it defines.
void write_choice(const SynsetGraph& graph, const std::vector<Synset>& synsets, TaskFiles& files) {
  constexpr size_t kChoices = 4;
  for (const Synset& s : synsets) {
    const auto& others = graph.of_category(s.category);
    if (others.size() < 10 * kChoices) continue;
    RandomStream draw = stream_of(s, "wordnet-choice");
    std::vector<std::string> words{s.lemmas.front()};
    const auto is_taken = [&](const std::string& word) {
      return std::find(words.begin(), words.end(), word) != words.end() ||
             std::find(s.lemmas.begin(), s.lemmas.end(), word) != s.lemmas.end();
    };
    while (words.size() < kChoices) {
      const std::string& word = any_of(others, draw).lemmas.front();
      if (!is_taken(word)) words.push_back(word);
    }
    draw.shuffle(words);
    const auto label = std::find(words.begin(), words.end(), s.lemmas.front()) - words.begin();
    files.add(s, Row{{"question", definition_of(s)}, {"choices", words}, {"label", label}});
  }
}

/// A word, its definition, and the definition of another word of the same category.
void write_contrastive(const SynsetGraph& graph, const std::vector<Synset>& synsets,
                       TaskFiles& files) {
  for (const Synset& s : synsets) {
    RandomStream draw = stream_of(s, "wordnet-contrastive");
    Row row{{"anchor", s.lemmas.front()}, {"positive", definition_of(s)}};
    const Synset& other = any_of(graph.of_category(s.category), draw);
    if (definition_of(other) != definition_of(s)) row["negative"] = definition_of(other);
    files.add(s, row);
  }
}

struct WordNetTask {
  std::string_view kind, extension;
  void (*write)(const SynsetGraph&, const std::vector<Synset>&, TaskFiles&);
};

constexpr std::array<WordNetTask, 8> kTasks = {{{"text", "txt", write_text},
                                                {"category", "jsonl", write_category},
                                                {"is-a", "jsonl", write_is_a},
                                                {"similarity", "jsonl", write_similarity},
                                                {"tagging", "conll", write_tagging},
                                                {"span", "json", write_span},
                                                {"choice", "jsonl", write_choice},
                                                {"contrastive", "jsonl", write_contrastive}}};

}  // namespace

const std::vector<std::string>& wordnet_task_kinds() {
  static const std::vector<std::string> kinds = [] {
    std::vector<std::string> names;
    for (const WordNetTask& task : kTasks) names.emplace_back(task.kind);
    return names;
  }();
  return kinds;
}

SplitCounts write_wordnet_task(std::string_view kind, const std::filesystem::path& wordnet,
                               const std::filesystem::path& out) {
  const auto task = std::find_if(kTasks.begin(), kTasks.end(),
                                 [&](const WordNetTask& known) { return known.kind == kind; });
  if (task == kTasks.end()) {
    fail(ErrorKind::usage, "wordnet", "unknown task 'wordnet-{}': expected one of wordnet-{}", kind,
         fmt::join(wordnet_task_kinds(), ", wordnet-"));
  }
  const std::vector<Synset> synsets = read_wordnet(wordnet);
  TaskFiles files(out, task->extension);
  task->write(SynsetGraph(synsets), synsets, files);
  return files.commit();
}

}  // namespace tenfold::data
