// Devices and number formats by the names users write.
// Not here: moving modules or batches.
#pragma once

#include <string>
#include <string_view>

#include "tensor/torch.h"

namespace tenfold {

/// "cpu", "cuda" or "cuda:N". The first cuda device opens libtorch_cuda at run time;
/// Error{unsupported} where that library or a device is missing, Error{config} for other names.
torch::Device parse_device(std::string_view name);

/// "fp32" / "float32", "bf16" / "bfloat16", "fp16" / "float16", "fp64" / "float64"; Error{config}
/// otherwise.
at::ScalarType parse_dtype(std::string_view name);

/// As config.json writes it: "float32", "bfloat16", "float16", "float64".
std::string dtype_name(at::ScalarType dtype);

}  // namespace tenfold
