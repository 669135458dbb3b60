// Softmax attention: every form against the reference, carry, bias, packed documents and the
// goldens' formula. Not here: what every kind must do (attention_properties_test.cpp).
#include "attention_fixture.h"
#include "cuda.h"
#include "golden.h"
#include "nn/packing.h"
#include "nn/softmax_step.h"
#include "support/fail.h"
#include "tensor/gradient_check.h"
#include "tensor/safetensors_tensors.h"

namespace tenfold::nn::testing {
namespace {

using tenfold::testing::shared_path;

struct Inputs {
  Tensor query, key, value, carry;
  SoftmaxPlan plan;
};

enum class Extras : uint8_t { none, all };

/// Queries of one layout over keys of another; both must outlive it.
AttentionContext context_between(const SequenceLayout& queries, const SequenceLayout& keys,
                                 std::vector<int64_t> past, See see) {
  AttentionContext context{.query_layout = queries,
                           .source_layout = keys,
                           .mask = {},
                           .bias = nullptr,
                           .past = std::move(past),
                           .pass = {},
                           .row_keys_T = {}};
  context.mask.see = {see};
  return context;
}

/// Cross-attention sizes, holes in some sequences; with all extras also bias, carry and dropout.
Inputs make_inputs(See see, Extras extras, at::ScalarType dtype) {
  const std::vector<int64_t> queries{4, 0, 1, 7, 3}, keys{6, 5, 1, 7, 0};
  const auto query_layout = SequenceLayout::of_lengths(queries),
             source_layout = SequenceLayout::of_lengths(keys);
  AttentionContext context = context_between(query_layout, source_layout, {2, 0, 0, 0, 0}, see);
  context.mask.source = {3, 0, 1, 2, 0};
  context.mask.keep_S = torch::ones({19}, torch::kBool);
  for (const int64_t hole : {1, 11, 12, 15})
    context.mask.keep_S[hole] = false;  // 11: the only key of sequence 2
  context.pass = {.training = true, .key = 3, .example_keys = {1, 2, 3, 4, 5}};
  Inputs in;
  in.plan = SoftmaxPlan::of(context);
  in.plan.scale = 0.5;
  const auto rows = [&](int64_t n, uint64_t seed) {
    return random_rows(n, 12, seed, dtype).view({n, 3, 4}).requires_grad_();
  };
  in.query = rows(15, 1);
  in.key = rows(19, 2);
  in.value = rows(19, 3);
  if (extras == Extras::none) return in;
  in.plan.dropout = 0.25;
  in.plan.site = 9;
  in.plan.row_keys_T = row_keys(context.pass, query_layout);
  in.plan.hand_on_scores = true;
  in.plan.factor = 0.5;
  in.plan.bias =
      std::make_shared<PositionBias>(PositionBias{random_rows(3, 7, 4, dtype).requires_grad_(), 3});
  int64_t size = 0;
  for (const AttentionSequence& s : in.plan.sequences) size += 3 * s.queries * s.seen_keys();
  in.carry = random_rows(1, size, 5, dtype).flatten().requires_grad_();
  return in;
}

using Form = decltype(&softmax_reference);

/// The forms that are held against the reference, and the reference itself.
const std::vector<std::pair<const char*, Form>> kForms{
    {"fast", softmax_fast}, {"batched", softmax_batched}, {"reference", softmax_reference}};

std::vector<Tensor> values_and_gradients(const Inputs& in, Form form) {
  const SoftmaxOut out = form(in.query, in.key, in.value, in.carry, in.plan);
  const auto dtype = in.query.scalar_type();
  std::vector<Tensor> inputs{in.query, in.key, in.value};
  Tensor loss = (out.context_THE.flatten() *
                 random_rows(1, out.context_THE.numel(), 6, dtype)[0].to(in.query.device()))
                    .sum();
  if (in.carry.defined()) {
    inputs.push_back(in.carry);
    inputs.push_back(in.plan.bias->by_offset_HR);
    loss = loss + (out.flat_scores *
                   random_rows(1, out.flat_scores.numel(), 7, dtype)[0].to(in.query.device()))
                      .sum();
  }
  std::vector<Tensor> result = torch::autograd::grad({loss}, inputs);
  result.push_back(out.context_THE.detach());
  if (in.carry.defined()) result.push_back(out.flat_scores.detach());
  return result;
}

/// Values, gradients and values without gradient of one form against the reference.
void check_against_reference(const Inputs& in, Form form, double tolerance) {
  const auto got = values_and_gradients(in, form),
             reference = values_and_gradients(in, softmax_reference);
  for (size_t i = 0; i < got.size(); ++i)
    EXPECT_LE(worst(got[i], reference[i]), tolerance) << "tensor " << i;
  const torch::NoGradGuard no_grad;
  const SoftmaxOut inference = form(in.query, in.key, in.value, in.carry, in.plan);
  EXPECT_LE(worst(inference.context_THE, reference[in.carry.defined() ? 5 : 3]), tolerance);
}

TEST(SoftmaxAttention, EveryFormEqualsTheReference) {
  for (const auto& [name, form] : kForms) {
    for (const at::ScalarType dtype : {at::kDouble, at::kFloat}) {
      for (const See see : kAllKinds) {
        for (const Extras extras : {Extras::none, Extras::all}) {
          SCOPED_TRACE(fmt::format("{}, {}", name, kind_name(see)));
          check_against_reference(make_inputs(see, extras, dtype), form,
                                  dtype == at::kDouble ? 1e-12 : 1e-5);
        }
      }
    }
  }
}

/// Steps of decoding: few queries at the end of many keys, in several stretches and blocks.
Inputs step_inputs(See see, bool bias, at::ScalarType dtype) {
  const std::vector<int64_t> queries{1, 4, 0, 2, 1}, keys{5000, 70, 3, 64, 0};
  const auto query_layout = SequenceLayout::of_lengths(queries),
             source_layout = SequenceLayout::of_lengths(keys);
  AttentionContext context =
      context_between(query_layout, source_layout, {4999, 66, 0, 31, 0}, see);
  context.mask.source = {3, 70, 1, 2, 0};
  Inputs in;
  in.plan = SoftmaxPlan::of(context);
  in.plan.scale = 0.25;
  in.query = random_rows(8, 96, 1, dtype).view({8, 3, 32});
  in.key = random_rows(5137, 192, 2, dtype).view({5137, 2, 3, 32}).select(1, 0);  // every other row
  in.value = random_rows(5137, 48, 3, dtype).view({5137, 3, 16});
  if (bias)
    in.plan.bias = std::make_shared<PositionBias>(PositionBias{random_rows(3, 41, 4, dtype), 20});
  return in;
}

TEST(SoftmaxAttention, StepsOfDecodingEqualTheReference) {
  const torch::NoGradGuard no_grad;
  for (const at::ScalarType dtype : {at::kDouble, at::kFloat}) {
    for (const See see : kAllKinds) {
      for (const bool bias : {false, true}) {
        SCOPED_TRACE(fmt::format("{}, bias {}", kind_name(see), bias));
        const Inputs in = step_inputs(see, bias, dtype);
        ASSERT_TRUE(softmax_step_serves(in.query, in.key, in.value, {}, in.plan));
        const Tensor got = softmax_fast(in.query, in.key, in.value, {}, in.plan).context_THE;
        EXPECT_LE(
            worst(got, softmax_reference(in.query, in.key, in.value, {}, in.plan).context_THE),
            dtype == at::kDouble ? 1e-12 : 1e-5);
        EXPECT_TRUE(torch::equal(got, softmax_step(in.query, in.key, in.value, in.plan)));
      }
    }
  }
}

TEST(SoftmaxAttention, StepsLeaveWhatTheyCannotToOtherForms) {
  Inputs in = step_inputs(See::past, false, at::kFloat);
  const auto serves = [&](const Tensor& carry = {}) {
    return softmax_step_serves(in.query, in.key, in.value, carry, in.plan);
  };
  EXPECT_FALSE(serves());  // gradients
  const torch::NoGradGuard no_grad;
  EXPECT_TRUE(serves());
  EXPECT_FALSE(serves(torch::zeros({1})));
  for (const auto& change : std::vector<std::function<void(SoftmaxPlan&)>>{
           [](SoftmaxPlan& p) { p.dropout = 0.1; }, [](SoftmaxPlan& p) { p.factor = 0.5; },
           [](SoftmaxPlan& p) { p.hand_on_scores = true; },
           [](SoftmaxPlan& p) { p.sequences[0].queries = 5; },
           [](SoftmaxPlan& p) { p.sequences[0].has_holes = true; }}) {
    const SoftmaxPlan before = in.plan;
    change(in.plan);
    EXPECT_FALSE(serves());
    in.plan = before;
  }
  in.key = in.key.narrow(2, 0, 8);
  EXPECT_FALSE(serves());
}

/// The same inputs on another device, leaves of their own.
Inputs moved(const Inputs& in, torch::Device device) {
  Inputs out = in;
  const auto leaf = [&](const Tensor& x) { return x.detach().to(device).requires_grad_(); };
  out.query = leaf(in.query);
  out.key = leaf(in.key);
  out.value = leaf(in.value);
  if (!in.carry.defined()) return out;
  out.carry = leaf(in.carry);
  out.plan.row_keys_T = in.plan.row_keys_T.to(device);
  out.plan.bias = std::make_shared<PositionBias>(
      PositionBias{leaf(in.plan.bias->by_offset_HR), in.plan.bias->reach});
  return out;
}

TEST(SoftmaxAttention, OnCudaEqualsTheReferenceOnTheCpu) {
  TENFOLD_NEEDS_CUDA();
  for (const at::ScalarType dtype : {at::kDouble, at::kFloat}) {
    for (const See see : kAllKinds) {
      for (const Extras extras : {Extras::none, Extras::all}) {
        SCOPED_TRACE(kind_name(see));
        const Inputs in = make_inputs(see, extras, dtype);
        const auto got = values_and_gradients(moved(in, torch::kCUDA), softmax_batched),
                   expected = values_and_gradients(in, softmax_reference);
        for (size_t i = 0; i < got.size(); ++i) {
          EXPECT_LE(worst(got[i].cpu(), expected[i]), dtype == at::kDouble ? 1e-12 : 1e-5)
              << "tensor " << i;
        }
      }
    }
  }
}

TEST(SoftmaxAttention, GradientsOfCarryAndBiasEqualCentralDifferences) {
  for (const See see : kAllKinds) {
    const Inputs in = make_inputs(see, Extras::all, at::kDouble);
    const auto loss = [&] {
      const SoftmaxOut out = softmax_fast(in.query, in.key, in.value, in.carry, in.plan);
      return out.context_THE.pow(2).sum() + out.flat_scores.pow(3).sum();
    };
    EXPECT_LE(
        gradient_error(loss, {in.query, in.key, in.value, in.carry, in.plan.bias->by_offset_HR}),
        1e-7);
  }
}

/// Packs [B, H, N, D] as the rows [B * N, H, D] the kernels take.
Tensor packed_rows(const Tensor& x_BHND) {
  return x_BHND.transpose(1, 2).flatten(0, 1).contiguous();
}

/// Values and gradients of one golden case, in float64 or float32.
void check_golden(const SafetensorsFile& file, const std::string& name, at::ScalarType dtype) {
  SCOPED_TRACE(name);
  const auto input = [&](const char* part) {
    return packed_rows(file.tensor(name + "/" + part).to(dtype));
  };
  const auto sizes = file.tensor(name + "/q").sizes().vec();
  const int64_t count = sizes[0], n = sizes[2], m = file.tensor(name + "/k").size(2);
  const bool causal = name.find("causal") != std::string::npos;
  const auto rows = static_cast<size_t>(count);
  AttentionContext context{
      .query_layout = SequenceLayout::of_lengths(std::vector<int64_t>(rows, n)),
      .source_layout = SequenceLayout::of_lengths(std::vector<int64_t>(rows, m)),
      .mask = {},
      .bias = nullptr,
      .past = std::vector<int64_t>(rows, m - n),
      .pass = {},
      .row_keys_T = {}};
  context.mask.see = {causal ? See::past : See::all};
  if (file.has(name + "/keep"))
    context.mask.keep_S = file.tensor(name + "/keep").flatten().to(torch::kBool);
  SoftmaxPlan plan = SoftmaxPlan::of(context);
  plan.scale = 1.0 / std::sqrt(static_cast<double>(sizes[3]));
  const Tensor q = input("q").requires_grad_(), k = input("k").requires_grad_(),
               v = input("v").requires_grad_();
  for (const auto& [form_name, form] : kForms) {
    SCOPED_TRACE(form_name);
    const Tensor out = form(q, k, v, {}, plan).context_THE;
    const auto gradients = torch::autograd::grad({(out * input("G")).sum()}, {q, k, v});
    const double tolerance = dtype == at::kDouble ? 1e-10 : 1e-5;
    const std::vector<std::pair<Tensor, const char*>> pairs{
        {out, "out"}, {gradients[0], "grad.q"}, {gradients[1], "grad.k"}, {gradients[2], "grad.v"}};
    for (const auto& [got, part] : pairs) {
      const Tensor expected = packed_rows(file.tensor(name + "/" + part));
      const double largest = std::max(1.0, expected.abs().max().item<double>());
      EXPECT_LE(worst(got.to(torch::kDouble), expected), tolerance * largest) << part;
    }
  }
}

TEST(SoftmaxAttention, EqualsTheGoldens) {
  TENFOLD_COMPARES_GOLDENS();
  const auto file = SafetensorsFile::open(shared_path("goldens/attention/softmax.safetensors"));
  int cases = 0;
  for (const TensorEntry& entry : file.entries()) {
    const size_t end = entry.name.find("/q");
    if (end == std::string::npos) continue;
    ++cases;
    for (const at::ScalarType dtype : {at::kDouble, at::kFloat})
      check_golden(file, entry.name.substr(0, end), dtype);
  }
  EXPECT_EQ(cases, 32);
  tenfold::testing::compared_goldens(static_cast<size_t>(cases));
}

/// Scores of the layers one after another: what the kernels hand on equals the golden's sums.
void check_carry(const SafetensorsFile& file, const std::string& name, at::ScalarType dtype) {
  SCOPED_TRACE(name);
  const auto stored = [&](const char* part) { return file.tensor(name + "/" + part).to(dtype); };
  const Tensor query_LBHNE = stored("q"), key_LBHME = stored("k"), value_LBHMF = stored("v");
  const int64_t count = query_LBHNE.size(1), heads = query_LBHNE.size(2), n = query_LBHNE.size(3),
                m = key_LBHME.size(3);
  const auto rows = static_cast<size_t>(count);
  const bool causal = name.find("causal") != std::string::npos;
  const Tensor keep_BM = file.tensor(name + "/keep").to(torch::kBool);
  AttentionContext context{
      .query_layout = SequenceLayout::of_lengths(std::vector<int64_t>(rows, n)),
      .source_layout = SequenceLayout::of_lengths(std::vector<int64_t>(rows, m)),
      .mask = {.see = {causal ? See::past : See::all}, .source = {}, .keep_S = keep_BM.flatten()},
      .bias = nullptr,
      .past = std::vector<int64_t>(rows, m - n),
      .pass = {},
      .row_keys_T = {}};
  SoftmaxPlan plan = SoftmaxPlan::of(context);
  plan.scale = 1.0 / std::sqrt(static_cast<double>(query_LBHNE.size(4)));
  plan.hand_on_scores = true;
  const bool mean = name.find("mean") != std::string::npos;
  const double tolerance = dtype == at::kDouble ? 1e-10 : 1e-5;
  const auto near = [&](const Tensor& got, const Tensor& expected, const char* part) {
    const double largest = std::max(1.0, expected.abs().max().item<double>());
    EXPECT_LE(worst(got.to(torch::kDouble), expected), tolerance * largest) << part;
  };
  for (const auto& [form_name, form] : kForms) {
    SCOPED_TRACE(form_name);
    std::vector<Tensor> inputs;
    Tensor loss, carry;
    for (int64_t layer = 0; layer < query_LBHNE.size(0); ++layer) {
      for (const Tensor& x : {query_LBHNE, key_LBHME, value_LBHMF})
        inputs.push_back(packed_rows(x[layer]).requires_grad_());
      const Tensor* qkv = &inputs[inputs.size() - 3];
      plan.factor = mean ? 1.0 / static_cast<double>(layer + 1) : 1.0;
      const SoftmaxOut out = form(qkv[0], qkv[1], qkv[2], carry, plan);
      carry = out.flat_scores;
      near(out.context_THE, packed_rows(file.tensor(name + "/out")[layer]), "out");
      const Tensor score_BHNM = file.tensor(name + "/scores")[layer];
      std::vector<Tensor> seen;
      for (int64_t b = 0; b < count; ++b)
        seen.push_back(score_BHNM[b].index({"...", keep_BM[b]}).reshape({heads * n, -1}).flatten());
      near(carry, at::cat(seen), "scores");
      const Tensor part = (out.context_THE * packed_rows(stored("G")[layer])).sum();
      loss = loss.defined() ? loss + part : part;
    }
    const auto gradients = torch::autograd::grad({loss}, inputs);
    for (size_t i = 0; i < inputs.size(); ++i) {
      const char* part = i % 3 == 0 ? "grad.q" : i % 3 == 1 ? "grad.k" : "grad.v";
      near(gradients[i], packed_rows(file.tensor(name + "/" + part)[static_cast<int64_t>(i / 3)]),
           part);
    }
  }
}

TEST(SoftmaxAttention, CarriesScoresAsTheRealformerGoldens) {
  TENFOLD_COMPARES_GOLDENS();
  const auto file = SafetensorsFile::open(shared_path("goldens/attention/realformer.safetensors"));
  int cases = 0;
  for (const TensorEntry& entry : file.entries()) {
    const size_t end = entry.name.find("/q");
    const std::string name = entry.name.substr(0, end);
    if (end == std::string::npos) continue;
    ++cases;
    for (const at::ScalarType dtype : {at::kDouble, at::kFloat}) check_carry(file, name, dtype);
  }
  EXPECT_EQ(cases, 12);
  tenfold::testing::compared_goldens(static_cast<size_t>(cases));
}

}  // namespace
}  // namespace tenfold::nn::testing
