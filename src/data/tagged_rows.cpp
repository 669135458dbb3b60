// Reading CoNLL columns, and the schemes of tags.
// Not here: lines and decompression (text_lines.cpp).
#include "data/tagged_rows.h"

#include "data/entity_spans.h"
#include "data/text_lines.h"
#include "support/fail.h"
#include "support/strings.h"

namespace tenfold::data {
namespace {

/// Columns of a line: between tabs where it has one, else between blanks.
std::vector<std::string_view> word_columns(std::string_view line) {
  if (line.find('\t') != std::string_view::npos) return split(line, '\t');
  std::vector<std::string_view> columns;
  for (const std::string_view piece : split(line, ' ')) {
    if (!piece.empty()) columns.push_back(piece);
  }
  return columns;
}

bool is_prefixed(std::string_view tag) {
  return tag.size() > 2 && tag[1] == '-' &&
         std::string_view("BIESLU").find(tag[0]) != std::string_view::npos;
}

/// What a file's tags are, where nobody said.
TagScheme scheme_of(const std::vector<TaggedRow>& rows) {
  bool prefixed = false;
  for (const TaggedRow& row : rows) {
    for (const std::string& tag : row.tags) {
      if (!is_prefixed(tag)) continue;
      if (tag[0] != 'B' && tag[0] != 'I') return TagScheme::bioes;
      prefixed = true;
    }
  }
  return prefixed ? TagScheme::bio : TagScheme::plain;
}

/// A wrong tag: its place in the sentence, and why.
struct TagFault {
  size_t word = 0;
  std::string why;
};

/// Brings the tags of one sentence after another to B-, I- and O.
class TagReader {
 public:
  TagReader(TagScheme scheme, bool repair) : scheme_(scheme), repair_(repair) {}

  std::optional<TagFault> bring_over(std::vector<std::string>& tags) {
    if (scheme_ == TagScheme::plain) return std::nullopt;
    open_.clear();
    for (size_t i = 0; i < tags.size(); ++i) {
      std::string why = bring_over(tags[i]);
      if (!why.empty()) {
        if (i > 0) why += fmt::format(" (before it: '{}')", tags[i - 1]);
        return TagFault{i, std::move(why)};
      }
    }
    if (std::string why = end_entity("the sentence's end"); !why.empty())
      return TagFault{tags.size() - 1, std::move(why)};
    return std::nullopt;
  }

  int64_t repaired() const { return repaired_; }

 private:
  /// Why a tag cannot follow the ones before it, or empty.
  std::string bring_over(std::string& tag) {
    if (tag == "O") {
      std::string why = end_entity("'O'");
      open_.clear();
      return why;
    }
    if (!is_legal(tag)) return fmt::format("the tag '{}' is none of {}", excerpt(tag), legal());
    const auto [kind, type_part] = tag_parts(tag);
    const std::string type(type_part);  // the tag is written anew below
    const bool begins = kind == 'B' || kind == 'S';
    const bool goes_on = !begins && open_ == type;
    if (!goes_on) {
      if (std::string why = end_entity("'" + tag + "'"); !why.empty()) return why;
    }
    if (!begins && !goes_on && scheme_ != TagScheme::iob1) {
      if (!repair_)
        return fmt::format("the tag '{}' continues no entity of its type", excerpt(tag));
      ++repaired_;
    }
    tag = (goes_on ? "I-" : "B-") + type;
    open_ = kind == 'E' || kind == 'S' ? "" : type;
    return {};
  }

  /// In BIOES an entity that is still open has not ended as it should.
  std::string end_entity(std::string_view before) {
    if (scheme_ != TagScheme::bioes || open_.empty()) return {};
    if (!repair_) {
      return fmt::format("no E-{} before {}", excerpt(open_), excerpt(before));
    }
    ++repaired_;
    return {};
  }

  std::string_view legal() const {
    return scheme_ == TagScheme::bioes ? "O, B-, I-, E- (L-), S- (U-)" : "O, B-, I-";
  }
  bool is_legal(const std::string& tag) const {
    return is_prefixed(tag) && (scheme_ == TagScheme::bioes || tag[0] == 'B' || tag[0] == 'I');
  }

  TagScheme scheme_;
  bool repair_;
  std::string open_;  // type of the entity that may go on
  int64_t repaired_ = 0;
};

/// Collects the lines of sentences.
class SentenceReader {
 public:
  SentenceReader(const TagColumns& columns, Labels labels, BadRows& bad)
      : columns_(columns), labels_(labels), bad_(bad) {}

  void line(std::string text, int64_t number) {
    if (trim(text).empty()) return end();
    const std::string fault = check_encoding(text, columns_.encoding);
    if (!fault.empty()) return refuse(number, fault);
    if (text.starts_with("-DOCSTART-")) return;
    const auto fields = word_columns(text);
    if (row_.words.empty() && text.starts_with("# ") && fields.size() != 2) return;
    const auto size = static_cast<int64_t>(fields.size());
    const int64_t tag = columns_.tag < 0 ? columns_.tag + size : columns_.tag;
    const bool has_tag = tag >= 0 && tag < size && tag != columns_.word;
    if (columns_.word >= size || (!has_tag && labels_ == Labels::required)) {
      return refuse(number, fmt::format("expected a word and a tag, got {} columns", size));
    }
    std::string_view word = fields[static_cast<size_t>(columns_.word)];
    if (word.starts_with(columns_.word_prefix)) word.remove_prefix(columns_.word_prefix.size());
    if (trim(word).empty()) return refuse(number, "the word is empty");
    if (row_.words.empty()) row_.line = number;
    row_.words.emplace_back(word);
    if (!has_tag) return;
    const std::string_view name = trim(fields[static_cast<size_t>(tag)]);
    if (name.empty()) return refuse(number, "the tag is empty");
    row_.tags.emplace_back(name);
  }

  /// The sentence is whole.
  void end() {
    if (row_.words.empty() && !is_bad_) return;
    row_.id = std::to_string(sentences_++);
    if (row_.tags.size() != row_.words.size()) row_.tags.clear();
    if (!is_bad_) rows.push_back(std::move(row_));
    row_ = {};
    is_bad_ = false;
  }

  std::vector<TaggedRow> rows;

 private:
  void refuse(int64_t number, const std::string& why) {
    if (!is_bad_) bad_.add(number, "{}", why);
    is_bad_ = true;
  }

  const TagColumns& columns_;
  Labels labels_;
  BadRows& bad_;
  TaggedRow row_;
  bool is_bad_ = false;
  int64_t sentences_ = 0;
};

}  // namespace

void TagColumns::fields(config::FieldVisitor& v) {
  v.field("word", word, "column of the word, from 0", config::at_least(0));
  v.field("tag", tag, "column of the tag; -1: the last", config::at_least(-1));
  v.field("word_prefix", word_prefix, "taken off each word that has it");
  v.field("scheme", scheme, "how tags mark entities; auto: told from the tags",
          {{"auto", TagScheme::automatic},
           {"bio", TagScheme::bio},
           {"iob1", TagScheme::iob1},
           {"bioes", TagScheme::bioes},
           {"plain", TagScheme::plain}});
  v.field("repair", repair, "let an I- tag that continues nothing begin an entity");
  v.field("skip_bad", skip_bad, "count bad sentences instead of refusing them");
  encoding_field(v, encoding);
}

RowFile<TaggedRow> read_tagged(const std::filesystem::path& path, const TagColumns& columns,
                               Labels labels) {
  require(path == "-" || std::filesystem::exists(path), ErrorKind::data, "task",
          "{} does not exist", path.string());
  TextLines lines(path);
  BadRows bad(lines.name(), columns.skip_bad);
  SentenceReader sentences(columns, labels, bad);
  while (std::optional<std::string> line = lines.next())
    sentences.line(std::move(*line), lines.number());
  sentences.end();
  RowFile<TaggedRow> file;
  const bool is_open = columns.scheme == TagScheme::automatic;
  TagReader reader(is_open ? scheme_of(sentences.rows) : columns.scheme, columns.repair);
  for (TaggedRow& row : sentences.rows) {
    if (const auto fault = reader.bring_over(row.tags)) {
      bad.add(row.line + static_cast<int64_t>(fault->word), "{}", fault->why);
    } else {
      file.rows.push_back(std::move(row));
    }
  }
  file.repaired = reader.repaired();
  bad.report_to(file);
  require(!file.rows.empty(), ErrorKind::data, "task", "{} holds no sentences", path.string());
  return file;
}

}  // namespace tenfold::data
