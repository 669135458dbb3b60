// `tenfold convert`: a model directory rewritten as safetensors, with another kind of attention
// where asked. Not here: what can be read (model/checkpoint.h) and what stays (model/rewire.h).
#include <fmt/ranges.h>

#include "attention_choice.h"
#include "command.h"
#include "json_text.h"
#include "model/convert.h"
#include "support/fail.h"
#include "tensor/device.h"

namespace tenfold::app {
namespace {

struct ConvertArguments {
  std::filesystem::path model, out;
  std::string weights, attention;
  std::vector<std::string> settings;
  bool residual_attention = false, residual_mean = false;
  uint64_t seed = 0;
};

std::optional<model::Rewiring> rewiring_of(const ConvertArguments& arguments) {
  require(arguments.settings.empty() || !arguments.attention.empty(), ErrorKind::usage, "convert",
          "--set gives options of an attention kind: name it with --attention");
  if (arguments.attention.empty() && !arguments.residual_attention && !arguments.residual_mean)
    return std::nullopt;
  model::Rewiring rewiring{.residual_attention = arguments.residual_attention,
                           .residual_mean = arguments.residual_mean,
                           .seed = arguments.seed};
  if (!arguments.attention.empty())
    rewiring.attention = attention_choice(arguments.attention, arguments.settings);
  return rewiring;
}

/// "0-3" where the numbers follow each other, else all of them.
std::string layers_text(const std::vector<int64_t>& layers) {
  const auto count = static_cast<int64_t>(layers.size());
  if (count > 2 && layers.back() - layers.front() == count - 1)
    return fmt::format("{}-{}", layers.front(), layers.back());
  return fmt::format("{}", fmt::join(layers, ","));
}

/// One line a group; the number of its tensors comes back.
int64_t print_groups(const char* what, const std::vector<model::TensorGroup>& groups) {
  int64_t tensors = 0;
  for (const model::TensorGroup& group : groups) {
    tensors += group.tensors();
    fmt::print("{:<8} {:<58} [{}]{}\n", what, group.pattern, fmt::join(group.shape, ", "),
               group.layers.empty() ? "" : "  layers " + layers_text(group.layers));
  }
  return tensors;
}

int convert(const ConvertArguments& arguments, Program& program) {
  model::ConvertOptions options;
  if (!arguments.weights.empty()) options.dtype = parse_dtype(arguments.weights);
  options.rewiring = rewiring_of(arguments);
  const model::Conversion done = model::convert_directory(arguments.model, arguments.out, options);
  for (const std::string& warning : done.warnings) program.terminal.warn("{}", warning);
  nlohmann::ordered_json summary{{"model", arguments.out.string()},
                                 {"architecture", done.architecture},
                                 {"dtype", done.dtype},
                                 {"tensors", done.tensors},
                                 {"parameters", done.parameters},
                                 {"copied", done.copied}};
  if (options.rewiring) {
    summary["kept"] = print_groups("kept", done.kept);
    summary["new"] = print_groups("new", done.fresh);
    summary["dropped"] = print_groups("dropped", done.dropped);
  }
  fmt::print("{}\n", json_text(summary));
  return 0;
}

}  // namespace

void add_convert(CLI::App& app, Program& program) {
  auto arguments = std::make_shared<ConvertArguments>();
  CLI::App* command =
      app.add_subcommand("convert",
                         "rewrite a model directory (pytorch_model.bin, shards, old "
                         "names) as safetensors, or with another attention");
  command->add_option("DIR", arguments->model, "model directory to read")->required();
  command->add_option("--out", arguments->out, "folder to make; it must not exist yet")->required();
  command
      ->add_option("--weights", arguments->weights,
                   "number format of the stored weights; empty: as they are")
      ->check(CLI::IsMember({"float32", "bfloat16", "float16"}));
  command->add_option("--attention", arguments->attention,
                      "kind of attention of every layer ('tenfold methods' lists them)");
  may_be_repeated(command->add_option("--set", arguments->settings,
                                      "option=value of that kind; may be repeated"));
  command->add_flag("--residual-attention", arguments->residual_attention,
                    "layers add the raw scores of the one below; without --attention the kind "
                    "stays");
  command->add_flag("--residual-mean", arguments->residual_mean,
                    "with --residual-attention: the softmax takes the mean of those scores");
  command->add_option("--seed", arguments->seed, "of the weights that are drawn anew")
      ->capture_default_str();
  command->footer(
      "The tokenizer's files, heads and sentence-transformers' modules are taken over as they "
      "are.\n"
      "TensorFlow checkpoints are refused with the command that converts them.\n"
      "With --attention every weight whose name and shape the new layers know is kept; lines say\n"
      "which are kept, new and dropped. New ones have to be trained. A model that stock readers\n"
      "cannot run gets model_type \"tenfold-bert\"; '--attention softmax' leads back.\n\n"
      "Examples:\n"
      "  tenfold convert bert-base-uncased --out bert --weights bfloat16\n"
      "  tenfold convert bert --out bert-conv --attention dynamic_conv --set kernel_size=7");
  command->callback([=, &program] {
    program.action = [=, &program] {
      require_cpu(program, "convert");
      require_float32(program, "convert");
      return convert(*arguments, program);
    };
  });
}

}  // namespace tenfold::app
