// Wrong input: one clear line, the documented exit code, nothing lost.
// Not here: damage below the program (each layer's own tests).
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

TEST_F(BadInput, AFolderThatCannotBeWritten) {
  make_shards();
  make_recipe();
  spill(folder_ / "file", "not a folder");
  expect(pretrain("file/run"), 1, "file");
}

TEST_F(BadInput, AFullDisk) {
  if (::geteuid() != 0) GTEST_SKIP() << "mounting a small disk needs root";
  make_shards();
  make_recipe();
  std::filesystem::create_directories(at("disk"));
  if (std::system(("mount -t tmpfs -o size=128k tmpfs " + at("disk") + " 2>/dev/null").c_str()) !=
      0) {
    GTEST_SKIP() << "no small disk can be mounted here";
  }
  const Ran ran = run(pretrain("disk/run"));
  EXPECT_EQ(ran.code, 1) << ran.err;
  EXPECT_NE(ran.err.find("No space left"), std::string::npos) << ran.err;
  EXPECT_EQ(std::system(("umount " + at("disk")).c_str()), 0);
}

}  // namespace
}  // namespace tenfold::testing
