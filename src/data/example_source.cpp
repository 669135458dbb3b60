// Cutting documents into rows.
// Not here: shards' files.
#include "data/example_source.h"

#include <algorithm>

#include "support/fail.h"
#include "support/rng.h"

namespace tenfold::data {

void RowOptions::fields(config::FieldVisitor& v) {
  v.field("max_length", max_length, "tokens of a row, [CLS] and [SEP] included",
          config::at_least(3));
  v.field("min_length", min_length, "shorter ends of documents are left out", config::at_least(1));
  v.field("held_out", held_out, "share of the documents kept for validation",
          config::fraction_below_one());
}

ShardRows::ShardRows(ShardSet shards, const Tokenizer& tokenizer, const RowOptions& options,
                     Part part)
    : shards_(std::move(shards)),
      options_(options),
      cls_(tokenizer.cls_id()),
      sep_(tokenizer.sep_id()) {
  require(shards_.vocabulary_fingerprint() == fingerprint(tokenizer), ErrorKind::data, "shards",
          "the shards were made with another vocabulary ({} tokens) than the model's ({})",
          shards_.vocabulary_size(), tokenizer.size());
  require(cls_ >= 0 && sep_ >= 0, ErrorKind::data, "shards",
          "the vocabulary has no [CLS] or [SEP]");
  const int64_t room = options_.max_length - 2;
  uint64_t id = 0;
  for (int64_t document = 0; document < shards_.documents(); ++document) {
    const bool held_out =
        RandomStream(0, "held-out", static_cast<uint64_t>(document)).uniform() < options_.held_out;
    const int64_t length = shards_.length(document);
    for (int64_t window = 0; window * room < length; ++window, ++id) {
      const int64_t tokens = std::min(room, length - window * room);
      if (window > 0 && tokens < options_.min_length) continue;
      if (held_out == (part == Part::held_out)) {
        rows_.push_back({static_cast<uint32_t>(document), static_cast<uint32_t>(window), id});
      }
    }
  }
  require(!rows_.empty(), ErrorKind::data, "shards", "no rows for {}: {} documents, held_out = {}",
          part == Part::training ? "training" : "validation", shards_.documents(),
          options_.held_out);
}

std::pair<int64_t, int64_t> ShardRows::window_of(const Row& row) const {
  const int64_t room = options_.max_length - 2;
  const int64_t begin = row.window * room;
  return {begin, std::min(begin + room, shards_.length(row.document))};
}

int64_t ShardRows::tokens_of(int64_t index) const {
  const auto [begin, end] = window_of(rows_[static_cast<size_t>(index)]);
  return end - begin + 2;
}

Example ShardRows::get(int64_t index) const {
  const Row& row = rows_[static_cast<size_t>(index)];
  const auto [begin, end] = window_of(row);
  Example example;
  example.id = row.id;
  std::vector<int32_t>& ids = example.sequences["tokens"];
  ids.reserve(static_cast<size_t>(end - begin + 2));
  ids.push_back(cls_);
  shards_.read(row.document, begin, end, ids);
  ids.push_back(sep_);
  return example;
}

}  // namespace tenfold::data
