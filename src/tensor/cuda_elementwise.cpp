// libtorch's run-time compiler, found in its part for CUDA when that is open: the program links
// none of it. Not here: opening that part (device.cpp).
#include "tensor/cuda_elementwise.h"

#include <dlfcn.h>

#include "support/fail.h"

namespace tenfold {
namespace {

/// at::cuda::CompileAndLaunchKernel of libtorch 2.0 and later.
using Launch = c10::SmallVector<Tensor> (*)(const std::string& code, const std::string& name,
                                            const int outputs,
                                            const c10::SmallVector<Tensor>& inputs,
                                            const c10::SmallVector<at::Scalar>& scalars,
                                            bool return_by_ref);

/// Null where this libtorch has another signature or none.
Launch found_launch() {
  static void* const symbol = dlsym(
      RTLD_DEFAULT,
      "_ZN2at4cuda22CompileAndLaunchKernelERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEES8"
      "_iRKN3c1011SmallVectorINS_6TensorELj6EEERKNSA_INS9_6ScalarELj1EEEb");
  return reinterpret_cast<Launch>(symbol);
}

}  // namespace

bool compiles_elementwise(const Tensor& x) {
  if (!x.is_cuda() || found_launch() == nullptr) return false;
  static const bool works = [&] {
    const CudaElementwise doubled{"tenfold_doubled",
                                  "template <typename T> T tenfold_doubled(T x) { return x + x; }"};
    try {
      const Tensor two = run_elementwise(doubled, {torch::ones({1}, x.device())}, {});
      return two.item<float>() == 2.0F;
    } catch (const c10::Error&) {  // the compiler's library is missing
      return false;
    }
  }();
  return works;
}

Tensor run_elementwise(const CudaElementwise& function, const c10::SmallVector<Tensor>& inputs,
                       const c10::SmallVector<at::Scalar>& scalars) {
  const Launch launch = found_launch();
  require(launch != nullptr, ErrorKind::unsupported, "device",
          "this libtorch offers no run-time compiler");
  return launch(function.code, function.name, 1, inputs, scalars, /*return_by_ref=*/false).front();
}

}  // namespace tenfold
