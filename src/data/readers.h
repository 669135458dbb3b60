// Documents of a corpus, one after another, from text and JSON lines.
// Not here: tokenisation and shards (shards.h), labelled rows (task.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/fields.h"
#include "data/reading_point.h"
#include "data/text_lines.h"

namespace tenfold::data {

enum class TextLayout : uint8_t {
  automatic,      ///< told from the name and the first 64 KiB, see layout_of()
  line,           ///< one document a line
  paragraph,      ///< documents separated by blank lines
  wikiextractor,  ///< <doc ...> ... </doc> blocks
  jsonl,          ///< one JSON object a line, the text under `text_key`
};

struct ReaderOptions {
  TextLayout layout = TextLayout::automatic;
  std::string text_key = "text";
  bool skip_bad = false;  ///< count bad rows instead of refusing them
  void fields(config::FieldVisitor& v);
};

/// The layout of a file by its name and its beginning: wikiextractor where the first line with text
/// starts with "<doc "; else JSON lines where the name (less .gz or .zst) ends in .jsonl; else
/// paragraph where blank lines are regular (at least one for 50 lines of text, each between lines
/// of text) and some lines follow each other without one; else line.
TextLayout layout_of(const std::filesystem::path& file, std::string_view head);

/// Reads the files in order. Not thread-safe.
class DocumentReader {
 public:
  DocumentReader(std::vector<std::filesystem::path> files, const ReaderOptions& options);

  /// The next document that is not blank; none at the end. Error{data} "FILE:LINE: ..." for a bad
  /// row.
  std::optional<std::string> next();

  /// Documents given so far, those before a resumed reading included.
  int64_t documents() const { return documents_; }
  int64_t bad_rows() const { return bad_rows_; }
  const std::string& first_bad() const { return first_bad_; }

  /// Where reading stands, for resume() of another reader.
  std::string point() const;
  /// Goes to such a point; call before next(). Error{data} where the inputs or the way they are
  /// read have changed since.
  void resume(const std::string& point);

 private:
  ReadingPoint start() const;
  bool open_next();
  std::optional<std::string> read_one();
  std::optional<std::string> read_block();
  std::optional<std::string> text_of_row(const std::string& row);

  std::vector<std::filesystem::path> files_;
  std::vector<InputMark> marks_;
  ReaderOptions options_;
  size_t next_file_ = 0;
  std::optional<TextLines> lines_;
  TextLayout layout_ = TextLayout::line;
  int64_t documents_ = 0, bad_rows_ = 0;
  std::string first_bad_;
};

}  // namespace tenfold::data
