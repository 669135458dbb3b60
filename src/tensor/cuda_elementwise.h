// Elementwise functions of ours on CUDA, compiled by libtorch at run time: there is no CUDA
// compiler where the program is built. Not here: the functions (they lie beside their CPU form).
#pragma once

#include <string>

#include "tensor/torch.h"

namespace tenfold {

/// One function of a few numbers, as CUDA C++: "template <typename T> T NAME(T x, ..., SCALAR...)".
/// T is the inputs' common type; scalars arrive as long long or double.
struct CudaElementwise {
  std::string name, code;
};

/// Whether libtorch's run-time compiler can be had on the device of `x`: the first question of a
/// process tries it. False: callers take operators. Any thread.
bool compiles_elementwise(const Tensor& x);

/// The function at every element of the inputs, which broadcast to one shape and lie on one CUDA
/// device. No gradient is recorded. Compiled at its first use with inputs of these types.
Tensor run_elementwise(const CudaElementwise& function, const c10::SmallVector<Tensor>& inputs,
                       const c10::SmallVector<at::Scalar>& scalars);

}  // namespace tenfold
