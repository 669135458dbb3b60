// The command line itself: unknown words, global options, pipes that close, where results go.
// Not here: what single commands do (transcripts_test.cpp).
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <nlohmann/json.hpp>
#include <regex>

#include "program.h"

namespace tenfold::testing {
namespace {

using nlohmann::json;

class CommandLine : public ProgramTest {};

TEST_F(CommandLine, AnUnknownOptionComesBeforeMissingOnes) {
  const std::pair<const char*, const char*> lines[] = {
      {"vocab --szie 5", "unknown option '--szie'; did you mean '--size'?"},
      {"vocab --szie=5", "unknown option '--szie'; did you mean '--size'?"},
      {"prepare --shard-token 5", "'--shard-tokens'"},
      {"pretrain --confg x", "'--config'"},
      {"finetune --modle x", "'--model'"},
      {"evaluate --modle x", "'--model'"},
      {"predict --inptu x", "'--input'"},
      {"fill --tpo 5", "'--top'"},
      {"tokenize --modle x", "'--model'"},
      {"inspect --jsno", "'--json'"},
      {"verify --agianst x", "'--against'"},
      {"methods --jsno", "'--json'"},
      {"doctor --jsno", "'--json'"},
      {"bench --roundz 5", "'--rounds'"},
      {"report --titel x", "'--title'"},
      {"--thread 2 doctor", "'--threads'"},
      {"inspect a b", "unexpected argument 'b'"},
      {"pretrian --config x", "unknown command 'pretrian'; did you mean 'pretrain'?"}};
  for (const auto& [line, part] : lines) {
    const Ran ran = run(line);
    EXPECT_EQ(ran.code, 2) << line;
    EXPECT_NE(ran.err.find(part), std::string::npos) << line << "\n" << ran.err;
    EXPECT_EQ(ran.err.find("required"), std::string::npos) << line << "\n" << ran.err;
    EXPECT_EQ(count_lines(ran.err), 1U) << ran.err;
  }
}

TEST_F(CommandLine, AnUnknownTaskNamesTheKnownOnes) {
  const Ran prepare = run("prepare --task bogus --out " + at("x"));
  EXPECT_EQ(prepare.code, 2);
  EXPECT_NE(prepare.err.find("unknown task 'bogus'"), std::string::npos) << prepare.err;
  EXPECT_NE(prepare.err.find("wordnet-text, wordnet-category, wordnet-is-a"), std::string::npos)
      << prepare.err;
  const Ran near = run("prepare --task wordnet-categroy --out " + at("x"));
  EXPECT_NE(near.err.find("did you mean 'wordnet-category'"), std::string::npos) << near.err;
  const Ran vocab = run("vocab --task wordnet-category --out " + at("x"));
  EXPECT_EQ(vocab.code, 2);
  EXPECT_NE(vocab.err.find("expected wordnet-text"), std::string::npos) << vocab.err;
  EXPECT_FALSE(std::filesystem::exists(at("x")));
}

TEST_F(CommandLine, BuildInfoSaysWhatThisProgramIsMadeOf) {
  const Ran ran = run("--build-info");
  ASSERT_EQ(ran.code, 0) << ran.err;
  for (const char* part : {"tenfold", "commit", "compiler", "flags", "-O", "libtorch", "2."}) {
    EXPECT_NE(ran.out.find(part), std::string::npos) << part << "\n" << ran.out;
  }
}

TEST_F(CommandLine, AnUnknownDtypeNamesTheLegalOnes) {
  const Ran ran = run("doctor --dtype float16");
  EXPECT_EQ(ran.code, 2);
  EXPECT_NE(ran.err.find("bfloat16"), std::string::npos) << ran.err;
}

TEST_F(CommandLine, ADtypeIsNotIgnoredWhereItDoesNothing) {
  for (const char* command : {"bench load", "bench roof"}) {
    const Ran ran = run(std::string(command) + " --dtype bfloat16");
    EXPECT_EQ(ran.code, 5) << command;
    EXPECT_NE(ran.err.find("float32"), std::string::npos) << ran.err;
  }
}

TEST_F(CommandLine, BFloat16TrainsAndFillsWhereTheProcessorHasIt) {
  make_shards();
  make_recipe();
  const Ran trained = run(pretrain("narrow", "--dtype bfloat16"));
  const Ran doctor = run("doctor --json");
  if (!std::string(json::parse(doctor.out).at("bfloat16")).starts_with("fast")) {
    EXPECT_EQ(trained.code, 5) << trained.err;
    EXPECT_NE(trained.err.find("bfloat16"), std::string::npos) << trained.err;
    return;
  }
  ASSERT_EQ(trained.code, 0) << trained.err;
  EXPECT_NE(slurp(folder_ / "narrow" / "config.toml").find("dtype = \"bfloat16\""),
            std::string::npos);
  ASSERT_EQ(run(pretrain("wide")).code, 0);
  const auto loss = [&](const std::string& out) {
    const std::string text = slurp(folder_ / out / "metrics.jsonl");
    return double(json::parse(text.substr(0, text.find('\n'))).at("loss"));
  };
  EXPECT_NEAR(loss("narrow"), loss("wide"), 0.02 * loss("wide"));
  const Ran filled = run("fill --dtype bfloat16 --model " + at("narrow/latest") + " --input -",
                         "a [MASK] animal\n");
  ASSERT_EQ(filled.code, 0) << filled.err;
  EXPECT_FALSE(filled.out.empty());
  // Weights are stored as they were trained: in fp32.
  const Ran inspected = run("inspect --json " + at("narrow/latest"));
  EXPECT_EQ(json::parse(inspected.out).at("dtype"), "float32") << inspected.out;
}

TEST_F(CommandLine, GradientCheckpointingTrainsToTheSameBits) {
  make_shards();
  make_recipe();
  ASSERT_EQ(run(pretrain("plain")).code, 0);
  const Ran again = run(pretrain("again", "--set train.gradient_checkpointing=true"));
  ASSERT_EQ(again.code, 0) << again.err;
  EXPECT_TRUE(slurp(folder_ / "plain/latest/model.safetensors") ==
              slurp(folder_ / "again/latest/model.safetensors"));
}

TEST_F(CommandLine, QuietLeavesErrorsAndResultsAlone) {
  make_shards();
  make_recipe();
  const Ran loud = run(pretrain("loud"));
  EXPECT_NE(loud.err.find("rows of"), std::string::npos) << loud.err;
  const Ran quiet = run("--quiet " + pretrain("quiet"));
  ASSERT_EQ(quiet.code, 0) << quiet.err;
  EXPECT_EQ(quiet.err, "");
  EXPECT_EQ(json::parse(quiet.out).at("step"), 20);
  const Ran after = run(pretrain("quiet", "--quiet"));
  EXPECT_EQ(after.code, 2);
  EXPECT_NE(after.err.find("--resume"), std::string::npos) << after.err;
}

TEST_F(CommandLine, ADeviceThatIsNotThereIsOneLine) {
  const Ran wrong = run("doctor --device gpu");
  EXPECT_EQ(wrong.code, 2);
  EXPECT_NE(wrong.err.find("'gpu'"), std::string::npos) << wrong.err;
  if (std::filesystem::exists("/dev/nvidia0")) GTEST_SKIP() << "this machine has a GPU";
  make_shards();
  make_recipe();
  for (const std::string& line : {pretrain("x", "--device cuda"), "--device cuda " + pretrain("x"),
                                  pretrain("x", "--set train.device=cuda"),
                                  std::string("predict --device cuda:0 --model x --input y")}) {
    const Ran ran = run(line);
    EXPECT_EQ(ran.code, 5) << line << "\n" << ran.err;
    EXPECT_NE(ran.err.find("cuda was asked for"), std::string::npos) << ran.err;
  }
  EXPECT_FALSE(std::filesystem::exists(at("x")));
}

TEST_F(CommandLine, TheDeviceOfTheCommandLineWins) {
  make_recipe();
  const Ran ran = run("pretrain --dump-config --device cpu --set train.device=cuda --config " +
                      at("tiny.toml"));
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(ran.out.find("device = \"cpu\""), std::string::npos) << ran.out;
}

TEST_F(CommandLine, ARunGoesOnWithoutAReaderOfItsErrors) {
  make_shards();
  make_recipe();
  const Ran ran = shell("{ $tenfold " + pretrain("run") + " 2>&1 >" + at("result") + "; echo $? >" +
                        at("code") + "; } | true");
  EXPECT_EQ(slurp(folder_ / "code"), "0\n") << ran.err;
  EXPECT_EQ(json::parse(slurp(folder_ / "result")).at("step"), 20);
  EXPECT_TRUE(std::filesystem::exists(at("run/checkpoint-20/manifest.json")));
}

TEST_F(CommandLine, AReaderThatHasSeenEnoughEndsACommandQuietly) {
  make_corpus();
  ASSERT_EQ(run("vocab --input " + at("text.txt") + " --size 80 --out " + at("vocab")).code, 0);
  std::string many;
  for (int i = 0; i < 200; ++i) many += slurp(folder_ / "text.txt");
  spill(folder_ / "many.txt", many);
  const Ran ran = shell("{ $tenfold tokenize --model " + at("vocab") + " --input " +
                        at("many.txt") + "; echo $? >" + at("code") + "; } | head -n 1");
  EXPECT_EQ(slurp(folder_ / "code"), "141\n");
  EXPECT_EQ(ran.err, "");
  EXPECT_EQ(count_lines(ran.out), 1U);
  shell("{ sleep 0.2; $tenfold methods; echo $? >" + at("code") + "; } | true");
  EXPECT_EQ(slurp(folder_ / "code"), "141\n");
}

TEST_F(CommandLine, AFullStandardOutputIsNamed) {
  const Ran ran = shell("$tenfold methods >/dev/full");
  EXPECT_EQ(ran.code, 1);
  EXPECT_NE(ran.err.find("standard output cannot be written: No space left"), std::string::npos)
      << ran.err;
}

TEST_F(CommandLine, OutputGoesIntoDevicesAndPipesAndReplacesFilesWhole) {
  make_corpus();
  ASSERT_EQ(run("vocab --input " + at("text.txt") + " --size 80 --out " + at("vocab")).code, 0);
  const std::string command =
      "$tenfold tokenize --model " + at("vocab") + " --input " + at("text.txt") + " --output ";
  ASSERT_EQ(shell("mkfifo " + at("pipe")).code, 0);
  const Ran piped = shell("{ " + command + at("pipe") + " & } ; wc -l <" + at("pipe") + "; wait");
  EXPECT_EQ(std::stoi(piped.out), 400) << piped.err;
  EXPECT_TRUE(std::filesystem::is_fifo(at("pipe")));
  // A device of our own where this user may make one: a bug must not cost the machine its
  // /dev/null.
  if (::mknod(at("null").c_str(), S_IFCHR | 0666, makedev(1, 3)) == 0) {
    const Ran null = shell(command + at("null"));
    EXPECT_TRUE(std::filesystem::is_character_file(at("null"))) << null.err;
  }
  EXPECT_EQ(count_lines(shell(command + "/dev/stdout").out), 400U);
  spill(folder_ / "there.jsonl", "old\n");
  std::filesystem::create_symlink("there.jsonl", at("link.jsonl"));
  ASSERT_EQ(shell(command + at("link.jsonl")).code, 0);
  EXPECT_TRUE(std::filesystem::is_symlink(at("link.jsonl")));
  EXPECT_EQ(count_lines(slurp(folder_ / "there.jsonl")), 400U);
  const Ran folder = shell(command + at("vocab"));
  EXPECT_EQ(folder.code, 1);
  EXPECT_NE(folder.err.find("is a folder"), std::string::npos) << folder.err;
}

}  // namespace
}  // namespace tenfold::testing
