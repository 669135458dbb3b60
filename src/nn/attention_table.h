// The table of attention kinds: what a recipe may name, the options it takes, and how it is built.
// Not here: any kind besides the entries (softmax_attention.h registers the built-in one).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/fields.h"
#include "nn/attention.h"

namespace tenfold::nn {

/// What goes through a layer in one pass of self-attention.
struct AttentionLoad {
  double tokens = 0;
  double pairs = 0;  ///< over all tokens, the tokens each sees
  See see = See::all;
};

/// One registered kind. Make one with `attention_kind<Module, Options>(...)`.
struct AttentionKind {
  std::string name, summary, paper;
  std::function<std::unique_ptr<config::OptionSet>()> options;  ///< its default options
  std::function<AttentionTraits(const config::OptionSet&)> traits;
  std::function<double(const AttentionShape&, const config::OptionSet&, const AttentionLoad&)>
      flops;
  std::function<std::shared_ptr<Attention>(const AttentionShape&, const config::OptionSet&,
                                           uint64_t seed, torch::TensorOptions)>
      make;
};

/// Kinds by name, in the order they were added. Filled at start-up by register functions; reading
/// is thread-safe.
class AttentionTable {
 public:
  void add(AttentionKind kind);  ///< Error{internal} for a name taken already
  /// Error{config} listing the legal names, the nearest first, where there is none.
  const AttentionKind& find(std::string_view name) const;
  const std::vector<AttentionKind>& kinds() const { return kinds_; }
  /// The kinds as the legal values of a recipe's "attention" slot.
  config::ChoiceTable choices() const;

 private:
  std::vector<AttentionKind> kinds_;
};

/// The table of the process, with "softmax" in it from the start.
AttentionTable& attention_table();

/// A module of the chosen kind (empty kind: softmax; no options: its defaults).
std::shared_ptr<Attention> make_attention(const config::Choice& choice, const AttentionShape& shape,
                                          uint64_t seed, torch::TensorOptions options);
AttentionTraits attention_traits(const config::Choice& choice);
/// The arithmetic of a layer's forward pass from its hidden states to the contexts, products alone,
/// a multiplication and an addition counting as two. Each product has two gradients, so that
/// training takes three times as much.
double attention_flops(const config::Choice& choice, const AttentionShape& shape,
                       const AttentionLoad& load);

/// The entry of a kind `Module(const AttentionShape&, const Options&, uint64_t seed,
/// torch::TensorOptions)` with `static AttentionTraits Module::traits_of(const Options&)` and
/// `static double Module::flops_of(const AttentionShape&, const Options&, const AttentionLoad&)`.
template <typename Module, config::HasFields Options>
AttentionKind attention_kind(std::string name, std::string summary, std::string paper) {
  auto typed = [name](const config::OptionSet& set) -> const Options& {
    const auto* options = dynamic_cast<const config::OptionsOf<Options>*>(&set);
    require(options != nullptr, ErrorKind::internal, "attention",
            "options of '{}' have another type", name);
    return options->value;
  };
  return {name,
          std::move(summary),
          std::move(paper),
          [] { return std::make_unique<config::OptionsOf<Options>>(Options{}); },
          [typed](const config::OptionSet& set) { return Module::traits_of(typed(set)); },
          [typed](const AttentionShape& shape, const config::OptionSet& set,
                  const AttentionLoad& load) { return Module::flops_of(shape, typed(set), load); },
          [typed](const AttentionShape& shape, const config::OptionSet& set, uint64_t seed,
                  torch::TensorOptions options) {
            return std::make_shared<Module>(shape, typed(set), seed, options);
          }};
}

}  // namespace tenfold::nn
