// Reference results of attention kinds: cases in a JSON file, tensors [B, H, N, E] in a safetensors
// file. Not here: which case is computed how (each method's test).
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "golden.h"
#include "nn/attention_fixture.h"
#include "nn/attention_sequence.h"
#include "support/files.h"
#include "tensor/safetensors_tensors.h"

namespace tenfold::nn::testing {

/// One file of cases.
class AttentionGoldens {
 public:
  explicit AttentionGoldens(const std::string& stem)
      : file_(SafetensorsFile::open(
            tenfold::testing::shared_path("goldens/attention/" + stem + ".safetensors"))),
        table_(nlohmann::json::parse(
            read_file(tenfold::testing::shared_path("goldens/attention/" + stem + ".json"),
                      64 << 20, ErrorKind::data))) {}

  const nlohmann::json& cases() const { return table_["cases"]; }
  bool has(const std::string& name) const { return file_.has(name); }
  Tensor operator[](const std::string& name) const { return file_.tensor(name); }

 private:
  SafetensorsFile file_;
  nlohmann::json table_;
};

/// [B, H, N, E] as rows [B * N, H, E], and back.
inline Tensor packed_rows(const Tensor& x_BHNE) {
  return x_BHNE.transpose(1, 2).reshape({x_BHNE.size(0) * x_BHNE.size(2), x_BHNE.size(1), -1});
}

/// What a case gives its kind: rows, and sequences with the padding as holes.
struct GoldenInputs {
  Tensor query, key, value, gradient;  ///< of the result, undefined where there is none
  std::vector<AttentionSequence> sequences;
};

inline GoldenInputs golden_inputs(const AttentionGoldens& goldens, const std::string& name,
                                  const nlohmann::json& about, at::ScalarType dtype) {
  const std::string inputs = about["inputs"].get<std::string>() + "/";
  const auto rows = [&](const std::string& which) {
    return packed_rows(goldens[inputs + which].to(dtype)).detach().requires_grad_();
  };
  GoldenInputs in{rows("q"), rows("k"), rows("v"), {}, {}};
  if (goldens.has(name + "/G")) in.gradient = packed_rows(goldens[name + "/G"].to(dtype));
  const Tensor q = goldens[inputs + "q"], k = goldens[inputs + "k"];
  const int64_t n = q.size(2), m = k.size(2);
  const bool causal = about.value("causal", false);
  for (int64_t b = 0; b < q.size(0); ++b) {
    AttentionSequence s{.query_begin = b * n,
                        .queries = n,
                        .key_begin = b * m,
                        .keys = m,
                        .past = causal ? m - n : 0,
                        .kind = causal ? See::past : See::all,
                        .kept = {}};
    if (goldens.has(inputs + "keep"))
      leave_out_holes(s, goldens[inputs + "keep"][b].to(torch::kBool));
    in.sequences.push_back(s);
  }
  return in;
}

/// The largest difference over the largest number.
inline double golden_error(const Tensor& got_rows, const Tensor& expected_BHNE) {
  const Tensor expected = packed_rows(expected_BHNE.to(torch::kDouble));
  return worst(got_rows.detach().to(torch::kDouble), expected) /
         std::max(1e-30, expected.abs().max().item<double>());
}

/// Holds `form`'s results and gradients against a case, in fp64 and fp32.
inline void check_golden(const AttentionGoldens& goldens, const std::string& name,
                         const nlohmann::json& about, double narrow_tolerance,
                         const std::function<Tensor(const GoldenInputs&)>& form) {
  SCOPED_TRACE(name);
  for (const auto dtype : {torch::kDouble, torch::kFloat}) {
    const GoldenInputs in = golden_inputs(goldens, name, about, dtype);
    const double tolerance = dtype == torch::kDouble ? 1e-10 : narrow_tolerance;
    const Tensor out = form(in);
    EXPECT_LE(golden_error(out, goldens[name + "/out"]), tolerance);
    size_t compared = 1;
    if (in.gradient.defined()) {
      const auto gradients =
          torch::autograd::grad({(out * in.gradient).sum()}, {in.query, in.key, in.value});
      const std::vector<std::string> names{"q", "k", "v"};
      for (size_t i = 0; i < 3; ++i) {
        EXPECT_LE(golden_error(gradients[i], goldens[name + "/grad." + names[i]]), tolerance)
            << names[i];
        ++compared;
      }
    }
    tenfold::testing::compared_goldens(compared);
  }
}

}  // namespace tenfold::nn::testing
