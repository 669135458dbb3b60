// How layers attend, as metrics of a validation.
// Not here: the figures themselves (nn/attention_statistics.h), or tables and pictures of one text
// (inspect_attention.h).
#pragma once

#include <functional>
#include <vector>

#include "model/owned_module.h"
#include "nn/attention_statistics.h"
#include "train/hook.h"

namespace tenfold::app {

/// "attention_entropy_N", "attention_sparsity_N", "score_growth_N" and "largest_score_N" of every
/// layer N, from 0, that forms scores: means over the heads.
train::Metrics metrics_of_attention(const std::vector<nn::LayerStatistics>& layers);

/// `validate` with those metrics added, of its first 4,096 queries a layer. The modules are
/// observed while it runs, which changes nothing of what they compute.
std::function<train::Metrics()> with_attention_metrics(std::function<train::Metrics()> validate,
                                                       std::vector<model::OwnedModule> modules);

}  // namespace tenfold::app
