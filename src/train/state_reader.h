// The tensors of a training state, handed out by parameter and part, with the errors that a state
// of another run deserves. Not here: files (run_state.h) or what the parts mean (each optimizer).
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "train/optimizer.h"

namespace tenfold::train {

/// Refers to the state, which must outlive it.
class StateReader {
 public:
  explicit StateReader(const TensorsByName& state) : state_(state) {}

  /// Whether any of "<parameter>.<part>" is there.
  bool has(const std::string& parameter, std::initializer_list<std::string_view> parts) const;

  /// A copy of "<parameter>.<part>" with the shape, format and device of `like`. Error{checkpoint}
  /// where it is missing or has another shape.
  Tensor take(const std::string& parameter, std::string_view part, const Tensor& like);

  /// Error{checkpoint} where tensors are left that nobody took.
  void finish() const;

 private:
  const TensorsByName& state_;
  size_t taken_ = 0;
};

}  // namespace tenfold::train
