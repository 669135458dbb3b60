// One pass of one text, then every layer's heads mixed twice.
// Not here: the comparison (nn/attention_error.h).
#include "inspect_error.h"

#include <fmt/format.h>

#include "attention_choice.h"
#include "data/token_block.h"
#include "eval/report.h"
#include "json_text.h"
#include "model/checkpoint.h"
#include "nn/attention_error.h"
#include "nn/attention_table.h"
#include "nn/softmax_attention.h"
#include "nn/stack.h"
#include "support/fail.h"
#include "support/strings.h"
#include "tenfold/tokenizer.h"

namespace tenfold::app {
namespace {

const nn::ProjectedAttention& projected(const nn::Attention& attention, const std::string& what) {
  const auto* found = dynamic_cast<const nn::ProjectedAttention*>(&attention);
  require(found != nullptr, ErrorKind::unsupported, "inspect",
          "{} has no queries, keys and values that softmax could take", what);
  return *found;
}

const nn::Stack& stack_of(const model::Encoder& encoder) {
  for (const auto& module : encoder.modules(false)) {
    if (const auto* stack = dynamic_cast<const nn::Stack*>(module.get())) return *stack;
  }
  fail(ErrorKind::internal, "inspect", "the encoder has no stack");
}

/// The hidden states each layer of the model is given for the text.
std::vector<Tensor> layer_inputs(const AttentionErrorArguments& arguments,
                                 const model::LoadedModel& model) {
  require(!trim(arguments.text).empty(), ErrorKind::usage, "inspect",
          "--attention-error needs a text");
  const Encoding encoding = Tokenizer::load(arguments.model).encode_single(arguments.text);
  const auto longest = static_cast<size_t>(model.description.encoder.longest_sequence());
  require(encoding.size() <= longest, ErrorKind::data, "inspect",
          "the text has {} tokens, the model takes {}", encoding.size(), longest);
  data::Example example;
  example.sequences["tokens"] = encoding.ids;
  const torch::NoGradGuard no_grad;
  model.encoder->eval();
  return model.encoder
      ->forward(data::pack_tokens({&example, 1}), PassContext::evaluation(), {.all_hidden = true})
      .all_hidden_TD;
}

eval::Table table_of(const std::vector<nn::AttentionError>& layers, const std::string& kind,
                     int64_t tokens) {
  eval::Table table;
  table.caption =
      fmt::format("{} against softmax, {} tokens, every token seeing all", kind, tokens);
  for (const char* title :
       {"layer", "error", "error of even weights", "mean |q|^2", "mean |k|^2", "mean |q+k|^2"})
    table.columns.push_back({.title = title});
  for (size_t i = 0; i < layers.size(); ++i) {
    const nn::AttentionError& e = layers[i];
    table.rows.push_back({std::to_string(i), fmt::format("{:.3f}", e.relative),
                          fmt::format("{:.3f}", e.uniform), fmt::format("{:.2f}", e.query_norm),
                          fmt::format("{:.2f}", e.key_norm), fmt::format("{:.2f}", e.sum_norm)});
  }
  return table;
}

}  // namespace

int inspect_attention_error(const AttentionErrorArguments& arguments) {
  const model::LoadedModel model =
      model::load_model(arguments.model, {.missing = model::MissingHead::fresh});
  const std::vector<Tensor> inputs = layer_inputs(arguments, model);
  std::vector<nn::AttentionError> layers;
  std::string name;
  for (const auto& block : stack_of(*model.encoder).blocks()) {
    const std::string layer_name = fmt::format("layer {}", layers.size());
    const nn::ProjectedAttention& layer = projected(block->attention(), layer_name);
    const bool softmax = dynamic_cast<const nn::SoftmaxAttention*>(&layer) != nullptr;
    std::shared_ptr<nn::Attention> other;
    if (!arguments.kind.empty() || softmax) {
      name = arguments.kind.empty() ? "performer" : arguments.kind;
      other = nn::make_attention(attention_choice(name, arguments.settings), layer.shape(), 1,
                                 inputs[0].options());
    } else {
      name = "the model's own attention";
    }
    layers.push_back(nn::attention_error(
        layer, other ? projected(*other, fmt::format("'{}' attention", name)) : layer,
        inputs[layers.size()]));
  }
  if (!arguments.json) {
    fmt::print("{}", eval::text_table(table_of(layers, name, inputs[0].size(0))));
    return 0;
  }
  nlohmann::ordered_json out{{"attention", name},
                             {"tokens", inputs[0].size(0)},
                             {"layers", nlohmann::ordered_json::array()}};
  for (const nn::AttentionError& e : layers) {
    out["layers"].push_back({{"error", e.relative},
                             {"uniform_error", e.uniform},
                             {"query_norm", e.query_norm},
                             {"key_norm", e.key_norm},
                             {"sum_norm", e.sum_norm}});
  }
  fmt::print("{}\n", json_text(out));
  return 0;
}

}  // namespace tenfold::app
