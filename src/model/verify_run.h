// A model's results on the inputs of a results file, under the names the file gives them.
// Not here: packing (verify_inputs.h) or comparing (verify.h).
#pragma once

#include <map>
#include <string>

#include "model/checkpoint.h"
#include "model/verify_inputs.h"

namespace tenfold::model {

struct VerifyResults {
  std::map<std::string, Tensor> tensors;  ///< real rows only
  Tensor loss;                            ///< attached to the graph; undefined without labels
};

/// Hidden states, the pooled vector, and of every head the model has its logits and, where the file
/// holds labels, its loss.
VerifyResults run_model(const LoadedModel& model, const SafetensorsFile& file,
                        const VerifyInputs& in);

}  // namespace tenfold::model
