// The registration list, one line a method; the built-in entries come with their tables.
// Not here: static initialisers (a linker drops them).
#include "methods/methods.h"

#include "data/mask_sampler.h"
#include "methods/convolution/convolution.h"
#include "methods/linear_attention/linear_attention.h"
#include "methods/performer/performer.h"
#include "methods/synthesizer/synthesizer.h"
#include "model/registry.h"
#include "nn/attention_table.h"
#include "tenfold/methods.h"
#include "train/optimizer.h"

namespace tenfold::methods {

void register_all() {
  // Touching the tables fills them with what is built in, before any thread reads them.
  nn::attention_table();
  data::mask_sampler_table();
  model::objective_table();
  train::optimizer_table();
  static const bool registered = [] {
    convolution::register_into(nn::attention_table());
    linear_attention::register_into(nn::attention_table());
    performer::register_into(nn::attention_table());
    synthesizer::register_into(nn::attention_table());
    return true;
  }();
  static_cast<void>(registered);
}

}  // namespace tenfold::methods

namespace tenfold {

void register_methods() { methods::register_all(); }

}  // namespace tenfold
