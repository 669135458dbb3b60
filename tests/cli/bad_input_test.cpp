// Wrong input: one clear line, the documented exit code, nothing lost.
// Not here: damage below the program (each layer's own tests), folders that cannot be written
// (unwritable_test.cpp), the command line itself (command_line_test.cpp).
#include "program.h"

namespace tenfold::testing {
namespace {

class BadInput : public ProgramTest {
 protected:
  void expect(const std::string& arguments, int code, const std::string& part) const {
    const Ran ran = run(arguments);
    EXPECT_EQ(ran.code, code) << arguments << "\n" << ran.err;
    EXPECT_NE(ran.err.find(part), std::string::npos) << arguments << "\n" << ran.err;
    EXPECT_NE(ran.err.find("tenfold: ["), std::string::npos) << ran.err;
    EXPECT_TRUE(ran.out.empty()) << ran.out;
  }
};

TEST_F(BadInput, UnknownWordsNameTheNearest) {
  expect("pretrian", 2, "'pretrain'");
  expect("pretrain --confg x", 2, "'--config'");
  expect("evaluate --model x", 2, "--data");
  expect("vocab --size abc --out x", 2, "expected a whole number of at least 1, got 'abc'");
  expect("fill --model x --input y --top 0", 2, "at least 1, got '0'");
}

TEST_F(BadInput, MissingAndEmptyText) {
  expect("vocab --input " + at("nowhere.txt") + " --out " + at("v"), 3, "nowhere.txt");
  spill(folder_ / "empty.txt", "\n\n");
  expect("vocab --input " + at("empty.txt") + " --out " + at("v"), 3, "empty");
  expect("pretrain --config " + at("no.toml") + " --out " + at("x"), 2, "no.toml");
}

TEST_F(BadInput, Recipes) {
  spill(folder_ / "broken.toml", "[model]\nhidden_size = = 3\n");
  expect("pretrain --config " + at("broken.toml") + " --out " + at("x"), 2, "broken.toml:2:");
  make_recipe();
  expect("pretrain --config " + at("tiny.toml") + " --set model.hiden_size=3 --out " + at("x"), 2,
         "'hidden_size'");
  expect("pretrain --config " + at("tiny.toml") + " --set model.num_attention_heads=3 --out " +
             at("x"),
         2, "divide");
  make_shards();
  expect(pretrain("x", "--set model.vocab_size=50"), 2, "vocab_size is 50");
  EXPECT_FALSE(std::filesystem::exists(at("x")));
}

TEST_F(BadInput, ATruncatedShardAndAnotherVocabulary) {
  make_shards();
  make_recipe();
  spill(folder_ / "other.txt", "quite different words stand here\n");
  ASSERT_EQ(
      run("vocab --input " + at("other.txt") + " --size 60 --min-frequency 1 --out " + at("other"))
          .code,
      0);
  expect("prepare --input " + at("text.txt") + " --vocab " + at("other") + " --out " + at("shards"),
         3, "vocabulary");
  const auto shard = folder_ / "shards" / "shard-00000.bin";
  std::filesystem::resize_file(shard, std::filesystem::file_size(shard) - 10);
  expect(pretrain("x"), 3, "shard-00000.bin");
}

TEST_F(BadInput, Tasks) {
  make_shards();
  make_recipe();
  ASSERT_EQ(run(pretrain("mlm", "--set train.steps=5")).code, 0);
  const std::string base = "finetune --model " + at("mlm/latest") +
                           " --set data.max_length=16 --set train.steps=1 --out " + at("t") +
                           " --set data.train=";
  spill(folder_ / "few.tsv", "the dog\tx\nno label\n");
  expect(base + at("few.tsv"), 3, "few.tsv:2:");
  spill(folder_ / "good.tsv", "the dog\tx\nthe cat\ty\n");
  spill(folder_ / "strange.tsv", "the dog\tz\n");
  expect(base + at("good.tsv") + " --set data.dev=" + at("strange.tsv"), 3, "'z'");
  expect("evaluate --task classification --model " + at("mlm/latest") + " --data " + at("good.tsv"),
         4, "");
  expect("inspect " + at("nothing"), 4, "nothing");
}

TEST_F(BadInput, RowsForAnotherModel) {
  make_classifier();
  const std::string model = " --model " + at("tuned/best");
  spill(folder_ / "strange.tsv", "the dog\tz\n");
  expect("evaluate" + model + " --data " + at("strange.tsv"), 3, "strange.tsv:1: the label 'z'");
  spill(folder_ / "few.tsv", "the dog\ta cat\tanimal\nthe dog\tanimal\n");
  expect("evaluate" + model + " --data " + at("few.tsv"), 3, "few.tsv:2: expected at least 3");
  expect("predict" + model + " --input " + at("few.tsv"), 3, "few.tsv:2: expected at least 3");
  expect("predict --model " + at("mlm/latest") + " --input " + at("few.tsv"), 4,
         "is no fine-tuned model");
  expect("fill" + model + " --input " + at("few.tsv"), 4, "cls.predictions");
}

TEST_F(BadInput, AVocabularyOfAnotherSize) {
  make_classifier();
  spill(folder_ / "more.txt", slurp(folder_ / "text.txt") +
                                  "quite many entirely different words stand here beyond those\n");
  ASSERT_EQ(
      run("vocab --min-frequency 1 --size 300 --input " + at("more.txt") + " --out " + at("other"))
          .code,
      0);
  for (const char* name : {"vocab.txt", "tokenizer.json"}) {
    std::filesystem::copy_file(folder_ / "other" / name, folder_ / "tuned" / "best" / name,
                               std::filesystem::copy_options::overwrite_existing);
    std::filesystem::copy_file(folder_ / "other" / name, folder_ / "mlm" / "latest" / name,
                               std::filesystem::copy_options::overwrite_existing);
  }
  const std::string model = " --model " + at("tuned/best");
  expect("predict" + model + " --input " + at("text.txt"), 4, "the tokenizer has");
  expect("evaluate" + model + " --data " + at("task.tsv"), 4, "the tokenizer has");
  expect("fill --model " + at("mlm/latest") + " --input " + at("text.txt"), 4, "the tokenizer has");
  expect(finetune("x"), 4, "the tokenizer has");
  EXPECT_FALSE(std::filesystem::exists(at("x")));
}

TEST_F(BadInput, ALabelThatIsNoText) {
  make_shards();
  make_recipe();
  ASSERT_EQ(run(pretrain("mlm", "--set train.steps=5")).code, 0);
  spill(folder_ / "task.tsv",
        "the dog\tgood\nthe cat\tb\xff"
        "d\n");
  expect(finetune("x"), 3, "UTF-8");
}

TEST_F(BadInput, MissingModelsFoldersAndFilesInEachOthersPlace) {
  make_corpus();
  ASSERT_EQ(run("vocab --input " + at("text.txt") + " --size 80 --out " + at("vocab")).code, 0);
  for (const std::string command : {"predict", "fill", "tokenize"}) {
    expect(command + " --model " + at("none") + " --input " + at("text.txt"), 4, "none");
    expect(command + " --model " + at("text.txt") + " --input " + at("text.txt"), 4, "text.txt");
  }
  expect("tokenize --model " + at("vocab") + " --input " + at("none.txt"), 3, "none.txt");
  expect("tokenize --model " + at("vocab") + " --input " + at("vocab"), 3, "is a folder");
  expect("evaluate --model " + at("none") + " --data " + at("text.txt"), 4, "none");
  expect("inspect " + at("text.txt"), 4, "text.txt");
  expect("verify " + at("none") + " --against " + at("text.txt"), 4, "text.txt");
  expect("pretrain --config " + at("vocab") + " --out " + at("x"), 2, "vocab");
  expect("prepare --input " + at("vocab") + " --vocab " + at("vocab") + " --out " + at("s"), 3,
         "is a folder");
  expect("report --title x --run a:1=" + at("none"), 3, "none");
}

}  // namespace
}  // namespace tenfold::testing
