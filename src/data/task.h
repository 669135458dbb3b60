// Labelled texts and pairs from TSV, CSV, JSON lines and the files of known tasks, and the examples
// made from them. Not here: training, or rows of other shapes (tagged_rows.h, span_rows.h,
// object_rows.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "config/fields.h"
#include "data/example.h"
#include "data/rows.h"
#include "tenfold/tokenizer.h"

namespace tenfold::data {

/// What the label of a row is: one class, several at once, or a number.
enum class LabelKind : uint8_t { one, several, score };

/// Where a row's parts stand: column names (with a header or in JSON lines) or numbers from 0 (-1:
/// the last). Empty ones are found out: text | sentence | text_a, sentence1 | text_b, sentence2 |
/// label; without a header the last column is the label and the one or two before it the text.
struct TaskColumns {
  std::string text, pair, label;
  bool skip_bad = false;
  std::string format = "auto";  ///< by the file's name, or one of task_formats()
  TextEncoding encoding = TextEncoding::utf8;
  std::string label_separator = ",";      ///< between several labels in one column
  LabelKind label_kind = LabelKind::one;  ///< the task's choice, not a field; formats of scores
                                          ///< make it `score`
  void fields(config::FieldVisitor& v);
};

using TaskFile = RowFile<TaskRow>;

/// Names of the formats: "tsv", "csv", "jsonl", and those that know their columns themselves:
///   glue-cola ...    the files of GLUE's tasks (glue.h), with and without labels
///   sts              score<TAB>text<TAB>text, an empty score for an unscored row
///   sts-benchmark    the original files of STS-B: 4 score, 5 and 6 texts, no header
///   sick, sick-entailment   relatedness, or its three classes
///   trec, trec-coarse       "COARSE:fine text": the whole label, or what stands before ':'
///   snli             line-aligned s1.NAME, s2.NAME, labels.NAME; the path is one of the three
const std::vector<std::string>& task_formats();

/// Reads *.tsv, *.csv (quoted fields) or *.jsonl, each also .gz or .zst, or any file in the format
/// that is named; "-" and other names are plain lines of text, pairs separated by a tab.
/// Error{data} "FILE:LINE: ..." for rows with too few columns, without text or label, with a label
/// that the format does not have, a score that is no finite number, or bytes that are not UTF-8
/// (counted instead with skip_bad), and for a file without rows. Rows that the file itself leaves
/// unscored or unlabelled (an empty score, SNLI's "-") are counted and left out, unless labels are
/// optional.
TaskFile read_task(const std::filesystem::path& path, const TaskColumns& columns, Labels labels);

/// The labels of the rows: by number where all are numbers, else by text.
std::vector<std::string> label_set(std::span<const TaskRow> rows);

/// [CLS] text [SEP] (pair [SEP]) with class indices; example ids are 0, 1, ... Error{data} naming
/// the line where a label is not in `labels`; pass no labels for rows that are only predicted.
std::vector<Example> make_examples(std::span<const TaskRow> rows, const Tokenizer& tokenizer,
                                   std::span<const std::string> labels, int64_t max_length,
                                   const std::string& file);

}  // namespace tenfold::data
