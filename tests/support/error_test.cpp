// Error kinds and the exit codes promised for them.
#include "tenfold/error.h"

#include <gtest/gtest.h>

#include "support/fail.h"

namespace tenfold {
namespace {

TEST(Error, MessageNamesThePlaceInBrackets) {
  try {
    fail(ErrorKind::data, "shards", "expected {} tokens, got {}", 3, 2);
    FAIL() << "did not throw";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "[shards] expected 3 tokens, got 2");
    EXPECT_EQ(error.kind(), ErrorKind::data);
  }
}

TEST(Error, ExitCodesAreTheDocumentedOnes) {
  const auto code = [](ErrorKind kind) { return Error(kind, "x", "y").exit_code(); };
  EXPECT_EQ(code(ErrorKind::run), 1);
  EXPECT_EQ(code(ErrorKind::usage), 2);
  EXPECT_EQ(code(ErrorKind::config), 2);
  EXPECT_EQ(code(ErrorKind::data), 3);
  EXPECT_EQ(code(ErrorKind::shape), 3);
  EXPECT_EQ(code(ErrorKind::checkpoint), 4);
  EXPECT_EQ(code(ErrorKind::unsupported), 5);
  EXPECT_EQ(code(ErrorKind::internal), 1);
}

}  // namespace
}  // namespace tenfold
