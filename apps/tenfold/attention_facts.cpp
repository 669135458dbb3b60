// Traits from the table, partners from the tables of objectives and tasks.
// Not here: printing entries (command_methods.cpp).
#include "attention_facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "model/registry.h"
#include "support/strings.h"
#include "task_table.h"

namespace tenfold::app {
namespace {

const char* see_name(See see) {
  switch (see) {
    case See::all: return "all";
    case See::past: return "past";
    case See::future: return "future";
    case See::prefix: return "prefix";
    case See::others: return "others";
  }
  return "";
}

bool honours(const nn::AttentionTraits& traits, const std::vector<See>& masks) {
  return std::all_of(masks.begin(), masks.end(), [&](See see) {
    return std::find(traits.kinds.begin(), traits.kinds.end(), see) != traits.kinds.end();
  });
}

/// One training pass over a few rows, weights being the same whatever `dropout`.
Tensor trained_once(const nn::AttentionKind& kind, const config::OptionSet& options,
                    double dropout) {
  const nn::AttentionTraits traits = kind.traits(options);
  const nn::AttentionShape shape{
      .width = 8, .heads = 2, .head_size = 4, .longest = 8, .dropout = dropout};
  const auto attention = kind.make(shape, options, 1, torch::TensorOptions());
  const int64_t rows = traits.fixed_length > 0 ? std::min<int64_t>(8, traits.fixed_length) : 8;
  const auto layout = SequenceLayout::of_lengths({rows});
  nn::AttentionContext context{
      .query_layout = layout,
      .source_layout = layout,
      .mask = {.see = {traits.kinds.at(0)}, .source = {rows / 2}, .keep_S = {}},
      .bias = nullptr,
      .past = {},
      .pass = {.training = true, .key = 1, .example_keys = {1}},
      .row_keys_T = {}};
  context.row_keys_T = row_keys(context.pass, layout);
  const Tensor x_TD = torch::arange(rows * 8, torch::kFloat).view({rows, 8}).sin();
  return attention
      ->forward({.context = context, .query_TD = x_TD, .source_SD = x_TD, .carry = nullptr})
      .context_TD;
}

}  // namespace

nlohmann::ordered_json attention_traits_json(const nn::AttentionKind& kind,
                                             const config::OptionSet& options) {
  const torch::NoGradGuard no_gradients;
  const nn::AttentionTraits traits = kind.traits(options);
  nlohmann::ordered_json masks = nlohmann::ordered_json::array();
  for (const See see : traits.kinds) masks.push_back(see_name(see));
  return {{"masks", masks},
          {"incremental", traits.incremental},
          {"position_bias", traits.bias},
          {"carry", traits.carry},
          {"carry_mean", traits.carry_mean},
          {"cross", traits.cross},
          {"dropout",
           !torch::equal(trained_once(kind, options, 0.0), trained_once(kind, options, 0.5))},
          {"stochastic", traits.stochastic},
          {"scores", traits.exposes_scores},
          {"fixed_length", traits.fixed_length}};
}

nlohmann::ordered_json attention_partners_json(const nn::AttentionTraits& traits) {
  nlohmann::ordered_json out{{"objectives", nlohmann::ordered_json::array()},
                             {"tasks", nlohmann::ordered_json::array()},
                             {"heads", nlohmann::ordered_json::array()}};
  for (const auto& kind : model::objective_table().kinds()) {
    if (honours(traits, kind.masks)) out["objectives"].push_back(kind.name);
  }
  // Fine-tuning lets every token see all others, and heads stand on such encoders.
  if (!honours(traits, {See::all})) return out;
  for (const TaskKind& kind : task_kinds()) out["tasks"].push_back(kind.name);
  for (const char* head :
       {"mlm", "classifier", "token_classifier", "span", "choice", "replaced_token"})
    out["heads"].push_back(head);
  return out;
}

std::vector<std::string> attention_kinds_for(const std::vector<See>& masks) {
  std::vector<std::string> names;
  for (const nn::AttentionKind& kind : nn::attention_table().kinds()) {
    if (honours(kind.traits(*kind.options()), masks)) names.push_back(kind.name);
  }
  return names;
}

std::string attention_traits_text(const nlohmann::ordered_json& traits) {
  const auto line = [](std::string_view name, const std::string& text) {
    return fmt::format("  {:<15} {}\n", fmt::format("{}:", name), text);
  };
  const auto says = [&](const char* trait, const char* yes, const char* no) {
    return traits.at(trait).get<bool>() ? yes : no;
  };
  const auto longest = traits.at("fixed_length").get<int64_t>();
  return line("masks", join(traits.at("masks").get<std::vector<std::string>>(), ", ")) +
         line("decoding", says("incremental", "step by step, with memory", "no")) +
         line("position bias", says("position_bias", "yes", "no")) +
         line("carry", says("carry", "residual_attention adds the scores of the layer below",
                            "no: residual_attention is refused")) +
         line("carried mean",
              says("carry_mean", "residual_mean takes their mean over the layers", "no")) +
         line("cross", says("cross", "another text may be asked", "self-attention only")) +
         line("dropout", says("dropout", "on attention weights", "none inside")) +
         line("random", says("stochastic", "draws numbers besides dropout", "no")) +
         line("longest", longest == 0 ? "any length" : fmt::format("{} tokens", longest));
}

}  // namespace tenfold::app
