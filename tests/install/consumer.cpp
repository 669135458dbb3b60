// The smallest use of the installed library: a vocabulary made, saved, loaded, and a sentence cut
// with it. Not here: more than the public headers give.
#include <tenfold/error.h>
#include <tenfold/tokenizer.h>

#include <cstdio>
#include <string>

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: consumer FOLDER\n");
    return 2;
  }
  tenfold::Tokenizer::wordpiece(
      {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "learn", "##ing", "is", "fun", "."})
      .save(argv[1]);
  const auto tokenizer = tenfold::Tokenizer::load(argv[1]);
  std::string cut;
  for (int32_t id : tokenizer.encode_single("Learning is fun.").ids)
    cut += tokenizer.token(id) + " ";
  std::printf("%s\n", cut.c_str());
  try {
    tenfold::Tokenizer::load("/nonexistent");
  } catch (const tenfold::Error& error) {
    std::printf("%s (exit code %d)\n", error.what(), error.exit_code());
    return cut == "[CLS] learn ##ing is fun . [SEP] " && error.exit_code() == 4 ? 0 : 1;
  }
  return 1;
}
