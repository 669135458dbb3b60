// Learning-rate factors over the steps of a run: warm-up and then constant, linear, cosine or
// inverse square root. Not here: the base rate (the optimizer's option).
#pragma once

#include <cstdint>
#include <functional>

#include "config/fields.h"

namespace tenfold::train {

/// Linear warm-up from 0. Where both are set, the steps count.
struct Warmup {
  int64_t steps = 0;
  double share = 0;  ///< of the total steps, rounded up

  void fields(config::FieldVisitor& v);
  int64_t of(int64_t total) const;
};

struct ConstantOptions {
  Warmup warmup;
  void fields(config::FieldVisitor& v);
};

/// To `floor` (as a share of the peak) at the last step, by a line or half a cosine.
struct DecayOptions {
  Warmup warmup;
  double floor = 0;
  void fields(config::FieldVisitor& v);
};

struct InverseSqrtOptions {
  Warmup warmup{.steps = 10000};
  int64_t timescale = 0;  ///< 0: the warm-up's steps
  void fields(config::FieldVisitor& v);
};

/// The factor of the (step + 1)-th update: a pure function.
using Schedule = std::function<double(int64_t step)>;

Schedule constant_schedule(int64_t warmup);
Schedule linear_schedule(int64_t warmup, int64_t total, double floor = 0);
Schedule cosine_schedule(int64_t warmup, int64_t total, double floor = 0);
/// min(1, t / warmup) (1 - t / total): the decay runs during the warm-up too, as ELECTRA's code has
/// it.
Schedule product_schedule(int64_t warmup, int64_t total);
Schedule inverse_sqrt_schedule(int64_t warmup, int64_t timescale);

/// The legal values of a recipe's "schedule" slot: linear, cosine, constant, inverse_sqrt, product.
config::ChoiceTable schedule_choices();

/// The chosen schedule (empty kind: linear; no options: its defaults). `total` <= 0 means unknown:
/// an Error{config} for kinds or warm-up shares that need it.
Schedule make_schedule(const config::Choice& choice, int64_t total);

}  // namespace tenfold::train
