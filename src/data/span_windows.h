// A question and its context as strided windows, with the answer as token places.
// Not here: reading SQuAD files, batches (span_collator.h), or answers out of scores
// (span_answers.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/example.h"
#include "tenfold/tokenizer.h"

namespace tenfold::data {

/// Bytes begin .. end - 1 of a text.
struct ByteSpan {
  size_t begin = 0, end = 0;
  bool operator==(const ByteSpan&) const = default;
};

struct WindowOptions {
  size_t max_length = 384;   ///< tokens of a window, special ones included
  size_t stride = 128;       ///< pieces of the context that neighbours share
  size_t max_question = 64;  ///< pieces of the question; the rest is cut
};

/// [CLS] question [SEP] part of the context [SEP]. The example has "tokens", "segments" and, where
/// answers are known, the labels {first, last token of the answer}; {0, 0}, which is [CLS], where
/// the window does not hold the answer whole or there is none.
struct SpanWindow {
  Example example;
  size_t first = 0;                  ///< place of the first context token
  std::vector<uint32_t> begin, end;  ///< bytes in the context of each context token
  std::vector<uint8_t> own;  ///< 1: no other window shows this context token with more around it
};

/// A question about a context.
struct SpanQuestion {
  std::string_view question, context;
  std::optional<ByteSpan> answer = {};  ///< in the context; none: there is no answer
};

/// Whether the examples are for training (with labels) or only for prediction.
enum class Answers : uint8_t { known, unknown };

/// All windows of a question, from left to right; at least one. Example ids count from `first_id`.
/// Error{data} starting with `where` ("FILE:LINE" or the like) where a window has no room for more
/// than `stride` pieces of the context beside the question.
std::vector<SpanWindow> span_windows(const SpanQuestion& row, Answers answers,
                                     const Tokenizer& tokenizer, const WindowOptions& options,
                                     const std::string& where, uint64_t first_id = 0);

}  // namespace tenfold::data
