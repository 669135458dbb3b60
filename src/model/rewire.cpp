// A new encoder beside the old one, and the comparison of their tensors.
// Not here: what any attention kind holds.
#include "model/rewire.h"

#include <algorithm>
#include <map>
#include <regex>

#include "model/stored_tensors.h"

namespace tenfold::model {
namespace {

constexpr const char* kWhere = "convert";

EncoderConfig rewired_config(EncoderConfig config, const Rewiring& rewiring) {
  if (rewiring.attention) {
    config.attention = *rewiring.attention;
    // The kind stock readers know needs no word of its own in config.json.
    if (config.attention.kind == "softmax") config.attention = {};
  }
  config.residual_attention = rewiring.residual_attention;
  config.residual_mean = rewiring.residual_mean;
  for (LayerRun& run : config.layers) {
    if (rewiring.attention) run.attention = {};
    run.residual_attention = run.residual_mean = false;
  }
  const auto is_plain = [&](const LayerRun& run) {
    return run.attention.kind.empty() &&
           (run.intermediate_size == 0 || run.intermediate_size == config.intermediate_size);
  };
  if (std::all_of(config.layers.begin(), config.layers.end(), is_plain)) config.layers.clear();
  config.validate(kWhere);
  config.stack().validate(kWhere, {See::all});
  return config;
}

/// Collects tensors into groups, in the order their first members come.
class Groups {
 public:
  void add(const std::string& name, at::IntArrayRef shape) {
    static const std::regex layer_number(R"(^(.*\blayer\.)(\d+)(\..*)$)");
    std::smatch match;
    const bool in_layer = std::regex_match(name, match, layer_number);
    const std::string pattern = in_layer ? match[1].str() + "*" + match[3].str() : name;
    const std::pair key{pattern, shape.vec()};
    const auto [found, is_new] = index_.emplace(key, groups_.size());
    if (is_new) groups_.push_back({.pattern = pattern, .shape = shape.vec(), .layers = {}});
    if (in_layer) groups_[found->second].layers.push_back(std::stoll(match[2].str()));
  }
  std::vector<TensorGroup> take() { return std::move(groups_); }

 private:
  std::vector<TensorGroup> groups_;
  std::map<std::pair<std::string, std::vector<int64_t>>, size_t> index_;
};

}  // namespace

Rewired rewire(const LoadedModel& model, const Rewiring& rewiring) {
  const torch::NoGradGuard no_gradient;
  Rewired made{.model = model, .kept = {}, .fresh = {}, .dropped = {}};
  EncoderConfig& config = made.model.description.encoder;
  config = rewired_config(config, rewiring);
  made.model.encoder = std::make_shared<Encoder>(
      config, model.encoder->has_pooler() ? Pooler::tanh : Pooler::none, rewiring.seed,
      model.encoder->word_embeddings_VE().options().requires_grad(false));
  const auto old = stored_tensors(model.encoder_module()),
             now = stored_tensors(made.model.encoder_module());
  const auto same_in = [](const auto& tensors, const auto& item) -> const Tensor* {
    const auto found = std::find_if(tensors.begin(), tensors.end(), [&](const auto& other) {
      return other.first == item.first && other.second.sizes() == item.second.sizes();
    });
    return found == tensors.end() ? nullptr : &found->second;
  };
  Groups kept, fresh, dropped;
  for (const auto& item : now) {
    const Tensor* stays = same_in(old, item);
    (stays != nullptr ? kept : fresh).add(item.first, item.second.sizes());
    if (stays != nullptr) Tensor(item.second).set_data(stays->detach());
  }
  for (const auto& item : old) {
    if (same_in(now, item) == nullptr) dropped.add(item.first, item.second.sizes());
  }
  const std::vector<OwnedModule> modules = model.modules();
  for (size_t head = 1; head < modules.size(); ++head) {
    for (const auto& [name, value] : stored_tensors(modules[head])) kept.add(name, value.sizes());
  }
  made.kept = kept.take();
  made.fresh = fresh.take();
  made.dropped = dropped.take();
  return made;
}

}  // namespace tenfold::model
