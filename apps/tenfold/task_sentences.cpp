// Vectors of sentences: learnt from positives among other texts, or from scored pairs.
// Not here: losses (model/sentence_losses.h), or files of vectors (command_embed.cpp).
#include "task_sentences.h"

#include <map>

#include "data/group_collators.h"
#include "data/object_rows.h"
#include "data/text_group.h"
#include "eval/correlation.h"
#include "eval/resampled_scores.h"
#include "model/sentence_losses.h"
#include "model/sentence_objectives.h"
#include "sentence_files.h"
#include "support/fail.h"
#include "task_table.h"

namespace tenfold::app {
namespace {

class ContrastiveRows final : public TaskRows {
 public:
  explicit ContrastiveRows(const model::SentenceOptions& options) : options_(options) {}

  void add(const data::ContrastiveRow& row, const TaskReading& reading) {
    data::Example example;
    example.id = examples.size();
    const auto add_text = [&](const std::string& text) {
      data::append_text(example, reading.tokenizer.encode_single(text, reading.max_length));
    };
    add_text(row.anchor);
    add_text(row.positive);
    for (const std::string& negative : row.negatives) add_text(negative);
    examples.push_back(std::move(example));
    const auto next = static_cast<int64_t>(known_.size());
    positive_numbers_.push_back(known_.try_emplace(row.positive, next).first->second);
  }

  /// Every anchor looks for its positive among the positives of all rows and its own negatives.
  ModelScores score(const model::LoadedModel& model,
                    const eval::EvaluationOptions& options) const override {
    const model::ContrastiveObjective objective(options_);
    std::vector<Tensor> texts(examples.size());  // [1 + 1 + negatives, D] of each row
    const auto step = [&](const data::Batch& batch, std::span<const size_t> indices) {
      const Tensor vectors = objective.vectors(*model.encoder, batch, PassContext::evaluation());
      int64_t begin = 0;
      for (const size_t i : indices) {
        const auto count = static_cast<int64_t>(examples[i].sequences.at("ends").size());
        texts[i] = vectors.slice(0, begin, begin + count).to(torch::kCPU, torch::kFloat);
        begin += count;
      }
      return objective.judge(vectors, batch);
    };
    const auto run =
        eval::evaluate_steps(*model.encoder, step, data::ContrastiveCollator(), examples, options);
    std::vector<Tensor> positives;
    for (const Tensor& row : texts) positives.push_back(row[1]);
    const Tensor positives_BD = torch::stack(positives);
    std::vector<double> reciprocals;
    double first = 0, among_ten = 0, reciprocal = 0;
    for (size_t i = 0; i < texts.size(); ++i) {
      const size_t rank = rank_of_positive(texts[i], positives_BD, i);
      reciprocals.push_back(1.0 / static_cast<double>(rank));
      reciprocal += reciprocals.back();
      first += rank <= 1 ? 1 : 0;
      among_ten += rank <= 10 ? 1 : 0;
    }
    const auto count = static_cast<double>(texts.size());
    ModelScores out{.figures = {{"task", "contrastive"},
                                {"examples", examples.size()},
                                {"mrr", reciprocal / count},
                                {"recall@1", first / count},
                                {"recall@10", among_ten / count},
                                {"loss", run.loss}},
                    .compared = {"mrr"},
                    .rows = static_cast<int64_t>(examples.size())};
    out.resampled = eval::mean_scores_of({std::move(reciprocals)});
    return out;
  }

 private:
  /// From 1; of equal cosines the positive comes last. Copies of the positive are none of the
  /// others.
  size_t rank_of_positive(const Tensor& texts, const Tensor& positives_BD, size_t row) const {
    const Tensor anchor = texts.slice(0, 0, 1);
    const Tensor cosine_B = model::cosine_matrix(anchor, positives_BD)[0];
    const Tensor others = torch::tensor(positive_numbers_).ne(positive_numbers_[row]);
    const Tensor mine = cosine_B[static_cast<int64_t>(row)];
    int64_t above = cosine_B.ge(mine).logical_and(others).sum().item<int64_t>();
    if (texts.size(0) > 2)
      above += model::cosine_matrix(anchor, texts.slice(0, 2)).ge(mine).sum().item<int64_t>();
    return static_cast<size_t>(above) + 1;
  }

  model::SentenceOptions options_;
  std::map<std::string, int64_t> known_;   // texts of positives, numbered
  std::vector<int64_t> positive_numbers_;  // of each row
};

std::vector<data::ContrastiveRow> read_anchors(const RowReading& reading) {
  auto file = data::read_contrastive(reading.file, rules_of(reading.columns));
  report_rows(file, reading.log);
  return std::move(file.rows);
}

std::unique_ptr<TaskRows> read_contrastive_rows(const TaskReading& reading,
                                                std::vector<std::string>&) {
  auto rows = std::make_unique<ContrastiveRows>(reading.task.as<model::SentenceOptions>());
  for (const data::ContrastiveRow& row : read_anchors(reading.rows())) rows->add(row, reading);
  return rows;
}

std::unique_ptr<model::SentenceObjective> pair_objective(const SimilarityOptions& options) {
  if (options.loss == PairLoss::cosine)
    return std::make_unique<model::CosineObjective>(options.sentence);
  return std::make_unique<model::CosentObjective>(options.sentence);
}

class ScoredPairs final : public TaskRows {
 public:
  explicit ScoredPairs(const SimilarityOptions& options) : options_(options) {}

  ModelScores score(const model::LoadedModel& model,
                    const eval::EvaluationOptions& options) const override {
    const auto objective = pair_objective(options_);
    std::vector<double> gold, cosine(examples.size());
    for (const data::Example& example : examples) gold.push_back(example.labels[0]);
    const auto step = [&](const data::Batch& batch, std::span<const size_t> indices) {
      const Tensor vectors = objective->vectors(*model.encoder, batch, PassContext::evaluation());
      const Tensor pairs = vectors.view({-1, 2, vectors.size(1)});
      const Tensor found = model::cosines(pairs.select(1, 0), pairs.select(1, 1))
                               .to(torch::kCPU, torch::kDouble)
                               .contiguous();
      for (size_t i = 0; i < indices.size(); ++i)
        cosine[indices[i]] = found.const_data_ptr<double>()[i];
      return objective->judge(vectors, batch);
    };
    const auto run =
        eval::evaluate_steps(*model.encoder, step, data::ScoredPairCollator(), examples, options);
    ModelScores out{.figures = {{"task", "similarity"}, {"examples", examples.size()}},
                    .compared = {"spearman", "pearson"},
                    .rows = static_cast<int64_t>(examples.size())};
    out.figures["spearman"] = figure_or_null(eval::spearman(cosine, gold));
    out.figures["pearson"] = figure_or_null(eval::pearson(cosine, gold));
    out.figures["loss"] = run.loss;
    out.resampled =
        eval::column_scores_of(std::move(cosine), std::move(gold), {eval::spearman, eval::pearson});
    return out;
  }

 private:
  SimilarityOptions options_;
};

std::vector<data::TaskRow> read_pairs(const RowReading& reading) {
  std::vector<data::TaskRow> pairs = read_text_rows(reading, data::LabelKind::score).rows;
  const auto& options = reading.task.as<SimilarityOptions>();
  drop_bad_rows(pairs, reading, reading.columns.skip_bad, [&](const data::TaskRow& row) {
    if (!row.pair) return std::string("a second text is needed");
    if (*row.score >= options.lowest && *row.score <= options.highest) return std::string();
    return fmt::format("the score {} is outside {} .. {}: set task.similarity.lowest and .highest",
                       *row.score, options.lowest, options.highest);
  });
  return pairs;
}

std::unique_ptr<TaskRows> read_scored_pairs(const TaskReading& reading, std::vector<std::string>&) {
  const auto& options = reading.task.as<SimilarityOptions>();
  auto rows = std::make_unique<ScoredPairs>(options);
  for (const data::TaskRow& row : read_pairs(reading.rows())) {
    data::Example example;
    example.id = rows->examples.size();
    for (const std::string* text : {&row.text, &*row.pair})
      data::append_text(example, reading.tokenizer.encode_single(*text, reading.max_length));
    example.labels = {(*row.score - options.lowest) / (options.highest - options.lowest)};
    rows->examples.push_back(std::move(example));
  }
  return rows;
}

/// The model directory as sentence-transformers has it.
template <typename PoolingOf>
auto sentence_writer(PoolingOf pooling_of) {
  return [pooling_of](const std::filesystem::path& folder, const model::ModelDescription& model,
                      const config::Choice& task, int64_t max_length) {
    write_sentence_files(folder, pooling_of(task), model.encoder.hidden_size, max_length);
  };
}

}  // namespace

void SimilarityOptions::fields(config::FieldVisitor& v) {
  sentence.fields(v);
  v.field("loss", loss, "cosent compares pairs, cosine wants the scores themselves",
          {{"cosent", PairLoss::cosent}, {"cosine", PairLoss::cosine}});
  v.field("lowest", lowest, "score of texts that have nothing in common");
  v.field("highest", highest, "score of equal texts");
}

void SimilarityOptions::validate(const std::string& where) const {
  require(lowest < highest, ErrorKind::config, where, "lowest is {}, highest {}", lowest, highest);
}

TaskKind contrastive_task() {
  const char* summary = "vectors of sentences from positives among the other texts of a batch";
  return {.name = "contrastive",
          .summary = summary,
          .main_metric = "mrr",
          .options = config::ChoiceKind::of<model::SentenceOptions>("contrastive", summary),
          .read = read_contrastive_rows,
          .split =
              [](const RowReading& reading, const data::SplitPlan& plan) {
                return data::write_split(read_anchors(reading), plan);
              },
          .make_collator =
              [](const TaskTraining&) { return std::make_shared<data::ContrastiveCollator>(); },
          .make_objective =
              [](const model::LoadedModel&, const TaskTraining& training) {
                return std::make_unique<model::ContrastiveObjective>(
                    training.task.as<model::SentenceOptions>());
              },
          .write_beside = sentence_writer([](const config::Choice& task) {
            return task.as<model::SentenceOptions>().pooling;
          })};
}

TaskKind similarity_task() {
  const char* summary = "vectors of sentences from scored pairs";
  return {.name = "similarity",
          .summary = summary,
          .main_metric = "spearman",
          .options = config::ChoiceKind::of<SimilarityOptions>("similarity", summary),
          .read = read_scored_pairs,
          .split =
              [](const RowReading& reading, const data::SplitPlan& plan) {
                return data::write_split(read_pairs(reading), plan);
              },
          .make_collator =
              [](const TaskTraining&) { return std::make_shared<data::ScoredPairCollator>(); },
          .make_objective = [](const model::LoadedModel&,
                               const TaskTraining& training) -> std::unique_ptr<model::Objective> {
            return pair_objective(training.task.as<SimilarityOptions>());
          },
          .write_beside = sentence_writer([](const config::Choice& task) {
            return task.as<SimilarityOptions>().sentence.pooling;
          })};
}

}  // namespace tenfold::app
