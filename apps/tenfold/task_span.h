// Options of span question answering, as a recipe and a model directory hold them.
// Not here: the task itself (task_span.cpp).
#pragma once

#include "data/span_answers.h"

namespace tenfold::app {

struct SpanTaskOptions {
  int64_t stride = 32;
  int64_t max_question = 64;
  data::AnswerOptions answers;
  void fields(config::FieldVisitor& v);
  data::WindowOptions window_options(size_t max_length) const;
};

}  // namespace tenfold::app
