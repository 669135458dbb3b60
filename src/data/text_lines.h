// Lines of a text file, plain, gzip or zstd, without reading it whole.
// Not here: what a line means (readers.h, task.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace tenfold::data {

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

  /// The next line; empty at the end. Error{data} where compressed data are damaged or cut off.
  std::optional<std::string> next();
  int64_t number() const;  ///< of the last line, from 1
  const std::string& name() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The name without ".gz" or ".zst": its extension tells the format.
std::filesystem::path plain_name(const std::filesystem::path& path);

}  // namespace tenfold::data
