// Host numbers of a packed batch and the few index tensors made of them.
// Not here: any kernel.
#include "tensor/sequence_layout.h"

#include <algorithm>

#include "support/fail.h"

namespace tenfold {

struct SequenceLayout::Plan {
  std::vector<int64_t> lengths, begins;
  int64_t total = 0, longest = 0;
};

SequenceLayout::SequenceLayout() : plan_(std::make_shared<const Plan>()) {}
SequenceLayout::SequenceLayout(std::shared_ptr<const Plan> plan) : plan_(std::move(plan)) {}

SequenceLayout SequenceLayout::of_lengths(const std::vector<int64_t>& lengths) {
  auto plan = std::make_shared<Plan>();
  plan->lengths = lengths;
  plan->begins.reserve(lengths.size());
  for (const int64_t n : lengths) {
    require(n >= 0, ErrorKind::shape, "sequence layout", "a length must not be negative, got {}",
            n);
    plan->begins.push_back(plan->total);
    plan->total += n;
    plan->longest = std::max(plan->longest, n);
  }
  return SequenceLayout(std::move(plan));
}

int64_t SequenceLayout::count() const { return static_cast<int64_t>(plan_->lengths.size()); }
int64_t SequenceLayout::total() const { return plan_->total; }
int64_t SequenceLayout::longest() const { return plan_->longest; }
int64_t SequenceLayout::begin(int64_t b) const { return plan_->begins[static_cast<size_t>(b)]; }
int64_t SequenceLayout::length(int64_t b) const { return plan_->lengths[static_cast<size_t>(b)]; }
const std::vector<int64_t>& SequenceLayout::lengths() const { return plan_->lengths; }

bool SequenceLayout::all_equal() const { return plan_->longest * count() == plan_->total; }

bool SequenceLayout::operator==(const SequenceLayout& other) const {
  return plan_ == other.plan_ || plan_->lengths == other.plan_->lengths;
}

std::vector<Tensor> SequenceLayout::split(const Tensor& x_T) const {
  require(x_T.size(0) == total(), ErrorKind::shape, "sequence layout", "expected {} rows, got {}",
          total(), x_T.size(0));
  if (count() == 0) return {};
  return x_T.split_with_sizes(plan_->lengths, 0);
}

Tensor SequenceLayout::positions(const std::vector<int64_t>& past) const {
  Tensor result = torch::empty({total()}, torch::kInt64);
  auto* out = result.mutable_data_ptr<int64_t>();
  for (int64_t b = 0; b < count(); ++b) {
    const int64_t start = past.empty() ? 0 : past[static_cast<size_t>(b)];
    for (int64_t i = 0; i < length(b); ++i) *out++ = start + i;
  }
  return result;
}

Tensor SequenceLayout::sequence_of_row() const {
  Tensor result = torch::empty({total()}, torch::kInt64);
  auto* out = result.mutable_data_ptr<int64_t>();
  for (int64_t b = 0; b < count(); ++b) out = std::fill_n(out, length(b), b);
  return result;
}

Tensor SequenceLayout::first_rows() const {
  Tensor result = torch::empty({count()}, torch::kInt64);
  auto* out = result.mutable_data_ptr<int64_t>();
  for (int64_t b = 0; b < count(); ++b) {
    require(length(b) > 0, ErrorKind::shape, "sequence layout",
            "sequence {} is empty and has no first row", b);
    out[b] = begin(b);
  }
  return result;
}

}  // namespace tenfold
