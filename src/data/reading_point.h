// Where the reading of a corpus stands, as text that a later run goes on from.
// Not here: reading (readers.h), or what is made of the documents (shards.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "data/text_lines.h"

namespace tenfold::data {

/// What tells an input file from a changed one without reading it whole. Streams (standard input,
/// pipes) have none of it: their text is compared when it is read again.
struct InputMark {
  std::string path;
  bool stream = false;
  uint64_t bytes = 0;
  int64_t modified = 0;  ///< nanoseconds of the file system's clock
  uint64_t head = 0;     ///< XXH3-64 of the first 64 KiB
};

/// Error{data} naming a path that cannot be read.
InputMark mark_of(const std::filesystem::path& path);

struct ReadingPoint {
  std::vector<InputMark> inputs;
  std::string layout, text_key;
  size_t file = 0;  ///< index of the input being read
  TextPlace place;  ///< in it
  int64_t documents = 0, bad_rows = 0;
  std::string first_bad;

  std::string text() const;  ///< JSON
  /// Error{data} where the text is none of text().
  static ReadingPoint parse(const std::string& text);
  /// Error{data}, one line naming what changed, unless `now` reads the same inputs in the same way.
  void require_same_corpus(const ReadingPoint& now) const;
};

}  // namespace tenfold::data
