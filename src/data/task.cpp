// Reading rows and turning them into examples.
// Not here: lines and decompression (text_lines.cpp).
#include "data/task.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "data/text_lines.h"
#include "support/fail.h"
#include "support/json.h"
#include "support/strings.h"

namespace tenfold::data {
namespace {

std::vector<std::string> tab_fields(const std::string& line) {
  std::vector<std::string> fields;
  for (std::string_view field : split(line, '\t')) fields.emplace_back(field);
  return fields;
}

/// Fields of a CSV record; a quoted field may hold commas, doubled quotes and line ends (taken from
/// `lines`).
std::vector<std::string> comma_fields(std::string line, TextLines& lines) {
  std::vector<std::string> fields(1);
  const int64_t number = lines.number();
  bool quoted = false;
  for (size_t i = 0;; ++i) {
    if (i == line.size()) {
      if (!quoted) return fields;
      std::optional<std::string> more = lines.next();
      require(more.has_value(), ErrorKind::data, "task", "{}:{}: a quoted field has no end",
              lines.name(), number);
      fields.back() += '\n';
      line = std::move(*more);
      i = static_cast<size_t>(-1);
      continue;
    }
    const char c = line[i];
    if (c == '"' && quoted && i + 1 < line.size() && line[i + 1] == '"') {
      fields.back() += '"';
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += c;
      require(fields.back().size() <= kLongestLine, ErrorKind::data, "task",
              "{}:{}: a quoted field has more than {} bytes", lines.name(), number, kLongestLine);
    }
  }
}

struct Places {
  std::optional<size_t> text, pair, label;
};

std::optional<size_t> find_name(const std::vector<std::string>& header,
                                std::initializer_list<std::string_view> names) {
  for (std::string_view name : names) {
    const auto found = std::find(header.begin(), header.end(), name);
    if (found != header.end()) return static_cast<size_t>(found - header.begin());
  }
  return std::nullopt;
}

std::optional<size_t> column_number(const std::string& name) {
  size_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return number;
}

bool is_header(const std::vector<std::string>& row, const TaskColumns& columns) {
  for (const std::string* name : {&columns.text, &columns.pair, &columns.label}) {
    if (!name->empty() && find_name(row, {*name}) && !column_number(*name)) return true;
  }
  return find_name(row, {"text", "sentence", "text_a", "sentence1", "question", "premise"})
      .has_value();
}

/// One part's column: as named by the user, or found out.
std::optional<size_t> place_of(const std::string& wanted, const std::vector<std::string>& header,
                               std::optional<size_t> guess, const std::string& file) {
  if (wanted.empty()) return guess;
  if (const auto named = find_name(header, {wanted})) return named;
  if (const auto number = column_number(wanted)) return number;
  fail(ErrorKind::data, "task", "{}: no column '{}' in the header ({}){}", file, wanted,
       join(header, ", "), did_you_mean(wanted, header));
}

Places find_places(const std::vector<std::string>& first, bool header, const TaskColumns& columns,
                   const std::string& file) {
  Places guess;
  if (header) {
    std::set<std::string> names;
    for (const std::string& name : first) {
      require(names.insert(name).second, ErrorKind::data, "task",
              "{}:1: the column '{}' appears twice", file, name);
    }
    guess.text =
        find_name(first, {"text", "sentence", "text_a", "sentence1", "premise", "question"});
    guess.pair = find_name(first, {"text_b", "sentence2", "hypothesis"});
    guess.label = find_name(first, {"label", "class", "category", "score"});
  } else if (first.size() == 1) {
    guess.text = 0;
  } else {
    guess.text = 0;
    guess.label = first.size() - 1;
    if (first.size() == 3) guess.pair = 1;
  }
  const std::vector<std::string> names = header ? first : std::vector<std::string>{};
  return {place_of(columns.text, names, guess.text, file),
          place_of(columns.pair, names, guess.pair, file),
          place_of(columns.label, names, guess.label, file)};
}

/// Collects rows; bad ones are refused or counted.
class RowSink {
 public:
  RowSink(TaskFile& out, const TaskColumns& columns, Labels labels, const std::string& file)
      : out_(out), columns_(columns), labels_(labels), file_(file) {}

  void add(TaskRow row) {
    if (trim(row.text).empty()) return bad(row.line, "the text is empty");
    if (labels_ == Labels::required && (!row.label || row.label->empty()))
      return bad(row.line, "no label");
    out_.rows.push_back(std::move(row));
  }

  void bad(int64_t line, const std::string& why) {
    const std::string message = fmt::format("{}:{}: {}", file_, line, why);
    require(columns_.skip_bad, ErrorKind::data, "task", "{}", message);
    if (out_.bad_rows++ == 0) out_.first_bad = message;
  }

 private:
  TaskFile& out_;
  const TaskColumns& columns_;
  Labels labels_;
  const std::string& file_;
};

void read_columns(TextLines& lines, bool comma, const TaskColumns& columns, RowSink& sink) {
  std::optional<Places> places;
  size_t wanted = 0;
  while (std::optional<std::string> line = lines.next()) {
    const int64_t number = lines.number();
    const std::vector<std::string> row =
        comma ? comma_fields(std::move(*line), lines) : tab_fields(*line);
    if (row.size() == 1 && trim(row[0]).empty()) continue;
    if (!places) {
      const bool header = is_header(row, columns);
      places = find_places(row, header, columns, lines.name());
      wanted = std::max({places->text.value_or(0), places->pair.value_or(0),
                         places->label.value_or(0)}) +
               1;
      if (header) continue;
    }
    if (row.size() < wanted) {
      sink.bad(number, fmt::format("expected at least {} columns, got {}", wanted, row.size()));
      continue;
    }
    TaskRow out{.text = row[places->text.value_or(0)], .pair = {}, .label = {}, .line = number};
    if (places->pair) out.pair = row[*places->pair];
    if (places->label) out.label = std::string(trim(row[*places->label]));
    sink.add(std::move(out));
  }
}

std::optional<std::string> text_under(const nlohmann::json& row, const std::string& wanted,
                                      std::initializer_list<const char*> usual) {
  const auto as_text = [](const nlohmann::json& value) {
    return value.is_string() ? value.get<std::string>() : value.dump();
  };
  if (!wanted.empty())
    return row.contains(wanted) ? std::optional(as_text(row[wanted])) : std::nullopt;
  for (const char* name : usual) {
    if (row.contains(name)) return as_text(row[name]);
  }
  return std::nullopt;
}

void read_objects(TextLines& lines, const TaskColumns& columns, RowSink& sink) {
  while (std::optional<std::string> line = lines.next()) {
    if (trim(*line).empty()) continue;
    const auto [parsed, fault] = try_parse_json(*line, kRowLimits);
    if (!fault.empty() || !parsed.is_object()) {
      sink.bad(lines.number(),
               "the row is no JSON object" + (fault.empty() ? "" : ": it " + fault));
      continue;
    }
    const auto text =
        text_under(parsed, columns.text, {"text", "text_a", "sentence", "sentence1", "premise"});
    if (!text) {
      sink.bad(lines.number(), "no text (keys looked for: text, text_a, sentence, sentence1)");
      continue;
    }
    sink.add({.text = *text,
              .pair = text_under(parsed, columns.pair, {"text_b", "sentence2", "hypothesis"}),
              .label = text_under(parsed, columns.label, {"label"}),
              .line = lines.number()});
  }
}

void read_plain(TextLines& lines, RowSink& sink) {
  while (std::optional<std::string> line = lines.next()) {
    const size_t tab = line->find('\t');
    TaskRow row{.text = line->substr(0, tab), .pair = {}, .label = {}, .line = lines.number()};
    if (tab != std::string::npos) row.pair = line->substr(tab + 1);
    sink.add(std::move(row));
  }
}

}  // namespace

void TaskColumns::fields(config::FieldVisitor& v) {
  v.field("text", text, "column of the text: a name, or a number from 0; empty: found out");
  v.field("pair", pair, "column of the second text");
  v.field("label", label, "column of the label");
  v.field("skip_bad", skip_bad, "count bad rows instead of refusing them");
}

TaskFile read_task(const std::filesystem::path& path, const TaskColumns& columns, Labels labels) {
  require(path == "-" || std::filesystem::exists(path), ErrorKind::data, "task",
          "{} does not exist", path.string());
  TextLines lines(path);
  TaskFile file;
  RowSink sink(file, columns, labels, lines.name());
  const std::string kind = plain_name(path).extension().string();
  if (kind == ".jsonl" || kind == ".json") {
    read_objects(lines, columns, sink);
  } else if (kind == ".tsv" || kind == ".csv") {
    read_columns(lines, kind == ".csv", columns, sink);
  } else {
    require(labels == Labels::optional, ErrorKind::data, "task",
            "{}: expected a .tsv, .csv or .jsonl file", path.string());
    read_plain(lines, sink);
  }
  require(!file.rows.empty(), ErrorKind::data, "task", "{} holds no rows", path.string());
  return file;
}

std::vector<std::string> label_set(std::span<const TaskRow> rows) {
  std::set<std::string> seen;
  for (const TaskRow& row : rows) {
    if (row.label) seen.insert(*row.label);
  }
  std::vector<std::string> labels(seen.begin(), seen.end());
  if (std::all_of(labels.begin(), labels.end(),
                  [](const std::string& l) { return column_number(l).has_value(); })) {
    std::sort(labels.begin(), labels.end(), [](const std::string& a, const std::string& b) {
      return *column_number(a) < *column_number(b);
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
