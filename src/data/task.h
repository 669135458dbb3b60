// Labelled texts and pairs from TSV, CSV and JSON lines, and the examples made from them.
// Not here: training, or tasks other than classification.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "config/fields.h"
#include "data/example.h"
#include "tenfold/tokenizer.h"

namespace tenfold::data {

/// Where a row's parts stand: column names (with a header or in JSON lines) or numbers from 0.
/// Empty ones are found out: text | sentence | text_a, sentence1 | text_b, sentence2 | label;
/// without a header the last column is the label and the one or two before it the text.
struct TaskColumns {
  std::string text, pair, label;
  bool skip_bad = false;
  void fields(config::FieldVisitor& v);
};

struct TaskRow {
  std::string text;
  std::optional<std::string> pair;
  std::optional<std::string> label;
  int64_t line = 0;
};

struct TaskFile {
  std::vector<TaskRow> rows;
  int64_t bad_rows = 0;
  std::string first_bad;  ///< "FILE:LINE: why" of the first one skipped
};

enum class Labels : uint8_t { required, optional };

/// Reads *.tsv, *.csv (quoted fields) or *.jsonl, each also .gz or .zst; "-" and other names are
/// plain lines of text, pairs separated by a tab. Error{data} "FILE:LINE: ..." for rows with too
/// few columns, without text or label (counted instead with skip_bad), and for a file without rows.
TaskFile read_task(const std::filesystem::path& path, const TaskColumns& columns, Labels labels);

/// The labels of the rows: by number where all are numbers, else by text.
std::vector<std::string> label_set(std::span<const TaskRow> rows);

/// [CLS] text [SEP] (pair [SEP]) with class indices; example ids are 0, 1, ... Error{data} naming
/// the line where a label is not in `labels`; pass no labels for rows that are only predicted.
std::vector<Example> make_examples(std::span<const TaskRow> rows, const Tokenizer& tokenizer,
                                   std::span<const std::string> labels, int64_t max_length,
                                   const std::string& file);

}  // namespace tenfold::data
