// The heads' logits and losses as the reference computes them.
// Not here: training's own losses (objectives), which never see padding.
#include "model/verify_run.h"

#include "model/pooling.h"

namespace tenfold::model {
namespace {

Tensor mean_cross_entropy(const Tensor& logits, const Tensor& labels) {
  return -at::log_softmax(logits, 1).gather(1, labels.unsqueeze(1)).mean();
}

/// What one head is given and adds to.
struct Run {
  const LoadedModel& model;
  const SafetensorsFile& file;
  const VerifyInputs& in;
  const Tensor& hidden_TD;
  const Tensor& first_BD;  ///< first rows of the sequences
  VerifyResults& results;

  bool has(const char* name) const { return file.has(name); }
  void add_loss(const Tensor& loss) const {
    results.loss = results.loss.defined() ? results.loss + loss : loss;
  }
};

/// The masked-language-model side: logits everywhere, the loss on labelled rows through the chunked
/// path.
void run_vocabulary(const Run& run) {
  const Tensor words_VE = run.model.encoder->word_embeddings_VE();
  run.results.tensors[run.model.next_sentence ? "prediction_logits" : "logits"] =
      run.model.mlm->logits(run.hidden_TD, words_VE);
  if (!run.has("in.labels")) return;
  const Tensor labels_T = run.in.pack(run.file.tensor("in.labels"));
  const Tensor rows = labels_T.ge(0).nonzero().squeeze(1);
  const nn::VocabularyLoss sum = run.model.mlm->loss(run.hidden_TD.index_select(0, rows), words_VE,
                                                     labels_T.index_select(0, rows));
  run.add_loss(sum.sum / static_cast<double>(rows.size(0)));
}

void run_next_sentence(const Run& run) {
  const Tensor pooled_BD = run.model.encoder->pool(run.first_BD);
  const Tensor logits_B2 = run.model.next_sentence->forward(pooled_BD);
  run.results.tensors["seq_relationship_logits"] = logits_B2;
  if (run.has("in.next_sentence_label") && run.results.loss.defined())
    run.add_loss(mean_cross_entropy(logits_B2, run.file.tensor("in.next_sentence_label")));
}

void run_classifier(const Run& run) {
  const Tensor logits_BC = run.model.classifier->logits(
      *run.model.encoder, run.first_BD, run.in.tokens.layout, PassContext::evaluation());
  run.results.tensors["logits"] = logits_BC;
  if (!run.has("in.labels")) return;
  const Tensor labels = run.file.tensor("in.labels");
  switch (run.model.description.problem) {
    case ProblemType::single_label: run.add_loss(mean_cross_entropy(logits_BC, labels)); break;
    case ProblemType::multi_label:
      run.add_loss(
          at::binary_cross_entropy_with_logits(logits_BC, labels.to(logits_BC.scalar_type())));
      break;
    case ProblemType::regression:
      run.add_loss(
          (logits_BC - labels.view_as(logits_BC).to(logits_BC.scalar_type())).square().mean());
      break;
  }
}

void run_token_classifier(const Run& run) {
  const Tensor logits_TC = run.model.token_classifier->logits(run.hidden_TD, run.in.tokens.layout,
                                                              PassContext::evaluation());
  run.results.tensors["logits"] = logits_TC;
  if (!run.has("in.labels")) return;
  const Tensor labels_T = run.in.pack(run.file.tensor("in.labels"));
  const Tensor rows = labels_T.ge(0).nonzero().squeeze(1);
  run.add_loss(mean_cross_entropy(logits_TC.index_select(0, rows), labels_T.index_select(0, rows)));
}

/// The reference's softmax is over padded rows too, so here they are kept.
void run_span(const Run& run) {
  const SpanLogits logits = run.model.span->logits(run.hidden_TD);
  const auto side = [&](const Tensor& logits_T, const std::string& name) {
    run.results.tensors[name + "_logits"] = run.in.real(logits_T);
    const std::string label = "in." + name + "_positions";
    if (!run.file.has(label)) return;
    run.add_loss(
        mean_cross_entropy(logits_T.view({run.in.count, run.in.longest}), run.file.tensor(label)) /
        2);
  };
  side(logits.start_T, "start");
  side(logits.end_T, "end");
}

void run_choice(const Run& run) {
  const Tensor logits_BC = run.model.choice
                               ->logits(*run.model.encoder, run.first_BD, run.in.tokens.layout,
                                        PassContext::evaluation())
                               .view({-1, run.in.choices});
  run.results.tensors["logits"] = logits_BC;
  if (run.has("in.labels"))
    run.add_loss(mean_cross_entropy(logits_BC, run.file.tensor("in.labels")));
}

void run_replaced_token(const Run& run) {
  const Tensor logits_T = run.model.replaced_token->logits(run.hidden_TD);
  run.results.tensors["logits"] = logits_T;
  if (!run.has("in.labels")) return;
  const Tensor labels_T = run.in.pack(run.file.tensor("in.labels"));
  run.add_loss(at::binary_cross_entropy_with_logits(logits_T, labels_T.to(logits_T.scalar_type())));
}

}  // namespace

VerifyResults run_model(const LoadedModel& model, const SafetensorsFile& file,
                        const VerifyInputs& in) {
  const EncoderOut out =
      model.encoder->forward(in.tokens, PassContext::evaluation(), {.all_hidden = true});
  VerifyResults results;
  for (size_t i = 0; i < out.all_hidden_TD.size(); ++i)
    results.tensors[fmt::format("hidden_states.{}", i)] = in.real(out.all_hidden_TD[i]);
  results.tensors["last_hidden_state"] = in.real(out.hidden_TD);
  const Tensor first_BD = pool_rows(out.hidden_TD, in.tokens.layout, Pooling::cls);
  if (model.encoder->has_pooler()) results.tensors["pooler_output"] = model.encoder->pool(first_BD);
  const Run run{model, file, in, out.hidden_TD, first_BD, results};
  if (model.mlm) run_vocabulary(run);
  if (model.next_sentence) run_next_sentence(run);
  if (model.classifier) run_classifier(run);
  if (model.token_classifier) run_token_classifier(run);
  if (model.span) run_span(run);
  if (model.choice) run_choice(run);
  if (model.replaced_token) run_replaced_token(run);
  if (results.loss.defined()) results.tensors["loss"] = results.loss;
  return results;
}

}  // namespace tenfold::model
