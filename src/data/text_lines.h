// Lines of a text file, plain, gzip or zstd, without reading it whole.
// Not here: what a line means (readers.h, task.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace tenfold::data {

/// Longest line taken, in bytes: one that is longer would be held several times.
inline constexpr size_t kLongestLine = 8 << 20;

/// A place between two lines of a text.
struct TextPlace {
  uint64_t offset = 0;  ///< bytes of decoded text before it
  int64_t number = 0;   ///< lines before it
  std::string digest;   ///< XXH3-128 of the text before it; empty for plain files
  bool operator==(const TextPlace&) const = default;
};

/// Streams the lines of FILE, FILE.gz (any number of members) or FILE.zst, told apart by their
/// first bytes. Lines end at LF; a CR before it and a byte order mark at the start are dropped.
/// Memory: the longest line.
class TextLines {
 public:
  /// Error{data} naming the path where it cannot be read. "-" is standard input.
  explicit TextLines(const std::filesystem::path& path);
  ~TextLines();
  TextLines(TextLines&&) noexcept;
  TextLines& operator=(TextLines&&) noexcept;

  /// The next line; empty at the end. Error{data} where compressed data are damaged or cut off, and
  /// "FILE:LINE: ..." for a line above kLongestLine.
  std::optional<std::string> next();
  /// What follows, a piece at a time, for texts that are not lines; empty at the end. The view
  /// lives until the next call.
  std::string_view next_piece();
  /// The first `bytes` of what follows (less where the text ends), without giving them.
  std::string_view peek(size_t bytes);
  /// Where the next line begins.
  TextPlace place() const;
  /// Goes to a place that an earlier reading of the same text gave: at once in a plain file; other
  /// texts are read again up to there, and Error{data} where they are not the same.
  void seek(const TextPlace& place);
  int64_t number() const;  ///< of the last line, from 1
  const std::string& name() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The name without ".gz" or ".zst": its extension tells the format.
std::filesystem::path plain_name(const std::filesystem::path& path);

/// `plain`, or with .zst or .gz behind it: the first that exists; empty where none does.
std::filesystem::path existing_file(const std::filesystem::path& plain);

}  // namespace tenfold::data
