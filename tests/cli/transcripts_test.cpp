// Every command once, on generated text, as the README shows them.
// Not here: bad input (bad_input_test.cpp) or killed runs (resume_test.cpp).
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "program.h"

namespace tenfold::testing {
namespace {

using nlohmann::json;

class Transcripts : public ProgramTest {};

TEST_F(Transcripts, HelpAndVersionGoToStandardOutput) {
  const Ran help = run("--help");
  EXPECT_EQ(help.code, 0);
  for (const char* command :
       {"prepare", "vocab",  "pretrain", "finetune",   "evaluate", "predict", "fill",
        "tag",     "qa",     "embed",    "similarity", "tokenize", "inspect", "methods",
        "doctor",  "verify", "convert",  "bench",      "report",   "study"}) {
    EXPECT_NE(help.out.find(command), std::string::npos) << command;
    const Ran one = run(std::string(command) + " --help");
    EXPECT_EQ(one.code, 0) << command;
    EXPECT_TRUE(one.err.empty()) << command;
  }
  EXPECT_EQ(run("--version").code, 0);
}

TEST_F(Transcripts, FromTextToPredictions) {
  make_classifier();
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
  const std::string convert =
      "convert " + at("mlm/latest") + " --weights bfloat16 --out " + at("narrow-copy");
  const Ran converted = run(convert);
  ASSERT_EQ(converted.code, 0) << converted.err;
  EXPECT_EQ(json::parse(converted.out).at("dtype"), "bfloat16");
  EXPECT_EQ(json::parse(run("inspect --json " + at("narrow-copy")).out).at("dtype"), "bfloat16");
  EXPECT_EQ(run(convert).code, 1) << "the folder is there already";
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
  const Ran softmax = run("methods softmax");
  for (const char* part :
       {"arXiv 1706.03762", "all, past, future, prefix, others", "step by step, with memory",
        "on attention weights", "objectives:     mlm", "tasks:          classification", "span"}) {
    EXPECT_NE(softmax.out.find(part), std::string::npos) << part << "\n" << softmax.out;
  }
  EXPECT_NE(run("methods mlm").out.find("attention:      softmax"), std::string::npos);
  const Ran unknown = run("methods sofmax");
  EXPECT_EQ(unknown.code, 2);
  EXPECT_NE(unknown.err.find("'softmax'"), std::string::npos) << unknown.err;
}

TEST_F(Transcripts, ConvertGivesAModelAnotherAttention) {
  make_classifier();
  const std::string tuned = at("tuned/best"), there = at("residual"), back = at("plain");
  const Ran carried = run("convert " + tuned + " --residual-attention --out " + there);
  ASSERT_EQ(carried.code, 0) << carried.err;
  const json all_kept = json::parse(carried.out.substr(carried.out.find("{\"model\"")));
  EXPECT_EQ(all_kept.at("kept"), all_kept.at("tensors"));
  EXPECT_EQ(all_kept.at("new"), 0);
  EXPECT_EQ(json::parse(slurp(there + "/config.json")).at("model_type"), "tenfold-bert");
  const std::string line = "bert.encoder.layer.*.attention.self.query.weight";
  EXPECT_NE(carried.out.find("kept     " + line), std::string::npos) << carried.out;
  EXPECT_NE(carried.out.find("[16, 16]  layers 0,1"), std::string::npos) << carried.out;
  EXPECT_EQ(run("predict --model " + there + " --input -", "the dog sees a cat\n").code, 0);

  const Ran plain = run("convert " + there + " --attention softmax --out " + back);
  ASSERT_EQ(plain.code, 0) << plain.err;
  EXPECT_EQ(json::parse(slurp(back + "/config.json")).at("model_type"), "bert");
  const std::string ask = " --input -", text = "the dog sees a cat\n";
  EXPECT_EQ(run("predict --model " + back + ask, text).out,
            run("predict --model " + tuned + ask, text).out);

  const Ran unknown = run("convert " + tuned + " --attention sofmax --out " + at("none"));
  EXPECT_EQ(unknown.code, 2);
  EXPECT_NE(unknown.err.find("did you mean 'softmax'"), std::string::npos) << unknown.err;
  const Ran lost = run("convert " + tuned + " --set kernel_size=3 --out " + at("none"));
  EXPECT_EQ(lost.code, 2);
  EXPECT_NE(lost.err.find("--attention"), std::string::npos) << lost.err;
  EXPECT_FALSE(std::filesystem::exists(at("none")));
}

TEST_F(Transcripts, AConvertedModelIsTrainedOn) {
  make_classifier();
  const Ran converted = run("convert " + at("mlm/latest") +
                            " --attention dynamic_conv --set kernel_size=3 --out " + at("conv"));
  ASSERT_EQ(converted.code, 0) << converted.err;
  EXPECT_NE(converted.out.find("new      bert.encoder.layer.*.attention.self.kernel.weight"),
            std::string::npos)
      << converted.out;
  std::string line = finetune("tuned-conv");
  line.replace(line.find(at("mlm/latest")), at("mlm/latest").size(), at("conv"));
  const Ran tuned = run(line);
  ASSERT_EQ(tuned.code, 0) << tuned.err;
  const Ran scores =
      run("evaluate --json --model " + at("tuned-conv/best") + " --data " + at("task.tsv"));
  ASSERT_EQ(scores.code, 0) << scores.err;
  EXPECT_GT(json::parse(scores.out).at("accuracy"), 0.9);
  const Ran refused =
      run("convert " + at("tuned-conv/best") + " --residual-attention --out " + at("none"));
  EXPECT_EQ(refused.code, 2);
  EXPECT_NE(refused.err.find("'dynamic_conv' attention never forms scores"), std::string::npos)
      << refused.err;
}

TEST_F(Transcripts, PredictLabelsRowsInOrderWhateverTheirLength) {
  make_classifier();
  std::string rows;
  for (int i = 0; i < 150; ++i) {
    rows += i % 3 == 0 ? "the dog sees a cat\n" : "a bird likes the fish\n";
  }
  rows += "the dog sees\ta cat near the horse\nbroken \xff\xfe bytes\n";
  const Ran ran = run("predict --model " + at("tuned/best") + " --input -", rows);
  ASSERT_EQ(ran.code, 0) << ran.err;
  ASSERT_EQ(count_lines(ran.out), 152U);
  std::istringstream lines(ran.out);
  std::string line;
  for (int i = 0; i < 150 && std::getline(lines, line); ++i) {
    const json row = json::parse(line);
    EXPECT_EQ(row.at("label"), i % 3 == 0 ? "animal" : "other") << i;
    EXPECT_NEAR(
        row.at("scores").at("animal").get<double>() + row.at("scores").at("other").get<double>(), 1,
        1e-6);
    EXPECT_EQ(row.at("score"), row.at("scores").at(row.at("label").get<std::string>()));
  }
  const Ran bytes = run("fill --model " + at("mlm/best") + " --input -", "\xff [MASK]\n");
  ASSERT_EQ(bytes.code, 0) << bytes.err;
  EXPECT_EQ(json::parse(bytes.out).at("text"), "\xEF\xBF\xBD [MASK]");
}

TEST_F(Transcripts, VerifyAgreesWithTheReferenceAndSaysWhereItDoesNot) {
  const auto golden = source_folder() / ".." / "shared" / "goldens" / "models" / "bert-mlm";
  if (!std::filesystem::exists(golden)) GTEST_SKIP() << "no reference models here";
  const std::string line =
      "verify " + golden.string() + " --against " + (golden / "expected.safetensors").string();
  const Ran same = run(line);
  EXPECT_EQ(same.code, 0) << same.err;
  EXPECT_NE(same.out.find("tensors agree"), std::string::npos) << same.out;
  const Ran strict = run(line + " --tolerance 1e-12 --json");
  EXPECT_EQ(strict.code, 1) << strict.err;
  EXPECT_EQ(json::parse(strict.out).at("passed"), false);
}

TEST_F(Transcripts, DoctorDescribesMachineAndBuild) {
  const Ran lines = run("doctor");
  ASSERT_EQ(lines.code, 0) << lines.err;
  EXPECT_NE(lines.out.find("fp32_gflops"), std::string::npos) << lines.out;
  const Ran object = run("doctor --json");
  ASSERT_EQ(object.code, 0) << object.err;
  const json machine = json::parse(object.out);
  for (const char* key : {"tenfold", "commit", "compiler", "flags", "libtorch", "cpu", "advice"}) {
    EXPECT_TRUE(machine.contains(key)) << key;
  }
  EXPECT_GT(machine.at("fp32_gflops"), 0.1);
}

TEST_F(Transcripts, BenchPrintsJsonLines) {
  const Ran ran = run("bench roof --cases mm/fp32 --seconds 0.2 --rounds 1");
  ASSERT_EQ(ran.code, 0) << ran.err;
  ASSERT_GE(count_lines(ran.out), 1U);
  EXPECT_EQ(json::parse(ran.out.substr(0, ran.out.find('\n'))).at("case"), "mm/fp32") << ran.out;
  const Ran unknown = run("bench rof");
  EXPECT_EQ(unknown.code, 2);
  EXPECT_NE(unknown.err.find("'roof'"), std::string::npos) << unknown.err;
}

TEST_F(Transcripts, BenchAttentionNamesTheKindAndSaysWhatItLeavesOut) {
  const Ran ran =
      run("bench attention --kinds softmax,flash --cases n512/full,layer512/full --seconds 0.1 "
          "--rounds 1");
  ASSERT_EQ(ran.code, 0) << ran.err;
  std::map<std::string, double> times;  // of kind and case
  std::istringstream lines(ran.out);
  for (std::string line; std::getline(lines, line);) {
    const json row = json::parse(line);
    if (row.at("metric") == "time")
      times[row.at("peer").get<std::string>() + " " + row.at("case").get<std::string>()] =
          row.at("value");
  }
  for (const char* name :
       {"tenfold-softmax n512/full", "tenfold-softmax layer512/full", "tenfold-flash n512/full"}) {
    EXPECT_GT(times[name], 0) << name;
  }
  EXPECT_NE(ran.err.find("layer512/full of 'flash' skipped"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("agreement n512/full softmax"), std::string::npos) << ran.err;
  const Ran stray = run("bench attention --kinds dynamic_conv --set dynamic_con.kernel_size=3");
  EXPECT_EQ(stray.code, 2);
  EXPECT_NE(stray.err.find("did you mean 'dynamic_conv'"), std::string::npos) << stray.err;
  const Ran unknown = run("bench attention --kinds sofmax");
  EXPECT_EQ(unknown.code, 2);
  EXPECT_NE(unknown.err.find("did you mean 'softmax'"), std::string::npos) << unknown.err;
}

TEST_F(Transcripts, ReportComparesRuns) {
  spill(folder_ / "a" / "evaluation.json", R"({"accuracy":0.75,"f1_macro":0.5})");
  spill(folder_ / "b" / "evaluation.json", R"({"accuracy":0.5,"f1_macro":0.25})");
  for (const char* name : {"a", "b"}) {
    spill(folder_ / name / "metrics.jsonl",
          "{\"step\":1,\"loss\":3.5,\"learning_rate\":0.1}\n"
          "{\"step\":2,\"loss\":2.5,\"learning_rate\":0.1}\n");
  }
  const Ran ran =
      run("report --title Worth --run pre-trained:1=" + at("a") + " --run scratch:1=" + at("b") +
          " --fixed majority=accuracy:0.25 --out " + at("page.html"));
  ASSERT_EQ(ran.code, 0) << ran.err;
  for (const char* part : {"pre-trained", "scratch", "majority", "accuracy"}) {
    EXPECT_NE(ran.out.find(part), std::string::npos) << part << "\n" << ran.out;
  }
  EXPECT_NE(slurp(folder_ / "page.html").find("Worth"), std::string::npos);
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
