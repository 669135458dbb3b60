// Labelled rows from each format, and what is said of rows that are wrong.
// Not here: WordNet's tasks (wordnet_test.cpp).
#include "data/task.h"

#include "corpus_folder.h"
#include "golden.h"

namespace tenfold::data {
namespace {

TaskColumns columns_at(std::string text, std::string label) {
  return {.text = std::move(text), .pair = {}, .label = std::move(label), .skip_bad = false};
}

class Tasks : public CorpusFolder {
 protected:
  std::string refusal(const std::string& name, const std::string& text,
                      const TaskColumns& columns = {}) const {
    const auto path = write(name, text);
    return message_of([&] { read_task(path, columns, Labels::required); });
  }
};

TEST_F(Tasks, ReadColumnsWithAndWithoutAHeader) {
  const auto headed =
      read_task(write("a.tsv", "sentence\tlabel\r\na b\t1\r\n\r\nc\t0\r\n"), {}, Labels::required);
  ASSERT_EQ(headed.rows.size(), 2u);
  EXPECT_EQ(headed.rows[1].text, "c");
  EXPECT_EQ(headed.rows[1].label, "0");
  EXPECT_EQ(headed.rows[1].line, 4);
  const auto bare = read_task(write("b.tsv", "x\ty\tno\n"), {}, Labels::required);
  EXPECT_EQ(bare.rows[0].pair, "y");
  EXPECT_EQ(bare.rows[0].label, "no");
}

TEST_F(Tasks, ColumnsMayHaveAnyNameOrNumber) {
  const auto named = read_task(write("a.tsv", "review\tstars\ngood\t5\n"),
                               columns_at("review", "stars"), Labels::required);
  ASSERT_EQ(named.rows.size(), 1u);
  EXPECT_EQ(named.rows[0].text, "good");
  const auto numbered =
      read_task(write("b.tsv", "id\t1\t*\tA text.\n"), columns_at("3", "1"), Labels::required);
  EXPECT_EQ(numbered.rows[0].text, "A text.");
  EXPECT_NE(refusal("c.tsv", "text\tlabel\na\t1\n", columns_at("txet", "")).find("'txet'"),
            std::string::npos);
}

TEST_F(Tasks, QuotedFieldsHoldCommasQuotesAndLineEnds) {
  const auto file =
      read_task(write("a.csv", "text,label\n\"a, \"\"b\"\"\nc\",x\nd,y\n"), {}, Labels::required);
  ASSERT_EQ(file.rows.size(), 2u);
  EXPECT_EQ(file.rows[0].text, "a, \"b\"\nc");
  EXPECT_EQ(file.rows[1].label, "y");
  EXPECT_NE(
      refusal("b.csv", "text,label\na,x\n\"open,y\n").find("b.csv:3: a quoted field has no end"),
      std::string::npos);
}

TEST_F(Tasks, JsonRowsMayBePairs) {
  const auto file =
      read_task(write("a.jsonl", "{\"sentence1\":\"a\",\"sentence2\":\"b\",\"label\":3}\n"), {},
                Labels::required);
  EXPECT_EQ(file.rows[0].pair, "b");
  EXPECT_EQ(file.rows[0].label, "3");
}

TEST_F(Tasks, BadRowsAreNamedOrCounted) {
  EXPECT_NE(refusal("a.tsv", "a\tx\nb\n").find("a.tsv:2: expected at least 2 columns, got 1"),
            std::string::npos);
  EXPECT_NE(refusal("b.tsv", "a\tx\n \ty\n").find("b.tsv:2: the text is empty"), std::string::npos);
  EXPECT_NE(refusal("c.tsv", "a\tx\nb\t\n").find("c.tsv:2: no label"), std::string::npos);
  EXPECT_NE(refusal("d.jsonl", "{\"text\":\"a\",\"label\":1}\nnone\n").find("d.jsonl:2:"),
            std::string::npos);
  EXPECT_NE(refusal("e.tsv", "text\tlabel\ttext\na\tb\tc\n").find("'text' appears twice"),
            std::string::npos);
  EXPECT_NE(refusal("f.tsv", "\n\n").find("no rows"), std::string::npos);
  EXPECT_NE(refusal("g.txt", "a\n").find(".tsv"), std::string::npos);
  TaskColumns lenient;
  lenient.skip_bad = true;
  const auto counted = read_task(folder_ / "a.tsv", lenient, Labels::required);
  EXPECT_EQ(counted.rows.size(), 1u);
  EXPECT_EQ(counted.bad_rows, 1);
  EXPECT_NE(counted.first_bad.find("a.tsv:2"), std::string::npos);
  EXPECT_NE(message_of([&] {
              read_task(folder_ / "no.tsv", {}, Labels::required);
            }).find("no.tsv does not exist"),
            std::string::npos);
}

TEST_F(Tasks, LabelsAreSortedByNumberOrText) {
  const auto labels = [](std::vector<std::string> values) {
    std::vector<TaskRow> rows;
    for (auto& value : values) rows.push_back({.text = "t", .pair = {}, .label = value, .line = 1});
    return label_set(rows);
  };
  EXPECT_EQ(labels({"10", "9", "2", "9"}), (std::vector<std::string>{"2", "9", "10"}));
  EXPECT_EQ(labels({"b", "10", "a"}), (std::vector<std::string>{"10", "a", "b"}));
}

TEST_F(Tasks, ExamplesAreCutAndStrangeLabelsNamed) {
  const Tokenizer tokenizer = counting_tokenizer();
  const std::vector<std::string> labels{"no", "yes"};
  const std::vector<TaskRow> rows{{.text = "w1 w2 w3 w4", .pair = "w5", .label = "yes", .line = 1}};
  const auto examples = make_examples(rows, tokenizer, labels, 6, "f.tsv");
  EXPECT_EQ(examples[0].sequences.at("tokens"), (std::vector<int32_t>{2, 6, 7, 3, 10, 3}));
  EXPECT_EQ(examples[0].sequences.at("segments"), (std::vector<int32_t>{0, 0, 0, 0, 1, 1}));
  EXPECT_EQ(examples[0].labels, std::vector<double>{1});
  const std::vector<TaskRow> strange{{.text = "w1", .pair = {}, .label = "maybe", .line = 8}};
  EXPECT_NE(message_of([&] {
              make_examples(strange, tokenizer, labels, 6, "f.tsv");
            }).find("f.tsv:8: the label 'maybe'"),
            std::string::npos);
}

TEST_F(Tasks, RealFilesGiveTheDocumentedCounts) {
  TENFOLD_NEEDS_SHARED();
  const auto sst =
      read_task(testing::shared_path("data/glue/SST-2/train.tsv.zst"), {}, Labels::required);
  EXPECT_EQ(sst.rows.size(), 67349u);
  EXPECT_EQ(label_set(sst.rows), (std::vector<std::string>{"0", "1"}));
}

}  // namespace
}  // namespace tenfold::data
