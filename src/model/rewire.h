// Giving a model another kind of attention: weights that the new layers know by name and shape
// stay (buffers too), the others are drawn anew. Not here: directories (convert.h), or training
// what is new.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/fields.h"
#include "model/checkpoint.h"

namespace tenfold::model {

struct Rewiring {
  std::optional<config::Choice> attention = {};  ///< of every layer; none: as it is
  bool residual_attention = false;  ///< whether every layer adds the raw scores of the one below
  bool residual_mean = false;       ///< whether the softmax takes the mean of those scores
  uint64_t seed = 0;                ///< of weights drawn anew
};

/// Tensors of one shape whose names differ in the layer's number alone.
struct TensorGroup {
  std::string pattern;          ///< "bert.encoder.layer.*.attention.self.query.weight"
  std::vector<int64_t> shape;   ///< of each
  std::vector<int64_t> layers;  ///< ascending; empty: one tensor outside the layers
  int64_t tensors() const { return layers.empty() ? 1 : static_cast<int64_t>(layers.size()); }
};

struct Rewired {
  LoadedModel model;  ///< shares the weights that are kept with the one it came from
  std::vector<TensorGroup> kept, fresh, dropped;
};

/// Heads, embeddings, pooler and description go along; equal layer runs become one. Error{config}
/// with the reason where the new kind cannot do what the model asks of it: its longest sequence,
/// every token seeing every other, carried scores.
Rewired rewire(const LoadedModel& model, const Rewiring& rewiring);

}  // namespace tenfold::model
