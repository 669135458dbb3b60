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
#include "data/text_lines.h"

namespace tenfold::data {

enum class TextLayout : uint8_t {
  automatic,  ///< wikiextractor where the first line is "<doc ...", else JSON lines for *.jsonl,
              ///< else line
  line,       ///< one document a line
  paragraph,  ///< documents separated by blank lines
  wikiextractor,  ///< <doc ...> ... </doc> blocks
  jsonl,          ///< one JSON object a line, the text under `text_key`
};

struct ReaderOptions {
  TextLayout layout = TextLayout::automatic;
  std::string text_key = "text";
  bool skip_bad = false;  ///< count bad rows instead of refusing them
  void fields(config::FieldVisitor& v);
};

/// Reads the files in order. Not thread-safe.
class DocumentReader {
 public:
  DocumentReader(std::vector<std::filesystem::path> files, const ReaderOptions& options);

  /// The next document that is not blank; none at the end. Error{data} "FILE:LINE: ..." for a bad
  /// row.
  std::optional<std::string> next();

  int64_t documents() const {
    return documents_;
  }  ///< given so far: the cursor of a resumed reading
  int64_t bad_rows() const { return bad_rows_; }
  const std::string& first_bad() const { return first_bad_; }

 private:
  bool open_next();
  std::optional<std::string> read_one();
  std::optional<std::string> read_block();
  std::optional<std::string> text_of_row(const std::string& row);

  std::vector<std::filesystem::path> files_;
  ReaderOptions options_;
  size_t next_file_ = 0;
  std::optional<TextLines> lines_;
  std::optional<std::string> ahead_;
  TextLayout layout_ = TextLayout::line;
  int64_t documents_ = 0, bad_rows_ = 0;
  std::string first_bad_;
};

}  // namespace tenfold::data
