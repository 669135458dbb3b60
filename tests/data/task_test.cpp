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

TEST_F(Tasks, ColumnsCountFromTheEndToo) {
  const auto file =
      read_task(write("a.tsv", "x\ty\tone\nz\ttwo\n"), columns_at("0", "-1"), Labels::required);
  EXPECT_EQ(file.rows[0].label, "one");
  EXPECT_EQ(file.rows[1].label, "two");
  EXPECT_NE(refusal("b.tsv", "a\n", columns_at("0", "-3")).find("at least 3 columns, got 1"),
            std::string::npos);
}

TEST_F(Tasks, SeveralLabelsAreAListOrSeparated) {
  TaskColumns columns;
  columns.label_kind = LabelKind::several;
  columns.label_separator = "|";
  const auto objects = read_task(
      write("a.jsonl", "{\"text\":\"a\",\"labels\":[\"x\",3]}\n{\"text\":\"b\",\"labels\":[]}\n"),
      columns, Labels::required);
  EXPECT_EQ(objects.rows[0].labels, (std::vector<std::string>{"x", "3"}));
  EXPECT_TRUE(objects.rows[1].labels.empty());
  const auto separated =
      read_task(write("a.tsv", "text\tlabel\na\tx | y\nb\t\n"), columns, Labels::required);
  EXPECT_EQ(separated.rows[0].labels, (std::vector<std::string>{"x", "y"}));
  EXPECT_TRUE(separated.rows.at(1).labels.empty());
  EXPECT_EQ(label_set(separated.rows), (std::vector<std::string>{"x", "y"}));
  EXPECT_NE(refusal("b.tsv", "a\tx|y|x\n", columns).find("b.tsv:1: the label 'x' stands twice"),
            std::string::npos);
}

TEST_F(Tasks, ScoresAreNumbersOrMissing) {
  TaskColumns columns;
  columns.format = "sts";
  const auto path = write("a.txt", "2.5\ta\tb\n\tc\td\n-1e0\te\tf\n");
  const auto file = read_task(path, columns, Labels::required);
  ASSERT_EQ(file.rows.size(), 2u);
  EXPECT_EQ(file.rows[1].score, -1);
  EXPECT_EQ(file.rows[1].line, 3);
  EXPECT_EQ(file.unlabelled, 1);
  const auto all = read_task(path, columns, Labels::optional);
  ASSERT_EQ(all.rows.size(), 3u);
  EXPECT_FALSE(all.rows[1].score);
  TaskColumns scored;
  scored.label_kind = LabelKind::score;
  EXPECT_EQ(read_task(write("b.jsonl", "{\"text\":\"a\",\"score\":3}\n"), scored, Labels::required)
                .rows[0]
                .score,
            3);
  EXPECT_NE(refusal("c.jsonl", "{\"text\":\"a\",\"score\":\"NaN\"}\n", scored)
                .find("c.jsonl:1: the score 'NaN' is no finite number"),
            std::string::npos);
  EXPECT_NE(refusal("d.jsonl", "{\"text\":\"a\"}\n", scored).find("d.jsonl:1: no score"),
            std::string::npos);
}

TEST_F(Tasks, BytesThatAreNotUtf8AreNamedOrReadAsLatin1) {
  TaskColumns columns;
  columns.format = "trec-coarse";
  const std::string text = "LOC:city Which caf\xC3\xA9 ?\nLOC:city a sister\xE9 city\n";
  EXPECT_NE(refusal("a.label", text, columns).find("a.label:2: byte 18 is not UTF-8 (0xE9)"),
            std::string::npos);
  columns.encoding = TextEncoding::latin1;
  const auto file = read_task(write("b.label", text), columns, Labels::required);
  EXPECT_EQ(file.rows[0].text, "Which caf\xC3\xA9 ?");
  EXPECT_EQ(file.rows[1].text, "a sister\xC3\xA9 city");
  EXPECT_EQ(file.rows[1].label, "LOC");
  columns.format = "trec";
  EXPECT_EQ(read_task(folder_ / "b.label", columns, Labels::required).rows[0].label, "LOC:city");
  EXPECT_NE(refusal("c.csv", "text,label\na,x\n\"b\nc\xFF\",y\n").find("c.csv:3: byte 4 is not"),
            std::string::npos);
  EXPECT_NE(refusal("d.jsonl", "{\"text\":\"\xFF\",\"label\":1}\n").find("d.jsonl:1: byte 10 is"),
            std::string::npos);
}

TEST_F(Tasks, AlignedFilesMustBeEquallyLong) {
  TaskColumns columns;
  columns.format = "snli";
  write("s1.dev", "a\nb\nc\n");
  write("s2.dev", "x\ny\nz\n");
  const auto path = write("labels.dev", "neutral\n-\nentailment\n");
  const auto file = read_task(path, columns, Labels::required);
  ASSERT_EQ(file.rows.size(), 2u);
  EXPECT_EQ(file.rows[1].pair, "z");
  EXPECT_EQ(file.rows[1].line, 3);
  EXPECT_EQ(file.unlabelled, 1);
  write("s2.dev", "x\ny\n");
  EXPECT_NE(
      message_of([&] { read_task(path, columns, Labels::required); }).find("s2.dev has 2 lines"),
      std::string::npos);
  EXPECT_NE(refusal("labels.none", "neutral\n", columns).find("no file s1.* beside it"),
            std::string::npos);
}

TEST_F(Tasks, AnUnknownFormatNamesTheNearest) {
  TaskColumns columns;
  columns.format = "glue-coal";
  EXPECT_NE(refusal("a.tsv", "a\t1\n", columns).find("did you mean 'glue-cola'?"),
            std::string::npos);
}

// The counts of ../shared/data/README.md.
TEST_F(Tasks, RealFilesGiveTheDocumentedCounts) {
  TENFOLD_NEEDS_SHARED();
  struct Case {
    std::string path, format;
    size_t rows, labels;
    int64_t unlabelled = 0;
  };
  for (const Case& c : std::vector<Case>{
           {"glue/SST-2/train.tsv.zst", "auto", 67349, 2},
           {"glue/STS-B/sts-test.tsv", "sts-benchmark", 1379, 0},
           {"agnews/train10k.tsv.zst", "auto", 10001, 4},
           {"agnews/test.tsv.zst", "auto", 7600, 4},
           {"trec/train_5500.label", "trec", 5452, 50},
           {"trec/train_5500.label", "trec-coarse", 5452, 6},
           {"trec/TREC_10.label", "trec-coarse", 500, 6},
           {"banking77/train.csv", "auto", 10003, 77},
           {"banking77/test.csv", "auto", 3080, 77},
           {"snli/labels.dev", "snli", 9842, 3},
           {"sick/SICK_train.txt", "sick", 4500, 0},
           {"sick/SICK_trial.txt", "sick-entailment", 500, 3},
           {"sick/SICK_test_annotated.txt", "sick-entailment", 4927, 3},
           {"sts/2012/MSRpar.test.tsv", "sts", 750, 0},
           {"sts/2012/SMTeuroparl.train.tsv", "sts", 734, 0},
           {"sts/2014/deft-news.test.tsv", "sts", 300, 0},
           {"sts/2015/answers-forums.test.tsv", "sts", 375, 0, 1625},
           {"sts/2015/images.test.tsv", "sts", 750, 0, 750},
       }) {
    TaskColumns columns;
    columns.format = c.format;
    columns.encoding = c.path.starts_with("trec") ? TextEncoding::latin1 : TextEncoding::utf8;
    const auto file = read_task(testing::shared_path("data/" + c.path), columns, Labels::required);
    EXPECT_EQ(file.rows.size(), c.rows) << c.path;
    EXPECT_EQ(label_set(file.rows).size(), c.labels) << c.path;
    EXPECT_EQ(file.unlabelled, c.unlabelled) << c.path;
  }
  TaskColumns strict;
  strict.format = "trec";
  EXPECT_NE(message_of([&] {
              read_task(testing::shared_path("data/trec/train_5500.label"), strict,
                        Labels::required);
            }).find("train_5500.label:66: byte 60 is not UTF-8 (0xF0)"),
            std::string::npos);
}

}  // namespace
}  // namespace tenfold::data
