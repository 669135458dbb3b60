// The rows of every kind of task as plain structs, and what becomes of rows that are bad.
// Not here: file formats (task.h, tagged_rows.h, span_rows.h, object_rows.h) or tokens.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/fields.h"
#include "support/fail.h"

namespace tenfold::data {

/// Whether rows must say what is to be learnt.
enum class Labels : uint8_t { required, optional };

/// What lines that are not UTF-8 are: refused, or texts in Latin-1 (others in the file stay UTF-8).
enum class TextEncoding : uint8_t { utf8, latin1 };

inline const config::EnumNames<TextEncoding> kTextEncodings = {{"utf-8", TextEncoding::utf8},
                                                               {"latin-1", TextEncoding::latin1}};

/// The field "encoding" of every reader of lines.
void encoding_field(config::FieldVisitor& v, TextEncoding& encoding);

/// What becomes of bad rows.
struct ReadingRules {
  bool skip_bad = false;
  TextEncoding encoding = TextEncoding::utf8;
  void fields(config::FieldVisitor& v);
};

/// A text or a pair with what is said of it: one class, several (none is legal too), or a score.
struct TaskRow {
  std::string text;
  std::optional<std::string> pair;
  std::optional<std::string> label;      ///< of LabelKind::one
  std::vector<std::string> labels = {};  ///< of LabelKind::several
  std::optional<double> score = {};      ///< of LabelKind::score; finite
  int64_t line = 0;
};

/// Words with a tag each: B-X, I-X and O, or any tags without such a scheme.
struct TaggedRow {
  std::vector<std::string> words, tags;
  std::string id;  ///< number of the sentence in its file, from 0
  int64_t line = 0;
};

struct SpanAnswer {
  std::string text;
  size_t begin = 0;  ///< byte in the context: context.substr(begin, text.size()) == text
};

/// A question about a passage, answered by parts of it.
struct SpanRow {
  std::string id, title;
  std::shared_ptr<const std::string> context;  ///< shared by the questions of a paragraph
  std::string question;
  std::vector<SpanAnswer> answers;  ///< all that people gave; the first is the one to learn
  bool is_impossible = false;       ///< the passage has no answer
  int64_t line = 0;
};

struct ChoiceRow {
  std::string context;   ///< may be empty
  std::string question;  ///< may be empty
  std::vector<std::string> choices;
  std::optional<int64_t> label;  ///< index of the right one
  int64_t line = 0;
};

struct ContrastiveRow {
  std::string anchor, positive;
  std::vector<std::string> negatives;
  int64_t line = 0;
};

/// A sentence that people accept and its twin that they do not (BLiMP).
struct MinimalPairRow {
  std::string good, bad;
  std::string uid, field;  ///< paradigm and area of grammar; empty where the file has none
  int64_t line = 0;
};

struct Hypothesis {
  std::string text;
  double score = 0;  ///< log-probability of the recogniser or translator
};

/// What a recogniser or translator proposed for one utterance, and what was said.
struct NBestRow {
  std::string utterance, reference;
  std::vector<Hypothesis> hypotheses;
  int64_t line = 0;
};

/// What a reader found in one file.
template <typename Row>
struct RowFile {
  std::vector<Row> rows;
  int64_t bad_rows = 0;
  std::string first_bad;   ///< "FILE:LINE: why" of the first one skipped
  int64_t unlabelled = 0;  ///< rows the file itself leaves without a score or label; left out
  int64_t repaired = 0;    ///< tags that were mended
};

/// Refuses or counts the bad rows of one file.
class BadRows {
 public:
  BadRows(std::string file, bool skip) : file_(std::move(file)), skip_(skip) {}

  /// Error{data} "FILE:LINE: why", or one more to count. The reason is formatted only where it is
  /// told.
  template <typename... Args>
  void add(int64_t line, fmt::format_string<Args...> why, Args&&... args) {
    if (skip_ && count_++ > 0) return;
    tell(line, fmt::format(why, std::forward<Args>(args)...));
  }

  template <typename Row>
  void report_to(RowFile<Row>& file) const {
    file.bad_rows = count_;
    file.first_bad = first_;
  }

 private:
  void tell(int64_t line, const std::string& why);

  std::string file_;
  bool skip_;
  int64_t count_ = 0;
  std::string first_;
};

/// The beginning of a text, for a message.
std::string excerpt(std::string_view text);

/// Why a line cannot be taken: the first byte that is not UTF-8, where that is refused; with latin1
/// the line is rewritten in UTF-8. Empty: it can be taken.
std::string check_encoding(std::string& line, TextEncoding encoding);

}  // namespace tenfold::data
