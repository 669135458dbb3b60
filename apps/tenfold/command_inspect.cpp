// `tenfold inspect`: what a model directory holds; `tenfold verify`: whether it computes what
// another program did. Not here: loading rules (model/checkpoint.h).
#include <map>
#include <optional>

#include "command.h"
#include "inspect_attention.h"
#include "inspect_error.h"
#include "json_text.h"
#include "model/checkpoint.h"
#include "model/verify.h"
#include "support/fail.h"
#include "support/strings.h"
#include "tenfold/tokenizer.h"
#include "train/checkpoint_store.h"

namespace tenfold::app {
namespace {

struct InspectArguments {
  std::filesystem::path model, expected, svg;
  std::optional<std::string> text;        ///< of --attention
  std::optional<std::string> error_text;  ///< of --attention-error
  std::string kind;
  std::vector<std::string> settings;
  double tolerance = 0;
  bool json = false;
};

/// Parameters by the part of the model they belong to.
std::map<std::string, int64_t> parameters_by_part(const model::LoadedModel& model) {
  std::map<std::string, int64_t> parts;
  for (const model::OwnedModule& owned : model.modules()) {
    for (const auto& item : owned.module->named_parameters()) {
      const std::string part = item.key().substr(0, item.key().find('.'));
      const bool whole = !owned.prefix.empty() && owned.module != model.encoder;
      parts[whole ? owned.prefix.substr(0, owned.prefix.size() - 1) : owned.prefix + part] +=
          item.value().numel();
    }
  }
  return parts;
}

std::string manifest_state(const std::filesystem::path& folder) {
  if (!std::filesystem::exists(folder / "manifest.json")) return "none";
  return train::manifest_fault(folder).value_or("whole");
}

int inspect(const InspectArguments& arguments) {
  const model::LoadedModel model =
      model::load_model(arguments.model, {.missing = model::MissingHead::fresh});
  const model::EncoderConfig& encoder = model.description.encoder;
  const auto parts = parameters_by_part(model);
  int64_t total = 0;
  for (const auto& [part, count] : parts) total += count;
  nlohmann::ordered_json out{
      {"architecture", model.description.architecture},
      {"family", encoder.family},
      {"dtype", model.description.dtype},
      {"parameters", total},
      {"layers", encoder.num_hidden_layers},
      {"hidden_size", encoder.hidden_size},
      {"embedding_size", encoder.embedding_width()},
      {"heads", encoder.num_attention_heads},
      {"intermediate_size", encoder.intermediate_size},
      {"positions", encoder.longest_sequence()},
      {"vocabulary", encoder.vocab_size},
      {"attention", encoder.attention.kind.empty() ? "softmax" : encoder.attention.kind},
      {"labels", model.description.labels},
      {"manifest", manifest_state(arguments.model)},
      {"training_state", std::filesystem::exists(arguments.model / "trainer_state.json")}};
  try {
    const Tokenizer tokenizer = Tokenizer::load(arguments.model);
    const char* kind = tokenizer.kind() == TokenizerKind::wordpiece ? "WordPiece"
                       : tokenizer.kind() == TokenizerKind::bpe     ? "BPE"
                                                                    : "unigram";
    out["tokenizer"] = fmt::format("{}, {} tokens", kind, tokenizer.size());
  } catch (const Error& error) {
    out["tokenizer"] = std::string("none: ") + error.what();
  }
  for (const auto& [part, count] : parts) out["parameters_by_part"][part] = count;
  out["warnings"] = model.warnings;
  if (arguments.json) {
    fmt::print("{}\n", json_text(out));
    return 0;
  }
  for (const auto& [name, value] : out.items()) {
    if (name == "parameters_by_part") {
      for (const auto& [part, count] : value.items())
        fmt::print("  {:<28} {:>14}\n", part, count.dump());
    } else if (!(value.is_array() && value.empty())) {
      fmt::print("{:<20} {}\n", name,
                 value.is_string() ? value.get<std::string>() : json_text(value));
    }
  }
  return 0;
}

int verify(const InspectArguments& arguments) {
  model::VerifyOptions options;
  if (arguments.tolerance > 0) options.tolerance = arguments.tolerance;
  const model::Verification result =
      model::verify_against(arguments.model, arguments.expected, options);
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const model::VerifiedTensor& row : result.tensors) {
    rows.push_back({{"name", row.name},
                    {"max_abs", row.max_abs},
                    {"cosine", row.cosine},
                    {"allowed", row.allowed},
                    {"passed", row.passed}});
    if (!arguments.json) {
      fmt::print("{:<60} max-abs {:.2e}  cosine {:.7f}  {}\n", row.name, row.max_abs, row.cosine,
                 row.passed ? "ok" : "DIFFERS");
    }
  }
  if (arguments.json) {
    fmt::print("{}\n", json_text({{"passed", result.passed()},
                                  {"tensors", rows},
                                  {"skipped", result.skipped},
                                  {"warnings", result.warnings}}));
  } else {
    fmt::print("{} of {} tensors agree\n",
               std::count_if(result.tensors.begin(), result.tensors.end(),
                             [](const auto& t) { return t.passed; }),
               result.tensors.size());
  }
  return result.passed() ? 0 : 1;
}

}  // namespace

void add_inspect(CLI::App& app, Program& program) {
  auto arguments = std::make_shared<InspectArguments>();
  CLI::App* command = app.add_subcommand("inspect", "what a model directory holds");
  command->add_option("DIR", arguments->model, "model directory or checkpoint")->required();
  command->add_flag("--json", arguments->json, "one JSON object instead of lines");
  CLI::Option* text = command->add_option("--attention", arguments->text,
                                          "instead: how every layer and head attends in this text");
  command->add_option("--svg", arguments->svg, "with --attention: a picture of all heads' weights")
      ->needs(text);
  CLI::Option* error =
      command
          ->add_option("--attention-error", arguments->error_text,
                       "instead: how far another attention is from softmax on this text, layer by "
                       "layer")
          ->excludes(text);
  command
      ->add_option("--kind", arguments->kind,
                   "with --attention-error: the other attention; without it the model's own, or "
                   "performer")
      ->needs(error);
  CLI::Option* settings = command
                              ->add_option("--set", arguments->settings,
                                           "with --attention-error: option=value of that kind")
                              ->needs(error);
  may_be_repeated(settings);
  command->footer(
      "Examples:\n  tenfold inspect runs/mlm/best\n"
      "  tenfold inspect --attention-error 'a dog is an animal' --set features=512 runs/mlm/best\n"
      "  tenfold inspect --attention 'a dog is an animal' --svg heads.svg runs/mlm/best");
  command->callback([=, &program] {
    program.action = [=, &program] {
      if (!arguments->text && !arguments->error_text) return inspect(*arguments);
      require_cpu(program, "inspect");
      if (arguments->error_text) {
        return inspect_attention_error({.model = arguments->model,
                                        .text = *arguments->error_text,
                                        .kind = arguments->kind,
                                        .settings = arguments->settings,
                                        .json = arguments->json});
      }
      return inspect_attention({.model = arguments->model,
                                .text = *arguments->text,
                                .svg = arguments->svg,
                                .json = arguments->json});
    };
  });
}

void add_verify(CLI::App& app, Program& program) {
  auto arguments = std::make_shared<InspectArguments>();
  CLI::App* command =
      app.add_subcommand("verify", "compare a model with another program's results");
  command->add_option("DIR", arguments->model, "model directory")->required();
  command
      ->add_option("--against", arguments->expected,
                   "safetensors file: in.* inputs, outputs, loss, grad.*")
      ->required();
  command
      ->add_option("--tolerance", arguments->tolerance,
                   "largest difference of float32 results; 0: 1e-4, losses 1e-5")
      ->capture_default_str();
  command->add_flag("--json", arguments->json, "one JSON object instead of lines");
  command->footer(
      "Exit code 0 where everything agrees, 1 where something differs.\n\n"
      "Example:\n  tenfold verify model --against expected.safetensors");
  command->callback([=, &program] {
    program.action = [=, &program] {
      require_cpu(program, "verify");
      require_float32(program, "verify");
      return verify(*arguments);
    };
  });
}

}  // namespace tenfold::app
