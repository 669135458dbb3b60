// The list of variants under test; a method adds the options that change what it computes.
// Not here: the properties.
#include "attention_variants.h"

#include "methods/convolution/convolution.h"
#include "methods/linear_attention/linear_attention.h"
#include "methods/methods.h"
#include "methods/performer/performer.h"
#include "methods/synthesizer/synthesizer.h"

namespace tenfold::nn::testing {
namespace {

template <config::HasFields Options>
void add(std::vector<AttentionVariant>& variants, const std::string& kind, const std::string& what,
         Options options) {
  variants.push_back(
      {kind + ", " + what, kind, std::make_shared<config::OptionsOf<Options>>(std::move(options))});
}

/// A kernel shorter than the sequences, and one longer than all of them.
void add_convolutions(std::vector<AttentionVariant>& variants) {
  for (const char* kind : {"lightweight_conv", "dynamic_conv"}) {
    for (const int64_t taps : {3, 31})
      add(variants, kind, fmt::format("{} taps", taps), convolution::ConvolutionOptions{taps});
  }
}

void add_linear(std::vector<AttentionVariant>& variants) {
  using linear_attention::Map;
  for (const auto& [name, map] : {std::pair{"relu", Map::relu},
                                  {"squared", Map::squared},
                                  {"softmax", Map::softmax},
                                  {"taylor", Map::taylor},
                                  {"efficient", Map::efficient},
                                  {"efficient_scalar", Map::efficient_scalar}})
    add(variants, "linear", name, linear_attention::Options{.feature_map = map});
}

void add_performers(std::vector<AttentionVariant>& variants) {
  using performer::Kernel;
  for (const auto& [name, kernel] :
       {std::pair{"positive", Kernel::positive}, {"relu", Kernel::relu}}) {
    add(variants, "performer", name,
        performer::Options{.kernel = kernel, .features = 10, .equal_lengths = false});
  }
}

void add_synthesizers(std::vector<AttentionVariant>& variants) {
  using synthesizer::SynthesizerOptions;
  const auto add_forms = [&](SynthesizerOptions options) {
    std::string forms;
    for (const std::string& form : options.forms) forms += (forms.empty() ? "" : " ") + form;
    options.deviation = 1.0;
    add(variants, "synthesizer", forms, options);
  };
  add_forms({.forms = {"dense"}});
  add_forms({.forms = {"fixed_random"}, .max_length = 19});
  add_forms({.forms = {"factorized_dense"}, .factors = {8, 2}});
  add_forms({.forms = {"factorized_random"}, .rank = 3});
  add_forms({.forms = {"dot_product", "dense", "random"}});
  add_forms({.forms = {"random", "factorized_random"},
             .mixture_weights = synthesizer::MixtureWeights::layer});
  add_forms({.forms = {"dot_product", "factorized_dense"},
             .mixture = synthesizer::Mixture::sum,
             .index = synthesizer::IndexMap::tile_tile});
}

}  // namespace

const std::vector<AttentionVariant>& attention_variants() {
  static const std::vector<AttentionVariant> list = [] {
    methods::register_all();
    std::vector<AttentionVariant> variants;
    for (const AttentionKind& kind : attention_table().kinds())
      variants.push_back({kind.name, kind.name, kind.options()});
    add_convolutions(variants);
    add_linear(variants);
    add_performers(variants);
    add_synthesizers(variants);
    return variants;
  }();
  return list;
}

}  // namespace tenfold::nn::testing
