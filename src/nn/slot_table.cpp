// The table's storage grows in both directions by doubling.
// Not here: attention over it.
#include "nn/slot_table.h"

#include <algorithm>

#include "support/fail.h"

namespace tenfold::nn {
namespace {

/// `old` in the leading corner of a larger tensor of zeros (ones for keep flags).
Tensor enlarged(const Tensor& old, int64_t slots, int64_t length) {
  std::vector<int64_t> shape = old.sizes().vec();
  shape[0] = slots;
  shape[1] = length;
  Tensor larger = old.scalar_type() == at::kBool ? torch::ones(shape, old.options())
                                                 : torch::zeros(shape, old.options());
  larger.narrow(0, 0, old.size(0)).narrow(1, 0, old.size(1)).copy_(old);
  return larger;
}

}  // namespace

SlotTable::SlotTable(int64_t count, int64_t capacity) : capacity_(capacity) { add(count); }

void SlotTable::append(int64_t row, int64_t past, const Tensor& key_NC, const Tensor& value_NC,
                       const Tensor& keep_N) {
  const torch::NoGradGuard no_grad;
  const int64_t n = key_NC.size(0);
  auto& length = lengths_.at(static_cast<size_t>(row));
  require(past <= length, ErrorKind::internal, "attention memory",
          "row {} holds {} keys, cannot go on at {}", row, length, past);
  require(past + n <= capacity_, ErrorKind::shape, "attention memory",
          "room for {} keys, {} are needed", capacity_, past + n);
  if (!key_UMC_.defined()) {
    key_UMC_ = torch::zeros({known_slots_, 0, key_NC.size(1)}, key_NC.options());
    value_UMC_ = torch::zeros({known_slots_, 0, value_NC.size(1)}, value_NC.options());
  }
  if (past + n > key_UMC_.size(1)) grow_length(past + n);
  if (keep_N.defined() && !keep_UM_.defined()) {
    keep_UM_ =
        torch::ones({key_UMC_.size(0), key_UMC_.size(1)}, key_NC.options().dtype(torch::kBool));
  }
  const int64_t slot = slot_of_row_[static_cast<size_t>(row)];
  key_UMC_[slot].narrow(0, past, n).copy_(key_NC);
  value_UMC_[slot].narrow(0, past, n).copy_(value_NC);
  if (keep_UM_.defined()) {
    Tensor flags = keep_UM_[slot].narrow(0, past, n);
    if (keep_N.defined()) {
      flags.copy_(keep_N);
    } else {
      flags.fill_(true);
    }
  }
  length = past + n;
}

Tensor SlotTable::keys(int64_t row) const {
  return key_UMC_[slot_of_row_[static_cast<size_t>(row)]].narrow(0, 0, length(row));
}

Tensor SlotTable::values(int64_t row) const {
  return value_UMC_[slot_of_row_[static_cast<size_t>(row)]].narrow(0, 0, length(row));
}

Tensor SlotTable::keep(int64_t row) const {
  if (!keep_UM_.defined()) return {};
  return keep_UM_[slot_of_row_[static_cast<size_t>(row)]].narrow(0, 0, length(row));
}

void SlotTable::select(const std::vector<int64_t>& parents) {
  const torch::NoGradGuard no_grad;
  const std::vector<int64_t> old_slots = slot_of_row_, old_lengths = lengths_;
  std::vector<bool> taken(old_slots.size(), false);
  for (const int64_t parent : parents) taken.at(static_cast<size_t>(parent)) = true;
  for (size_t row = 0; row < old_slots.size(); ++row) {
    if (!taken[row]) free_.push_back(old_slots[row]);
  }
  std::vector<bool> handed_on(old_slots.size(), false);
  slot_of_row_.clear();
  lengths_.clear();
  for (const int64_t parent : parents) {
    const auto from = static_cast<size_t>(parent);
    int64_t slot = old_slots[from];
    if (handed_on[from]) {
      slot = free_slot();
      if (key_UMC_.defined() && old_lengths[from] > 0) {
        for (const Tensor& t : {key_UMC_, value_UMC_, keep_UM_}) {
          if (t.defined())
            t[slot]
                .narrow(0, 0, old_lengths[from])
                .copy_(t[old_slots[from]].narrow(0, 0, old_lengths[from]));
        }
      }
    }
    handed_on[from] = true;
    slot_of_row_.push_back(slot);
    lengths_.push_back(old_lengths[from]);
  }
}

void SlotTable::truncate(const std::vector<int64_t>& past) {
  for (size_t row = 0; row < lengths_.size(); ++row)
    lengths_[row] = std::min(lengths_[row], past.at(row));
}

void SlotTable::add(int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    slot_of_row_.push_back(free_slot());
    lengths_.push_back(0);
  }
}

int64_t SlotTable::free_slot() {
  if (free_.empty())
    grow_slots(std::max<int64_t>(1, 2 * static_cast<int64_t>(slot_of_row_.size())));
  const int64_t slot = free_.back();
  free_.pop_back();
  return slot;
}

void SlotTable::grow_slots(int64_t slots) {
  const int64_t known = known_slots_;
  known_slots_ = known + slots;
  for (int64_t slot = known_slots_ - 1; slot >= known; --slot) free_.push_back(slot);
  if (!key_UMC_.defined()) return;
  key_UMC_ = enlarged(key_UMC_, known_slots_, key_UMC_.size(1));
  value_UMC_ = enlarged(value_UMC_, known_slots_, value_UMC_.size(1));
  if (keep_UM_.defined()) keep_UM_ = enlarged(keep_UM_, known_slots_, keep_UM_.size(1));
}

void SlotTable::grow_length(int64_t length) {
  const int64_t wanted = std::min(capacity_, std::max(length, 2 * key_UMC_.size(1)));
  key_UMC_ = enlarged(key_UMC_, key_UMC_.size(0), wanted);
  value_UMC_ = enlarged(value_UMC_, value_UMC_.size(0), wanted);
  if (keep_UM_.defined()) keep_UM_ = enlarged(keep_UM_, keep_UM_.size(0), wanted);
}

}  // namespace tenfold::nn
