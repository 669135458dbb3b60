// Softmax attention as plain loops over double numbers: what the tests hold every path against.
// Not here: tensors' own arithmetic, gradients, or any structure of masks but "may see".
#pragma once

#include <cmath>
#include <functional>
#include <limits>

#include "attention_fixture.h"

namespace tenfold::nn::testing {

/// The mask kinds from their definition, of a query at `place` and the key at `key`.
inline bool sees(See see, int64_t source, int64_t place, int64_t key) {
  switch (see) {
    case See::all: return true;
    case See::past: return key <= place;
    case See::future: return key >= place;
    case See::prefix: return key <= place || key < source;
    case See::others: return key != place;
  }
  return false;
}

struct Oracle {
  std::vector<double> context;  ///< [T, H * E]
  double largest_value = 0;     ///< of any projected value
  double largest_score = 0;     ///< sum of |q k| * scale over a head's numbers, of any pair
};

/// Rows of `x` through the module's projection `name` ("query", ...).
inline std::vector<double> projected(const Attention& attention, const std::string& name,
                                     const Tensor& x_TD) {
  const auto parameters = attention.named_parameters();
  const auto numbers = [](const Tensor& t) {
    const Tensor wide = t.detach().to(torch::kDouble).contiguous();
    return std::vector<double>(wide.const_data_ptr<double>(),
                               wide.const_data_ptr<double>() + wide.numel());
  };
  const auto x = numbers(x_TD), w = numbers(parameters[name + ".weight"]),
             bias = numbers(parameters[name + ".bias"]);
  const size_t rows = static_cast<size_t>(x_TD.size(0)), width = kWidth, out = bias.size();
  std::vector<double> y(rows * out);
  for (size_t t = 0; t < rows; ++t) {
    for (size_t o = 0; o < out; ++o) {
      y[t * out + o] = bias[o];
      for (size_t d = 0; d < width; ++d) y[t * out + o] += x[t * width + d] * w[o * width + d];
    }
  }
  return y;
}

/// `visible(t, s)`: whether query row t may see key row s, over all rows of the batch at once.
inline Oracle plain_loops(const Attention& attention, const Tensor& query_TD,
                          const Tensor& source_SD,
                          const std::function<bool(int64_t, int64_t)>& visible) {
  const auto q = projected(attention, "query", query_TD),
             k = projected(attention, "key", source_SD),
             v = projected(attention, "value", source_SD);
  const int64_t rows = query_TD.size(0), keys = source_SD.size(0), channels = kHeads * kHeadSize;
  const auto at = [channels](int64_t row, int64_t h, int64_t e) {
    return static_cast<size_t>(row * channels + h * kHeadSize + e);
  };
  const double scale = 1.0 / std::sqrt(static_cast<double>(kHeadSize));
  Oracle out{.context = std::vector<double>(static_cast<size_t>(rows * channels))};
  for (const double value : v) out.largest_value = std::max(out.largest_value, std::abs(value));
  for (int64_t t = 0; t < rows; ++t) {
    for (int64_t h = 0; h < kHeads; ++h) {
      std::vector<std::pair<int64_t, double>> scores;
      double top = -std::numeric_limits<double>::infinity(), sum = 0;
      for (int64_t s = 0; s < keys; ++s) {
        if (!visible(t, s)) continue;
        double score = 0, size = 0;
        for (int64_t e = 0; e < kHeadSize; ++e) {
          const double term = scale * q[at(t, h, e)] * k[at(s, h, e)];
          score += term;
          size += std::abs(term);
        }
        out.largest_score = std::max(out.largest_score, size);
        top = std::max(top, score);
        scores.emplace_back(s, score);
      }
      for (auto& [s, score] : scores) sum += score = std::exp(score - top);
      for (const auto& [s, weight] : scores) {
        for (int64_t e = 0; e < kHeadSize; ++e)
          out.context[at(t, h, e)] += weight / sum * v[at(s, h, e)];
      }
    }
  }
  return out;
}

inline double worst(const Tensor& got_TC, const Oracle& expected) {
  const Tensor wide = got_TC.detach().to(torch::kDouble).contiguous();
  double largest = wide.numel() == static_cast<int64_t>(expected.context.size()) ? 0.0 : 1e300;
  for (int64_t i = 0; i < wide.numel() && largest < 1e300; ++i) {
    const double off =
        std::abs(wide.const_data_ptr<double>()[i] - expected.context[static_cast<size_t>(i)]);
    largest = std::isnan(off) ? 1e300 : std::max(largest, off);
  }
  return largest;
}

/// Which rows see which, from the layouts and the mask of a context.
inline std::function<bool(int64_t, int64_t)> visible_of(const AttentionContext& context) {
  return [&context](int64_t t, int64_t s) {
    int64_t b = 0;
    while (t >= context.query_layout.begin(b) + context.query_layout.length(b)) ++b;
    const int64_t begin = context.source_layout.begin(b);
    if (s < begin || s >= begin + context.source_layout.length(b)) return false;
    const Tensor& keep_S = context.mask.keep_S;
    if (keep_S.defined() && !keep_S[s].item<bool>()) return false;
    const auto i = static_cast<size_t>(b);
    const int64_t past = context.past.empty() ? 0 : context.past[i];
    const int64_t source = context.mask.source.empty() ? 0 : context.mask.source[i];
    return sees(context.mask.kind(b), source, past + t - context.query_layout.begin(b), s - begin);
  };
}

}  // namespace tenfold::nn::testing
