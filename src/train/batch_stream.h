// Batches one after another, as the trainer takes them, with a position that a resumed run goes on
// from. Not here: drawing, cutting and preparing them in the background (data).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "data/batch.h"

namespace tenfold::train {

struct DrawnBatch {
  data::Batch batch;
  int64_t epoch = 0;  ///< from 0: how often the data had been seen when it was drawn
};

class BatchStream {
 public:
  virtual ~BatchStream() = default;
  /// The next batch; none at the end of the data.
  virtual std::optional<DrawnBatch> next() = 0;
  /// Where next() stands, in the stream's own words: what was taken counts, what was prepared ahead
  /// does not.
  virtual std::string position() const = 0;
  /// Goes to a position; the same batches follow as followed then. Error{checkpoint} for an unfit
  /// one.
  virtual void seek(const std::string& position) = 0;
  /// Batches of one epoch where known, for schedules of runs that are measured in epochs.
  virtual std::optional<int64_t> batches_per_epoch() const { return std::nullopt; }
};

}  // namespace tenfold::train
