// Lines gathered in memory, files written whole.
// Not here: what a line holds.
#include "data/split_files.h"

#include <fmt/format.h>

#include "support/files.h"

namespace tenfold::data {

SplitFiles::SplitFiles(const std::filesystem::path& out, std::string_view extension) {
  tenfold::create_directories(out);
  for (size_t i = 0; i < paths_.size(); ++i)
    paths_[i] = out / fmt::format("{}.{}", kSplitNames[i], extension);
}

void SplitFiles::add(Split part, std::string_view row) {
  const auto i = static_cast<size_t>(part);
  texts_[i] += row;
  texts_[i] += '\n';
  ++rows_[i];
}

void SplitFiles::enclose(std::string_view version) {
  for (std::string& text : texts_) {
    std::string whole = fmt::format("{{\"version\": \"{}\", \"data\": [\n", version);
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = text.find('\n', begin);
      whole.append(text, begin, end - begin);
      begin = end + 1;
      whole += begin < text.size() ? ",\n" : "\n";
    }
    text = whole + "]}\n";
  }
}

void SplitFiles::commit() {
  for (size_t i = 0; i < paths_.size(); ++i) {
    if (rows_[i] == 0) {
      tenfold::remove_all(paths_[i]);
      continue;
    }
    const bool there = std::filesystem::is_regular_file(paths_[i]) &&
                       std::filesystem::file_size(paths_[i]) == texts_[i].size() &&
                       read_file(paths_[i], texts_[i].size()) == texts_[i];
    if (!there) write_file_atomically(paths_[i], texts_[i]);
  }
}

}  // namespace tenfold::data
