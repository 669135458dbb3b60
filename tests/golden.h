// Where the reference results lie, and the rule for tests that need them: skipped where they are
// not on this machine, and where they are, failed unless something was compared. Not here: reading
// them (each layer has its own readers).
#pragma once

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <string>

namespace tenfold::testing {

/// Path inside the folder of shared goldens and data, e.g. shared_path("goldens/text/pairs.jsonl").
inline std::filesystem::path shared_path(const std::string& inside) {
  return std::filesystem::path(TENFOLD_SHARED_DIR) / inside;
}

inline bool has_shared() { return std::filesystem::exists(shared_path("goldens/README.md")); }

/// Counts what tests compare; a test that asked for the goldens and had them must have compared
/// some. The program ends with the line "N goldens compared".
class GoldenCount final : public ::testing::EmptyTestEventListener {
 public:
  static GoldenCount& of_program() {
    static auto* count = [] {
      auto* made = new GoldenCount;  // gtest's from here on
      ::testing::UnitTest::GetInstance()->listeners().Append(made);
      return made;
    }();
    return *count;
  }
  void ask() { asked_ = true; }
  void add(int64_t number) { compared_ += number; }

  void OnTestStart(const ::testing::TestInfo&) override {
    asked_ = false;
    before_ = compared_;
  }
  void OnTestEnd(const ::testing::TestInfo&) override {
    if (!asked_ || !has_shared()) return;
    EXPECT_GT(compared_, before_) << "the goldens are here, but this test compared none of them";
  }
  void OnTestProgramEnd(const ::testing::UnitTest&) override {
    std::printf("%lld goldens compared%s\n", static_cast<long long>(compared_),
                has_shared() ? "" : ": they are not on this machine");
  }

 private:
  int64_t compared_ = 0, before_ = 0;
  bool asked_ = false;
};

inline GoldenCount& golden_count = GoldenCount::of_program();

/// Says that so many reference results were compared.
inline void compared_goldens(size_t number) { golden_count.add(static_cast<int64_t>(number)); }

}  // namespace tenfold::testing

/// First line of a test that takes shared files as its inputs: skips it where they are not on this
/// machine.
#define TENFOLD_NEEDS_SHARED() \
  if (!::tenfold::testing::has_shared()) GTEST_SKIP() << "goldens are not on this machine"

/// The same for a test that compares with reference results and says how many (compared_goldens).
#define TENFOLD_COMPARES_GOLDENS()        \
  ::tenfold::testing::golden_count.ask(); \
  TENFOLD_NEEDS_SHARED()
