// Ways between synsets, and lemmas in sentences.
// Not here: what tasks are made of them (wordnet_tasks.cpp).
#include "data/wordnet_graph.h"

#include <algorithm>
#include <deque>

#include "support/fail.h"
#include "support/strings.h"

namespace tenfold::data {
namespace {

/// Letters, digits and every byte of a character beyond ASCII.
bool is_word_byte(char c) {
  const auto byte = static_cast<uint8_t>(c);
  const char small = lower_ascii(c);
  return byte >= 0x80 || (small >= 'a' && small <= 'z') || (c >= '0' && c <= '9');
}

bool joins_word(char c) { return c == '\'' || c == '-' || c == '.'; }

/// Whether the character at `at` belongs to the word of the one before it.
bool is_inside_word(std::string_view text, size_t at) {
  const auto is_word = [&](size_t i) { return i < text.size() && is_word_byte(text[i]); };
  if (at == 0 || at >= text.size()) return false;
  if (is_word(at - 1)) return is_word(at) || (joins_word(text[at]) && is_word(at + 1));
  return joins_word(text[at - 1]) && at > 1 && is_word(at - 2) && is_word(at);
}

std::optional<size_t> find_words(std::string_view text, std::string_view words) {
  const auto same = [](char a, char b) { return lower_ascii(a) == lower_ascii(b); };
  for (auto from = text.begin();;) {
    const auto found = std::search(from, text.end(), words.begin(), words.end(), same);
    if (found == text.end()) return std::nullopt;
    const auto begin = static_cast<size_t>(found - text.begin());
    if (!is_inside_word(text, begin) && !is_inside_word(text, begin + words.size())) return begin;
    from = found + 1;
  }
}

/// Where the examples begin: at the quote of the first "; \"".
size_t examples_begin(std::string_view gloss) {
  const size_t mark = gloss.find("; \"");
  return mark == std::string_view::npos ? gloss.size() : mark;
}

}  // namespace

SynsetGraph::SynsetGraph(const std::vector<Synset>& synsets) {
  for (const Synset& s : synsets) {
    by_offset_[{s.part, s.offset}] = &s;
    parts_[s.part].push_back(&s);
    categories_[s.category].push_back(&s);
    for (const uint32_t target : s.hypernyms) below_[{s.part, target}].push_back(&s);
  }
}

std::vector<const Synset*> SynsetGraph::above(const Synset& synset) const {
  std::vector<const Synset*> found;
  for (const uint32_t target : synset.hypernyms) {
    const auto at = by_offset_.find({synset.part, target});
    require(at != by_offset_.end(), ErrorKind::data, "wordnet",
            "synset {}{:08} links to a synset that is not there", synset.part, synset.offset);
    found.push_back(at->second);
  }
  return found;
}

const std::vector<const Synset*>& SynsetGraph::below(const Synset& synset) const {
  static const std::vector<const Synset*> none;
  const auto found = below_.find({synset.part, synset.offset});
  return found == below_.end() ? none : found->second;
}

std::map<const Synset*, int64_t> SynsetGraph::links_up(const Synset& from) const {
  std::map<const Synset*, int64_t> links{{&from, 0}};
  std::deque<const Synset*> waiting{&from};
  while (!waiting.empty()) {
    const Synset* here = waiting.front();
    waiting.pop_front();
    for (const Synset* upper : above(*here)) {
      if (links.emplace(upper, links.at(here) + 1).second) waiting.push_back(upper);
    }
  }
  return links;
}

double SynsetGraph::path_similarity(const Synset& a, const Synset& b) const {
  const auto from_a = links_up(a), from_b = links_up(b);
  int64_t shortest = -1;
  for (const auto& [synset, links] : from_a) {
    const auto met = from_b.find(synset);
    if (met != from_b.end() && (shortest < 0 || links + met->second < shortest))
      shortest = links + met->second;
  }
  return shortest < 0 ? 0.0 : 1.0 / static_cast<double>(1 + shortest);
}

const std::vector<const Synset*>& SynsetGraph::of_part(char part) const { return parts_.at(part); }

const std::vector<const Synset*>& SynsetGraph::of_category(int category) const {
  return categories_.at(category);
}

std::string_view definition_of(const Synset& synset) {
  const std::string_view gloss = synset.gloss;
  return trim(gloss.substr(0, examples_begin(gloss)));
}

std::vector<std::string> examples_of(const Synset& synset) {
  std::string_view rest = std::string_view(synset.gloss).substr(examples_begin(synset.gloss));
  std::vector<std::string> examples;
  for (;;) {
    const size_t open = rest.find('"');
    if (open == std::string_view::npos) return examples;
    const size_t close = std::min(rest.find('"', open + 1), rest.size());
    const std::string_view example = trim(rest.substr(open + 1, close - open - 1));
    if (!example.empty()) examples.emplace_back(example);
    rest.remove_prefix(std::min(close + 1, rest.size()));
  }
}

std::optional<LemmaPlace> find_lemma(const Synset& synset, std::string_view sentence) {
  std::optional<LemmaPlace> first;
  for (const std::string& lemma : synset.lemmas) {
    const auto begin = find_words(sentence, lemma);
    if (begin && (!first || *begin < first->begin)) first = LemmaPlace{*begin, lemma.size()};
  }
  return first;
}

std::vector<std::string_view> sentence_words(std::string_view sentence) {
  std::vector<std::string_view> words;
  for (size_t begin = 0; begin < sentence.size();) {
    size_t end = begin + 1;
    while (end < sentence.size() && is_inside_word(sentence, end)) ++end;
    if (!trim(sentence.substr(begin, end - begin)).empty())
      words.push_back(sentence.substr(begin, end - begin));
    begin = end;
  }
  return words;
}

}  // namespace tenfold::data
