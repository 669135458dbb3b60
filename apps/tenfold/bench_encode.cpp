// The encoder's forward pass over full and ragged batches, weights packed once, in --dtype.
// Not here: pooling, tokenisation or int8.
#include <fmt/format.h>

#include <algorithm>

#include "bench_inputs.h"
#include "bench_works.h"
#include "model/checkpoint.h"
#include "nn/packing.h"
#include "nn/stack.h"
#include "op_profile.h"
#include "support/fail.h"
#include "tensor/device.h"

namespace tenfold::app {
namespace {

constexpr double kLeastCosine = 0.9999, kLeastNarrowCosine = 0.999;  // of the worst token
constexpr size_t kLatenciesShown = 50;

data::TokenBlock block_of(const IdRows& rows) {
  std::vector<int64_t> lengths, ids;
  for (const auto& row : rows) {
    lengths.push_back(static_cast<int64_t>(row.size()));
    ids.insert(ids.end(), row.begin(), row.end());
  }
  data::TokenBlock block;
  block.layout = SequenceLayout::of_lengths(lengths);
  block.ids_T = torch::tensor(ids, torch::kInt64);
  return block;
}

std::vector<int64_t> lengths_of(const std::vector<IdRows>& batches) {
  std::vector<int64_t> lengths;
  for (const IdRows& rows : batches) {
    for (const auto& row : rows) lengths.push_back(static_cast<int64_t>(row.size()));
  }
  return lengths;
}

struct EncodeWork {
  std::string name;
  std::vector<IdRows> batches;
};

std::vector<EncodeWork> encode_works(const BenchIds& ids) {
  IdRows sorted = ids.ragged;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.size() < b.size(); });
  std::vector<IdRows> quarters;
  for (size_t i = 0; i + 32 <= sorted.size(); i += 32) {
    quarters.emplace_back(sorted.begin() + static_cast<long>(i),
                          sorted.begin() + static_cast<long>(i + 32));
  }
  const IdRows first32(ids.ragged.begin(), ids.ragged.begin() + 32);
  return {{"1x128", {{ids.full[0]}}},
          {"32x128", {ids.full}},
          {"32xragged", {first32}},
          {"128xragged-sorted", quarters}};
}

double cosine_of(const Tensor& a, const Tensor& b) {
  return (a * b).sum().item<double>() / (a.norm().item<double>() * b.norm().item<double>());
}

/// The same answer before any timing: the first full row against the stored hidden states of the
/// reference.
void check_against_reference(const BenchTimer& timer, const std::string& model,
                             const Tensor& hidden_TD) {
  const auto path = timer.options().cache / "inputs" / (model + ".reference.npy");
  if (!std::filesystem::exists(path)) {
    bench_remark(fmt::format("no reference for {} ({} is absent): outputs are not compared", model,
                             path.string()));
    return;
  }
  const Tensor reference_TD = read_npy(path)[0].to(torch::kDouble),
               ours_TD = hidden_TD.to(torch::kDouble);
  require(reference_TD.sizes() == ours_TD.sizes(), ErrorKind::data, path.string(),
          "the reference has another shape");
  double worst = 1;
  for (int64_t t = 0; t < ours_TD.size(0); ++t)
    worst = std::min(worst, cosine_of(reference_TD[t], ours_TD[t]));
  const double pooled = cosine_of(reference_TD.mean(0), ours_TD.mean(0));
  const double largest = (reference_TD - ours_TD).abs().max().item<double>();
  bench_remark(fmt::format(
      "agreement {} tenfold: pooled cosine {:.5f}, worst token {:.5f}, largest difference {:.1e}",
      model, pooled, worst, largest));
  timer.emit(model + "/1x128", "pooled-cosine", "1", {pooled});
  const bool wide = timer.options().dtype == "float32";
  require(worst >= (wide ? kLeastCosine : kLeastNarrowCosine), ErrorKind::run, "bench encode",
          "{} computes something else than the reference: worst token's cosine {:.4f}", model,
          worst);
}

/// The peers' weights, or random ones of the same shape.
std::shared_ptr<model::Encoder> bench_encoder(const std::filesystem::path& folder) {
  if (!folder.empty()) return model::load_model(folder, {.map_weights = true}).encoder;
  bench_remark("no shared model in --cache: random weights of BERT-base's shape");
  return std::make_shared<model::Encoder>(model::EncoderConfig{}, model::Pooler::none, 0,
                                          torch::TensorOptions());
}

}  // namespace

void bench_encode(const BenchTimer& timer) {
  const torch::NoGradGuard no_gradients;
  const BenchIds ids = bench_ids(timer.options());
  const auto works = encode_works(ids);
  for (const std::string model : {"bert-base", "minilm"}) {
    const std::string stem = model + (ids.shared ? "/" : "-made-up/");
    if (std::none_of(works.begin(), works.end(),
                     [&](const auto& work) { return timer.wants(stem + work.name); })) {
      continue;
    }
    const auto folder = bench_model(timer.options(), model);
    if (folder.empty() && model == "minilm") continue;  // its point is the real weights
    const auto encoder = bench_encoder(folder);
    encoder->eval();
    const at::ScalarType type = parse_dtype(timer.options().dtype);
    nn::compute_in(*encoder, type);
    nn::pack_for_inference(*encoder, type);
    const auto run = [&](const data::TokenBlock& block) {
      return encoder->forward(block, PassContext::evaluation()).hidden_TD;
    };
    if (ids.shared && !folder.empty())
      check_against_reference(timer, model, run(block_of({ids.full[0]})));
    for (const EncodeWork& work : works) {
      const std::string name = stem + work.name;
      if (!timer.wants(name)) continue;
      std::vector<data::TokenBlock> blocks;
      for (const IdRows& rows : work.batches) blocks.push_back(block_of(rows));
      const auto one_pass = [&] {
        for (const data::TokenBlock& block : blocks) run(block);
      };
      if (timer.options().profile) {
        print_profile(name, one_pass);
        continue;
      }
      const auto groups = timer.time(name, one_pass);
      const auto lengths = lengths_of(work.batches);
      double tokens = 0;
      for (int64_t length : lengths) tokens += static_cast<double>(length);
      timer.rate(name, groups, tokens, "tokens", "tokens/s");
      timer.rate(name, groups, encoder_flops(encoder->config(), lengths) / 1e9, "rate", "GFLOP/s");
      if (lengths.size() > 1) continue;
      std::vector<double> latencies = all_calls(groups);
      latencies.resize(std::min(latencies.size(), kLatenciesShown));
      for (double& latency : latencies) latency *= 1e3;
      timer.emit(name, "latency-p50", "ms", latencies);
    }
  }
}

}  // namespace tenfold::app
