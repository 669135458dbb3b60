// What predict, fill, tag, qa, embed and similarity share: a model, an input, an output, and rows a
// portion at a time. Not here: what any of them says of a row.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "command.h"
#include "data/text_lines.h"
#include "tenfold/model.h"

namespace tenfold::app {

struct PredictArguments {
  std::filesystem::path model, input, output;
};

/// --model, --input, --output.
void add_predict_arguments(CLI::App& command, PredictArguments& arguments);

/// The model, its warnings being said.
Model open_for_prediction(const PredictArguments& arguments, ModelHead head, Program& program);

inline constexpr size_t kRowsAtOnce = 64;

/// Calls `use(portion)` for the next rows, in order, until `next` has no more.
template <typename Next, typename Use>
void in_portions(const Next& next, const Use& use) {
  std::vector<typename std::invoke_result_t<Next>::value_type> portion;
  while (auto row = next()) {
    portion.push_back(std::move(*row));
    if (portion.size() < kRowsAtOnce) continue;
    use(portion);
    portion.clear();
  }
  if (!portion.empty()) use(portion);
}

/// Texts of a file: its lines, or of *.jsonl the objects' "text".
class TextInput {
 public:
  explicit TextInput(const std::filesystem::path& path);
  /// Error{data} naming the line that is no such object.
  std::optional<std::string> next();
  const std::string& name() const { return lines_.name(); }

 private:
  data::TextLines lines_;
  bool objects_;
};

/// Counts the code points of a text up to bytes that only grow.
class CodePointCount {
 public:
  explicit CodePointCount(std::string_view text) : text_(text) {}
  size_t before(size_t byte);

 private:
  std::string_view text_;
  size_t byte_ = 0, points_ = 0;
};

}  // namespace tenfold::app
