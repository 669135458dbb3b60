// Packing the padded inputs of a results file, running the model, and comparing.
// Not here: loading (checkpoint.cpp).
#include "model/verify.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "model/checkpoint.h"
#include "support/fail.h"
#include "tensor/safetensors_tensors.h"

namespace tenfold::model {
namespace {

constexpr double kFloatTolerance = 1e-4, kLossTolerance = 1e-5, kDoubleTolerance = 1e-9;
constexpr double kGradientTolerance = 1e-5, kGradientShare = 1e-4;

/// Padded inputs [B, n] as packed rows; `rows_T` are the real places in the flattened padded
/// tensors.
struct PackedInputs {
  data::TokenBlock tokens;
  Tensor rows_T;
  int64_t count = 0, longest = 0;

  Tensor pack(const Tensor& padded_Bn) const {
    return padded_Bn.flatten(0, 1).index_select(0, rows_T);
  }
  bool is_padded(const Tensor& x) const {
    return x.dim() >= 2 && x.size(0) == count && x.size(1) == longest;
  }
};

PackedInputs pack_inputs(const SafetensorsFile& file, const EncoderConfig& config) {
  const Tensor ids_Bn = file.tensor("in.input_ids");
  require(ids_Bn.dim() == 2 && ids_Bn.scalar_type() == at::kLong, ErrorKind::shape, "verify",
          "in.input_ids must be int64 [sequences, tokens]");
  const Tensor keep_Bn =
      file.has("in.attention_mask") ? file.tensor("in.attention_mask") : torch::ones_like(ids_Bn);
  require(keep_Bn.sizes() == ids_Bn.sizes(), ErrorKind::shape, "verify",
          "in.attention_mask does not fit in.input_ids");
  PackedInputs in;
  in.count = ids_Bn.size(0);
  in.longest = ids_Bn.size(1);
  const Tensor lengths_B = keep_Bn.sum(1).to(at::kLong).contiguous();
  const Tensor expected_Bn = torch::arange(in.longest).unsqueeze(0).lt(lengths_B.unsqueeze(1));
  require(torch::equal(keep_Bn.ne(0), expected_Bn), ErrorKind::unsupported, "verify",
          "in.attention_mask has holes: only padding at the end is compared");
  in.rows_T = expected_Bn.flatten().nonzero().squeeze(1);
  in.tokens.layout = SequenceLayout::of_lengths(
      {lengths_B.const_data_ptr<int64_t>(), lengths_B.const_data_ptr<int64_t>() + in.count});
  in.tokens.ids_T = in.pack(ids_Bn);
  require(in.tokens.ids_T.numel() > 0 && in.tokens.ids_T.min().item<int64_t>() >= 0 &&
              in.tokens.ids_T.max().item<int64_t>() < config.vocab_size,
          ErrorKind::shape, "verify", "in.input_ids holds ids outside 0..{}",
          config.vocab_size - 1);
  if (file.has("in.token_type_ids"))
    in.tokens.segments_T = in.pack(file.tensor("in.token_type_ids"));
  return in;
}

Tensor mean_cross_entropy(const Tensor& logits, const Tensor& labels) {
  return -at::log_softmax(logits, 1).gather(1, labels.unsqueeze(1)).mean();
}

using Results = std::map<std::string, Tensor>;

/// The masked-language-model side: logits everywhere, the loss on labelled rows through the chunked
/// path.
void run_vocabulary(const LoadedModel& model, const SafetensorsFile& file, const PackedInputs& in,
                    const Tensor& hidden_TD, Results& results, Tensor& loss) {
  const Tensor words_VE = model.encoder->word_embeddings_VE();
  results[model.next_sentence ? "prediction_logits" : "logits"] =
      model.mlm->logits(hidden_TD, words_VE);
  if (!file.has("in.labels")) return;
  const Tensor labels_T = in.pack(file.tensor("in.labels"));
  const Tensor rows = labels_T.ge(0).nonzero().squeeze(1);
  const nn::VocabularyLoss sum =
      model.mlm->loss(hidden_TD.index_select(0, rows), words_VE, labels_T.index_select(0, rows));
  loss = sum.sum / static_cast<double>(rows.size(0));
}

Results run_model(const LoadedModel& model, const SafetensorsFile& file, const PackedInputs& in,
                  Tensor& loss) {
  const EncoderOut out =
      model.encoder->forward(in.tokens, PassContext::evaluation(), {.all_hidden = true});
  Results results;
  for (size_t i = 0; i < out.all_hidden_TD.size(); ++i) {
    results[fmt::format("hidden_states.{}", i)] = out.all_hidden_TD[i];
  }
  results["last_hidden_state"] = out.hidden_TD;
  Tensor pooled_BD;
  if (model.encoder->has_pooler()) {
    pooled_BD = model.encoder->pool(out.hidden_TD, in.tokens.layout);
    results["pooler_output"] = pooled_BD;
  }
  if (model.mlm) run_vocabulary(model, file, in, out.hidden_TD, results, loss);
  if (model.next_sentence) {
    results["seq_relationship_logits"] = model.next_sentence->forward(pooled_BD);
    if (file.has("in.next_sentence_label") && loss.defined()) {
      loss = loss + mean_cross_entropy(results["seq_relationship_logits"],
                                       file.tensor("in.next_sentence_label"));
    }
  }
  if (model.classifier) {
    const Tensor logits_BC = model.classifier->logits(*model.encoder, out.hidden_TD,
                                                      in.tokens.layout, PassContext::evaluation());
    results["logits"] = logits_BC;
    if (file.has("in.labels")) {
      const Tensor labels_B = file.tensor("in.labels");
      loss = logits_BC.size(1) == 1
                 ? (logits_BC.squeeze(1) - labels_B.to(logits_BC.scalar_type())).square().mean()
                 : mean_cross_entropy(logits_BC, labels_B);
    }
  }
  if (loss.defined()) results["loss"] = loss;
  return results;
}

VerifiedTensor compare(const std::string& name, const Tensor& got, const Tensor& expected,
                       double allowed, double share) {
  VerifiedTensor row{.name = name, .max_abs = 0, .cosine = 0, .allowed = allowed, .passed = false};
  if (got.sizes() != expected.sizes()) {
    row.max_abs = std::numeric_limits<double>::infinity();
    return row;
  }
  const Tensor a = got.detach().to(at::kDouble).flatten(), b = expected.to(at::kDouble).flatten();
  const Tensor difference = (a - b).abs();
  row.max_abs = difference.max().item<double>();
  const double norms = a.norm().item<double>() * b.norm().item<double>();
  row.cosine = norms > 0 ? a.dot(b).item<double>() / norms : (row.max_abs == 0 ? 1 : 0);
  row.passed = (difference - share * b.abs()).max().item<double>() <= allowed;
  return row;
}

/// Compares every name of the file under `prefix` that the model computes.
void compare_results(const SafetensorsFile& file, const PackedInputs& in, const Results& results,
                     const std::string& prefix, std::optional<double> tolerance,
                     Verification& verification) {
  for (const auto& [name, got] : results) {
    if (!file.has(prefix + name)) continue;
    Tensor expected = file.tensor(prefix + name);
    if (in.is_padded(expected) && got.dim() == expected.dim() - 1 &&
        got.size(0) == in.rows_T.size(0)) {
      expected = in.pack(expected);
    }
    const double usual = name == "loss" ? kLossTolerance : kFloatTolerance;
    const double allowed = prefix.empty() ? tolerance.value_or(usual) : kDoubleTolerance;
    verification.tensors.push_back(compare(prefix + name, got, expected, allowed, 0));
  }
}

void compare_gradients(const SafetensorsFile& file, const LoadedModel& model,
                       Verification& verification) {
  for (const OwnedModule& owned : model.modules()) {
    for (const auto& item : owned.module->named_parameters()) {
      const std::string name = "grad." + owned.prefix + item.key();
      if (!file.has(name)) continue;
      const Tensor gradient = item.value().grad();
      verification.tensors.push_back(
          compare(name, gradient.defined() ? gradient : torch::zeros_like(item.value()),
                  file.tensor(name), kGradientTolerance, kGradientShare));
    }
  }
}

void note_skipped(const SafetensorsFile& file, Verification& verification) {
  for (const TensorEntry& entry : file.entries()) {
    const bool compared =
        std::any_of(verification.tensors.begin(), verification.tensors.end(),
                    [&](const VerifiedTensor& row) { return row.name == entry.name; });
    if (!compared && !entry.name.starts_with("in.")) verification.skipped.push_back(entry.name);
  }
}

}  // namespace

bool Verification::passed() const {
  return !tensors.empty() &&
         std::all_of(tensors.begin(), tensors.end(), [](const auto& row) { return row.passed; });
}

Verification verify_against(const std::filesystem::path& directory,
                            const std::filesystem::path& expected, const VerifyOptions& options) {
  const SafetensorsFile file = SafetensorsFile::open(expected);
  Verification verification;
  {
    torch::NoGradGuard no_gradient;
    const LoadedModel model = load_model(directory);
    verification.warnings = model.warnings;
    const PackedInputs in = pack_inputs(file, model.description.encoder);
    Tensor loss;
    compare_results(file, in, run_model(model, file, in, loss), "", options.tolerance,
                    verification);
  }
  const auto starts = [&](std::string_view prefix) {
    return std::any_of(file.entries().begin(), file.entries().end(),
                       [&](const TensorEntry& entry) { return entry.name.starts_with(prefix); });
  };
  if (starts("f64.") || starts("grad.")) {
    const LoadedModel model =
        load_model(directory, {.tensors = torch::TensorOptions().dtype(torch::kFloat64)});
    const PackedInputs in = pack_inputs(file, model.description.encoder);
    Tensor loss;
    const Results results = run_model(model, file, in, loss);
    compare_results(file, in, results, "f64.", {}, verification);
    if (loss.defined() && starts("grad.")) {
      loss.backward();
      compare_gradients(file, model, verification);
    }
  }
  note_skipped(file, verification);
  return verification;
}

}  // namespace tenfold::model
