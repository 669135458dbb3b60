// The schedules as closed formulas of the step.
// Not here: any state.
#include "train/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "support/fail.h"

namespace tenfold::train {
namespace {

double warmup_factor(int64_t step, int64_t warmup) {
  return static_cast<double>(step) / static_cast<double>(std::max<int64_t>(1, warmup));
}

/// Share of the way from the end of the warm-up to the total that is still to go, in [0, 1].
double decay_left(int64_t step, int64_t warmup, int64_t total) {
  const auto way = static_cast<double>(std::max<int64_t>(1, total - warmup));
  return std::clamp(static_cast<double>(total - step) / way, 0.0, 1.0);
}

template <config::HasFields T>
T schedule_options(const config::Choice& choice) {
  return choice.options == nullptr ? T{} : choice.as<T>();
}

int64_t known_total(int64_t total, const std::string& kind) {
  require(total > 0, ErrorKind::config, "train.schedule",
          "'{}' needs the number of steps: set train.steps, or use kind = \"constant\"", kind);
  return total;
}

int64_t known_warmup(const Warmup& warmup, int64_t total) {
  require(warmup.steps > 0 || warmup.share == 0 || total > 0, ErrorKind::config, "train.schedule",
          "warmup.share needs the number of steps: set train.steps or warmup.steps");
  return warmup.of(total);
}

}  // namespace

void Warmup::fields(config::FieldVisitor& v) {
  v.field("steps", steps, "steps of linear warm-up", config::at_least(0));
  v.field("share", share, "warm-up as a share of all steps, where steps is 0", config::fraction());
}

int64_t Warmup::of(int64_t total) const {
  if (steps > 0) return steps;
  return static_cast<int64_t>(std::ceil(share * static_cast<double>(std::max<int64_t>(0, total))));
}

void ConstantOptions::fields(config::FieldVisitor& v) {
  v.group("warmup", warmup, "rise from 0 to the peak");
}

void DecayOptions::fields(config::FieldVisitor& v) {
  v.group("warmup", warmup, "rise from 0 to the peak");
  v.field("floor", floor, "factor reached at the last step", config::fraction());
}

void InverseSqrtOptions::fields(config::FieldVisitor& v) {
  v.group("warmup", warmup, "rise from 0 to the peak");
  v.field("timescale", timescale, "steps over which the root law is stretched; 0: the warm-up",
          config::at_least(0));
}

Schedule constant_schedule(int64_t warmup) {
  return [=](int64_t step) { return step < warmup ? warmup_factor(step, warmup) : 1.0; };
}

Schedule linear_schedule(int64_t warmup, int64_t total, double floor) {
  return [=](int64_t step) {
    if (step < warmup) return warmup_factor(step, warmup);
    return floor + (1 - floor) * decay_left(step, warmup, total);
  };
}

Schedule cosine_schedule(int64_t warmup, int64_t total, double floor) {
  return [=](int64_t step) {
    if (step < warmup) return warmup_factor(step, warmup);
    const double wave = 0.5 * (1 - std::cos(std::numbers::pi * decay_left(step, warmup, total)));
    return floor + (1 - floor) * wave;
  };
}

Schedule product_schedule(int64_t warmup, int64_t total) {
  return [=](int64_t step) {
    const double rise = warmup > 0 ? std::min(1.0, warmup_factor(step, warmup)) : 1.0;
    return rise * std::max(0.0, 1 - static_cast<double>(step) /
                                        static_cast<double>(std::max<int64_t>(1, total)));
  };
}

Schedule inverse_sqrt_schedule(int64_t warmup, int64_t timescale) {
  const int64_t scale = std::max<int64_t>(1, timescale > 0 ? timescale : warmup);
  return [=](int64_t step) {
    if (step < warmup) return warmup_factor(step, warmup);
    const auto shifted = static_cast<double>(std::max<int64_t>(1, step - warmup + scale));
    return 1 / std::sqrt(shifted / static_cast<double>(scale));
  };
}

config::ChoiceTable schedule_choices() {
  using config::ChoiceKind;
  return {ChoiceKind::of<DecayOptions>("linear", "warm-up, then a line down to the floor"),
          ChoiceKind::of<DecayOptions>("cosine", "warm-up, then half a cosine down to the floor"),
          ChoiceKind::of<ConstantOptions>("constant", "warm-up, then the peak"),
          ChoiceKind::of<InverseSqrtOptions>("inverse_sqrt", "warm-up, then 1 / sqrt(step)"),
          ChoiceKind::of<ConstantOptions>("product", "warm-up times a line over all steps")};
}

Schedule make_schedule(const config::Choice& choice, int64_t total) {
  const std::string kind = choice.kind.empty() ? "linear" : choice.kind;
  if (kind == "linear" || kind == "cosine") {
    const auto options = schedule_options<DecayOptions>(choice);
    const int64_t warmup = known_warmup(options.warmup, known_total(total, kind));
    return kind == "linear" ? linear_schedule(warmup, total, options.floor)
                            : cosine_schedule(warmup, total, options.floor);
  }
  if (kind == "inverse_sqrt") {
    const auto options = schedule_options<InverseSqrtOptions>(choice);
    return inverse_sqrt_schedule(known_warmup(options.warmup, total), options.timescale);
  }
  const auto options = schedule_options<ConstantOptions>(choice);
  if (kind == "constant") return constant_schedule(known_warmup(options.warmup, total));
  require(kind == "product", ErrorKind::config, "train.schedule",
          "expected one of linear, cosine, constant, inverse_sqrt, product, got '{}'", kind);
  return product_schedule(known_warmup(options.warmup, known_total(total, kind)), total);
}

}  // namespace tenfold::train
