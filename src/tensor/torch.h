// The one door to libtorch: every torch header comes in here, and this file is the precompiled
// header. Not here: anything of tenfold's own besides the name Tensor.
#pragma once

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/autograd.h>
#include <torch/nn/module.h>
#include <torch/types.h>
#include <torch/utils.h>
#include <torch/version.h>

namespace tenfold {

using torch::Tensor;

}  // namespace tenfold
