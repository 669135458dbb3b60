// The options' fields and the two entries of the table.
// Not here: the modules (gated_convolution.cpp).
#include "methods/convolution/convolution.h"
#include "methods/convolution/gated_convolution.h"
#include "support/fail.h"

namespace tenfold::convolution {

void ConvolutionOptions::fields(config::FieldVisitor& v) {
  v.field("kernel_size", kernel_size, "tokens a kernel covers; odd",
          config::between(kFewestTaps, kMostTaps));
}

void ConvolutionOptions::validate(const std::string& where) const {
  require(kernel_size % 2 == 1, ErrorKind::config, where,
          "kernel_size must be odd, so that a kernel has a centre, got {}", kernel_size);
}

void register_into(nn::AttentionTable& table) {
  table.add(nn::attention_kind<LightweightConvolution, ConvolutionOptions>(
      "lightweight_conv", "one softmax-normalised kernel a head over the neighbouring tokens",
      "arXiv 1901.10430"));
  table.add(nn::attention_kind<DynamicConvolution, ConvolutionOptions>(
      "dynamic_conv", "a kernel a head over the neighbouring tokens, made by each token",
      "arXiv 1901.10430"));
}

}  // namespace tenfold::convolution
