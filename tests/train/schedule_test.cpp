// Learning-rate factors against the published tables and against numbers worked out by hand.
// Not here: how a factor reaches the optimizer.
#include "train/schedule.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "golden.h"

namespace tenfold::train {
namespace {

Schedule schedule_of_golden(const nlohmann::json& table) {
  const std::string kind = table["kind"];
  const int64_t warmup = table.value("warmup", int64_t{0});
  if (kind == "linear_warmup_linear_decay") return linear_schedule(warmup, table["total"]);
  if (kind == "product_of_warmup_and_decay") return product_schedule(warmup, table["total"]);
  if (kind == "constant_with_warmup") return constant_schedule(warmup);
  if (kind == "inverse_sqrt") return inverse_sqrt_schedule(warmup, table["timescale"]);
  return nullptr;
}

TEST(Schedule, EqualsThePublishedTables) {
  TENFOLD_COMPARES_GOLDENS();
  std::ifstream file(tenfold::testing::shared_path("goldens/optim/schedules.json"));
  const auto goldens = nlohmann::json::parse(file);
  int compared = 0;
  for (const auto& table : goldens["tables"]) {
    const Schedule schedule = schedule_of_golden(table);
    if (!schedule) continue;  // rates of optimizers that set their own
    ++compared;
    for (size_t i = 0; i < table["lr"].size(); ++i) {
      ASSERT_NEAR(schedule(static_cast<int64_t>(i)), table["lr"][i].get<double>(), 1e-12)
          << table.dump() << " step " << i;
    }
  }
  EXPECT_EQ(compared, 15);
  tenfold::testing::compared_goldens(15);
}

TEST(Schedule, CosineFallsFromThePeakToTheFloor) {
  const Schedule cosine = cosine_schedule(2, 10, 0.1);
  EXPECT_DOUBLE_EQ(cosine(0), 0.0);
  EXPECT_DOUBLE_EQ(cosine(1), 0.5);
  EXPECT_DOUBLE_EQ(cosine(2), 1.0);
  EXPECT_DOUBLE_EQ(cosine(6), 0.55);
  EXPECT_DOUBLE_EQ(cosine(10), 0.1);
  EXPECT_DOUBLE_EQ(cosine(1000), 0.1);
}

TEST(Schedule, WarmupMayBeAShareOfAllSteps) {
  const config::Choice choice =
      config::Choice::of("linear", DecayOptions{.warmup = {.steps = 0, .share = 0.1}});
  const Schedule schedule = make_schedule(choice, 100);
  EXPECT_DOUBLE_EQ(schedule(5), 0.5);
  EXPECT_DOUBLE_EQ(schedule(10), 1.0);
  EXPECT_DOUBLE_EQ(schedule(55), 0.5);
}

TEST(Schedule, SaysThatItNeedsTheNumberOfSteps) {
  EXPECT_THROW(make_schedule({.kind = "cosine", .options = nullptr}, 0), Error);
  EXPECT_DOUBLE_EQ(make_schedule({.kind = "constant", .options = nullptr}, 0)(7), 1.0);
}

}  // namespace
}  // namespace tenfold::train
