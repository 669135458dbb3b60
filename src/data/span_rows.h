// Questions about passages in the JSON layout of SQuAD 1.1 and 2.0.
// Not here: windows over long passages, or what answers score.
#pragma once

#include <filesystem>

#include "data/rows.h"

namespace tenfold::data {

/// Reads {"data": [{"title", "paragraphs": [{"context", "qas": [{"id", "question", "answers":
/// [{"text", "answer_start"}], "is_impossible"}]}]}]}, also .gz and .zst, paragraph by paragraph.
/// Offsets, in code points there, come out in bytes. Error{data} "FILE:LINE: question 'ID': ..."
/// for an id that came before, an empty question, an answer that does not stand in the passage at
/// its offset, an impossible question with answers, and with Labels::required one without any;
/// with skip_bad such questions are counted. Memory: the rows and one paragraph.
RowFile<SpanRow> read_spans(const std::filesystem::path& path, const ReadingRules& rules,
                            Labels labels);

}  // namespace tenfold::data
