// Tokenizers: text in, ids with byte offsets out, equal to the stock tokenizers' - WordPiece, BPE
// and unigram, from tokenizer.json or the older files. Not here: training a vocabulary
// (src/text/*_trainer.h), or turning ids into batches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tenfold {

/// The pieces of one text or pair. All arrays have one entry per piece.
struct Encoding {
  std::vector<int32_t> ids;
  std::vector<uint32_t> begin;  ///< first byte of the piece in its own text; 0 for added tokens
  std::vector<uint32_t> end;    ///< one past its last byte; 0 for added tokens
  /// As the template says; BERT: 0 first text, 1 second text and its closing [SEP].
  std::vector<uint8_t> segments;
  std::vector<uint8_t> special;  ///< 1 for added tokens and for special literals found in the text

  size_t size() const { return ids.size(); }
  bool operator==(const Encoding&) const = default;
};

/// Ids of many texts in one array: text i is ids[offsets[i] .. offsets[i + 1]).
struct RaggedIds {
  std::vector<int32_t> ids;
  std::vector<int64_t> offsets;  ///< number of texts + 1 entries, the first 0
};

/// Which text gives way when a pair is too long.
enum class Truncation {
  longest_first,  ///< the longer one first, then both evenly
  only_first,     ///< an error when the first would be left empty
  only_second,    ///< an error when the second would be left empty
};

/// What a literal such as "[MASK]" inside a text means.
enum class SpecialText {
  recognise,  ///< the special token (the stock default)
  plain,      ///< ordinary characters
};

/// How normalisation, splitting and the vocabulary lookup behave; the defaults are BERT's uncased
/// ones.
struct WordPieceOptions {
  bool lowercase = true;
  std::optional<bool> strip_accents = std::nullopt;  ///< unset: as `lowercase`
  bool split_chinese = true;                         ///< every CJK ideograph is a word of its own
  bool clean_text = true;       ///< drop control characters and U+FFFD, make every blank a space
  size_t max_word_chars = 100;  ///< longer words become the unknown token
  std::string continuation = "##";
  std::string pad = "[PAD]", unknown = "[UNK]", cls = "[CLS]", sep = "[SEP]", mask = "[MASK]";
  bool operator==(const WordPieceOptions&) const = default;
};

/// What encode_batch does with each text.
struct BatchOptions {
  size_t threads = 1;
  bool add_special = true;  ///< what goes around a text: [CLS] text [SEP], <s> text </s>, text </s>
  bool offsets = true;      ///< false leaves begin, end, segments and special empty
  size_t max_length = std::numeric_limits<size_t>::max();
  SpecialText literals = SpecialText::recognise;
};

/// How a tokenizer's model makes pieces of words.
enum class TokenizerKind {
  wordpiece,  ///< BERT, ELECTRA, MiniLM
  bpe,        ///< GPT-2, RoBERTa (byte-level), and SentencePiece's BPE
  unigram,    ///< T5, ALBERT
};

/// An immutable tokenizer. Copies share one vocabulary; every const function may be called from
/// many threads at once.
///
/// Bytes that are not UTF-8 count as U+FFFD, one for each longest prefix of a legal sequence, and
/// offsets keep counting the bytes of the input; BERT's cleaning drops them like the reference
/// does, byte-level BPE keeps them as they are. Time is linear in the text (n log n in a word for
/// BPE), whatever it holds. Texts of 4 GiB or more are refused (Error, data).
class Tokenizer {
 public:
  static constexpr size_t kNoLimit = std::numeric_limits<size_t>::max();

  /// Reads a model directory, with `tokenizer_config.json` and `special_tokens_map.json` where they
  /// are, from the first of these it has: a SentencePiece model that save() wrote,
  /// `tokenizer.json`, `vocab.txt` (BERT), `vocab.json` with `merges.txt` (GPT-2; RoBERTa where the
  /// vocabulary has <s> and </s>), `spiece.model`, `sentencepiece.bpe.model`, `tokenizer.model`,
  /// `sentencepiece.model` or `spm.model`. A T5 model's sentinels <extra_id_0>, <extra_id_1>, ...
  /// descend from the end of the vocabulary. Errors: checkpoint for missing or damaged files,
  /// unsupported naming any block, type or setting of tokenizer.json that is not understood. A
  /// token on two lines of vocab.txt gets the last one's id, as the stock tokenizers do it.
  /// Truncation and padding settings in `tokenizer.json` are the caller's to apply.
  static Tokenizer load(const std::filesystem::path& directory);

  /// Line i of the vocabulary is id i. Errors (checkpoint): a token twice, no unknown token, not
  /// UTF-8.
  static Tokenizer wordpiece(std::vector<std::string> vocabulary, WordPieceOptions options = {});

  /// Byte-level BPE as GPT-2 has it: token i is id i, written in the byte-level alphabet, and
  /// merges "left right" by rank. Where the vocabulary has <s> and </s> they go around a text, as
  /// in RoBERTa. Errors (checkpoint): a token twice, a merge of or to a token it lacks.
  static Tokenizer byte_bpe(std::vector<std::string> vocabulary,
                            const std::vector<std::string>& merges);

  /// From the bytes of a SentencePiece model file. Errors: checkpoint for damage, unsupported for
  /// models of words or characters.
  static Tokenizer sentencepiece(std::string model);

  /// Writes tokenizer.json, tokenizer_config.json, special_tokens_map.json and the older files of
  /// the kind (vocab.txt; vocab.json and merges.txt; spiece.model), which the stock tokenizers load
  /// and encode with to the same ids (for SentencePiece's models its own package does; the stock
  /// rewriting of their rules in tokenizer.json differs for control characters and some marks). The
  /// folder is made where it is missing.
  void save(const std::filesystem::path& directory) const;

  /// Pieces of the text without added special tokens.
  Encoding encode(std::string_view text, SpecialText literals = SpecialText::recognise) const;

  /// The text with the special tokens that go around it ([CLS] text [SEP]), cut to max_length
  /// pieces. Error (data): max_length below the number of those.
  Encoding encode_single(std::string_view text, size_t max_length = kNoLimit,
                         SpecialText literals = SpecialText::recognise) const;

  /// Two texts likewise ([CLS] a [SEP] b [SEP]), cut to max_length pieces. Errors (data):
  /// max_length below the number of special tokens, or a rule that would leave its text empty.
  Encoding encode_pair(std::string_view a, std::string_view b, size_t max_length = kNoLimit,
                       Truncation rule = Truncation::longest_first,
                       SpecialText literals = SpecialText::recognise) const;

  /// Windows over b, each a pair of a and a part of b of at most max_length pieces; neighbours
  /// share `stride` pieces of b. One window where all fits. Error (data): no room for more than
  /// `stride` pieces of b.
  std::vector<Encoding> encode_windows(std::string_view a, std::string_view b, size_t max_length,
                                       size_t stride,
                                       SpecialText literals = SpecialText::recognise) const;

  /// Encodes every text; result i belongs to text i, whatever the number of threads.
  std::vector<Encoding> encode_batch(std::span<const std::string_view> texts,
                                     const BatchOptions& options = {}) const;

  /// The same ids without offsets, in one flat array: the fastest form.
  RaggedIds encode_ids(std::span<const std::string_view> texts,
                       const BatchOptions& options = {}) const;

  /// Appends the text's ids to `ids` (no added special tokens); allocates only when `ids` grows.
  void encode_ids_into(std::string_view text, std::vector<int32_t>& ids,
                       SpecialText literals = SpecialText::recognise) const;

  /// Text of the pieces as the stock decoder writes it: blanks between words, none before . , ? !
  /// and clitics.
  std::string decode(std::span<const int32_t> ids) const;
  /// The same, leaving the special tokens out.
  std::string decode_without_special(std::span<const int32_t> ids) const;

  /// The token of an id. Error (data): id outside 0 .. size() - 1.
  const std::string& token(int32_t id) const;
  /// The id of a token, or nothing.
  std::optional<int32_t> id(std::string_view token) const;
  /// Number of ids, added tokens included.
  int32_t size() const;

  /// Ids of the special tokens; -1 where there is none. cls and sep are what opens and closes a
  /// text (<s> and </s> of RoBERTa; T5 has no cls).
  int32_t pad_id() const;
  int32_t unknown_id() const;
  int32_t cls_id() const;
  int32_t sep_id() const;
  int32_t mask_id() const;
  /// True for the special tokens above and for added tokens marked special.
  bool is_special(int32_t id) const;
  /// True for pieces that continue a word: "##..." of WordPiece; of byte-level BPE those that do
  /// not begin with a blank, and of SentencePiece's kind those without its mark, special tokens
  /// left out. Errors as token().
  bool is_continuation(int32_t id) const;

  TokenizerKind kind() const;
  /// What decides besides the tokens how text is cut, as one line: tokenizers with the same tokens
  /// and rules give the same ids.
  std::string rules() const;
  /// The five names hold for every kind, the rest for WordPiece alone.
  const WordPieceOptions& options() const;

 private:
  struct Impl;
  explicit Tokenizer(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

}  // namespace tenfold
