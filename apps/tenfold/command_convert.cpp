// `tenfold convert`: a model directory rewritten as safetensors.
// Not here: what can be read (model/checkpoint.h).
#include "command.h"
#include "json_text.h"
#include "model/convert.h"
#include "tensor/device.h"

namespace tenfold::app {
namespace {

struct ConvertArguments {
  std::filesystem::path model, out;
  std::string weights;
};

int convert(const ConvertArguments& arguments, Program& program) {
  model::ConvertOptions options;
  if (!arguments.weights.empty()) options.dtype = parse_dtype(arguments.weights);
  const model::Conversion done = model::convert_directory(arguments.model, arguments.out, options);
  for (const std::string& warning : done.warnings) program.terminal.warn("{}", warning);
  fmt::print("{}\n", json_text({{"model", arguments.out.string()},
                                {"architecture", done.architecture},
                                {"dtype", done.dtype},
                                {"tensors", done.tensors},
                                {"parameters", done.parameters},
                                {"copied", done.copied}}));
  return 0;
}

}  // namespace

void add_convert(CLI::App& app, Program& program) {
  auto arguments = std::make_shared<ConvertArguments>();
  CLI::App* command =
      app.add_subcommand("convert",
                         "rewrite a model directory (pytorch_model.bin, shards, old "
                         "names) as safetensors");
  command->add_option("DIR", arguments->model, "model directory to read")->required();
  command->add_option("--out", arguments->out, "folder to make; it must not exist yet")->required();
  command
      ->add_option("--weights", arguments->weights,
                   "number format of the stored weights; empty: as they are")
      ->check(CLI::IsMember({"float32", "bfloat16", "float16"}));
  command->footer(
      "The tokenizer's files and sentence-transformers' modules are taken over as they are.\n"
      "TensorFlow checkpoints are refused with the command that converts them.\n\n"
      "Example:\n  tenfold convert bert-base-uncased --out bert --weights bfloat16");
  command->callback([=, &program] {
    program.action = [=, &program] {
      require_cpu(program, "convert");
      require_float32(program, "convert");
      return convert(*arguments, program);
    };
  });
}

}  // namespace tenfold::app
