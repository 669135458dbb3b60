// The padded inputs of a results file as the rows a model takes.
// Not here: running the model (verify_run.h) or comparing (verify.h).
//
// B sequences (of all choices), n the longest, T real tokens.
#pragma once

#include "data/batch.h"
#include "model/config.h"
#include "tensor/safetensors_tensors.h"

namespace tenfold::model {

/// Whether padding is left out, or rides along, seen by nobody, because the reference's loss looks
/// at its rows too.
enum class Padding : uint8_t { left_out, kept };

struct VerifyInputs {
  data::TokenBlock tokens;
  Padding padding = Padding::left_out;
  Tensor rows_T;  ///< the real places in the flattened padded tensors
  int64_t count = 0, longest = 0, choices = 1;

  /// The real rows of a padded tensor [B, n, ...].
  Tensor pack(const Tensor& padded_Bn) const;
  /// The real rows of what the model made of `tokens`.
  Tensor real(const Tensor& rows) const;
  bool is_padded(const Tensor& x) const;
};

/// `in.input_ids` [sequences, tokens], or [rows, choices, tokens], with `in.attention_mask` and
/// `in.token_type_ids` where they are. Error{shape} where they do not fit each other or the model,
/// Error{unsupported} where a mask has holes.
VerifyInputs read_inputs(const SafetensorsFile& file, const EncoderConfig& config, Padding padding);

}  // namespace tenfold::model
