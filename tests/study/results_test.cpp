// Tables of a study against values worked out by hand.
// Not here: how a page looks.
#include "study/results.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "tenfold/error.h"

namespace tenfold::study {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Two tasks, baseline and one variant, two seeds; a pre-training shared by all.
struct SmallStudy {
  StudyFile file;
  Plan plan;
  std::vector<RunRecord> records;

  SmallStudy() {
    file.title = "t";
    file.pretrain.recipe = "p";
    file.seeds = {1, 2};
    file.tasks = {{.name = "a"}, {.name = "b", .metric = "mcc"}};
    plan.variants = {{.label = "baseline"}, {.label = "x: 1"}};
    add_run(Command::pretrain, 0, 0, 0, {{"loss", 5.0}});
    const double values[2][2][2] = {{{0.50, 0.20}, {0.60, 0.40}}, {{0.55, 0.30}, {0.61, 0.46}}};
    for (size_t s = 0; s < 2; ++s) {
      for (size_t v = 0; v < 2; ++v) {
        for (size_t t = 0; t < 2; ++t) {
          add_run(Command::finetune, v, t, file.seeds[s],
                  {{t == 0 ? "accuracy" : "mcc", values[v][s][t]}});
          plan.cells.push_back({v, t, file.seeds[s], plan.runs.size() - 1});
        }
      }
    }
  }

  void add_run(Command command, size_t variant, size_t task, int64_t seed,
               std::map<std::string, double> metrics) {
    PlannedRun run;
    run.command = command;
    run.name = "run" + std::to_string(plan.runs.size());
    run.variant = variant;
    run.task = task;
    run.seed = seed;
    if (command == Command::finetune) run.parent = 0;
    plan.runs.push_back(run);
    const double cost = command == Command::pretrain ? 1000 : 10;
    records.push_back({.state = State::finished,
                       .metrics = std::move(metrics),
                       .tokens = cost,
                       .flops = 2 * cost,
                       .cpu_seconds = 3 * cost});
  }

  Results results() const { return summarize(file, plan, records); }
};

TEST(StudyResults, AgreeWithASumByHand) {
  const Results results = SmallStudy().results();
  ASSERT_EQ(results.rows.size(), 2u);
  EXPECT_THAT(results.rows[1].values,
              ElementsAre(ElementsAre(0.55, 0.61), ElementsAre(0.30, 0.46)));
  EXPECT_DOUBLE_EQ(*results.rows[0].mean, (0.55 + 0.30) / 2);
  // Differences 0.05, 0.10, 0.01, 0.06: mean 0.055, deviation sqrt(0.0041 / 3) = 0.036968.
  ASSERT_TRUE(results.rows[1].to_baseline);
  EXPECT_NEAR(results.rows[1].to_baseline->difference, 0.055, 1e-12);
  EXPECT_EQ(results.rows[1].to_baseline->pairs, 4);
  // t(0.975, 3) = 3.182446 (tables); 3.182446 * 0.036968 / 2 = 0.058825.
  EXPECT_NEAR(*results.rows[1].to_baseline->half_width, 0.058825, 1e-6);
  // One pre-training and four fine-tunings stand behind each row.
  EXPECT_EQ(results.rows[0].tokens, 1040);
  EXPECT_EQ(results.rows[1].flops, 2080);
  EXPECT_EQ(results.rows[1].cpu_seconds, 3120);
}

TEST(StudyResults, APreTrainingWhoseWeightsAreNotUsedIsNotCounted) {
  SmallStudy study;
  for (PlannedRun& run : study.plan.runs) run.fresh = run.variant == 1;
  EXPECT_EQ(study.results().rows[0].tokens, 1040);
  EXPECT_EQ(study.results().rows[1].tokens, 40);
}

TEST(StudyResults, TheTableShowsThem) {
  const eval::Table table = result_table(SmallStudy().results());
  std::vector<std::string> titles;
  for (const auto& column : table.columns) titles.push_back(column.title);
  EXPECT_THAT(titles, ElementsAre("variant", "runs", "a accuracy", "b mcc", "mean", "to baseline",
                                  "p", "FLOPs", "CPU time", "tokens"));
  EXPECT_THAT(table.rows[0], ElementsAre("baseline", "4/4", "0.5500 ± 0.0707", "0.3000 ± 0.1414",
                                         "0.4250", "–", "–", "2.08e+03", "52m00s", "1.04k"));
  EXPECT_THAT(table.rows[1],
              ElementsAre("x: 1", "4/4", "0.5800 ± 0.0424", "0.3800 ± 0.1131", "0.4800",
                          "+0.0550 ± 0.0588", "0.059", "2.08e+03", "52m00s", "1.04k"));
  EXPECT_EQ(table.best_row, 1u);
}

TEST(StudyResults, ManyTasksHaveATableWithARowEach) {
  Results results;
  for (const char* name : {"a", "b", "c", "d", "e", "f"}) results.columns.push_back({name, "f1"});
  results.rows = {{.label = "baseline", .values = {{0.5, 0.7}, {0.1}, {}, {0.2}, {0.3}, {0.4}}},
                  {.label = "other", .values = {{0.6}, {0.2}, {0.3}, {0.2}, {0.3}, {0.4}}}};
  const eval::Table tasks = task_table(results);
  ASSERT_EQ(tasks.rows.size(), 6u);
  EXPECT_THAT(tasks.rows[0], ElementsAre("a", "f1", "0.6000 ± 0.1414", "0.6000"));
  EXPECT_EQ(tasks.rows[2][2], "–");
  EXPECT_EQ(tasks.columns[3].title, "other");
  EXPECT_EQ(result_table(results).columns[2].title, "mean") << "without the tasks' columns";
  results.columns.resize(2);
  EXPECT_TRUE(task_table(results).rows.empty()) << "few tasks stand in the table of variants";
}

TEST(StudyResults, WhatHasNoResultIsLeftOutOfPairsAndNamed) {
  SmallStudy study;
  study.records[1] = {.state = State::failed, .error = "[data] no such file"};  // baseline, a, 1
  study.records[8] = {.state = State::left_out, .error = "the budget is used up"};
  const Results results = study.results();
  EXPECT_EQ(results.rows[0].finished, 3);
  EXPECT_EQ(results.rows[1].to_baseline->pairs, 2);
  EXPECT_NEAR(results.rows[1].to_baseline->difference, (0.10 + 0.01) / 2, 1e-12);
  const std::string text = results_markdown(study.file, study.plan, study.records);
  EXPECT_THAT(text, HasSubstr("| run1 | failed | [data] no such file |"));
  EXPECT_THAT(text, HasSubstr("| run8 | left out | the budget is used up |"));
  const auto json = nlohmann::json::parse(results_json(study.file, study.plan, study.records));
  EXPECT_EQ(json["variants"][0]["figures"][0]["values"], nlohmann::json({0.60}));
  EXPECT_EQ(json["runs"][1]["state"], "failed");
}

TEST(StudyResults, WithoutAnyResultTheTableIsStillThere) {
  SmallStudy study;
  for (RunRecord& record : study.records) record = {};
  const eval::Table table = result_table(study.results());
  EXPECT_EQ(table.rows[0][2], "–");
  EXPECT_FALSE(table.best_row);
}

TEST(StudyResults, SmallerLossesAreBetter) {
  SmallStudy study;
  study.file.tasks = {};
  study.plan.runs.resize(1);
  study.plan.cells = {{0, 0, 1, 0}, {1, 0, 1, 1}};
  study.plan.runs.push_back(study.plan.runs[0]);
  study.records.resize(2);
  study.records[0].metrics = {{"loss", 5.0}};
  study.records[1].metrics = {{"loss", 4.0}};
  EXPECT_EQ(result_table(study.results()).best_row, 1u);
}

TEST(PairedDifference, AgreesWithTablesOfStudentsT) {
  // Critical values at 5 % as printed in tables of the distribution.
  const std::pair<int64_t, double> table[] = {{1, 12.7062}, {2, 4.3027},  {3, 3.1824},
                                              {4, 2.7764},  {9, 2.2622},  {10, 2.2281},
                                              {29, 2.0452}, {30, 2.0423}, {120, 1.9799}};
  for (const auto& [freedom, t] : table) {
    EXPECT_NEAR(student_two_sided(t, freedom), 0.05, 2e-5) << freedom;
    EXPECT_NEAR(student_critical(0.05, freedom), t, 1e-4) << freedom;
  }
  EXPECT_NEAR(student_two_sided(1, 1), 0.5, 1e-12) << "Cauchy's quartile";
  EXPECT_EQ(student_two_sided(0, 7), 1.0);
}

TEST(PairedDifference, OfOnePairOrEqualPairsClaimsNothing) {
  const std::vector<double> one{0.5}, other{0.7};
  EXPECT_FALSE(paired_difference(one, other).p_value);
  const std::vector<double> same{0.5, 0.5, 0.6};
  EXPECT_EQ(paired_difference(same, same).p_value, 1.0);
  EXPECT_THROW(paired_difference(one, same), Error);
}

}  // namespace
}  // namespace tenfold::study
