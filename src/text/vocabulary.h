// The numbered tokens of a tokenizer, the rules around them, and how they stand in a model
// directory. Not here: cutting text (tokenizer_core.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tenfold/tokenizer.h"
#include "text/bpe.h"

namespace tenfold::text {

struct SentencePieceModel;

/// Most tokens a file may hold: what a larger vocabulary takes in memory, small files could ask
/// for.
inline constexpr size_t kMaxTokens = 600'000;
inline constexpr size_t kLongestToken = 4096;  ///< in bytes, of a token in a file

/// A token that is looked for in the text before the model sees it.
struct AddedToken {
  std::string content;
  int32_t id = -1;
  bool special = true;
  bool single_word = false;  ///< only where no word character stands beside it
  bool lstrip = false;       ///< takes the blanks before it along
  bool rstrip = false;       ///< and those after it
  bool normalized = false;   ///< looked for in the normalised text
};

/// Everything that makes a tokenizer, as read from or written to files. The blocks are those of
/// tokenizer.json, whatever file they come from; null: none.
struct TokenizerParts {
  std::vector<std::string> tokens;  // by id; empty strings only where no token has the id
  std::vector<AddedToken> added;
  WordPieceOptions options;  // its five names hold for every kind, the rest for WordPiece
  TokenizerKind kind = TokenizerKind::wordpiece;
  nlohmann::json normalizer, pre_tokenizer, post_processor, decoder;

  BpeOptions bpe;
  std::vector<BpeMerge> merges;    // BPE
  std::vector<double> scores;      // unigram, by id; added tokens have none
  int32_t unknown = -1;            // of BPE and unigram
  bool byte_fallback = false;      // unigram
  std::string sentencepiece;       // bytes of the model file that cuts the text, or empty
  std::string file = "tokenizer";  // for messages about the blocks
};

/// Reads a model directory. Errors as Tokenizer::load.
TokenizerParts read_tokenizer(const std::filesystem::path& directory);

/// Writes the files of Tokenizer::save. Error (run): a file that cannot be written.
void write_tokenizer(const TokenizerParts& parts, const std::filesystem::path& directory);

/// The highest id of a token, or -1.
int32_t id_of(const TokenizerParts& parts, const std::string& name);

/// Whether BERT's own normaliser and pre-tokenizer stand before WordPiece: the fast path.
bool is_bert(const TokenizerParts& parts);

/// What a token that stands twice in a vocabulary means.
enum class Repeats {
  refuse,     ///< an error
  last_wins,  ///< text gets the last id, as the stock tokenizers read vocab.txt
};

/// The parts of a bare vocabulary: the special tokens are those of the options' five names that it
/// has.
TokenizerParts bare_vocabulary(std::vector<std::string> tokens, WordPieceOptions options,
                               Repeats repeats);

/// How byte-level BPE is framed: which special tokens it has and what goes around a text.
enum class BpeFamily {
  gpt2,     ///< <|endoftext|>, nothing around a text
  roberta,  ///< <s> text </s>, <mask> takes the blank before it along
};

/// Rules "left right" in the order of their ranks; no family: RoBERTa's where the vocabulary has
/// <s> and </s>, else GPT-2's. Errors (checkpoint): a rule whose tokens or whose result the
/// vocabulary lacks.
TokenizerParts byte_bpe_parts(std::vector<std::string> tokens,
                              const std::vector<std::string>& merges,
                              std::optional<BpeFamily> family, const std::string& file);

/// One rule, its tokens looked up. Error (checkpoint).
BpeMerge merge_of(std::string_view left, std::string_view right, const Trie& tokens, size_t rank,
                  const std::string& file);

/// How many sentinels follow the pieces of a T5 model.
inline constexpr int kNumSentinels = 100;

enum class SentencePieceFamily { plain, t5, albert };

/// The parts of a SentencePiece model file; nothing: the family is told from its special pieces.
TokenizerParts sentencepiece_parts(std::string bytes, std::optional<SentencePieceFamily> family,
                                   const std::string& file);

/// Adds the model's user-defined pieces, which it cuts out by itself, but for ids already there.
void add_user_defined(const SentencePieceModel& model, std::vector<AddedToken>& added);

/// ALBERT's own rules before the model's, as the stock library writes them for its pipeline; the
/// model file's bytes are dropped.
void rewrite_as_albert(TokenizerParts& parts, bool lowercase);

}  // namespace tenfold::text
