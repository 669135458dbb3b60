// Options of tagging, as a recipe and a model directory hold them.
// Not here: the task itself (task_tagging.cpp).
#pragma once

#include "data/tagged_rows.h"

namespace tenfold::app {

struct TaggingOptions {
  data::TagColumns columns;
  void fields(config::FieldVisitor& v);
};

}  // namespace tenfold::app
