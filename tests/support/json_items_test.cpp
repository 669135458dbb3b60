// JSON read item by item, from text in pieces of any size.
// Not here: whole values (support_test.cpp), hostile sizes (tests/fuzz/limits_test.cpp).
#include <gtest/gtest.h>

#include <tuple>

#include "support/json.h"

namespace tenfold {
namespace {

using Item = std::tuple<std::string, std::string, std::string, int64_t>;  // path, key, value, line

/// All items of `text`, given in pieces of `size` bytes.
std::vector<Item> items_of(const std::string& text, size_t size,
                           const std::vector<std::vector<std::string>>& paths,
                           const JsonLimits& limits = {}) {
  std::vector<Item> found;
  std::vector<JsonItems> wanted;
  for (const auto& path : paths) {
    wanted.push_back({path, [&found, name = path.back() + std::to_string(path.size())](
                                const std::string& key, nlohmann::json&& value, int64_t line) {
                        found.emplace_back(name, key, value.dump(), line);
                      }});
  }
  size_t at = 0;
  const auto next = [&] {
    const std::string_view piece = std::string_view(text).substr(at, size);
    at += piece.size();
    return piece;
  };
  parse_json_items(next, "a.json", ErrorKind::data, "test", limits, wanted);
  return found;
}

std::string refusal(const std::string& text, const JsonLimits& limits = {}) {
  try {
    items_of(text, 3, {{"*"}}, limits);
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

TEST(JsonItems, InnerOnesComeFirstAndLeaveTheOuter) {
  const std::string text =
      "{\"v\": 1,\n \"data\": [{\"t\": \"\xC3\xA9\", \"list\": [1, [2],\n{}]}, 7]}";
  const std::vector<Item> expected = {{"*4", "*", "1", 2},
                                      {"*4", "*", "[2]", 2},
                                      {"*4", "*", "{}", 3},
                                      {"*2", "*", "{\"list\":[],\"t\":\"\xC3\xA9\"}", 3},
                                      {"*2", "*", "7", 3}};
  for (size_t size = 1; size <= text.size(); ++size) {
    EXPECT_EQ(items_of(text, size, {{"data", "*"}, {"data", "*", "list", "*"}}), expected) << size;
  }
}

TEST(JsonItems, MembersComeWithTheirKeysAndMayComeTwice) {
  EXPECT_EQ(
      items_of("{\"a\": [1], \"b\": {\"a\": 2}, \"a\": 3}", 4, {{"*"}}),
      (std::vector<Item>{{"*1", "a", "[1]", 1}, {"*1", "b", "{\"a\":2}", 1}, {"*1", "a", "3", 1}}));
  EXPECT_EQ(items_of("{\"x\": {\"b\": 1}, \"b\": 2}", 4, {{"x", "b"}}),
            (std::vector<Item>{{"b2", "b", "1", 1}}));
}

TEST(JsonItems, MemoryIsThatOfOneItem) {
  std::string many = "[";
  for (int i = 0; i < 10'000; ++i) many += "{\"key\": \"a text of some length\"},";
  const JsonLimits small{.depth = 64, .memory = 1 << 10, .longest_token = 100};
  EXPECT_EQ(items_of(many + "1]", 1000, {{"*"}}, small).size(), 10'001u);
  EXPECT_NE(refusal("[" + many + "1]]", small).find("would take more than the 0 MB"),
            std::string::npos);
  EXPECT_NE(refusal("{\"" + std::string(200, 'k') + "\": 1}", small)
                .find("a text or number of more than 100 bytes"),
            std::string::npos);
}

TEST(JsonItems, DamagedTextIsNamedByItsByte) {
  EXPECT_NE(refusal("[1, 2").find("a.json is not JSON (cut off or damaged) at byte 6"),
            std::string::npos);
  EXPECT_NE(refusal("").find("is not JSON"), std::string::npos);
  EXPECT_NE(refusal("[1] 2").find("is not JSON"), std::string::npos);
  EXPECT_NE(refusal("[" + std::string(70, '[')).find("nested deeper than 64"), std::string::npos);
}

}  // namespace
}  // namespace tenfold
