// Cutting files into documents.
// Not here: decompression (text_lines.cpp).
#include "data/readers.h"

#include "support/fail.h"
#include "support/json.h"
#include "support/strings.h"

namespace tenfold::data {
namespace {

constexpr size_t kHeadBytes = 64 << 10;
constexpr int64_t kLinesPerBlank = 50;

const char* name_of(TextLayout layout) {
  switch (layout) {
    case TextLayout::automatic: return "auto";
    case TextLayout::line: return "line";
    case TextLayout::paragraph: return "paragraph";
    case TextLayout::wikiextractor: return "wikiextractor";
    case TextLayout::jsonl: return "jsonl";
  }
  return "";
}

/// Blank lines between lines of text are regular, and some lines of text belong together.
bool has_paragraphs(std::string_view head) {
  int64_t lines = 0, gaps = 0, joined = 0;
  bool after_blank = false;
  for (size_t begin = 0; begin < head.size();) {
    const size_t end = std::min(head.find('\n', begin), head.size());
    const bool blank = trim(head.substr(begin, end - begin)).empty();
    if (!blank) {
      gaps += lines > 0 && after_blank;
      joined += lines > 0 && !after_blank;
      ++lines;
    }
    after_blank = blank;
    begin = end + 1;
  }
  return joined > 0 && gaps > 0 && gaps * kLinesPerBlank >= lines;
}

}  // namespace

TextLayout layout_of(const std::filesystem::path& file, std::string_view head) {
  const size_t text = head.find_first_not_of("\xEF\xBB\xBF \t\r\n");
  if (text != std::string_view::npos && head.substr(text).starts_with("<doc "))
    return TextLayout::wikiextractor;
  if (plain_name(file).extension() == ".jsonl") return TextLayout::jsonl;
  return has_paragraphs(head) ? TextLayout::paragraph : TextLayout::line;
}

void ReaderOptions::fields(config::FieldVisitor& v) {
  v.field("layout", layout, "where documents end",
          {{"auto", TextLayout::automatic},
           {"line", TextLayout::line},
           {"paragraph", TextLayout::paragraph},
           {"wikiextractor", TextLayout::wikiextractor},
           {"jsonl", TextLayout::jsonl}});
  v.field("text_key", text_key, "key of the text in JSON lines");
  v.field("skip_bad", skip_bad, "count bad rows instead of refusing them");
}

DocumentReader::DocumentReader(std::vector<std::filesystem::path> files,
                               const ReaderOptions& options)
    : files_(std::move(files)), options_(options) {
  for (const auto& file : files_) {
    require(file == "-" || std::filesystem::exists(file), ErrorKind::data, "read",
            "{} does not exist", file.string());
    marks_.push_back(mark_of(file));
  }
}

/// The point before the first document.
ReadingPoint DocumentReader::start() const {
  ReadingPoint point;
  point.inputs = marks_;
  point.text_key = options_.text_key;
  point.layout = name_of(options_.layout);
  return point;
}

std::string DocumentReader::point() const {
  ReadingPoint point = start();
  if (lines_) {
    point.file = next_file_ - 1;
    point.place = lines_->place();
  }
  point.documents = documents_;
  point.bad_rows = bad_rows_;
  point.first_bad = first_bad_;
  return point.text();
}

void DocumentReader::resume(const std::string& text) {
  const ReadingPoint point = ReadingPoint::parse(text);
  point.require_same_corpus(start());
  next_file_ = point.file;
  open_next();
  lines_->seek(point.place);
  documents_ = point.documents;
  bad_rows_ = point.bad_rows;
  first_bad_ = point.first_bad;
}

bool DocumentReader::open_next() {
  if (next_file_ == files_.size()) return false;
  const auto& file = files_[next_file_++];
  lines_.emplace(file);
  layout_ = options_.layout;
  if (layout_ == TextLayout::automatic) layout_ = layout_of(file, lines_->peek(kHeadBytes));
  return true;
}

std::optional<std::string> DocumentReader::text_of_row(const std::string& row) {
  const auto bad = [&](const std::string& why) {
    const std::string message = fmt::format("{}:{}: {}", lines_->name(), lines_->number(), why);
    require(options_.skip_bad, ErrorKind::data, "read", "{}", message);
    if (bad_rows_++ == 0) first_bad_ = message;
    return std::nullopt;
  };
  const auto [parsed, fault] = try_parse_json(row, kRowLimits);
  if (!fault.empty()) return bad("the row is no JSON object: it " + fault);
  if (!parsed.is_object()) return bad("the row is no JSON object");
  const auto text = parsed.find(options_.text_key);
  if (text == parsed.end() || !text->is_string())
    return bad(fmt::format("no text under '{}'", options_.text_key));
  return text->get<std::string>();
}

/// Lines up to a blank line or the end of a <doc> block.
std::optional<std::string> DocumentReader::read_block() {
  const bool wiki = layout_ == TextLayout::wikiextractor;
  std::string text;
  while (const auto line = lines_->next()) {
    const bool opens = wiki && line->starts_with("<doc "),
               closes = wiki ? *line == "</doc>" : trim(*line).empty();
    if (closes && !text.empty()) return text;
    if (opens || closes || trim(*line).empty()) continue;
    if (!text.empty()) text += '\n';
    text += *line;
  }
  return text.empty() ? std::nullopt : std::optional(text);
}

std::optional<std::string> DocumentReader::read_one() {
  if (layout_ == TextLayout::paragraph || layout_ == TextLayout::wikiextractor) return read_block();
  while (const auto line = lines_->next()) {
    std::optional<std::string> text;
    if (!trim(*line).empty()) text = layout_ == TextLayout::jsonl ? text_of_row(*line) : line;
    if (text && !trim(*text).empty()) return text;
  }
  return std::nullopt;
}

std::optional<std::string> DocumentReader::next() {
  for (;;) {
    if (lines_) {
      if (auto document = read_one()) {
        ++documents_;
        return document;
      }
    }
    if (!open_next()) return std::nullopt;
  }
}

}  // namespace tenfold::data
