// The list of variants under test; a method adds the options that change what it computes.
// Not here: the properties.
#include "attention_variants.h"

#include "methods/methods.h"

namespace tenfold::nn::testing {

const std::vector<AttentionVariant>& attention_variants() {
  static const std::vector<AttentionVariant> list = [] {
    methods::register_all();
    std::vector<AttentionVariant> variants;
    for (const AttentionKind& kind : attention_table().kinds())
      variants.push_back({kind.name, kind.name, kind.options()});
    return variants;
  }();
  return list;
}

}  // namespace tenfold::nn::testing
