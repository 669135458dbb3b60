// WordNet's files and its text, category and is-a tasks: parsing against rows written by hand, and
// the real package where it is installed. Not here: its other tasks (wordnet_tasks_test.cpp).
#include "data/wordnet.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "tenfold/error.h"

namespace tenfold::data {
namespace {

namespace fs = std::filesystem;

class WordNetFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("tenfold-wordnet-" + std::to_string(::getpid()));
    fs::create_directories(folder_);
    for (const char* part : {"data.verb", "data.adj", "data.adv"}) write(part, "  1 licence\n");
  }
  void TearDown() override { fs::remove_all(folder_); }
  void write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
  }

  fs::path folder_;
};

TEST_F(WordNetFiles, ARowGivesLemmasCategoryGlossAndHypernyms) {
  write("data.noun",
        "  1 licence text\n"
        "00000100 05 n 02 guide_dog 0 dog 1 002 @ 00000200 n 0000 ~ 00000300 n 0000 | leads; \"it "
        "leads\"  \n"
        "00000200 03 n 01 entity 0 000 | something  \n");
  const auto synsets = read_wordnet(folder_);
  ASSERT_EQ(synsets.size(), 2u);
  EXPECT_EQ(synsets[0].lemmas, (std::vector<std::string>{"guide dog", "dog"}));
  EXPECT_EQ(category_name(synsets[0].category), "noun.animal");
  EXPECT_EQ(synsets[0].gloss, "leads; \"it leads\"");
  EXPECT_EQ(synsets[0].hypernyms, std::vector<uint32_t>{200});
  EXPECT_TRUE(synsets[1].hypernyms.empty());
}

TEST_F(WordNetFiles, ADamagedRowIsNamedByFileAndLine) {
  write("data.noun", "  1 licence\n00000100 05 n zz dog 0 000 | barks\n");
  try {
    read_wordnet(folder_);
    FAIL() << "did not throw";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "[wordnet] data.noun:2: expected a number, got 'zz'");
    EXPECT_EQ(error.kind(), ErrorKind::data);
  }
}

TEST_F(WordNetFiles, AMissingFileNamesThePackage) {
  try {
    read_wordnet(folder_ / "nowhere");
    FAIL() << "did not throw";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("wordnet-base"), std::string::npos);
  }
}

TEST_F(WordNetFiles, AnUnknownTaskListsTheKnownOnes) {
  try {
    write_wordnet_task("catgory", folder_, folder_ / "out");
    FAIL() << "did not throw";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("wordnet-category"), std::string::npos);
    EXPECT_EQ(error.exit_code(), 2);
  }
}

TEST_F(WordNetFiles, TheRealPackageGivesBalancedPairsAndAllCategories) {
  if (!fs::exists(kWordNetFolder)) GTEST_SKIP() << "the package wordnet-base is not installed";
  EXPECT_EQ(read_wordnet(kWordNetFolder).size(), 117659u);
  int64_t total = 0;
  for (const int64_t rows : write_wordnet_task("category", kWordNetFolder, folder_ / "category"))
    total += rows;
  EXPECT_EQ(total, 117659);
  write_wordnet_task("is-a", kWordNetFolder, folder_ / "is-a");
  std::ifstream rows(folder_ / "is-a" / "dev.jsonl");
  int64_t count = 0, positive = 0;
  for (std::string line; std::getline(rows, line); ++count) {
    positive += nlohmann::json::parse(line).at("label") == "is-a";
  }
  EXPECT_GT(count, 5000);
  EXPECT_EQ(2 * positive, count);
}

}  // namespace
}  // namespace tenfold::data
