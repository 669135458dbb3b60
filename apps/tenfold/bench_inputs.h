// What the benchmarks run on: token ids, texts and models that are shared with the peers, or made
// here where those are absent. Not here: timing (bench_timer.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "bench.h"
#include "model/config.h"
#include "tenfold/tokenizer.h"
#include "tensor/torch.h"

namespace tenfold::app {

using IdRows = std::vector<std::vector<int64_t>>;

/// Rows of token ids; `shared` tells whether they are the peers' own.
struct BenchIds {
  IdRows full;    ///< 32 rows of 128
  IdRows ragged;  ///< 128 rows of real lengths
  bool shared = false;
};

/// inputs/full.txt and inputs/ragged.txt of the cache; where they are absent, random ids with
/// similar lengths and a remark how to make the real ones. Error{data} naming file and line for
/// anything but numbers.
BenchIds bench_ids(const BenchOptions& options);

/// A tokenizer, under the name that its cases begin with.
struct BenchTokenizer {
  std::string name;  ///< "wordpiece", "bpe-gpt2", "unigram-t5"
  Tokenizer tokenizer;
};

/// Text cut into lines, and the tokenizers to cut it with.
struct BenchText {
  std::vector<std::string> lines;
  std::vector<BenchTokenizer> tokenizers;

  double bytes() const;  ///< one more a line, for its end
};

/// The first megabytes of Wikipedia text, with BERT's, GPT-2's and T5's vocabularies, from the data
/// folder, or made-up words and pieces.
BenchText bench_text(const BenchOptions& options);

/// Folder of "bert-base" or "minilm" for the peers; empty where it is absent.
std::filesystem::path bench_model(const BenchOptions& options, const std::string& name);

/// A float32 .npy file in C order, version 1. Error{data}.
Tensor read_npy(const std::filesystem::path& path);

/// Multiply-adds counted as two, of the layers alone, for sequences of these lengths.
double encoder_flops(const model::EncoderConfig& config, const std::vector<int64_t>& lengths);

}  // namespace tenfold::app
