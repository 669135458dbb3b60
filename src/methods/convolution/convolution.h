// Lightweight and dynamic convolution in place of attention (Wu, Fan, Baevski, Dauphin and Auli
// 2019, arXiv 1901.10430): options and registration. Not here: the arithmetic (convolve.h) or the
// modules (gated_convolution.h).
#pragma once

#include <cstdint>
#include <string>

#include "config/fields.h"
#include "nn/attention_table.h"

namespace tenfold::convolution {

struct ConvolutionOptions {
  int64_t kernel_size = 15;  ///< k, odd

  void fields(config::FieldVisitor& v);
  /// Error{config} for even sizes, which have no centre.
  void validate(const std::string& where) const;
};

/// Adds "lightweight_conv" and "dynamic_conv".
void register_into(nn::AttentionTable& table);

}  // namespace tenfold::convolution
