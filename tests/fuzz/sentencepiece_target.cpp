// Fuzz target: a SentencePiece model file.
// Not here: the library that other programs read such files with.
#include "tokenizer_use.h"

namespace tenfold::fuzz {

const char* const kFormat = "sentencepiece";

void read(std::string_view bytes) {
  put_file("model/spiece.model", bytes);
  const Tokenizer tokenizer = Tokenizer::load(scratch_folder() / "model");
  // A hostile character map may make any text too long, and that is refused too.
  allows({ErrorKind::data}, [&] {
    use_tokenizer(tokenizer);
    tokenizer.save(scratch_folder() / "copy");
    promise(same_ids(tokenizer, Tokenizer::load(scratch_folder() / "copy")),
            "a saved tokenizer gives the same ids");
  });
}

}  // namespace tenfold::fuzz
