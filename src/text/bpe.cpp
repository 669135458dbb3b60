// Building the pair table, and the two ways of merging: search for short words, a heap for long
// ones. Not here: the walk over words (bpe.h).
#include "text/bpe.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <utility>

#include "text/byte_level.h"

namespace tenfold::text {

Bpe::Bpe(const std::vector<std::string>& tokens, std::vector<BpeMerge> merges, BpeOptions options)
    : options_(options), merges_(std::move(merges)), names_(trie_of(tokens)) {
  fill_table();
  for (uint32_t byte = 0; byte < 256; ++byte) {
    const auto value = static_cast<uint8_t>(byte);
    byte_ids_[byte] = names_.find(options.byte_level ? byte_token(value) : fallback_token(value));
  }
  std::vector<std::string> words(tokens.size());
  Scratch scratch;
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i].empty()) continue;
    std::string word = tokens[i];
    if (options.byte_level) {
      auto bytes = bytes_of_token(word);
      if (!bytes) continue;
      word = std::move(*bytes);
    }
    if (!options.ignore_merges) {
      start(word, scratch);
      merge(scratch);
      if (scratch.pieces.size() != 1 || scratch.pieces[0].id != static_cast<int32_t>(i)) continue;
    }
    words[i] = std::move(word);
  }
  whole_ = trie_of(words);
}

void Bpe::fill_table() {
  const size_t size = std::bit_ceil(std::max<size_t>(16, merges_.size() * 2 + 2));
  slots_.resize(size);
  shift_ = 64 - std::countr_zero(size);
  for (size_t rank = 0; rank < merges_.size(); ++rank) {
    const BpeMerge& merge = merges_[rank];
    size_t at = first_slot(merge.left, merge.right);
    while (slots_[at].rank != kNoRank &&
           (slots_[at].left != merge.left || slots_[at].right != merge.right)) {
      at = (at + 1) & (size - 1);
    }
    slots_[at] = {merge.left, merge.right, static_cast<uint32_t>(rank)};  // a later rule wins
  }
}

// The pieces before any merge.
void Bpe::start(std::string_view word, Scratch& scratch) const {
  std::vector<Piece>& pieces = scratch.pieces;
  pieces.clear();
  bool after_unknown = false;
  const auto add_unknown = [&](uint32_t begin, uint32_t end) {
    if (options_.unknown < 0) return;
    if (after_unknown && options_.fuse_unknown) {
      pieces.back().end = end;
    } else {
      pieces.push_back({options_.unknown, begin, end});
    }
    after_unknown = true;
  };
  if (options_.byte_level) {
    for (uint32_t at = 0; at < word.size(); ++at) {
      const int32_t id = byte_ids_[static_cast<uint8_t>(word[at])];
      if (id < 0) {
        add_unknown(at, at + 1);
        continue;
      }
      pieces.push_back({id, at, at + 1});
      after_unknown = false;
    }
    return;
  }
  for (uint32_t at = 0; at < word.size();) {
    const uint32_t end = at + decode_utf8(word, at).length;
    const std::string_view c = word.substr(at, end - at);
    const int32_t id = names_.find(c);
    const auto known = [&](char byte) { return byte_ids_[static_cast<uint8_t>(byte)] >= 0; };
    if (id >= 0) {
      pieces.push_back({id, at, end});
      after_unknown = false;
    } else if (options_.byte_fallback && std::all_of(c.begin(), c.end(), known)) {
      for (uint32_t i = at; i < end; ++i)
        pieces.push_back({byte_ids_[static_cast<uint8_t>(word[i])], i, i + 1});
      after_unknown = false;
    } else {
      add_unknown(at, end);
    }
    at = end;
  }
}

void Bpe::merge(Scratch& scratch) const {
  if (scratch.pieces.size() < 2) return;
  if (scratch.pieces.size() <= kShort) {
    merge_short(scratch);
  } else {
    merge_long(scratch);
  }
}

void Bpe::merge_short(Scratch& scratch) const {
  Piece* pieces = scratch.pieces.data();
  size_t count = scratch.pieces.size();
  scratch.rank.resize(std::max(scratch.rank.size(), kShort));
  uint32_t* rank = scratch.rank.data();  // of pieces i and i + 1
  for (size_t i = 0; i + 1 < count; ++i) rank[i] = rank_of(pieces[i].id, pieces[i + 1].id);
  while (count > 1) {
    size_t best = 0;
    for (size_t i = 1; i + 1 < count; ++i) {
      if (rank[i] < rank[best]) best = i;
    }
    if (rank[best] == kNoRank) break;
    pieces[best] = {merges_[rank[best]].joined, pieces[best].begin, pieces[best + 1].end};
    --count;
    for (size_t i = best + 1; i < count; ++i) {
      pieces[i] = pieces[i + 1];
      rank[i - 1] = rank[i];
    }
    if (best + 1 < count) rank[best] = rank_of(pieces[best].id, pieces[best + 1].id);
    if (best > 0) rank[best - 1] = rank_of(pieces[best - 1].id, pieces[best].id);
  }
  scratch.pieces.resize(count);
}

void Bpe::merge_long(Scratch& scratch) const {
  std::vector<Piece>& pieces = scratch.pieces;
  auto& rank = scratch.rank;
  auto& heap = scratch.heap;
  auto& previous = scratch.previous;
  auto& next = scratch.next;
  const auto count = static_cast<int32_t>(pieces.size());
  rank.assign(pieces.size(), kNoRank);  // of a piece and the next one
  previous.resize(pieces.size());
  next.resize(pieces.size());
  heap.clear();
  const auto look = [&](int32_t i) {
    rank[i] = next[i] < count ? rank_of(pieces[i].id, pieces[next[i]].id) : kNoRank;
    if (rank[i] == kNoRank) return;
    heap.push_back({rank[i], static_cast<uint32_t>(i)});
    std::push_heap(heap.begin(), heap.end(), std::greater<>());
  };
  for (int32_t i = 0; i < count; ++i) previous[i] = i - 1, next[i] = i + 1;
  for (int32_t i = 0; i < count; ++i) look(i);
  while (!heap.empty()) {
    const auto [lowest, place] = heap.front();
    std::pop_heap(heap.begin(), heap.end(), std::greater<>());
    heap.pop_back();
    const auto i = static_cast<int32_t>(place);
    if (rank[i] != lowest || pieces[i].id < 0) continue;  // changed since
    const int32_t gone = next[i];
    pieces[i] = {merges_[lowest].joined, pieces[i].begin, pieces[gone].end};
    pieces[gone].id = -1;
    rank[gone] = kNoRank;
    next[i] = next[gone];
    if (next[i] < count) previous[next[i]] = i;
    look(i);
    if (previous[i] >= 0) look(previous[i]);
  }
  std::erase_if(pieces, [](const Piece& piece) { return piece.id < 0; });
}

}  // namespace tenfold::text
