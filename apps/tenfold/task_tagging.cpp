// Tagging of words: CoNLL columns in, entities found.
// Not here: tags of running text (the public Model).
#include "task_tagging.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "data/word_collator.h"
#include "data/word_windows.h"
#include "eval/entity_score.h"
#include "eval/resampled_scores.h"
#include "model/tagging_objective.h"
#include "support/fail.h"
#include "task_table.h"

namespace tenfold::app {
namespace {

bool is_entity_tag(const std::string& tag) {
  return tag == "O" || (tag.size() > 2 && tag[1] == '-');
}

class TaggedWords final : public TaskRows {
 public:
  explicit TaggedWords(std::vector<std::string> labels) : labels_(std::move(labels)) {}

  void add(const data::TaggedRow& row, std::span<const int64_t> tags, const TaskReading& reading) {
    const std::vector<std::string_view> words(row.words.begin(), row.words.end());
    for (data::WordWindow& window :
         data::word_windows(words, tags, reading.tokenizer, reading.max_length, examples.size())) {
      places_.push_back({gold_.size(), window.first_word});
      examples.push_back(std::move(window.example));
    }
    gold_.push_back(row.tags);
  }

  ModelScores score(const model::LoadedModel& model,
                    const eval::EvaluationOptions& options) const override {
    const model::TaggingObjective objective(model.token_classifier);
    auto predicted = gold_;
    const auto step = [&](const data::Batch& batch, std::span<const size_t> indices) {
      const Tensor logits = objective.logits(*model.encoder, batch, PassContext::evaluation());
      const Tensor best_W = logits.argmax(1).to(torch::kCPU).contiguous();
      const int64_t* best = best_W.const_data_ptr<int64_t>();
      for (const size_t i : indices) {
        const auto [row, first_word] = places_[i];
        for (size_t word = 0; word < examples[i].labels.size(); ++word)
          predicted[row][first_word + word] = labels_[static_cast<size_t>(*best++)];
      }
      return objective.judge(logits, batch);
    };
    const auto run =
        eval::evaluate_steps(*model.encoder, step, data::WordCollator(), examples, options);
    ModelScores out{.figures = {{"task", "tagging"}, {"examples", gold_.size()}},
                    .rows = static_cast<int64_t>(gold_.size())};
    if (std::all_of(labels_.begin(), labels_.end(), is_entity_tag)) {
      const auto entities = eval::score_entities(gold_, predicted);
      out.figures["f1"] = entities.all.f1();
      out.figures["precision"] = entities.all.precision();
      out.figures["recall"] = entities.all.recall();
      std::vector<std::array<int64_t, 3>> of_rows;
      for (const eval::EntityCounts& counts : entities.by_sentence)
        of_rows.push_back({counts.gold, counts.predicted, counts.correct});
      out.compared = {"f1", "precision", "recall"};
      out.resampled = eval::sum_scores_of<3>(std::move(of_rows), [](const auto& sums) {
        const eval::EntityCounts all{.gold = sums[0], .predicted = sums[1], .correct = sums[2]};
        return std::vector<double>{all.f1(), all.precision(), all.recall()};
      });
      for (const auto& [type, counts] : entities.by_type) out.figures["f1/" + type] = counts.f1();
    }
    out.figures["accuracy"] = run.share("correct", "tagging");
    out.figures["words"] = run.denominators.at("tagging");
    out.figures["loss"] = run.loss;
    return out;
  }

 private:
  struct Place {
    size_t row, first_word;
  };
  std::vector<std::string> labels_;
  std::vector<std::vector<std::string>> gold_;
  std::vector<Place> places_;  // of each example
};

/// "O" first: what is left where nothing else is learnt yet.
std::vector<std::string> tag_set(const std::vector<data::TaggedRow>& rows) {
  std::set<std::string> tags;
  for (const data::TaggedRow& row : rows) tags.insert(row.tags.begin(), row.tags.end());
  std::vector<std::string> labels;
  if (tags.erase("O") > 0) labels.emplace_back("O");
  labels.insert(labels.end(), tags.begin(), tags.end());
  return labels;
}

bool skips_bad(const RowReading& reading) {
  return reading.columns.skip_bad || reading.task.as<TaggingOptions>().columns.skip_bad;
}

std::vector<data::TaggedRow> read_sentences(const RowReading& reading) {
  data::TagColumns columns = reading.task.as<TaggingOptions>().columns;
  columns.skip_bad = skips_bad(reading);
  auto file = data::read_tagged(reading.file, columns, data::Labels::required);
  report_rows(file, reading.log);
  return std::move(file.rows);
}

std::unique_ptr<TaskRows> read_tags(const TaskReading& reading, std::vector<std::string>& labels) {
  std::vector<data::TaggedRow> sentences = read_sentences(reading.rows());
  if (labels.empty()) {
    labels = tag_set(sentences);
    require_utf8_labels(labels, reading.file);
  }
  std::map<std::string, int64_t> index;
  for (size_t c = 0; c < labels.size(); ++c) index[labels[c]] = static_cast<int64_t>(c);
  drop_bad_rows(sentences, reading.rows(), skips_bad(reading.rows()),
                [&](const data::TaggedRow& row) {
                  for (const std::string& tag : row.tags) {
                    if (!index.contains(tag)) return unknown_label(tag, labels);
                  }
                  return std::string();
                });
  auto rows = std::make_unique<TaggedWords>(labels);
  for (const data::TaggedRow& row : sentences) {
    std::vector<int64_t> tags;
    for (const std::string& tag : row.tags) tags.push_back(index.at(tag));
    rows->add(row, tags, reading);
  }
  return rows;
}

}  // namespace

void TaggingOptions::fields(config::FieldVisitor& v) {
  v.group("columns", columns, "where words and tags stand, and the scheme of tags");
}

TaskKind tagging_task() {
  const char* summary = "a tag for each word: entities, parts of speech";
  return {.name = "tagging",
          .summary = summary,
          .main_metric = "f1",
          .head = model::Head::token_classifier,
          .options = config::ChoiceKind::of<TaggingOptions>("tagging", summary),
          .read = read_tags,
          .split =
              [](const RowReading& reading, const data::SplitPlan& plan) {
                return data::write_split(read_sentences(reading), plan);
              },
          .classes = true,
          .make_collator =
              [](const TaskTraining& training) {
                return std::make_shared<data::WordCollator>(training.class_weights);
              },
          .make_objective =
              [](const model::LoadedModel& model, const TaskTraining& training) {
                return std::make_unique<model::TaggingObjective>(model.token_classifier,
                                                                 training.class_loss());
              }};
}

}  // namespace tenfold::app
