// Names of the metrics, and the observed validation.
// Not here: when a run validates.
#include "attention_metrics.h"

#include <fmt/format.h>

#include "nn/stack.h"

namespace tenfold::app {
namespace {

constexpr int64_t kObservedQueries = 4096;

/// Stacks below the modules show the observer their attention for as long as this lives.
class Observed {
 public:
  Observed(const std::vector<model::OwnedModule>& modules, nn::AttentionObserver& observer)
      : modules_(modules) {
    show(&observer);
  }
  ~Observed() { show(nullptr); }
  Observed(const Observed&) = delete;
  Observed& operator=(const Observed&) = delete;

 private:
  void show(nn::AttentionObserver* observer) {
    for (const model::OwnedModule& owned : modules_) nn::observe_attention(*owned.module, observer);
  }
  const std::vector<model::OwnedModule>& modules_;
};

}  // namespace

train::Metrics metrics_of_attention(const std::vector<nn::LayerStatistics>& layers) {
  const std::vector<double> growth = nn::score_growth(layers);
  train::Metrics metrics;
  for (size_t i = 0; i < layers.size(); ++i) {
    if (layers[i].heads.empty()) continue;
    const nn::HeadStatistics mean = layers[i].mean();
    metrics[fmt::format("attention_entropy_{}", i)] = mean.entropy;
    metrics[fmt::format("attention_sparsity_{}", i)] = mean.sparsity;
    metrics[fmt::format("largest_score_{}", i)] = mean.largest_score;
    metrics[fmt::format("score_growth_{}", i)] = growth[i];
  }
  return metrics;
}

std::function<train::Metrics()> with_attention_metrics(std::function<train::Metrics()> validate,
                                                       std::vector<model::OwnedModule> modules) {
  return [validate = std::move(validate), modules = std::move(modules)] {
    nn::AttentionStatistics statistics(kObservedQueries);
    train::Metrics metrics;
    {
      const Observed observed(modules, statistics);
      metrics = validate();
    }
    metrics.merge(metrics_of_attention(statistics.layers()));
    return metrics;
  };
}

}  // namespace tenfold::app
