// Labelled rows of any kind cut into train, dev and test files.
// Not here: reading them (task.h, tagged_rows.h, span_rows.h, object_rows.h).
#pragma once

#include <span>

#include "data/rows.h"
#include "data/split_files.h"

namespace tenfold::data {

/// Where the parts go and how large they are. Rows that share a group go to the same part, so that
/// nothing of a test is known from training; the part is a pure function of group and seed.
struct SplitPlan {
  std::filesystem::path out;
  double dev = 0.1, test = 0.1;  ///< shares of the groups; what is left is for training
  uint64_t seed = 0;
  Split part_of(std::string_view group) const;
};

// Each writes OUT/train, dev and test and counts their rows. Error{data} where a part that was
// asked for gets no row; then no file is touched.

/// .jsonl; a group is one first text: a premise with all its hypotheses.
SplitCounts write_split(std::span<const TaskRow> rows, const SplitPlan& plan);
/// .conll; a group is one sentence.
SplitCounts write_split(std::span<const TaggedRow> rows, const SplitPlan& plan);
/// .json as SQuAD has it; a group is one article, or one passage where articles have no titles.
/// Articles are counted.
SplitCounts write_split(std::span<const SpanRow> rows, const SplitPlan& plan);
/// .jsonl; a group is one context, or one question without contexts.
SplitCounts write_split(std::span<const ChoiceRow> rows, const SplitPlan& plan);
/// .jsonl; a group is one anchor.
SplitCounts write_split(std::span<const ContrastiveRow> rows, const SplitPlan& plan);

}  // namespace tenfold::data
