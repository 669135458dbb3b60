// Checks a model directory against another implementation's results on the same inputs, tensor by
// tensor. Not here: making such files, or the tests' own tolerances for other quantities.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace tenfold::model {

/// One compared tensor. Passed: every element differs by at most `allowed` (gradients: plus 1e-4 of
/// the element).
struct VerifiedTensor {
  std::string name;
  double max_abs = 0;  ///< largest difference
  double cosine = 1;   ///< of the flattened tensors
  double allowed = 0;
  bool passed = false;
};

struct Verification {
  std::vector<VerifiedTensor> tensors;
  std::vector<std::string> skipped;   ///< names in the file that this model does not compute
  std::vector<std::string> warnings;  ///< from loading
  bool passed() const;                ///< something was compared and all of it passed
};

struct VerifyOptions {
  std::optional<double> tolerance = {};  ///< of float32 results; none: 1e-4, and 1e-5 for losses
};

/// Runs `in.input_ids` (with `in.attention_mask`, `in.token_type_ids`, `in.labels`,
/// `in.next_sentence_label`, `in.start_positions`, `in.end_positions` where they are) through the
/// model in `directory` and compares whatever of `hidden_states.N`, `last_hidden_state`,
/// `pooler_output`, `logits`, `prediction_logits`, `seq_relationship_logits`, `start_logits`,
/// `end_logits`, `loss`, the same under `f64.` in double precision (within 1e-9) and
/// `grad.NAME` of the loss the file holds. Padding is never compared. Error{checkpoint} where file
/// or directory are damaged, Error{shape} where the inputs do not fit the model.
Verification verify_against(const std::filesystem::path& directory,
                            const std::filesystem::path& expected,
                            const VerifyOptions& options = {});

}  // namespace tenfold::model
