// The forms, their mixtures and all their gradients against stored reference results.
// Not here: modules, which the definition in synthesizer_test.cpp covers.
#include "golden.h"
#include "methods/synthesizer/exp_table.h"
#include "methods/synthesizer/synthetic_scores.h"
#include "nn/attention_fixture.h"
#include "tensor/safetensors_tensors.h"

namespace tenfold::synthesizer {
namespace {

using tenfold::testing::shared_path;

/// One case in one number format: its inputs as leaves, and what is computed from them.
class GoldenCase {
 public:
  GoldenCase(const SafetensorsFile& file, const std::string& name, at::ScalarType dtype)
      : file_(file), name_(name), dtype_(dtype) {
    inputs_ = "in-" + name.substr(name.find("-n") + 1);
    form_ = name.substr(0, name.find("-n"));
    const auto shape = file.tensor(name + "/out").sizes().vec();
    count_ = shape[0];
    heads_ = shape[1];
    queries_ = shape[2];
    nn::AttentionContext context{
        .query_layout =
            SequenceLayout::of_lengths(std::vector<int64_t>(static_cast<size_t>(count_), queries_)),
        .source_layout =
            SequenceLayout::of_lengths(std::vector<int64_t>(static_cast<size_t>(count_), queries_)),
        .mask = {},
        .bias = nullptr,
        .past = {},
        .pass = {},
        .row_keys_T = {}};
    context.mask.see = {name.find("causal") != std::string::npos ? See::past : See::all};
    context.mask.keep_S = file.tensor(inputs_ + "/keep").flatten().to(torch::kBool);
    asked_.plan = nn::SoftmaxPlan::of(context);
    asked_.plan.hand_on_scores = true;
  }

  nn::SoftmaxOut run() {
    asked_.value_SHE = packed("v");
    SyntheticScores scores;
    Tensor query = torch::zeros({count_ * queries_, heads_, 0}, dtype_), mix;
    asked_.key_SHE = query;
    const bool mixture = form_.starts_with("mixture");
    if (mixture) {
      query = packed("q");
      asked_.key_SHE = packed("kk");
      asked_.plan.scale = 1.0 / std::sqrt(static_cast<double>(query.size(2)));
    }
    if (form_ == "random" || mixture) scores.place_HRM = leaf("R");
    if (form_ == "factor-random") {
      scores.place_HRM = factorized_random_scores(leaf("R1"), leaf("R2"), queries_, queries_);
    }
    if (form_ == "dense" || mixture) {
      scores.query_HTM =
          dense_scores(projected("w1", "b1").relu(), leaf("w2"), leaf("b2"), queries_);
    }
    if (form_.starts_with("factor-dense")) {
      scores.query_HTM = factorized_dense_scores(
          projected("wa", "ba"), projected("wb", "bb"),
          form_ == "factor-dense" ? IndexMap::tile_repeat : IndexMap::tile_tile, queries_);
    }
    if (form_ == "mixture") {
      const Tensor weights = leaf("mix").softmax(0);
      query = query * weights[0];
      scores.query_HTM = scores.query_HTM * weights[1];
      scores.place_HRM = scores.place_HRM * weights[2];
    }
    place_HRM_ = scores.place_HRM;
    return mix_by_scores(query, asked_, scores, {});
  }

  void compare() {
    SCOPED_TRACE(name_);
    const nn::SoftmaxOut out = run();
    near(out.context_THE, rows_of(stored("out")), "out");
    near(out.flat_scores, seen_scores(), "logits");
    std::vector<Tensor> wanted;
    for (const auto& [name, value] : leaves_) wanted.push_back(value);
    const auto gradients =
        torch::autograd::grad({(out.context_THE * rows_of(stored("G")).to(dtype_)).sum()}, wanted);
    size_t at = 0;
    for (const auto& [name, value] : leaves_) near(gradients[at++], stored("grad." + name), name);
    if (form_ != "random" && form_ != "factor-random") return;
    const torch::NoGradGuard no_grad;
    const auto mixed = mix_by_table(ExpTable(place_HRM_), asked_.value_SHE, asked_.plan.sequences,
                                    count_ * queries_);
    ASSERT_TRUE(mixed);
    near(*mixed, rows_of(stored("out")), "out by table");
  }

 private:
  Tensor stored(const std::string& part) const { return file_.tensor(name_ + "/" + part); }

  Tensor leaf(const std::string& part) {
    if (!leaves_.contains(part))
      leaves_[part] = file_.tensor(inputs_ + "/" + part).to(dtype_).requires_grad_();
    return leaves_[part];
  }

  static Tensor rows_of(const Tensor& x_BHND) { return x_BHND.transpose(1, 2).flatten(0, 1); }
  Tensor packed(const std::string& part) { return rows_of(leaf(part)); }

  /// x w^T + b of every head, [T, H, out].
  Tensor projected(const std::string& weight, const std::string& bias) {
    return at::einsum("bnd,hed->bnhe", {leaf("x"), leaf(weight)}).flatten(0, 1) + leaf(bias);
  }

  /// The stored scores as they are handed on: without hidden keys.
  Tensor seen_scores() const {
    const Tensor keep_BM = file_.tensor(inputs_ + "/keep").to(torch::kBool);
    std::vector<Tensor> seen;
    for (int64_t b = 0; b < count_; ++b)
      seen.push_back(stored("logits")[b].index({"...", keep_BM[b]}).flatten());
    return at::cat(seen);
  }

  void near(const Tensor& got, const Tensor& expected, const std::string& part) const {
    const double largest = std::max(1.0, expected.abs().max().item<double>());
    EXPECT_LE(nn::testing::worst(got.detach().to(torch::kDouble), expected),
              (dtype_ == at::kDouble ? 1e-10 : 1e-5) * largest)
        << part;
  }

  const SafetensorsFile& file_;
  std::string name_, inputs_, form_;
  at::ScalarType dtype_;
  int64_t count_ = 0, heads_ = 0, queries_ = 0;
  nn::AskedKeys asked_;
  Tensor place_HRM_;
  std::map<std::string, Tensor> leaves_;
};

TEST(Synthesizer, EqualsTheGoldens) {
  TENFOLD_COMPARES_GOLDENS();
  const auto file = SafetensorsFile::open(shared_path("goldens/attention/synthesizer.safetensors"));
  size_t cases = 0;
  for (const TensorEntry& entry : file.entries()) {
    const size_t end = entry.name.find("/out");
    if (end == std::string::npos) continue;
    ++cases;
    for (const at::ScalarType dtype : {at::kDouble, at::kFloat})
      GoldenCase(file, entry.name.substr(0, end), dtype).compare();
  }
  EXPECT_EQ(cases, 28U);
  tenfold::testing::compared_goldens(cases);
}

}  // namespace
}  // namespace tenfold::synthesizer
