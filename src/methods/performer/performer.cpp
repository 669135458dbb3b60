// Options and presets, the directions and when they are drawn again.
// Not here: features (performer_map.cpp).
#include "methods/performer/performer.h"

#include <cmath>

#include "methods/performer/compatible_features.h"
#include "methods/performer/random_projection.h"
#include "support/fail.h"

namespace tenfold::performer {

void Options::fields(config::FieldVisitor& v) {
  v.field("preset", preset, "settings of other programs, in place of all below",
          {{"none", Preset::none}, {"paper", Preset::paper}, {"lucidrains", Preset::lucidrains}});
  v.field("kernel", kernel, "what products with random directions become",
          {{"hyperbolic", Kernel::hyperbolic},
           {"positive", Kernel::positive},
           {"relu", Kernel::relu},
           {"trigonometric", Kernel::trigonometric}});
  v.field("features", features, "random features a head", config::between(1, 1 << 16));
  v.field("orthogonal", orthogonal, "directions at right angles, a block of D at a time");
  v.field("equal_lengths", equal_lengths, "directions of length sqrt(D) (SMREG)");
  v.field("redraw_interval", redraw_interval, "training steps between draws; 0: one draw",
          config::at_least(0));
  v.field("stabilizer", stabilizer, "exact, or epsilon added to features as other programs do",
          {{"exact", Stabilizer::exact}, {"epsilon", Stabilizer::epsilon}});
  v.field("epsilon", epsilon, "added to the features of relu and of stabilizer epsilon",
          config::at_least(0));
}

Options Options::effective() const {
  Options options = *this;
  if (preset == Preset::none) return options;
  options.kernel = Kernel::positive;
  options.orthogonal = true;
  options.equal_lengths = false;
  options.stabilizer = Stabilizer::epsilon;
  options.features = preset == Preset::paper ? 256 : kOfHeadSize;
  options.epsilon = preset == Preset::paper ? 1e-6 : 1e-4;
  options.redraw_interval = preset == Preset::paper ? 1 : 1000;
  return options;
}

void Options::validate(const std::string& where) const {
  const Options options = effective();
  require(options.features % features_of_direction(options.kernel) == 0, ErrorKind::config, where,
          "a direction gives two features, so their number must be even, got {}", options.features);
  require(options.stabilizer == Stabilizer::exact || options.kernel == Kernel::positive,
          ErrorKind::config, where, "stabilizer epsilon is a form of kernel positive alone");
}

int64_t Options::directions(int64_t head_size) const {
  const int64_t per = features_of_direction(kernel);
  if (features != kOfHeadSize) return features / per;
  const auto width = static_cast<double>(head_size);
  return std::max<int64_t>(1, static_cast<int64_t>(width * std::log(width)) / per);
}

double Performer::flops_of(const nn::AttentionShape& shape, const Options& options,
                           const nn::AttentionLoad& load) {
  const Options effective = options.effective();
  const int64_t directions = effective.directions(shape.head_size);
  return feature_flops(shape, directions * features_of_direction(effective.kernel), load) +
         load.tokens * static_cast<double>(4 * shape.heads * shape.head_size * directions);
}

nn::AttentionTraits Performer::traits_of(const Options& options) {
  nn::AttentionTraits traits = feature_traits();
  traits.stochastic = options.effective().redraw_interval > 0;
  // A step cannot know the largest product of keys to come.
  if (options.effective().stabilizer == Stabilizer::epsilon) traits.incremental = false;
  return traits;
}

Performer::Performer(const nn::AttentionShape& shape, const Options& options, uint64_t seed,
                     torch::TensorOptions tensor_options)
    : FeatureAttention(shape, seed, tensor_options),
      options_(options.effective()),
      seed_(combine_keys(seed, key_of_name("projection"))) {
  projection_ = register_buffer("projection", draw(0).to(tensor_options));
}

Tensor Performer::draw(int64_t number) const {
  return draw_projection({.rows = options_.directions(shape().head_size),
                          .width = shape().head_size,
                          .orthogonal = options_.orthogonal,
                          .equal_lengths = options_.equal_lengths},
                         seed_, static_cast<uint64_t>(number));
}

void Performer::before_step(int64_t step) {
  if (options_.redraw_interval == 0) return;
  const int64_t number = step / options_.redraw_interval;
  if (number == drawn_) return;
  const torch::NoGradGuard no_grad;
  projection_.copy_(draw(number));
  drawn_ = number;
}

nn::FeaturePlan Performer::plan() const {
  const std::lock_guard lock(mutex_);
  if (!map_ || !stamp_.current()) {
    map_ = make_map(options_.kernel, projection_, options_.epsilon);
    stamp_ = nn::WeightStamp({projection_});
  }
  return {.sequences = {}, .map = map_};
}

nn::AttentionOut Performer::mix(const Tensor& query_THE, const Tensor& key_SHE,
                                const Tensor& value_SHE, const nn::AttentionIn& in) const {
  if (options_.stabilizer == Stabilizer::exact)
    return FeatureAttention::mix(query_THE, key_SHE, value_SHE, in);
  require(in.memory == nullptr, ErrorKind::unsupported, "attention",
          "Performer with stabilizer epsilon cannot decode: it needs the largest product of all "
          "keys; stabilizer exact can");
  nn::FeaturePlan plan;
  plan.sequences = nn::attention_sequences(in.context);
  const at::ScalarType given = query_THE.scalar_type(),
                       inside = given == at::kDouble ? at::kDouble : at::kFloat;
  const nn::DividedFeatures features = compatible_features(query_THE.to(inside), key_SHE.to(inside),
                                                           projection_, options_.epsilon, plan);
  return {nn::feature_attention(features.query_THR, features.key_SHR, value_SHE.to(inside),
                                features.plan)
              .to(given),
          nullptr};
}

}  // namespace tenfold::performer
