// The registration list, one line a method; the built-in entries come with their tables.
// Not here: static initialisers (a linker drops them).
#include "methods/methods.h"

#include "data/mask_sampler.h"
#include "model/registry.h"
#include "nn/attention_table.h"
#include "train/optimizer.h"

namespace tenfold::methods {

void register_all() {
  // Touching the tables fills them with what is built in, before any thread reads them.
  nn::attention_table();
  data::mask_sampler_table();
  model::objective_table();
  train::optimizer_table();
}

}  // namespace tenfold::methods
