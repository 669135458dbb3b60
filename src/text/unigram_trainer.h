// Making a SentencePiece unigram model from text with the library's own trainer.
// Not here: using the model (sentencepiece.h), which needs no library.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>

namespace tenfold::text {

struct UnigramTrainerOptions {
  size_t size = 30522;  ///< pieces to make, special ones included
  bool lowercase = false;
};

/// The bytes of a model file of pieces <pad>, <unk>, <s>, </s>, <mask> and those that were learnt
/// from the texts that `next` gives until it gives nothing. Lines are cut at 4,000 bytes. The same
/// texts give the same model. Errors: data where the trainer refuses the texts (too few for the
/// size, for one), config for a size below 8.
std::string train_unigram(const std::function<std::optional<std::string>()>& next,
                          const UnigramTrainerOptions& options);

}  // namespace tenfold::text
