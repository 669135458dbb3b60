// The n best spans over windows.
// Not here: the windows.
#include "data/span_answers.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>

#include "support/fail.h"

namespace tenfold::data {
namespace {

/// Places of the `count` highest scores of the context tokens, best first.
std::vector<size_t> highest(std::span<const double> scores, size_t count) {
  std::vector<size_t> places(scores.size());
  std::iota(places.begin(), places.end(), size_t{0});
  count = std::min(count, places.size());
  std::partial_sort(
      places.begin(), places.begin() + static_cast<std::ptrdiff_t>(count), places.end(),
      [&](size_t a, size_t b) { return scores[a] != scores[b] ? scores[a] > scores[b] : a < b; });
  places.resize(count);
  return places;
}

void require_finite(const WindowScores& scores, size_t tokens) {
  require(scores.begin.size() == tokens && scores.end.size() == tokens, ErrorKind::shape, "span",
          "{} and {} scores for a window of {} tokens", scores.begin.size(), scores.end.size(),
          tokens);
  for (const auto* side : {&scores.begin, &scores.end}) {
    for (const double score : *side)
      require(std::isfinite(score), ErrorKind::run, "span",
              "the model gives scores that are not finite");
  }
}

void add_spans(const SpanWindow& window, const WindowScores& scores, const AnswerOptions& options,
               std::vector<ScoredSpan>& found) {
  const size_t length = window.begin.size();
  const auto context_part = [&](const std::vector<double>& all) {
    return std::span(all).subspan(window.first, length);
  };
  const auto begins = context_part(scores.begin), ends = context_part(scores.end);
  const auto best = static_cast<size_t>(options.best);
  const std::vector<size_t> last_places = highest(ends, best);
  for (const size_t first : highest(begins, best)) {
    if (window.own[first] == 0) continue;
    for (const size_t last : last_places) {
      if (last < first || last - first + 1 > static_cast<size_t>(options.max_answer)) continue;
      found.push_back(
          {.bytes = {window.begin[first], window.end[last]}, .logit = begins[first] + ends[last]});
    }
  }
}

void add_probabilities(std::vector<ScoredSpan>& spans) {
  double total = 0;
  for (const ScoredSpan& span : spans) total += std::exp(span.logit - spans.front().logit);
  for (ScoredSpan& span : spans)
    span.probability = std::exp(span.logit - spans.front().logit) / total;
}

}  // namespace

void AnswerOptions::fields(config::FieldVisitor& v) {
  v.field("best", best, "begins, ends and answers looked at", config::at_least(1));
  v.field("max_answer", max_answer, "tokens of an answer at most", config::at_least(1));
  v.field("no_answer", no_answer, "whether a question may have no answer");
  v.field("threshold", threshold, "lead over the best answer that makes \"no answer\" the verdict");
}

const ScoredSpan& SpanAnswers::verdict() const {
  const auto wanted = std::find_if(best.begin(), best.end(), [this](const ScoredSpan& span) {
    return (span.bytes.begin < span.bytes.end) == answered;
  });
  return wanted == best.end() ? best.front() : *wanted;
}

SpanAnswers span_answers(std::string_view context, std::span<const SpanWindow> windows,
                         std::span<const WindowScores> scores, const AnswerOptions& options) {
  require(windows.size() == scores.size() && !windows.empty(), ErrorKind::internal, "span",
          "{} windows with {} scores", windows.size(), scores.size());
  std::vector<ScoredSpan> found;
  double none = std::numeric_limits<double>::infinity();
  for (size_t w = 0; w < windows.size(); ++w) {
    require_finite(scores[w],
                   windows[w].first + windows[w].begin.size() + 1);  // and the [SEP] behind them
    none = std::min(none, scores[w].begin[0] + scores[w].end[0]);
    add_spans(windows[w], scores[w], options, found);
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const ScoredSpan& a, const ScoredSpan& b) { return a.logit > b.logit; });
  SpanAnswers answers;
  std::set<std::string_view> texts;
  for (const ScoredSpan& span : found) {
    if (answers.best.size() == static_cast<size_t>(options.best)) break;
    const size_t bytes = span.bytes.end - span.bytes.begin;
    if (bytes > 0 && texts.insert(context.substr(span.bytes.begin, bytes)).second)
      answers.best.push_back(span);
  }
  const bool any = !answers.best.empty();
  answers.no_answer_margin =
      any ? none - answers.best.front().logit : std::numeric_limits<double>::infinity();
  answers.answered = any && !(options.no_answer && answers.no_answer_margin > options.threshold);
  if (options.no_answer || !any) {
    const ScoredSpan empty{.bytes = {}, .logit = none};
    const auto place = std::find_if(answers.best.begin(), answers.best.end(),
                                    [&](const ScoredSpan& span) { return span.logit < none; });
    answers.best.insert(place, empty);
  }
  add_probabilities(answers.best);
  return answers;
}

}  // namespace tenfold::data
