// The entry of linear attention in the table of attention kinds.
// Not here: what it computes.
#include "methods/linear_attention/linear_attention.h"

namespace tenfold::linear_attention {

void register_into(nn::AttentionTable& table) {
  table.add(nn::attention_kind<LinearAttention, Options>(
      "linear", "products of features, linear in the length", "arXiv 2006.16236"));
}

}  // namespace tenfold::linear_attention
