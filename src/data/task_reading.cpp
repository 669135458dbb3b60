// Reading labelled rows from columns, JSON lines and aligned files.
// Not here: lines and decompression (text_lines.cpp), or where known formats have their columns
// (task_formats.cpp).
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "data/row_fields.h"
#include "data/task.h"
#include "data/task_formats.h"
#include "data/text_lines.h"
#include "support/fail.h"
#include "support/json.h"
#include "support/strings.h"

namespace tenfold::data {
namespace {

/// Columns from 0, or from the end: -1 is the last.
struct Places {
  std::optional<int64_t> text, pair, label;

  /// Fields that a row must have.
  size_t wanted() const {
    int64_t most = 1;
    for (const auto& place : {text, pair, label}) {
      if (place) most = std::max(most, *place < 0 ? -*place : *place + 1);
    }
    return static_cast<size_t>(most);
  }
};

const std::string& field_at(const std::vector<std::string>& row, int64_t place) {
  return row[static_cast<size_t>(place < 0 ? place + static_cast<int64_t>(row.size()) : place)];
}

std::optional<int64_t> find_name(const std::vector<std::string>& header,
                                 std::initializer_list<std::string_view> names) {
  for (std::string_view name : names) {
    const auto found = std::find(header.begin(), header.end(), name);
    if (found != header.end()) return found - header.begin();
  }
  return std::nullopt;
}

/// What a reader was asked for, the format's own columns filled in.
struct TaskRequest {
  TaskColumns columns;
  TaskFormat format;
  Labels labels;
};

bool is_header(const std::vector<std::string>& row, const TaskRequest& request) {
  const TaskPlaces& headed = request.format.headed;
  const TaskPlaces& bare = request.format.bare;
  if (!bare.text.empty()) return !headed.text.empty() && find_name(row, {headed.text});
  if (!headed.text.empty()) return true;
  const TaskColumns& columns = request.columns;
  for (const std::string* name : {&columns.text, &columns.pair, &columns.label}) {
    if (!name->empty() && find_name(row, {*name}) && !parse_number<int64_t>(*name)) return true;
  }
  return find_name(row, {"text", "sentence", "text_a", "sentence1", "question", "premise"})
      .has_value();
}

/// One part's column: as named by the user or the format, or found out.
std::optional<int64_t> place_of(const std::string& wanted, const std::vector<std::string>& header,
                                std::optional<int64_t> guess, const std::string& file) {
  if (wanted.empty()) return guess;
  if (const auto named = find_name(header, {wanted})) return named;
  if (const auto number = parse_number<int64_t>(wanted)) return number;
  fail(ErrorKind::data, "task", "{}: no column '{}' in the header ({}){}", file, wanted,
       join(header, ", "), did_you_mean(wanted, header));
}

Places find_places(const std::vector<std::string>& first, bool header, const TaskRequest& request,
                   const std::string& file) {
  Places guess;
  const TaskPlaces& known = header ? request.format.headed : request.format.bare;
  const bool is_known = !known.text.empty();
  if (header) {
    std::set<std::string> names;
    for (const std::string& name : first) {
      require(names.insert(name).second, ErrorKind::data, "task",
              "{}:1: the column '{}' appears twice", file, name);
    }
  }
  if (header && !is_known) {
    guess.text =
        find_name(first, {"text", "sentence", "text_a", "sentence1", "premise", "question"});
    guess.pair = find_name(first, {"text_b", "sentence2", "hypothesis"});
    guess.label = find_name(first, {"label", "class", "category", "score"});
  } else if (!is_known) {
    guess.text = 0;
    if (first.size() > 1) guess.label = static_cast<int64_t>(first.size()) - 1;
    if (first.size() == 3) guess.pair = 1;
  }
  const std::vector<std::string> names = header ? first : std::vector<std::string>{};
  const auto name_of = [](const std::string& by_user, std::string_view by_format) {
    return by_user.empty() ? std::string(by_format) : by_user;
  };
  const TaskColumns& columns = request.columns;
  Places places{place_of(name_of(columns.text, known.text), names, guess.text, file),
                place_of(name_of(columns.pair, known.pair), names, guess.pair, file),
                {}};
  const std::string label = name_of(columns.label, known.label);
  const bool is_test = header && is_known && columns.label.empty() && !find_name(names, {label});
  if (request.labels == Labels::required || !is_test)
    places.label = place_of(label, names, guess.label, file);
  return places;
}

/// Collects rows; bad ones are refused or counted.
class RowSink {
 public:
  RowSink(TaskFile& out, const TaskRequest& request, const std::string& file)
      : out_(out), request_(request), bad_(file, request.columns.skip_bad) {}

  /// A row whose label stands as text.
  void add(TaskRow row, std::optional<std::string> label) {
    if (label && kind() == LabelKind::several) {
      std::vector<std::string> labels;
      for (const std::string_view part : split(*label, separator())) {
        if (!trim(part).empty()) labels.emplace_back(trim(part));
      }
      return add_several(std::move(row), std::move(labels));
    }
    const std::string_view text = label ? trim(*label) : std::string_view();
    if (kind() == LabelKind::score && label) {
      if (text.empty()) return leave_out(std::move(row));
      const auto score = parse_number<double>(text);
      if (!score || !std::isfinite(*score))
        return bad(row.line, fmt::format("the score '{}' is no finite number", text));
      row.score = score;
    } else if (kind() == LabelKind::one && label) {
      const auto& words = request_.format.words;
      if (text == "-" && !words.empty()) return leave_out(std::move(row));
      if (!text.empty() && !words.empty() &&
          std::find(words.begin(), words.end(), text) == words.end()) {
        return bad(row.line,
                   fmt::format("the label '{}' is not one of {}", text, fmt::join(words, ", ")));
      }
      row.label = std::string(text);
    }
    const bool labelled = !text.empty();
    finish(std::move(row), labelled);
  }

  /// A row of JSON lines, whose label may be a list or a number.
  void add_json(TaskRow row, const nlohmann::json* label) {
    if (label == nullptr || label->is_null()) return add(std::move(row), std::nullopt);
    const auto as_text = [](const nlohmann::json& value) {
      return value.is_string() ? value.get<std::string>() : value.dump();
    };
    if (kind() != LabelKind::several || !label->is_array()) {
      return add(std::move(row), as_text(*label));
    }
    std::vector<std::string> labels;
    for (const nlohmann::json& one : *label) labels.push_back(as_text(one));
    add_several(std::move(row), std::move(labels));
  }

  void bad(int64_t line, const std::string& why) { bad_.add(line, "{}", why); }
  /// Whether the text of a line can be read at all; says why where not.
  bool takes(std::string& text, int64_t number) {
    const std::string fault = check_encoding(text, request_.columns.encoding);
    if (!fault.empty()) bad(number, fault);
    return fault.empty();
  }
  void close() { bad_.report_to(out_); }

 private:
  LabelKind kind() const { return request_.columns.label_kind; }
  bool is_optional() const { return request_.labels == Labels::optional; }
  char separator() const { return request_.columns.label_separator.front(); }

  void add_several(TaskRow row, std::vector<std::string> labels) {
    std::set<std::string_view> seen;
    for (const std::string& label : labels) {
      if (!seen.insert(label).second)
        return bad(row.line, fmt::format("the label '{}' stands twice", label));
    }
    row.labels = std::move(labels);
    finish(std::move(row), true);
  }

  /// The file itself says that this row has no label.
  void leave_out(TaskRow row) {
    if (is_optional()) return finish(std::move(row), false);
    ++out_.unlabelled;
  }

  void finish(TaskRow row, bool labelled) {
    if (trim(row.text).empty()) return bad(row.line, "the text is empty");
    if (!labelled && !is_optional())
      return bad(row.line, kind() == LabelKind::score ? "no score" : "no label");
    out_.rows.push_back(std::move(row));
  }

  TaskFile& out_;
  const TaskRequest& request_;
  BadRows bad_;
};

void read_columns(TextLines& lines, const TaskRequest& request, RowSink& sink) {
  const bool comma = request.format.container == TaskContainer::commas;
  std::optional<Places> places;
  size_t wanted = 0;
  while (std::optional<std::string> line = lines.next()) {
    const int64_t number = lines.number();
    if (!comma && !sink.takes(*line, number)) continue;
    std::vector<std::string> row =
        comma ? comma_fields(std::move(*line), lines) : tab_fields(*line);
    if (comma && !std::all_of(row.begin(), row.end(),
                              [&](auto& field) { return sink.takes(field, number); }))
      continue;
    if (row.size() == 1 && trim(row[0]).empty()) continue;
    if (!places) {
      const bool header = is_header(row, request);
      places = find_places(row, header, request, lines.name());
      wanted = places->wanted();
      if (header) continue;
    }
    if (row.size() < wanted) {
      sink.bad(number, fmt::format("expected at least {} columns, got {}", wanted, row.size()));
      continue;
    }
    TaskRow out{
        .text = field_at(row, places->text.value_or(0)), .pair = {}, .label = {}, .line = number};
    if (places->pair) out.pair = field_at(row, *places->pair);
    sink.add(std::move(out),
             places->label ? std::optional(field_at(row, *places->label)) : std::nullopt);
  }
}

const nlohmann::json* value_under(const nlohmann::json& row, const std::string& wanted,
                                  std::initializer_list<const char*> usual) {
  if (!wanted.empty()) return row.contains(wanted) ? &row[wanted] : nullptr;
  for (const char* name : usual) {
    if (row.contains(name)) return &row[name];
  }
  return nullptr;
}

std::optional<std::string> text_under(const nlohmann::json& row, const std::string& wanted,
                                      std::initializer_list<const char*> usual) {
  const nlohmann::json* value = value_under(row, wanted, usual);
  if (value == nullptr) return std::nullopt;
  return value->is_string() ? value->get<std::string>() : value->dump();
}

void read_json_lines(TextLines& lines, const TaskRequest& request, RowSink& sink) {
  const TaskColumns& columns = request.columns;
  while (std::optional<std::string> line = lines.next()) {
    if (trim(*line).empty() || !sink.takes(*line, lines.number())) continue;
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
    TaskRow row{.text = *text,
                .pair = text_under(parsed, columns.pair, {"text_b", "sentence2", "hypothesis"}),
                .label = {},
                .line = lines.number()};
    sink.add_json(std::move(row), value_under(parsed, columns.label, {"label", "labels", "score"}));
  }
}

void read_plain(TextLines& lines, RowSink& sink) {
  while (std::optional<std::string> line = lines.next()) {
    const size_t tab = line->find('\t');
    TaskRow row{.text = line->substr(0, tab), .pair = {}, .label = {}, .line = lines.number()};
    if (tab != std::string::npos) row.pair = line->substr(tab + 1);
    sink.add(std::move(row), std::nullopt);
  }
}

/// "COARSE:fine text".
void read_prefixed(TextLines& lines, const TaskRequest& request, RowSink& sink) {
  while (std::optional<std::string> line = lines.next()) {
    if (trim(*line).empty() || !sink.takes(*line, lines.number())) continue;
    const size_t blank = line->find(' ');
    const size_t colon = line->find(':');
    if (blank == std::string::npos || colon == std::string::npos || colon > blank) {
      sink.bad(lines.number(), "expected 'COARSE:fine text'");
      continue;
    }
    const size_t label = request.format.name == "trec-coarse" ? colon : blank;
    sink.add({.text = line->substr(blank + 1), .pair = {}, .label = {}, .line = lines.number()},
             line->substr(0, label));
  }
}

/// FOLDER/PART.NAME of the same NAME as `path`, compressed or not; empty where there is none.
std::filesystem::path aligned_part(const std::filesystem::path& path, const std::string& part) {
  const std::string name = plain_name(path).filename().string();
  return existing_file(path.parent_path() / (part + name.substr(name.find('.'))));
}

void read_aligned(const std::filesystem::path& path, const TaskRequest& request, RowSink& sink) {
  require(plain_name(path).filename().string().find('.') != std::string::npos, ErrorKind::data,
          "task", "{}: expected one of s1.NAME, s2.NAME, labels.NAME", path.string());
  std::vector<TextLines> parts;
  for (const char* part : {"s1", "s2", "labels"}) {
    const std::filesystem::path file = aligned_part(path, part);
    if (file.empty() && parts.size() == 2 && request.labels == Labels::optional) break;
    require(!file.empty(), ErrorKind::data, "task", "{}: no file {}.* beside it", path.string(),
            part);
    parts.emplace_back(file);
  }
  for (;;) {
    std::vector<std::optional<std::string>> lines;
    for (TextLines& part : parts) lines.push_back(part.next());
    for (size_t i = 1; i < parts.size(); ++i) {
      require(lines[i].has_value() == lines[0].has_value(), ErrorKind::data, "task",
              "{} has {} lines, {} goes on", parts[lines[i] ? 0 : i].name(),
              parts[lines[i] ? 0 : i].number(), parts[lines[i] ? i : 0].name());
    }
    if (!lines[0]) return;
    const int64_t number = parts[0].number();
    if (!sink.takes(*lines[0], number) || !sink.takes(*lines[1], number)) continue;
    sink.add({.text = *lines[0], .pair = lines[1], .label = {}, .line = number},
             parts.size() > 2 ? lines[2] : std::nullopt);
  }
}

}  // namespace

void TaskColumns::fields(config::FieldVisitor& v) {
  v.field("text", text, "column of the text: a name, or a number from 0; empty: found out");
  v.field("pair", pair, "column of the second text");
  v.field("label", label, "column of the label");
  v.field("skip_bad", skip_bad, "count bad rows instead of refusing them");
  std::vector<std::string> formats = task_formats();
  formats.insert(formats.begin(), "auto");
  v.field("format", format, "what the file is; auto: told from its name", std::move(formats));
  encoding_field(v, encoding);
  v.field("label_separator", label_separator, "the character between several labels of a row");
}

TaskFile read_task(const std::filesystem::path& path, const TaskColumns& columns, Labels labels) {
  require(path == "-" || std::filesystem::exists(path), ErrorKind::data, "task",
          "{} does not exist", path.string());
  require(columns.label_separator.size() == 1, ErrorKind::config, "task",
          "label_separator must be one character, got '{}'", columns.label_separator);
  TaskRequest request{columns, task_format(columns.format, path), labels};
  if (request.format.kind == LabelKind::score) request.columns.label_kind = LabelKind::score;
  TaskFile file;
  RowSink sink(file, request, path.string());
  if (request.format.container == TaskContainer::aligned) {
    read_aligned(path, request, sink);
  } else {
    TextLines lines(path);
    switch (request.format.container) {
      case TaskContainer::objects: read_json_lines(lines, request, sink); break;
      case TaskContainer::columns:
      case TaskContainer::commas: read_columns(lines, request, sink); break;
      case TaskContainer::prefix: read_prefixed(lines, request, sink); break;
      default:
        require(labels == Labels::optional, ErrorKind::data, "task",
                "{}: expected a .tsv, .csv or .jsonl file, or a format", path.string());
        read_plain(lines, sink);
    }
  }
  sink.close();
  require(!file.rows.empty(), ErrorKind::data, "task", "{} holds no rows", path.string());
  return file;
}

}  // namespace tenfold::data
