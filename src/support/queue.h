// A bounded queue between threads that can be closed from either end and carries the producer's
// failure. Not here: the threads themselves.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <utility>

namespace tenfold {

/// Many producers, many consumers, first in first out. Closing wakes everyone: no thread waits on a
/// closed queue. Close it and join the threads before destroying it.
template <typename T>
class BoundedQueue {
 public:
  /// Holds at most `capacity` items (at least one).
  explicit BoundedQueue(size_t capacity) : capacity_(capacity == 0 ? 1 : capacity) {}
  BoundedQueue(const BoundedQueue&) = delete;
  BoundedQueue& operator=(const BoundedQueue&) = delete;

  /// Waits for room. False, and the item is dropped, where the queue is or gets closed: the
  /// producer ends.
  bool push(T item) {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [&] { return closed_ || items_.size() < capacity_; });
    if (closed_) return false;
    items_.push_back(std::move(item));
    filled_.notify_one();
    return true;
  }

  /// Waits for an item. Empty after close() once all items are taken; after fail() rethrows its
  /// exception then.
  std::optional<T> pop() {
    std::unique_lock lock(mutex_);
    filled_.wait(lock, [&] { return closed_ || !items_.empty(); });
    return take();
  }

  /// pop() that gives up: empty also where nothing came in time and the queue is open (closed()
  /// tells).
  template <typename Rep, typename Period>
  std::optional<T> pop_for(std::chrono::duration<Rep, Period> patience) {
    std::unique_lock lock(mutex_);
    filled_.wait_for(lock, patience, [&] { return closed_ || !items_.empty(); });
    return take();
  }

  /// No more items: producers' pushes fail, consumers take what is left. May be called often, by
  /// anyone.
  void close() { close_with(nullptr); }

  /// close() and the reason why: consumers get it after the remaining items. The first reason
  /// stays.
  void fail(std::exception_ptr reason) { close_with(std::move(reason)); }

  /// close() and drop what is left: the consumer has no more use for it.
  void cancel() {
    std::deque<T> dropped;
    {
      std::lock_guard lock(mutex_);
      closed_ = true;
      dropped.swap(items_);
    }
    room_.notify_all();
    filled_.notify_all();
  }

  bool closed() const {
    std::lock_guard lock(mutex_);
    return closed_;
  }

  size_t size() const {
    std::lock_guard lock(mutex_);
    return items_.size();
  }

 private:
  std::optional<T> take() {
    if (items_.empty()) {
      if (closed_ && reason_) std::rethrow_exception(reason_);
      return std::nullopt;
    }
    std::optional<T> item(std::move(items_.front()));
    items_.pop_front();
    room_.notify_one();
    return item;
  }

  void close_with(std::exception_ptr reason) {
    {
      std::lock_guard lock(mutex_);
      closed_ = true;
      if (!reason_) reason_ = std::move(reason);
    }
    room_.notify_all();
    filled_.notify_all();
  }

  const size_t capacity_;
  mutable std::mutex mutex_;
  std::condition_variable room_;
  std::condition_variable filled_;
  std::deque<T> items_;
  std::exception_ptr reason_;
  bool closed_ = false;
};

}  // namespace tenfold
