// Linear attention against reference results, its recurrent state step by step, and long sequences.
// Not here: the kernel against its definition (tests/methods/feature_attention_test.cpp).
#include "methods/linear_attention/linear_attention.h"

#include <ctime>

#include "methods/attention_goldens.h"
#include "methods/linear_attention/linear_maps.h"
#include "methods/methods.h"
#include "nn/stack.h"
#include "support/allocator.h"
#include "train/adamw.h"
#include "train/parameters.h"

namespace tenfold::linear_attention {
namespace {

using nn::testing::AttentionGoldens;
using nn::testing::GoldenInputs;

/// The plan of a case, from what its table says of it.
nn::FeaturePlan plan_of(const std::string& name, const nlohmann::json& about, int64_t head_size) {
  Options options;
  const std::string map = about.value("map", "");
  if (map.find("softmax") != std::string::npos) options.feature_map = Map::softmax;
  if (map.find("q") != std::string::npos && map[0] == '1') options.feature_map = Map::taylor;
  if (name.rfind("efficient", 0) == 0) options.feature_map = Map::efficient;
  if (name.find("scalar") != std::string::npos) options.feature_map = Map::efficient_scalar;
  nn::FeaturePlan plan{.sequences = {}, .map = make_map(options, head_size)};
  plan.epsilon = about.value("eps", 0.0);
  if (options.feature_map == Map::efficient) plan.denominator = nn::Denominator::feature;
  return plan;
}

TEST(LinearAttention, EqualsReferenceResults) {
  TENFOLD_COMPARES_GOLDENS();
  const AttentionGoldens goldens("linear");
  for (const auto& [name, about] : goldens.cases().items()) {
    for (const auto form : {&nn::feature_fast, &nn::feature_chunked}) {
      nn::testing::check_golden(goldens, name, about, 1e-5, [&](const GoldenInputs& in) {
        nn::FeaturePlan plan = plan_of(name, about, in.query.size(2));
        plan.sequences = in.sequences;
        return form(in.query, in.key, in.value, plan);
      });
    }
  }
}

TEST(LinearAttention, TheStateEqualsReferenceStatesAfterEveryToken) {
  TENFOLD_COMPARES_GOLDENS();
  const AttentionGoldens goldens("linear");
  const std::string name = "elu1-steps-n12";
  const GoldenInputs in =
      nn::testing::golden_inputs(goldens, name, goldens.cases()[name], torch::kDouble);
  const nn::FeaturePlan plan{.sequences = {}, .map = make_map({}, in.query.size(2))};
  const torch::NoGradGuard no_grad;
  const int64_t n = in.sequences[0].queries;
  for (size_t b = 0; b < in.sequences.size(); ++b) {
    const auto& s = in.sequences[b];
    nn::RecurrentState state;
    for (int64_t i = 0; i < n; ++i) {
      const Tensor keep = goldens[name + "/keep"][static_cast<int64_t>(b)].narrow(0, i, 1);
      state = nn::extend_state(state, in.key.narrow(0, s.key_begin + i, 1),
                               in.value.narrow(0, s.key_begin + i, 1), keep.to(torch::kBool), plan);
      const auto at = [&](const char* what) {
        return goldens[name + what][static_cast<int64_t>(b)].select(1, i);
      };
      EXPECT_LE(nn::testing::worst(state.sum_HRE, at("/S")), 1e-10) << i;
      EXPECT_LE(nn::testing::worst(state.normalizer_HR, at("/z")), 1e-10) << i;
      tenfold::testing::compared_goldens(2);
    }
  }
}

/// Processor seconds of a forward and a backward pass over one sequence, 8 heads of 64, and of
/// nothing else: sums and additions of gradients run at the speed of whichever memory holds them.
/// None of the lengths fits a cache.
double seconds_of_pass(int64_t length, See see) {
  const auto rows = [&](uint64_t seed) {
    return nn::testing::random_rows(length, 8 * 64, seed, torch::kFloat)
        .view({length, 8, 64})
        .detach()
        .requires_grad_();
  };
  const Tensor query = rows(1), key = rows(2), value = rows(3);
  const nn::FeaturePlan plan{
      .sequences = {{.queries = length, .keys = length, .kind = see, .kept = {}}},
      .map = make_map({}, 64)};
  const Tensor slope = rows(4).detach();
  double best = 1e9;
  for (int repeat = 0; repeat < 8; ++repeat) {  // the first ones find their memory
    const std::clock_t begin = std::clock();
    torch::autograd::grad({nn::feature_fast(query, key, value, plan)}, {query, key, value},
                          {slope});
    best = std::min(best, static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC);
  }
  return best;
}

TEST(LinearAttention, TimeGrowsWithTheLengthSlow) {
  keep_freed_memory();  // as the program does
  for (const See see : {See::all, See::past, See::others}) {
    const double ratio = seconds_of_pass(65536, see) / seconds_of_pass(8192, see);
    EXPECT_LE(std::log2(ratio) / 3, 1.1) << nn::testing::kind_name(see);
  }
}

/// Rows of the copying task: symbols, a mark, the symbols again (Katharopoulos et al.,
/// section 4.1).
struct CopyingTask : torch::nn::Module {
  static constexpr int64_t kSymbols = 10, kLength = 16, kRow = 2 * kLength + 1, kWidth = 64;

  explicit CopyingTask(uint64_t seed) : draw(seed, "copying") {
    const auto weight = [&](const char* name, int64_t rows, uint64_t which) {
      return register_parameter(name,
                                nn::testing::random_rows(rows, kWidth, which, torch::kFloat) * 0.2);
    };
    symbols = weight("symbols", kSymbols + 1, 1);
    places = weight("places", kRow, 2);
    head = weight("head", kSymbols, 3);
    nn::StackSpec spec;
    spec.width = kWidth;
    spec.heads = 4;
    spec.intermediate_size = 128;
    spec.runs = {{.count = 2, .attention = config::Choice::of("linear", Options{})}};
    stack = register_module("stack", std::make_shared<nn::Stack>(spec, 1, torch::TensorOptions()));
  }

  Tensor rows(int64_t count) {
    Tensor ids = torch::empty({count, kRow}, torch::kInt64);
    for (int64_t b = 0; b < count; ++b) {
      for (int64_t i = 0; i < kLength; ++i) {
        const auto symbol = static_cast<int64_t>(draw.below(kSymbols));
        ids[b][i] = symbol;
        ids[b][kLength + 1 + i] = symbol;
      }
      ids[b][kLength] = kSymbols;
    }
    return ids;
  }

  /// Scores of the symbol behind each of the places from the mark on: [rows * length, symbols].
  Tensor scores(const Tensor& ids_BN) const {
    const int64_t count = ids_BN.size(0), n = kRow - 1;
    const Tensor fed = ids_BN.narrow(1, 0, n).reshape({-1});
    const Tensor hidden = at::embedding(symbols, fed) + places.narrow(0, 0, n).repeat({count, 1});
    const auto layout =
        SequenceLayout::of_lengths(std::vector<int64_t>(static_cast<size_t>(count), n));
    const MaskSpec mask{.see = {See::past}, .source = {}, .keep_S = {}};
    const Tensor out = stack
                           ->forward({.hidden_TD = hidden,
                                      .layout = layout,
                                      .mask = mask,
                                      .pass = PassContext::evaluation(),
                                      .source_SD = {},
                                      .bias = nullptr})
                           .hidden_TD;
    return out.view({count, n, kWidth})
        .narrow(1, kLength, kLength)
        .reshape({-1, kWidth})
        .matmul(head.t());
  }

  RandomStream draw;
  Tensor symbols, places, head;
  std::shared_ptr<nn::Stack> stack;
};

TEST(LinearAttention, SolvesTheCopyingTaskSlow) {
  methods::register_all();
  const auto task = std::make_shared<CopyingTask>(3);
  const auto copies = [](const Tensor& ids) {
    return ids.narrow(1, CopyingTask::kLength + 1, CopyingTask::kLength).reshape({-1});
  };
  const auto parameters = train::collect_parameters({{.prefix = "", .module = task}});
  train::AdamW optimizer(parameters, {.learning_rate = 2e-3, .weight_decay = 0.0});
  for (int step = 0; step < 1500; ++step) {
    const Tensor ids = task->rows(32);
    at::cross_entropy_loss(task->scores(ids), copies(ids)).backward();
    optimizer.step(1.0);
    train::clear_gradients(parameters);
  }
  const torch::NoGradGuard no_grad;
  const Tensor ids = task->rows(200);
  const Tensor right = task->scores(ids).argmax(1) == copies(ids);
  EXPECT_GE(right.to(torch::kDouble).mean().item<double>(), 0.99);
}

}  // namespace
}  // namespace tenfold::linear_attention
