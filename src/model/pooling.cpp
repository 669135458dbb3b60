// Mean, first row and maximum of ragged sequences.
// Not here: normalising vectors.
#include "model/pooling.h"

namespace tenfold::model {

Tensor pool_rows(const Tensor& hidden_TD, const SequenceLayout& layout, Pooling pooling) {
  if (pooling == Pooling::cls)
    return hidden_TD.index_select(0, layout.first_rows().to(hidden_TD.device()));
  std::vector<Tensor> rows;
  for (const Tensor& sequence_ND : layout.split(hidden_TD)) {
    rows.push_back(pooling == Pooling::mean ? sequence_ND.mean(0) : sequence_ND.amax(0));
  }
  return torch::stack(rows);
}

Tensor text_vectors(const Encoder& encoder, const data::TokenBlock& tokens, const PassContext& pass,
                    Pooling pooling) {
  if (pooling == Pooling::cls) return encoder.first_rows(tokens, pass);
  const Tensor hidden_TD = encoder.forward(tokens, pass).hidden_TD;
  const bool narrow = at::isReducedFloatingType(hidden_TD.scalar_type());
  return pool_rows(narrow ? hidden_TD.to(torch::kFloat) : hidden_TD, tokens.layout, pooling);
}

}  // namespace tenfold::model
