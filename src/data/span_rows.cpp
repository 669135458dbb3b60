// Reading SQuAD's JSON; offsets in code points become bytes.
// Not here: parsing JSON (support/json.h).
#include "data/span_rows.h"

#include <unordered_set>

#include "data/text_lines.h"
#include "support/fail.h"
#include "support/json.h"
#include "support/strings.h"
#include "text/utf8.h"

namespace tenfold::data {
namespace {

using nlohmann::json;

/// Finds the byte at which a code point begins, in steps of a mark every few code points.
class CodePointOffsets {
 public:
  explicit CodePointOffsets(std::string_view text) : text_(text) {
    size_t count = 0;
    for (size_t i = 0; i < text.size(); i += text::decode_utf8(text, i).length, ++count) {
      if (count % kStep == 0) marks_.push_back(i);
    }
  }

  /// Nothing where the text is shorter.
  std::optional<size_t> byte_of(uint64_t code_point) const {
    const uint64_t mark = code_point / kStep;
    if (mark >= marks_.size()) return std::nullopt;
    size_t at = marks_[mark];
    for (uint64_t left = code_point % kStep; left > 0; --left) {
      if (at >= text_.size()) return std::nullopt;
      at += text::decode_utf8(text_, at).length;
    }
    return at;
  }

 private:
  static constexpr uint64_t kStep = 64;
  std::string_view text_;
  std::vector<size_t> marks_;
};

const std::string* text_at(const json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found != object.end() && found->is_string() ? found->get_ptr<const std::string*>()
                                                     : nullptr;
}

/// Rows of a file as its questions, paragraphs and articles come to their ends.
class SpanBuilder {
 public:
  SpanBuilder(RowFile<SpanRow>& out, BadRows& bad, Labels labels)
      : out_(out), bad_(bad), labels_(labels) {}

  void question(const json& value, int64_t line) {
    Waiting waiting;
    waiting.row.line = line;
    waiting.fault = read_question(value, waiting.row);
    if (waiting.fault.empty() && !ids_.insert(waiting.row.id).second)
      waiting.fault = "the id came before";
    waiting_.push_back(std::move(waiting));
  }

  void paragraph(const json& value, int64_t line) {
    const std::string* text = text_at(value, "context");
    const bool blank = text == nullptr || trim(*text).empty();
    if (blank) bad_.add(line, "a paragraph without a context");
    const auto context = std::make_shared<const std::string>(blank ? std::string() : *text);
    const CodePointOffsets offsets(*context);
    for (Waiting& waiting : waiting_) {
      SpanRow& row = waiting.row;
      row.context = context;
      if (waiting.fault.empty()) waiting.fault = place_answers(offsets, row);
      if (waiting.fault.empty()) {
        out_.rows.push_back(std::move(row));
      } else {
        bad_.add(row.line, "question '{}': {}", excerpt(row.id), waiting.fault);
      }
    }
    waiting_.clear();
  }

  void article(const json& value) {
    const std::string* title = text_at(value, "title");
    for (; titled_ < out_.rows.size(); ++titled_) {
      if (title != nullptr) out_.rows[titled_].title = *title;
    }
  }

 private:
  /// A question before its paragraph's text is known: its answers begin at code points.
  struct Waiting {
    SpanRow row;
    std::string fault;
  };

  /// Fills `row`; why it cannot be used, or empty.
  std::string read_question(const json& value, SpanRow& row) const {
    const std::string* id = text_at(value, "id");
    if (id == nullptr || id->empty()) return "no id";
    row.id = *id;
    const std::string* question = text_at(value, "question");
    if (question == nullptr || trim(*question).empty()) return "the question is empty";
    row.question = *question;
    if (const auto impossible = value.find("is_impossible"); impossible != value.end()) {
      if (!impossible->is_boolean()) return "is_impossible is neither true nor false";
      row.is_impossible = impossible->get<bool>();
    }
    if (const auto answers = value.find("answers"); answers != value.end()) {
      if (!answers->is_array()) return "the answers are no list";
      for (const json& answer : *answers) {
        const std::string* text = text_at(answer, "text");
        if (text == nullptr || text->empty()) return "an answer without a text";
        const auto start = answer.find("answer_start");
        if (start == answer.end() || !start->is_number_unsigned())
          return "an answer without answer_start, a number from 0";
        row.answers.push_back({*text, start->get<size_t>()});
      }
    }
    if (row.is_impossible && !row.answers.empty()) return "is_impossible, but has answers";
    if (labels_ == Labels::required && !row.is_impossible && row.answers.empty())
      return "no answer, and it does not say is_impossible";
    return {};
  }

  /// Turns code points into bytes.
  static std::string place_answers(const CodePointOffsets& offsets, SpanRow& row) {
    const std::string_view context = *row.context;
    if (context.empty()) return "no context";
    for (SpanAnswer& answer : row.answers) {
      const auto begin = offsets.byte_of(answer.begin);
      if (!begin || context.substr(*begin, answer.text.size()) != answer.text) {
        return fmt::format(
            "the answer '{}' does not stand at answer_start {}; the context has '{}' there",
            excerpt(answer.text), answer.begin,
            begin ? excerpt(context.substr(*begin)) : std::string());
      }
      answer.begin = *begin;
    }
    return {};
  }

  RowFile<SpanRow>& out_;
  BadRows& bad_;
  Labels labels_;
  std::vector<Waiting> waiting_;  // questions of the paragraph being read
  std::unordered_set<std::string> ids_;
  size_t titled_ = 0;  // rows of the articles that ended
};

}  // namespace

RowFile<SpanRow> read_spans(const std::filesystem::path& path, const ReadingRules& rules,
                            Labels labels) {
  require(std::filesystem::exists(path), ErrorKind::data, "task", "{} does not exist",
          path.string());
  RowFile<SpanRow> file;
  BadRows bad(path.string(), rules.skip_bad);
  SpanBuilder builder(file, bad, labels);
  TextLines text(path);
  parse_json_items(
      [&] { return text.next_piece(); }, path.string(), ErrorKind::data, "task", kRowLimits,
      {{.path = {"data", "*", "paragraphs", "*", "qas", "*"},
        .take = [&](const std::string&, json&& value,
                    int64_t line) { builder.question(value, line); }},
       {.path = {"data", "*", "paragraphs", "*"},
        .take = [&](const std::string&, json&& value,
                    int64_t line) { builder.paragraph(value, line); }},
       {.path = {"data", "*"},
        .take = [&](const std::string&, json&& value, int64_t) { builder.article(value); }}});
  bad.report_to(file);
  require(!file.rows.empty(), ErrorKind::data, "task",
          "{} holds no questions; expected SQuAD's JSON, {{\"data\": [{{\"paragraphs\": ...",
          path.string());
  return file;
}

}  // namespace tenfold::data
