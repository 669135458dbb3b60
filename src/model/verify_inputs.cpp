// Packing the padded inputs of a results file.
// Not here: anything about heads.
#include "model/verify_inputs.h"

#include "support/fail.h"

namespace tenfold::model {
namespace {

/// [rows, choices, tokens] as [rows * choices, tokens].
Tensor flat_choices(const Tensor& x) { return x.dim() == 3 ? x.flatten(0, 1) : x; }

}  // namespace

Tensor VerifyInputs::pack(const Tensor& padded_Bn) const {
  return padded_Bn.flatten(0, 1).index_select(0, rows_T);
}

Tensor VerifyInputs::real(const Tensor& rows) const {
  return padding == Padding::kept ? rows.index_select(0, rows_T) : rows;
}

bool VerifyInputs::is_padded(const Tensor& x) const {
  return x.dim() >= 2 && x.size(0) == count && x.size(1) == longest;
}

VerifyInputs read_inputs(const SafetensorsFile& file, const EncoderConfig& config,
                         Padding padding) {
  const Tensor stored_ids = file.tensor("in.input_ids");
  require((stored_ids.dim() == 2 || stored_ids.dim() == 3) && stored_ids.scalar_type() == at::kLong,
          ErrorKind::shape, "verify", "in.input_ids must be int64 [sequences, tokens]");
  const Tensor ids_Bn = flat_choices(stored_ids);
  const Tensor keep_Bn = file.has("in.attention_mask")
                             ? flat_choices(file.tensor("in.attention_mask"))
                             : torch::ones_like(ids_Bn);
  require(keep_Bn.sizes() == ids_Bn.sizes(), ErrorKind::shape, "verify",
          "in.attention_mask does not fit in.input_ids");
  VerifyInputs in;
  in.padding = padding;
  in.count = ids_Bn.size(0);
  in.longest = ids_Bn.size(1);
  in.choices = stored_ids.dim() == 3 ? stored_ids.size(1) : 1;
  const Tensor lengths_B = keep_Bn.sum(1).to(at::kLong).contiguous();
  const Tensor expected_Bn = torch::arange(in.longest).unsqueeze(0).lt(lengths_B.unsqueeze(1));
  require(torch::equal(keep_Bn.ne(0), expected_Bn), ErrorKind::unsupported, "verify",
          "in.attention_mask has holes: only padding at the end is compared");
  in.rows_T = expected_Bn.flatten().nonzero().squeeze(1);
  require(in.rows_T.numel() > 0 && ids_Bn.min().item<int64_t>() >= 0 &&
              ids_Bn.max().item<int64_t>() < config.vocab_size,
          ErrorKind::shape, "verify", "in.input_ids holds ids outside 0..{}",
          config.vocab_size - 1);
  const bool kept = padding == Padding::kept;
  in.tokens.layout = SequenceLayout::of_lengths(
      kept ? std::vector<int64_t>(static_cast<size_t>(in.count), in.longest)
           : std::vector<int64_t>{lengths_B.const_data_ptr<int64_t>(),
                                  lengths_B.const_data_ptr<int64_t>() + in.count});
  const auto rows = [&](const Tensor& x_Bn) { return kept ? x_Bn.flatten() : in.pack(x_Bn); };
  in.tokens.ids_T = rows(ids_Bn);
  if (file.has("in.token_type_ids"))
    in.tokens.segments_T = rows(flat_choices(file.tensor("in.token_type_ids")));
  if (kept) in.tokens.mask.keep_S = expected_Bn.flatten();
  return in;
}

}  // namespace tenfold::model
