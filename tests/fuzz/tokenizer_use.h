// What must hold of every tokenizer that loads.
// Not here: which files load.
#pragma once

#include <string>
#include <string_view>

#include "target.h"
#include "tenfold/tokenizer.h"

namespace tenfold::fuzz {

inline constexpr std::string_view kSample =
    "The dogs, [MASK] caf\xC3\xA9 \xE4\xB8\xAD\xE6\x96\x87 a\xCC\x81 \xFF unaffable##s";

/// Pieces inside the text and ids inside the vocabulary.
inline void check_encoding(const Tokenizer& tokenizer, const Encoding& encoding,
                           std::string_view text) {
  uint32_t last = 0;
  for (size_t i = 0; i < encoding.size(); ++i) {
    promise(encoding.ids[i] >= 0 && encoding.ids[i] < tokenizer.size(),
            "ids are of the vocabulary");
    promise(encoding.begin[i] <= encoding.end[i] && encoding.end[i] <= text.size(),
            "pieces lie in the text");
    promise(encoding.begin[i] >= last, "pieces are in order");
    last = encoding.begin[i];
  }
}

inline void use_tokenizer(const Tokenizer& tokenizer) {
  promise(tokenizer.size() > 0, "a tokenizer has tokens");
  const Encoding encoding = tokenizer.encode(kSample);
  check_encoding(tokenizer, encoding, kSample);
  tokenizer.decode(encoding.ids);
  for (int32_t id : {tokenizer.pad_id(), tokenizer.cls_id(), tokenizer.sep_id(),
                     tokenizer.mask_id(), tokenizer.unknown_id()}) {
    promise(id >= -1 && id < tokenizer.size(), "special ids are of the vocabulary");
  }
}

inline bool same_ids(const Tokenizer& a, const Tokenizer& b) {
  return a.encode(kSample).ids == b.encode(kSample).ids;
}

}  // namespace tenfold::fuzz
