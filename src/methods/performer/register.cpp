// The entry of performer in the table of attention kinds.
// Not here: what it computes.
#include "methods/performer/performer.h"

namespace tenfold::performer {

void register_into(nn::AttentionTable& table) {
  table.add(nn::attention_kind<Performer, Options>(
      "performer", "random features that estimate softmax, linear in the length",
      "arXiv 2009.14794"));
}

}  // namespace tenfold::performer
