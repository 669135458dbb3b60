// The public Model's tags, answers, choices and similarities.
// Not here: loading, vectors, blanks and classes (facade.cpp).
#include <cmath>

#include "data/entity_spans.h"
#include "data/group_collators.h"
#include "data/span_answers.h"
#include "data/span_collator.h"
#include "data/text_group.h"
#include "data/word_collator.h"
#include "data/word_windows.h"
#include "model/facade_impl.h"
#include "model/sequence_objectives.h"
#include "model/span_objective.h"
#include "model/tagging_objective.h"
#include "support/fail.h"

namespace tenfold {
namespace {

/// Runs of words of one type, by their tags.
std::vector<TaggedSpan> spans_of(const std::vector<WordTag>& words) {
  std::vector<std::string_view> tags;
  for (const WordTag& word : words) tags.push_back(word.tag);
  std::vector<TaggedSpan> spans;
  for (data::EntitySpan& found : data::entity_spans(tags)) {
    TaggedSpan span{.begin = words[found.begin].begin,
                    .end = words[found.end - 1].end,
                    .type = std::move(found.type)};
    for (size_t word = found.begin; word < found.end; ++word) span.score += words[word].score;
    span.score /= static_cast<double>(found.end - found.begin);
    spans.push_back(std::move(span));
  }
  return spans;
}

std::vector<Answer> answers_of(const Question& question, const data::SpanAnswers& found,
                               size_t best) {
  std::vector<Answer> answers;
  const auto add = [&](const data::ScoredSpan& span) {
    const auto [begin, end] = span.bytes;
    answers.push_back({.text = std::string(question.context.substr(begin, end - begin)),
                       .score = span.probability,
                       .begin = begin,
                       .end = end});
  };
  add(found.verdict());
  for (const data::ScoredSpan& span : found.best) {
    if (answers.size() < best && &span != &found.verdict()) add(span);
  }
  return answers;
}

}  // namespace

std::vector<TaggedText> Model::tag(std::span<const CutText> texts) const {
  require(impl_->loaded.token_classifier != nullptr, ErrorKind::unsupported, "tag",
          "this model tags no words");
  torch::NoGradGuard no_gradient;
  struct Place {
    size_t text, first_word;
  };
  std::vector<data::Example> rows;
  std::vector<Place> places;
  std::vector<TaggedText> tagged(texts.size());
  for (size_t text = 0; text < texts.size(); ++text) {
    std::vector<std::string_view> words;
    for (const auto& [begin, end] : texts[text].words) {
      words.push_back(texts[text].text.substr(begin, end - begin));
      tagged[text].words.push_back({.begin = begin, .end = end, .tag = {}, .score = 0});
    }
    for (data::WordWindow& window :
         data::word_windows(words, {}, impl_->tokenizer, impl_->longest())) {
      places.push_back({text, window.first_word});
      rows.push_back(std::move(window.example));
    }
  }
  const model::TaggingObjective tagger(impl_->loaded.token_classifier);
  in_batches(rows, [&](std::span<const size_t> chosen) {
    const data::Batch batch = impl_->batch_of(data::WordCollator(), rows, chosen);
    const auto [best_W, tag_W] =
        tagger.logits(*impl_->loaded.encoder, batch, PassContext::evaluation())
            .softmax(1, torch::kFloat)
            .max(1);
    const Tensor score = best_W.to(torch::kCPU).contiguous(),
                 tag = tag_W.to(torch::kCPU).contiguous();
    int64_t at = 0;
    for (const size_t row : chosen) {
      const size_t count = rows[row].sequences.find("first_pieces")->second.size();
      for (size_t word = 0; word < count; ++word, ++at) {
        WordTag& out = tagged[places[row].text].words[places[row].first_word + word];
        out.tag = labels()[static_cast<size_t>(tag.const_data_ptr<int64_t>()[at])];
        out.score = static_cast<double>(score.const_data_ptr<float>()[at]);
      }
    }
  });
  for (TaggedText& text : tagged) text.spans = spans_of(text.words);
  return tagged;
}

std::vector<TaggedText> Model::tag(std::span<const std::string_view> texts) const {
  std::vector<CutText> cut;
  for (const std::string_view text : texts) {
    cut.push_back({.text = text, .words = {}});
    for (const data::WordPlace& word : data::split_words(text))
      cut.back().words.emplace_back(word.begin, word.end);
  }
  return tag(cut);
}

std::vector<std::vector<Answer>> Model::answer(std::span<const Question> questions,
                                               const AnswerOptions& options) const {
  require(impl_->loaded.span != nullptr, ErrorKind::unsupported, "answer",
          "this model answers no questions");
  torch::NoGradGuard no_gradient;
  const size_t longest =
      options.max_length > 0 ? std::min(options.max_length, impl_->longest()) : impl_->longest();
  const data::WindowOptions window_options{
      .max_length = longest, .stride = options.stride > 0 ? options.stride : longest / 4};
  std::vector<data::SpanWindow> windows;
  std::vector<size_t> first;  // window of each question, and their number
  std::vector<data::Example> rows;
  for (size_t q = 0; q < questions.size(); ++q) {
    first.push_back(windows.size());
    for (data::SpanWindow& window :
         data::span_windows({.question = questions[q].question, .context = questions[q].context},
                            data::Answers::unknown, impl_->tokenizer, window_options,
                            fmt::format("question {}", q + 1))) {
      rows.push_back(std::move(window.example));
      windows.push_back(std::move(window));
    }
  }
  first.push_back(windows.size());
  const model::SpanObjective reader(impl_->loaded.span);
  std::vector<data::WindowScores> scores(windows.size());
  in_batches(rows, [&](std::span<const size_t> chosen) {
    const data::Batch batch = impl_->batch_of(data::SpanCollator(), rows, chosen);
    const auto found = model::window_scores(
        reader.logits(*impl_->loaded.encoder, batch, PassContext::evaluation()),
        batch.input("tokens").layout);
    for (size_t i = 0; i < chosen.size(); ++i) scores[chosen[i]] = found[i];
  });
  const data::AnswerOptions rules{.best = static_cast<int64_t>(std::max<size_t>(options.best, 20)),
                                  .max_answer = static_cast<int64_t>(options.max_answer),
                                  .no_answer = options.no_answer,
                                  .threshold = options.threshold};
  std::vector<std::vector<Answer>> answers;
  for (size_t q = 0; q < questions.size(); ++q) {
    const size_t count = first[q + 1] - first[q];
    answers.push_back(answers_of(
        questions[q],
        data::span_answers(questions[q].context, std::span(windows).subspan(first[q], count),
                           std::span(scores).subspan(first[q], count), rules),
        options.best));
  }
  return answers;
}

std::vector<std::vector<double>> Model::choose(std::span<const ChoiceQuestion> questions) const {
  require(impl_->loaded.choice != nullptr, ErrorKind::unsupported, "choose",
          "this model makes no choices");
  torch::NoGradGuard no_gradient;
  std::vector<data::Example> rows;
  for (const ChoiceQuestion& question : questions) {
    require(!question.choices.empty(), ErrorKind::data, "choose", "a question has no choices");
    data::Example& row = rows.emplace_back();
    for (const std::string_view choice : question.choices) {
      data::append_text(
          row, question.question.empty()
                   ? impl_->tokenizer.encode_single(choice, impl_->longest())
                   : impl_->tokenizer.encode_pair(question.question, choice, impl_->longest()));
    }
  }
  const model::ChoiceObjective chooser(impl_->loaded.choice);
  std::vector<std::vector<double>> shares(questions.size());
  in_batches(rows, [&](std::span<const size_t> chosen) {
    const data::Batch batch = impl_->batch_of(data::ChoiceCollator(), rows, chosen);
    const Tensor logits = chooser.logits(*impl_->loaded.encoder, batch, PassContext::evaluation());
    const Tensor share_BC = model::ChoiceObjective::choices(logits, batch)
                                .softmax(1)
                                .to(torch::kCPU, torch::kDouble)
                                .contiguous();
    for (size_t i = 0; i < chosen.size(); ++i) {
      const double* share =
          share_BC.const_data_ptr<double>() + static_cast<int64_t>(i) * share_BC.size(1);
      shares[chosen[i]].assign(share, share + questions[chosen[i]].choices.size());
    }
  });
  return shares;
}

std::vector<double> Model::similarity(std::span<const TextPair> pairs,
                                      const EmbedOptions& options) const {
  std::vector<std::string_view> texts;
  for (const TextPair& pair : pairs) {
    texts.push_back(pair.first);
    texts.push_back(pair.second.value_or(pair.first));
  }
  const auto vectors = embed(texts, options);
  std::vector<double> cosines;
  for (size_t i = 0; i < pairs.size(); ++i) {
    const auto &a = vectors[2 * i], &b = vectors[2 * i + 1];
    double dot = 0, aa = 0, bb = 0;
    for (size_t d = 0; d < a.size(); ++d) {
      dot += static_cast<double>(a[d]) * static_cast<double>(b[d]);
      aa += static_cast<double>(a[d]) * static_cast<double>(a[d]);
      bb += static_cast<double>(b[d]) * static_cast<double>(b[d]);
    }
    const double lengths = std::sqrt(aa * bb);
    cosines.push_back(lengths > 0 ? dot / lengths : 0);
  }
  return cosines;
}

}  // namespace tenfold
