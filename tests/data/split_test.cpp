// Rows cut into parts: groups stay whole, the files read back as the rows they came from.
// Not here: the command (tests/cli).
#include "data/split.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <map>

#include "data/object_rows.h"
#include "data/span_rows.h"
#include "data/tagged_rows.h"
#include "data/task.h"
#include "tenfold/error.h"

namespace tenfold::data {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kParts[] = {"train", "dev", "test"};

class SplitRows : public ::testing::Test {
 protected:
  void SetUp() override {
    plan_.out = fs::temp_directory_path() / fmt::format("tenfold-split-{}", ::getpid());
    fs::remove_all(plan_.out);
    plan_.dev = plan_.test = 0.25;
  }
  void TearDown() override { fs::remove_all(plan_.out); }

  fs::path file(std::string_view part, std::string_view extension) const {
    return plan_.out / fmt::format("{}.{}", part, extension);
  }

  SplitPlan plan_;
};

TEST_F(SplitRows, PairsWithOneFirstTextStayTogether) {
  std::vector<TaskRow> rows;
  for (int i = 0; i < 90; ++i) {
    rows.push_back({.text = fmt::format("premise {}", i / 3),
                    .pair = fmt::format("hypothesis {}", i),
                    .label = i % 2 == 0 ? "yes" : "no"});
  }
  write_split(rows, plan_);
  std::map<std::string, std::string_view> part_of_premise;
  std::map<std::string, std::string> label_of;
  for (const std::string_view part : kParts) {
    const TaskFile read = read_task(file(part, "jsonl"), {}, Labels::required);
    EXPECT_GT(read.rows.size(), 3u);
    for (const TaskRow& row : read.rows) {
      EXPECT_EQ(part_of_premise.try_emplace(row.text, part).first->second, part);
      label_of[*row.pair] = *row.label;
    }
  }
  EXPECT_EQ(part_of_premise.size(), 30u);
  ASSERT_EQ(label_of.size(), 90u);
  for (const TaskRow& row : rows) EXPECT_EQ(label_of[*row.pair], *row.label);
}

TEST_F(SplitRows, TheCutHangsOnTextsAndSeedAlone) {
  const SplitPlan other{.dev = 0.25, .test = 0.25, .seed = 1};
  int moved = 0, dev = 0;
  for (int i = 0; i < 4000; ++i) {
    const std::string group = fmt::format("group {}", i);
    EXPECT_EQ(plan_.part_of(group), plan_.part_of(group));
    moved += plan_.part_of(group) != other.part_of(group);
    dev += plan_.part_of(group) == Split::dev;
  }
  EXPECT_NEAR(dev, 1000, 120);  // four standard deviations
  EXPECT_GT(moved, 2000);
}

TEST_F(SplitRows, ScoresAndLabelSetsComeBack) {
  std::vector<TaskRow> scored, labelled;
  for (int i = 0; i < 40; ++i) {
    scored.push_back({.text = fmt::format("text {}", i), .score = i / 8.0});
    labelled.push_back({.text = fmt::format("text {}", i), .labels = {"a", "b, c"}});
  }
  write_split(scored, plan_);
  TaskColumns columns;
  columns.label_kind = LabelKind::score;
  for (const TaskRow& row : read_task(file("train", "jsonl"), columns, Labels::required).rows)
    EXPECT_EQ(fmt::format("text {}", *row.score * 8), row.text);
  write_split(labelled, plan_);
  columns.label_kind = LabelKind::several;
  for (const TaskRow& row : read_task(file("test", "jsonl"), columns, Labels::required).rows)
    EXPECT_EQ(row.labels, (std::vector<std::string>{"a", "b, c"}));
}

TEST_F(SplitRows, QuestionsOfAnArticleStayTogetherWithTheirPlaces) {
  std::vector<SpanRow> rows;
  for (int i = 0; i < 80; ++i) {
    const auto context =
        i % 2 == 1
            ? rows.back().context
            : std::make_shared<const std::string>(fmt::format("Héloïse met the {}th guest.", i));
    rows.push_back({.id = fmt::format("q{}", i),
                    .title = fmt::format("article {}", i / 4),
                    .context = context,
                    .question = "Whom?",
                    .answers = {{"guest", context->find("guest")}}});
  }
  write_split(rows, plan_);
  std::map<std::string, std::string_view> part_of_title;
  size_t questions = 0;
  for (const std::string_view part : kParts) {
    for (const SpanRow& row : read_spans(file(part, "json"), {}, Labels::required).rows) {
      EXPECT_EQ(part_of_title.try_emplace(row.title, part).first->second, part);
      EXPECT_EQ(row.answers.at(0).begin, row.context->find("guest"));
      ++questions;
    }
  }
  EXPECT_EQ(questions, 80u);
}

TEST_F(SplitRows, SentencesChoicesAndAnchorsComeBack) {
  std::vector<TaggedRow> sentences;
  std::vector<ChoiceRow> choices;
  std::vector<ContrastiveRow> anchors;
  for (int i = 0; i < 60; ++i) {
    const std::string name = fmt::format("w{}", i);
    sentences.push_back({.words = {name, "b"}, .tags = {"B-X", "I-X"}});
    choices.push_back({.question = name, .choices = {"one", "two"}, .label = i % 2});
    anchors.push_back({.anchor = name, .positive = "p", .negatives = {"n", "m"}});
  }
  const auto total = [](const SplitCounts& counts) { return counts[0] + counts[1] + counts[2]; };
  EXPECT_EQ(total(write_split(sentences, plan_)), 60);
  EXPECT_EQ(read_tagged(file("dev", "conll"), {}, Labels::required).rows.at(0).tags,
            (std::vector<std::string>{"B-X", "I-X"}));
  EXPECT_EQ(total(write_split(choices, plan_)), 60);
  for (const ChoiceRow& row : read_choices(file("dev", "jsonl"), {}, Labels::required).rows)
    EXPECT_EQ(*row.label, std::stoi(row.question.substr(1)) % 2);
  EXPECT_EQ(total(write_split(anchors, plan_)), 60);
  for (const ContrastiveRow& row : read_contrastive(file("dev", "jsonl"), {}).rows)
    EXPECT_EQ(row.negatives, (std::vector<std::string>{"n", "m"}));
}

TEST_F(SplitRows, APartWithoutRowsIsRefused) {
  const std::vector<TaskRow> rows{{.text = "alone", .label = "a"}};
  try {
    write_split(rows, plan_);
    FAIL() << "did not throw";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::data);
    EXPECT_NE(std::string(error.what()).find("no row fell to"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace tenfold::data
