// Which runs a study comes to, counted by hand, and how they are known again.
// Not here: running them (tests/cli/study_test.cpp).
#include "study/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/reader.h"
#include "support/checksum.h"
#include "tenfold/error.h"

namespace tenfold::study {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* kTwoAxes = R"(
title = "t"
seeds = [1, 2]
pretrain.recipe = "p.toml"
[[tasks]]
name = "a"
recipe = "f.toml"
test = "a.tsv"
[[axes]]
name = "masking"
path = "pretrain.mask"
values = [0.15, 0.3]
labels = ["15 %", "30 %"]
[[axes]]
path = "finetune.rate"
values = [1, 2]
)";

StudyFile read_study(const std::string& text, const std::vector<std::string>& overrides = {}) {
  auto document = config::Document::parse(text, "study.toml");
  document.set(overrides);
  StudyFile file;
  document.read(file);
  return file;
}

/// Recipes that hold one key each (mask = 0.15, rate = 1) besides what overrides add: the last one
/// of a key wins.
std::vector<config::FlatField> effective(Command command, const std::filesystem::path&,
                                         const std::vector<std::string>& overrides) {
  std::map<std::string, std::string> fields;
  fields[command == Command::pretrain ? "mask" : "rate"] =
      command == Command::pretrain ? "0.15" : "1";
  for (const std::string& text : overrides)
    fields[text.substr(0, text.find('='))] = text.substr(text.find('=') + 1);
  std::vector<config::FlatField> flat;
  for (const auto& [path, value] : fields) flat.push_back({path, value});
  return flat;
}

std::vector<std::string> labels_of(const std::vector<Variant>& variants) {
  std::vector<std::string> labels;
  for (const Variant& variant : variants) labels.push_back(variant.shown());
  return labels;
}

std::string error_of(const std::string& text, const std::vector<std::string>& overrides = {}) {
  try {
    make_plan(read_study(text, overrides), effective);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::config);
    return error.what();
  }
  return "no error";
}

TEST(Variants, OneAtATimeVariesEachAxisAgainstTheBaseline) {
  EXPECT_THAT(labels_of(variants_of(read_study(kTwoAxes))),
              ElementsAre("baseline", "masking: 15 %", "masking: 30 %", "finetune.rate: 1",
                          "finetune.rate: 2"));
}

TEST(Variants, AGridCombinesThemAll) {
  const auto variants = variants_of(read_study(kTwoAxes, {"mode=grid"}));
  EXPECT_THAT(
      labels_of(variants),
      ElementsAre("baseline", "masking: 15 %, finetune.rate: 1", "masking: 15 %, finetune.rate: 2",
                  "masking: 30 %, finetune.rate: 1", "masking: 30 %, finetune.rate: 2"));
  EXPECT_THAT(variants[4].set, ElementsAre("pretrain.mask=0.3", "finetune.rate=2"));
}

TEST(Plan, ValuesOfTheBaselineAreTheBaselineAndSharedWorkIsDoneOnce) {
  const Plan plan = make_plan(read_study(kTwoAxes), effective);
  EXPECT_THAT(labels_of(plan.variants), ElementsAre("baseline (masking: 15 %; finetune.rate: 1)",
                                                    "masking: 30 %", "finetune.rate: 2"));
  // Two pre-trainings (15 % and 30 %), and three variants of two seeds.
  ASSERT_EQ(plan.runs.size(), 2u + 3u * 2u);
  EXPECT_EQ(plan.cells.size(), 6u);
  std::vector<std::string> names;
  for (const PlannedRun& run : plan.runs) {
    EXPECT_THAT(run.name, ::testing::EndsWith("-" + run.hash.substr(0, 10)));
    names.push_back(run.name.substr(0, run.name.size() - 11));
  }
  EXPECT_THAT(names,
              ElementsAre("pretrain-baseline", "a-baseline-seed1", "pretrain-masking-30",
                          "a-masking-30-seed1", "a-finetune.rate-2-seed1", "a-baseline-seed2",
                          "a-masking-30-seed2", "a-finetune.rate-2-seed2"));
  EXPECT_EQ(plan.runs[4].parent, 0u) << "a variant of the fine-tuning starts from the same model";
  EXPECT_EQ(plan.runs[6].parent, 2u);
  EXPECT_THAT(plan.runs[7].overrides, ElementsAre("rate=2", "train.seed=2"));
}

TEST(Plan, FreshWeightsAreTold) {
  const Plan plan = make_plan(
      read_study(kTwoAxes, {"axes=[{path='finetune.from_scratch', values=[true]}]"}), effective);
  EXPECT_FALSE(plan.runs[1].fresh);
  EXPECT_TRUE(plan.runs[2].fresh);
}

TEST(Plan, AGridOfTwoByTwoPreTrainsTwice) {
  const Plan plan = make_plan(read_study(kTwoAxes, {"mode=grid"}), effective);
  EXPECT_EQ(plan.variants.size(), 4u) << "15 % and 1 is the baseline";
  EXPECT_EQ(plan.runs.size(), 2u + 4u * 2u);
}

TEST(Plan, PreTrainsOnceASeedWhereAsked) {
  const Plan plan = make_plan(read_study(kTwoAxes, {"pretrain.per_seed=true"}), effective);
  EXPECT_EQ(plan.runs.size(), 2u * 2u + 3u * 2u);
  EXPECT_THAT(plan.runs[0].overrides, ElementsAre("train.seed=1"));
}

TEST(Plan, AStudyWithoutTasksComparesPreTrainings) {
  const Plan plan = make_plan(
      read_study("title = 't'\nseeds = [4, 5]\npretrain.recipe = 'p.toml'\n[[axes]]\nname = "
                 "'size'\n[[axes.groups]]\nlabel = 'big'\nset = ['pretrain.width=9', "
                 "'pretrain.mask=0.2']"),
      effective);
  ASSERT_EQ(plan.runs.size(), 4u);
  EXPECT_THAT(plan.runs[3].overrides, ElementsAre("width=9", "mask=0.2", "train.seed=5"));
  EXPECT_EQ(plan.cells[3].variant, 1u);
}

TEST(Plan, ATasksOwnNameReachesItAlone) {
  const std::string text =
      std::string(kTwoAxes) + "[[tasks]]\nname = 'b'\nrecipe = 'f.toml'\ntest = 'b.tsv'\n";
  const Plan plan = make_plan(read_study(text, {"axes=[{path='b.rate', values=[7]}]"}), effective);
  EXPECT_THAT(labels_of(plan.variants), ElementsAre("baseline", "b.rate: 7"));
  // One pre-training; for each seed a and b of the baseline, and b alone of the variant.
  EXPECT_EQ(plan.runs.size(), 1u + 2u * 3u);
}

TEST(Plan, OneTaskAloneHasTheRunsItHasAmongOthers) {
  const std::string text = std::string(kTwoAxes) +
                           "[[axes]]\npath = 'b.rate'\nvalues = [7]\n[[tasks]]\nname = 'b'\n"
                           "recipe = 'f.toml'\ntest = 'b.tsv'\n";
  StudyFile file = read_study(text);
  const Plan all = make_plan(file, effective);
  file.keep_tasks({"a"});
  const Plan one = make_plan(file, effective);
  EXPECT_EQ(one.variants.size(), 3u) << "what b varies is the baseline of a";
  std::vector<std::string> hashes;
  for (const PlannedRun& run : all.runs) hashes.push_back(run.hash);
  for (const PlannedRun& run : one.runs) EXPECT_THAT(hashes, ::testing::Contains(run.hash));
  EXPECT_THROW(file.keep_tasks({"bb"}), Error);
}

TEST(Plan, HashesAreStableAndKnowWhatMatters) {
  const auto hash_of = [](const std::string& text, const std::vector<std::string>& overrides,
                          size_t run) {
    return make_plan(read_study(text, overrides), effective).runs[run].hash;
  };
  // The text that is hashed, written out.
  EXPECT_EQ(hash_of(kTwoAxes, {}, 0),
            xxh3_128("tenfold study run 1\ncommand pretrain\nstart \ntest \nmask = 0.15\n").hex());
  const std::string first = hash_of(kTwoAxes, {}, 1);
  EXPECT_EQ(first, xxh3_128("tenfold study run 1\ncommand finetune\nstart run " +
                            hash_of(kTwoAxes, {}, 0) + "\ntest a.tsv\nrate = 1\ntrain.seed = 1\n")
                       .hex());
  for (const char* same : {"title=other", "axes=[]", "metric=mcc", "seeds=[1,3]",
                           "budget.seconds=1", "prepare=['vocab x']", "pretrain.set=['mask=0.15']",
                           "pretrain.set=['train.device=cuda']"}) {
    EXPECT_EQ(hash_of(kTwoAxes, {same}, 1), first) << same;
  }
  for (const char* other : {"seeds=[3]", "pretrain.set=['mask=0.2']",
                            "tasks=[{name='a', recipe='f.toml', test='other.tsv'}]"}) {
    EXPECT_NE(hash_of(kTwoAxes, {other}, 1), first) << other;
  }
}

TEST(Plan, PreparedDataAreKnownByTheCommandsThatMakeThem) {
  const std::string text =
      "title = 't'\nmodel = 'm'\n[[tasks]]\nname = 'a'\nrecipe = 'f.toml'\ntest = "
      "'$data/a.tsv'\n";
  const auto hash_of = [&](const std::string& command) {
    return make_plan(read_study(text, {"prepare=['" + command + "']"}), effective).runs[0].hash;
  };
  EXPECT_EQ(hash_of("prepare a"), hash_of("prepare a"));
  EXPECT_NE(hash_of("prepare a"), hash_of("prepare b"));
}

TEST(Plan, MistakesNameWhatIsLegal) {
  EXPECT_THAT(error_of(kTwoAxes, {"axes=[{path='pretrian.mask', values=[1]}]"}),
              HasSubstr("must begin with a stage, one of pretrain, finetune, a; did you mean "
                        "'pretrain'?"));
  EXPECT_THAT(error_of(kTwoAxes, {"axes=[{path='mask', values=[1]}]"}), HasSubstr("'mask=1'"));
  EXPECT_THAT(error_of("titel = 'x'"),
              StartsWith("[config] unknown key 'titel'; did you mean 'title'? (study.toml:1)"));
  const std::string stages = "title = 't'\nmodel = 'm'\n";
  EXPECT_THAT(error_of("title = 't'"), HasSubstr("give pretrain.recipe or model"));
  EXPECT_THAT(error_of(stages), HasSubstr("needs tasks"));
  EXPECT_THAT(error_of(stages + "pretrain.recipe = 'p'\n"), HasSubstr("either"));
  EXPECT_THAT(error_of(stages + "[[tasks]]\nname = 'a'\nrecipe = 'f'\n"),
              HasSubstr("task 'a' needs test data (study.toml:3)"));
  EXPECT_THAT(error_of(stages + "[[axes]]\npath = 'finetune.x'\n"),
              HasSubstr("path and values belong together (study.toml:3)"));
  EXPECT_THAT(
      error_of(stages + "[[axes]]\npath = 'finetune.x'\nvalues = [1, 2]\nlabels = ['one']\n"),
      HasSubstr("1 labels for 2 values"));
  EXPECT_THAT(error_of(stages + "prepare = ['vocav --size 3']\n[[tasks]]\nname = 'a'\nrecipe = "
                                "'f'\ntest = 't'\n"),
              HasSubstr("did you mean 'vocab'?"));
}

TEST(Slug, KeepsLettersDigitsAndSingleHyphens) {
  EXPECT_EQ(slug("masking: 15 %, Rate = 1e-4"), "masking-15-rate-1e-4");
  EXPECT_EQ(slug("../a b/"), "..-a-b");
  EXPECT_EQ(slug("abcdef", 3), "abc");
}

}  // namespace
}  // namespace tenfold::study
