// Examples by number: rows cut from shards, or a list in memory.
// Not here: their order or batches (batch_source.h).
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "config/fields.h"
#include "data/example.h"
#include "data/shards.h"
#include "tenfold/tokenizer.h"

namespace tenfold::data {

/// Immutable; get() is thread-safe and a pure function of the number.
class ExampleSource {
 public:
  virtual ~ExampleSource() = default;
  virtual int64_t size() const = 0;
  virtual int64_t tokens_of(int64_t index) const = 0;  ///< length of its "tokens"
  virtual Example get(int64_t index) const = 0;
};

class ExampleList final : public ExampleSource {
 public:
  explicit ExampleList(std::vector<Example> examples) : examples_(std::move(examples)) {}
  int64_t size() const override { return static_cast<int64_t>(examples_.size()); }
  int64_t tokens_of(int64_t index) const override {
    return static_cast<int64_t>(
        examples_[static_cast<size_t>(index)].sequences.at("tokens").size());
  }
  Example get(int64_t index) const override { return examples_[static_cast<size_t>(index)]; }

 private:
  std::vector<Example> examples_;
};

/// Which documents: a held-out share, chosen by a hash of the document's number, or the rest.
enum class Part : uint8_t { training, held_out };

struct RowOptions {
  int64_t max_length = 128;  ///< tokens of a row, [CLS] and [SEP] included
  int64_t min_length =
      8;  ///< shorter ends of documents are left out (whole short documents are not)
  double held_out = 0.01;  ///< share of the documents kept for validation
  void fields(config::FieldVisitor& v);
};

/// Documents cut into rows [CLS] window [SEP]. The example id is the row's number among all rows of
/// the corpus.
class ShardRows final : public ExampleSource {
 public:
  /// Error{data} where the shards were made with another vocabulary, or the part has no row.
  ShardRows(ShardSet shards, const Tokenizer& tokenizer, const RowOptions& options, Part part);
  int64_t size() const override { return static_cast<int64_t>(rows_.size()); }
  int64_t tokens_of(int64_t index) const override;
  Example get(int64_t index) const override;

 private:
  struct Row {
    uint32_t document, window;
    uint64_t id;
  };
  std::pair<int64_t, int64_t> window_of(const Row& row) const;

  ShardSet shards_;
  RowOptions options_;
  int32_t cls_, sep_;
  std::vector<Row> rows_;
};

}  // namespace tenfold::data
