// The last rows of sequences being decoded: all that a kernel with k taps can still reach.
// Not here: keys and values without end (nn/slot_table.h).
//
// N rows, C channels.
#pragma once

#include <cstdint>
#include <vector>

#include "nn/attention.h"
#include "tensor/torch.h"

namespace tenfold::convolution {

/// Holds k - 1 rows before the last step and that step's own, so that a step may be repeated.
/// Not thread-safe.
class RowMemory final : public nn::AttentionMemory {
 public:
  RowMemory(int64_t count, int64_t capacity, int64_t kernel_size);

  /// Puts rows [N, C] and (undefined: all 1) keep [N] behind place `past`; what stood there or
  /// later is gone. Error{shape} beyond the capacity.
  void append(int64_t sequence, int64_t past, const Tensor& row_NC, const Tensor& keep_N);

  int64_t count() const { return static_cast<int64_t>(kept_.size()); }
  int64_t first_place(int64_t sequence) const { return of(sequence).begin; }
  const Tensor& rows(int64_t sequence) const { return of(sequence).row_NC; }  ///< may be undefined
  const Tensor& keep(int64_t sequence) const { return of(sequence).keep_N; }  ///< bool, on the CPU

  void select(const std::vector<int64_t>& parents) override;
  void truncate(const std::vector<int64_t>& past) override;
  void add(int64_t count) override;

 private:
  /// Tensors that are replaced, never written to: copies of a row share them.
  struct Kept {
    int64_t begin = 0, end = 0;  ///< places
    Tensor row_NC, keep_N;
    void cut(int64_t from, int64_t to);
  };
  const Kept& of(int64_t sequence) const { return kept_.at(static_cast<size_t>(sequence)); }

  int64_t capacity_, reach_;
  std::vector<Kept> kept_;
};

}  // namespace tenfold::convolution
