// Batches of an endless or bounded number of epochs, prepared ahead on a background thread.
// Not here: what is in an example (example_source.h) or what a batch asks of the model
// (objectives).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "data/collator.h"
#include "data/example_source.h"
#include "support/queue.h"

namespace tenfold::data {

struct BatchOptions {
  int64_t batch_tokens =
      4096;  ///< most real tokens in a batch; a longer example is a batch of its own
  int64_t batch_rows = 1 << 20;  ///< most rows in a batch
  int64_t window =
      2048;  ///< examples sorted by length together, so that a batch holds similar lengths
  uint64_t seed = 0;
  int64_t epochs = 0;  ///< 0: without end
  size_t ahead = 4;    ///< batches prepared ahead
};

struct PreparedBatch {
  Batch batch;
  int64_t epoch = 0;
};

/// Batch n is a pure function of (seed, n): not of threads, of what is prepared ahead, or of where
/// reading began. One consumer.
class BatchSource {
 public:
  BatchSource(std::shared_ptr<const ExampleSource> examples,
              std::shared_ptr<const Collator> collator, const BatchOptions& options);
  ~BatchSource();
  BatchSource(const BatchSource&) = delete;
  BatchSource& operator=(const BatchSource&) = delete;

  /// The next batch; none after the last epoch. Rethrows what the background thread met.
  std::optional<PreparedBatch> next();

  /// "epoch window batch" of the batch that next() gives; behind the last batch of a window its
  /// number is that of the batches in it.
  std::string position() const;
  /// Error{checkpoint} where the text is no position of this source.
  void seek(const std::string& position);
  int64_t batches_per_epoch() const;

 private:
  struct Place {
    int64_t epoch = 0, window = 0, batch = 0;
  };
  using Plan = std::vector<std::vector<int64_t>>;  // examples of each batch of a window

  static std::string text_of(const Place& place);
  int64_t windows() const;
  Plan plan(int64_t epoch, int64_t window) const;
  void produce(Place from);
  void start();
  void stop();

  std::shared_ptr<const ExampleSource> examples_;
  std::shared_ptr<const Collator> collator_;
  BatchOptions options_;
  struct Item {
    PreparedBatch prepared;
    Place after;
  };
  std::unique_ptr<BoundedQueue<Item>> queue_;
  std::thread producer_;
  Place place_;
};

}  // namespace tenfold::data
