// A question with its choices as a group of texts.
// Not here: the task itself (task_choice.cpp).
#pragma once

#include "data/example.h"
#include "data/rows.h"
#include "tenfold/tokenizer.h"

namespace tenfold::app {

/// Context and question, joined by a blank; empty where there is neither.
std::string choice_stem(const data::ChoiceRow& row);

/// A pair of stem and choice for each choice; the choice alone where there is no stem.
data::Example choice_example(const data::ChoiceRow& row, const Tokenizer& tokenizer,
                             size_t max_length);

}  // namespace tenfold::app
