// Attention weights of one text as a picture: a small heat map a head, a row of them a layer.
// Not here: computing the weights (nn), or charts of training runs (report.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tenfold::eval {

/// One head's weights, row after row: weights[i * tokens + j] is what token i takes from token j.
struct AttentionMap {
  int64_t layer = 0, head = 0;
  std::vector<double> weights;
  std::string note;  ///< behind the head's name, e.g. "1.23 nats"
};

struct AttentionPicture {
  std::string title;
  std::vector<std::string> tokens;
  std::vector<AttentionMap> maps;  ///< of a layer side by side, in the order given
};

/// A whole SVG file, white, without scripts or outside resources. Darkness is the square root of
/// the weight, so that even attention is still seen. Tokens stand left of every layer (who asks)
/// and above the first (who is asked). Error{shape} where a map is no square of the tokens.
std::string svg_attention(const AttentionPicture& picture);

}  // namespace tenfold::eval
