// The numbered tokens of a tokenizer, the special ones among them, and how they stand in a model
// directory. Not here: cutting text (word_scanner.h, wordpiece.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tenfold/tokenizer.h"

namespace tenfold::text {

/// Most tokens a file may hold: what a larger vocabulary takes in memory, small files could ask
/// for.
inline constexpr size_t kMaxTokens = 600'000;
inline constexpr size_t kLongestToken = 4096;  ///< in bytes, of a token in a file

/// A token that is looked for in the raw text, before normalisation.
struct AddedToken {
  std::string content;
  int32_t id = -1;
  bool special = true;
};

/// Everything that makes a tokenizer, as read from or written to files.
struct TokenizerParts {
  std::vector<std::string> tokens;  // by id; empty strings only where no token has the id
  std::vector<AddedToken> added;
  WordPieceOptions options;
};

/// Reads a model directory. Errors as Tokenizer::load.
TokenizerParts read_tokenizer(const std::filesystem::path& directory);

/// Writes the four files of Tokenizer::save. Error (run): a file that cannot be written.
void write_tokenizer(const TokenizerParts& parts, const std::filesystem::path& directory);

/// What a token that stands twice in a vocabulary means.
enum class Repeats {
  refuse,     ///< an error
  last_wins,  ///< text gets the last id, as the stock tokenizers read vocab.txt
};

/// The parts of a bare vocabulary: the special tokens are those of the options' five names that it
/// has.
TokenizerParts bare_vocabulary(std::vector<std::string> tokens, WordPieceOptions options,
                               Repeats repeats);

}  // namespace tenfold::text
