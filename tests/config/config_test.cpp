// Options read, written, compared and described: each expectation is written out by hand.
// Not here: the real recipes of the program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "config/reader.h"
#include "config/schema.h"
#include "config/writer.h"
#include "support/rng.h"

namespace tenfold::config {
namespace {

using ::testing::HasSubstr;

enum class Norm { pre, post };

struct OptimizerOptions {
  double learning_rate = 1e-4;
  std::vector<double> betas = {0.9, 0.999};
  std::optional<int64_t> warmup;

  void fields(FieldVisitor& v) {
    v.field("learning_rate", learning_rate, "peak rate", above(0));
    v.field("betas", betas, "decay of the moments", fraction_below_one());
    v.field("warmup", warmup, "steps of warm-up", at_least(0));
  }
};

struct TrainOptions {
  int64_t steps = 100;
  bool resume = false;
  OptimizerOptions optimizer;

  void fields(FieldVisitor& v) {
    v.group("optimizer", optimizer, "how weights move");
    v.field("steps", steps, "updates", at_least(1));
    v.field("resume", resume, "go on from the newest checkpoint");
  }
  void validate(const std::string& where) const {
    if (optimizer.warmup && *optimizer.warmup > steps) {
      fail(ErrorKind::config, where, "optimizer.warmup ({}) exceeds steps ({})", *optimizer.warmup,
           steps);
    }
  }
};

struct PerformerOptions {
  int64_t features = 256;
  void fields(FieldVisitor& v) { v.field("features", features, "random features", at_least(1)); }
};

struct LayerRun {
  int64_t count = 1;
  Choice attention;

  void fields(FieldVisitor& v) {
    v.field("count", count, "layers in the run", at_least(1));
    v.choice("attention", attention, "attention of the run", v.kinds("attention"));
  }
};

struct Recipe {
  std::string name = "plain";
  std::string device = "cpu";
  std::filesystem::path out = "runs/a b";
  Norm norm = Norm::post;
  std::vector<int64_t> sizes = {128, 512};
  std::vector<std::string> inputs;
  int64_t width = 256;
  TrainOptions train;
  std::vector<LayerRun> layers = {LayerRun{}};
  Choice attention{"softmax", nullptr};

  void fields(FieldVisitor& v) {
    v.field("name", name, "name of the run");
    v.field("device", device, "where it runs", {"cpu", "cuda"});
    v.field("out", out, "folder of the run");
    v.field("norm", norm, "where the norm stands", {{"pre", Norm::pre}, {"post", Norm::post}});
    v.field("sizes", sizes, "lengths", at_least(1));
    v.field("inputs", inputs, "files");
    v.group("shape", "sizes of the model",
            [&](FieldVisitor& w) { w.field("width", width, "model width"); });
    v.group("train", train, "training");
    v.groups("layers", layers, "runs of equal layers");
    v.choice("attention", attention, "attention of every layer", v.kinds("attention"));
  }
};

const ChoiceTables& tables() {
  static const ChoiceTables kTables = {{"attention",
                                        {ChoiceKind::of<NoOptions>("softmax", "exact"),
                                         ChoiceKind::of<PerformerOptions>("performer", "kernel")}}};
  return kTables;
}

Recipe read_text(std::string_view text, const std::vector<std::string>& overrides = {}) {
  Document document = Document::parse(text, "recipe.toml");
  document.set(overrides);
  Recipe recipe;
  document.read(recipe, tables());
  return recipe;
}

std::string error_of(std::string_view text, const std::vector<std::string>& overrides = {}) {
  try {
    read_text(text, overrides);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::config);
    EXPECT_EQ(std::string_view(error.what()).find('\n'), std::string_view::npos);
    return error.what();
  }
  return "no error";
}

TEST(Config, ReadsEveryTypeOfField) {
  const Recipe recipe = read_text(R"(
name = "big"
device = "cuda"
out = "x/y"
norm = "pre"
sizes = [1, 2e3]
inputs = ["a", "b"]
shape.width = 64
[train]
steps = 1e5
resume = true
optimizer = { learning_rate = 3, warmup = 10 }
[[layers]]
count = 2
attention = "performer"
[[layers]]
[layers.attention]
kind = "performer"
performer.features = 8
)");
  EXPECT_EQ(recipe.name, "big");
  EXPECT_EQ(recipe.device, "cuda");
  EXPECT_EQ(recipe.out, "x/y");
  EXPECT_EQ(recipe.norm, Norm::pre);
  EXPECT_EQ(recipe.sizes, (std::vector<int64_t>{1, 2000}));
  EXPECT_EQ(recipe.inputs, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(recipe.width, 64);
  EXPECT_EQ(recipe.train.steps, 100000);
  EXPECT_TRUE(recipe.train.resume);
  EXPECT_EQ(recipe.train.optimizer.learning_rate, 3.0);
  EXPECT_EQ(recipe.train.optimizer.warmup, 10);
  ASSERT_EQ(recipe.layers.size(), 2u);
  EXPECT_EQ(recipe.layers[0].attention.as<PerformerOptions>().features, 256);
  EXPECT_EQ(recipe.layers[1].count, 1);
  EXPECT_EQ(recipe.layers[1].attention.as<PerformerOptions>().features, 8);
  EXPECT_NO_THROW(recipe.attention.as<NoOptions>());
}

TEST(Config, AbsentKeysKeepTheirDefaults) {
  EXPECT_TRUE(equal(read_text(""), read_text("name = 'plain'")));
}

TEST(Config, ErrorsNameKeyReasonAndLine) {
  EXPECT_EQ(error_of("[train.optimizer]\nlearning_rate = -1"),
            "[train.optimizer] learning_rate must be > 0, got -1 (recipe.toml:2)");
  EXPECT_EQ(error_of("[train.optimizer]\nlearning_rate = nan"),
            "[train.optimizer] learning_rate must be > 0, got nan (recipe.toml:2)");
  EXPECT_EQ(error_of("\nnam = 'x'"),
            "[config] unknown key 'nam'; did you mean 'name'? (recipe.toml:2)");
  EXPECT_EQ(error_of("[trian]\nsteps = 1"),
            "[config] unknown key 'trian'; did you mean 'train'? (recipe.toml:1)");
  EXPECT_EQ(error_of("zebra = 1"), "[config] unknown key 'zebra' (recipe.toml:1)");
  EXPECT_EQ(error_of("[train]\nsteps = 'many'"),
            "[train] steps must be an integer, got a text (recipe.toml:2)");
  EXPECT_EQ(error_of("[train]\nsteps = 1.5"),
            "[train] steps must be an integer, got 1.5 (recipe.toml:2)");
  EXPECT_EQ(error_of("train = 3"),
            "[config] train must be a table, got an integer (recipe.toml:1)");
  EXPECT_EQ(error_of("[train]\nresume = 1"),
            "[train] resume must be true or false, got an integer (recipe.toml:2)");
  EXPECT_EQ(error_of("name = 1979-05-27"),
            "[config] name must be a text, got a date or time (recipe.toml:1)");
  EXPECT_EQ(
      error_of("device = 'cudo'"),
      "[config] device must be one of cpu, cuda, got 'cudo'; did you mean 'cuda'? (recipe.toml:1)");
  EXPECT_EQ(error_of("norm = 'middle'"),
            "[config] norm must be one of pre, post, got 'middle' (recipe.toml:1)");
  EXPECT_EQ(error_of("sizes = [1,\n0]"), "[config] sizes must be >= 1, got 0 (recipe.toml:2)");
  EXPECT_EQ(error_of("sizes = 1"), "[config] sizes must be a list, got an integer (recipe.toml:1)");
  EXPECT_EQ(error_of("[train.optimizer]\nbetas = [0.9, 1.0]"),
            "[train.optimizer] betas must be in [0, 1), got 1 (recipe.toml:2)");
  EXPECT_EQ(error_of("layers = 1"),
            "[config] layers must be a list of tables, got an integer (recipe.toml:1)");
  EXPECT_EQ(error_of("[[layers]]\n[[layers]]\ncuont = 1"),
            "[layers.1] unknown key 'cuont'; did you mean 'count'? (recipe.toml:3)");
}

TEST(Config, ErrorsOfChoicesNameTheLegalKinds) {
  EXPECT_EQ(error_of("attention = 'preformer'"),
            "[config] attention must be one of softmax, performer, got 'preformer'; did you mean "
            "'performer'? "
            "(recipe.toml:1)");
  EXPECT_EQ(error_of("[attention]\nkind = 'performer'\n[attention.performer]\nfeatures = 0"),
            "[attention.performer] features must be >= 1, got 0 (recipe.toml:4)");
  EXPECT_EQ(error_of("[attention]\nkind = 'softmax'\n[attention.performer]\nfeatures = 4"),
            "[attention] performer holds options of a kind that is not chosen (kind is 'softmax') "
            "(recipe.toml:3)");
  EXPECT_EQ(error_of("[attention]\nkind = 'performer'\nfeatures = 4"),
            "[attention] unknown key 'features' (recipe.toml:3)");
  EXPECT_EQ(error_of("[[layers]]\nattention = {}"),
            "[layers.0] attention needs a kind: one of softmax, performer (recipe.toml:2)");
}

TEST(Config, SyntaxErrorsNameLineAndColumn) {
  EXPECT_THAT(error_of("name = 'x'\nsteps = = 3"), HasSubstr("recipe.toml:2:9: "));
}

TEST(Config, RulesBetweenFieldsAreCheckedAfterReading) {
  EXPECT_EQ(error_of("[train]\nsteps = 5\noptimizer.warmup = 6"),
            "[train] optimizer.warmup (6) exceeds steps (5) (recipe.toml:1)");
}

TEST(Config, OverridesWinOverTheFileAndLaterOnesOverEarlier) {
  const Recipe recipe = read_text("name = 'file'\n[train]\nsteps = 5",
                                  {"name=word", "train.steps=6", "train.steps = 7",
                                   "shape.width=32", "inputs=['a=b', 'c']", "device=\"cuda\""});
  EXPECT_EQ(recipe.name, "word");
  EXPECT_EQ(recipe.train.steps, 7);
  EXPECT_EQ(recipe.width, 32);
  EXPECT_EQ(recipe.inputs, (std::vector<std::string>{"a=b", "c"}));
  EXPECT_EQ(recipe.device, "cuda");
  EXPECT_EQ(read_text("", {"name="}).name, "");
  EXPECT_EQ(read_text("", {"out=/data/x y"}).out, "/data/x y");
}

TEST(Config, OverridesReachListItemsAndChoices) {
  const std::string text =
      "[[layers]]\n[[layers]]\n[attention]\nkind = 'performer'\n[attention.performer]\nfeatures = "
      "4";
  EXPECT_EQ(read_text(text, {"layers.1.count=3"}).layers[1].count, 3);
  EXPECT_EQ(
      read_text(text, {"attention.performer.features=9"}).attention.as<PerformerOptions>().features,
      9);
  EXPECT_EQ(read_text(text, {"attention.kind=softmax"}).attention.kind, "softmax");
  EXPECT_EQ(read_text(text, {"attention=softmax"}).attention.kind, "softmax");
  EXPECT_EQ(read_text("attention = 'softmax'", {"attention.kind=performer"}).attention.kind,
            "performer");
  EXPECT_EQ(read_text(text, {"layers=[{count=2},{count=3},{count=4}]"}).layers[2].count, 4);
}

TEST(Config, ErrorsOfOverridesNameThem) {
  EXPECT_EQ(error_of("", {"train.steps=0"}),
            "[train] steps must be >= 1, got 0 (--set train.steps=0)");
  EXPECT_EQ(error_of("", {"train.stepz=1"}),
            "[train] unknown key 'stepz'; did you mean 'steps'? (--set train.stepz=1)");
  EXPECT_EQ(error_of("", {"name"}), "[config] --set name: expected path.to.key=value");
  EXPECT_EQ(error_of("", {"a..b=1"}), "[config] --set a..b=1: a key of the path is empty");
  EXPECT_EQ(error_of("", {"=1"}), "[config] --set =1: a key of the path is empty");
  EXPECT_EQ(
      error_of("[[layers]]", {"layers.1.count=1"}),
      "[config] --set layers.1.count=1: '1' must be an index below 1, the length of the list");
  EXPECT_THAT(error_of("", {"sizes=[1, 2"}),
              HasSubstr("[config] --set sizes=[1, 2: the value is not TOML: "));
}

TEST(Config, OverridesCannotSmuggleInMoreKeys) {
  EXPECT_EQ(read_text("", {"name=a\nb = 2"}).name, "a\nb = 2");
}

TEST(Config, MissingFilesAreConfigErrorsWithTheirPath) {
  try {
    load<Recipe>("/nowhere/recipe.toml", {}, tables());
    FAIL() << "did not throw";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::config);
    EXPECT_STREQ(error.what(),
                 "[files] cannot open /nowhere/recipe.toml: No such file or directory");
  }
}

TEST(Config, WithoutAFileTheDefaultsAndOverridesRemain) {
  EXPECT_EQ(load<Recipe>("", {"train.steps=3"}, tables()).train.steps, 3);
}

Recipe unusual_recipe() {
  Recipe recipe = read_text("");
  recipe.name = "quote \" back \\ tab \t line \n bell \x07 e\xCC\x81 \xF0\x9F\x98\x80";
  recipe.norm = Norm::pre;
  recipe.sizes = {1, INT64_MAX};
  recipe.inputs = {"", "#"};
  recipe.train.optimizer.learning_rate = 0.1 + 0.2;
  recipe.train.optimizer.betas = {1e-300, 0};
  recipe.train.optimizer.warmup = 3;
  recipe.attention = Choice::of("performer", PerformerOptions{7});
  recipe.layers = {LayerRun{3, Choice::of("performer", PerformerOptions{1})}, LayerRun{4, {}}};
  return recipe;
}

TEST(Config, WhatIsWrittenReadsBackEqual) {
  const Recipe recipe = unusual_recipe();
  for (const Comments comments : {Comments::none, Comments::help}) {
    const std::string text = write_toml(recipe, comments);
    const auto changes = difference(recipe, read_text(text));
    EXPECT_TRUE(changes.empty()) << changes[0].path << "\n" << text;
  }
  Recipe no_layers = read_text("");
  no_layers.layers.clear();
  EXPECT_TRUE(equal(no_layers, read_text(write_toml(no_layers))));
}

struct AnyValues {
  std::vector<PlainValue> values;
  void fields(FieldVisitor& v) { v.field("values", values, "anything plain"); }
};

TEST(Config, PlainValuesKeepTheirTypeAndReadBackEqual) {
  AnyValues any;
  Document::parse("values = [0.15, 3, true, 'a \"b\"', 1e-4]", "x.toml").read(any);
  EXPECT_EQ(any.values,
            (std::vector<PlainValue>{{"0.15"}, {"3"}, {"true"}, {"\"a \\\"b\\\"\""}, {"0.0001"}}));
  AnyValues from_toml, from_json;
  Document::parse(write_toml(any), "written").read(from_toml);
  EXPECT_EQ(from_toml.values, any.values);
  Document::from_json(write_json(any), "written").read(from_json);
  EXPECT_EQ(from_json.values, any.values);
  try {
    Document::parse("values = [1,\n [2]]", "x.toml").read(any);
    FAIL() << "a list is no plain value";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "[config] values must be a number, a text, true or false, got a list (x.toml:2)");
  }
}

TEST(Config, JsonReadsBackEqual) {
  const Recipe recipe = unusual_recipe();
  Recipe back;
  Document::from_json(nlohmann::json::parse(write_json(recipe).dump()), "config.json")
      .read(back, tables());
  EXPECT_TRUE(equal(recipe, back)) << write_json(recipe).dump();
}

TEST(Config, JsonNestedTooDeepIsRefused) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "{\"a\":";
  text += "1" + std::string(100, '}');
  EXPECT_THROW(Document::from_json(nlohmann::json::parse(text), "x"), Error);
  EXPECT_THROW(Document::from_json(nlohmann::json::array(), "x"), Error);
}

TEST(Config, TomlIsWrittenInTheOrderOfTheFields) {
  EXPECT_EQ(write_toml(read_text("[[layers]]\nattention = 'performer'"), Comments::none),
            R"(name = "plain"
device = "cpu"
out = "runs/a b"
norm = "post"
sizes = [128, 512]
inputs = []

[shape]
width = 256

[train]
steps = 100
resume = false

[train.optimizer]
learning_rate = 0.0001
betas = [0.9, 0.999]

[[layers]]
count = 1

[layers.attention]
kind = "performer"

[layers.attention.performer]
features = 256

[attention]
kind = "softmax"
)");
}

TEST(Config, DifferencesNameTheChangedKeys) {
  Recipe before = read_text("");
  Recipe after = before;
  EXPECT_TRUE(equal(before, after));
  after.train.optimizer.learning_rate = 0.5;
  after.train.optimizer.warmup = 2;
  after.attention = Choice::of("performer", PerformerOptions{4});
  const auto changes = difference(before, after);
  ASSERT_EQ(changes.size(), 4u);
  EXPECT_EQ(changes[0].path, "train.optimizer.learning_rate");
  EXPECT_EQ(changes[0].before, "0.0001");
  EXPECT_EQ(changes[0].after, "0.5");
  EXPECT_EQ(changes[1].path, "train.optimizer.warmup");
  EXPECT_EQ(changes[1].before, "");
  EXPECT_EQ(changes[2].path, "attention.kind");
  EXPECT_EQ(changes[3].path, "attention.performer.features");
}

TEST(Config, CopiesOfAChoiceAreIndependent) {
  const Recipe original = read_text("attention = 'performer'");
  Recipe copy = original;
  Document document;
  document.set("attention.kind=performer");
  document.set("attention.performer.features=2");
  document.read(copy, tables());
  EXPECT_EQ(copy.attention.as<PerformerOptions>().features, 2);
  EXPECT_EQ(original.attention.as<PerformerOptions>().features, 256);
  EXPECT_THROW(original.attention.as<NoOptions>(), Error);
}

TEST(Config, TheSchemaListsEveryFieldOfEveryKind) {
  const auto rows = describe<Recipe>(tables());
  std::vector<std::string> paths;
  for (const SchemaRow& row : rows) paths.push_back(row.path);
  EXPECT_THAT(
      paths,
      ::testing::ElementsAre(
          "name", "device", "out", "norm", "sizes", "inputs", "shape", "shape.width", "train",
          "train.optimizer", "train.optimizer.learning_rate", "train.optimizer.betas",
          "train.optimizer.warmup", "train.steps", "train.resume", "layers[]", "layers[].count",
          "layers[].attention.kind", "layers[].attention.softmax", "layers[].attention.performer",
          "layers[].attention.performer.features", "attention.kind", "attention.softmax",
          "attention.performer", "attention.performer.features"));
  EXPECT_THAT(help_text(rows), HasSubstr("  peak rate (> 0; default 0.0001)\n"));
  EXPECT_THAT(help_text(rows), HasSubstr("where it runs (one of cpu, cuda; default \"cpu\")"));
  EXPECT_THAT(markdown(rows), HasSubstr("| `train.steps` | integer | `100` | >= 1 | updates |\n"));
  EXPECT_EQ(schema_json(rows)[1]["legal"], "one of cpu, cuda");
}

TEST(Config, DamagedTextsNeverCrash) {
  const std::string whole = write_toml(unusual_recipe(), Comments::help);
  RandomStream random(1, "config flips");
  int refused = 0;
  for (int i = 0; i < 10000; ++i) {
    std::string text = whole;
    const uint64_t flips = 1 + random.below(3);
    for (uint64_t flip = 0; flip < flips; ++flip) {
      char& byte = text[random.below(text.size())];
      byte = static_cast<char>(static_cast<unsigned char>(byte) ^ (1u << random.below(8)));
    }
    if (random.below(10) == 0) text.resize(random.below(text.size()));
    try {
      read_text(text);
    } catch (const Error& error) {
      ASSERT_EQ(error.kind(), ErrorKind::config);
      ++refused;
    }
  }
  EXPECT_GT(refused, 5000);
}

}  // namespace
}  // namespace tenfold::config
