// The families of encoders: how each names its tensors and its architectures, and which heads it
// has. Not here: what the families compute (encoder.h, heads.h) or their config.json
// (checkpoint.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tenfold::model {

/// What stands on an encoder.
enum class Head : uint8_t {
  as_stored,         ///< whatever the directory's architecture says
  none,              ///< the encoder alone
  mlm,               ///< a distribution over the vocabulary for each row
  classifier,        ///< classes, several labels at once, or a number for each sequence
  token_classifier,  ///< classes for each row
  span,              ///< begin and end of an answer
  choice,            ///< one number for each sequence, compared within a group of them
  replaced_token,    ///< one number for each row: was this token put there by a generator?
};

/// Names are those of Hugging Face's model code.
struct Family {
  std::string_view name;            ///< `model_type` of config.json: "bert"
  std::string_view class_prefix;    ///< of `architectures`: "Bert"
  std::string_view encoder_prefix;  ///< of the encoder's tensors: "bert."
  std::string_view tied_weight;     ///< a stored copy of the word embeddings in the vocabulary head
  std::string_view tied_bias;       ///< a stored copy of the vocabulary head's bias; may be empty
  std::string_view bias;            ///< the vocabulary head's bias itself

  /// "BertForMaskedLM"; Error{unsupported} where the family has no such head.
  std::string architecture(Head head) const;
  /// Head::none for names that are not known.
  Head head_of(std::string_view architecture) const;
  /// Whether the head reads the pooled vector (a dense layer and tanh on the first row, part of the
  /// encoder).
  bool needs_pooler(Head head) const;
};

/// Error{unsupported} naming those there are where there is none of that name.
const Family& family_of(std::string_view name, std::string_view where);
std::vector<std::string> family_names();

}  // namespace tenfold::model
