// The report's parts: tables for the terminal, curves out of metrics files, and a page that stands
// alone. Not here: how it looks, which a person judges.
#include "eval/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "tenfold/error.h"

namespace tenfold::eval {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class MetricsFile {
 public:
  explicit MetricsFile(const std::string& text)
      : path_(std::filesystem::temp_directory_path() /
              ("curve-" + std::to_string(::getpid()) + ".jsonl")) {
    std::ofstream(path_) << text;
  }
  ~MetricsFile() { std::filesystem::remove(path_); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

TEST(TextTable, AlignsByCharactersNotBytes) {
  Table table;
  table.columns = {{"model", Align::left}, {"accuracy"}};
  table.rows = {{"pre-trained", "0.81 ± 0.01"}, {"majority", "0.2"}};
  EXPECT_EQ(text_table(table),
            "model           accuracy\n"
            "-----------  -----------\n"
            "pre-trained  0.81 ± 0.01\n"
            "majority             0.2\n");
}

TEST(MeanText, LeavesOutTheSpreadOfOneRun) {
  EXPECT_EQ(mean_text(0.12345, 0.01, 3, 3), "0.123 ± 0.010");
  EXPECT_EQ(mean_text(0.12345, 0.01, 3, 1), "0.123");
}

TEST(ReadCurve, TakesLinesThatCarryTheKeyAndForgivesACutLastLine) {
  const MetricsFile file(
      "{\"step\":1,\"loss\":3.5}\n{\"step\":2,\"eval\":{\"loss\":9}}\n{\"step\":3,\"loss\":2.5}\n{"
      "\"ste");
  const auto curve = read_curve(file.path(), "loss");
  ASSERT_EQ(curve.size(), 2u);
  EXPECT_EQ(curve[1], (std::pair<double, double>(3, 2.5)));
  const auto validation = read_curve(file.path(), "eval/loss");
  ASSERT_EQ(validation.size(), 1u);
  EXPECT_EQ(validation[0], (std::pair<double, double>(2, 9)));
}

TEST(ReadCurve, NamesTheDamagedLine) {
  const MetricsFile file("{\"step\":1}\nnonsense\n{\"step\":3}\n");
  try {
    read_curve(file.path(), "loss");
    FAIL() << "accepted a damaged line";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("line 2"));
    EXPECT_EQ(error.kind(), ErrorKind::data);
  }
}

TEST(Thinned, KeepsTheMean) {
  std::vector<std::pair<double, double>> points;
  for (int i = 0; i < 1000; ++i) points.emplace_back(i, 2 * i);
  const auto few = thinned(points, 10);
  ASSERT_EQ(few.size(), 10u);
  EXPECT_DOUBLE_EQ(few[0].first, 49.5);
  EXPECT_DOUBLE_EQ(few[0].second, 99);
  EXPECT_EQ(thinned(points, 5000).size(), 1000u);
}

TEST(SvgChart, DrawsEachCurveAndSkipsWhatIsNotFinite) {
  Chart chart;
  chart.curves = {{"a", "seed 1", {{0, 1}, {1, NAN}, {2, 3}}}, {"b", "", {{0, 2}, {2, 2}}}};
  const std::string svg = svg_chart(chart);
  EXPECT_THAT(svg, HasSubstr("class=\"s0\""));
  EXPECT_THAT(svg, HasSubstr("class=\"s1\""));
  EXPECT_THAT(svg, HasSubstr("<title>a, seed 1</title>"));
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
}

TEST(SvgChart, SurvivesNoPointsAndOnePoint) {
  EXPECT_THAT(svg_chart({}), HasSubstr("</svg>"));
  Chart chart;
  chart.curves = {{"a", "", {{5, 5}}}};
  EXPECT_THAT(svg_chart(chart), Not(HasSubstr("nan")));
}

TEST(HtmlPage, EscapesTextAndNeedsNothingElse) {
  Report report;
  report.title = "A < B & \"C\"";
  report.commands = {"tenfold pretrain --set a='<x>'"};
  report.settings = {{"run", {{"train.steps", "100"}}}};
  Table table;
  table.columns = {{"<b>", Align::left}};
  table.rows = {{"<script>"}};
  table.best_row = 0;
  report.tables = {table};
  const std::string page = html_page(report);
  EXPECT_THAT(page, HasSubstr("A &lt; B &amp; &quot;C&quot;"));
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr("http")));
  EXPECT_THAT(page, HasSubstr("<tr class=\"best\">"));
}

}  // namespace
}  // namespace tenfold::eval
