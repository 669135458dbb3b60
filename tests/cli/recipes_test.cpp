// Every recipe in recipes/ is one that its command takes, and says of every key what it is for.
// Not here: what a recipe reaches (docs/results.md).
#include "program.h"

namespace tenfold::testing {
namespace {

class Recipes : public ProgramTest {};

/// Those of recipes/ and of every method's folder.
std::vector<std::filesystem::path> all_recipes() {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(source_folder() / "recipes")) {
    if (entry.path().extension() == ".toml") paths.push_back(entry.path());
  }
  for (const auto& entry :
       std::filesystem::directory_iterator(source_folder() / "src" / "methods")) {
    if (std::filesystem::exists(entry.path() / "recipe.toml"))
      paths.push_back(entry.path() / "recipe.toml");
  }
  return paths;
}

TEST_F(Recipes, LoadAndNameTheirObjective) {
  int recipes = 0;
  for (const auto& path : all_recipes()) {
    ++recipes;
    const std::string text = slurp(path);
    const bool shapes_a_model = text.find("[model]") != std::string::npos;
    const Ran ran = run((shapes_a_model ? "pretrain" : "finetune --model none") +
                        std::string(" --dump-config --config ") + path.string());
    EXPECT_EQ(ran.code, 0) << path << "\n" << ran.err;
    if (shapes_a_model) {
      EXPECT_NE(text.find("objective.kind"), std::string::npos) << path;
    }
  }
  EXPECT_GE(recipes, 3);
}

TEST_F(Recipes, CommentEveryKey) {
  for (const auto& path : all_recipes()) {
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
      const bool sets_a_key = line.find('=') != std::string::npos && line.front() != '#';
      EXPECT_TRUE(!sets_a_key || line.find(" # ") != std::string::npos) << path << ": " << line;
    }
  }
}

TEST_F(Recipes, TheObjectiveIsChosenFromTheTable) {
  make_recipe();
  const std::string dump = "pretrain --dump-config --config " + at("tiny.toml");
  const Ran usual = run(dump);
  ASSERT_EQ(usual.code, 0) << usual.err;
  EXPECT_NE(usual.out.find("[objective.mlm]"), std::string::npos) << usual.out;
  const Ran half = run(dump + " --set objective.mlm.probability=0.5");
  ASSERT_EQ(half.code, 0) << half.err;
  EXPECT_NE(half.out.find("probability = 0.5"), std::string::npos) << half.out;
  const Ran unknown = run(dump + " --set objective.kind=mlmm");
  EXPECT_EQ(unknown.code, 2);
  EXPECT_NE(unknown.err.find("mlm"), std::string::npos) << unknown.err;
  const Ran labelled = run(dump + " --set objective.kind=classification");
  EXPECT_EQ(labelled.code, 2) << "shards have no labels";
}

}  // namespace
}  // namespace tenfold::testing
