// Comparing a model's results with those of a file, tensor by tensor.
// Not here: loading (checkpoint.cpp), running (verify_run.cpp).
#include "model/verify.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "model/checkpoint.h"
#include "model/verify_run.h"
#include "support/fail.h"
#include "tensor/safetensors_tensors.h"

namespace tenfold::model {
namespace {

constexpr double kFloatTolerance = 1e-4, kLossTolerance = 1e-5, kDoubleTolerance = 1e-9;
constexpr double kGradientTolerance = 1e-5, kGradientShare = 1e-4;

VerifiedTensor compare(const std::string& name, const Tensor& got, const Tensor& expected,
                       double allowed, double share) {
  VerifiedTensor row{.name = name, .max_abs = 0, .cosine = 0, .allowed = allowed, .passed = false};
  if (got.sizes() != expected.sizes()) {
    row.max_abs = std::numeric_limits<double>::infinity();
    return row;
  }
  const Tensor a = got.detach().to(at::kDouble).flatten(), b = expected.to(at::kDouble).flatten();
  const Tensor difference = (a - b).abs();
  row.max_abs = difference.max().item<double>();
  const double norms = a.norm().item<double>() * b.norm().item<double>();
  row.cosine = norms > 0 ? a.dot(b).item<double>() / norms : (row.max_abs == 0 ? 1 : 0);
  row.passed = (difference - share * b.abs()).max().item<double>() <= allowed;
  return row;
}

/// Compares every name of the file under `prefix` that the model computes.
void compare_results(const SafetensorsFile& file, const VerifyInputs& in,
                     const std::map<std::string, Tensor>& results, const std::string& prefix,
                     std::optional<double> tolerance, Verification& verification) {
  for (const auto& [name, got] : results) {
    if (!file.has(prefix + name)) continue;
    Tensor expected = file.tensor(prefix + name);
    if (in.is_padded(expected) && got.dim() == expected.dim() - 1 &&
        got.size(0) == in.rows_T.size(0)) {
      expected = in.pack(expected);
    }
    const double usual = name == "loss" ? kLossTolerance : kFloatTolerance;
    const double allowed = prefix.empty() ? tolerance.value_or(usual) : kDoubleTolerance;
    verification.tensors.push_back(compare(prefix + name, got, expected, allowed, 0));
  }
}

void compare_gradients(const SafetensorsFile& file, const LoadedModel& model,
                       Verification& verification) {
  for (const OwnedModule& owned : model.modules()) {
    for (const auto& item : owned.module->named_parameters()) {
      const std::string name = "grad." + owned.prefix + item.key();
      if (!file.has(name)) continue;
      const Tensor gradient = item.value().grad();
      verification.tensors.push_back(
          compare(name, gradient.defined() ? gradient : torch::zeros_like(item.value()),
                  file.tensor(name), kGradientTolerance, kGradientShare));
    }
  }
}

/// The reference's loss of spans looks at padded rows.
Padding padding_of(const LoadedModel& model) {
  return model.span ? Padding::kept : Padding::left_out;
}

void note_skipped(const SafetensorsFile& file, Verification& verification) {
  for (const TensorEntry& entry : file.entries()) {
    const bool compared =
        std::any_of(verification.tensors.begin(), verification.tensors.end(),
                    [&](const VerifiedTensor& row) { return row.name == entry.name; });
    if (!compared && !entry.name.starts_with("in.")) verification.skipped.push_back(entry.name);
  }
}

}  // namespace

bool Verification::passed() const {
  return !tensors.empty() &&
         std::all_of(tensors.begin(), tensors.end(), [](const auto& row) { return row.passed; });
}

Verification verify_against(const std::filesystem::path& directory,
                            const std::filesystem::path& expected, const VerifyOptions& options) {
  const SafetensorsFile file = SafetensorsFile::open(expected);
  Verification verification;
  {
    torch::NoGradGuard no_gradient;
    const LoadedModel model = load_model(directory);
    verification.warnings = model.warnings;
    const VerifyInputs in = read_inputs(file, model.description.encoder, padding_of(model));
    compare_results(file, in, run_model(model, file, in).tensors, "", options.tolerance,
                    verification);
  }
  const auto starts = [&](std::string_view prefix) {
    return std::any_of(file.entries().begin(), file.entries().end(),
                       [&](const TensorEntry& entry) { return entry.name.starts_with(prefix); });
  };
  if (starts("f64.") || starts("grad.")) {
    const LoadedModel model =
        load_model(directory, {.tensors = torch::TensorOptions().dtype(torch::kFloat64)});
    const VerifyInputs in = read_inputs(file, model.description.encoder, padding_of(model));
    const VerifyResults results = run_model(model, file, in);
    compare_results(file, in, results.tensors, "f64.", {}, verification);
    if (results.loss.defined() && starts("grad.")) {
      results.loss.backward();
      compare_gradients(file, model, verification);
    }
  }
  note_skipped(file, verification);
  return verification;
}

}  // namespace tenfold::model
