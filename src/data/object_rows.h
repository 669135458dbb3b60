// Rows with named parts: multiple choice, contrastive pairs, minimal pairs, and n-best lists.
// Not here: labelled texts and pairs (task.h).
#pragma once

#include <filesystem>

#include "data/rows.h"

namespace tenfold::data {

// JSON lines, or .tsv and .csv with a header of the same names; also .gz and .zst. Error{data}
// "FILE:LINE: ..." for rows that lack a part or hold an empty one; counted with skip_bad. A file
// without rows is an error.

/// Keys: choices (also endings; or choice0, choice1, ... as columns), context (ctx, passage,
/// sent1), question (sent2), label (answer): an index from 0 or a letter from A.
RowFile<ChoiceRow> read_choices(const std::filesystem::path& path, const ReadingRules& rules,
                                Labels labels);

/// Keys: anchor (query), positive, and, where there are some, negative, negatives (texts or lists
/// of them), negative_1, ...
RowFile<ContrastiveRow> read_contrastive(const std::filesystem::path& path,
                                         const ReadingRules& rules);

/// Keys as in BLiMP: sentence_good, sentence_bad, UID, field.
RowFile<MinimalPairRow> read_minimal_pairs(const std::filesystem::path& path,
                                           const ReadingRules& rules);

/// One JSON object {utterance: {"hyp_1": {"score", "text"}, ..., "ref"}} as mlm-scoring has it.
/// Hypotheses keep their numbers' order. Error{data} for an utterance that comes twice or has no
/// hypothesis, a score that is no finite number, and with Labels::required one without a reference.
RowFile<NBestRow> read_nbest(const std::filesystem::path& path, const ReadingRules& rules,
                             Labels labels);

}  // namespace tenfold::data
