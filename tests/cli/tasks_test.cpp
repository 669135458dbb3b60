// Every kind of task through the program: fine-tune, evaluate, predict, on rows a tiny model can
// learn. Not here: classification (transcripts_test.cpp), or what the figures mean (tests/eval).
#include <fmt/format.h>

#include <cstring>
#include <nlohmann/json.hpp>
#include <sstream>

#include "program.h"

namespace tenfold::testing {
namespace {

using nlohmann::json;

/// One pre-trained model for all tests of the file.
class TaskRuns : public ProgramTest {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    if (!std::filesystem::exists(pretrained())) {
      make_shards();
      make_recipe();
      ASSERT_EQ(run(pretrain("mlm")).code, 0);
      std::filesystem::copy(folder_ / "mlm" / "latest" / "", pretrained(),
                            std::filesystem::copy_options::recursive);
    }
  }
  static void TearDownTestSuite() { std::filesystem::remove_all(pretrained()); }

  static std::filesystem::path pretrained() {
    return std::filesystem::temp_directory_path() /
           ("tenfold-cli-tasks-" + std::to_string(::getpid()));
  }

  std::string finetune_task(const std::string& kind, const std::string& file,
                            const std::string& more = "") const {
    return "finetune --quiet --threads 1 --model " + pretrained().string() +
           " --set task.kind=" + kind + " --set data.train=" + at(file) +
           " --set data.dev=" + at(file) +
           " --set train.steps=40 --set train.validate_every=20 --set data.max_length=32 --set "
           "train.batch_tokens=128 --set train.optimizer.kind=adamw --set "
           "train.optimizer.adamw.learning_rate=1e-2 --out " +
           at("run") + " " + more;
  }

  /// Fine-tunes on a file and gives the figures on the same rows.
  json tuned(const std::string& kind, const std::string& file, const std::string& more = "") const {
    const Ran tuned = run(finetune_task(kind, file, more));
    EXPECT_EQ(tuned.code, 0) << tuned.err;
    const Ran scores = run("evaluate --json --model " + best() + " --data " + at(file));
    EXPECT_EQ(scores.code, 0) << scores.err;
    return scores.code == 0 ? json::parse(scores.out) : json::object();
  }

  std::string best() const { return at("run/best"); }

  /// Lines of a run that must succeed, parsed.
  std::vector<json> lines(const std::string& arguments, const std::string& input = "") const {
    const Ran ran = run(arguments, input);
    EXPECT_EQ(ran.code, 0) << ran.err;
    std::vector<json> parsed;
    std::istringstream in(ran.out);
    for (std::string line; std::getline(in, line);) parsed.push_back(json::parse(line));
    return parsed;
  }
};

TEST_F(TaskRuns, Tagging) {
  std::string rows;
  for (int i = 0; i < 20; ++i) {
    rows += "the\tO\ndog\tB-PET\ncat\tI-PET\nhears\tO\na\tO\nbird\tB-WILD\n\n";
    rows += "a\tO\nhorse\tB-WILD\nlikes\tO\nthe\tO\nfish\tB-PET\n\n";
  }
  spill(folder_ / "train.tsv", rows);
  const json figures = tuned("tagging", "train.tsv");
  EXPECT_EQ(figures.at("task"), "tagging");
  EXPECT_GT(figures.at("f1"), 0.9);
  EXPECT_EQ(json::parse(slurp(folder_ / "run" / "best" / "config.json")).at("architectures")[0],
            "BertForTokenClassification");
  const auto found =
      lines("tag --model " + best() + " --input -", "th\xC3\xA9 dog cat hears a bird\n\n");
  ASSERT_EQ(found.size(), 2U);
  ASSERT_EQ(found[0].size(), 2U) << found[0];
  EXPECT_EQ(found[0][0].at("entity_group"), "PET");
  EXPECT_EQ(found[0][0].at("word"), "dog cat");
  EXPECT_EQ(found[0][0].at("start"), 4);
  EXPECT_EQ(found[0][0].at("end"), 11);
  EXPECT_EQ(found[0][0].at("start_byte"), 5);
  EXPECT_EQ(found[1], json::array());
  const auto tags = lines("predict --model " + best() + " --input " + at("train.tsv"));
  ASSERT_EQ(tags.size(), 40U);
  EXPECT_EQ(tags[1].at("tags"), json({"O", "B-WILD", "O", "O", "B-PET"}));
}

TEST_F(TaskRuns, TaggersRememberWhereWordsStand) {
  spill(folder_ / "train.tsv", "x\ten:the\tO\ny\ten:dog\tB-PET\n\n");
  tuned("tagging", "train.tsv",
        "--set train.steps=1 --set task.tagging.columns.word_prefix=en: --set "
        "task.tagging.columns.word=1");
  const auto tags = lines("predict --model " + best() + " --input " + at("train.tsv"));
  ASSERT_EQ(tags.size(), 1U);
  EXPECT_EQ(tags[0].at("words"), json({"the", "dog"}));
}

TEST_F(TaskRuns, SpanAnswers) {
  json paragraphs = json::array();
  const char* animals[] = {"dog", "cat", "bird", "horse", "fish"};
  for (int i = 0; i < 40; ++i) {
    const std::string animal = animals[i % 5];
    const std::string context = "the " + std::string(animals[(i / 5) % 5]) + " sees a " + animal;
    paragraphs.push_back(
        {{"context", context},
         {"qas",
          {{{"id", "q" + std::to_string(i)},
            {"question", "sees a"},
            {"answers",
             {{{"text", animal}, {"answer_start", context.size() - animal.size()}}}}}}}});
  }
  const json squad{{"version", "1.1"}, {"data", {{{"title", "t"}, {"paragraphs", paragraphs}}}}};
  spill(folder_ / "squad.json", squad.dump());
  const json figures = tuned("span", "squad.json", "--set task.span.stride=2");
  EXPECT_GT(figures.at("f1"), 0.8) << figures;
  EXPECT_EQ(figures.at("examples"), 40);
  const auto answers = lines("qa --model " + best() + " --input - --top 2",
                             "sees a\tthe dog sees a cat\nsees a\tthe bird sees a fish\n");
  ASSERT_EQ(answers.size(), 2U);
  EXPECT_EQ(answers[0].at(0).at("answer"), "cat");
  EXPECT_EQ(answers[0].at(0).at("start"), 15);
  EXPECT_EQ(answers[0].size(), 2U);
  const auto all = lines("qa --model " + best() + " --input " + at("squad.json") +
                         " --predictions " + at("predictions.json"));
  EXPECT_EQ(all.size(), 40U);
  EXPECT_EQ(json::parse(slurp(folder_ / "predictions.json")).size(), 40U);
}

TEST_F(TaskRuns, RegressionAndSeveralLabels) {
  std::string scores = "text\tscore\n", labels;
  for (int i = 0; i < 30; ++i) {
    scores += i % 2 == 0 ? "the dog sees a cat\t1\n" : "a bird likes the fish\t0\n";
    labels += i % 3 == 0   ? R"({"text":"the dog sees a cat","label":["pet","mammal"]})"
              : i % 3 == 1 ? R"({"text":"a bird likes the horse","label":["wild"]})"
                           : R"({"text":"the fish hears","label":[]})";
    labels += '\n';
  }
  spill(folder_ / "scores.tsv", scores);
  spill(folder_ / "labels.jsonl", labels);
  EXPECT_GT(tuned("regression", "scores.tsv", "--set train.steps=80").at("pearson"), 0.9);
  const auto numbers = lines("predict --model " + best() + " --input -",
                             "the dog sees a cat\na bird likes the fish\n");
  EXPECT_GT(numbers.at(0).at("score").get<double>(), numbers.at(1).at("score").get<double>() + 0.3);
  std::filesystem::remove_all(at("run"));
  EXPECT_GT(tuned("multi_label", "labels.jsonl", "--set train.steps=80").at("f1_micro"), 0.8);
  const auto sets = lines("predict --model " + best() + " --input -", "the dog sees a cat\n");
  EXPECT_EQ(sets.at(0).at("labels").size(), 2U) << sets.at(0);
  EXPECT_EQ(json::parse(slurp(folder_ / "run" / "best" / "config.json")).at("problem_type"),
            "multi_label_classification");
}

TEST_F(TaskRuns, Choices) {
  std::string rows;
  for (int i = 0; i < 30; ++i) {
    const bool first = i % 2 == 0;
    rows += json{{"context", "the dog sees"},
                 {"choices", {first ? "a cat" : "the horse", first ? "the horse" : "a cat"}},
                 {"label", first ? 0 : 1}}
                .dump() +
            "\n";
  }
  spill(folder_ / "choices.jsonl", rows);
  EXPECT_GT(tuned("choice", "choices.jsonl").at("accuracy"), 0.9);
  const auto found = lines("predict --model " + best() + " --input " + at("choices.jsonl"));
  EXPECT_EQ(found.at(0).at("choice"), 0);
  EXPECT_EQ(found.at(1).at("choice"), 1);
}

TEST_F(TaskRuns, SentenceVectors) {
  std::string triples, pairs;
  const char* animals[] = {"dog", "cat", "bird", "horse", "fish"};
  for (int i = 0; i < 25; ++i) {
    triples += json{{"anchor", std::string("the ") + animals[i % 5]},
                    {"positive", std::string("a ") + animals[i % 5] + " hears"},
                    {"negative", std::string("a ") + animals[(i + 1) % 5]}}
                   .dump() +
               "\n";
    pairs += std::string("the ") + animals[i % 5] + "\ta " + animals[(i / 5) % 5] + "\t" +
             (i % 5 == i / 5 ? "5" : "0") + "\n";
  }
  spill(folder_ / "triples.jsonl", triples);
  spill(folder_ / "pairs.tsv", pairs);
  EXPECT_GT(tuned("contrastive", "triples.jsonl").at("mrr"), 0.5);
  std::filesystem::remove_all(at("run"));
  for (const std::string loss : {"cosent", "cosine"}) {
    const json figures =
        tuned("similarity", "pairs.tsv",
              "--set task.similarity.highest=5 --set task.similarity.loss=" + loss);
    EXPECT_GT(figures.at("spearman"), 0.6) << loss << figures;
    if (loss == "cosent") std::filesystem::remove_all(at("run"));
  }
  const auto cosines = lines("similarity --model " + best() + " --input - --query 'the dog'",
                             "a dog\na horse\nthe dog\n");
  ASSERT_EQ(cosines.size(), 3U);
  EXPECT_GT(cosines[0].at("score").get<double>(), cosines[1].at("score").get<double>());
  EXPECT_NEAR(cosines[2].at("score").get<double>(), 1, 1e-6);
}

TEST_F(TaskRuns, VectorsInThreeFormatsAreTheSame) {
  const std::string texts = "the dog\na cat hears the bird\n\n";
  const std::string command = "embed --model " + pretrained().string() + " --input - --output ";
  const auto rows = lines(command + "-", texts);
  ASSERT_EQ(rows.size(), 3U);
  ASSERT_EQ(rows[1].size(), 16U);
  ASSERT_EQ(run(command + at("v.npy"), texts).code, 0);
  ASSERT_EQ(run(command + at("v.safetensors"), texts).code, 0);
  const std::string npy = slurp(folder_ / "v.npy"), tensors = slurp(folder_ / "v.safetensors");
  ASSERT_EQ(npy.size(), 128U + 3 * 16 * 4);
  EXPECT_NE(npy.find("'shape': (3, 16)"), std::string::npos);
  ASSERT_EQ(tensors.size(), 256U + 3 * 16 * 4);
  EXPECT_EQ(json::parse(tensors.substr(8, 248)).at("embeddings").at("shape"), json({3, 16}));
  EXPECT_EQ(npy.substr(128), tensors.substr(256));
  float value = 0;
  std::memcpy(&value, npy.data() + 128 + 4 * (16 + 3), 4);
  EXPECT_FLOAT_EQ(value, rows[1][3].get<float>());
}

TEST_F(TaskRuns, BadRowsAndModelsAreRefusedInOneLine) {
  const auto expect = [&](const std::string& arguments, int code, const std::string& part,
                          const std::string& input = "") {
    const Ran ran = run(arguments, input);
    EXPECT_EQ(ran.code, code) << arguments << "\n" << ran.err;
    EXPECT_NE(ran.err.find(part), std::string::npos) << arguments << "\n" << ran.err;
  };
  spill(folder_ / "good.tsv", "the\tO\ndog\tB-PET\n\n");
  spill(folder_ / "strange.tsv", "the\tO\ndog\tB-ODD\n\n");
  const std::string tagging =
      finetune_task("tagging", "good.tsv", "--set data.dev=" + at("strange.tsv"));
  expect(tagging, 3, "strange.tsv:1: the label 'B-ODD' is not one of O, B-PET");
  spill(folder_ / "pairs.tsv", "the dog\ta cat\t7\n");
  expect(finetune_task("similarity", "pairs.tsv"), 3, "pairs.tsv:1: the score 7 is outside 0 .. 1");
  spill(folder_ / "nan.tsv", "the dog\tnan\n");
  expect(finetune_task("regression", "nan.tsv"), 3, "nan.tsv:1:");
  spill(
      folder_ / "squad.json",
      R"({"data":[{"paragraphs":[{"context":"the dog","qas":[{"id":"a","question":"the dog sees a cat near the bird","answers":[{"text":"dog","answer_start":4}]}]}]}]})");
  expect(finetune_task("span", "squad.json", "--set data.max_length=9"), 3,
         "are too short for a question");
  expect(finetune_task("span", "squad.json",
                       "--set data.max_length=9 --set data.columns.skip_bad=true"),
         3, "no question fits into its windows");
  expect(finetune_task("tagging", "good.tsv", "--set task.kind=taging"), 2,
         "did you mean 'tagging'");
  const std::string model = " --model " + pretrained().string() + " --input -";
  expect("tag" + model, 5, "tags no words", "a\n");
  expect("qa" + model, 5, "answers no questions", "a\tb\n");
  expect("qa" + model, 3, "-:1: expected question<TAB>context", "a\n");
  expect("similarity" + model, 3, "expected text<TAB>text", "a\n");
  expect("predict" + model, 4, "is no fine-tuned model", "a\n");
  expect("evaluate --task tagging --model " + pretrained().string() + " --data " + at("good.tsv"),
         4, "has no labels");
}

TEST_F(TaskRuns, RowsOfUnknownLabelsAndScoresOutOfRangeAreSkippedByChoice) {
  spill(folder_ / "sets.tsv", "the dog\ta,b\nthe cat\tb\n");
  spill(folder_ / "odd.tsv", "the dog\ta\nthe cat\tb,c\n");
  const auto sets = [&](const char* skip) {
    return run(finetune_task("multi_label", "sets.tsv",
                             "--set train.steps=1 --set data.dev=" + at("odd.tsv") + skip));
  };
  const Ran refused = sets("");
  EXPECT_EQ(refused.code, 3);
  EXPECT_NE(refused.err.find("odd.tsv:2: the label 'c' is not one of a, b"), std::string::npos)
      << refused.err;
  const Ran skipped = sets(" --set data.columns.skip_bad=true");
  EXPECT_EQ(skipped.code, 0) << skipped.err;
  EXPECT_NE(skipped.err.find("1 bad rows skipped"), std::string::npos) << skipped.err;
  std::filesystem::remove_all(folder_ / "run");
  spill(folder_ / "pairs.tsv", "the dog\ta cat\t7\nthe dog\ta cat\t1\n");
  const Ran pairs = run(finetune_task("similarity", "pairs.tsv",
                                      "--set train.steps=1 --set data.columns.skip_bad=true"));
  EXPECT_EQ(pairs.code, 0) << pairs.err;
}

TEST_F(TaskRuns, SplitKeepsGroupsTogetherAndTrainExamplesLimitsTraining) {
  std::string rows;
  for (int i = 0; i < 60; ++i) {
    rows += fmt::format("the dog {}\ta cat {}\t{}\n", i / 2, i, i % 2 == 0 ? "yes" : "no");
  }
  spill(folder_ / "pairs.tsv", rows);
  const Ran split =
      run("split --data " + at("pairs.tsv") + " --dev 0 --test 0.3 --out " + at("cut"));
  EXPECT_EQ(split.code, 0) << split.err;
  EXPECT_NE(split.err.find(" 0 dev, "), std::string::npos) << split.err;
  const std::string train = slurp(folder_ / "cut" / "train.jsonl");
  EXPECT_EQ(train.find("\"text_b\":\"a cat 0\"") == std::string::npos,
            train.find("\"text_b\":\"a cat 1\"") == std::string::npos);
  const Ran tuned = run(finetune_task("classification", "cut/train.jsonl",
                                      "--set train.steps=1 --set data.train_examples=8"));
  EXPECT_EQ(tuned.code, 0) << tuned.err;
  const Ran all =
      run("split --data " + at("pairs.tsv") + " --dev 0.5 --test 0.5 --out " + at("cut"));
  EXPECT_EQ(all.code, 2);
  EXPECT_NE(all.err.find("leave nothing for training"), std::string::npos) << all.err;
  const Ran unknown = run("split --data " + at("pairs.tsv") + " --task taging --out " + at("cut"));
  EXPECT_EQ(unknown.code, 2);
  EXPECT_NE(unknown.err.find("did you mean 'tagging'"), std::string::npos) << unknown.err;
}

TEST_F(TaskRuns, EveryHeadTrainsTwoStepsOnWordNet) {
  if (!std::filesystem::exists("/usr/share/wordnet")) GTEST_SKIP() << "WordNet is not installed";
  struct Kind {
    std::string wordnet, task, file, options;
  };
  const std::string pairs = "--set task.similarity.lowest=0 --set task.similarity.highest=1";
  const std::vector<Kind> kinds = {
      {"category", "classification", "dev.jsonl", ""},
      {"is-a", "classification", "dev.jsonl", ""},
      {"tagging", "tagging", "dev.conll", ""},
      {"span", "span", "dev.json",
       "--set task.span.max_question=12 --set task.span.stride=4 --set task.span.no_answer=true"},
      {"choice", "choice", "dev.jsonl", ""},
      {"similarity", "similarity", "dev.jsonl", pairs},
      {"similarity", "regression", "dev.jsonl", ""},
      {"contrastive", "contrastive", "dev.jsonl", ""}};
  for (const Kind& kind : kinds) {
    SCOPED_TRACE(kind.wordnet + ", " + kind.task);
    const std::filesystem::path data = folder_ / kind.wordnet;
    if (!std::filesystem::exists(data)) {
      const Ran made =
          run("prepare --quiet --task wordnet-" + kind.wordnet + " --out " + data.string());
      ASSERT_EQ(made.code, 0) << made.err;
    }
    std::filesystem::remove_all(folder_ / "run");
    const std::string common =
        "finetune --quiet --threads 1 --model " + pretrained().string() +
        " --set train.steps=2 --set train.validate_every=0 --set data.max_length=32 --set "
        "data.train_examples=64 --set train.batch_tokens=256 --set data.columns.skip_bad=true "
        "--out " +
        at("run") + " --set task.kind=" + kind.task + " --set data.train=";
    const Ran tuned = run(common + (data / kind.file).string() + " " + kind.options);
    EXPECT_EQ(tuned.code, 0) << tuned.err;
    if (tuned.code == 0) EXPECT_EQ(json::parse(tuned.out).at("step"), 2);
  }
}

TEST_F(TaskRuns, AHeadWithAnotherNumberOfLabelsIsNamed) {
  spill(folder_ / "good.tsv", "the\tO\ndog\tB-PET\n\n");
  ASSERT_EQ(run(finetune_task("tagging", "good.tsv", "--set train.steps=2")).code, 0);
  const auto config = folder_ / "run" / "latest" / "config.json";
  json changed = json::parse(slurp(config));
  changed["id2label"]["2"] = "B-NEW";
  spill(config, changed.dump());
  const Ran ran = run("tag --model " + at("run/latest") + " --input -", "a\n");
  EXPECT_EQ(ran.code, 4);
  EXPECT_NE(ran.err.find("'classifier.weight' has shape [2, 16], [3, 16] was expected"),
            std::string::npos)
      << ran.err;
}

}  // namespace
}  // namespace tenfold::testing
