// Builds the blocks of every run and passes hidden states, keys and values, carry and memory
// between them. Not here: what a block computes.
#include "nn/stack.h"

#include <algorithm>

#include "nn/asked_rows.h"
#include "nn/attention_observer.h"
#include "nn/attention_table.h"
#include "nn/filler.h"
#include "nn/onednn.h"
#include "nn/recompute.h"
#include "support/fail.h"
#include "support/rng.h"
#include "tensor/device.h"

namespace tenfold::nn {
namespace {

void check_run(const StackSpec& spec, const StackRun& run, const std::vector<See>& kinds,
               const std::string& where) {
  require(run.count >= 1, ErrorKind::config, where,
          "a layer run needs a count of at least 1, got {}", run.count);
  require(run.intermediate_size > 0 || spec.intermediate_size > 0, ErrorKind::config, where,
          "intermediate_size must be at least 1");
  const AttentionTraits traits = attention_traits(run.attention);
  const std::string& kind = run.attention.kind.empty() ? "softmax" : run.attention.kind;
  require(!run.residual_attention || (traits.exposes_scores && traits.carry), ErrorKind::config,
          where,
          "residual_attention adds the raw scores of the layer below, but '{}' attention never "
          "forms scores",
          kind);
  require(!run.residual_mean || run.residual_attention, ErrorKind::config, where,
          "residual_mean divides what residual_attention carries, which is off");
  require(!run.residual_mean || traits.carry_mean, ErrorKind::config, where,
          "'{}' attention carries the sum of scores alone: residual_mean must be false", kind);
  require(traits.fixed_length == 0 || traits.fixed_length >= spec.longest, ErrorKind::config, where,
          "'{}' attention is built for at most {} tokens, but the model takes {}", kind,
          traits.fixed_length, spec.longest);
  for (const See see : kinds) {
    require(std::find(traits.kinds.begin(), traits.kinds.end(), see) != traits.kinds.end(),
            ErrorKind::config, where, "'{}' attention does not honour the mask this model uses",
            kind);
  }
}

/// For each run, whether its layers go on with the scores of the run before it.
bool goes_on(const std::vector<StackRun>& runs, size_t r) {
  return r > 0 && runs[r].residual_attention && runs[r - 1].residual_attention &&
         runs[r].attention.kind == runs[r - 1].attention.kind;
}

/// The first layer's place in what its run's layers carry, and the layers that share the scores.
CarryRun carry_run(const std::vector<StackRun>& runs, size_t r) {
  CarryRun place{.mean = runs[r].residual_mean};
  for (size_t below = r; goes_on(runs, below); --below) place.place += runs[below - 1].count;
  place.layers = place.place - 1 + runs[r].count;
  for (size_t above = r + 1; above < runs.size() && goes_on(runs, above); ++above)
    place.layers += runs[above].count;
  return place;
}

/// `visit(stack)` for every stack below and including `root`.
template <typename Visit>
void for_stacks(torch::nn::Module& root, Visit visit) {
  if (auto* self = dynamic_cast<Stack*>(&root)) visit(*self);
  for (const auto& module : root.modules(false)) {
    if (auto* stack = dynamic_cast<Stack*>(module.get())) visit(*stack);
  }
}

}  // namespace

void StackSpec::validate(const std::string& where, const std::vector<See>& kinds) const {
  require(width > 0 && heads > 0, ErrorKind::config, where,
          "width and heads must be at least 1, got {} and {}", width, heads);
  require(head_size > 0 || width % heads == 0, ErrorKind::config, where,
          "{} heads do not divide the width {}", heads, width);
  require(!runs.empty(), ErrorKind::config, where, "at least one layer run is needed");
  for (const double p : {hidden_dropout, attention_dropout}) {
    require(p >= 0.0 && p < 1.0, ErrorKind::config, where, "a dropout must be in [0, 1), got {}",
            p);
  }
  for (const StackRun& run : runs) check_run(*this, run, kinds, where);
}

int64_t StackSpec::layers() const {
  int64_t total = 0;
  for (const StackRun& run : runs) total += run.count;
  return total;
}

Stack::Stack(const StackSpec& spec, uint64_t seed, torch::TensorOptions options) : spec_(spec) {
  spec_.validate("model.layers");
  for (StackRun& run : spec_.runs) {
    if (run.attention.kind.empty()) run.attention.kind = "softmax";
  }
  auto list = register_module("layer", std::make_shared<torch::nn::Module>());
  for (size_t r = 0; r < spec_.runs.size(); ++r) {
    const StackRun& run = spec_.runs[r];
    BlockSpec block{
        .attention = run.attention,
        .shape = {.width = spec_.width,
                  .heads = spec_.heads,
                  .head_size = spec_.head_size > 0 ? spec_.head_size : spec_.width / spec_.heads,
                  .longest = spec_.longest,
                  .dropout = spec_.attention_dropout,
                  .residual_scores = run.residual_attention,
                  .carry_run = carry_run(spec_.runs, r),
                  .initializer_range = spec_.initializer_range},
        .intermediate_size =
            run.intermediate_size > 0 ? run.intermediate_size : spec_.intermediate_size,
        .activation = spec_.activation,
        .hidden_dropout = spec_.hidden_dropout,
        .layer_norm_eps = spec_.layer_norm_eps};
    for (int64_t i = 0; i < run.count; ++i) {
      const auto layer = static_cast<uint64_t>(blocks_.size());
      blocks_.push_back(list->register_module(
          std::to_string(layer),
          std::make_shared<Block>(block, combine_keys(seed, layer), options)));
      run_of_layer_.push_back(r);
      ++block.shape.carry_run.place;
    }
  }
}

/// Whether the last layer may leave out the rows that nobody asks for.
bool Stack::some_may_ask_alone(const StackIn& in) const {
  return in.rows_P.defined() && in.state == nullptr && !in.all_hidden &&
         spec_.key_value_from == KeyValueFrom::previous_layer &&
         blocks_.back()->attention().traits().free_queries;
}

StackOut Stack::forward(const StackIn& in) const {
  const bool drops = in.pass.training && (spec_.hidden_dropout > 0 || spec_.attention_dropout > 0);
  // While decoding, rows are few and belong to the slots of the state; an observer would see it.
  const bool filler = in.state == nullptr && observer_ == nullptr;
  const auto computed = [&](const Tensor& x) {
    const Tensor narrow_TD = x.to(compute_type_.value_or(x.scalar_type()));
    return filler ? with_filler_rows(narrow_TD) : narrow_TD;
  };
  const Tensor hidden_TD = computed(in.hidden_TD);
  const int64_t rows = in.hidden_TD.size(0);
  const FilledPass filled =
      with_filler_sequences(in.layout, in.mask, in.pass, hidden_TD.size(0) - rows, spec_.longest);
  const AttentionContext context{
      .query_layout = filled.layout,
      .source_layout = filled.layout,
      .mask = filled.mask,
      .bias = in.bias,
      .past = in.state != nullptr ? in.state->past : std::vector<int64_t>{},
      .pass = filled.pass,
      .row_keys_T = drops ? row_keys(filled.pass, filled.layout).to(hidden_TD.device()) : Tensor(),
      .observer = observer_ != nullptr && observer_->wants_more() ? observer_ : nullptr};
  const auto real = [&](const Tensor& x_TD) {
    return x_TD.size(0) == rows ? x_TD : x_TD.narrow(0, 0, rows);
  };
  StackOut out{.hidden_TD = hidden_TD, .all_hidden_TD = {}};
  const Tensor pinned_SD = in.source_SD.defined() ? computed(in.source_SD) : hidden_TD;
  if (in.all_hidden) out.all_hidden_TD.push_back(real(hidden_TD));
  const std::optional<AskedRows> asked =
      some_may_ask_alone(in) ? asked_rows(context, in.rows_P, hidden_TD) : std::nullopt;
  std::shared_ptr<const Carry> carry;
  for (size_t i = 0; i < blocks_.size(); ++i) {
    const StackRun& run = spec_.runs[run_of_layer_[i]];
    const bool same_kind =
        i > 0 && run.attention.kind == spec_.runs[run_of_layer_[i - 1]].attention.kind;
    if (!run.residual_attention || !same_kind) carry = nullptr;
    const bool some = asked && i + 1 == blocks_.size();
    const BlockIn block_in{
        .context = some ? asked->context : context,
        .hidden_TD = some ? out.hidden_TD.index_select(0, asked->rows_P) : out.hidden_TD,
        .source_SD = spec_.key_value_from == KeyValueFrom::embeddings ? pinned_SD : out.hidden_TD,
        .asking_P = some ? asked->rows_P : Tensor(),
        .carry = carry,
        .memory = in.state != nullptr ? in.state->self.at(i).get() : nullptr,
        .layer = static_cast<uint64_t>(i)};
    BlockOut step =
        recompute_ ? recomputed_forward(blocks_[i], block_in) : blocks_[i]->forward(block_in);
    out.hidden_TD = std::move(step.hidden_TD);
    carry = std::move(step.carry);
    if (in.all_hidden) out.all_hidden_TD.push_back(real(out.hidden_TD));
  }
  if (asked) {
    out.hidden_TD = out.hidden_TD.narrow(0, 0, in.rows_P.size(0));
  } else {
    out.hidden_TD = real(out.hidden_TD);
    if (in.rows_P.defined()) out.hidden_TD = out.hidden_TD.index_select(0, in.rows_P);
  }
  return out;
}

void compute_in(torch::nn::Module& root, at::ScalarType type) {
  for_stacks(root, [&](Stack& stack) {
    const bool on_cpu = stack.parameters().at(0).device().is_cpu();
    require(!on_cpu || type == at::kFloat || type == at::kDouble || onednn_computes_in(type),
            ErrorKind::unsupported, "dtype",
            "this processor has no instructions for {}, which would be slower than float32",
            dtype_name(type));
    stack.compute_in(type);
  });
}

void observe_attention(torch::nn::Module& root, AttentionObserver* observer) {
  for_stacks(root, [&](Stack& stack) { stack.observe(observer); });
}

void recompute_in_backward(torch::nn::Module& root) {
  for_stacks(root, [](Stack& stack) { stack.recompute_in_backward(true); });
}

DecodeState Stack::new_state(int64_t count, int64_t capacity) const {
  DecodeState state;
  for (const auto& block : blocks_)
    state.self.push_back(block->attention().new_memory(count, capacity));
  state.past.assign(static_cast<size_t>(count), 0);
  return state;
}

}  // namespace tenfold::nn
