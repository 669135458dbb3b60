// A new encoder beside the old one, and the comparison of their tensors.
// Not here: what any attention kind holds.
#include "model/rewire.h"

#include <algorithm>
#include <map>
#include <regex>

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
  for (LayerRun& run : config.layers) {
    if (rewiring.attention) run.attention = {};
    run.residual_attention = false;
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
  const std::string prefix = model.encoder_module().prefix;
  const auto old = model.encoder->named_parameters();
  const auto now = made.model.encoder->named_parameters();
  const auto fits = [](const auto& names, const auto& item) {
    const Tensor* other = names.find(item.key());
    return other != nullptr && other->sizes() == item.value().sizes();
  };
  Groups kept, fresh, dropped;
  for (const auto& item : now) {
    const bool stays = fits(old, item);
    (stays ? kept : fresh).add(prefix + item.key(), item.value().sizes());
    if (stays) Tensor(item.value()).set_data(old[item.key()].detach());
  }
  for (const auto& item : old) {
    if (!fits(now, item)) dropped.add(prefix + item.key(), item.value().sizes());
  }
  const std::vector<OwnedModule> modules = model.modules();
  for (size_t head = 1; head < modules.size(); ++head) {
    for (const auto& item : modules[head].module->named_parameters())
      kept.add(modules[head].prefix + item.key(), item.value().sizes());
  }
  made.kept = kept.take();
  made.fresh = fresh.take();
  made.dropped = dropped.take();
  return made;
}

}  // namespace tenfold::model
