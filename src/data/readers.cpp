// Cutting files into documents.
// Not here: decompression (text_lines.cpp).
#include "data/readers.h"

#include <nlohmann/json.hpp>

#include "support/fail.h"
#include "support/strings.h"

namespace tenfold::data {

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
  }
}

bool DocumentReader::open_next() {
  if (next_file_ == files_.size()) return false;
  const auto& file = files_[next_file_++];
  lines_.emplace(file);
  ahead_ = lines_->next();
  layout_ = options_.layout;
  if (layout_ == TextLayout::automatic) {
    layout_ = ahead_ && ahead_->starts_with("<doc ")     ? TextLayout::wikiextractor
              : plain_name(file).extension() == ".jsonl" ? TextLayout::jsonl
                                                         : TextLayout::line;
  }
  return true;
}

std::optional<std::string> DocumentReader::text_of_row(const std::string& row) {
  const auto bad = [&](const std::string& why) {
    const std::string message = fmt::format("{}:{}: {}", lines_->name(), lines_->number(), why);
    require(options_.skip_bad, ErrorKind::data, "read", "{}", message);
    if (bad_rows_++ == 0) first_bad_ = message;
    return std::nullopt;
  };
  const auto parsed = nlohmann::json::parse(row, nullptr, false);
  if (parsed.is_discarded() || !parsed.is_object()) return bad("the row is no JSON object");
  const auto text = parsed.find(options_.text_key);
  if (text == parsed.end() || !text->is_string())
    return bad(fmt::format("no text under '{}'", options_.text_key));
  return text->get<std::string>();
}

/// Lines up to a blank line or the end of a <doc> block.
std::optional<std::string> DocumentReader::read_block() {
  const bool wiki = layout_ == TextLayout::wikiextractor;
  std::string text;
  while (ahead_) {
    const std::string line = std::move(*ahead_);
    ahead_ = lines_->next();
    const bool opens = wiki && line.starts_with("<doc "),
               closes = wiki ? line == "</doc>" : trim(line).empty();
    if (closes && !text.empty()) return text;
    if (opens || closes || trim(line).empty()) continue;
    if (!text.empty()) text += '\n';
    text += line;
  }
  return text.empty() ? std::nullopt : std::optional(text);
}

std::optional<std::string> DocumentReader::read_one() {
  if (layout_ == TextLayout::paragraph || layout_ == TextLayout::wikiextractor) return read_block();
  while (ahead_) {
    const std::string line = std::move(*ahead_);
    std::optional<std::string> text;
    if (!trim(line).empty())
      text = layout_ == TextLayout::jsonl ? text_of_row(line) : std::optional(line);
    ahead_ = lines_->next();
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
