// From the rows of a sequence to one vector.
// Not here: the pooler of BERT's release, which has weights (encoder.h).
//
// T rows, S sequences, D width.
#pragma once

#include <cstdint>

#include "model/encoder.h"
#include "tensor/sequence_layout.h"
#include "tensor/torch.h"

namespace tenfold::model {

enum class Pooling : uint8_t {
  mean,  ///< of all rows
  cls,   ///< the first row
  max,   ///< the largest value of each column
};

/// [S, D]. Every sequence has a row at least.
Tensor pool_rows(const Tensor& hidden_TD, const SequenceLayout& layout, Pooling pooling);

/// One vector a text, [S, D], in fp32 or wider.
Tensor text_vectors(const Encoder& encoder, const data::TokenBlock& tokens, const PassContext& pass,
                    Pooling pooling);

}  // namespace tenfold::model
