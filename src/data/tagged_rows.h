// Sentences as columns of words and tags (CoNLL), their schemes of tags brought to B-, I- and O.
// Not here: word pieces, or entities found by a model.
#pragma once

#include <filesystem>
#include <string>

#include "data/rows.h"

namespace tenfold::data {

enum class TagScheme : uint8_t {
  automatic,  ///< bioes where E- or S- (L-, U-) tags occur, bio where tags have prefixes, else
              ///< plain
  bio,        ///< every entity begins with B- (IOB2)
  iob1,       ///< B- only where an entity follows one of its own type
  bioes,      ///< begin, inside, end (L-), single (U-)
  plain,      ///< tags as they stand: parts of speech
};

struct TagColumns {
  int64_t word = 0;              ///< column of the word, from 0
  int64_t tag = -1;              ///< of the tag; -1: the last
  std::string word_prefix = {};  ///< taken off each word that has it ("en:" in WikiANN)
  TagScheme scheme = TagScheme::automatic;
  bool repair = false;  ///< an I- or E- that continues nothing begins an entity, instead of refusal
  bool skip_bad = false;
  TextEncoding encoding = TextEncoding::utf8;
  void fields(config::FieldVisitor& v);
};

/// Reads "word<TAB>tag" or blank-separated columns, a blank line between sentences; "-DOCSTART-"
/// lines are left out; also .gz and .zst. Comments (lines "# ..." before a sentence) are not words.
/// Tags come out in B-, I- and O whatever the scheme was (plain excepted). Error{data}
/// "FILE:LINE: ..." for a line with too few columns, a tag that its scheme does not allow there and
/// a file without sentences; with skip_bad the sentence is left out and counted. With
/// Labels::optional a line may be a word alone and rows come without tags.
RowFile<TaggedRow> read_tagged(const std::filesystem::path& path, const TagColumns& columns,
                               Labels labels);

}  // namespace tenfold::data
