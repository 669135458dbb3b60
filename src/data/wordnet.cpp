// Reading WordNet's data files.
// Not here: the tasks written from them (wordnet_tasks.cpp).
#include "data/wordnet.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "support/fail.h"
#include "support/files.h"
#include "support/rng.h"
#include "support/strings.h"

namespace tenfold::data {
namespace {

constexpr uint64_t kLargestDataFile = 64ULL << 20;

// Names of the lexicographer files, in the order of their numbers (WordNet's lexnames(5)).
constexpr std::array<std::string_view, 45> kCategories = {
    "adj.all",          "adj.pert",           "adv.all",
    "noun.Tops",        "noun.act",           "noun.animal",
    "noun.artifact",    "noun.attribute",     "noun.body",
    "noun.cognition",   "noun.communication", "noun.event",
    "noun.feeling",     "noun.food",          "noun.group",
    "noun.location",    "noun.motive",        "noun.object",
    "noun.person",      "noun.phenomenon",    "noun.plant",
    "noun.possession",  "noun.process",       "noun.quantity",
    "noun.relation",    "noun.shape",         "noun.state",
    "noun.substance",   "noun.time",          "verb.body",
    "verb.change",      "verb.cognition",     "verb.communication",
    "verb.competition", "verb.consumption",   "verb.contact",
    "verb.creation",    "verb.emotion",       "verb.motion",
    "verb.perception",  "verb.possession",    "verb.social",
    "verb.stative",     "verb.weather",       "adj.ppl"};

/// The blank-separated fields of one row, read from left to right.
class RowFields {
 public:
  RowFields(std::string_view row, const std::string& place) : rest_(row), place_(place) {}

  std::string_view next() {
    while (!rest_.empty() && rest_.front() == ' ') rest_.remove_prefix(1);
    const size_t end = std::min(rest_.find(' '), rest_.size());
    require(end > 0, ErrorKind::data, "wordnet", "{}: the row ends before its last field", place_);
    const std::string_view field = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return field;
  }

  uint32_t number(int base) {
    const std::string_view field = next();
    uint32_t value = 0;
    const auto [end, error] =
        std::from_chars(field.data(), field.data() + field.size(), value, base);
    require(error == std::errc() && end == field.data() + field.size(), ErrorKind::data, "wordnet",
            "{}: expected a number, got '{}'", place_, field);
    return value;
  }

 private:
  std::string_view rest_;
  const std::string& place_;
};

Synset parse_synset(std::string_view row, char part, const std::string& place) {
  const size_t bar = row.find(" | ");
  require(bar != std::string_view::npos, ErrorKind::data, "wordnet",
          "{}: no ' | ' before the gloss", place);
  Synset synset;
  synset.part = part;
  synset.gloss = trim(row.substr(bar + 3));
  RowFields fields(row.substr(0, bar), place);
  synset.offset = fields.number(10);
  synset.category = static_cast<int>(fields.number(10));
  require(synset.category < static_cast<int>(kCategories.size()), ErrorKind::data, "wordnet",
          "{}: category {} is not one of 0..{}", place, synset.category, kCategories.size() - 1);
  fields.next();  // the synset type repeats the file's
  const uint32_t words = fields.number(16);
  require(words > 0, ErrorKind::data, "wordnet", "{}: a synset without words", place);
  for (uint32_t i = 0; i < words; ++i) {
    std::string lemma(fields.next());
    std::replace(lemma.begin(), lemma.end(), '_', ' ');
    synset.lemmas.push_back(std::move(lemma));
    fields.next();  // sense number
  }
  const uint32_t links = fields.number(10);
  for (uint32_t i = 0; i < links; ++i) {
    const std::string_view symbol = fields.next();
    const uint32_t target = fields.number(10);
    fields.next();  // part of speech of the target: a hypernym has the same
    fields.next();  // which words the link joins
    if (symbol == "@" || symbol == "@i") synset.hypernyms.push_back(target);
  }
  return synset;
}

void read_part(const std::filesystem::path& file, char part, std::vector<Synset>& synsets) {
  require(std::filesystem::exists(file), ErrorKind::data, "wordnet",
          "{} is missing: install Debian's package wordnet-base", file.string());
  const std::string text = read_file(file, kLargestDataFile);
  const std::string name = file.filename().string();
  int64_t line = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view row(text.data() + begin, end - begin);
    begin = end + 1;
    ++line;
    if (row.empty() || row.front() == ' ') continue;  // the licence at the head of each file
    synsets.push_back(parse_synset(row, part, fmt::format("{}:{}", name, line)));
  }
}

}  // namespace

std::string_view category_name(int category) {
  return kCategories.at(static_cast<size_t>(category));
}

std::vector<Synset> read_wordnet(const std::filesystem::path& folder) {
  std::vector<Synset> synsets;
  read_part(folder / "data.noun", 'n', synsets);
  read_part(folder / "data.verb", 'v', synsets);
  read_part(folder / "data.adj", 'a', synsets);
  read_part(folder / "data.adv", 'r', synsets);
  require(!synsets.empty(), ErrorKind::data, "wordnet", "no synsets in {}", folder.string());
  return synsets;
}

Split split_of(const Synset& synset) {
  const uint64_t share =
      RandomStream(0, "wordnet-split", synset.offset, static_cast<uint64_t>(synset.part))
          .below(100);
  return share < 90 ? Split::train : share < 95 ? Split::dev : Split::test;
}

}  // namespace tenfold::data
