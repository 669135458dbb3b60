// Every command once, on generated text, as the README shows them.
// Not here: bad input (bad_input_test.cpp) or killed runs (resume_test.cpp).
#include <nlohmann/json.hpp>

#include "program.h"

namespace tenfold::testing {
namespace {

using nlohmann::json;

class Transcripts : public ProgramTest {};

TEST_F(Transcripts, HelpAndVersionGoToStandardOutput) {
  const Ran help = run("--help");
  EXPECT_EQ(help.code, 0);
  for (const char* command :
       {"prepare", "vocab", "pretrain", "finetune", "evaluate", "predict", "fill", "tokenize",
        "inspect", "methods", "doctor", "verify", "bench"}) {
    EXPECT_NE(help.out.find(command), std::string::npos) << command;
    const Ran one = run(std::string(command) + " --help");
    EXPECT_EQ(one.code, 0) << command;
    EXPECT_TRUE(one.err.empty()) << command;
  }
  EXPECT_EQ(run("--version").code, 0);
}

TEST_F(Transcripts, FromTextToPredictions) {
  make_shards();
  make_recipe();
  const Ran trained = run(pretrain("mlm"));
  ASSERT_EQ(trained.code, 0) << trained.err;
  EXPECT_EQ(json::parse(trained.out).at("step"), 20);

  std::string rows;
  for (int i = 0; i < 60; ++i)
    rows += i % 2 == 0 ? "the dog sees a cat\tanimal\n" : "a bird likes the fish\tother\n";
  spill(folder_ / "task.tsv", rows);
  const Ran tuned =
      run("finetune --threads 1 --model " + at("mlm/latest") +
          " --set data.train=" + at("task.tsv") + " --set data.dev=" + at("task.tsv") +
          " --set train.steps=30 --set train.validate_every=15 --set data.max_length=16 --set "
          "train.batch_tokens=128 --set train.optimizer.kind=adamw --set "
          "train.optimizer.adamw.learning_rate=1e-2 --out " +
          at("tuned"));
  ASSERT_EQ(tuned.code, 0) << tuned.err;

  const Ran scores =
      run("evaluate --json --model " + at("tuned/best") + " --data " + at("task.tsv"));
  ASSERT_EQ(scores.code, 0) << scores.err;
  EXPECT_GT(json::parse(scores.out).at("accuracy"), 0.9);

  const Ran labels = run("predict --model " + at("tuned/best") + " --input -",
                         "the dog sees a cat\na bird likes the fish\n");
  ASSERT_EQ(labels.code, 0) << labels.err;
  const auto end = labels.out.find('\n');
  EXPECT_EQ(json::parse(labels.out.substr(0, end)).at("label"), "animal");
  EXPECT_EQ(json::parse(labels.out.substr(end + 1)).at("label"), "other");

  const Ran filled =
      run("fill --top 2 --model " + at("mlm/best") + " --input -", "the [MASK] sees a cat\n");
  ASSERT_EQ(filled.code, 0) << filled.err;
  EXPECT_EQ(json::parse(filled.out).at("masks").at(0).at("candidates").size(), 2u);

  const Ran shape = run("inspect --json " + at("mlm/latest"));
  ASSERT_EQ(shape.code, 0) << shape.err;
  EXPECT_EQ(json::parse(shape.out).at("manifest"), "whole");
  const Ran text = run("evaluate --json --model " + at("mlm/latest") + " --data " + at("text.txt"));
  ASSERT_EQ(text.code, 0) << text.err;
  EXPECT_GT(json::parse(text.out).at("perplexity"), 1.0);
}

TEST_F(Transcripts, TokenizeGivesByteOffsets) {
  make_corpus();
  ASSERT_EQ(run("vocab --input " + at("text.txt") + " --size 80 --out " + at("vocab")).code, 0);
  const Ran ran = run("tokenize --model " + at("vocab") + " --input -", "the dog\n");
  ASSERT_EQ(ran.code, 0) << ran.err;
  const json line = json::parse(ran.out);
  EXPECT_EQ(line.at("tokens").front(), "[CLS]");
  EXPECT_EQ(line.at("tokens").at(1), "the");
  EXPECT_EQ(line.at("offsets").at(1), json({0, 3}));
}

TEST_F(Transcripts, MethodsAreListedWithOptionsAndTraits) {
  const Ran all = run("methods");
  ASSERT_EQ(all.code, 0) << all.err;
  for (const char* name :
       {"softmax", "whole_word", "span", "mlm", "classification", "adamw", "linear", "cosine"}) {
    EXPECT_NE(all.out.find(name), std::string::npos) << name;
  }
  EXPECT_EQ(json::parse(run("methods softmax --json").out).at(0).at("traits").at("masks").size(),
            5u);
  const Ran unknown = run("methods sofmax");
  EXPECT_EQ(unknown.code, 2);
  EXPECT_NE(unknown.err.find("'softmax'"), std::string::npos) << unknown.err;
}

TEST_F(Transcripts, ADryRunWritesNothing) {
  make_shards();
  make_recipe();
  const Ran ran = run(pretrain("dry", "--dry-run"));
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_FALSE(std::filesystem::exists(at("dry")));
}

}  // namespace
}  // namespace tenfold::testing
