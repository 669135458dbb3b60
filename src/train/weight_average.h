// Running averages of the weights (exponential moving averages) beside a run.
// Not here: when they are validated or written (trainer.h).
#pragma once

#include <vector>

#include "train/optimizer.h"
#include "train/options.h"
#include "train/parameters.h"

namespace tenfold::train {

/// average = d average + (1 - d) weights after each update, with d = decay or, with warmup,
/// min(decay, (1 + n) / (10 + n)) at the n-th update since `start`. Keeps one more copy of the
/// weights in memory, in their number format; frozen parameters have none.
class WeightAverage {
 public:
  WeightAverage(std::vector<Parameter> parameters, const AverageOptions& options);

  void after_update();

  /// Weights and averages change places, where the averages have begun; a second call changes them
  /// back, bit for bit.
  void exchange();

  /// What a checkpoint needs besides its model: the count "ema.updates", and for each parameter
  /// "<name>.trained" where the averages are the model, else "<name>.average".
  TensorsByName state() const;

  /// Takes a state over; the parameters hold the checkpoint's model before, and the trained weights
  /// after. Error{checkpoint} naming what does not fit.
  void load_state(const TensorsByName& state);

  int64_t bytes() const;

 private:
  bool begun() const { return !averages_.empty(); }
  void begin();

  std::vector<Parameter> parameters_;
  AverageOptions options_;
  std::vector<Tensor> weights_;   ///< of the parameters
  std::vector<Tensor> averages_;  ///< empty before they begin
  int64_t updates_ = 0;
};

/// The averages stand in the parameters' place while this lives; without averages nothing happens.
class AveragesInPlace {
 public:
  explicit AveragesInPlace(WeightAverage* average) : average_(average) {
    if (average_ != nullptr) average_->exchange();
  }
  ~AveragesInPlace() {
    if (average_ != nullptr) average_->exchange();
  }
  AveragesInPlace(const AveragesInPlace&) = delete;
  AveragesInPlace& operator=(const AveragesInPlace&) = delete;

 private:
  WeightAverage* average_;
};

}  // namespace tenfold::train
