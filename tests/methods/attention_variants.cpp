// The list of variants under test; a method adds the options that change what it computes.
// Not here: the properties.
#include "attention_variants.h"

#include "methods/linear_attention/linear_attention.h"
#include "methods/methods.h"
#include "methods/performer/performer.h"

namespace tenfold::nn::testing {

namespace {

template <typename Options>
std::shared_ptr<config::OptionSet> set_of(Options options) {
  return std::make_shared<config::OptionsOf<Options>>(std::move(options));
}

void add_linear(std::vector<AttentionVariant>& variants) {
  using linear_attention::Map;
  for (const auto& [name, map] : {std::pair{"relu", Map::relu},
                                  {"squared", Map::squared},
                                  {"softmax", Map::softmax},
                                  {"taylor", Map::taylor},
                                  {"efficient", Map::efficient},

                                  {"efficient_scalar", Map::efficient_scalar}}) {
    linear_attention::Options options;
    options.feature_map = map;
    variants.push_back({std::string("linear ") + name, "linear", set_of(options)});
  }
}

void add_performer(std::vector<AttentionVariant>& variants) {
  using performer::Kernel;
  for (const auto& [name, kernel] :
       {std::pair{"positive", Kernel::positive}, {"relu", Kernel::relu}}) {
    performer::Options options;
    options.kernel = kernel;
    options.features = 10;
    options.equal_lengths = false;
    variants.push_back({std::string("performer ") + name, "performer", set_of(options)});
  }
}

}  // namespace

const std::vector<AttentionVariant>& attention_variants() {
  static const std::vector<AttentionVariant> list = [] {
    methods::register_all();
    std::vector<AttentionVariant> variants;
    for (const AttentionKind& kind : attention_table().kinds())
      variants.push_back({kind.name, kind.name, kind.options()});
    add_linear(variants);
    add_performer(variants);
    return variants;
  }();
  return list;
}

}  // namespace tenfold::nn::testing
