// Builds the parameters of the chosen forms, gathers their scores, and picks the path of a pass.
// Not here: the paths themselves.
#include "methods/synthesizer/synthesizer_attention.h"

#include <algorithm>
#include <cmath>

#include "nn/slot_table.h"
#include "support/fail.h"
#include "support/rng.h"
#include "tensor/init.h"

namespace tenfold::synthesizer {
namespace {

/// Numbers of a table of exponentials that are worth keeping: 512 MiB of fp32.
constexpr int64_t kLargestTable = int64_t{1} << 27;

/// Numbers of R in one layer that can be meant: 8 GiB of fp32.
constexpr int64_t kMostScores = int64_t{1} << 31;

/// Scores of all heads that inference holds at a time: 16 MiB of fp32.
constexpr int64_t kScoresAtATime = int64_t{1} << 22;

/// Whether nobody wants anything of a pass but its contexts, so that scores need not all be there.
bool contexts_suffice(const nn::AttentionIn& in, const nn::SoftmaxPlan& plan) {
  return !at::GradMode::is_enabled() && !in.carry && !plan.hand_on_scores && !plan.bias &&
         plan.dropout == 0 && plan.observer == nullptr;
}

at::ScalarType wide(at::ScalarType type) { return type == at::kDouble ? at::kDouble : at::kFloat; }

/// W2 and b2 of the dense form, under names that optimisers read as those of a linear layer.
struct HeadScores : torch::nn::Module {
  HeadScores(at::IntArrayRef shape_HNE, double deviation, uint64_t seed,
             torch::TensorOptions tensor_options) {
    weight = register_parameter(
        "weight", normal_tensor(shape_HNE, deviation, Tails::cut_at_two, seed, tensor_options));
    bias = register_parameter("bias", torch::zeros(shape_HNE.slice(0, 2), tensor_options));
  }
  Tensor weight, bias;
};

int64_t length_of(const SynthesizerOptions& options, const nn::AttentionShape& shape) {
  const int64_t length = options.fixed_length() > 0 ? options.fixed_length() : shape.longest;
  require(length > 0, ErrorKind::config, "attention",
          "'synthesizer' attention needs max_length where the model names no longest sequence");
  const bool every_place = options.has("random") || options.has("fixed_random");
  require(!every_place || length <= kMostScores / length / shape.heads, ErrorKind::config,
          "attention",
          "random scores for {} tokens and {} heads take {:.0f} GiB a layer: 'factorized_random' "
          "takes two numbers a token, head and rank",
          length, shape.heads,
          4.0 * static_cast<double>(shape.heads) * static_cast<double>(length) *
              static_cast<double>(length) / (1 << 30));
  return length;
}

}  // namespace

SynthesizerAttention::SynthesizerAttention(const nn::AttentionShape& shape,
                                           const SynthesizerOptions& options, uint64_t seed,
                                           torch::TensorOptions tensor_options)
    : shape_(shape), options_(options), length_(length_of(options, shape)) {
  options.validate("attention");
  make_forms(seed, tensor_options);
  make_random_forms(seed, tensor_options);
  make_mixture(tensor_options);
}

void SynthesizerAttention::make_forms(uint64_t seed, torch::TensorOptions tensor_options) {
  const auto key = [&](const std::string& name) { return combine_keys(seed, key_of_name(name)); };
  const auto linear = [&](const std::string& name, int64_t out) {
    return register_module(name, std::make_shared<nn::Linear>(
                                     nn::LinearSpec{.in = shape_.width,
                                                    .out = shape_.heads * out,
                                                    .bias = shape_.projection_bias,
                                                    .initializer_range = shape_.initializer_range},
                                     key(name), tensor_options));
  };
  if (options_.has("dot_product")) {
    query_ = linear("query", shape_.head_size);
    key_ = linear("key", shape_.head_size);
  }
  value_ = linear("value", shape_.head_size);
  if (options_.has("dense")) {
    dense_hidden_ = linear("dense_hidden", shape_.head_size);
    const std::vector<int64_t> shape_HNE{shape_.heads, length_, shape_.head_size};
    const auto scores = register_module(
        "dense_scores", std::make_shared<HeadScores>(shape_HNE, shape_.initializer_range,
                                                     key("dense_scores"), tensor_options));
    dense_weight_HNE_ = scores->weight;
    dense_bias_HN_ = scores->bias;
  }
  if (options_.has("factorized_dense")) {
    const auto [a, b] = factors_of(options_, length_);
    factor_a_ = linear("factor_a", a);
    factor_b_ = linear("factor_b", b);
  }
}

void SynthesizerAttention::make_random_forms(uint64_t seed, torch::TensorOptions tensor_options) {
  const auto fresh = [&](const std::string& name, int64_t columns, double deviation) {
    const double glorot = std::sqrt(2.0 / static_cast<double>(length_ + columns));
    return normal_tensor({shape_.heads, length_, columns}, deviation > 0 ? deviation : glorot,
                         Tails::full, combine_keys(seed, key_of_name(name)), tensor_options);
  };
  if (options_.has("random"))
    random_HNN_ = register_parameter("random", fresh("random", length_, options_.deviation));
  if (options_.has("fixed_random")) {
    fixed_HNN_ =
        register_buffer("fixed_random", fresh("fixed_random", length_, options_.deviation));
  }
  if (options_.has("factorized_random")) {
    // Sums of k products of two factors deviate by sqrt(k) times the square of what one does.
    const double each =
        std::sqrt(options_.deviation / std::sqrt(static_cast<double>(options_.rank)));
    left_HNk_ = register_parameter("random_left", fresh("random_left", options_.rank, each));
    right_HNk_ = register_parameter("random_right", fresh("random_right", options_.rank, each));
  }
}

void SynthesizerAttention::make_mixture(torch::TensorOptions tensor_options) {
  if (options_.forms.size() == 1 || options_.mixture == Mixture::sum) return;
  const auto group = register_module("mixture", std::make_shared<torch::nn::Module>());
  const int64_t count = options_.mixture_weights == MixtureWeights::head ? shape_.heads : 1;
  for (const std::string& form : options_.forms)
    mixture_.push_back(group->register_parameter(form, torch::zeros({count}, tensor_options)));
}

nn::AttentionTraits SynthesizerAttention::traits_of(const SynthesizerOptions& options) {
  return {.kinds = {See::all, See::past, See::future, See::prefix, See::others},
          .incremental = true,
          .bias = true,
          .carry = true,
          .cross = true,
          .exposes_scores = true,
          .carry_mean = true,
          .fixed_length = options.fixed_length()};
}

nn::AttentionTraits SynthesizerAttention::traits() const {
  nn::AttentionTraits traits = traits_of(options_);
  traits.fixed_length = length_;
  return traits;
}

double SynthesizerAttention::flops_of(const nn::AttentionShape& shape,
                                      const SynthesizerOptions& options,
                                      const nn::AttentionLoad& load) {
  const auto width = static_cast<double>(shape.width),
             channels = static_cast<double>(shape.heads * shape.head_size);
  const double projection = 2 * load.tokens * width * channels;
  double flops = projection + 2 * load.pairs * channels;  // values and their weighted sum
  for (const std::string& form : options.forms) {
    if (form == "dot_product") flops += 2 * projection + 2 * load.pairs * channels;
    if (form == "dense") flops += projection + 2 * load.pairs * channels;
    if (form == "factorized_random")
      flops += 2 * load.pairs * static_cast<double>(options.rank * shape.heads);
    if (form == "factorized_dense") {
      const auto [a, b] = factors_of(options, length_of(options, shape));
      flops += static_cast<double>(shape.heads) *
               (2 * load.tokens * width * static_cast<double>(a + b) + load.pairs);
    }
  }
  return flops;
}

std::unique_ptr<nn::AttentionMemory> SynthesizerAttention::new_memory(int64_t count,
                                                                      int64_t capacity) const {
  return std::make_unique<nn::SlotTable>(count, capacity);
}

Tensor SynthesizerAttention::heads(const Tensor& x_TC) const {
  return x_TC.view({x_TC.size(0), shape_.heads, x_TC.size(1) / shape_.heads});
}

Tensor SynthesizerAttention::no_numbers(const Tensor& x_TD) const {
  return torch::empty({x_TD.size(0), shape_.heads, 0}, x_TD.options().requires_grad(false));
}

Tensor SynthesizerAttention::hidden_of(const Tensor& query_TD) const {
  return heads(dense_hidden_->forward(query_TD, nn::Activation::relu))
      .to(wide(query_TD.scalar_type()));
}

Tensor SynthesizerAttention::form_weights() const {
  return mixture_.empty() ? Tensor() : at::stack(mixture_).softmax(0);
}

Tensor SynthesizerAttention::weighted(const Tensor& scores_HRM, const Tensor& weights_FH,
                                      const std::string& form) const {
  if (!weights_FH.defined()) return scores_HRM;
  const auto at = std::find(options_.forms.begin(), options_.forms.end(), form);
  return scores_HRM *
         weights_FH[at - options_.forms.begin()].to(scores_HRM.scalar_type()).view({-1, 1, 1});
}

Tensor SynthesizerAttention::by_head(const Tensor& x_THE, const Tensor& weights_FH,
                                     const std::string& form) const {
  return weighted(x_THE.transpose(0, 1), weights_FH, form).transpose(0, 1);
}

Tensor SynthesizerAttention::dot_queries(const Tensor& weights_FH, const Tensor& query_TD) const {
  return by_head(heads(query_->forward(query_TD)), weights_FH, "dot_product");
}

Tensor SynthesizerAttention::place_scores(const Tensor& weights_FH, int64_t first, int64_t count,
                                          int64_t keys, at::ScalarType type) const {
  Tensor sum;
  const auto corner = [&](const Tensor& scores_HNN) {
    return scores_HNN.narrow(1, first, count).narrow(2, 0, keys).to(type);
  };
  if (random_HNN_.defined()) sum = sum_of(sum, weighted(corner(random_HNN_), weights_FH, "random"));
  if (fixed_HNN_.defined())
    sum = sum_of(sum, weighted(corner(fixed_HNN_), weights_FH, "fixed_random"));
  if (left_HNk_.defined()) {
    sum = sum_of(sum, weighted(factorized_random_scores(left_HNk_.narrow(1, first, count).to(type),
                                                        right_HNk_.to(type), count, keys),
                               weights_FH, "factorized_random"));
  }
  return sum;
}

Tensor SynthesizerAttention::dense_bias(const Tensor& weights_FH, at::ScalarType type) const {
  return weighted(dense_bias_HN_.to(type).unsqueeze(1), weights_FH, "dense");
}

Tensor SynthesizerAttention::query_scores(const Tensor& weights_FH, const Tensor& query_TD,
                                          int64_t keys) const {
  // The forms' weights go into factors of the scores, which are smaller than those.
  Tensor sum;
  const at::ScalarType type = wide(query_TD.scalar_type());
  if (dense_hidden_) {
    sum = dense_scores(by_head(hidden_of(query_TD), weights_FH, "dense"),
                       dense_weight_HNE_.to(type), dense_bias(weights_FH, type).squeeze(1), keys);
  }
  if (factor_a_) {
    const Tensor alpha_THA =
        by_head(heads(factor_a_->forward(query_TD)).to(type), weights_FH, "factorized_dense");
    const Tensor beta_THB = heads(factor_b_->forward(query_TD)).to(type);
    sum = sum_of(sum, factorized_dense_scores(alpha_THA, beta_THB, options_.index, keys));
  }
  return sum;
}

void SynthesizerAttention::check_lengths(const nn::SoftmaxPlan& plan) const {
  for (const nn::AttentionSequence& s : plan.sequences) {
    const int64_t needed = std::max(s.queries > 0 ? s.past + s.queries : 0, s.keys);
    require(needed <= length_, ErrorKind::shape, "attention",
            "a sequence of {} tokens is longer than the {} that this 'synthesizer' attention has "
            "scores for",
            needed, length_);
  }
}

std::vector<Tensor> SynthesizerAttention::place_sources() const {
  std::vector<Tensor> sources = mixture_;
  for (const Tensor& weight : {random_HNN_, fixed_HNN_, left_HNk_, right_HNk_, dense_bias_HN_}) {
    if (weight.defined()) sources.push_back(weight);
  }
  return sources;
}

Tensor SynthesizerAttention::scores_beside_products(at::ScalarType type) const {
  if (place_sources().empty()) return {};
  return *beside_products_.get(place_sources(), type, [&] {
    const Tensor weights_FH = form_weights();
    const Tensor bias_H1N = dense_hidden_ ? dense_bias(weights_FH, type) : Tensor();
    return sum_of(place_scores(weights_FH, 0, length_, length_, type), bias_H1N);
  });
}

std::optional<Tensor> SynthesizerAttention::without_scores(const nn::AttentionIn& in,
                                                           const nn::AskedKeys& asked) const {
  const nn::SoftmaxPlan& plan = asked.plan;
  if (!contexts_suffice(in, plan) || !in.query_TD.device().is_cpu() || shape_.residual_scores ||
      factor_a_)
    return std::nullopt;
  const bool places = random_HNN_.defined() || fixed_HNN_.defined() || left_HNk_.defined();
  if (places && shape_.heads * length_ * length_ > kLargestTable) return std::nullopt;
  const at::ScalarType given = in.query_TD.scalar_type(), type = wide(given);
  if (!dense_hidden_ && !query_) {
    const auto table = table_.get(place_sources(), type, [&] {
      return ExpTable(place_scores(form_weights(), 0, length_, length_, type));
    });
    return mix_by_table(*table, asked.value_SHE, plan.sequences, in.query_TD.size(0));
  }
  if ((dense_hidden_ && query_) || !blocks_serve(plan)) return std::nullopt;
  const Tensor weights_FH = form_weights(), added_HRN = scores_beside_products(type);
  if (query_) {
    return mix_by_blocks(dot_queries(weights_FH, in.query_TD).to(type),
                         {.of_rows_SHE = asked.key_SHE.to(type), .of_places_HNE = {}}, asked,
                         added_HRN)
        .to(given);
  }
  return mix_by_blocks(by_head(hidden_of(in.query_TD), weights_FH, "dense"),
                       {.of_rows_SHE = {}, .of_places_HNE = dense_weight_HNE_.to(type)}, asked,
                       added_HRN)
      .to(given);
}

nn::SoftmaxOut SynthesizerAttention::by_scores(const Tensor& query_TD, const nn::AskedKeys& asked,
                                               const Tensor& carry) const {
  int64_t first = length_, last = 0, keys = 0;
  for (const nn::AttentionSequence& s : asked.plan.sequences) {
    keys = std::max(keys, s.keys);
    if (s.queries == 0) continue;
    first = std::min(first, s.past);
    last = std::max(last, s.past + s.queries);
  }
  first = std::min(first, last);
  const Tensor weights_FH = form_weights();
  const Tensor query_THE = query_ ? dot_queries(weights_FH, query_TD) : no_numbers(query_TD);
  const SyntheticScores scores{.place_HRM = place_scores(weights_FH, first, last - first, keys,
                                                         wide(query_TD.scalar_type())),
                               .query_HTM = query_scores(weights_FH, query_TD, keys),
                               .first_place = first};
  return mix_by_scores(query_THE, asked, scores, carry);
}

Tensor SynthesizerAttention::by_scores_in_pieces(const Tensor& query_TD,
                                                 const nn::AskedKeys& asked) const {
  Tensor context_THE =
      torch::zeros({query_TD.size(0), shape_.heads, shape_.head_size}, asked.value_SHE.options());
  nn::AskedKeys piece = asked;
  std::vector<nn::AttentionSequence>& sequences = piece.plan.sequences;
  sequences.clear();
  int64_t begin = 0, rows = 0, scores = 0;
  const auto finish = [&] {
    if (rows == 0) return;
    context_THE.narrow(0, begin, rows)
        .copy_(by_scores(query_TD.narrow(0, begin, rows), piece, {}).context_THE);
    sequences.clear();
    rows = scores = 0;
  };
  for (const nn::AttentionSequence& s : asked.plan.sequences) {
    const int64_t a_row = std::max<int64_t>(1, shape_.heads * s.keys);
    for (int64_t done = 0; done < s.queries;) {
      if (rows > 0 && scores + (s.queries - done) * a_row > kScoresAtATime) finish();
      if (rows == 0) begin = s.query_begin + done;
      nn::AttentionSequence part = s;
      part.query_begin = rows;
      part.past = s.past + done;
      part.queries = std::clamp<int64_t>((kScoresAtATime - scores) / a_row, 1, s.queries - done);
      sequences.push_back(part);
      done += part.queries;
      rows += part.queries;
      scores += part.queries * a_row;
    }
  }
  finish();
  return context_THE;
}

nn::AttentionOut SynthesizerAttention::forward(const nn::AttentionIn& in) const {
  nn::check_context(in, traits());
  Tensor key_SHE, value_SHE;
  if (in.keys == nn::KeysFrom::given) {
    key_SHE = query_ ? heads(key_->forward(in.source_SD)) : no_numbers(in.source_SD);
    value_SHE = heads(value_->forward(in.source_SD));
  }
  nn::AskedKeys asked = nn::asked_keys(in, key_SHE, value_SHE,
                                       {.heads = shape_.heads,
                                        .key_size = query_ ? shape_.head_size : 0,
                                        .value_size = shape_.head_size},
                                       shape_.dropout);
  check_lengths(asked.plan);
  nn::set_carry(asked.plan, shape_);
  asked.plan.scale = !query_              ? 1.0
                     : shape_.scale > 0.0 ? shape_.scale
                                          : 1.0 / std::sqrt(static_cast<double>(shape_.head_size));
  const auto joined = [&](const Tensor& context_THE) {
    return context_THE.reshape({in.query_TD.size(0), shape_.heads * shape_.head_size});
  };
  if (const auto context_THE = without_scores(in, asked)) return {joined(*context_THE), nullptr};
  int64_t scores = 0;
  for (const nn::AttentionSequence& s : asked.plan.sequences)
    scores += shape_.heads * s.queries * s.keys;
  if (scores > kScoresAtATime && contexts_suffice(in, asked.plan))
    return {joined(by_scores_in_pieces(in.query_TD, asked)), nullptr};
  const nn::SoftmaxOut out =
      by_scores(in.query_TD, asked, in.carry ? in.carry->tensors.at(0) : Tensor());
  return {joined(out.context_THE), nn::carry_of(out)};
}

}  // namespace tenfold::synthesizer
