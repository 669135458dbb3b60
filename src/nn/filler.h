// Rows that round the size of a pass up, so that ragged batches of ever new sizes share shapes.
// Not here: padding within sequences, of which there is none.
//
// T real rows, D width.
#pragma once

#include <cstdint>

#include "tensor/mask.h"
#include "tensor/pass.h"
#include "tensor/sequence_layout.h"
#include "tensor/torch.h"

namespace tenfold::nn {

/// Rows of a product that are worth a kernel of their own: exact to 32, then multiples of 8, 16 and
/// (from 2,048 on) of a 64th of the power of two below. oneDNN makes code for every new shape,
/// which takes some 2 ms and 0.1 to 0.5 MiB a product; this costs 1 % of the rows of a batch on
/// average.
int64_t rounded_rows(int64_t rows);

/// x with rows of zeros behind, as many as `rounded_rows` asks for; x itself where its products do
/// not go through oneDNN.
Tensor with_filler_rows(const Tensor& x_TD);

/// The sequences that those rows are for everything that works sequence by sequence: they see each
/// other alone, so that nothing real depends on them, and nobody looks at what becomes of them.
/// `longest`: tokens that a sequence may have, 0: any.
struct FilledPass {
  SequenceLayout layout;
  MaskSpec mask;
  PassContext pass;
};
FilledPass with_filler_sequences(const SequenceLayout& layout, const MaskSpec& mask,
                                 const PassContext& pass, int64_t filler_rows, int64_t longest);

}  // namespace tenfold::nn
