// Fuzz target: vocab.txt.
// Not here: tokenizer.json.
#include "tokenizer_use.h"

namespace tenfold::fuzz {

const char* const kFormat = "vocabulary";

void read(std::string_view bytes) {
  put_file("vocab.txt", bytes);
  const Tokenizer tokenizer = Tokenizer::load(scratch_folder());
  use_tokenizer(tokenizer);
}

}  // namespace tenfold::fuzz
