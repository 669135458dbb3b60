// A small trainee and stream for the tests of the trainer: a linear map with dropout and a second,
// scored loss. Not here: encoders or real data.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "support/files.h"
#include "support/rng.h"
#include "train/batch_stream.h"
#include "train/trainee.h"
#include "train/trainer.h"

namespace tenfold::train::testing {

/// A folder of its own for the running test, removed with its contents at the end.
class ScratchFolder {
 public:
  ScratchFolder() {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    path_ = std::filesystem::temp_directory_path() /
            fmt::format("tenfold-{}-{}-{}", info->test_suite_name(), info->name(), getpid());
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline Tensor noise(torch::IntArrayRef shape, uint64_t seed, torch::Dtype dtype = torch::kFloat32) {
  RandomStream stream(seed, "toy");
  Tensor values = torch::empty(shape, torch::kFloat64);
  double* out = values.mutable_data_ptr<double>();
  for (int64_t i = 0; i < values.numel(); ++i) out[i] = 2 * stream.uniform() - 1;
  return values.to(dtype);
}

struct ToyModule : torch::nn::Module {
  ToyModule(std::vector<int64_t> shape, uint64_t seed) {
    weight = register_parameter("weight", noise(shape, seed));
    bias = register_parameter("bias", noise({shape[0]}, seed + 1));
  }
  Tensor weight, bias;
};

/// Two loss parts: "fit" over an example's outputs, "score" from a module in a group of its own.
/// Dropout on the inputs hangs on (seed, step, example).
class ToyTrainee final : public Trainee {
 public:
  std::vector<model::OwnedModule> modules() override {
    return {{.prefix = "toy.", .module = map},
            {.prefix = "scorer.", .module = scorer, .group = "scorer", .learning_rate_scale = 0.5}};
  }

  model::StepResult step(const data::Batch& batch, const model::StepContext& context) override {
    const Tensor x = batch.field("x") * keep_mask(batch, context);
    const Tensor out = at::linear(x, map->weight, map->bias);
    const Tensor fit = (out - batch.field("y")).square().sum();
    const Tensor score = at::linear(out.tanh(), scorer->weight, scorer->bias).square().sum();
    model::StepResult result;
    result.parts = {{.name = "fit", .sum = fit * spoil},
                    {.name = "score", .sum = score, .weight = 0.1}};
    result.counts["rows"] = static_cast<double>(batch.example_ids.size());
    return result;
  }

  /// All parameters in one file, and back.
  void write(const std::filesystem::path& folder) {
    std::string bytes;
    for (const Parameter& parameter : collect_parameters(modules())) {
      bytes.append(static_cast<const char*>(parameter.value.const_data_ptr()),
                   parameter.value.nbytes());
    }
    write_file_atomically(folder / "toy.bin", bytes);
  }
  void read(const std::filesystem::path& folder) {
    const std::string bytes = read_file(folder / "toy.bin", 1 << 20, ErrorKind::checkpoint);
    size_t at = 0;
    for (const Parameter& parameter : collect_parameters(modules())) {
      std::memcpy(parameter.value.mutable_data_ptr(), bytes.data() + at, parameter.value.nbytes());
      at += parameter.value.nbytes();
    }
  }
  std::string bits() {
    std::string bytes;
    for (const Parameter& parameter : collect_parameters(modules())) {
      bytes.append(static_cast<const char*>(parameter.value.const_data_ptr()),
                   parameter.value.nbytes());
    }
    return bytes;
  }

  std::shared_ptr<ToyModule> map = std::make_shared<ToyModule>(std::vector<int64_t>{3, 4}, 11);
  std::shared_ptr<ToyModule> scorer = std::make_shared<ToyModule>(std::vector<int64_t>{1, 3}, 13);
  double spoil = 1;  ///< factor of the first loss; NaN for tests of the guard

 private:
  static Tensor keep_mask(const data::Batch& batch, const model::StepContext& context) {
    Tensor mask = torch::ones({static_cast<int64_t>(batch.example_ids.size()), 4});
    if (!context.training) return mask;
    for (size_t row = 0; row < batch.example_ids.size(); ++row) {
      RandomStream stream(context.seed, "toy.dropout", context.step, batch.example_ids[row]);
      for (int64_t d = 0; d < 4; ++d)
        mask[static_cast<int64_t>(row)][d] = stream.uniform() < 0.25 ? 0.0 : 4.0 / 3;
    }
    return mask;
  }
};

/// 24 examples, shuffled anew every epoch, `rows` at a time; ends never.
class ToyStream final : public BatchStream {
 public:
  explicit ToyStream(int64_t rows) : rows_(rows) {}

  std::optional<DrawnBatch> next() override {
    const int64_t epoch = drawn_ / kExamples;
    std::vector<uint64_t> order(kExamples);
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    RandomStream(5, "toy.order", static_cast<uint64_t>(epoch)).shuffle(order);
    data::Batch batch;
    for (int64_t i = drawn_ % kExamples;
         i < kExamples && static_cast<int64_t>(batch.example_ids.size()) < rows_; ++i) {
      batch.example_ids.push_back(order[static_cast<size_t>(i)]);
    }
    fill(batch);
    drawn_ += static_cast<int64_t>(batch.example_ids.size());
    return DrawnBatch{std::move(batch), epoch};
  }
  std::string position() const override { return std::to_string(drawn_); }
  void seek(const std::string& position) override { drawn_ = std::stoll(position); }
  std::optional<int64_t> batches_per_epoch() const override {
    return (kExamples + rows_ - 1) / rows_;
  }

  static constexpr int64_t kExamples = 24;

 private:
  static void fill(data::Batch& batch) {
    std::vector<Tensor> x, y;
    for (uint64_t id : batch.example_ids) {
      x.push_back(noise({4}, 100 + id));
      y.push_back(noise({3}, 200 + id));
    }
    const auto count = static_cast<double>(batch.example_ids.size());
    batch.fields = {{"x", at::stack(x)}, {"y", at::stack(y)}};
    batch.denominators = {{"fit", count}, {"score", count}};
  }

  int64_t rows_;
  int64_t drawn_ = 0;
};

/// metrics.jsonl without what depends on the clock.
inline std::string timeless_metrics(const std::filesystem::path& run) {
  std::ifstream file(run / "metrics.jsonl");
  std::string text, line;
  while (std::getline(file, line)) {
    auto object = nlohmann::json::parse(line);
    object.erase("seconds");
    object.erase("tokens_per_second");
    text += object.dump() + "\n";
  }
  return text;
}

/// What every run of the toy is set up with; validation and the rest are the test's own.
struct ToySetup {
  ToyTrainee toy;
  ToyStream stream{5};
  TrainOptions options;
  std::vector<Hook*> hooks;
  int stop_at = 0;  ///< a signal arrives during this step
  int64_t asked = 0;
  bool resume = false;

  TrainSetup setup(const std::filesystem::path& run) {
    return {.trainee = toy,
            .batches = stream,
            .options = options,
            .run = run,
            .write_model = [this](const std::filesystem::path& folder) { toy.write(folder); },
            .read_model = [this](const std::filesystem::path& folder) { toy.read(folder); },
            .stop_signal = [this] { return ++asked == stop_at ? 15 : 0; },
            .hooks = hooks,
            .resume = resume};
  }

  /// The size of the weights, as a loss.
  double size() const { return toy.map->weight.square().sum().item<double>(); }
};

}  // namespace tenfold::train::testing
