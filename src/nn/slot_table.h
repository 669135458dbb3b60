// Keys and values of sequences being decoded, a slot each: appended, overwritten beyond the
// committed part, moved. Not here: how far each sequence has come (decode_state.h) or recurrent
// states.
//
// C = heads * head size; keys and values may differ in it, and keys may have none at all.
#pragma once

#include <cstdint>
#include <vector>

#include "nn/attention.h"
#include "tensor/torch.h"

namespace tenfold::nn {

/// Rows of the batch point at slots; selecting copies only where one row becomes several. Not
/// thread-safe.
class SlotTable final : public AttentionMemory {
 public:
  SlotTable(int64_t count, int64_t capacity);

  /// Writes keys [n, C], values [n, C] and (undefined: all 1) keep [n] of a row at `past`; what
  /// stood there or behind is gone. Error{shape} beyond the capacity.
  void append(int64_t row, int64_t past, const Tensor& key_NC, const Tensor& value_NC,
              const Tensor& keep_N);

  int64_t length(int64_t row) const { return lengths_[static_cast<size_t>(row)]; }
  int64_t count() const { return static_cast<int64_t>(lengths_.size()); }
  Tensor keys(int64_t row) const;    ///< [length, C], a view
  Tensor values(int64_t row) const;  ///< [length, C], a view
  Tensor keep(
      int64_t row) const;  ///< bool [length], a view; undefined while no key of the table is hidden

  void select(const std::vector<int64_t>& parents) override;
  void truncate(const std::vector<int64_t>& past) override;
  void add(int64_t count) override;

 private:
  int64_t free_slot();
  void grow_slots(int64_t slots);
  void grow_length(int64_t length);

  int64_t capacity_, known_slots_ = 0;
  std::vector<int64_t> slot_of_row_, lengths_, free_;
  Tensor key_UMC_, value_UMC_, keep_UM_;  ///< U slots of M places
};

}  // namespace tenfold::nn
