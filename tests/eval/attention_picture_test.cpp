// The picture of attention weights as a file: what is in it, and what is refused.
// Not here: how it looks (a person judges that).
#include "eval/attention_picture.h"

#include <gtest/gtest.h>

#include "tenfold/error.h"

namespace tenfold::eval {
namespace {

size_t count_of(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

AttentionPicture two_heads() {
  return {.title = "a < b",
          .tokens = {"[CLS]", "<b>"},
          .maps = {{.layer = 0, .head = 0, .weights = {1, 0, 0.5, 0.5}, .note = "0.35 nats"},
                   {.layer = 0, .head = 1, .weights = {1, 0, 0, 1}, .note = ""},
                   {.layer = 1, .head = 0, .weights = {1, 0, 0, 1}, .note = ""}}};
}

TEST(AttentionPicture, HasAMapAHeadAndEscapedLabels) {
  const std::string svg = svg_attention(two_heads());
  EXPECT_TRUE(svg.starts_with("<svg xmlns="));
  EXPECT_TRUE(svg.ends_with("</svg>\n"));
  EXPECT_NE(svg.find("a &lt; b"), std::string::npos);
  EXPECT_NE(svg.find("layer 0, head 0: 0.35 nats"), std::string::npos);
  EXPECT_NE(svg.find("layer 1, head 0</text>"), std::string::npos);
  EXPECT_EQ(svg.find("<b>"), std::string::npos);
  EXPECT_EQ(count_of(svg, "<g transform"), 3U);
  EXPECT_EQ(count_of(svg, ">[CLS]</text>"), 2U + 2U) << "left of two layers, above two heads";
}

TEST(AttentionPicture, CutsLongTokensBetweenCharacters) {
  AttentionPicture picture = two_heads();
  picture.tokens[1] = "ééééééééééééééééééé";
  EXPECT_NE(svg_attention(picture).find(">éééééééééééééééé…<"), std::string::npos);
}

TEST(AttentionPicture, RefusesWeightsThatDoNotFitTheTokens) {
  AttentionPicture picture = two_heads();
  picture.maps[2].weights.pop_back();
  EXPECT_THROW(svg_attention(picture), Error);
}

}  // namespace
}  // namespace tenfold::eval
