// Directories of the sentence-transformers library: which folder holds the encoder, and how a
// sentence's vector comes from its rows. Not here: training such models, or the encoder itself
// (checkpoint.h).
//
// T rows, B sequences, D width.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "model/pooling.h"
#include "nn/activation.h"
#include "tensor/sequence_layout.h"
#include "tensor/torch.h"

namespace tenfold::model {

/// A dense layer behind the pooling: activation(x W^T + b).
struct SentenceDense {
  Tensor weight_ED, bias_E;  ///< the bias may be undefined
  nn::Activation activation = nn::Activation::none;
};

/// What modules.json and the files it names say. Without one: the directory itself, the mean of all
/// rows.
struct SentenceDirectory {
  std::filesystem::path encoder;  ///< folder of config.json, weights and tokenizer
  Pooling pooling = Pooling::mean;
  std::vector<SentenceDense> dense;
  bool normalize = false;
  int64_t max_length = 0;  ///< tokens of a text, special ones included; 0: the model's own limit
  std::map<std::string, std::string> prompts;  ///< texts to be put in front, by name
  std::string default_prompt;                  ///< name of the one used where none is chosen

  /// Width of the vectors where the encoder's is `hidden`.
  int64_t width(int64_t hidden) const;
  /// Error{checkpoint} where the dense layers do not fit an encoder of that width, or each other.
  void check_width(int64_t hidden) const;
  /// The prompt of that name, nothing for the empty name; Error{config} where there is none.
  std::string prompt(const std::string& name) const;
  /// The dense layers on pooled vectors [B, D], and the norm where there is one.
  Tensor finish(const Tensor& pooled_BD) const;
};

/// Error{checkpoint} where a file is missing or damaged, Error{unsupported} naming a module, a
/// pooling mode or an activation that is not known here.
SentenceDirectory read_sentence_directory(const std::filesystem::path& directory);

}  // namespace tenfold::model
