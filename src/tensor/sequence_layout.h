// Where each sequence of a batch lies in a packed tensor x_TD: offsets and lengths, immutable and
// cheap to copy. Not here: what a sequence may see of another (mask.h), or padding (an attention
// kernel may pad locally).
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "tensor/torch.h"

namespace tenfold {

/// B sequences packed one after another into T rows. Packed documents are simply more sequences. A
/// length of 0 is legal (a finished beam). Immutable; copies share one plan; safe to read from
/// several threads.
class SequenceLayout {
 public:
  SequenceLayout();  ///< no sequences
  static SequenceLayout of_lengths(const std::vector<int64_t>& lengths);

  int64_t count() const;    ///< B
  int64_t total() const;    ///< T
  int64_t longest() const;  ///< 0 without sequences
  int64_t begin(int64_t b) const;
  int64_t length(int64_t b) const;
  const std::vector<int64_t>& lengths() const;
  bool all_equal() const;  ///< every sequence has length longest(): x_TD views as [B, longest, D]
  bool operator==(const SequenceLayout& other) const;

  /// x_T* cut into B tensors by ONE autograd node (a narrow per sequence would build B full-size
  /// gradients).
  std::vector<Tensor> split(const Tensor& x_T) const;
  /// Position of each row within its sequence, int64 [T], starting at `past[b]` where given.
  Tensor positions(const std::vector<int64_t>& past = {}) const;
  /// Sequence index of each row, int64 [T].
  Tensor sequence_of_row() const;
  /// First row of each sequence, int64 [B]; sequences of length 0 are an error.
  Tensor first_rows() const;

 private:
  struct Plan;
  explicit SequenceLayout(std::shared_ptr<const Plan> plan);
  std::shared_ptr<const Plan> plan_;
};

}  // namespace tenfold
