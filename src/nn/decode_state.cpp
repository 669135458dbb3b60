// Moves every memory of a decoder together with its counts.
// Not here: the memories.
#include "nn/decode_state.h"

#include "support/fail.h"

namespace tenfold::nn {
namespace {

template <typename Change>
void for_each_memory(DecodeState& state, Change change) {
  for (auto& memory : state.self) change(*memory);
  for (auto& memory : state.cross) change(*memory);
}

void check_state_counts(const DecodeState& state, size_t got) {
  require(got == state.past.size(), ErrorKind::shape, "decode state", "expected {} counts, got {}",
          state.past.size(), got);
}

}  // namespace

void DecodeState::select(const std::vector<int64_t>& parents) {
  std::vector<int64_t> moved;
  moved.reserve(parents.size());
  for (const int64_t parent : parents) {
    require(parent >= 0 && parent < count(), ErrorKind::shape, "decode state",
            "no sequence {} among {}", parent, count());
    moved.push_back(past[static_cast<size_t>(parent)]);
  }
  for_each_memory(*this, [&](AttentionMemory& memory) { memory.select(parents); });
  past = std::move(moved);
}

void DecodeState::add(int64_t more) {
  for_each_memory(*this, [&](AttentionMemory& memory) { memory.add(more); });
  past.resize(past.size() + static_cast<size_t>(more), 0);
}

void DecodeState::commit(const std::vector<int64_t>& counts) {
  check_state_counts(*this, counts.size());
  for (size_t b = 0; b < counts.size(); ++b) {
    require(counts[b] >= 0, ErrorKind::shape, "decode state",
            "a count must not be negative, got {}", counts[b]);
  }
  for (size_t b = 0; b < counts.size(); ++b) past[b] += counts[b];
}

void DecodeState::truncate(const std::vector<int64_t>& lengths) {
  check_state_counts(*this, lengths.size());
  for (size_t b = 0; b < lengths.size(); ++b) {
    require(lengths[b] >= 0 && lengths[b] <= past[b], ErrorKind::shape, "decode state",
            "sequence {} has {} tokens and cannot go back to {}", b, past[b], lengths[b]);
  }
  for (auto& memory : self) memory->truncate(lengths);
  past = lengths;
}

}  // namespace tenfold::nn
