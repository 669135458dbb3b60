// Windows over contexts, answers as tokens and back as text, and the rules of the n best answers.
// Not here: reading SQuAD files, exact match and F1 (eval).
#include <gmock/gmock.h>

#include <cmath>

#include "corpus_folder.h"
#include "data/span_answers.h"
#include "data/span_collator.h"
#include "data/span_windows.h"

namespace tenfold::data {
namespace {

using ::testing::HasSubstr;
using Ids = std::vector<int32_t>;

const char* kContext = "w1 w2 w3p1 w4 w5 w6 w7";  // 8 pieces

std::vector<SpanWindow> windows_of(std::optional<ByteSpan> answer, const WindowOptions& options) {
  return span_windows({.question = "w20 w21", .context = kContext, .answer = answer},
                      Answers::known, counting_tokenizer(), options, "q.json:3");
}

TEST(SpanWindows, HoldTheAnswerAsTokenPlaces) {
  const auto whole = windows_of(ByteSpan{6, 13}, {.max_length = 20, .stride = 2});  // "w3p1 w4"
  ASSERT_EQ(whole.size(), 1U);
  EXPECT_EQ(whole[0].first, 4U);
  EXPECT_EQ(whole[0].example.labels, (std::vector<double>{6, 8}));
  EXPECT_EQ(std::string(kContext).substr(whole[0].begin[2], whole[0].end[4] - whole[0].begin[2]),
            "w3p1 w4");
  const auto inside = windows_of(ByteSpan{7, 8}, {.max_length = 20, .stride = 2});  // part of w3
  EXPECT_EQ(inside[0].example.labels, (std::vector<double>{6, 6}));
  EXPECT_EQ(windows_of(std::nullopt, {.max_length = 20})[0].example.labels,
            (std::vector<double>{0, 0}));
}

TEST(SpanWindows, ThoseWithoutTheWholeAnswerPointAtTheFirstToken) {
  // Five context pieces a window, two shared: 0..4, 3..7.
  const auto windows = windows_of(ByteSpan{11, 16}, {.max_length = 10, .stride = 2});  // w4 w5
  ASSERT_EQ(windows.size(), 2U);
  EXPECT_EQ(windows[0].example.labels, (std::vector<double>{0, 0}));
  EXPECT_EQ(windows[1].example.labels, (std::vector<double>{5, 6}));
  // Piece 3 has 3 | 1 around it in the first window and 0 | 4 in the second, piece 4 the reverse.
  EXPECT_THAT(windows[0].own, ::testing::ElementsAre(1, 1, 1, 1, 0));
  EXPECT_THAT(windows[1].own, ::testing::ElementsAre(0, 1, 1, 1, 1));
}

TEST(SpanWindows, CutTheQuestionAndRefuseWindowsWithoutRoom) {
  const auto cut = windows_of(std::nullopt, {.max_length = 20, .stride = 2, .max_question = 1});
  EXPECT_EQ(cut[0].first, 3U);
  const std::string message =
      message_of([] { windows_of(std::nullopt, {.max_length = 7, .stride = 2}); });
  EXPECT_THAT(message, HasSubstr("q.json:3: windows of 7 tokens are too short"));
  const auto empty = span_windows({.question = "w1", .context = ""}, Answers::unknown,
                                  counting_tokenizer(), {}, "x");
  EXPECT_TRUE(empty.at(0).begin.empty());
  EXPECT_TRUE(empty.at(0).example.labels.empty());
}

TEST(SpanCollator, GivesAnswersAsRowsOfTheBlock) {
  const auto windows = windows_of(ByteSpan{11, 16}, {.max_length = 10, .stride = 2});
  const Batch batch =
      SpanCollator().collate(std::vector{windows[0].example, windows[1].example}, {});
  EXPECT_TRUE(torch::equal(batch.field("begin"), torch::tensor({0, 15}, torch::kInt64)));
  EXPECT_TRUE(torch::equal(batch.field("end"), torch::tensor({0, 16}, torch::kInt64)));
  EXPECT_EQ(batch.denominators.at("span"), 2);
}

/// Scores of 0 but where something is said.
std::vector<WindowScores> flat_scores(const std::vector<SpanWindow>& windows) {
  std::vector<WindowScores> scores;
  for (const SpanWindow& window : windows) {
    const size_t tokens = window.example.sequences.at("tokens").size();
    scores.push_back({std::vector<double>(tokens), std::vector<double>(tokens)});
  }
  return scores;
}

std::string text_of(const ScoredSpan& span) {
  return std::string(kContext).substr(span.bytes.begin, span.bytes.end - span.bytes.begin);
}

TEST(SpanAnswers, TheBestSpanOverWindowsIsASubstringOfTheContext) {
  const auto windows = windows_of(std::nullopt, {.max_length = 10, .stride = 2});
  auto scores = flat_scores(windows);
  scores[0].begin[5] = 3, scores[0].end[6] = 2;  // w2 w3
  scores[1].begin[5] = 4, scores[1].end[7] = 4;  // w4 .. w6
  scores[1].end[5] = 3;                          // w4
  const SpanAnswers answers = span_answers(kContext, windows, scores, {.best = 4});
  ASSERT_EQ(answers.best.size(), 4U);
  EXPECT_EQ(text_of(answers.best[0]), "w4 w5 w6");
  EXPECT_EQ(answers.best[0].logit, 8);
  EXPECT_EQ(text_of(answers.best[1]), "w4");
  EXPECT_TRUE(answers.answered);
  double total = 0;
  for (const ScoredSpan& span : answers.best) total += span.probability;
  EXPECT_NEAR(total, 1, 1e-12);
  EXPECT_NEAR(answers.best[0].probability / answers.best[1].probability, std::exp(1.0), 1e-9);
}

TEST(SpanAnswers, MatchEveryPairTriedByHand) {
  // The oracle: all windows, all pairs, the rules as written, for scores without a pattern.
  const auto windows = windows_of(std::nullopt, {.max_length = 10, .stride = 2});
  auto scores = flat_scores(windows);
  for (size_t w = 0; w < scores.size(); ++w) {
    for (size_t i = 0; i < scores[w].begin.size(); ++i) {
      scores[w].begin[i] = std::sin(1.7 * static_cast<double>(i) + static_cast<double>(w));
      scores[w].end[i] = std::cos(2.3 * static_cast<double>(i) - static_cast<double>(w));
    }
  }
  double best = -1e9;
  std::string text;
  for (size_t w = 0; w < windows.size(); ++w) {
    for (size_t i = 0; i < windows[w].begin.size(); ++i) {
      for (size_t j = i; j < std::min(i + 2, windows[w].begin.size()); ++j) {
        const double sum =
            scores[w].begin[windows[w].first + i] + scores[w].end[windows[w].first + j];
        if (windows[w].own[i] == 0 || sum <= best) continue;
        best = sum;
        text = text_of({.bytes = {windows[w].begin[i], windows[w].end[j]}});
      }
    }
  }
  const SpanAnswers answers = span_answers(kContext, windows, scores, {.max_answer = 2});
  EXPECT_EQ(text_of(answers.best[0]), text);
  EXPECT_DOUBLE_EQ(answers.best[0].logit, best);
}

TEST(SpanAnswers, NoAnswerIsTheVerdictWhereItLeadsByMoreThanTheThreshold) {
  const auto windows = windows_of(std::nullopt, {.max_length = 10, .stride = 2});
  auto scores = flat_scores(windows);
  scores[0].begin[5] = 3;
  scores[0].begin[0] = 9, scores[1].begin[0] = 4;  // the lowest window counts: 4
  const SpanAnswers forced = span_answers(kContext, windows, scores, {});
  EXPECT_TRUE(forced.answered);
  const SpanAnswers open = span_answers(kContext, windows, scores, {.no_answer = true});
  EXPECT_DOUBLE_EQ(open.no_answer_margin, 1);
  EXPECT_FALSE(open.answered);
  EXPECT_EQ(open.verdict().bytes, ByteSpan{});
  EXPECT_EQ(open.best[0].logit, 4);
  const SpanAnswers bold =
      span_answers(kContext, windows, scores, {.no_answer = true, .threshold = 1});
  EXPECT_TRUE(bold.answered);
  EXPECT_EQ(text_of(bold.verdict()).substr(0, 2), "w2");
}

TEST(SpanAnswers, AnEmptyContextHasNoneAndWildScoresAreRefused) {
  const auto empty = span_windows({.question = "w1", .context = ""}, Answers::unknown,
                                  counting_tokenizer(), {}, "x");
  const SpanAnswers none = span_answers("", empty, flat_scores(empty), {});
  EXPECT_FALSE(none.answered);
  EXPECT_DOUBLE_EQ(none.verdict().probability, 1);
  const auto windows = windows_of(std::nullopt, {});
  auto scores = flat_scores(windows);
  scores[0].end[2] = std::nan("");
  EXPECT_THAT(message_of([&] { span_answers(kContext, windows, scores, {}); }),
              HasSubstr("not finite"));
}

}  // namespace
}  // namespace tenfold::data
