// GLUE by task and split: rows of hand-made files in each task's columns, the real files' counts,
// and the files handed in. Not here: other labelled rows (task_test.cpp).
#include "data/glue.h"

#include "corpus_folder.h"
#include "golden.h"

namespace tenfold::data {
namespace {

class Glue : public CorpusFolder {
 protected:
  TaskFile read(const std::string& task, const std::string& split, const std::string& bytes,
                Labels labels = Labels::required) const {
    const GlueTask& known = glue_task(task);
    std::filesystem::create_directories(folder_ / known.name);
    write(known.name + "/" + split + ".tsv", bytes);
    TaskColumns columns;
    columns.format = known.format;
    return read_task(glue_file(folder_, known, split), columns, labels);
  }
};

// The headers are those of the released files; quotes stand there as they are written.
TEST_F(Glue, EveryTaskHasItsColumns) {
  struct Case {
    std::string task, split, header, row, text, pair, label;
  };
  const std::vector<Case> cases = {
      {"CoLA", "train", "", "gj04\t0\t*\tThe \"car.", "The \"car.", "", "0"},
      {"SST-2", "dev", "sentence\tlabel", "good \t1", "good ", "", "1"},
      {"MRPC", "train", "\xEF\xBB\xBFQuality\t#1 ID\t#2 ID\t#1 String\t#2 String",
       "1\t11\t22\tone \"a\ttwo", "one \"a", "two", "1"},
      {"QQP", "train", "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate", "7\t1\t2\twhy\thow\t0",
       "why", "how", "0"},
      {"MNLI", "dev_matched",
       "index\tpromptID\tpairID\tgenre\tsentence1_binary_parse\tsentence2_binary_parse\t"
       "sentence1_parse\tsentence2_parse\tsentence1\tsentence2\tlabel1\tlabel2\tlabel3\tlabel4\t"
       "label5\tgold_label",
       "0\t1\t1n\tx\t(\t(\t(\t(\tpremise\thypothesis\tneutral\ta\tb\tc\td\tentailment", "premise",
       "hypothesis", "entailment"},
      {"QNLI", "train", "index\tquestion\tsentence\tlabel", "0\tq\ts\tnot_entailment", "q", "s",
       "not_entailment"},
      {"RTE", "train", "index\tsentence1\tsentence2\tlabel", "0\ta\tb\tentailment", "a", "b",
       "entailment"},
      {"WNLI", "train", "index\tsentence1\tsentence2\tlabel", "0\ta\tb\t1", "a", "b", "1"},
  };
  for (const Case& c : cases) {
    const TaskFile file =
        read(c.task, c.split, (c.header.empty() ? "" : c.header + "\n") + c.row + "\n");
    ASSERT_EQ(file.rows.size(), 1u) << c.task;
    EXPECT_EQ(file.rows[0].text, c.text) << c.task;
    EXPECT_EQ(file.rows[0].pair.value_or(""), c.pair) << c.task;
    EXPECT_EQ(file.rows[0].label, c.label) << c.task;
  }
  const TaskFile scored = read("STS-B", "train",
                               "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\t"
                               "sentence1\tsentence2\tscore\n0\tg\tf\ty\t1\tn\tn\ta\tb\t3.800\n");
  EXPECT_EQ(scored.rows[0].text, "a");
  EXPECT_EQ(scored.rows[0].score, 3.8);
}

TEST_F(Glue, TestFilesHaveNoLabels) {
  const auto cola = read("CoLA", "test", "index\tsentence\n0\tA car.\n", Labels::optional);
  EXPECT_EQ(cola.rows.at(0).text, "A car.");
  EXPECT_FALSE(cola.rows[0].label);
  const auto ax = read("AX", "test", "index\tsentence1\tsentence2\n0\ta\tb\n", Labels::optional);
  EXPECT_EQ(ax.rows.at(0).pair, "b");
  const auto sts = read("STS-B", "test",
                        "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\t"
                        "sentence2\n0\tg\tf\ty\t1\tn\tn\ta\tb\n",
                        Labels::optional);
  EXPECT_EQ(sts.rows.at(0).text, "a");
  EXPECT_FALSE(sts.rows[0].score);
  EXPECT_NE(message_of([&] {
              read("SST-2", "test", "index\tsentence\n0\ta\n");
            }).find("no column 'label' in the header (index, sentence)"),
            std::string::npos);
}

TEST_F(Glue, LabelsAndScoresThatCannotBeAreNamed) {
  EXPECT_NE(message_of([&] {
              read("RTE", "dev", "index\tsentence1\tsentence2\tlabel\n0\ta\tb\tneutral\n");
            }).find("dev.tsv:2: the label 'neutral' is not one of entailment, not_entailment"),
            std::string::npos);
  const std::string head = "index\tsentence1\tsentence2\tscore\n";
  for (const char* score : {"nan", "inf", "1e999", "3,5", "4x"}) {
    EXPECT_NE(message_of([&] {
                read("STS-B", "dev", head + "0\ta\tb\t" + score + "\n");
              }).find(std::string("dev.tsv:2: the score '") + score + "' is no finite number"),
              std::string::npos)
        << score;
  }
}

TEST_F(Glue, FilesAreFoundCompressedOrNamed) {
  EXPECT_NE(message_of([&] {
              glue_file(folder_, glue_task("mnli"), "dev");
            }).find("MNLI has dev_matched and dev_mismatched"),
            std::string::npos);
  EXPECT_NE(message_of([&] { glue_task("CoAL"); }).find("did you mean 'CoLA'"), std::string::npos);
}

TEST_F(Glue, SubmissionsHoldTheTasksWords) {
  const auto path = folder_ / "RTE.tsv";
  const std::vector<std::string> words{"entailment", "not_entailment"};
  write_glue_submission(path, glue_task("RTE"), words);
  EXPECT_EQ(bytes_of(path), "index\tprediction\n0\tentailment\n1\tnot_entailment\n");
  write_glue_submission(path, glue_task("STS-B"), std::vector<std::string>{"3.25"});
  EXPECT_EQ(bytes_of(path), "index\tprediction\n0\t3.25\n");
  EXPECT_NE(message_of([&] {
              write_glue_submission(path, glue_task("WNLI"), words);
            }).find("row 0: the prediction 'entailment' is none of 0, 1"),
            std::string::npos);
  EXPECT_EQ(glue_submission_name(glue_task("MNLI"), "test_mismatched"), "MNLI-mm.tsv");
  EXPECT_EQ(glue_submission_name(glue_task("AX"), "test"), "AX.tsv");
}

TEST_F(Glue, TheReleasedFilesGiveTheirRows) {
  TENFOLD_NEEDS_SHARED();
  struct Count {
    const char *task, *split;
    size_t rows;
  };
  // Counts of ../shared/data/README.md.
  for (const Count& count :
       {Count{"SST-2", "train", 67349}, Count{"SST-2", "dev", 872}, Count{"CoLA", "train", 8551},
        Count{"CoLA", "dev", 1043}, Count{"STS-B", "train", 5749}, Count{"STS-B", "dev", 1500},
        Count{"RTE", "train", 2490}, Count{"RTE", "dev", 277}, Count{"WNLI", "train", 635},
        Count{"WNLI", "dev", 71}}) {
    const GlueTask& task = glue_task(count.task);
    TaskColumns columns;
    columns.format = task.format;
    const auto path = glue_file(testing::shared_path("data/glue"), task, count.split);
    EXPECT_EQ(read_task(path, columns, Labels::required).rows.size(), count.rows) << path;
  }
}

}  // namespace
}  // namespace tenfold::data
