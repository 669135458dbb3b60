// Planning batches of a window and preparing them in order.
// Not here: the order of examples (training_order.cpp).
#include "data/batch_source.h"

#include <algorithm>
#include <sstream>

#include "data/training_order.h"
#include "support/fail.h"
#include "support/rng.h"

namespace tenfold::data {

BatchSource::BatchSource(std::shared_ptr<const ExampleSource> examples,
                         std::shared_ptr<const Collator> collator, const BatchOptions& options)
    : examples_(std::move(examples)), collator_(std::move(collator)), options_(options) {
  require(examples_->size() > 0, ErrorKind::data, "batches", "no examples");
}

BatchSource::~BatchSource() { stop(); }

int64_t BatchSource::windows() const {
  return (examples_->size() + options_.window - 1) / options_.window;
}

/// The window's examples by length, cut by the token budget; the batches in an order of their own.
BatchSource::Plan BatchSource::plan(int64_t epoch, int64_t window) const {
  const TrainingOrder order(examples_->size(), options_.seed, epoch);
  std::vector<std::pair<int64_t, int64_t>> by_length;  // tokens, example
  const int64_t begin = window * options_.window,
                end = std::min(begin + options_.window, examples_->size());
  for (int64_t place = begin; place < end; ++place) {
    const int64_t example = order.at(place);
    by_length.emplace_back(examples_->tokens_of(example), example);
  }
  std::stable_sort(by_length.begin(), by_length.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  Plan batches;
  int64_t tokens = 0;
  for (const auto& [length, example] : by_length) {
    const bool full = batches.empty() || tokens + length > options_.batch_tokens ||
                      static_cast<int64_t>(batches.back().size()) >= options_.batch_rows;
    if (full) {
      batches.emplace_back();
      tokens = 0;
    }
    batches.back().push_back(example);
    tokens += length;
  }
  RandomStream draw(options_.seed, "batch-order", static_cast<uint64_t>(epoch),
                    static_cast<uint64_t>(window));
  draw.shuffle(batches);
  return batches;
}

void BatchSource::produce(Place at) {
  try {
    for (; options_.epochs == 0 || at.epoch < options_.epochs; ++at.epoch, at.window = 0) {
      for (; at.window < windows(); ++at.window, at.batch = 0) {
        const Plan batches = plan(at.epoch, at.window);
        for (; at.batch < static_cast<int64_t>(batches.size()); ++at.batch) {
          std::vector<Example> examples;
          for (const int64_t i : batches[static_cast<size_t>(at.batch)])
            examples.push_back(examples_->get(i));
          const DrawContext draw{.seed = options_.seed, .epoch = static_cast<uint64_t>(at.epoch)};
          Place after = at;
          ++after.batch;
          if (!queue_->push({{collator_->collate(examples, draw), at.epoch}, after})) return;
        }
      }
    }
    queue_->close();
  } catch (...) {
    queue_->fail(std::current_exception());
  }
}

void BatchSource::start() {
  queue_ = std::make_unique<BoundedQueue<Item>>(options_.ahead);
  producer_ = std::thread([this, from = place_] { produce(from); });
}

void BatchSource::stop() {
  if (queue_) queue_->close();
  if (producer_.joinable()) producer_.join();
  queue_.reset();
}

std::optional<PreparedBatch> BatchSource::next() {
  if (!queue_) start();
  std::optional<Item> item = queue_->pop();
  if (!item) return std::nullopt;
  place_ = item->after;
  return std::move(item->prepared);
}

std::string BatchSource::text_of(const Place& place) {
  return fmt::format("{} {} {}", place.epoch, place.window, place.batch);
}

std::string BatchSource::position() const { return text_of(place_); }

void BatchSource::seek(const std::string& position) {
  Place place;
  std::istringstream text(position);
  text >> place.epoch >> place.window >> place.batch;
  const auto batches = [&] { return static_cast<int64_t>(plan(place.epoch, place.window).size()); };
  require(text_of(place) == position && place.epoch >= 0 && place.window >= 0 &&
              place.window < windows() && place.batch >= 0 && place.batch <= batches(),
          ErrorKind::checkpoint, "batches", "'{}' is no position in these data", position);
  stop();
  place_ = place;
}

int64_t BatchSource::batches_per_epoch() const {
  int64_t batches = 0;
  for (int64_t window = 0; window < windows(); ++window)
    batches += static_cast<int64_t>(plan(0, window).size());
  return batches;
}

}  // namespace tenfold::data
