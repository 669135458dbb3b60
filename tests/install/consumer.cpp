// The smallest use of the installed library: a sentence cut into tokens and embedded.
// Not here: more than the public headers give.
#include <tenfold/error.h>
#include <tenfold/methods.h>
#include <tenfold/model.h>
#include <tenfold/tokenizer.h>

#include <cmath>
#include <cstdio>
#include <string>

#include "tiny_model.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: consumer FOLDER\n");
    return 2;
  }
  tenfold::register_methods();
  tenfold::Tokenizer::wordpiece(
      {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "learn", "##ing", "is", "fun", "."})
      .save(argv[1]);
  const auto tokenizer = tenfold::Tokenizer::load(argv[1]);
  std::string cut;
  for (int32_t id : tokenizer.encode_single("Learning is fun.").ids)
    cut += tokenizer.token(id) + " ";
  std::printf("%s\n", cut.c_str());

  write_tiny_bert(argv[1], tokenizer.size());
  const std::string_view texts[] = {"Learning is fun.", "fun"};
  const auto vectors = tenfold::Model::load(argv[1]).embed(texts);
  const bool embedded =
      vectors.size() == 2 && vectors[0].size() == 4 && std::isfinite(vectors[0][0]);
  std::printf("%zu vectors\n", vectors.size());
  try {
    tenfold::Tokenizer::load("/nonexistent");
  } catch (const tenfold::Error& error) {
    std::printf("%s (exit code %d)\n", error.what(), error.exit_code());
    const bool refused = error.exit_code() == 4;
    return embedded && refused && cut == "[CLS] learn ##ing is fun . [SEP] " ? 0 : 1;
  }
  return 1;
}
