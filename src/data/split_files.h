// The three files of a task: train, dev and test.
// Not here: which part a row belongs to (wordnet.h, split.h).
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace tenfold::data {

enum class Split : uint8_t { train, dev, test };

/// The names of the parts and of their files, by Split.
inline constexpr std::array<std::string_view, 3> kSplitNames = {"train", "dev", "test"};

/// Rows of each part, by Split.
using SplitCounts = std::array<int64_t, 3>;

/// Gathers rows as lines of text and writes the files at the end. A file that holds just this
/// already is left as it is, so that an unfinished preparation finds its input unchanged.
class SplitFiles {
 public:
  /// out/train.EXTENSION, out/dev.EXTENSION, out/test.EXTENSION; makes the folder.
  SplitFiles(const std::filesystem::path& out, std::string_view extension);

  void add(Split part, std::string_view row);

  /// Makes each file one JSON object {"version", "data": [rows]}.
  void enclose(std::string_view version);

  const SplitCounts& counts() const { return rows_; }

  /// Writes the files of the parts that have rows; one without has no file.
  void commit();

 private:
  std::array<std::filesystem::path, 3> paths_;
  std::array<std::string, 3> texts_;
  SplitCounts rows_{};
};

}  // namespace tenfold::data
