// Fuzz target: tokenizer.json, and the same bytes as the two side files of a vocab.txt.
// Not here: vocab.txt itself.
#include "tokenizer_use.h"

namespace tenfold::fuzz {

const char* const kFormat = "tokenizer_json";

void read(std::string_view bytes) {
  put_file("side/vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\ndog\n##s\n");
  for (const char* name : {"tokenizer_config.json", "special_tokens_map.json"}) {
    put_file(std::filesystem::path("side") / name, bytes);
  }
  allows({ErrorKind::checkpoint, ErrorKind::unsupported},
         [] { use_tokenizer(Tokenizer::load(scratch_folder() / "side")); });
  put_file("whole/tokenizer.json", bytes);
  const Tokenizer tokenizer = Tokenizer::load(scratch_folder() / "whole");
  use_tokenizer(tokenizer);
  tokenizer.save(scratch_folder() / "copy");
  promise(same_ids(tokenizer, Tokenizer::load(scratch_folder() / "copy")),
          "a saved tokenizer gives the same ids");
}

}  // namespace tenfold::fuzz
