// Reading rows with named parts, one object after another.
// Not here: JSON itself (support/json.h).
#include "data/object_rows.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_set>

#include "data/row_fields.h"
#include "data/text_lines.h"
#include "support/fail.h"
#include "support/json.h"
#include "support/strings.h"

namespace tenfold::data {
namespace {

using nlohmann::json;

/// One row by the names of its parts; what is not there or no text is said as the row is read.
class Parts {
 public:
  explicit Parts(const json& object) : object_(object) {}

  /// The value under the first of the names that is there; null where none is.
  const json* find(std::initializer_list<const char*> names) const {
    for (const char* name : names) {
      const auto found = object_.find(name);
      if (found != object_.end() && !found->is_null()) return &*found;
    }
    return nullptr;
  }

  /// A text that has to be there.
  std::string text(std::initializer_list<const char*> names) {
    const json* value = find(names);
    if (value == nullptr) return refuse(fmt::format("no {}", fmt::join(names, " or ")));
    if (!value->is_string()) return refuse(fmt::format("{} is no text", *names.begin()));
    std::string text = value->get<std::string>();
    if (trim(text).empty()) return refuse(fmt::format("{} is empty", *names.begin()));
    return text;
  }

  /// A text that may be missing.
  std::string text_if_any(std::initializer_list<const char*> names) {
    const json* value = find(names);
    if (value == nullptr) return {};
    return value->is_string() ? value->get<std::string>() : value->dump();
  }

  /// A list of texts.
  std::vector<std::string> texts(const json& list, std::string_view name) {
    std::vector<std::string> made;
    for (const json& text : list) {
      if (!text.is_string() || trim(text.get_ref<const std::string&>()).empty()) {
        refuse(fmt::format("{} holds something that is no text, or an empty one", name));
        return {};
      }
      made.push_back(text.get<std::string>());
    }
    return made;
  }

  /// Remembers the first thing that is wrong.
  std::string refuse(std::string why) {
    if (fault_.empty()) fault_ = std::move(why);
    return {};
  }
  const std::string& fault() const { return fault_; }
  const json& object() const { return object_; }

 private:
  const json& object_;
  std::string fault_;
};

/// Each row of a file as an object; columns with a header become texts under its names.
template <typename Take>
void each_object(TextLines& lines, const std::filesystem::path& path, const ReadingRules& rules,
                 BadRows& bad, Take take) {
  const std::string kind = plain_name(path).extension().string();
  const bool comma = kind == ".csv", columns = comma || kind == ".tsv";
  std::vector<std::string> header;
  while (std::optional<std::string> line = lines.next()) {
    const int64_t number = lines.number();
    if (trim(*line).empty()) continue;
    if (const std::string fault = check_encoding(*line, rules.encoding); !fault.empty()) {
      bad.add(number, "{}", fault);
      continue;
    }
    if (!columns) {
      const auto [value, fault] = try_parse_json(*line, kRowLimits);
      if (fault.empty() && value.is_object()) {
        take(value, number);
      } else {
        bad.add(number, "the row is no JSON object{}{}", fault.empty() ? "" : ": it ", fault);
      }
      continue;
    }
    std::vector<std::string> fields =
        comma ? comma_fields(std::move(*line), lines) : tab_fields(*line);
    if (header.empty()) {
      header = std::move(fields);
      continue;
    }
    if (fields.size() != header.size()) {
      bad.add(number, "expected {} columns, got {}", header.size(), fields.size());
      continue;
    }
    json value = json::object();
    for (size_t i = 0; i < fields.size(); ++i) value[header[i]] = std::move(fields[i]);
    take(value, number);
  }
}

/// Reads a file of objects; `read` fills a row from its parts.
template <typename Row, typename Read>
RowFile<Row> read_objects(const std::filesystem::path& path, const ReadingRules& rules, Read read) {
  require(path == "-" || std::filesystem::exists(path), ErrorKind::data, "task",
          "{} does not exist", path.string());
  TextLines lines(path);
  BadRows bad(lines.name(), rules.skip_bad);
  RowFile<Row> file;
  each_object(lines, path, rules, bad, [&](const json& object, int64_t number) {
    Parts parts(object);
    Row row = read(parts);
    row.line = number;
    if (parts.fault().empty()) {
      file.rows.push_back(std::move(row));
    } else {
      bad.add(number, "{}", parts.fault());
    }
  });
  bad.report_to(file);
  require(!file.rows.empty(), ErrorKind::data, "task", "{} holds no rows", path.string());
  return file;
}

std::vector<std::string> read_choice_texts(Parts& parts) {
  if (const json* list = parts.find({"choices", "endings"})) {
    if (list->is_array()) return parts.texts(*list, "choices");
    parts.refuse("the choices are no list");
    return {};
  }
  json numbered = json::array();
  for (const char* stem : {"choice", "ending"}) {
    for (int i = 0; parts.object().contains(fmt::format("{}{}", stem, i)); ++i)
      numbered.push_back(parts.object()[fmt::format("{}{}", stem, i)]);
  }
  return parts.texts(numbered, "choices");
}

/// An index from 0, or a letter from A.
std::optional<int64_t> choice_index(const json& label) {
  if (label.is_number_unsigned()) {
    return static_cast<int64_t>(std::min<uint64_t>(label.get<uint64_t>(), INT64_MAX));
  }
  if (!label.is_string()) return std::nullopt;
  const std::string& text = label.get_ref<const std::string&>();
  if (text.size() == 1 && text[0] >= 'A' && text[0] <= 'Z') return text[0] - 'A';
  const auto index = parse_number<int64_t>(text);
  return index && *index >= 0 ? index : std::nullopt;
}

/// 3 of "hyp_3"; nothing for other keys.
std::optional<int64_t> hypothesis_number(const std::string& key) {
  constexpr std::string_view kBefore = "hyp_";
  if (!key.starts_with(kBefore)) return std::nullopt;
  return parse_number<int64_t>(std::string_view(key).substr(kBefore.size()));
}

NBestRow read_utterance(const std::string& name, Parts& parts, Labels labels) {
  NBestRow row{.utterance = name, .reference = {}, .hypotheses = {}};
  std::map<int64_t, Hypothesis> by_number;
  for (const auto& [key, value] : parts.object().items()) {
    const auto number = hypothesis_number(key);
    if (!number) continue;
    const auto text = value.is_object() ? value.find("text") : value.end();
    const auto score = value.is_object() ? value.find("score") : value.end();
    if (!value.is_object() || text == value.end() || !text->is_string()) {
      parts.refuse(fmt::format("{} has no text", excerpt(key)));
    } else if (score == value.end() || !score->is_number() ||
               !std::isfinite(score->get<double>())) {
      parts.refuse(fmt::format("{} has no score, a finite number", excerpt(key)));
    } else {
      by_number[*number] = {text->get<std::string>(), score->get<double>()};
    }
  }
  for (auto& [number, hypothesis] : by_number) row.hypotheses.push_back(std::move(hypothesis));
  if (row.hypotheses.empty()) parts.refuse("no hypothesis (hyp_1, hyp_2, ...)");
  row.reference = labels == Labels::required ? parts.text({"ref"}) : parts.text_if_any({"ref"});
  return row;
}

}  // namespace

RowFile<ChoiceRow> read_choices(const std::filesystem::path& path, const ReadingRules& rules,
                                Labels labels) {
  return read_objects<ChoiceRow>(path, rules, [&](Parts& parts) {
    ChoiceRow row;
    row.context = parts.text_if_any({"context", "ctx", "passage", "sent1"});
    row.question = parts.text_if_any({"question", "sent2"});
    row.choices = read_choice_texts(parts);
    if (row.choices.size() < 2)
      parts.refuse(fmt::format("{} choices, expected two or more", row.choices.size()));
    const json* label = parts.find({"label", "answer"});
    if (label != nullptr) row.label = choice_index(*label);
    if (label == nullptr && labels == Labels::required) parts.refuse("no label");
    if (label != nullptr &&
        (!row.label || *row.label >= static_cast<int64_t>(row.choices.size()))) {
      parts.refuse(fmt::format(
          "the label '{}' is no choice of {}: expected an index from 0 or a letter from A",
          excerpt(parts.text_if_any({"label", "answer"})), row.choices.size()));
    }
    return row;
  });
}

RowFile<ContrastiveRow> read_contrastive(const std::filesystem::path& path,
                                         const ReadingRules& rules) {
  return read_objects<ContrastiveRow>(path, rules, [](Parts& parts) {
    ContrastiveRow row;
    row.anchor = parts.text({"anchor", "query"});
    row.positive = parts.text({"positive"});
    for (const auto& [key, value] : parts.object().items()) {
      if (!key.starts_with("negative") || value.is_null()) continue;
      const json list = value.is_array() ? value : json::array({value});
      for (std::string& text : parts.texts(list, key)) row.negatives.push_back(std::move(text));
    }
    return row;
  });
}

RowFile<MinimalPairRow> read_minimal_pairs(const std::filesystem::path& path,
                                           const ReadingRules& rules) {
  return read_objects<MinimalPairRow>(path, rules, [](Parts& parts) {
    MinimalPairRow row;
    row.good = parts.text({"sentence_good"});
    row.bad = parts.text({"sentence_bad"});
    row.uid = parts.text_if_any({"UID"});
    row.field = parts.text_if_any({"field"});
    return row;
  });
}

RowFile<NBestRow> read_nbest(const std::filesystem::path& path, const ReadingRules& rules,
                             Labels labels) {
  require(std::filesystem::exists(path), ErrorKind::data, "task", "{} does not exist",
          path.string());
  RowFile<NBestRow> file;
  BadRows bad(path.string(), rules.skip_bad);
  std::unordered_set<std::string> names;
  const auto take = [&](const std::string& name, json&& value, int64_t line) {
    Parts parts(value);
    if (!value.is_object()) parts.refuse("is no object of hypotheses");
    NBestRow row = value.is_object() ? read_utterance(name, parts, labels) : NBestRow{};
    if (parts.fault().empty() && !names.insert(name).second) parts.refuse("came before");
    row.line = line;
    if (parts.fault().empty()) {
      file.rows.push_back(std::move(row));
    } else {
      bad.add(line, "utterance '{}': {}", excerpt(name), parts.fault());
    }
  };
  TextLines text(path);
  parse_json_items([&] { return text.next_piece(); }, path.string(), ErrorKind::data, "task",
                   kRowLimits, {{.path = {"*"}, .take = take}});
  bad.report_to(file);
  require(!file.rows.empty(), ErrorKind::data, "task",
          "{} holds no utterances; expected {{\"NAME\": {{\"hyp_1\": {{\"score\", \"text\"}}, ...",
          path.string());
  return file;
}

}  // namespace tenfold::data
