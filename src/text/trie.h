// A set of byte strings with numbers, answering "which is the longest one here?" in one walk.
// Not here: deletion, ordering, or anything about words; it never changes after it is built.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tenfold::text {

/// A double array over bytes: the child of a node with base b under byte x is cell b ^ x, and holds
/// when that cell carries label x. No two nodes share a base, so the label alone proves the parent.
class Trie {
 public:
  struct Match {
    int32_t id = -1;  // -1: nothing matched
    uint32_t length = 0;
  };

  Trie() = default;
  /// Builds from distinct, non-empty keys with numbers >= 0, sorted by key. Error (unsupported):
  /// more than 8 million cells are needed.
  explicit Trie(std::span<const std::pair<std::string_view, int32_t>> sorted);

  /// The longest key that `text` begins with.
  Match longest(const char* text, size_t size) const {
    Match best;
    prefixes(text, size, [&](int32_t id, size_t length) {
      best = {id, static_cast<uint32_t>(length)};
    });
    return best;
  }

  /// Calls on_key(id, length) for every key that `text` begins with, shortest first.
  template <typename OnKey>
  void prefixes(const char* text, size_t size, OnKey&& on_key) const {
    if (cells_.empty()) return;
    uint32_t base = cells_[0].link >> kLabelBits;
    for (size_t i = 0; i < size; ++i) {
      const uint32_t byte = static_cast<uint8_t>(text[i]);
      const Cell cell = cells_[base ^ byte];
      if ((cell.link & kLabelMask) != byte) break;
      base = cell.link >> kLabelBits;
      if (cell.id >= 0) on_key(cell.id, i + 1);
    }
  }

  /// The number of exactly this key, or -1.
  int32_t find(std::string_view key) const {
    const Match match = longest(key.data(), key.size());
    return match.length == key.size() ? match.id : -1;
  }

  bool empty() const { return cells_.empty(); }

 private:
  static constexpr uint32_t kLabelBits = 9;
  static constexpr uint32_t kLabelMask = (1u << kLabelBits) - 1;
  static constexpr uint32_t kFree = 256;  // a label no byte has
  struct Cell {
    uint32_t link = kFree;  // base << 9 | label
    int32_t id = -1;
  };
  class Builder;

  std::vector<Cell> cells_;
};

/// Of keys in any order; of the numbers of equal ones the highest counts.
Trie trie_of(std::vector<std::pair<std::string_view, int32_t>> keys);

/// Of tokens by id, empty ones left out.
Trie trie_of(const std::vector<std::string>& tokens);

}  // namespace tenfold::text
