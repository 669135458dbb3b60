// The three files of a task: train, dev and test.
// Not here: which part a row belongs to (wordnet.h, split.h).
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tenfold::data {

enum class Split : uint8_t { train, dev, test };

/// Rows of each part, in that order.
using SplitCounts = std::vector<std::pair<Split, int64_t>>;

/// Gathers rows as lines of text and writes the files at the end. A file that holds just this
/// already is left as it is, so that an unfinished preparation finds its input unchanged.
class SplitFiles {
 public:
  /// out/train.EXTENSION, out/dev.EXTENSION, out/test.EXTENSION; makes the folder.
  SplitFiles(const std::filesystem::path& out, std::string_view extension);

  void add(Split part, std::string_view row);

  /// Makes each file one JSON object {"version", "data": [rows]}.
  void enclose(std::string_view version);

  /// Writes the files of the parts that have rows; one without has no file.
  SplitCounts commit();

 private:
  std::array<std::filesystem::path, 3> paths_;
  std::array<std::string, 3> texts_;
  std::array<int64_t, 3> rows_{};
};

}  // namespace tenfold::data
