// The three samplers of masked language modelling.
// Not here: samplers with parameters (methods).
#include "data/mask_sampler.h"

#include <algorithm>
#include <cmath>

#include "support/fail.h"
#include "support/strings.h"

namespace tenfold::data {
namespace {

/// A word: a run of candidates [begin, end) of which only the first does not continue a word.
struct WordRun {
  size_t begin, end;
  int64_t length() const { return static_cast<int64_t>(end - begin); }
};

std::vector<WordRun> words_of(const MaskRow& row) {
  std::vector<WordRun> words;
  for (size_t i = 0; i < row.candidates.size(); ++i) {
    const auto position = static_cast<size_t>(row.candidates[i]);
    const bool joined =
        i > 0 && row.candidates[i - 1] + 1 == row.candidates[i] && row.continues[position] != 0;
    if (joined) {
      words.back().end = i + 1;
    } else {
      words.push_back({i, i + 1});
    }
  }
  return words;
}

class UniformSampler final : public MaskSampler {
 public:
  std::vector<int64_t> sample(const MaskRow& row, int64_t count,
                              RandomStream& draw) const override {
    std::vector<int64_t> positions(row.candidates.begin(), row.candidates.end());
    const size_t wanted = std::min(positions.size(), static_cast<size_t>(count));
    for (size_t i = 0; i < wanted; ++i)
      std::swap(positions[i], positions[i + draw.below(positions.size() - i)]);
    positions.resize(wanted);
    std::sort(positions.begin(), positions.end());
    return positions;
  }
};

/// Whole words in random order; one that would pass the count is left out. A row whose every word
/// is too long gives its shortest one's first pieces, so that no row goes without a loss.
class WholeWordSampler final : public MaskSampler {
 public:
  std::vector<int64_t> sample(const MaskRow& row, int64_t count,
                              RandomStream& draw) const override {
    std::vector<WordRun> words = words_of(row);
    draw.shuffle(words);
    std::vector<int64_t> positions;
    for (const WordRun& word : words) {
      if (static_cast<int64_t>(positions.size()) + word.length() > count) continue;
      for (size_t i = word.begin; i < word.end; ++i) positions.push_back(row.candidates[i]);
    }
    if (positions.empty() && !words.empty()) {
      const auto shortest = std::min_element(
          words.begin(), words.end(),
          [](const WordRun& a, const WordRun& b) { return a.length() < b.length(); });
      for (size_t i = shortest->begin;
           i < shortest->end && static_cast<int64_t>(positions.size()) < count; ++i) {
        positions.push_back(row.candidates[i]);
      }
    }
    std::sort(positions.begin(), positions.end());
    return positions;
  }
};

/// Spans of whole words with clipped geometric lengths, until the count is reached; the last span
/// is cut to it.
class SpanSampler final : public MaskSampler {
 public:
  explicit SpanSampler(const SpanOptions& options) : options_(options) {}

  std::vector<int64_t> sample(const MaskRow& row, int64_t count,
                              RandomStream& draw) const override {
    const std::vector<WordRun> words = words_of(row);
    std::vector<uint8_t> taken(row.candidates.size(), 0);
    int64_t left = std::min<int64_t>(count, static_cast<int64_t>(row.candidates.size()));
    while (left > 0) {
      const int64_t length = span_length(draw);
      const size_t first = first_free(words, taken, draw.below(words.size()));
      for (size_t w = first;
           w < words.size() && w < first + static_cast<size_t>(length) && left > 0; ++w) {
        if (taken[words[w].begin] != 0) break;
        for (size_t i = words[w].begin; i < words[w].end && left > 0; ++i, --left) taken[i] = 1;
      }
    }
    std::vector<int64_t> positions;
    for (size_t i = 0; i < taken.size(); ++i) {
      if (taken[i] != 0) positions.push_back(row.candidates[i]);
    }
    return positions;
  }

 private:
  int64_t span_length(RandomStream& draw) const {
    int64_t length = 1;
    while (length < options_.longest && draw.uniform() >= options_.p) ++length;
    return length;
  }

  /// The word at `start`, or the next one (around the end) of which nothing is taken.
  static size_t first_free(const std::vector<WordRun>& words, const std::vector<uint8_t>& taken,
                           size_t start) {
    while (taken[words[start].begin] != 0) start = (start + 1) % words.size();
    return start;
  }

  SpanOptions options_;
};

MaskSamplerTable built_in_samplers() {
  MaskSamplerTable table;
  table.add(
      {"uniform", "single pieces, all equally likely",
       config::ChoiceKind::of<config::NoOptions>("uniform", "single pieces, all equally likely"),
       [](const config::Choice&) { return std::make_unique<UniformSampler>(); }});
  table.add(
      {"whole_word", "all pieces of a word or none",
       config::ChoiceKind::of<config::NoOptions>("whole_word", "all pieces of a word or none"),
       [](const config::Choice&) { return std::make_unique<WholeWordSampler>(); }});
  table.add(
      {"span", "runs of whole words (Joshi et al. 2019, SpanBERT)",
       config::ChoiceKind::of<SpanOptions>("span",
                                           "runs of whole words (Joshi et al. 2019, SpanBERT)"),
       [](const config::Choice& c) { return std::make_unique<SpanSampler>(c.as<SpanOptions>()); }});
  return table;
}

}  // namespace

int64_t masked_count(int64_t tokens, double probability, int64_t most) {
  // nearbyint rounds halves to the even number in the default rounding mode.
  const auto wanted =
      static_cast<int64_t>(std::nearbyint(static_cast<double>(tokens) * probability));
  return std::max<int64_t>(1, std::min(most, wanted));
}

void SpanOptions::fields(config::FieldVisitor& v) {
  v.field("p", p, "probability that a span ends after a word", config::between(0.01, 1));
  v.field("longest", longest, "most words in a span", config::at_least(1));
}

config::ChoiceTable MaskSamplerTable::choices() const {
  config::ChoiceTable choices;
  for (const MaskSamplerKind& kind : kinds_) choices.push_back(kind.choice);
  return choices;
}

std::unique_ptr<MaskSampler> MaskSamplerTable::make(const config::Choice& choice) const {
  const std::string wanted = choice.kind.empty() ? "uniform" : choice.kind;
  std::vector<std::string> names;
  for (const MaskSamplerKind& kind : kinds_) {
    if (kind.name == wanted) return kind.make(choice);
    names.push_back(kind.name);
  }
  fail(ErrorKind::config, "mask_sampler", "unknown kind '{}': expected one of {}{}", wanted,
       join(names, ", "), did_you_mean(wanted, names));
}

MaskSamplerTable& mask_sampler_table() {
  static MaskSamplerTable table = built_in_samplers();
  return table;
}

}  // namespace tenfold::data
