// The labels of rows, and the examples made from them.
// Not here: reading rows (task_reading.cpp).
#include "data/task.h"

#include <algorithm>
#include <map>
#include <set>

#include "support/fail.h"
#include "support/strings.h"

namespace tenfold::data {

std::vector<std::string> label_set(std::span<const TaskRow> rows) {
  std::set<std::string> seen;
  for (const TaskRow& row : rows) {
    if (row.label) seen.insert(*row.label);
    seen.insert(row.labels.begin(), row.labels.end());
  }
  std::vector<std::string> labels(seen.begin(), seen.end());
  if (std::all_of(labels.begin(), labels.end(),
                  [](const std::string& l) { return parse_number<size_t>(l).has_value(); })) {
    std::sort(labels.begin(), labels.end(), [](const std::string& a, const std::string& b) {
      return *parse_number<size_t>(a) < *parse_number<size_t>(b);
    });
  }
  return labels;
}

std::vector<Example> make_examples(std::span<const TaskRow> rows, const Tokenizer& tokenizer,
                                   std::span<const std::string> labels, int64_t max_length,
                                   const std::string& file) {
  std::map<std::string, size_t> index;
  for (size_t i = 0; i < labels.size(); ++i) index[labels[i]] = i;
  std::vector<Example> examples;
  for (const TaskRow& row : rows) {
    Example example;
    example.id = examples.size();
    const auto limit = static_cast<size_t>(max_length);
    const Encoding encoding = row.pair ? tokenizer.encode_pair(row.text, *row.pair, limit)
                                       : tokenizer.encode_single(row.text, limit);
    example.sequences["tokens"] = encoding.ids;
    if (row.pair)
      example.sequences["segments"] = {encoding.segments.begin(), encoding.segments.end()};
    if (!labels.empty()) {
      const auto found = row.label ? index.find(*row.label) : index.end();
      require(found != index.end(), ErrorKind::data, "task",
              "{}:{}: the label '{}' is not one of {}", file, row.line, row.label.value_or(""),
              fmt::join(labels, ", "));
      example.labels = {static_cast<double>(found->second)};
    }
    examples.push_back(std::move(example));
  }
  return examples;
}

}  // namespace tenfold::data
