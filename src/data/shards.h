// Tokenised corpora as memory-mapped files: written in pieces by a resumable writer, read without
// copying. Not here: documents (readers.h) or rows for training (shard_rows.h). The layout:
// docs/reference/shards.md.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "support/files.h"
#include "tenfold/tokenizer.h"

namespace tenfold::data {

/// A number that two tokenizers share only where they give the same ids: a hash of all tokens and
/// options.
uint64_t fingerprint(const Tokenizer& tokenizer);

/// Writes OUT/shard-NNNNN.bin of about `shard_tokens` tokens each and OUT/shards.json after each of
/// them. A killed writer goes on where the last whole shard ended; the files come out byte for byte
/// the same.
class ShardWriter {
 public:
  /// Error{data} where OUT holds shards of another vocabulary or finished ones.
  ShardWriter(std::filesystem::path out, const Tokenizer& tokenizer,
              uint64_t shard_tokens = 16'000'000);

  /// Documents already in whole shards: the caller goes on behind them.
  int64_t documents_done() const { return documents_; }
  /// `point` gives JSON that is kept with each shard but the last: where the caller's reading
  /// stands behind the document given last (DocumentReader::point()).
  void keep_reading_point(std::function<std::string()> point) { point_ = std::move(point); }
  /// What was kept with the last whole shard; empty where there is none.
  const std::string& reading_point() const { return kept_point_; }
  /// Ids without special tokens. Empty documents are left out but counted.
  void add(std::span<const int32_t> ids);
  /// Writes what is left and marks the set complete. Error{data} where there was no token at all.
  void finish();

  int64_t documents() const { return documents_ + pending_documents_; }
  uint64_t tokens() const { return tokens_ + ids_.size(); }

 private:
  void write_shard();
  void write_index(bool complete);

  std::filesystem::path out_;
  uint64_t fingerprint_, shard_tokens_;
  int64_t vocabulary_, documents_ = 0, pending_documents_ = 0;
  uint64_t tokens_ = 0;
  std::function<std::string()> point_;
  std::string kept_point_;
  std::vector<std::string> files_;
  std::vector<int32_t> ids_;
  std::vector<uint64_t> ends_;
};

enum class Verify : uint8_t { sizes, checksums };

/// All documents of a finished set. Immutable; safe to read from several threads.
class ShardSet {
 public:
  /// Error{data} naming file, offset and rule where one is missing, cut off or damaged.
  static ShardSet open(const std::filesystem::path& folder, Verify verify = Verify::sizes);

  int64_t documents() const;
  uint64_t tokens() const;
  int64_t vocabulary_size() const { return vocabulary_; }
  uint64_t vocabulary_fingerprint() const { return fingerprint_; }
  int64_t length(int64_t document) const;
  /// Appends tokens [begin, end) of a document to `ids`.
  void read(int64_t document, int64_t begin, int64_t end, std::vector<int32_t>& ids) const;

 private:
  struct Shard;
  std::pair<const Shard*, int64_t> find(int64_t document) const;

  std::vector<std::shared_ptr<const Shard>> shards_;
  std::vector<int64_t> first_document_;  // of each shard, and the total
  int64_t vocabulary_ = 0;
  uint64_t fingerprint_ = 0;
};

}  // namespace tenfold::data
