// Performer: attention by random features that estimate softmax (FAVOR+, Choromanski et al. 2021,
// arXiv 2009.14794). Not here: the features (performer_map.h), sums over keys (nn/feature_scan.h).
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "config/fields.h"
#include "methods/performer/performer_map.h"
#include "nn/attention_table.h"
#include "nn/feature_attention.h"
#include "nn/step_aware.h"
#include "nn/weight_stamp.h"

namespace tenfold::performer {

/// What keeps exponentials within range.
enum class Stabilizer : uint8_t {
  exact,    ///< offsets that cancel
  epsilon,  ///< as other programs: largest products subtracted, then epsilon added to every feature
};

/// Options of one's own, or those of the paper's code or of performer-pytorch.
enum class Preset : uint8_t { none, paper, lucidrains };

struct Options {
  static constexpr int64_t kOfHeadSize = 0;  ///< features of a preset alone: D ln D

  Preset preset = Preset::none;  ///< takes the place of everything below
  Kernel kernel = Kernel::hyperbolic;
  int64_t features = 256;  ///< a head
  bool orthogonal = true;
  bool equal_lengths = true;       ///< regularised softmax (SMREG)
  int64_t redraw_interval = 1000;  ///< training steps; 0: the directions stay
  Stabilizer stabilizer = Stabilizer::exact;
  double epsilon = 1e-3;  ///< added to features: of relu, and of Stabilizer::epsilon

  void fields(config::FieldVisitor& v);
  void validate(const std::string& where) const;
  Options effective() const;  ///< with the preset's values
  int64_t directions(int64_t head_size) const;
};

class Performer final : public nn::FeatureAttention, public nn::StepAware {
 public:
  /// The directions are the buffer "projection" [m, D], of all heads.
  Performer(const nn::AttentionShape& shape, const Options& options, uint64_t seed,
            torch::TensorOptions tensor_options);
  static nn::AttentionTraits traits_of(const Options& options);
  static double flops_of(const nn::AttentionShape& shape, const Options& options,
                         const nn::AttentionLoad& load);
  nn::AttentionTraits traits() const override { return traits_of(options_); }

  /// Draws the directions of this step's interval, unless it has them.
  void before_step(int64_t step) override;

 protected:
  nn::FeaturePlan plan() const override;
  nn::AttentionOut mix(const Tensor& query_THE, const Tensor& key_SHE, const Tensor& value_SHE,
                       const nn::AttentionIn& in) const override;

 private:
  Tensor draw(int64_t number) const;

  Options options_;
  uint64_t seed_;
  int64_t drawn_ = 0;
  Tensor projection_;
  mutable std::mutex mutex_;
  mutable nn::WeightStamp stamp_;
  mutable std::shared_ptr<const nn::FeatureMap> map_;  ///< of the directions as they are
};

/// Adds "performer" to the attention kinds.
void register_into(nn::AttentionTable& table);

}  // namespace tenfold::performer
