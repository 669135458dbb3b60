// The tasks made from WordNet, written as text files that every reader of tasks takes.
// Not here: parsing WordNet (wordnet.cpp).
#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>

#include "data/wordnet.h"
#include "support/fail.h"
#include "support/files.h"
#include "support/rng.h"
#include "support/strings.h"

namespace tenfold::data {
namespace {

/// The three files of a task; a row goes to the file of its split. A file that holds just this
/// already is left as it is, so that an unfinished preparation finds its input unchanged.
class TaskFiles {
 public:
  TaskFiles(const std::filesystem::path& out, std::string_view extension) {
    tenfold::create_directories(out);
    constexpr std::array<std::string_view, 3> names = {"train", "dev", "test"};
    for (size_t i = 0; i < names.size(); ++i)
      paths_[i] = out / fmt::format("{}.{}", names[i], extension);
  }

  void add(Split split, const std::string& row) {
    const auto i = static_cast<size_t>(split);
    texts_[i] += row;
    texts_[i] += '\n';
    ++rows_[i];
  }

  std::vector<std::pair<Split, int64_t>> commit() {
    std::vector<std::pair<Split, int64_t>> counts;
    for (size_t i = 0; i < paths_.size(); ++i) {
      const bool there = std::filesystem::is_regular_file(paths_[i]) &&
                         std::filesystem::file_size(paths_[i]) == texts_[i].size() &&
                         read_file(paths_[i], texts_[i].size()) == texts_[i];
      if (!there) write_file_atomically(paths_[i], texts_[i]);
      counts.emplace_back(static_cast<Split>(i), rows_[i]);
    }
    return counts;
  }

 private:
  std::array<std::filesystem::path, 3> paths_;
  std::array<std::string, 3> texts_;
  std::array<int64_t, 3> rows_{};
};

std::string pair_row(const Synset& a, const Synset& b, bool is_a) {
  return nlohmann::ordered_json{
      {"text_a", a.gloss}, {"text_b", b.gloss}, {"label", is_a ? "is-a" : "not"}}
      .dump();
}

void write_category_rows(const std::vector<Synset>& synsets, TaskFiles& files) {
  for (const Synset& s : synsets) {
    const nlohmann::ordered_json row{{"text", s.gloss}, {"label", category_name(s.category)}};
    files.add(split_of(s), row.dump());
  }
}

/// For each noun or verb with hypernyms: one true pair, and one false pair which is its reverse or
/// joins a random synset of the same file, by turns of the synset's own stream.
void write_is_a_rows(const std::vector<Synset>& synsets, TaskFiles& files) {
  std::map<char, std::vector<const Synset*>> parts;
  std::map<std::pair<char, uint32_t>, const Synset*> by_offset;
  for (const Synset& s : synsets) {
    parts[s.part].push_back(&s);
    by_offset[{s.part, s.offset}] = &s;
  }
  for (const Synset& s : synsets) {
    if (s.hypernyms.empty()) continue;
    RandomStream draw(0, "wordnet-is-a", s.offset, static_cast<uint64_t>(s.part));
    const auto above = by_offset.find({s.part, s.hypernyms[draw.below(s.hypernyms.size())]});
    require(above != by_offset.end(), ErrorKind::data, "wordnet",
            "synset {}{:08} links to a synset that is not there", s.part, s.offset);
    files.add(split_of(s), pair_row(s, *above->second, true));
    if (draw.below(2) == 0) {
      files.add(split_of(s), pair_row(*above->second, s, false));
      continue;
    }
    const auto& others = parts[s.part];
    const Synset* other = &s;
    const auto is_true = [&](const Synset* candidate) {
      return candidate == &s || std::find(s.hypernyms.begin(), s.hypernyms.end(),
                                          candidate->offset) != s.hypernyms.end();
    };
    while (is_true(other)) other = others[draw.below(others.size())];
    files.add(split_of(s), pair_row(s, *other, false));
  }
}

}  // namespace

const std::vector<std::string>& wordnet_task_kinds() {
  static const std::vector<std::string> kinds = {"text", "category", "is-a"};
  return kinds;
}

std::vector<std::pair<Split, int64_t>> write_wordnet_task(std::string_view kind,
                                                          const std::filesystem::path& wordnet,
                                                          const std::filesystem::path& out) {
  const auto& kinds = wordnet_task_kinds();
  if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end()) {
    fail(ErrorKind::usage, "wordnet", "unknown task 'wordnet-{}': expected one of wordnet-{}", kind,
         fmt::join(kinds, ", wordnet-"));
  }
  const std::vector<Synset> synsets = read_wordnet(wordnet);
  TaskFiles files(out, kind == "text" ? "txt" : "jsonl");
  if (kind == "text") {
    for (const Synset& s : synsets) files.add(split_of(s), s.gloss);
  } else if (kind == "category") {
    write_category_rows(synsets, files);
  } else {
    write_is_a_rows(synsets, files);
  }
  return files.commit();
}

}  // namespace tenfold::data
