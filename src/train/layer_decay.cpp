// Depths from parameter names.
// Not here: the names (Hugging Face's: "encoder.layer.3.attention...").
#include "train/layer_decay.h"

#include <charconv>
#include <cmath>
#include <map>
#include <optional>

#include "support/fail.h"

namespace tenfold::train {
namespace {

constexpr std::string_view kLayers = "encoder.layer.";

/// Which encoder a parameter belongs to, and where in it.
struct Place {
  std::string encoder;  ///< the prefix of its names: "bert."
  std::optional<int64_t> layer;
};

std::optional<Place> layer_of(const std::string& name) {
  const size_t at = name.find(kLayers);
  if (at == std::string::npos) return std::nullopt;
  const char* number = name.data() + at + kLayers.size();
  int64_t layer = 0;
  const auto [end, error] = std::from_chars(number, name.data() + name.size(), layer);
  if (error != std::errc() || end == name.data() + name.size() || *end != '.') return std::nullopt;
  return Place{name.substr(0, at), layer};
}

}  // namespace

void scale_by_depth(std::vector<Parameter>& parameters, const LayerDecay& decay) {
  if (decay.factor == 1) return;
  std::map<std::string, int64_t> layers;  // of each encoder
  for (const Parameter& parameter : parameters) {
    if (const auto place = layer_of(parameter.name)) {
      int64_t& count = layers[place->encoder];
      count = std::max(count, *place->layer + 1);
    }
  }
  require(!layers.empty(), ErrorKind::config, "train.layer_decay",
          "no trained parameter belongs to a layer (\"encoder.layer.0...\"): set factor to 1");
  const int64_t pooler = decay.depths == Depths::electra ? 1 : 0;
  for (Parameter& parameter : parameters) {
    int64_t distance = 0;
    if (const auto place = layer_of(parameter.name)) {
      distance = layers.at(place->encoder) - *place->layer + pooler;
    } else {
      for (const auto& [encoder, count] : layers) {
        if (!parameter.name.starts_with(encoder)) continue;
        const std::string_view rest = std::string_view(parameter.name).substr(encoder.size());
        if (rest.starts_with("pooler.")) distance = pooler;
        if (rest.starts_with("embeddings") || rest.starts_with("encoder."))
          distance = count + 1 + pooler;
      }
    }
    parameter.learning_rate_scale *= std::pow(decay.factor, static_cast<double>(distance));
  }
}

}  // namespace tenfold::train
