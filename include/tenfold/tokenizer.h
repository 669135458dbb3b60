// BERT's tokenizer: text in, WordPiece ids with byte offsets out, equal to the stock fast
// tokenizer's. Not here: training a vocabulary (src/text/wordpiece_trainer.h), or turning ids into
// batches.
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
  std::vector<uint32_t>
      begin;                  ///< first byte of the piece in its own text; 0 for added [CLS], [SEP]
  std::vector<uint32_t> end;  ///< one past its last byte; 0 for added [CLS], [SEP]
  std::vector<uint8_t> segments;  ///< 0 first text, 1 second text and its closing [SEP]
  std::vector<uint8_t>
      special;  ///< 1 for added [CLS], [SEP] and for special literals found in the text

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
  bool add_special = true;  ///< [CLS] text [SEP]
  bool offsets = true;      ///< false leaves begin, end, segments and special empty
  size_t max_length = std::numeric_limits<size_t>::max();
  SpecialText literals = SpecialText::recognise;
};

/// An immutable WordPiece tokenizer. Copies share one vocabulary; every const function may be
/// called from many threads at once.
///
/// Bytes that are not UTF-8 count as U+FFFD, one for each longest prefix of a legal sequence;
/// cleaning then drops them like the reference does, and offsets keep counting the bytes of the
/// input. Time is linear in the text, whatever it holds. Texts of 4 GiB or more are refused (Error,
/// data).
class Tokenizer {
 public:
  static constexpr size_t kNoLimit = std::numeric_limits<size_t>::max();

  /// Reads `tokenizer.json`, or `vocab.txt`, with `tokenizer_config.json` and
  /// `special_tokens_map.json` where they are. Errors: checkpoint for missing or damaged files,
  /// unsupported for a normalizer, model or other block that is not BERT's. A token on two lines of
  /// vocab.txt gets the last one's id, as the stock tokenizers do it. Truncation and padding
  /// settings in `tokenizer.json` are the caller's to apply.
  static Tokenizer load(const std::filesystem::path& directory);

  /// Line i of the vocabulary is id i. Errors (checkpoint): a token twice, no unknown token, not
  /// UTF-8.
  static Tokenizer wordpiece(std::vector<std::string> vocabulary, WordPieceOptions options = {});

  /// Writes vocab.txt, tokenizer.json, tokenizer_config.json and special_tokens_map.json, which the
  /// stock tokenizers load and encode with to the same ids. The folder is made where it is missing.
  void save(const std::filesystem::path& directory) const;

  /// Pieces of the text without added special tokens.
  Encoding encode(std::string_view text, SpecialText literals = SpecialText::recognise) const;

  /// [CLS] text [SEP], cut to max_length pieces. Error (data): max_length below 2.
  Encoding encode_single(std::string_view text, size_t max_length = kNoLimit,
                         SpecialText literals = SpecialText::recognise) const;

  /// [CLS] a [SEP] b [SEP], cut to max_length pieces. Errors (data): max_length below 3, or a rule
  /// that would leave its text empty.
  Encoding encode_pair(std::string_view a, std::string_view b, size_t max_length = kNoLimit,
                       Truncation rule = Truncation::longest_first,
                       SpecialText literals = SpecialText::recognise) const;

  /// Windows over b, each [CLS] a [SEP] part-of-b [SEP] of at most max_length pieces; neighbours
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

  /// Ids of the special tokens; -1 where the vocabulary lacks pad, cls, sep or mask.
  int32_t pad_id() const;
  int32_t unknown_id() const;
  int32_t cls_id() const;
  int32_t sep_id() const;
  int32_t mask_id() const;
  /// True for the special tokens above and for added tokens marked special.
  bool is_special(int32_t id) const;
  /// True for pieces that continue a word ("##..."). Errors as token().
  bool is_continuation(int32_t id) const;

  const WordPieceOptions& options() const;

 private:
  struct Impl;
  explicit Tokenizer(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

}  // namespace tenfold
