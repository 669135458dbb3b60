// Texts in, and places in them.
// Not here: results out (results_out.cpp).
#include "predicting.h"

#include <nlohmann/json.hpp>

#include "results_out.h"
#include "support/fail.h"
#include "support/json.h"
#include "text/utf8.h"

namespace tenfold::app {

void add_predict_arguments(CLI::App& command, PredictArguments& arguments) {
  command.add_option("--model", arguments.model, "model directory")->required();
  command.add_option("--input", arguments.input, "file, or - for standard input")->required();
  command.add_option("--output", arguments.output, kOutputHelp);
}

Model open_for_prediction(const PredictArguments& arguments, ModelHead head, Program& program) {
  Model model = Model::load(
      arguments.model,
      {.head = head, .device = program.device_or_cpu(), .dtype = program.dtype_or_float32()});
  for (const std::string& warning : model.warnings()) program.terminal.warn("{}", warning);
  return model;
}

TextInput::TextInput(const std::filesystem::path& path)
    : lines_(path), objects_(data::plain_name(path).extension() == ".jsonl") {}

std::optional<std::string> TextInput::next() {
  std::optional<std::string> line = lines_.next();
  if (!line || !objects_) return line;
  const auto [parsed, fault] = try_parse_json(*line, kRowLimits);
  const bool fits =
      fault.empty() && parsed.is_object() && parsed.contains("text") && parsed["text"].is_string();
  require(fits, ErrorKind::data, "input", "{}:{}: expected an object with a \"text\"", name(),
          lines_.number());
  return parsed["text"].get<std::string>();
}

size_t CodePointCount::before(size_t byte) {
  while (byte_ < byte) {
    byte_ += text::decode_utf8(text_, byte_).length;
    ++points_;
  }
  return points_;
}

}  // namespace tenfold::app
