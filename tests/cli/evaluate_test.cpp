// `tenfold evaluate` over several models and over files of predictions, as a user runs it.
// Not here: the values of metrics (tests/eval).
#include <cmath>
#include <nlohmann/json.hpp>

#include "program.h"

namespace tenfold::testing {
namespace {

using nlohmann::json;

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

class Evaluate : public ProgramTest {
 protected:
  std::string pairs(const std::string& options = "") const {
    return "evaluate --predictions " + at("said.txt") + " --references " + at("right.txt") + " " +
           options;
  }
  void expect(const std::string& arguments, int code, const std::string& part) const {
    const Ran ran = run(arguments);
    EXPECT_EQ(ran.code, code) << arguments << "\n" << ran.err;
    EXPECT_NE(ran.err.find(part), std::string::npos) << arguments << "\n" << ran.err;
    EXPECT_EQ(count_lines(ran.err), 1u) << ran.err;
    EXPECT_TRUE(ran.out.empty()) << ran.out;
  }
};

TEST_F(Evaluate, ScoresTextsInFiles) {
  spill(at("said.txt"), "a b c x\n\nthe dog\n");
  spill(at("right.txt"), "a b c d\nno\nthe dog\n");
  const Ran ran = run(pairs("--metrics rouge1,bleu --tokens none --json"));
  ASSERT_EQ(ran.code, 0) << ran.err;
  const json scores = json::parse(ran.out);
  EXPECT_EQ(scores.at("examples"), 3);
  EXPECT_NEAR(scores.at("rouge1").get<double>(), (0.75 + 0 + 1) / 3, 1e-12);
  // 5 of 6 words, 3 of 4 pairs, 1 of 2 triples, 0 of 1: 1/2; 6 words for 7.
  EXPECT_NEAR(scores.at("bleu").get<double>(),
              100 * std::exp(1 - 7.0 / 6) * std::pow(5.0 / 6 * 3 / 4 * 1 / 2 * 1 / 2, 0.25), 1e-9);
  const Ran text = run(pairs("--metrics chrf++"));
  EXPECT_NE(text.out.find("chrf++"), std::string::npos);
}

TEST_F(Evaluate, TakesReferencesFromJsonLinesAndSeveralFiles) {
  spill(at("said.jsonl"), "{\"prediction\":\"the dog\"}\n\"a cat\"\n");
  spill(at("right.jsonl"), "{\"references\":[\"x\",\"the dog\"]}\n{\"text\":\"y\"}\n");
  spill(at("more.txt"), "z\na cat\n");
  const Ran ran = run("evaluate --json --predictions " + at("said.jsonl") + " --references " +
                      at("right.jsonl") + " " + at("more.txt") + " --metrics rouge");
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(json::parse(ran.out).at("rougeLsum"), 1.0);
}

TEST_F(Evaluate, ComparesPredictionsWithABaselineRowByRow) {
  std::string right, good, bad;
  for (int i = 0; i < 40; ++i) {
    right += "word" + std::to_string(i) + " is here\n";
    good += "word" + std::to_string(i) + (i % 4 ? " is here\n" : " was there\n");
    bad += "word" + std::to_string(i) + (i % 4 ? " was there\n" : " is here\n");
  }
  spill(at("right.txt"), right);
  spill(at("said.txt"), good);
  spill(at("bad.txt"), bad);
  const std::string line = pairs("--metrics rouge1 --draws 500 --baseline " + at("bad.txt"));
  const Ran ran = run(line + " --json");
  ASSERT_EQ(ran.code, 0) << ran.err;
  const json scores = json::parse(ran.out);
  const json& gain = scores.at("difference").at("rouge1");
  EXPECT_NEAR(gain.at("difference").get<double>(), 0.5 * 2 / 3, 1e-12);
  EXPECT_GT(gain.at("low"), 0.0);
  EXPECT_LT(gain.at("p_value"), 0.01);
  EXPECT_NEAR(scores.at("baseline").at("rouge1").get<double>(), 0.5, 1e-12);
  EXPECT_EQ(run(line + " --json").out, ran.out);
  const Ran text = run(line);
  EXPECT_NE(text.out.find("+0.3333"), std::string::npos) << text.out;
  EXPECT_NE(text.out.find("500 draws"), std::string::npos) << text.out;
}

TEST_F(Evaluate, SaysWhatIsWrongWithFilesOfPredictions) {
  spill(at("said.txt"), "a\nb\n");
  spill(at("right.txt"), "a\n");
  expect(pairs(), 3, "holds 2 rows");
  spill(at("right.txt"), "a\nb\n");
  expect(pairs("--metrics blue"), 2, "did you mean 'bleu'?");
  expect(pairs("--metrics mcc"), 2, "'mcc' is no metric of texts");
  expect(pairs("--tokens 13b"), 2, "did you mean '13a'?");
  expect(pairs("--data x"), 2, "--predictions stands in place of");
  expect("evaluate --predictions " + at("said.txt"), 2, "--references");
  expect("evaluate --references " + at("said.txt"), 2, "--predictions");
  expect("evaluate --predictions " + at("none.txt") + " --references " + at("said.txt"), 3,
         "none.txt does not exist");
  spill(at("rows.jsonl"), "{\"text\":\"a\"}\n{\"label\":1}\n");
  expect("evaluate --predictions " + at("rows.jsonl") + " --references " + at("right.txt"), 3,
         "rows.jsonl:2: the row holds no text");
  spill(at("rows.jsonl"), "{\"text\":\"a\"}\n{\"te\n");
  expect("evaluate --predictions " + at("rows.jsonl") + " --references " + at("right.txt"), 3,
         "rows.jsonl:2: the row is not JSON");
}

TEST_F(Evaluate, ScoresAnswersToSquadQuestions) {
  const auto question = [](const std::string& id, const std::string& answers) {
    return "{\"id\":\"" + id + "\",\"question\":\"who?\",\"answers\":[" + answers + "]}";
  };
  const std::string cat = "{\"text\":\"the old cat\",\"answer_start\":0}";
  spill(at("dev.json"),
        "{\"data\":[{\"title\":\"t\",\"paragraphs\":[{\"context\":\"the old cat "
        "sat\",\"qas\":[" +
            question("a", cat) + "," + question("b", cat) + "," + question("c", cat) + "," +
            question("d", "") + "]}]}]}");
  spill(at("said.json"), "{\"a\":\"Old cat.\",\n\"b\":\"a cat sat\",\n\"d\":\"\",\"x\":\"y\"}");
  const std::string line =
      "evaluate --json --predictions " + at("said.json") + " --references " + at("dev.json");
  const Ran ran = run(line);
  ASSERT_EQ(ran.code, 0) << ran.err;
  const json scores = json::parse(ran.out);
  EXPECT_EQ(scores.at("examples"), 4);
  EXPECT_EQ(scores.at("missing"), 1);
  EXPECT_EQ(scores.at("unknown"), 1);
  EXPECT_DOUBLE_EQ(scores.at("exact").get<double>(), 0.5);             // a, d
  EXPECT_DOUBLE_EQ(scores.at("f1").get<double>(), (1 + 0.5 + 1) / 4);  // b: one word of two and two
  EXPECT_DOUBLE_EQ(scores.at("answerable_exact").get<double>(), 1.0 / 3);
  EXPECT_EQ(scores.at("unanswerable_exact"), 1.0);
  const Ran same = run(line + " --draws 50 --baseline " + at("said.json"));
  EXPECT_EQ(json::parse(same.out).at("difference").at("f1").at("p_value"), 1.0);

  spill(at("said.json"), "{\"a\":\"x\",\n\"b\":3}");
  expect(line, 3, "said.json:2: the answer to 'b' is no text");
  spill(at("said.json"), "{\"a\":\"x\",\"a\":\"y\"}");
  expect(line, 3, "'a'");
  spill(at("said.json"), "{\"q\":\"x\"}");
  expect(line, 3, "answers none of the 4 questions");
  spill(at("said.json"), "[1, 2");
  expect(line, 3, "said.json");
}

TEST_F(Evaluate, ListsItsMetrics) {
  const Ran ran = run("evaluate --list-metrics");
  ASSERT_EQ(ran.code, 0) << ran.err;
  for (const char* name : {"accuracy", "spearman", "bits_per_byte", "rougeLsum"})
    EXPECT_NE(ran.out.find(name), std::string::npos) << name;
}

TEST_F(Evaluate, GivesMeanAndDeviationOverSeedsAndComparesWithABaseline) {
  make_classifier();
  const auto tuned = std::filesystem::canonical(at("tuned/best"));
  // A seed that learnt nothing: one update.
  ASSERT_EQ(run(finetune("raw", "--set train.steps=1 --set train.validate_every=1")).code, 0);
  std::filesystem::create_directories(at("runs"));
  std::filesystem::rename(at("raw"), at("runs/seed-10"));
  std::filesystem::copy(tuned, at("runs/seed-2"));
  const std::string data = " --threads 1 --quiet --data " + at("task.tsv");
  const auto accuracy = [&](const std::string& model) {
    const Ran ran = run("evaluate --json --model " + at(model) + data);
    EXPECT_EQ(ran.code, 0) << ran.err;
    return json::parse(ran.out).at("accuracy").get<double>();
  };
  const double good = accuracy("tuned"), bad = accuracy("runs/seed-10");
  const Ran ran =
      run("evaluate --json --seeds 2 --model " + at("runs") + " --baseline " + at("tuned") + data);
  ASSERT_EQ(ran.code, 0) << ran.err;
  const json scores = json::parse(ran.out);
  EXPECT_EQ(scores.at("models"), 2);
  EXPECT_EQ(scores.at("examples"), 60);
  EXPECT_NEAR(scores.at("accuracy").get<double>(), (good + bad) / 2, 1e-12);
  EXPECT_NEAR(scores.at("deviation").at("accuracy").get<double>(),
              std::abs(good - bad) / std::sqrt(2), 1e-12);
  EXPECT_EQ(scores.at("runs").at(0).at("model"), at("runs/seed-2"));  // before seed-10
  EXPECT_NEAR(scores.at("difference").at("accuracy").at("difference").get<double>(),
              (bad - good) / 2, 1e-12);
  EXPECT_FALSE(scores.at("difference").contains("loss"));

  const Ran text = run("evaluate --model " + at("runs") + " " + at("tuned") + data);
  EXPECT_NE(text.out.find("classification, 60 examples; 3 models"), std::string::npos) << text.out;

  expect("evaluate --seeds 3 --model " + at("runs") + data, 2, "--seeds 3: " + at("runs"));
  expect("evaluate --model " + at("runs") + " --baseline " + at("mlm") + data, 3,
         "cannot be compared");
  std::filesystem::copy(tuned, at("turned"));
  std::string config = slurp(at("turned/config.json"));
  config = replaced(config, "\"animal\"", "\"#\"");
  config = replaced(config, "\"other\"", "\"animal\"");
  spill(at("turned/config.json"), replaced(config, "\"#\"", "\"other\""));
  expect("evaluate --model " + at("runs") + " --baseline " + at("turned") + data, 3,
         "has the labels");
}

}  // namespace
}  // namespace tenfold::testing
