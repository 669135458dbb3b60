// What an attention kind can do and what it goes together with, for `tenfold methods`.
// Not here: the kinds, or their options.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "config/fields.h"
#include "nn/attention_table.h"

namespace tenfold::app {

/// The traits by name. "dropout" is tried rather than stated: whether a small layer gives something
/// else while training with dropout.
nlohmann::ordered_json attention_traits_json(const nn::AttentionKind& kind,
                                             const config::OptionSet& options);

/// Pre-training objectives, tasks and heads whose masks the kind honours.
nlohmann::ordered_json attention_partners_json(const nn::AttentionTraits& traits);

/// Kinds that honour these masks, with their default options.
std::vector<std::string> attention_kinds_for(const std::vector<See>& masks);

/// The traits in words, a line each: "  masks:          all, past".
std::string attention_traits_text(const nlohmann::ordered_json& traits);

}  // namespace tenfold::app
