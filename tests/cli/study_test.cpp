// `tenfold study` as a user runs it: plan, runs, results, and what comes of kills and mistakes.
// Not here: counting runs and figures (tests/study).
#include <nlohmann/json.hpp>

#include "program.h"
#include "support/checksum.h"

namespace tenfold::testing {
namespace {

using nlohmann::json;

class Study : public ProgramTest {
 protected:
  std::filesystem::path parent() const override {
    return ::access("/dev/shm", W_OK) == 0 ? "/dev/shm" : ProgramTest::parent();
  }

  /// One pre-training, and a task from its weights and from fresh ones: three runs.
  void make_study() const {
    make_corpus();
    make_recipe();
    std::string rows;
    for (int i = 0; i < 40; ++i) {
      rows += i % 2 == 0 ? "the dog sees a cat\tanimal\n" : "a bird likes the fish\tother\n";
    }
    spill(folder_ / "task.tsv", rows);
    spill(folder_ / "tune.toml",
          "[data]\nmax_length = 16\n[train]\nsteps = 10\nbatch_tokens = 128\nlog_every = 1\n"
          "save_every = 5\n");
    const std::string text = at("text.txt");
    spill(folder_ / "study.toml",
          "title = \"What pre-training is worth\"\nprepare = [\"vocab --size 80 --input " + text +
              " --out $data/vocab\", \"prepare --vocab $data/vocab --input " + text +
              " --out $data/shards\"]\n[pretrain]\nrecipe = \"" + at("tiny.toml") +
              "\"\nset = [\"data.shards=$data/shards\"]\n[[tasks]]\nname = \"animals\"\n" +
              "recipe = \"" + at("tune.toml") + "\"\nset = [\"data.train=" + at("task.tsv") +
              "\"]\ntest = \"" + at("task.tsv") + "\"\n[[axes]]\nname = \"start\"\n" +
              "path = \"finetune.from_scratch\"\nvalues = [true]\n" +
              "labels = [\"fresh weights\"]\n");
  }

  std::string study(const std::string& out, const std::string& more = "") const {
    return "study --threads 1 " + at("study.toml") + " --out " + at(out) + " " + more;
  }

  json results(const std::string& out) const {
    return json::parse(slurp(folder_ / out / "results.json"));
  }

  /// Of the one run of a kind: "pretrain".
  std::filesystem::path run_folder(const std::string& out, const std::string& begins) const {
    std::error_code none_yet;
    for (const auto& entry :
         std::filesystem::directory_iterator(folder_ / out / "runs", none_yet)) {
      if (entry.path().filename().string().starts_with(begins)) return entry.path();
    }
    return {};
  }

  static std::map<std::string, int> states_of(const json& results) {
    std::map<std::string, int> states;
    for (const json& run : results.at("runs")) ++states[run.at("state").get<std::string>()];
    return states;
  }
};

using States = std::map<std::string, int>;

TEST_F(Study, RunsReusesAndReports) {
  make_study();
  const Ran plan = run(study("none", "--dry-run"));
  ASSERT_EQ(plan.code, 0) << plan.err;
  EXPECT_FALSE(std::filesystem::exists(at("none")));
  EXPECT_NE(plan.out.find("animals-start-fresh-weights-seed1-"), std::string::npos) << plan.out;
  EXPECT_NE(plan.out.find("5.12k"), std::string::npos) << "20 steps of 256 tokens\n" << plan.out;

  const Ran first = run(study("one"));
  ASSERT_EQ(first.code, 0) << first.err;
  EXPECT_NE(first.out.find("animals accuracy"), std::string::npos) << first.out;
  EXPECT_NE(first.out.find("start: fresh weights"), std::string::npos) << first.out;
  const json found = results("one");
  EXPECT_EQ(states_of(found), (States{{"finished", 3}}));
  for (const json& one : found.at("runs")) {
    EXPECT_GT(one.at("flops"), 0.0) << one;
    EXPECT_GT(one.at("tokens"), 0.0) << one;
    EXPECT_GT(one.at("cpu_seconds"), 0.0) << one;
  }
  const std::string page = slurp(folder_ / "one" / "report.html");
  EXPECT_NE(page.find("<svg"), std::string::npos);
  EXPECT_NE(page.find("Pre-training: validation loss"), std::string::npos);
  EXPECT_NE(slurp(folder_ / "one" / "results.md").find("| baseline | 1/1 |"), std::string::npos);

  EXPECT_EQ(run(study("one")).code, 2) << "a used folder needs --resume";
  const auto log = run_folder("one", "pretrain") / "log.txt";
  const std::string before = slurp(log);
  const Ran again = run(study("one", "--resume"));
  EXPECT_EQ(again.out, first.out);
  EXPECT_EQ(slurp(log), before) << "a finished run is not touched";
  const Ran reused = run(study("two", "--reuse " + at("one")));
  EXPECT_EQ(reused.out, first.out);
  EXPECT_FALSE(std::filesystem::exists(at("two/runs")));
  EXPECT_FALSE(std::filesystem::exists(at("two/data"))) << "nothing reads the data";
}

TEST_F(Study, AFailedRunIsNamedAndTheRestGoesOn) {
  make_study();
  const std::string bad =
      "--set 'axes=[{name=\"data\", groups=[{label=\"none\", set=[\"animals."
      "data.train=nowhere.tsv\"]}]}]'";
  const Ran ran = run(study("out", bad));
  EXPECT_EQ(ran.code, 1) << ran.err;
  EXPECT_NE(ran.out.find("nowhere.tsv"), std::string::npos) << ran.out;
  EXPECT_EQ(states_of(results("out")), (States{{"finished", 2}, {"failed", 1}}));
}

TEST_F(Study, WhatTheBudgetDoesNotAllowIsSaid) {
  make_study();
  const Ran none = run(study("out", "--set budget.flops=1e3"));
  ASSERT_EQ(none.code, 0) << none.err;
  EXPECT_EQ(states_of(results("out")), (States{{"left out", 3}}));
  EXPECT_NE(none.out.find("its pre-training was left out"), std::string::npos) << none.out;
  // The first run begins with nothing used up, the others no more.
  const Ran one = run(study("out", "--resume --set budget.seconds=1e-6"));
  ASSERT_EQ(one.code, 0) << one.err;
  EXPECT_EQ(states_of(results("out")), (States{{"finished", 1}, {"left out", 2}})) << one.out;
  EXPECT_NE(one.out.find("the budget of"), std::string::npos) << one.out;
  ASSERT_EQ(run(study("out", "--resume")).code, 0);
  EXPECT_EQ(states_of(results("out")), (States{{"finished", 3}}));
}

TEST_F(Study, StoppedOrKilledItGoesOnToTheSameEnd) {
  make_study();
  const std::string longer =
      "--set pretrain.set='[\"data.shards=$data/shards\", \"train.steps=150\"]'";
  ASSERT_EQ(run(study("whole", longer)).code, 0);
  const auto logged = [&] {
    const auto folder = run_folder("cut", "pretrain");
    return !folder.empty() && count_lines(slurp(folder / "metrics.jsonl")) > 5;
  };
  const pid_t stopped = start(study("cut", longer));
  ASSERT_TRUE(wait_until(logged));
  ::kill(stopped, SIGTERM);
  EXPECT_EQ(wait_for(stopped), 143) << slurp(folder_ / ".err");
  EXPECT_EQ(results("cut").at("runs").at(0).at("state"), "stopped");
  const auto pretraining = run_folder("cut", "pretrain");
  EXPECT_TRUE(std::filesystem::exists(pretraining / "latest" / "model.safetensors"));

  const auto lines = count_lines(slurp(pretraining / "metrics.jsonl"));
  const pid_t killed = start(study("cut", longer + " --resume"));
  ASSERT_TRUE(
      wait_until([&] { return count_lines(slurp(pretraining / "metrics.jsonl")) > lines + 5; }));
  ::kill(killed, SIGKILL);
  EXPECT_EQ(wait_for(killed), 128 + SIGKILL);
  // The orphan saves and lets go of its folder.
  EXPECT_TRUE(wait_until([&] {
    const std::string log = slurp(pretraining / "log.txt");
    return log.find("signal 15: saved") != log.rfind("signal 15: saved");
  }));
  Ran last;
  EXPECT_TRUE(wait_until([&] {
    last = run(study("cut", longer + " --resume"));
    return last.code == 0;
  })) << last.err;
  const auto digest = [&](const std::string& out, const std::string& begins) {
    return xxh3_64(slurp(run_folder(out, begins) / "latest" / "model.safetensors"));
  };
  for (const char* begins : {"pretrain", "animals-baseline"})
    EXPECT_EQ(digest("cut", begins), digest("whole", begins)) << begins;
  EXPECT_EQ(results("cut").at("variants").at(0).at("figures"),
            results("whole").at("variants").at(0).at("figures"));
}

TEST_F(Study, EveryStudyOfTheRepositoryCanBePlanned) {
  int studies = 0;
  for (const auto& entry : std::filesystem::directory_iterator(source_folder() / "studies")) {
    ++studies;
    const Ran plan = shell("cd " + source_folder().string() + " && $tenfold study --dry-run " +
                           entry.path().string());
    EXPECT_EQ(plan.code, 0) << entry.path() << "\n" << plan.err;
    EXPECT_NE(plan.out.find("still to run"), std::string::npos) << plan.out;
  }
  EXPECT_GE(studies, 3);
}

TEST_F(Study, MistakesAreOneLineWithFileLineAndTheNearestKey) {
  make_study();
  const auto error = [&](const std::string& from, const std::string& to) {
    std::string text = slurp(folder_ / "study.toml");
    text.replace(text.find(from), from.size(), to);
    spill(folder_ / "bad.toml", text);
    const Ran ran = run("study " + at("bad.toml") + " --out " + at("out"));
    EXPECT_EQ(ran.code, 2) << ran.err;
    EXPECT_EQ(count_lines(ran.err), 1u) << ran.err;
    EXPECT_FALSE(std::filesystem::exists(at("out")));
    return ran.err;
  };
  const auto says = [](const std::string& text, const std::string& part) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
  };
  std::string said = error("[[axes]]", "[[axis]]");
  says(said, "did you mean 'axes'?");
  says(said, "bad.toml:11)");
  said = error("finetune.from_scratch", "finetun.from_scratch");
  says(said, "did you mean 'finetune'?");
  says(said, "bad.toml:13)");
  said = error("finetune.from_scratch", "finetune.from_scrach");
  says(said, "did you mean 'from_scratch'?");
  says(said, "bad.toml:13)");
  said = error("values = [true]", "values = [3]");
  says(said, "from_scratch must be true or false");
  says(said, "bad.toml:13)");
  said = error("data.shards=", "data.shard=");
  says(said, "did you mean 'shards'?");
  says(said, "bad.toml:5)");
  EXPECT_EQ(run("study " + at("none.toml") + " --out " + at("out")).code, 2);
  EXPECT_EQ(run("study " + at("study.toml")).code, 2) << "--out is needed";
}

}  // namespace
}  // namespace tenfold::testing
