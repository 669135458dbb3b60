// One pass of one text with an observer, then a table and a picture.
// Not here: drawing (eval/attention_picture.h).
#include "inspect_attention.h"

#include <fmt/format.h>

#include <cmath>

#include "attention_metrics.h"
#include "data/token_block.h"
#include "eval/attention_picture.h"
#include "eval/report.h"
#include "json_text.h"
#include "model/checkpoint.h"
#include "nn/stack.h"
#include "support/fail.h"
#include "support/files.h"
#include "support/strings.h"
#include "tenfold/tokenizer.h"

namespace tenfold::app {
namespace {

constexpr size_t kMostPicturedTokens = 64;

/// Figures of every head, and its weights too where a picture wants them.
class WatchedText final : public nn::AttentionObserver {
 public:
  explicit WatchedText(bool keeps_weights) : keeps_weights_(keeps_weights) {}

  void see(const nn::ObservedAttention& observed) override {
    statistics_.see(observed);
    if (!keeps_weights_) return;
    const Tensor weight_HNM = observed.weight_HNM.to(torch::kCPU, torch::kDouble).contiguous();
    for (int64_t head = 0; head < weight_HNM.size(0); ++head) {
      const Tensor weight_NM = weight_HNM[head];
      const double* first = weight_NM.const_data_ptr<double>();
      maps_.push_back({.layer = observed.layer,
                       .head = head,
                       .weights = {first, first + weight_NM.numel()},
                       .note = ""});
    }
  }
  std::vector<nn::LayerStatistics> layers() const { return statistics_.layers(); }
  std::vector<eval::AttentionMap> maps() const {
    const auto all = layers();
    std::vector<eval::AttentionMap> maps = maps_;
    for (eval::AttentionMap& map : maps) {
      const auto& head = all[static_cast<size_t>(map.layer)].heads[static_cast<size_t>(map.head)];
      map.note = fmt::format("{:.2f} nats", head.entropy);
    }
    return maps;
  }

 private:
  bool keeps_weights_;
  nn::AttentionStatistics statistics_;
  std::vector<eval::AttentionMap> maps_;
};

std::vector<std::string> cells_of(const std::string& head, const nn::HeadStatistics& figures) {
  return {head, fmt::format("{:.3f}", figures.entropy),
          fmt::format("{:.1f} %", 100 * figures.sparsity),
          fmt::format("{:.2f}", figures.largest_score), fmt::format("{:.3f}", figures.deviation)};
}

/// A row a head, and one for the layer where it has several.
eval::Table table_of(const std::vector<nn::LayerStatistics>& layers, size_t tokens) {
  eval::Table table;
  table.caption = fmt::format("{} tokens; ln {} = {:.3f} nats is the most", tokens, tokens,
                              std::log(static_cast<double>(tokens)));
  for (const char* title : {"layer", "head", "entropy (nats)", "under 1/100 of even",
                            "largest |score|", "score deviation", "growth"}) {
    table.columns.push_back({.title = title});
  }
  const std::vector<double> growth = nn::score_growth(layers);
  for (size_t i = 0; i < layers.size(); ++i) {
    const auto add = [&](std::vector<std::string> cells, const std::string& last) {
      cells.insert(cells.begin(), std::to_string(i));
      cells.push_back(last);
      table.rows.push_back(std::move(cells));
    };
    const auto& heads = layers[i].heads;
    for (size_t h = 0; h < heads.size(); ++h) add(cells_of(std::to_string(h), heads[h]), "");
    if (!heads.empty()) add(cells_of("all", layers[i].mean()), fmt::format("{:.2f}", growth[i]));
  }
  return table;
}

nlohmann::ordered_json json_of(const std::vector<nn::LayerStatistics>& layers,
                               const std::vector<std::string>& tokens) {
  nlohmann::ordered_json out{{"tokens", tokens}, {"layers", nlohmann::ordered_json::array()}};
  const std::vector<double> growth = nn::score_growth(layers);
  for (size_t i = 0; i < layers.size(); ++i) {
    nlohmann::ordered_json heads = nlohmann::ordered_json::array();
    for (const nn::HeadStatistics& head : layers[i].heads) {
      heads.push_back({{"entropy", head.entropy},
                       {"sparsity", head.sparsity},
                       {"largest_score", head.largest_score},
                       {"score_deviation", head.deviation}});
    }
    out["layers"].push_back({{"layer", i}, {"score_growth", growth[i]}, {"heads", heads}});
  }
  return out;
}

}  // namespace

int inspect_attention(const AttentionArguments& arguments) {
  require(!trim(arguments.text).empty(), ErrorKind::usage, "inspect", "--attention needs a text");
  const model::LoadedModel model =
      model::load_model(arguments.model, {.missing = model::MissingHead::fresh});
  const Tokenizer tokenizer = Tokenizer::load(arguments.model);
  const Encoding encoding = tokenizer.encode_single(arguments.text);
  const auto longest = static_cast<size_t>(model.description.encoder.longest_sequence());
  require(encoding.size() <= longest, ErrorKind::data, "inspect",
          "the text has {} tokens, the model takes {}", encoding.size(), longest);
  require(arguments.svg.empty() || encoding.size() <= kMostPicturedTokens, ErrorKind::usage,
          "inspect",
          "a picture can show {} tokens, the text has {}; the table alone needs no --svg",
          kMostPicturedTokens, encoding.size());
  data::Example example;
  example.sequences["tokens"] = encoding.ids;
  WatchedText watched(!arguments.svg.empty());
  const torch::NoGradGuard no_grad;
  model.encoder->eval();
  nn::observe_attention(*model.encoder, &watched);
  model.encoder->forward(data::pack_tokens({&example, 1}), PassContext::evaluation());
  nn::observe_attention(*model.encoder, nullptr);
  const std::vector<nn::LayerStatistics> layers = watched.layers();
  require(!layers.empty(), ErrorKind::unsupported, "inspect",
          "no layer of this model forms attention scores that could be shown");
  std::vector<std::string> tokens;
  for (const int32_t id : encoding.ids) tokens.push_back(tokenizer.token(id));
  if (!arguments.svg.empty()) {
    write_file_atomically(
        arguments.svg,
        eval::svg_attention({.title = arguments.text, .tokens = tokens, .maps = watched.maps()}));
  }
  if (arguments.json) {
    fmt::print("{}\n", json_text(json_of(layers, tokens)));
  } else {
    fmt::print("{}", eval::text_table(table_of(layers, tokens.size())));
  }
  return 0;
}

}  // namespace tenfold::app
