// Placing the nodes of a trie into blocks of 256 cells, breadth first.
// Not here: the walk (trie.h).
#include "text/trie.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "support/fail.h"

namespace tenfold::text {

class Trie::Builder {
 public:
  explicit Builder(std::span<const std::pair<std::string_view, int32_t>> keys) : keys_(keys) {}

  std::vector<Cell> build() {
    add_block();
    taken_[0] = 1;      // the root's cell
    used_base_[0] = 1;  // base 0 belongs to nodes without children
    queue_.push_back({0, 0, keys_.size(), 0});
    while (!queue_.empty()) {
      const Node node = queue_.front();
      queue_.pop_front();
      place(node);
    }
    return std::move(cells_);
  }

 private:
  struct Node {
    uint32_t cell;
    size_t first, last;  // keys below this node
    size_t depth;
  };
  struct Child {
    uint32_t label;
    size_t first, last;
  };

  void add_block() {
    require(cells_.size() < (1u << 23), ErrorKind::unsupported, "vocabulary",
            "its tokens need more than 8 million trie cells");
    cells_.resize(cells_.size() + 256);
    taken_.resize(cells_.size());
    used_base_.resize(cells_.size());
    open_.push_back(static_cast<uint32_t>(cells_.size() - 256));
    num_free_.push_back(256);
    num_refusals_.push_back(0);
  }

  void place(const Node& node) {
    size_t at = node.first;
    if (at < node.last && keys_[at].first.size() == node.depth)
      cells_[node.cell].id = keys_[at++].second;
    children_.clear();
    while (at < node.last) {
      const auto label = static_cast<uint8_t>(keys_[at].first[node.depth]);
      const size_t first = at;
      while (at < node.last && static_cast<uint8_t>(keys_[at].first[node.depth]) == label) ++at;
      children_.push_back({label, first, at});
    }
    if (children_.empty()) return;
    const uint32_t base = find_base();
    used_base_[base] = 1;
    cells_[node.cell].link = base << kLabelBits | (cells_[node.cell].link & kLabelMask);
    for (const Child& child : children_) {
      const uint32_t cell = base ^ child.label;
      taken_[cell] = 1;
      --num_free_[cell / 256];
      cells_[cell].link = child.label;
      queue_.push_back({cell, child.first, child.last, node.depth + 1});
    }
  }

  // Tries the open blocks; one that is nearly full, or refuses too often, is closed.
  uint32_t find_base() {
    for (size_t i = 0; i < open_.size();) {
      const uint32_t block = open_[i];
      if (num_free_[block / 256] >= children_.size()) {
        for (uint32_t base = block; base < block + 256; ++base) {
          if (!used_base_[base] && fits(base)) return base;
        }
      }
      if (num_free_[block / 256] < kNearlyFull || ++num_refusals_[block / 256] > kMaxRefusals) {
        open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(i));
      } else {
        ++i;
      }
    }
    add_block();
    return open_.back();
  }

  bool fits(uint32_t base) const {
    return std::all_of(children_.begin(), children_.end(),
                       [&](const Child& child) { return !taken_[base ^ child.label]; });
  }

  static constexpr uint32_t kNearlyFull = 8, kMaxRefusals = 24;
  std::span<const std::pair<std::string_view, int32_t>> keys_;
  std::vector<Cell> cells_;
  std::vector<uint8_t> taken_, used_base_;
  std::vector<uint32_t> open_, num_free_, num_refusals_;
  std::deque<Node> queue_;
  std::vector<Child> children_;
};

Trie::Trie(std::span<const std::pair<std::string_view, int32_t>> sorted) {
  if (!sorted.empty()) cells_ = Builder(sorted).build();
}

Trie trie_of(std::vector<std::pair<std::string_view, int32_t>> keys) {
  std::sort(keys.begin(), keys.end());
  size_t kept = 0;
  for (const auto& key : keys) {
    if (kept > 0 && keys[kept - 1].first == key.first) --kept;
    keys[kept++] = key;
  }
  return Trie(std::span(keys).first(kept));
}

Trie trie_of(const std::vector<std::string>& tokens) {
  std::vector<std::pair<std::string_view, int32_t>> keys;
  keys.reserve(tokens.size());
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (!tokens[i].empty()) keys.emplace_back(tokens[i], static_cast<int32_t>(i));
  }
  return trie_of(std::move(keys));
}

}  // namespace tenfold::text
