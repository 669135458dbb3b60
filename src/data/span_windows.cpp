// Windows, answers in tokens, and the window each token is judged in.
// Not here: the windows' ids (the tokenizer's encode_windows).
#include "data/span_windows.h"

#include <algorithm>

#include "support/fail.h"

namespace tenfold::data {
namespace {

/// The question up to the end of its last allowed piece.
std::string_view cut_question(std::string_view question, const Tokenizer& tokenizer, size_t most) {
  const Encoding pieces = tokenizer.encode(question);
  return pieces.size() <= most ? question
                               : question.substr(0, most == 0 ? 0 : pieces.end[most - 1]);
}

/// The labels {first, last token}, or {0, 0}.
std::vector<double> answer_places(const SpanWindow& window, const std::optional<ByteSpan>& answer) {
  if (!answer || window.begin.empty() || window.begin.front() > answer->begin ||
      window.end.back() < answer->end) {
    return {0, 0};
  }
  size_t first = 0, last = window.begin.size() - 1;
  while (first < last && window.end[first] <= answer->begin) ++first;
  while (last > first && window.begin[last] >= answer->end) --last;
  return {static_cast<double>(window.first + first), static_cast<double>(window.first + last)};
}

/// Each token belongs to the window in which the smaller of its two sides is largest, a longer
/// window winning by a hundredth of its length (Devlin et al. 2018, the release's "max context");
/// of equals to the first one.
void mark_owners(std::vector<SpanWindow>& windows, const std::vector<size_t>& starts) {
  const auto shows = [&](size_t window, size_t token) {
    return token >= starts[window] && token < starts[window] + windows[window].begin.size();
  };
  const auto merit = [&](size_t window, size_t token) {
    const size_t length = windows[window].begin.size();
    const size_t left = token - starts[window], right = length - 1 - left;
    return static_cast<double>(std::min(left, right)) + 0.01 * static_cast<double>(length);
  };
  for (size_t w = 0; w < windows.size(); ++w) {
    windows[w].own.assign(windows[w].begin.size(), 1);
    for (size_t i = 0; i < windows[w].own.size(); ++i) {
      const size_t token = starts[w] + i;
      const double here = merit(w, token);
      for (size_t other = w; other-- > 0 && shows(other, token);)
        if (merit(other, token) >= here) windows[w].own[i] = 0;
      for (size_t other = w + 1; other < windows.size() && shows(other, token); ++other)
        if (merit(other, token) > here) windows[w].own[i] = 0;
    }
  }
}

SpanWindow window_of(const Encoding& encoding, uint64_t id) {
  SpanWindow window;
  window.example.id = id;
  window.example.sequences["tokens"] = encoding.ids;
  window.example.sequences["segments"] = {encoding.segments.begin(), encoding.segments.end()};
  const auto second = std::find(encoding.segments.begin(), encoding.segments.end(), 1);
  window.first = static_cast<size_t>(second - encoding.segments.begin());
  const auto first = static_cast<std::ptrdiff_t>(window.first);
  window.begin.assign(encoding.begin.begin() + first, encoding.begin.end() - 1);
  window.end.assign(encoding.end.begin() + first, encoding.end.end() - 1);
  return window;
}

}  // namespace

std::vector<SpanWindow> span_windows(const SpanQuestion& row, Answers answers,
                                     const Tokenizer& tokenizer, const WindowOptions& options,
                                     const std::string& where, uint64_t first_id) {
  const std::string_view question = cut_question(row.question, tokenizer, options.max_question);
  std::vector<Encoding> encodings;
  try {
    encodings = tokenizer.encode_windows(question, row.context, options.max_length, options.stride);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::data) throw;
    fail(ErrorKind::data, "span",
         "{}: windows of {} tokens are too short for a question of {} and a stride of {}: lower "
         "task.span.max_question or task.span.stride",
         where, options.max_length, tokenizer.encode(question).size(), options.stride);
  }
  std::vector<SpanWindow> windows;
  std::vector<size_t> starts;
  for (const Encoding& encoding : encodings) {
    const size_t before =
        starts.empty() ? 0 : starts.back() + windows.back().begin.size() - options.stride;
    windows.push_back(window_of(encoding, first_id + windows.size()));
    starts.push_back(before);
    if (answers == Answers::known)
      windows.back().example.labels = answer_places(windows.back(), row.answer);
  }
  mark_owners(windows, starts);
  return windows;
}

}  // namespace tenfold::data
