// Finding the parts of a training state.
// Not here: reading files.
#include "train/state_reader.h"

#include <algorithm>

#include "support/fail.h"

namespace tenfold::train {
namespace {

std::string part_name(const std::string& parameter, std::string_view part) {
  return parameter + "." + std::string(part);
}

}  // namespace

bool StateReader::has(const std::string& parameter,
                      std::initializer_list<std::string_view> parts) const {
  return std::any_of(parts.begin(), parts.end(), [&](std::string_view part) {
    return state_.contains(part_name(parameter, part));
  });
}

Tensor StateReader::take(const std::string& parameter, std::string_view part, const Tensor& like) {
  const auto found = state_.find(part_name(parameter, part));
  require(found != state_.end(), ErrorKind::checkpoint, "optimizer",
          "the training state of '{}' is incomplete: it has no {}", parameter, part);
  require(found->second.sizes() == like.sizes(), ErrorKind::checkpoint, "optimizer",
          "the training state of '{}' has another shape", parameter);
  ++taken_;
  return torch::empty_like(like, like.options().requires_grad(false)).copy_(found->second);
}

void StateReader::finish() const {
  require(taken_ == state_.size(), ErrorKind::checkpoint, "optimizer",
          "the training state holds {} tensors, of which only {} belong to parameters of this run",
          state_.size(), taken_);
}

}  // namespace tenfold::train
