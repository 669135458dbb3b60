// Names to devices and dtypes; opens the CUDA half of libtorch when asked for.
// Not here: linking against CUDA, which the CPU program never does.
#include "tensor/device.h"

#include <dlfcn.h>

#include <charconv>
#include <string>

#include "support/fail.h"

namespace tenfold {
namespace {

void open_cuda_library() {
  // Before anything asks libtorch about CUDA: it remembers the answer.
  static const std::string trouble = [] {
    if (dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) != nullptr) return std::string();
    const char* why = dlerror();
    return std::string(why != nullptr ? why : "no reason given");
  }();
  require(trouble.empty(), ErrorKind::unsupported, "device",
          "cuda was asked for, but libtorch's part for it cannot be opened ({}); see "
          "docs/reference/devices.md",
          trouble);
  require(at::globalContext().hasCUDA(), ErrorKind::unsupported, "device",
          "cuda was asked for, but no CUDA device is present");
}

}  // namespace

torch::Device parse_device(std::string_view name) {
  if (name == "cpu") return torch::kCPU;
  if (name == "cuda" || name.substr(0, 5) == "cuda:") {
    int index = 0;
    if (name != "cuda") {
      const std::string_view digits = name.substr(5);
      const auto [end, error] =
          std::from_chars(digits.data(), digits.data() + digits.size(), index);
      require(!digits.empty() && error == std::errc() && end == digits.data() + digits.size() &&
                  index >= 0 && index < 128,
              ErrorKind::config, "device", "expected 'cuda:N', got '{}'", name);
    }
    open_cuda_library();
    return {torch::kCUDA, static_cast<c10::DeviceIndex>(index)};
  }
  fail(ErrorKind::config, "device", "expected 'cpu', 'cuda' or 'cuda:N', got '{}'", name);
}

at::ScalarType parse_dtype(std::string_view name) {
  if (name == "fp32" || name == "float32") return at::kFloat;
  if (name == "bf16" || name == "bfloat16") return at::kBFloat16;
  if (name == "fp16" || name == "float16") return at::kHalf;
  if (name == "fp64" || name == "float64") return at::kDouble;
  fail(ErrorKind::config, "dtype", "expected 'fp32', 'bf16', 'fp16' or 'fp64', got '{}'", name);
}

std::string dtype_name(at::ScalarType dtype) {
  switch (dtype) {
    case at::kFloat: return "float32";
    case at::kBFloat16: return "bfloat16";
    case at::kHalf: return "float16";
    case at::kDouble: return "float64";
    default: fail(ErrorKind::internal, "dtype", "no name for {}", c10::toString(dtype));
  }
}

}  // namespace tenfold
